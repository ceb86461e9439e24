//! UltraServers that run as smaller units: what is broken, in the numbers of the units.
//!
//! A Trn2 UltraServer runs as four instances, as two pairs or as single ones; with a bad Z link the driver falls back
//! to pairs (aws-neuron-driver, neuron_pelect.c). A unit is a run of planes of the last axis; which planes go together
//! each UltraServer chooses for itself, so that dead cables lie between units where that is possible.

use super::damage::within;
use super::{AxisKind, Faults, Machine};
use crate::error::{Error, Result};

impl Machine {
    /// What is broken here as `mode` has it: the same machine with each domain cut into units along its last axis, a
    /// line of fewer planes (or none, for units of one plane). Also by how many planes the numbering of each damaged
    /// domain is turned: plane p of it is plane (p - turn) mod planes, counted over its units.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for machines that are not such a pair; those of [`Machine::with_faults`] for numbers.
    pub fn faults_in(&self, mode: &Self) -> Result<(Faults, Vec<(u32, u32)>)> {
        let cut = Cut::new(self, mode)?;
        let mut out = Faults {
            sites: self.faults().sites.clone(),
            ..Faults::default()
        };
        let mut turns = Vec::new();
        for domain in self.damaged_domains() {
            let turn = cut.best_turn(domain);
            if turn > 0 {
                turns.push((domain, turn));
            }
        }
        let turn_of = |domain: u32| {
            let found = turns.binary_search_by_key(&domain, |entry| entry.0);
            found.map_or(0, |at| turns[at].1)
        };
        let chip = |chip: u32| cut.chip(chip, turn_of(self.split(chip).0));
        out.chips = self.faults().chips.iter().copied().map(chip).collect();
        out.nics = self.faults().nics.iter().copied().map(chip).collect();
        for &domain in &self.faults().domains {
            out.domains
                .extend((0..cut.units).map(|unit| domain * cut.units + unit));
        }
        let links = &self.faults().links;
        out.links = links
            .iter()
            .filter_map(|&link| cut.link(link, &turn_of))
            .collect();
        let slower = self.faults().degraded.iter();
        out.degraded = slower
            .filter_map(|&(link, factor)| Some((cut.link(link, &turn_of)?, factor)))
            .collect();
        Ok((out.checked(mode)?, turns))
    }
}

/// Two machines, of which one is the other cut into units.
struct Cut<'a> {
    whole: &'a Machine,
    mode: &'a Machine,
    /// Number of the last axis of a whole domain, its planes, chips of a plane.
    last: usize,
    planes: u32,
    plane: u32,
    /// Units of a domain, planes of a unit.
    units: u32,
    size: u32,
}

impl<'a> Cut<'a> {
    fn new(whole: &'a Machine, mode: &'a Machine) -> Result<Self> {
        let (from, to) = (whole.domain(), mode.domain());
        let last = from.axes().len() - 1;
        let planes = from.axes()[last].size;
        let plane = from.chips() / planes;
        let size = to.chips() / plane;
        let fits = last > 0
            && from.axes()[last].is_cabled()
            && to.chips() % plane == 0
            && size > 0
            && planes % size == 0
            && to.axes()[..last] == from.axes()[..last]
            && match to.axes().get(last) {
                Some(axis) => axis.size == size && axis.kind == AxisKind::Line,
                None => size == 1,
            }
            && mode.num_chips() == whole.num_chips()
            && mode.nic() == whole.nic();
        if !fits {
            return Err(Error::unsupported(
                "faults of UltraServers as those of machines that are not their units",
                "cut the last axis, a ring or line, into equal runs of planes",
            ));
        }
        Ok(Self {
            whole,
            mode,
            last,
            planes,
            plane,
            units: planes / size,
            size,
        })
    }

    /// The least turn that leaves fewest dead or slower cables of the last axis inside units.
    fn best_turn(&self, domain: u32) -> u32 {
        // A dead chip's own links are no reason: it is dead in every unit.
        let faults = self.whole.faults();
        let links = self.whole.domain().links();
        let first = u64::from(domain) * links;
        let dead = within(&faults.links, first, first + links, |&link| link);
        let slow = within(&faults.degraded, first, first + links, |entry| entry.0);
        let worn: Vec<u64> = (dead.iter().copied())
            .chain(slow.iter().map(|entry| entry.0))
            .map(|link| link - first)
            .collect();
        let ring = self.whole.domain().axes()[self.last].kind == AxisKind::Ring;
        let turns = if ring { self.size } else { 1 };
        let inside = |turn: &u32| {
            let cables = worn.iter().filter_map(|&link| self.cable(link));
            cables
                .filter(|&cable| self.within(cable, *turn).is_some())
                .count()
        };
        (0..turns)
            .min_by_key(|turn| (inside(turn), *turn))
            .unwrap_or(0)
    }

    /// The cable of the last axis that a local link is: cable c joins planes c and c + 1.
    fn cable(&self, link: u64) -> Option<u32> {
        let plan = &self.whole.domain().plans()[self.last];
        let at = link.checked_sub(plan.first_link)?;
        Some((at % (plan.links / 2) / u64::from(self.plane)) as u32)
    }

    /// Unit and place in it of a cable; `None` for one between units.
    fn within(&self, cable: u32, turn: u32) -> Option<(u32, u32)> {
        let cable = (cable + self.planes - turn) % self.planes;
        let (unit, place) = (cable / self.size, cable % self.size);
        (place + 1 < self.size).then_some((unit, place))
    }

    fn chip(&self, chip: u32, turn: u32) -> u32 {
        let (domain, local) = self.whole.split(chip);
        let at = (local / self.plane + self.planes - turn) % self.planes;
        (domain * self.planes + at) * self.plane + local % self.plane
    }

    fn link(&self, link: u64, turn_of: &impl Fn(u32) -> u32) -> Option<u64> {
        let (whole, mode) = (self.whole.blocks(), self.mode.blocks());
        if link >= whole.fabric[0] {
            return Some(mode.fabric[0] + link - whole.fabric[0]);
        }
        if link >= whole.nic {
            let chips = u64::from(self.whole.num_chips());
            let (ingress, chip) = ((link - whole.nic) / chips, (link - whole.nic) % chips);
            let turn = turn_of(self.whole.split(chip as u32).0);
            let chip = self.chip(chip as u32, turn);
            return Some(self.mode.nic_link(ingress == 1, chip));
        }
        let links = self.whole.domain().links();
        let (domain, local) = ((link / links) as u32, link % links);
        let turn = turn_of(domain);
        let Some(cable) = self.cable(local) else {
            return Some(self.in_plane(domain, local, turn));
        };
        let (unit, place) = self.within(cable, turn)?;
        let plan = &self.whole.domain().plans()[self.last];
        let at = local - plan.first_link;
        let backward = at >= plan.links / 2;
        let inner = (at % u64::from(self.plane)) as u32;
        let local = self
            .mode
            .domain()
            .cable_link(self.last, backward, inner, place);
        Some(self.mode.domain_link(domain * self.units + unit, local))
    }

    /// A link of another axis: its plane moves, its place in the plane stays.
    fn in_plane(&self, domain: u32, local: u64, turn: u32) -> u64 {
        let (from, to) = (self.whole.domain(), self.mode.domain());
        let axis = (from.plans().iter())
            .rposition(|plan| plan.first_link <= local && plan.links > 0)
            .expect("local links lie in an axis");
        let (plan, other) = (&from.plans()[axis], &to.plans()[axis]);
        let at = local - plan.first_link;
        // Links of a cabled axis lie by direction, ports of a switch too and then its bundles; in each part plane by
        // plane.
        let ports = match from.axes()[axis].kind {
            AxisKind::Switch { .. } => 2 * u64::from(from.chips()),
            _ => 0,
        };
        let bundle = ports > 0 && at >= ports;
        let (first, links, parts) = match (bundle, ports) {
            (true, _) => (ports, plan.links - ports, 1),
            (false, 0) if !from.axes()[axis].is_cabled() => (0, plan.links, 1),
            (false, 0) => (0, plan.links, 2),
            (false, _) => (0, ports, 2),
        };
        let units = u64::from(self.units);
        let at = at - first;
        let per_part = links / parts;
        let per_plane = per_part / u64::from(self.planes);
        let (part, inside) = (at / per_part, at % per_part);
        let (old_plane, place) = ((inside / per_plane) as u32, inside % per_plane);
        let new_plane = (old_plane + self.planes - turn) % self.planes;
        let (unit, new_plane) = (new_plane / self.size, new_plane % self.size);
        let local = other.first_link
            + first / units
            + part * (per_part / units)
            + u64::from(new_plane) * per_plane
            + place;
        self.mode.domain_link(domain * self.units + unit, local)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Axis, Domain, LinkClass, Nic, Site, Tier};
    use super::*;

    fn machine(planes: u32, ring: bool, domains: u32) -> Machine {
        let axis = |name: &str, size: u32, kind: AxisKind| Axis {
            name: name.to_owned(),
            size,
            kind,
            bandwidth: 1e9,
            latency: 0.0,
        };
        let last = if ring { AxisKind::Ring } else { AxisKind::Line };
        let mut axes = vec![axis("x", 4, AxisKind::Ring), axis("y", 3, AxisKind::Line)];
        if planes > 1 {
            axes.push(axis("z", planes, last));
        }
        let nic = Nic {
            chips: 1,
            bandwidth: 1e8,
            latency: 0.0,
            overhead: 0.0,
        };
        let site = Site {
            name: "s".to_owned(),
            domains,
            tiers: Vec::new(),
        };
        Machine::new(Domain::new(axes).unwrap(), 0.0, Some(nic), vec![site], None).unwrap()
    }

    #[test]
    fn links_keep_their_words_and_dead_cables_lie_between_pairs() {
        let whole = machine(4, true, 2);
        for (planes, units) in [(2, 2), (1, 4)] {
            let mode = machine(planes, false, 2 * units);
            for id in 0..whole.num_links() {
                let faults = Faults {
                    links: vec![id],
                    ..Faults::default()
                };
                let damaged = whole.clone().with_faults(faults).unwrap();
                let (found, turns) = damaged.faults_in(&mode).unwrap();
                let link = whole.link(id).unwrap();
                if link.class == LinkClass::Cable(2) {
                    assert!(found.is_empty(), "{planes} {link:?} {found:?}");
                    continue;
                }
                assert!(turns.is_empty());
                let there = mode.link(found.links[0]).unwrap();
                assert_eq!(
                    (there.class, there.direction, there.from, there.to),
                    (link.class, link.direction, link.from, link.to)
                );
            }
        }
    }

    #[test]
    fn ports_and_bundles_of_switches_keep_their_words() {
        let axis = |name: &str, size: u32, kind: AxisKind| Axis {
            name: name.to_owned(),
            size,
            kind,
            bandwidth: 1e9,
            latency: 0.0,
        };
        let tier = Tier {
            group: 2,
            oversubscription: 1.0,
            latency: 0.0,
        };
        let switch = AxisKind::Switch {
            tiers: vec![tier],
            spans_below: false,
        };
        let made = |planes: u32, domains: u32| {
            let mut axes = vec![
                axis("x", 4, switch.clone()),
                axis("y", 3, AxisKind::FullMesh),
                axis("z", planes, AxisKind::Line),
            ];
            axes.truncate(if planes > 1 { 3 } else { 2 });
            let nic = Nic {
                chips: 1,
                bandwidth: 1e8,
                latency: 0.0,
                overhead: 0.0,
            };
            let site = Site {
                name: "s".to_owned(),
                domains,
                tiers: Vec::new(),
            };
            Machine::new(Domain::new(axes).unwrap(), 0.0, Some(nic), vec![site], None).unwrap()
        };
        let whole = made(4, 2);
        for (planes, units) in [(2, 2), (1, 4)] {
            let mode = made(planes, 2 * units);
            for id in 0..whole.num_links() {
                let faults = Faults {
                    links: vec![id],
                    ..Faults::default()
                };
                let damaged = whole.clone().with_faults(faults).unwrap();
                let (found, _) = damaged.faults_in(&mode).unwrap();
                let link = whole.link(id).unwrap();
                let Some(&there) = found.links.first() else {
                    assert_eq!(link.class, LinkClass::Cable(2));
                    continue;
                };
                let there = mode.link(there).unwrap();
                assert_eq!(
                    (&there.class, there.direction),
                    (&link.class, link.direction)
                );
                // Switches are numbered inside an UltraServer; chips over the machine.
                for (end, other) in [(&link.from, &there.from), (&link.to, &there.to)] {
                    if let super::super::End::Chip(_) = end {
                        assert_eq!(end, other, "{planes} {link:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_turned_ultraserver_keeps_what_is_next_to_what() {
        let whole = machine(4, true, 1);
        let mode = machine(2, false, 2);
        // Cables from plane 0 to 1 at every place but one: pairs are (1, 2) and (3, 0), and chip 5 moves along.
        let cables = (0..whole.num_links()).filter(|&id| {
            let link = whole.link(id).unwrap();
            link.class == LinkClass::Cable(2)
                && link.from == super::super::End::Chip(0)
                && link.direction == "+"
        });
        let faults = Faults {
            links: cables.collect(),
            chips: vec![5, 12],
            ..Faults::default()
        };
        let damaged = whole.with_faults(faults).unwrap();
        let (found, turns) = damaged.faults_in(&mode).unwrap();
        assert_eq!(turns, [(0, 1)]);
        assert!(found.links.is_empty());
        assert_eq!(found.chips, [0, 41]);
    }
}
