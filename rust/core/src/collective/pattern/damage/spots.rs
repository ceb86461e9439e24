//! The busiest links of what goes by other NICs, by what each NIC carries.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A link of a damaged domain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Place {
    Inside(u64),
    /// The NIC of a local chip: sending (0), receiving (1).
    Nic(usize, u32),
}

/// Bytes on a link, and its bytes/s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spot {
    pub(crate) place: Place,
    pub(crate) bytes: f64,
    pub(crate) bandwidth: f64,
}

/// The busiest spot by the bytes, as bits, of every NIC: sending, receiving.
#[derive(Default)]
pub(super) struct Spots(Mutex<Known>);

type Known = BTreeMap<[u64; 2], Option<Spot>>;

impl Spots {
    /// As many are kept.
    const MOST: usize = 64;

    /// Bytes that so many take.
    pub(super) const MOST_BYTES: u64 = 96 * Self::MOST as u64;

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, each: [f64; 2]) -> Option<Option<Spot>> {
        self.known().get(&each.map(f64::to_bits)).copied()
    }

    pub(super) fn keep(&self, each: [f64; 2], spot: Option<Spot>) {
        let mut known = self.known();
        if known.len() < Self::MOST {
            known.insert(each.map(f64::to_bits), spot);
        }
    }
}
