//! The busiest links of what goes by other NICs, by what each NIC carries.

use crate::collective::pattern::changes::Peak;
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

impl Spot {
    pub(super) fn seconds(&self) -> f64 {
        self.bytes / self.bandwidth
    }
}

/// A domain in which some messages leave or arrive by other chips' NICs, or by slower ones.
pub(super) struct Moved {
    pub(super) domain: u32,
    pub(super) class: usize,
    /// Seconds that the busiest link of those is busy where every NIC has a byte, sending and receiving.
    pub(super) seconds: f64,
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

/// Peaks by number.
#[derive(Default)]
pub(super) struct Peaks(Mutex<BTreeMap<u32, Option<Peak>>>);

impl Peaks {
    /// As many are kept.
    const MOST: usize = 128;

    /// Bytes that so many take.
    pub(super) const MOST_BYTES: u64 = 64 * Self::MOST as u64;

    /// The one of a number, found where it is not known.
    pub(super) fn of(&self, number: u32, find: impl FnOnce() -> Option<Peak>) -> Option<Peak> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&peak) = known().get(&number) {
            return peak;
        }
        let peak = find();
        let mut known = known();
        if known.len() < Self::MOST {
            known.insert(number, peak);
        }
        peak
    }
}
