//! What of a machine is dead: faults, checked against it, and all that dies with them.

use super::{End, Faults, Machine};
use crate::error::{Error, Result};
use std::sync::Arc;

impl Faults {
    /// Sorted, and checked against the machine that it is to lie on.
    pub(super) fn checked(self, machine: &Machine) -> Result<Self> {
        let faults = self.sorted("degraded")?;
        if !faults.is_empty() {
            machine.check_own_nics("faults")?;
        }
        let (links, chips) = (machine.num_links(), u64::from(machine.num_chips()));
        below("links", faults.links.last().copied(), links)?;
        below("chips", faults.chips.last().copied(), chips)?;
        below("nics", faults.nics.last().copied(), chips)?;
        let domains = u64::from(machine.num_domains());
        below("ultraservers", faults.domains.last().copied(), domains)?;
        let sites = machine.sites().len() as u64;
        below("sites", faults.sites.last().copied(), sites)?;
        let slower = faults.degraded.last().map(|entry| entry.0);
        below("degraded", slower, links)?;
        if let (Some(&chip), None) = (faults.nics.first(), machine.nic()) {
            return Err(Error::invalid(
                "nics",
                chip,
                "the chips of this machine have no NICs",
            ));
        }
        Ok(faults)
    }
}

/// Checks that the last of ascending numbers is below `end`.
fn below(argument: &str, last: Option<impl Into<u64>>, end: u64) -> Result<()> {
    match last.map(Into::into) {
        Some(last) if last >= end => Err(Error::OutOfRange {
            argument: argument.to_owned(),
            value: i128::from(last),
            low: 0,
            high: i128::from(end) - 1,
        }),
        _ => Ok(()),
    }
}

impl Machine {
    /// The same machine with `faults` instead of those that it has.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] and [`Error::Invalid`] for numbers that do not exist or are named twice, factors that are
    /// not above 0 and at most 1, NICs where there are none, and a machine with no live chip.
    pub fn with_faults(self, faults: Faults) -> Result<Self> {
        let faults = Arc::new(faults.checked(&self)?);
        let machine = Self { faults, ..self };
        if machine.num_live_chips() == 0 {
            return Err(Error::invalid(
                "faults",
                format!("{} of {} chips", machine.num_chips(), machine.num_chips()),
                "everything is dead: leave at least one chip alive",
            ));
        }
        Ok(machine)
    }

    /// What is broken.
    pub fn faults(&self) -> &Arc<Faults> {
        &self.faults
    }

    /// True if something is broken.
    pub fn is_damaged(&self) -> bool {
        !self.faults.is_empty()
    }

    /// The same machine, whole.
    #[must_use]
    pub fn healthy(&self) -> Self {
        Self {
            faults: Arc::default(),
            ..self.clone()
        }
    }

    /// Chips that work.
    pub fn num_live_chips(&self) -> u32 {
        let mut dead_domains: u32 = 0;
        for &site in &self.faults.sites {
            dead_domains += self.sites[site as usize].domains;
        }
        let outside = |domain: &&u32| !self.is_dead_site(self.site_of(**domain));
        dead_domains += self.faults.domains.iter().filter(outside).count() as u32;
        let alone = |chip: &&u32| !self.is_dead_domain(self.split(**chip).0);
        let dead_chips = self.faults.chips.iter().filter(alone).count() as u32;
        self.num_chips() - dead_domains * self.domain.chips() - dead_chips
    }

    fn is_dead_site(&self, site: usize) -> bool {
        self.faults.sites.binary_search(&(site as u32)).is_ok()
    }

    /// True for a domain that is dead, or whose site is.
    pub fn is_dead_domain(&self, domain: u32) -> bool {
        self.faults.domains.binary_search(&domain).is_ok()
            || (!self.faults.sites.is_empty() && self.is_dead_site(self.site_of(domain)))
    }

    /// Domains that are not dead as such but whose chips all are, one by one; ascending.
    pub fn lifeless_domains(&self) -> Vec<u32> {
        let domains = self
            .faults
            .chips
            .chunk_by(|a, b| self.split(*a).0 == self.split(*b).0);
        let lifeless = domains.filter(|chips| chips.len() == self.domain.chips() as usize);
        lifeless.map(|chips| self.split(chips[0]).0).collect()
    }

    /// True for a chip that is dead, or whose domain or site is.
    pub fn is_dead_chip(&self, chip: u32) -> bool {
        self.is_damaged()
            && (self.faults.chips.binary_search(&chip).is_ok()
                || self.is_dead_domain(self.split(chip).0))
    }

    /// True for a link that carries nothing: itself dead, or one of a dead chip, NIC, domain or site.
    pub fn is_dead_link(&self, link: u64) -> bool {
        if !self.is_damaged() {
            return false;
        }
        if self.faults.links.binary_search(&link).is_ok() {
            return true;
        }
        let blocks = self.blocks();
        if link < blocks.nic {
            let domain = (link / self.domain.links()) as u32;
            let dead = |end: End| matches!(end, End::Chip(chip) if self.is_dead_chip(chip));
            let ends_at_dead = || {
                let link = self.describe_local(domain, link % self.domain.links());
                dead(link.from) || dead(link.to)
            };
            return self.is_dead_domain(domain) || !self.faults.chips.is_empty() && ends_at_dead();
        }
        if link < blocks.fabric[0] {
            let chip = ((link - blocks.nic) % u64::from(self.num_chips())) as u32;
            return self.is_dead_chip(chip) || self.faults.nics.binary_search(&chip).is_ok();
        }
        if link < blocks.wan {
            // Sites without tiers share a start with the next; the last of them owns the link.
            let site = blocks.fabric.partition_point(|&first| first <= link) - 1;
            return self.is_dead_site(site);
        }
        let ends = self.wan.as_ref().map(|wan| {
            let (_, _, from, to) = wan.link(self.sites.len(), link - blocks.wan);
            [from, to]
        });
        let ends = ends.into_iter().flatten().flatten();
        ends.into_iter().any(|site| self.is_dead_site(site))
    }
}
