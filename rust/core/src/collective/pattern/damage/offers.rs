//! The busiest links of damaged domains.

use super::{Class, DomainDamage, Place};
use crate::Result;
use crate::collective::pattern::changes::{Changes, Peak};
use crate::collective::pattern::ledger::Ledger;
use crate::collective::pattern::loads::Loads;
use crate::collective::pattern::scene::Scene;
use std::sync::Arc;

impl Ledger {
    /// Offers the links of damaged domains: inside, and the NICs that carry more than their own, or are slower.
    pub(in crate::collective::pattern) fn offer_damaged(
        &self,
        scene: &Scene,
        damaged: &DomainDamage,
        offer: &mut impl FnMut(f64, f64, u64),
    ) -> Result<()> {
        let none = Arc::default();
        for (index, class) in damaged.classes.iter().enumerate() {
            let changes = self.classes.get(index).unwrap_or(&none);
            let mut offer_local = |peak: Peak| {
                let link = scene
                    .machine
                    .domain_link(class.domains[0], u64::from(peak.link));
                offer(peak.bytes, peak.bandwidth, link);
            };
            if damaged.whole.is_some() {
                let peak = changes.peak(|| self.peak_inside(class, changes));
                peak.into_iter().for_each(&mut offer_local);
            } else {
                self.each_inside(class, changes, true, offer_local);
            }
            self.offer_nics(scene, damaged, class, changes.is_empty(), offer)?;
        }
        Ok(())
    }

    fn peak_inside(&self, class: &Class, changes: &Changes) -> Option<Peak> {
        let mut best: Option<Peak> = None;
        let seconds = |peak: &Peak| peak.bytes / peak.bandwidth;
        self.each_inside(class, changes, false, |peak| {
            let busier = best
                .as_ref()
                .is_none_or(|best| seconds(&peak) > seconds(best));
            if peak.bytes > 0.0 && busier {
                best = Some(peak);
            }
        });
        best
    }

    /// Links inside a domain of a class that may be the busiest: those that carry what they carry in a whole domain
    /// count there, unless they are slower, or no domain is whole (`all`).
    fn each_inside(
        &self,
        class: &Class,
        changes: &Changes,
        all: bool,
        mut offer: impl FnMut(Peak),
    ) {
        let mut offer = |link: u32, change: f64| {
            offer(Peak {
                link,
                bytes: self.local.get(link as usize) + change,
                bandwidth: class.bandwidth[link as usize],
            });
        };
        let changed = |link: u32| changes.binary_search_by_key(&link, |entry| entry.0).is_ok();
        changes
            .iter()
            .for_each(|&(link, change)| offer(link, change));
        for &(link, _) in &class.damage.degraded {
            if !changed(link as u32) {
                offer(link as u32, 0.0);
            }
        }
        if all {
            let links = 0..self.local.len() as u32;
            links
                .filter(|&link| !changed(link))
                .for_each(|link| offer(link, 0.0));
        }
    }

    /// Offers what the NICs of damaged domains carry that others use, or that are slower, and the ways there.
    fn offer_nics(
        &self,
        scene: &Scene,
        damaged: &DomainDamage,
        class: &Class,
        unchanged: bool,
        offer: &mut impl FnMut(f64, f64, u64),
    ) -> Result<()> {
        let machine = scene.machine;
        let singles = self.single_nics.iter().any(|nics| !nics.is_empty());
        let none = !singles && self.nic.iter().all(Loads::is_empty);
        let Some(nic) = machine.nic().filter(|_| class.has_other_nics() && !none) else {
            return Ok(());
        };
        let chips = machine.domain().chips();
        // Where nothing else is there, only what each NIC carries tells domains of a class apart.
        let alone = unchanged && !singles && self.local.is_empty() && self.single.is_empty();
        for &domain in &class.domains {
            scene.control.check()?;
            let link = |place: Place| match place {
                Place::Inside(local) => machine.domain_link(domain, local),
                Place::Nic(direction, chip) => {
                    machine.nic_link(direction == 1, domain * chips + chip)
                }
            };
            if alone {
                let each = [0, 1].map(|direction| self.nic[direction].get(domain as usize));
                if let Some(spot) = class.busiest_spot(scene, nic, each) {
                    offer(spot.bytes, spot.bandwidth, link(spot.place));
                }
                continue;
            }
            let bytes =
                |direction: usize, chip: u32| self.nic_bytes(scene, direction, domain, chip);
            let all = |local: u64, more: f64| {
                let link = machine.domain_link(domain, local);
                let single = self.single.binary_search_by_key(&link, |entry| entry.0);
                let single = single.map_or(0.0, |at| self.single[at].1);
                more + single + damaged.local_bytes(self, domain, local)
            };
            class.each_spot(nic, &class.detoured(bytes), bytes, all, |spot| {
                offer(spot.bytes, spot.bandwidth, link(spot.place));
            });
        }
        Ok(())
    }
}
