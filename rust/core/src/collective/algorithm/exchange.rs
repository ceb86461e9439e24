//! Exchanges: in each step every rank trades with peers that the step names, so that after the last step it has
//! met what every other rank had (recursive halving and doubling, Swing, Trivance are such).
//!
//! In the bandwidth form a reduce-scatter passes to each peer the shares that it and those that it will meet later
//! are to own; an all-gather is the same backwards. In the latency form whole buffers are exchanged.

use crate::collective::program::moves::{Carry, Sends};
use std::sync::Arc;
use std::sync::OnceLock;

/// The steps of one exchange over `ranks` ranks.
pub(crate) struct Exchange {
    ranks: u32,
    /// (from, to) ranks of each step; whoever sends to a rank also receives from it.
    steps: Vec<Sends>,
    reach: OnceLock<Vec<Vec<Vec<u32>>>>,
}

impl Exchange {
    pub(crate) fn new(ranks: u32, steps: Vec<Sends>) -> Arc<Self> {
        Arc::new(Self {
            ranks,
            steps,
            reach: OnceLock::new(),
        })
    }

    /// Ranks that take part.
    pub(crate) fn ranks(&self) -> u32 {
        self.ranks
    }

    /// Part of the data that a message of step `at` carries in the bandwidth form: what a rank stands for falls by the
    /// number of peers and itself with each step.
    pub(crate) fn fraction(&self, at: usize) -> f64 {
        let ranks = f64::from(self.ranks);
        let divided = self.steps[..=at]
            .iter()
            .map(|step| step.count().unwrap_or(0) as f64 / ranks + 1.0);
        divided.fold(1.0, |left, parts| left / parts)
    }

    /// How many steps there are.
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    /// The messages of step `at`.
    pub(crate) fn sends(&self, at: usize) -> &Sends {
        &self.steps[at]
    }

    /// Ranks that a rank stands for from step `at` on: itself and those that it reaches in the steps from there.
    fn reach(&self, at: usize, rank: u32) -> &[u32] {
        let reach = self.reach.get_or_init(|| {
            let mut table: Vec<Vec<Vec<u32>>> =
                vec![(0..self.ranks).map(|rank| vec![rank]).collect()];
            for step in self.steps.iter().rev() {
                let later = &table[table.len() - 1];
                let mut here = later.clone();
                for &(from, to) in step.list(self.ranks).iter() {
                    here[from as usize].extend(&later[to as usize]);
                }
                here.iter_mut().for_each(|ranks| ranks.sort_unstable());
                table.push(here);
            }
            table.reverse();
            table
        });
        &reach[at][rank as usize]
    }

    /// Shares that a message of step `at` of a reduce-scatter carries, blocks counted from `first`: those that the
    /// receiver stands for afterwards.
    pub(crate) fn scattered(self: &Arc<Self>, at: usize, first: u32) -> Carry {
        let exchange = Arc::clone(self);
        Arc::new(move |_, _, to| {
            let shares = exchange.reach(at + 1, to).iter();
            shares.map(|share| first + share).collect()
        })
    }

    /// Shares that a message of step `at`, backwards, of an all-gather carries: all that the sender has by then.
    pub(crate) fn gathered(self: &Arc<Self>, at: usize, first: u32) -> Carry {
        let exchange = Arc::clone(self);
        Arc::new(move |_, from, _| {
            let shares = exchange.reach(at + 1, from).iter();
            shares.map(|share| first + share).collect()
        })
    }
}
