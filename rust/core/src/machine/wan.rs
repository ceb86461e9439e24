//! Links between sites, shared by all their flows.

use super::{End, Machine};
use crate::error::{Error, Result, not_negative, positive};

/// How sites are joined.
#[derive(Debug, Clone, PartialEq)]
pub enum WanShape {
    /// One link from each site to each other site; row = from, column = to, the diagonal is not used.
    Mesh,
    /// One link from each site to a hub and one back; row 0 of the tables holds the sites.
    Hub,
}

/// The WAN: its shape, and bandwidth and latency of each link.
#[derive(Debug, Clone, PartialEq)]
pub struct Wan {
    /// Mesh or hub.
    pub shape: WanShape,
    /// Bytes/s: sites x sites (row-major) for a mesh, one value per site for a hub.
    pub bandwidth: Vec<f64>,
    /// Seconds: laid out as `bandwidth`.
    pub latency: Vec<f64>,
}

impl Wan {
    /// Checks that the tables fit `sites` sites and hold usable numbers.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the table and the pair.
    pub fn validate(&self, sites: usize) -> Result<()> {
        let wanted = match self.shape {
            WanShape::Mesh => sites * sites,
            WanShape::Hub => sites,
        };
        for (name, table) in [
            ("wan bandwidth", &self.bandwidth),
            ("wan latency", &self.latency),
        ] {
            if table.len() != wanted {
                return Err(Error::invalid(
                    name,
                    format!("{} values", table.len()),
                    format!("{sites} sites need {wanted}"),
                ));
            }
        }
        for index in 0..wanted {
            if self.shape == WanShape::Mesh && index / sites == index % sites {
                continue;
            }
            let pair = match self.shape {
                WanShape::Mesh => format!(" from site {} to site {}", index / sites, index % sites),
                WanShape::Hub => format!(" of site {index}"),
            };
            positive(&format!("wan bandwidth{pair}"), self.bandwidth[index])?;
            not_negative(&format!("wan latency{pair}"), self.latency[index])?;
        }
        Ok(())
    }

    /// Directed links among `sites` sites.
    pub fn links(&self, sites: usize) -> u64 {
        let sites = sites as u64;
        match self.shape {
            WanShape::Mesh => sites * sites.saturating_sub(1),
            WanShape::Hub => 2 * sites,
        }
    }

    /// The links from one site to another, counted from the first WAN link: one, or two by the hub.
    pub fn path(&self, sites: usize, from: usize, to: usize) -> ([u64; 2], usize) {
        match self.shape {
            WanShape::Mesh => {
                let slot = if to > from { to - 1 } else { to };
                ([(from * (sites - 1) + slot) as u64, 0], 1)
            }
            WanShape::Hub => ([2 * from as u64, 2 * to as u64 + 1], 2),
        }
    }

    /// Bandwidth and latency of WAN link `index`, counted from the first WAN link, and the sites it joins
    /// (`None` is the hub).
    pub fn link(&self, sites: usize, index: u64) -> (f64, f64, Option<usize>, Option<usize>) {
        let index = index as usize;
        match self.shape {
            WanShape::Mesh => {
                let (from, slot) = (index / (sites - 1), index % (sites - 1));
                let to = if slot >= from { slot + 1 } else { slot };
                let cell = from * sites + to;
                (
                    self.bandwidth[cell],
                    self.latency[cell],
                    Some(from),
                    Some(to),
                )
            }
            WanShape::Hub => {
                let site = index / 2;
                let (from, to) = if index % 2 == 0 {
                    (Some(site), None)
                } else {
                    (None, Some(site))
                };
                (self.bandwidth[site], self.latency[site], from, to)
            }
        }
    }
}

impl Machine {
    /// The WAN links from one site to another: those of [`Wan::path`] if they live; of a mesh else the fewest live
    /// ones by way of other sites, those with lower numbers where several ways are as short.
    ///
    /// # Errors
    /// What cuts the sites apart, in words.
    pub(crate) fn wan_path(&self, from: usize, to: usize) -> std::result::Result<Vec<u64>, String> {
        let (sites, first) = (self.sites.len(), self.blocks().wan);
        let Some(wan) = &self.wan else {
            return Err("the machine has no WAN".to_owned());
        };
        let (links, count) = wan.path(sites, from, to);
        let links = links[..count].iter().map(|link| first + link);
        let Some(dead) = links.clone().find(|&link| self.is_dead_link(link)) else {
            return Ok(links.collect());
        };
        let name = |site: usize| &self.sites[site].name;
        if wan.shape == WanShape::Hub {
            let end = if dead == first + 2 * from as u64 {
                format!("from site {} to the hub", name(from))
            } else {
                format!("from the hub to site {}", name(to))
            };
            return Err(format!("the WAN link {end} is dead"));
        }
        // The site before, breadth first.
        let mut before = vec![None; sites];
        before[from] = Some(from);
        let mut queue = vec![from];
        let mut at = 0;
        let link = |a: usize, b: usize| first + wan.path(sites, a, b).0[0];
        while let (Some(&here), None) = (queue.get(at), before[to]) {
            at += 1;
            for (there, before) in before.iter_mut().enumerate() {
                if before.is_none() && !self.is_dead_link(link(here, there)) {
                    *before = Some(here);
                    queue.push(there);
                }
            }
        }
        let mut path = Vec::new();
        let mut here = to;
        while here != from {
            let Some(last) = before[here] else {
                return Err(format!(
                    "no live WAN links lead from site {} to site {}, by way of other sites neither",
                    name(from),
                    name(to)
                ));
            };
            path.push(link(last, here));
            here = last;
        }
        path.reverse();
        Ok(path)
    }

    /// As [`Machine::between_domains`], over links that live.
    ///
    /// # Errors
    /// What cuts the domains apart, in words; nothing is visited then.
    pub(crate) fn live_between(
        &self,
        from: u32,
        to: u32,
        mut visit: impl FnMut(u64),
    ) -> std::result::Result<(), String> {
        let first = self.blocks().wan;
        let (mut links, mut wan_at) = (Vec::new(), None);
        self.between_domains(from, to, |link| {
            if link < first {
                links.push(link);
            } else if wan_at.is_none() {
                wan_at = Some(links.len());
            }
        });
        if let Some(&dead) = links.iter().find(|&&link| self.is_dead_link(link)) {
            let end = |end: &End| match end {
                End::Chip(chip) => format!("chip {chip}"),
                End::Switch(name) => name.clone(),
            };
            return Err(match self.link(dead) {
                Ok(link) => format!(
                    "the fabric bundle from {} to {} is dead",
                    end(&link.from),
                    end(&link.to)
                ),
                Err(error) => error.to_string(),
            });
        }
        if let Some(at) = wan_at {
            let path = self.wan_path(self.site_of(from), self.site_of(to))?;
            links.splice(at..at, path);
        }
        links.into_iter().for_each(&mut visit);
        Ok(())
    }
}
