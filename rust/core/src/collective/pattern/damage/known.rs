//! Damage that calls before have met: of many draws of faults, most domains are damaged like some before them.

use super::Hurt;
use super::rerouted::PairsByLink;
use crate::machine::Machine;
use crate::memory::{Taken, bytes_of};
use crate::route::Routing;
use crate::{Control, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most bytes of damage that are kept.
const MOST_BYTES: u64 = 1 << 25;

/// Bytes of a small entry of a table.
const ENTRY: u64 = 96;

/// What is known of damage inside domains, for calls over the same domains and chips of a machine by the same routing
/// that differ in that damage. Bounded in bytes: what was met first stays.
#[derive(Clone)]
pub(crate) struct KnownDamage(Arc<Mutex<Known>>);

struct Known {
    hurts: BTreeMap<Vec<u64>, Arc<Hurt>>,
    pairs_by_link: Option<Arc<PairsByLink>>,
    /// How loads are made of those of patterns: (number, scale) of each, and a number for that.
    recipes: BTreeMap<Vec<(u32, u64)>, u32>,
    bytes: u64,
    taken: Taken,
}

impl KnownDamage {
    pub(crate) fn new(control: &Control) -> Result<Self> {
        let taken = control.take(0, format_args!("known damage"), "")?;
        Ok(Self(Arc::new(Mutex::new(Known {
            hurts: BTreeMap::new(),
            pairs_by_link: None,
            recipes: BTreeMap::new(),
            bytes: 0,
            taken,
        }))))
    }

    /// What is known; a call that panicked meanwhile left it whole.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, key: &[u64]) -> Option<Arc<Hurt>> {
        self.known().hurts.get(key).cloned()
    }

    /// Keeps a damage, if there is room; true if it is kept.
    pub(super) fn keep(&self, key: Vec<u64>, hurt: &Arc<Hurt>) -> bool {
        let bytes = hurt.bytes() + size_of_val(&key[..]) as u64;
        let mut known = self.known();
        // Another thread may have kept its own meanwhile, which says the same.
        if known.hurts.contains_key(&key) || !known.room(bytes) {
            return false;
        }
        known.hurts.insert(key, Arc::clone(hurt));
        true
    }

    /// Takes so many bytes, if there is room for them.
    pub(super) fn room(&self, bytes: u64) -> bool {
        self.known().room(bytes)
    }

    /// The number of a way to make loads; `None` where there is no room for more of them.
    pub(super) fn recipe(&self, terms: Vec<(u32, u64)>) -> Option<u32> {
        let mut known = self.known();
        if let Some(&number) = known.recipes.get(&terms) {
            return Some(number);
        }
        if !known.room(bytes_of::<(u32, u64)>(terms.len() as u64) + ENTRY) {
            return None;
        }
        let number = known.recipes.len() as u32;
        known.recipes.insert(terms, number);
        Some(number)
    }

    /// The pairs of chips whose messages pass each link.
    pub(super) fn pairs_by_link(
        &self,
        machine: &Machine,
        routing: &Routing,
        control: &Control,
    ) -> Result<Arc<PairsByLink>> {
        let mut known = self.known();
        if let Some(pairs_by_link) = &known.pairs_by_link {
            return Ok(Arc::clone(pairs_by_link));
        }
        let made = Arc::new(PairsByLink::of(machine.domain(), routing, control)?);
        known.pairs_by_link = Some(Arc::clone(&made));
        Ok(made)
    }
}

impl Known {
    fn room(&mut self, bytes: u64) -> bool {
        let all = self.bytes + bytes;
        let what = format_args!("known damage");
        let fits = all <= MOST_BYTES && self.taken.grow_to(all, what, "").is_ok();
        if fits {
            self.bytes = all;
        }
        fits
    }
}
