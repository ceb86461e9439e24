//! What the searches for rates remember, kept to be used again.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A set of numbers that is quickly emptied.
#[derive(Debug, Default)]
pub(super) struct Marks {
    round: u32,
    seen: Vec<u32>,
    pub(super) members: Vec<u32>,
}

impl Marks {
    pub(super) fn new(count: usize) -> Self {
        Self {
            round: 1,
            seen: vec![0; count],
            members: Vec::new(),
        }
    }

    /// True if `index` is new.
    #[inline]
    pub(super) fn add(&mut self, index: u32) -> bool {
        let new = self.seen[index as usize] != self.round;
        if new {
            self.seen[index as usize] = self.round;
            self.members.push(index);
        }
        new
    }

    #[inline]
    pub(super) fn has(&self, index: u32) -> bool {
        self.seen[index as usize] == self.round
    }

    pub(super) fn clear(&mut self) {
        self.members.clear();
        if self.round == u32::MAX {
            self.seen.fill(0);
            self.round = 0;
        }
        self.round += 1;
    }
}

/// What a link still has to give.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Residual {
    pub(super) left: f64,
    pub(super) weights: f64,
    pub(super) rising: u32,
}

impl Residual {
    /// A flow rises no more: it stays at `rate`.
    #[inline]
    pub(super) fn hold(&mut self, rate: f64, weight: f64) {
        self.left -= rate * weight;
        self.weights -= weight;
        self.rising -= 1;
    }
}

/// No key is this high: it is no bits of a number.
pub(super) const NOT_QUEUED: u64 = u64::MAX;

/// What the search remembers, kept to be used again.
pub(super) struct Work {
    pub(super) heap: BinaryHeap<Reverse<(u64, u32)>>,
    /// The least key under which each link waits.
    pub(super) queued: Vec<u64>,
    pub(super) closed: Marks,
    pub(super) look: Marks,
    pub(super) flows: Vec<u32>,
    pub(super) residuals: Vec<Residual>,
    /// Crowds that have flows on a link, and their weights there.
    pub(super) crowds: Vec<(u32, f64)>,
    /// Links that are watched anew.
    pub(super) links: Vec<u32>,
}

impl Work {
    pub(super) fn new(links: usize) -> Self {
        Self {
            heap: BinaryHeap::new(),
            queued: vec![NOT_QUEUED; links],
            closed: Marks::new(links),
            look: Marks::new(links),
            flows: Vec::new(),
            residuals: Vec::new(),
            crowds: Vec::new(),
            links: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, link: u32, key: f64) {
        let queued = &mut self.queued[link as usize];
        if key.to_bits() < *queued {
            *queued = key.to_bits();
            self.heap.push(Reverse((*queued, link)));
        }
    }
}
