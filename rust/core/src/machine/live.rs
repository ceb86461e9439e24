//! Ways between domains over links that live.

use super::{End, Machine, WanShape};

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
