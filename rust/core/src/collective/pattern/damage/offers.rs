//! The busiest links of damaged domains.

use super::{Class, DomainDamage, Place};
use crate::Result;
use crate::collective::pattern::changes::{Bounds, Changes, Peak};
use crate::collective::pattern::ledger::Ledger;
use crate::collective::pattern::loads::Loads;
use crate::collective::pattern::scene::Scene;

/// Bounds may be lower than what they bound by this share, by rounding.
const SLACK: f64 = 1e-9;

/// Links of which the busiest may be the busiest of all.
#[derive(Clone, Copy)]
struct Look {
    class: usize,
    /// That which carries what goes by other NICs there, or else what is inside domains of the class.
    domain: Option<u32>,
    /// Seconds that none of them is busy for longer than.
    bound: f64,
}

/// Bytes, bytes/s and a link.
type Offer = (f64, f64, u64);

impl Ledger {
    /// Offers the links of damaged domains: inside, and the NICs that carry more than their own, or are slower. Of
    /// those that cannot be the busiest some are left out.
    pub(in crate::collective::pattern) fn offer_damaged(
        &self,
        scene: &Scene,
        damaged: &DomainDamage,
        offer: &mut impl FnMut(f64, f64, u64),
    ) -> Result<()> {
        let mut looks = self.looks(scene, damaged);
        let most = (0..looks.len()).max_by(|&a, &b| looks[a].bound.total_cmp(&looks[b].bound));
        let Some(most) = most else { return Ok(()) };
        // What may be most shows of most others that they are not.
        looks.swap(0, most);
        // How loads are made says what they are, on the same damage.
        let known = damaged.known.as_ref().filter(|_| damaged.whole.is_some());
        let recipe = known.and_then(|known| self.classes.recipe(&|terms| known.recipe(terms)));
        let mut best = 0.0f64;
        let mut found: Vec<((usize, Option<u32>), Offer)> = Vec::new();
        for look in looks {
            if look.bound * (1.0 + SLACK) < best {
                continue;
            }
            scene.control.check()?;
            let busiest = match look.domain {
                None => self.busiest_inside(scene, damaged, look.class, recipe),
                Some(domain) => self.busiest_nic(scene, damaged, look.class, domain),
            };
            if let Some(busiest) = busiest {
                best = best.max(busiest.0 / busiest.1);
                found.push(((look.class, look.domain), busiest));
            }
        }
        found.sort_by_key(|entry| entry.0);
        for (_, (bytes, bandwidth, link)) in found {
            offer(bytes, bandwidth, link);
        }
        Ok(())
    }

    fn looks(&self, scene: &Scene, damaged: &DomainDamage) -> Vec<Look> {
        let mut looks = Vec::new();
        let inside = !(self.local.is_empty() && self.classes.is_none());
        let bound = |class: usize| match (inside, damaged.whole) {
            (false, _) => 0.0,
            (true, Some(_)) => self.classes.bound(class),
            (true, None) => f64::INFINITY,
        };
        if inside {
            looks.extend((0..damaged.classes.len()).map(|class| Look {
                class,
                domain: None,
                bound: bound(class),
            }));
        }
        let singles = self.single_nics.iter().any(|nics| !nics.is_empty());
        if !singles && self.nic.iter().all(Loads::is_empty) {
            return looks;
        }
        for moved in damaged.moved(scene) {
            let each = self.each_nic(moved.domain);
            let alone = each[0].max(each[1]) * moved.seconds;
            let beside = singles || !self.single.is_empty();
            looks.push(Look {
                class: moved.class,
                domain: Some(moved.domain),
                bound: if beside {
                    f64::INFINITY
                } else {
                    alone + bound(moved.class)
                },
            });
        }
        looks
    }

    /// Bytes on the NIC of every member of a domain: sending, receiving.
    fn each_nic(&self, domain: u32) -> [f64; 2] {
        [0, 1].map(|direction| self.nic[direction].get(domain as usize))
    }

    fn busiest_inside(
        &self,
        scene: &Scene,
        damaged: &DomainDamage,
        number: usize,
        recipe: Option<u32>,
    ) -> Option<Offer> {
        let class = &damaged.classes[number];
        let find = || {
            let changes = self.classes.of(number);
            match damaged.whole {
                Some(_) => peak_inside(&self.local, class, &changes),
                None => peak_of(&self.local, class, &changes, true),
            }
        };
        let peak = match recipe.filter(|_| class.kept) {
            Some(recipe) => class.peaks.of(recipe, find),
            None => find(),
        };
        peak.map(|peak| {
            let link = u64::from(peak.link);
            let link = scene.machine.domain_link(class.domains[0], link);
            (peak.bytes, peak.bandwidth, link)
        })
    }

    /// The busiest of the NICs of a damaged domain that others use, or that are slower, and the ways there.
    fn busiest_nic(
        &self,
        scene: &Scene,
        damaged: &DomainDamage,
        number: usize,
        domain: u32,
    ) -> Option<Offer> {
        let (machine, class) = (scene.machine, &damaged.classes[number]);
        let nic = machine.nic()?;
        let chips = machine.domain().chips();
        let changes = self.classes.of(number);
        let singles = self.single_nics.iter().any(|nics| !nics.is_empty());
        // Where nothing else is there, only what each NIC carries tells domains of a class apart.
        let alone = changes.is_empty() && !singles && self.local.is_empty();
        let spot = match alone && self.single.is_empty() {
            true => class.busiest_spot(scene, nic, self.each_nic(domain)),
            false => {
                let bytes =
                    |direction: usize, chip: u32| self.nic_bytes(scene, direction, domain, chip);
                let all = |local: u64, more: f64| {
                    let link = machine.domain_link(domain, local);
                    let single = self.single.binary_search_by_key(&link, |entry| entry.0);
                    let single = single.map_or(0.0, |at| self.single[at].1);
                    let change = changes.get(local).unwrap_or(0.0);
                    more + single + (self.local.get(local as usize) + change)
                };
                class.busiest_of(nic, bytes, all)
            }
        };
        spot.map(|spot| {
            let link = match spot.place {
                Place::Inside(local) => machine.domain_link(domain, local),
                Place::Nic(direction, chip) => {
                    machine.nic_link(direction == 1, domain * chips + chip)
                }
            };
            (spot.bytes, spot.bandwidth, link)
        })
    }
}

/// Most local links whose loads are looked at axis by axis.
const MOST_ALONG: usize = 1 << 12;

/// Seconds that no link along an axis is busy for longer than, in domains of each class with `changes` of a pattern.
pub(super) fn bounds(
    scene: &Scene,
    damaged: &DomainDamage,
    local: &Loads,
    changes: &[&Changes],
) -> Bounds {
    let plans = scene.machine.domain().plans();
    // Links ascend by axis.
    let starts: Vec<u64> = plans.iter().map(|plan| plan.first_link).collect();
    let axis_of = |link: u64| {
        starts
            .partition_point(|&start| start <= link)
            .saturating_sub(1)
    };
    let mut whole = vec![0.0f64; starts.len()];
    if local.len() <= MOST_ALONG {
        let rates = scene.local_bandwidth.values();
        for (link, (bytes, rate)) in (0..).zip(local.values().zip(rates)) {
            let most = &mut whole[axis_of(link)];
            *most = most.max(bytes / rate);
        }
    } else {
        let peak = local.peak(&scene.local_bandwidth, |bytes, rate| bytes / rate);
        whole.fill(peak.1);
    }
    let mut seconds = Vec::with_capacity(changes.len() * starts.len());
    for (class, changes) in damaged.classes.iter().zip(changes) {
        let along = changes.along(|| {
            let mut along = whole.clone();
            let slow = class
                .damage
                .degraded
                .iter()
                .map(|entry| (entry.0 as u32, 0.0));
            let slow = slow.filter(|entry| changes.get(u64::from(entry.0)).is_none());
            for (link, change) in changes.iter().copied().chain(slow) {
                let bytes = local.get(link as usize) + change;
                let most = &mut along[axis_of(u64::from(link))];
                *most = most.max(bytes / class.bandwidth[link as usize]);
            }
            along.into()
        });
        seconds.extend_from_slice(along);
    }
    Bounds {
        axes: starts.len(),
        seconds,
    }
}

/// The busiest link inside a domain of a class, of those that whole domains do not speak for.
fn peak_inside(local: &Loads, class: &Class, changes: &Changes) -> Option<Peak> {
    changes.peak(|| peak_of(local, class, changes, false))
}

/// Links inside a domain of a class that may be the busiest: those that carry what they carry in a whole domain
/// count there, unless they are slower, or no domain is whole (`all`).
pub(super) fn peak_of(local: &Loads, class: &Class, changes: &Changes, all: bool) -> Option<Peak> {
    let mut best: Option<Peak> = None;
    let mut offer = |link: u32, change: f64| {
        let peak = Peak {
            link,
            bytes: local.get(link as usize) + change,
            bandwidth: class.bandwidth[link as usize],
        };
        let busier = best.is_none_or(|best| peak.seconds() > best.seconds());
        if peak.bytes > 0.0 && busier {
            best = Some(peak);
        }
    };
    let changed = |link: u32| changes.get(u64::from(link)).is_some();
    changes
        .iter()
        .for_each(|&(link, change)| offer(link, change));
    for &(link, _) in &class.damage.degraded {
        if !changed(link as u32) {
            offer(link as u32, 0.0);
        }
    }
    if all {
        let links = 0..local.len() as u32;
        links
            .filter(|&link| !changed(link))
            .for_each(|link| offer(link, 0.0));
    }
    best
}
