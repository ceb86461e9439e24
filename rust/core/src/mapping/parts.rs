//! A part of a machine on which groups fare as they do on the whole.

use super::digit::Place;
use super::dimension::Dimension;
use crate::Result;
use crate::machine::{Machine, Site};
use std::collections::BTreeMap;

/// Parts of a machine by their number of domains, the whole among them.
pub(super) struct Parts {
    machines: BTreeMap<u32, Machine>,
    whole: u32,
}

impl Parts {
    /// The whole machine alone.
    pub(super) fn whole(machine: &Machine) -> Self {
        let whole = machine.num_domains();
        Self {
            machines: BTreeMap::from([(whole, machine.clone())]),
            whole,
        }
    }

    /// With the first domains of a site up to each dimension: groups that do not use the dimensions above stay in such
    /// a part, whose links no other passes. Sites must have the same fabric for that.
    pub(super) fn of(machine: &Machine, dimensions: &[Dimension]) -> Result<Self> {
        let mut parts = Self::whole(machine);
        let (first, others) = machine.sites().split_at(1);
        if others.iter().any(|site| site.tiers != first[0].tiers) {
            return Ok(parts);
        }
        let outside = dimensions.iter().filter(|dimension| !dimension.inside);
        for domains in outside.map(|dimension| dimension.step) {
            let site = Site {
                domains,
                ..first[0].clone()
            };
            let (domain, nic) = (machine.domain().clone(), machine.nic().cloned());
            let part = Machine::new(domain, machine.overhead(), nic, vec![site], None)?;
            let part = part.with_launch(machine.launch())?;
            let part = match machine.tpu() {
                Some(&tpu) => part.with_tpu(tpu)?,
                None => part,
            };
            parts.machines.insert(domains, part);
        }
        Ok(parts)
    }

    /// The smallest part that holds groups of this place.
    pub(super) fn smallest(&self, dimensions: &[Dimension], place: &Place) -> &Machine {
        let used = dimensions.iter().zip(place);
        let used = used.filter(|(dimension, digits)| !dimension.inside && !digits.is_empty());
        let domains = used.map(|(dimension, _)| dimension.step * dimension.size);
        let domains = domains.max().unwrap_or(1);
        self.machines
            .get(&domains)
            .unwrap_or(&self.machines[&self.whole])
    }
}
