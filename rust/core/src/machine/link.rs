//! From a link number back to words: what the link is, what it joins, its bandwidth and latency.

use super::fabric::{bundle_bandwidth, tier_links};
use super::{Axis, AxisKind, Machine, Tier};
use crate::error::{Error, Result};

/// What kind of link it is. Links of a class are alike in kind and, but for the WAN, in bandwidth.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkClass {
    /// A cable of a domain axis (a ring, line or full mesh).
    Cable(usize),
    /// A chip's port to the switch of a domain axis.
    Port(usize),
    /// A bundle between tiers of a switch axis.
    SwitchTier(usize, usize),
    /// NIC egress.
    NicEgress,
    /// NIC ingress.
    NicIngress,
    /// An uplink bundle of a fabric tier.
    FabricUp(usize),
    /// A downlink bundle of a fabric tier.
    FabricDown(usize),
    /// A link between sites.
    Wan,
}

/// One end of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// A chip, by its number in the machine.
    Chip(u32),
    /// A switch or fabric group, in words.
    Switch(String),
}

/// A link in words and numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Its number.
    pub id: u64,
    /// What kind it is.
    pub class: LinkClass,
    /// "+" or "-" along a cabled axis, "up" or "down" on a switch axis, "" otherwise.
    pub direction: &'static str,
    /// Where it starts.
    pub from: End,
    /// Where it ends.
    pub to: End,
    /// Bytes/s; less where it is degraded.
    pub bandwidth: f64,
    /// Seconds.
    pub latency: f64,
    /// Carries nothing.
    pub dead: bool,
}

impl LinkClass {
    /// The name that users see: "x", "z port", "nic egress", "fabric tier 1 up", "wan".
    pub fn name(&self, machine: &Machine) -> String {
        let axis = |index: &usize| &machine.domain().axes()[*index].name;
        match self {
            Self::Cable(index) => axis(index).clone(),
            Self::Port(index) => format!("{} port", axis(index)),
            Self::SwitchTier(index, tier) => format!("{} tier {}", axis(index), tier + 1),
            Self::NicEgress => "nic egress".to_owned(),
            Self::NicIngress => "nic ingress".to_owned(),
            Self::FabricUp(tier) => format!("fabric tier {} up", tier + 1),
            Self::FabricDown(tier) => format!("fabric tier {} down", tier + 1),
            Self::Wan => "wan".to_owned(),
        }
    }
}

impl Machine {
    /// What link `id` is.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn link(&self, id: u64) -> Result<Link> {
        let whole = self.described(id)?;
        Ok(Link {
            bandwidth: whole.bandwidth * self.faults().factor(id),
            dead: self.is_dead_link(id),
            ..whole
        })
    }

    fn described(&self, id: u64) -> Result<Link> {
        let blocks = self.blocks();
        if id >= blocks.end {
            return Err(Error::OutOfRange {
                argument: "link".to_owned(),
                value: i128::from(id),
                low: 0,
                high: i128::from(blocks.end) - 1,
            });
        }
        if id < blocks.nic {
            let links = self.domain.links();
            return Ok(self.describe_local((id / links) as u32, id % links));
        }
        if id < blocks.fabric[0] {
            return Ok(self.describe_nic(id - blocks.nic));
        }
        if id < blocks.wan {
            let site = blocks
                .fabric
                .iter()
                .rposition(|&first| first <= id)
                .expect("the first block starts at or below");
            // Sites without tiers share a start with the next; the last of them owns the link.
            return Ok(self.describe_bundle(site, id - blocks.fabric[site]));
        }
        let wan = self
            .wan
            .as_ref()
            .expect("ids of WAN links exist with a WAN only");
        let (bandwidth, latency, from, to) = wan.link(self.sites.len(), id - blocks.wan);
        let end = |site: Option<usize>| {
            let core = |site: usize| format!("{} core", self.sites[site].name);
            End::Switch(site.map_or_else(|| "wan hub".to_owned(), core))
        };
        Ok(Link {
            id,
            class: LinkClass::Wan,
            direction: "",
            from: end(from),
            to: end(to),
            bandwidth,
            latency,
            dead: false,
        })
    }

    fn describe_nic(&self, index: u64) -> Link {
        let nic = self
            .nic
            .as_ref()
            .expect("ids of NIC links exist with NICs only");
        let nics = u64::from(self.num_nics());
        let ingress = index >= nics;
        let first = (index % nics) as u32 * nic.chips;
        let (domain, _) = self.split(first);
        let site = self.site_of(domain);
        let chip = match nic.chips {
            1 => End::Chip(first),
            chips => End::Switch(format!("chips {first} to {}", first + chips - 1)),
        };
        let fabric = self.group_above(site, 0, domain - self.first_domain(site));
        let (class, from, to) = if ingress {
            (LinkClass::NicIngress, fabric, chip)
        } else {
            (LinkClass::NicEgress, chip, fabric)
        };
        Link {
            id: self.blocks().nic + index,
            class,
            direction: "",
            from,
            to,
            bandwidth: nic.bandwidth,
            latency: nic.latency,
            dead: false,
        }
    }

    /// The group of tier `tier` (counted from 0) above a domain of a site, or the core that joins all.
    fn group_above(&self, site: usize, tier: usize, domain: u32) -> End {
        let site = &self.sites[site];
        End::Switch(match site.tiers.get(tier) {
            Some(definition) => {
                format!(
                    "{} tier {} group {}",
                    site.name,
                    tier + 1,
                    domain / definition.group
                )
            }
            None => format!("{} core", site.name),
        })
    }

    fn describe_bundle(&self, site: usize, mut index: u64) -> Link {
        let id = self.blocks().fabric[site] + index;
        let site_def = &self.sites[site];
        let mut tier = 0;
        while index >= tier_links(&site_def.tiers[tier..=tier], site_def.domains) {
            index -= tier_links(&site_def.tiers[tier..=tier], site_def.domains);
            tier += 1;
        }
        let (group, down) = ((index / 2) as u32, index % 2 == 1);
        let leaf = group * site_def.tiers[tier].group;
        let (lower, upper) = (
            self.group_above(site, tier, leaf),
            self.group_above(site, tier + 1, leaf),
        );
        let (class, direction, from, to) = if down {
            (LinkClass::FabricDown(tier), "", upper, lower)
        } else {
            (LinkClass::FabricUp(tier), "", lower, upper)
        };
        Link {
            id,
            class,
            direction,
            from,
            to,
            bandwidth: bundle_bandwidth(
                &site_def.tiers[tier],
                site_def.domains,
                group,
                self.domain_nic_bandwidth(),
            ),
            latency: site_def.tiers[tier].latency,
            dead: false,
        }
    }

    pub(super) fn describe_local(&self, domain: u32, local: u64) -> Link {
        let plans = self.domain.plans();
        let index = plans
            .iter()
            .rposition(|plan| plan.first_link <= local && plan.links > 0)
            .expect("local links lie in an axis");
        let (axis, plan) = (&self.domain.axes()[index], &plans[index]);
        let chip = |local: u32| End::Chip(domain * self.domain.chips() + local);
        let at = local - plan.first_link;
        let (class, direction, from, to) = match &axis.kind {
            AxisKind::Ring | AxisKind::Line => {
                let half = plan.links / 2;
                let (backward, at) = (at >= half, at % half);
                let (inner, row) = (
                    (at % u64::from(plan.stride)) as u32,
                    (at / u64::from(plan.stride)) as u32,
                );
                let (outer, cable) = (row / axis.cables(), row % axis.cables());
                let base = outer * plan.stride * axis.size + inner;
                let low = chip(base + cable * plan.stride);
                let high = chip(base + (cable + 1) % axis.size * plan.stride);
                if backward {
                    (LinkClass::Cable(index), "-", high, low)
                } else {
                    (LinkClass::Cable(index), "+", low, high)
                }
            }
            AxisKind::FullMesh => {
                let per_line = u64::from(axis.size) * u64::from(axis.size - 1);
                let (line, pair) = ((at / per_line) as u32, (at % per_line) as u32);
                let (from, slot) = (pair / (axis.size - 1), pair % (axis.size - 1));
                let to = if slot >= from { slot + 1 } else { slot };
                let base = line / plan.stride * plan.stride * axis.size + line % plan.stride;
                (
                    LinkClass::Cable(index),
                    "",
                    chip(base + from * plan.stride),
                    chip(base + to * plan.stride),
                )
            }
            AxisKind::Switch { .. } => return self.describe_switch(domain, index, at),
        };
        Link {
            id: self.domain_link(domain, local),
            class,
            direction,
            from,
            to,
            bandwidth: axis.bandwidth,
            latency: axis.latency,
            dead: false,
        }
    }

    fn describe_switch(&self, domain: u32, index: usize, at: u64) -> Link {
        let axis = &self.domain.axes()[index];
        let AxisKind::Switch { tiers, .. } = &axis.kind else {
            unreachable!("called for switch axes only")
        };
        let id = self.domain_link(domain, self.domain.plans()[index].first_link + at);
        let chips = u64::from(self.domain.chips());
        if at < 2 * chips {
            let (down, local) = (at >= chips, (at % chips) as u32);
            let (instance, leaf, _) = self.domain.switch_leaf(index, local);
            let chip = End::Chip(domain * self.domain.chips() + local);
            let switch = switch_above(axis, tiers, instance, 0, leaf);
            let (direction, from, to) = if down {
                ("down", switch, chip)
            } else {
                ("up", chip, switch)
            };
            return Link {
                id,
                class: LinkClass::Port(index),
                direction,
                from,
                to,
                bandwidth: axis.bandwidth,
                latency: axis.latency,
                dead: false,
            };
        }
        let (_, _, leaves) = self.domain.switch_leaf(index, 0);
        let per_instance = tier_links(tiers, leaves);
        let (instance, mut rest) = (
            (at - 2 * chips) / per_instance,
            (at - 2 * chips) % per_instance,
        );
        let mut tier = 0;
        while rest >= tier_links(&tiers[tier..=tier], leaves) {
            rest -= tier_links(&tiers[tier..=tier], leaves);
            tier += 1;
        }
        let (group, down) = ((rest / 2) as u32, rest % 2 == 1);
        let leaf = group * tiers[tier].group;
        let above = |tier| switch_above(axis, tiers, instance as u32, tier, leaf);
        let (lower, upper) = (above(tier), above(tier + 1));
        let (direction, from, to) = if down {
            ("down", upper, lower)
        } else {
            ("up", lower, upper)
        };
        Link {
            id,
            class: LinkClass::SwitchTier(index, tier),
            direction,
            from,
            to,
            bandwidth: bundle_bandwidth(&tiers[tier], leaves, group, axis.bandwidth),
            latency: tiers[tier].latency,
            dead: false,
        }
    }
}

/// The group of tier `tier` (counted from 0) above a leaf of a switch axis, or the switch itself.
fn switch_above(axis: &Axis, tiers: &[Tier], instance: u32, tier: usize, leaf: u32) -> End {
    let switch = format!("{} switch {instance}", axis.name);
    End::Switch(match tiers.get(tier) {
        Some(definition) => format!(
            "{switch} tier {} group {}",
            tier + 1,
            leaf / definition.group
        ),
        None => switch,
    })
}
