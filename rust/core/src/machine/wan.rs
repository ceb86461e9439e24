//! Links between sites, shared by all their flows.

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
    /// Bytes/s of all links out of a site, of so many, and of all into it.
    pub(crate) fn around(&self, site: usize, sites: usize) -> (f64, f64) {
        if self.shape == WanShape::Hub {
            return (self.bandwidth[site], self.bandwidth[site]);
        }
        let others = (0..sites).filter(|&other| other != site);
        others.fold((0.0, 0.0), |(out, into), other| {
            (
                out + self.bandwidth[site * sites + other],
                into + self.bandwidth[other * sites + site],
            )
        })
    }

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
            positive(format_args!("wan bandwidth{pair}"), self.bandwidth[index])?;
            not_negative(format_args!("wan latency{pair}"), self.latency[index])?;
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
