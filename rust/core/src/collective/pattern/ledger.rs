//! Bytes on links, kept as compactly as the pattern that caused them: the same loads in every domain are
//! stored once, NIC loads by domain, fabric and WAN links by number, all of them by stretches that are alike.

use super::changes::{Classes, merged};
use super::fabric_loads::FabricLoads;
use super::loads::Loads;
use super::scene::Scene;
use crate::Result;
use crate::machine::LinkClass;
use crate::memory::bytes_of;
use std::collections::BTreeMap;

/// Loads of one pattern, phase or schedule. What is empty has nothing there.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ledger {
    /// Bytes per local link, the same in every whole domain that takes part.
    pub(crate) local: Loads,
    /// What the damaged domains of each class have beside that.
    pub(crate) classes: Classes,
    /// Bytes per NIC of every member, by domain: egress, ingress.
    pub(crate) nic: [Loads; 2],
    /// The same for single local chips.
    pub(crate) single_nics: [BTreeMap<u32, Loads>; 2],
    /// Bytes per fabric and WAN link.
    pub(crate) fabric: FabricLoads,
    /// Bytes on single links, ascending by link.
    pub(crate) single: Vec<(u64, f64)>,
}

/// The busiest link: seconds that it is busy, its bytes and one example of its number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Busiest {
    /// Bytes over bandwidth.
    pub(crate) seconds: f64,
    /// Its bytes.
    pub(crate) bytes: f64,
    /// The number of one link that has this load.
    pub(crate) link: u64,
    /// What kind of link it is.
    pub(crate) class: LinkClass,
}

impl Busiest {
    /// With `size` times the bytes.
    pub(crate) fn scaled(&self, size: f64) -> Self {
        Self {
            seconds: self.seconds * size,
            bytes: self.bytes * size,
            ..self.clone()
        }
    }
}

impl Ledger {
    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let single_nics = self.single_nics.iter().flat_map(BTreeMap::values);
        let loads = [&self.local, &self.nic[0], &self.nic[1]];
        let loads = loads.into_iter().chain(single_nics).map(Loads::bytes);
        loads.sum::<u64>()
            + self.fabric.bytes()
            + bytes_of::<(u64, f64)>(self.single.len() as u64)
            + self.classes.bytes()
    }

    /// Adds `scale` times the loads of another ledger.
    pub(crate) fn add(&mut self, other: &Self, scale: f64) {
        self.add_inside(other, scale);
        self.fabric.add(&other.fabric, scale);
        for direction in 0..2 {
            self.nic[direction].add(&other.nic[direction], scale);
            for (nic, loads) in &other.single_nics[direction] {
                let nic = self.single_nics[direction].entry(*nic).or_default();
                nic.add(loads, scale);
            }
        }
        if !other.single.is_empty() {
            self.single = merged(&self.single, &other.single, scale);
        }
    }

    fn add_inside(&mut self, other: &Self, scale: f64) {
        if other.local.is_empty() && other.classes.is_none() {
            return;
        }
        // What is the same as before has the same peaks.
        let same = self.local.is_empty() && self.classes.is_none() && scale == 1.0;
        self.local.add(&other.local, scale);
        if same {
            self.classes = other.classes.clone();
        } else if !self.classes.is_none() || !other.classes.is_none() {
            self.classes.add(&other.classes, scale);
        }
    }

    /// The busiest link, `None` when there are no bytes.
    ///
    /// # Errors
    /// [`Error::Cancelled`](crate::Error::Cancelled).
    pub(crate) fn busiest(&self, scene: &Scene) -> Result<Option<Busiest>> {
        scene.control.check()?;
        let mut best: Option<Busiest> = None;
        let mut offer = |bytes: f64, bandwidth: f64, link: u64| {
            let seconds = bytes / bandwidth;
            if bytes > 0.0 && best.as_ref().is_none_or(|best| seconds > best.seconds) {
                best = Some(Busiest {
                    seconds,
                    bytes,
                    link,
                    class: LinkClass::Wan,
                });
            }
        };
        let machine = scene.machine;
        let seconds = |bytes: f64, bandwidth: f64| bytes / bandwidth;
        if let Some(domain) = scene.whole_domain().filter(|_| !self.local.is_empty()) {
            let (local, _) = self.local.peak(&scene.local_bandwidth, seconds);
            let link = machine.domain_link(domain, local as u64);
            offer(
                self.local.get(local),
                scene.local_bandwidth.get(local),
                link,
            );
        }
        if let Some(damaged) = &scene.damaged {
            self.offer_damaged(scene, damaged, &mut offer)?;
        }
        if let Some(nic) = machine.nic() {
            for direction in 0..2 {
                for (domain, bytes, local) in self.nic_peaks(scene, direction) {
                    let chip = domain * machine.domain().chips() + local;
                    offer(bytes, nic.bandwidth, machine.nic_link(direction == 1, chip));
                }
            }
        }
        let (at, _) = self.fabric.peak(&scene.fabric_bandwidth, seconds);
        let link = machine.blocks().fabric[0] + at as u64;
        offer(self.fabric.get(at), scene.fabric_bandwidth.get(at), link);
        for (at, &(link, bytes)) in self.single.iter().enumerate() {
            scene.control.check_at(at)?;
            offer(
                bytes + self.beside(scene, link),
                machine.link_numbers(link).0,
                link,
            );
        }
        Ok(best.map(|best| Busiest {
            class: machine
                .link(best.link)
                .expect("links of a ledger exist")
                .class,
            ..best
        }))
    }

    /// Bytes that the rank of a local chip sends (0) or receives (1) over its NIC, wherever that is.
    pub(crate) fn nic_bytes(&self, scene: &Scene, direction: usize, domain: u32, chip: u32) -> f64 {
        let at = domain as usize;
        let shared = match scene.is_member(chip) {
            true => self.nic[direction].get(at),
            false => 0.0,
        };
        let nic = self.single_nics[direction].get(&chip);
        shared + nic.map_or(0.0, |loads| loads.get(at))
    }

    /// The busiest domain of the members' NICs, and of each single chip whose NIC has loads of its own.
    fn nic_peaks(&self, scene: &Scene, direction: usize) -> Vec<(u32, f64, u32)> {
        if scene.machine.chips_of_nic() > 1 {
            return self.shared_peaks(scene, direction);
        }
        let shared = &self.nic[direction];
        let mut out = Vec::new();
        // NICs that carry nothing any more, or more than their own, are offered with their domains.
        let own = |domain: usize, chip: u32| {
            let class = scene
                .damaged
                .as_ref()
                .and_then(|damaged| damaged.redirected(domain as u32));
            class.is_none_or(|class| class.uses_own_nic_alone(direction, chip))
        };
        if !shared.is_empty() {
            let (domain, bytes) = shared.peak(&Loads::default(), |bytes, _| bytes);
            let chip = scene.members().find(|&chip| own(domain, chip));
            out.extend(chip.map(|chip| (domain as u32, bytes, chip)));
        }
        for (&nic, loads) in &self.single_nics[direction] {
            let beside = !shared.is_empty() && scene.is_member(nic);
            let bytes = |own: f64, shared: f64| own + if beside { shared } else { 0.0 };
            let (domain, bytes) = loads.peak(shared, bytes);
            if own(domain, nic) {
                out.push((domain as u32, bytes, nic));
            }
        }
        out
    }

    /// The same where chips share NICs, on which there is no damage: of each NIC the busiest domain.
    fn shared_peaks(&self, scene: &Scene, direction: usize) -> Vec<(u32, f64, u32)> {
        let sharing = scene.machine.chips_of_nic();
        let mut members: BTreeMap<u32, u32> = BTreeMap::new();
        if !self.nic[direction].is_empty() {
            for chip in scene.members() {
                *members.entry(chip / sharing).or_default() += 1;
            }
        }
        let singles = &self.single_nics[direction];
        let own = |nic: u32| singles.range(nic * sharing..(nic + 1) * sharing);
        // Of NICs that have members alone, the one with most.
        let plain = members
            .iter()
            .filter(|entry| own(*entry.0).next().is_none());
        let plain = plain.max_by_key(|entry| *entry.1);
        let mut nics: Vec<u32> = singles.keys().map(|chip| chip / sharing).collect();
        nics.dedup();
        nics.extend(plain.map(|entry| *entry.0));
        let peak = |nic: u32| {
            let mut loads = Loads::default();
            if let Some(&count) = members.get(&nic) {
                loads.add(&self.nic[direction], f64::from(count));
            }
            own(nic).for_each(|entry| loads.add(entry.1, 1.0));
            let (domain, bytes) = loads.peak(&Loads::default(), |bytes, _| bytes);
            (domain as u32, bytes, nic * sharing)
        };
        nics.into_iter().map(peak).collect()
    }

    /// Bytes of the busiest NIC either way.
    pub(crate) fn most_over_a_nic(&self, scene: &Scene) -> f64 {
        let peaks = (0..2).flat_map(|direction| self.nic_peaks(scene, direction));
        peaks.map(|peak| peak.1).fold(0.0, f64::max)
    }

    /// Bytes that the compact parts put on a link that also has bytes of its own in `single`. Algorithms mix
    /// single links only with loads inside domains.
    fn beside(&self, scene: &Scene, link: u64) -> f64 {
        let machine = scene.machine;
        if link >= machine.blocks().nic {
            return 0.0;
        }
        let links = machine.domain().links();
        let (domain, local) = ((link / links) as u32, link % links);
        match &scene.damaged {
            Some(damaged) => damaged.local_bytes(self, domain, local),
            None if scene.is_member_domain(domain) => self.local.get(local as usize),
            None => 0.0,
        }
    }

    /// Bytes on every link of the machine, by number; where there is damage, of a ledger that has been settled.
    pub(crate) fn expand(&self, scene: &Scene) -> Result<Vec<f64>> {
        let machine = scene.machine;
        let mut out = vec![0.0; machine.num_links() as usize];
        if !self.local.is_empty() {
            for &domain in scene.member_domains() {
                scene.control.check()?;
                let first = machine.domain_link(domain, 0) as usize;
                let links = out[first..].iter_mut().zip(self.local.values());
                links.for_each(|(link, bytes)| *link = bytes);
            }
        }
        let chips = machine.domain().chips();
        for direction in 0..2 {
            for (domain, bytes) in self.nic[direction].values().enumerate() {
                scene.control.check()?;
                for local in scene.members() {
                    out[machine.nic_link(direction == 1, domain as u32 * chips + local)
                        as usize] += bytes;
                }
            }
            for (&nic, loads) in &self.single_nics[direction] {
                scene.control.check()?;
                for (domain, bytes) in loads.values().enumerate() {
                    out[machine.nic_link(direction == 1, domain as u32 * chips + nic) as usize] +=
                        bytes;
                }
            }
        }
        let first = machine.blocks().fabric[0] as usize;
        for (index, bytes) in self.fabric.values() {
            out[first + index] += bytes;
        }
        for &(link, bytes) in &self.single {
            out[link as usize] += bytes;
        }
        Ok(out)
    }
}

impl Ledger {
    /// Notes what damaged domains have more or less than whole ones as bytes of single links, below zero where they
    /// have less: then a ledger says all without knowing of damage. To be done once, at the end.
    pub(crate) fn apply_damage(&mut self, scene: &Scene) {
        let Some(damaged) = &scene.damaged else {
            return;
        };
        let machine = scene.machine;
        let chips = machine.domain().chips();
        let mut changes = Vec::new();
        for (index, class) in damaged.classes.iter().enumerate() {
            let changed = self.classes.of(index);
            for &domain in &class.domains {
                let local = |link: u64| machine.domain_link(domain, link);
                let inside = changed.iter();
                changes.extend(inside.map(|&(link, bytes)| (local(u64::from(link)), bytes)));
                let bytes =
                    |direction: usize, chip: u32| self.nic_bytes(scene, direction, domain, chip);
                let detoured = class.detoured(bytes);
                let detours = detoured.local.iter();
                changes.extend(detours.map(|(&link, &bytes)| (local(link), bytes)));
                for direction in 0..2 {
                    let link = |chip: u32| machine.nic_link(direction == 1, domain * chips + chip);
                    let before = |chip: u32| self.nic_bytes(scene, direction, domain, chip);
                    let idle = detoured.idle[direction].iter();
                    changes.extend(idle.map(|&chip| (link(chip), -before(chip))));
                    let busy = detoured.nics[direction].iter();
                    changes.extend(busy.map(|(&chip, &bytes)| (link(chip), bytes - before(chip))));
                }
            }
        }
        changes.retain(|entry| entry.1 != 0.0);
        changes.sort_by_key(|entry| entry.0);
        changes.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        self.classes = Classes::None;
        self.single = merged(&self.single, &changes, 1.0);
    }
}
