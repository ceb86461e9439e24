//! From words to link numbers: the links of a chip, by the class and direction that [`Machine::link`] gives back.

use super::{AxisKind, Machine, WanShape};
use crate::error::{Error, Result};

/// Which of the links at a chip.
#[derive(Debug, Clone, Copy, Default)]
pub struct LinkName<'a> {
    /// An axis, "nic", "fabric tier 1", ... or "wan".
    pub class: &'a str,
    /// One direction; `None` for both.
    pub direction: Option<&'a str>,
    /// The far end where several are possible: a coordinate on a full mesh, a site over a WAN.
    pub to: Option<u32>,
}

impl Machine {
    /// The numbers of the links that `name` names, seen from a chip.
    ///
    /// "+" and "-" are the links that leave the chip along a ring or line; without a direction it is the cable above
    /// the chip, both ways. Ports, NICs and bundles of fabric tiers have two directions each.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a chip, [`Error::Unknown`] for a class or direction, [`Error::Invalid`] where the
    /// cable or the far end does not exist.
    pub fn links_named(&self, chip: u32, name: &LinkName<'_>) -> Result<Vec<u64>> {
        self.check_chip("chip", i128::from(chip))?;
        let axes = self.domain.axes();
        if let Some(index) = axes.iter().position(|axis| axis.name == name.class) {
            let (domain, local) = self.split(chip);
            let links = self.axis_links(index, local, name)?;
            return Ok(links
                .into_iter()
                .map(|link| self.domain_link(domain, link))
                .collect());
        }
        let (domain, _) = self.split(chip);
        let site = self.site_of(domain);
        if self.nic.is_some() {
            if name.class == "nic" {
                far_end(name, "a NIC has one far end", false)?;
                let both = [self.nic_link(false, chip), self.nic_link(true, chip)];
                return picked(name, ["egress", "ingress"], both);
            }
            for (tier, definition) in self.sites[site].tiers.iter().enumerate() {
                if name.class == format!("fabric tier {}", tier + 1) {
                    far_end(name, "a bundle has one far end", false)?;
                    let group = (domain - self.first_domain(site)) / definition.group;
                    let both = [false, true].map(|down| self.fabric_link(site, tier, group, down));
                    return picked(name, ["up", "down"], both);
                }
            }
        }
        if self.wan.is_some() && name.class == "wan" {
            return self.wan_links(site, name);
        }
        Err(Error::Unknown {
            argument: "axis".to_owned(),
            value: name.class.to_owned(),
            known: self.classes(site).join(", "),
        })
    }

    fn classes(&self, site: usize) -> Vec<String> {
        let axes = self.domain.axes().iter().map(|axis| axis.name.clone());
        let mut known: Vec<String> = axes.collect();
        if self.nic.is_some() {
            known.push("nic".to_owned());
            let tiers = 1..=self.sites[site].tiers.len();
            known.extend(tiers.map(|tier| format!("fabric tier {tier}")));
        }
        if self.wan.is_some() {
            known.push("wan".to_owned());
        }
        known
    }

    fn axis_links(&self, index: usize, chip: u32, name: &LinkName<'_>) -> Result<Vec<u64>> {
        let axis = &self.domain.axes()[index];
        let at = self.domain.coordinate(chip, index);
        match axis.kind {
            AxisKind::Ring | AxisKind::Line => {
                far_end(name, "a cable has one far end", false)?;
                let above = (at < axis.cables()).then_some(at);
                let below = match (at, &axis.kind) {
                    (0, AxisKind::Ring) => axis.cables().checked_sub(1),
                    _ => at.checked_sub(1),
                };
                let cable = |which: Option<u32>, side: &str| {
                    which.ok_or_else(|| {
                        let reason =
                            format!("axis {} has no cable {side} this coordinate", axis.name);
                        Error::invalid(axis.name.clone(), at, reason)
                    })
                };
                let link = |backward, cable| self.domain.cable_link(index, backward, chip, cable);
                Ok(match name.direction {
                    Some("+") => vec![link(false, cable(above, "above")?)],
                    Some("-") => vec![link(true, cable(below, "below")?)],
                    None => {
                        let cable = cable(above, "above")?;
                        vec![link(false, cable), link(true, cable)]
                    }
                    Some(other) => return Err(unknown_direction(other, ["+", "-"])),
                })
            }
            AxisKind::FullMesh => {
                let to = far_end(name, "say which coordinate the cable goes to", true)?;
                if to == at || to >= axis.size {
                    let allowed = format!("must be 0 to {}, and not {at} itself", axis.size - 1);
                    return Err(Error::invalid("to", to, allowed));
                }
                let both = [(at, to), (to, at)]
                    .map(|(from, to)| self.domain.mesh_link(index, chip, from, to));
                picked(name, ["out", "in"], both)
            }
            AxisKind::Switch { .. } => {
                far_end(name, "a port has one far end", false)?;
                let both = [false, true].map(|down| self.domain.port_link(index, down, chip));
                picked(name, ["up", "down"], both)
            }
        }
    }

    fn wan_links(&self, site: usize, name: &LinkName<'_>) -> Result<Vec<u64>> {
        let (wan, sites) = (
            self.wan.as_ref().expect("asked with a WAN"),
            self.sites.len(),
        );
        let first = self.blocks().wan;
        match wan.shape {
            WanShape::Hub => {
                far_end(name, "a site has one link to the hub", false)?;
                let both = [0, 1].map(|down| first + 2 * site as u64 + down);
                picked(name, ["up", "down"], both)
            }
            WanShape::Mesh => {
                let to = far_end(name, "say which site the link goes to", true)? as usize;
                if to == site || to >= sites {
                    let allowed = format!("must be 0 to {}, and not {site} itself", sites - 1);
                    return Err(Error::invalid("to", to, allowed));
                }
                let both = [(site, to), (to, site)]
                    .map(|(from, to)| first + wan.path(sites, from, to).0[0]);
                picked(name, ["out", "in"], both)
            }
        }
    }
}

fn picked(name: &LinkName<'_>, words: [&str; 2], links: [u64; 2]) -> Result<Vec<u64>> {
    match name.direction {
        None => Ok(links.to_vec()),
        Some(word) if word == words[0] => Ok(vec![links[0]]),
        Some(word) if word == words[1] => Ok(vec![links[1]]),
        Some(other) => Err(unknown_direction(other, words)),
    }
}

fn unknown_direction(value: &str, words: [&str; 2]) -> Error {
    Error::Unknown {
        argument: "direction".to_owned(),
        value: value.to_owned(),
        known: format!("{:?}, {:?}, or None for both", words[0], words[1]),
    }
}

/// The far end, where one must be named; an error where it must not, or is missing.
fn far_end(name: &LinkName<'_>, why: &str, needed: bool) -> Result<u32> {
    match (name.to, needed) {
        (Some(to), true) => Ok(to),
        (None, false) => Ok(0),
        (Some(to), false) => Err(Error::invalid("to", to, format!("{why}: leave it out"))),
        (None, true) => Err(Error::invalid("to", "None", why)),
    }
}
