//! What the loss of NICs puts on other links, domain by domain.

use super::redirect::Redirect;
use super::spots::{Moved, Place, Spot};
use super::{Class, DomainDamage, Hurt};
use crate::collective::pattern::alone::note;
use crate::collective::pattern::ledger::Ledger;
use crate::collective::pattern::scene::Scene;
use crate::machine::Nic;
use std::collections::BTreeMap;

/// Bytes on links of one damaged domain, beside what its class has inside.
#[derive(Debug, Default)]
pub(crate) struct Detoured {
    /// Bytes on local links of the path to and from other chips' NICs.
    pub(crate) local: BTreeMap<u64, f64>,
    /// Bytes on the NICs that others use, by local chip: sending, receiving. Their own are among them.
    pub(crate) nics: [BTreeMap<u32, f64>; 2],
    /// Chips whose NICs carry nothing any more: sending, receiving.
    pub(crate) idle: [Vec<u32>; 2],
}

impl Hurt {
    /// What goes by other NICs in a domain; `bytes` are those of the rank of a chip, sending (0) or receiving (1).
    pub(crate) fn detoured(&self, bytes: impl Fn(usize, u32) -> f64) -> Detoured {
        let mut out = Detoured::default();
        for direction in 0..2 {
            let nics = &mut out.nics[direction];
            for redirect in &self.redirects[direction] {
                out.idle[direction].push(redirect.chip);
                let moved = bytes(direction, redirect.chip);
                // Its own bytes are there even where nothing joins them.
                *nics
                    .entry(redirect.port)
                    .or_insert_with(|| bytes(direction, redirect.port)) += moved;
                for &(link, share) in redirect.path.iter().filter(|_| moved > 0.0) {
                    *out.local.entry(link).or_default() += share * moved;
                }
            }
        }
        out
    }

    /// The links that carry what goes by other NICs, and slower NICs; `all` says what a local link carries in all, of
    /// which so much goes by other NICs.
    pub(crate) fn each_spot(
        &self,
        nic: &Nic,
        detoured: &Detoured,
        bytes: impl Fn(usize, u32) -> f64,
        all: impl Fn(u64, f64) -> f64,
        mut offer: impl FnMut(Spot),
    ) {
        for (&local, &more) in &detoured.local {
            offer(Spot {
                place: Place::Inside(local),
                bytes: all(local, more),
                bandwidth: self.bandwidth[local as usize],
            });
        }
        for direction in 0..2 {
            let slow = &self.damage.slow_nics[direction];
            let nics = &detoured.nics[direction];
            let own = slow.iter().map(|entry| entry.0);
            let own = own.filter(|chip| !nics.contains_key(chip));
            let own = own.map(|chip| (chip, bytes(direction, chip)));
            let others = nics.iter().map(|(&chip, &bytes)| (chip, bytes));
            for (chip, bytes) in others.chain(own) {
                if detoured.idle[direction].contains(&chip) {
                    continue;
                }
                let slower = slow.iter().find(|entry| entry.0 == chip);
                offer(Spot {
                    place: Place::Nic(direction, chip),
                    bytes,
                    bandwidth: nic.bandwidth * slower.map_or(1.0, |entry| entry.1),
                });
            }
        }
    }

    /// The busiest of them where the NICs of all members carry the same, those of other chips and links inside nothing.
    pub(crate) fn busiest_spot(&self, scene: &Scene, nic: &Nic, each: [f64; 2]) -> Option<Spot> {
        if let Some(spot) = self.spots.get(each) {
            return spot;
        }
        let bytes = |direction: usize, chip: u32| match scene.is_member(chip) {
            true => each[direction],
            false => 0.0,
        };
        let best = self.busiest_of(nic, bytes, |_, more| more);
        self.spots.keep(each, best);
        best
    }

    /// The busiest of them; `all` says what a local link carries in all, of which so much goes by other NICs.
    pub(super) fn busiest_of(
        &self,
        nic: &Nic,
        bytes: impl Fn(usize, u32) -> f64,
        all: impl Fn(u64, f64) -> f64,
    ) -> Option<Spot> {
        let mut best: Option<Spot> = None;
        let detoured = self.detoured(&bytes);
        self.each_spot(nic, &detoured, &bytes, all, |spot| {
            let busier = best.is_none_or(|best| spot.seconds() > best.seconds());
            if spot.bytes > 0.0 && busier {
                best = Some(spot);
            }
        });
        best
    }

    /// True if a chip's NIC carries what is its own and nothing else.
    pub(crate) fn uses_own_nic_alone(&self, direction: usize, chip: u32) -> bool {
        let concerned = |redirect: &Redirect| redirect.chip == chip || redirect.port == chip;
        !self.redirects[direction].iter().any(concerned)
    }

    /// True if some messages leave or arrive by another chip's NIC, or by a slower one.
    pub(crate) fn has_other_nics(&self) -> bool {
        let redirected = self.redirects.iter().any(|list| !list.is_empty());
        redirected || self.damage.slow_nics.iter().any(|list| !list.is_empty())
    }
}

impl Class {
    /// The ways of messages of members to other NICs (0), or from them (1): (seconds of latency, seconds per byte),
    /// dominated ones left out.
    pub(super) fn longest(&self, scene: &Scene, direction: usize) -> &[(f64, f64)] {
        self.longest[direction].get_or_init(|| {
            let mut longest = Vec::new();
            for redirect in &self.redirects[direction] {
                if scene.is_member(redirect.chip) {
                    note(&mut longest, redirect.latency, redirect.slowness);
                }
            }
            longest
        })
    }
}

impl DomainDamage {
    /// The domains whose NICs carry more than their own, or are slower, by class; found once.
    pub(super) fn moved(&self, scene: &Scene) -> &[Moved] {
        self.moved.get_or_init(|| {
            let mut moved = Vec::new();
            let Some(nic) = scene.machine.nic() else {
                return moved;
            };
            let classes = self.classes.iter().enumerate();
            for (number, class) in classes.filter(|(_, class)| class.has_other_nics()) {
                let busiest = class.busiest_spot(scene, nic, [1.0, 1.0]);
                let seconds = busiest.map_or(0.0, |spot| spot.seconds());
                moved.extend(class.domains.iter().map(|&domain| Moved {
                    domain,
                    class: number,
                    seconds,
                }));
            }
            moved
        })
    }

    /// Bytes of its class on a local link of a domain.
    pub(crate) fn local_bytes(&self, ledger: &Ledger, domain: u32, link: u64) -> f64 {
        let whole = ledger.local.get(link as usize);
        let class = self.class_of(domain);
        let change = class.and_then(|class| ledger.classes.of(class).get(link));
        whole + change.unwrap_or(0.0)
    }
}
