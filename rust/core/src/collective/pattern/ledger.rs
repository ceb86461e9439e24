//! Bytes on links, kept as compactly as the pattern that caused them: the same loads in every domain are
//! stored once, NIC loads by domain, fabric and WAN links by number, all of them by stretches that are alike.

use super::damage::DomainDamage;
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
    /// What the damaged domains of each class have beside that: (local link, bytes more or less), ascending.
    pub(crate) classes: Vec<Vec<(u32, f64)>>,
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
        let classes: usize = self.classes.iter().map(Vec::len).sum();
        let single_nics = self.single_nics.iter().flat_map(BTreeMap::values);
        let loads = [&self.local, &self.nic[0], &self.nic[1]];
        let loads = loads.into_iter().chain(single_nics).map(Loads::bytes);
        loads.sum::<u64>()
            + self.fabric.bytes()
            + bytes_of::<(u64, f64)>((self.single.len() + classes) as u64)
    }

    /// Adds `scale` times the loads of another ledger.
    pub(crate) fn add(&mut self, other: &Self, scale: f64) {
        self.local.add(&other.local, scale);
        self.fabric.add(&other.fabric, scale);
        if !other.classes.is_empty() {
            self.classes.resize(other.classes.len(), Vec::new());
            for (changes, more) in self.classes.iter_mut().zip(&other.classes) {
                if !more.is_empty() {
                    *changes = merged(changes, more, scale);
                }
            }
        }
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

    /// Offers the links of damaged domains: inside, and the NICs that carry more than their own, or are slower.
    fn offer_damaged(
        &self,
        scene: &Scene,
        damaged: &DomainDamage,
        offer: &mut impl FnMut(f64, f64, u64),
    ) -> Result<()> {
        let machine = scene.machine;
        let chips = machine.domain().chips();
        for (index, class) in damaged.classes.iter().enumerate() {
            let first = class.domains[0];
            let mut offer_local = |link: u32, bytes: f64| {
                let bandwidth = class.bandwidth[link as usize];
                offer(
                    bytes,
                    bandwidth,
                    machine.domain_link(first, u64::from(link)),
                );
            };
            let changes = self.classes.get(index).map_or(&[][..], Vec::as_slice);
            let whole = |link: u32| self.local.get(link as usize);
            for &(link, change) in changes {
                offer_local(link, whole(link) + change);
            }
            // Links that carry what they carry in a whole domain count there, unless they are slower, or no domain is
            // whole.
            let changed = |link: u32| changes.binary_search_by_key(&link, |entry| entry.0).is_ok();
            for &(link, _) in &class.damage.degraded {
                if !changed(link as u32) {
                    offer_local(link as u32, whole(link as u32));
                }
            }
            if damaged.whole.is_none() {
                for link in (0..self.local.len() as u32).filter(|&link| !changed(link)) {
                    offer_local(link, whole(link));
                }
            }
            let Some(nic) = machine.nic().filter(|_| class.has_other_nics()) else {
                continue;
            };
            for &domain in &class.domains {
                scene.control.check()?;
                let detoured = class.detoured(scene, self, domain);
                for (&local, &bytes) in &detoured.local {
                    let link = machine.domain_link(domain, local);
                    let single = self.single.binary_search_by_key(&link, |entry| entry.0);
                    let single = single.map_or(0.0, |at| self.single[at].1);
                    let all = bytes + single + damaged.local_bytes(self, domain, local);
                    offer(all, class.bandwidth[local as usize], link);
                }
                for direction in 0..2 {
                    let slow = class.damage.slow_nics[direction].iter();
                    let own = slow
                        .map(|entry| entry.0)
                        .filter(|chip| !detoured.nics[direction].contains_key(chip))
                        .map(|chip| (chip, self.nic_bytes(scene, direction, domain, chip)));
                    let others = detoured.nics[direction].iter().map(|(&a, &b)| (a, b));
                    for (chip, bytes) in others.chain(own) {
                        if detoured.idle[direction].contains(&chip) {
                            continue;
                        }
                        let link = machine.nic_link(direction == 1, domain * chips + chip);
                        offer(bytes, nic.bandwidth * machine.faults().factor(link), link);
                    }
                }
            }
        }
        Ok(())
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
            None => self.local.get(local as usize),
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
            for &domain in &class.domains {
                let local = |link: u64| machine.domain_link(domain, link);
                let inside = self.classes.get(index).into_iter().flatten();
                changes.extend(inside.map(|&(link, bytes)| (local(u64::from(link)), bytes)));
                let detoured = class.detoured(scene, self, domain);
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
        self.classes.clear();
        self.single = merged(&self.single, &changes, 1.0);
    }
}

fn merged<K: Ord + Copy>(a: &[(K, f64)], b: &[(K, f64)], scale: f64) -> Vec<(K, f64)> {
    let mut out = Vec::with_capacity(a.len() + b.len());
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let (left, right) = (a.get(i), b.get(j));
        match (left, right) {
            (Some(&(link, bytes)), Some(&(other, more))) if link == other => {
                out.push((link, bytes + scale * more));
                i += 1;
                j += 1;
            }
            (Some(&entry), Some(&(other, _))) if entry.0 < other => {
                out.push(entry);
                i += 1;
            }
            (Some(&entry), None) => {
                out.push(entry);
                i += 1;
            }
            (_, Some(&(other, more))) => {
                out.push((other, scale * more));
                j += 1;
            }
            (None, None) => unreachable!("the loop ends first"),
        }
    }
    out
}
