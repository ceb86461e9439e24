//! What is broken in one domain, in local numbers: domains with the same damage are alike.

use super::{AxisKind, Domain, Machine};
use crate::Result;
use crate::memory::{self, bytes_of};

/// The damage of one domain. Lists ascend.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Damage {
    /// Dead local links, those of dead chips too.
    pub links: Vec<u64>,
    /// Dead local chips.
    pub chips: Vec<u32>,
    /// Local chips whose NIC does not send, and those whose NIC does not receive; dead chips are not among them.
    pub nics: [Vec<u32>; 2],
    /// Slower local links and their factors.
    pub degraded: Vec<(u64, f64)>,
    /// Slower NICs and their factors: (local chip, factor), sending and receiving.
    pub slow_nics: [Vec<(u32, f64)>; 2],
}

impl Damage {
    /// Bytes that its lists take, but for short ones.
    pub(crate) fn bytes(&self) -> u64 {
        bytes_of::<u64>((self.links.len() + self.chips.len() + 2 * self.degraded.len()) as u64)
    }

    /// True if local link `link` carries nothing.
    pub fn is_dead(&self, link: u64) -> bool {
        self.links.binary_search(&link).is_ok()
    }

    /// True if local chip `chip` works.
    pub fn is_live(&self, chip: u32) -> bool {
        self.chips.binary_search(&chip).is_err()
    }

    /// True if the NIC of local chip `chip` works in this direction.
    pub fn has_nic(&self, ingress: bool, chip: u32) -> bool {
        self.is_live(chip)
            && self.nics[usize::from(ingress)]
                .binary_search(&chip)
                .is_err()
    }

    /// The factor on the bandwidth of local link `link`.
    pub fn factor(&self, link: u64) -> f64 {
        let found = self.degraded.binary_search_by_key(&link, |entry| entry.0);
        found.map_or(1.0, |at| self.degraded[at].1)
    }

    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// The entries of an ascending list whose keys lie in `from..to`.
pub(super) fn within<T>(list: &[T], from: u64, to: u64, key: impl Fn(&T) -> u64) -> &[T] {
    let start = list.partition_point(|entry| key(entry) < from);
    let end = start + list[start..].partition_point(|entry| key(entry) < to);
    &list[start..end]
}

impl Domain {
    /// Most of them that one chip has.
    fn most_links_at(&self) -> u64 {
        let of_axis = |axis: &super::Axis| match axis.kind {
            AxisKind::Ring | AxisKind::Line => 4,
            AxisKind::FullMesh => 2 * u64::from(axis.size - 1),
            AxisKind::Switch { .. } => 2,
        };
        self.axes().iter().map(of_axis).sum()
    }

    /// Local links that end at or leave a local chip.
    pub fn links_at(&self, chip: u32) -> Vec<u64> {
        let mut out = Vec::new();
        for (index, axis) in self.axes().iter().enumerate() {
            let at = self.coordinate(chip, index);
            match axis.kind {
                AxisKind::Ring | AxisKind::Line => {
                    let cables = axis.cables();
                    let below = match (at, &axis.kind) {
                        (0, AxisKind::Ring) => cables.checked_sub(1),
                        (0, _) => None,
                        (at, _) => Some(at - 1),
                    };
                    let above = (at < cables).then_some(at);
                    for cable in [below, above].into_iter().flatten() {
                        for backward in [false, true] {
                            out.push(self.cable_link(index, backward, chip, cable));
                        }
                    }
                }
                AxisKind::FullMesh => {
                    for other in (0..axis.size).filter(|&other| other != at) {
                        out.push(self.mesh_link(index, chip, at, other));
                        out.push(self.mesh_link(index, chip, other, at));
                    }
                }
                AxisKind::Switch { .. } => {
                    out.push(self.port_link(index, false, chip));
                    out.push(self.port_link(index, true, chip));
                }
            }
        }
        out.sort_unstable();
        out.dedup();
        out
    }
}

impl Machine {
    /// What is broken in a domain that is not dead itself; `None` where nothing is.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory) where the links of its dead chips do not fit.
    pub fn damage_of(&self, domain: u32) -> Result<Option<Damage>> {
        if !self.is_damaged() {
            return Ok(None);
        }
        let faults = self.faults();
        let (links, chips) = (self.domain().links(), u64::from(self.domain().chips()));
        let (first_link, first_chip) = (u64::from(domain) * links, u64::from(domain) * chips);
        let local_chips = |list: &[u32], first: u64| -> Vec<u32> {
            within(list, first, first + chips, |&chip| u64::from(chip))
                .iter()
                .map(|&chip| (u64::from(chip) - first) as u32)
                .collect()
        };
        let dead = within(&faults.links, first_link, first_link + links, |&link| link);
        let mut damage = Damage {
            links: dead.iter().map(|link| link - first_link).collect(),
            chips: local_chips(&faults.chips, first_chip),
            degraded: within(&faults.degraded, first_link, first_link + links, |e| e.0)
                .iter()
                .map(|&(link, factor)| (link - first_link, factor))
                .collect(),
            ..Damage::default()
        };
        for ingress in 0..2u64 {
            let first = self.blocks().nic + ingress * u64::from(self.num_chips()) + first_chip;
            let mut nics = local_chips(&faults.nics, first_chip);
            let single = within(&faults.links, first, first + chips, |&link| link);
            nics.extend(single.iter().map(|link| (link - first) as u32));
            nics.sort_unstable();
            nics.dedup();
            nics.retain(|&chip| damage.is_live(chip));
            damage.nics[ingress as usize] = nics;
            damage.slow_nics[ingress as usize] =
                within(&faults.degraded, first, first + chips, |entry| entry.0)
                    .iter()
                    .map(|&(link, factor)| ((link - first) as u32, factor))
                    .collect();
        }
        if damage.is_none() {
            return Ok(None);
        }
        // Twice: the list is moved as it grows.
        let dead = damage.chips.len() as u64;
        let bytes = bytes_of::<[u64; 2]>(dead.saturating_mul(self.domain().most_links_at()));
        let what = format_args!("the links of {dead} dead chips of an UltraServer");
        memory::check(
            bytes,
            what,
            "name fewer faults, or use smaller UltraServers",
        )?;
        for chip in damage.chips.clone() {
            damage.links.extend(self.domain().links_at(chip));
        }
        damage.links.sort_unstable();
        damage.links.dedup();
        Ok(Some(damage))
    }

    /// Domains that are not dead but have damage inside or at their NICs, ascending.
    pub fn damaged_domains(&self) -> Vec<u32> {
        let faults = self.faults();
        let blocks = self.blocks();
        let of_link = |link: u64| {
            if link < blocks.nic {
                Some((link / self.domain().links()) as u32)
            } else if link < blocks.fabric[0] {
                let chip = (link - blocks.nic) % u64::from(self.num_chips());
                Some(self.split(chip as u32).0)
            } else {
                None
            }
        };
        let of_chips = faults.chips.iter().chain(&faults.nics);
        let links = faults.links.iter().copied();
        let links = links.chain(faults.degraded.iter().map(|entry| entry.0));
        let mut domains: Vec<u32> = of_chips
            .map(|&chip| self.split(chip).0)
            .chain(links.filter_map(of_link))
            .filter(|&domain| !self.is_dead_domain(domain))
            .collect();
        domains.sort_unstable();
        domains.dedup();
        domains
    }
}
