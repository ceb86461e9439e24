//! What the loss of NICs puts on other links, domain by domain.

use super::class::Redirect;
use super::{Class, DomainDamage};
use crate::collective::pattern::ledger::Ledger;
use crate::collective::pattern::scene::Scene;
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

impl Class {
    /// What goes by other NICs in one domain of the class.
    pub(crate) fn detoured(&self, scene: &Scene, ledger: &Ledger, domain: u32) -> Detoured {
        let mut out = Detoured::default();
        for direction in 0..2 {
            let bytes = |chip: u32| ledger.nic_bytes(scene, direction, domain, chip);
            let nics = &mut out.nics[direction];
            for redirect in &self.redirects[direction] {
                out.idle[direction].push(redirect.chip);
                let moved = bytes(redirect.chip);
                // Its own bytes are there even where nothing joins them.
                *nics
                    .entry(redirect.port)
                    .or_insert_with(|| bytes(redirect.port)) += moved;
                for &(link, share) in redirect.path.iter().filter(|_| moved > 0.0) {
                    *out.local.entry(link).or_default() += share * moved;
                }
            }
        }
        out
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

impl DomainDamage {
    /// Bytes of its class on a local link of a domain.
    pub(crate) fn local_bytes(&self, ledger: &Ledger, domain: u32, link: u64) -> f64 {
        let whole = ledger.local.get(link as usize);
        let changes = self
            .class_of(domain)
            .and_then(|class| ledger.classes.get(class));
        let change = changes.and_then(|changes| {
            let at = changes.binary_search_by_key(&link, |entry| u64::from(entry.0));
            at.ok().map(|at| changes[at].1)
        });
        whole + change.unwrap_or(0.0)
    }
}
