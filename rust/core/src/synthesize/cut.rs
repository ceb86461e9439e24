//! Which chunks are whose.

use super::network::Network;
use crate::{Control, Result};
use std::ops::Range;

/// Chunks by rank: those of a rank follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// First chunk of each rank, and one past the last.
    first: Vec<u32>,
}

impl Cut {
    /// Equally many for each of `ranks` ranks.
    pub fn even(ranks: u32, chunks: u32) -> Self {
        Self {
            first: (0..=ranks).map(|rank| rank * chunks).collect(),
        }
    }

    /// As many chunks in all as `ranks x chunks`, more for ranks whose links are slow. In an all-reduce anybody may add
    /// up any chunk, and nobody sends or takes the chunks that he adds up himself a second time: the times in which
    /// ranks send, and take, all chunks but their own are levelled.
    ///
    /// # Errors
    /// [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn level(network: &Network, chunks: u32, control: &Control) -> Result<Self> {
        let ranks = network.ranks();
        let total = ranks * chunks;
        let into = network.rates(&network.inwards(control)?, control)?;
        let out = network.rates(&network.outwards(control)?, control)?;
        let rates: Vec<f64> = (into.iter().zip(&out))
            .map(|(into, out)| into.min(*out))
            .collect();
        // Chunks that a rank must add up itself so that the others pass its links in `time`.
        let own = |rate: f64, time: f64| (f64::from(total) - time * rate).max(0.0).ceil() as u64;
        let needs = |time: f64| rates.iter().map(|&rate| own(rate, time)).sum::<u64>();
        let slowest = rates.iter().copied().fold(f64::INFINITY, f64::min);
        let (mut low, mut high) = (0.0, f64::from(total) / slowest);
        for _ in 0..64 {
            control.check()?;
            let middle = (low + high) / 2.0;
            if needs(middle) <= u64::from(total) {
                high = middle;
            } else {
                low = middle;
            }
        }
        let mut counts: Vec<u32> = rates.iter().map(|&rate| own(rate, high) as u32).collect();
        // What rounding left goes to those whose links are slowest for what they still must pass.
        let mut left = total - counts.iter().sum::<u32>();
        let mut order: Vec<usize> = (0..ranks as usize).collect();
        order.sort_by(|&a, &b| {
            let time = |rank: usize| f64::from(total - counts[rank]) / rates[rank];
            time(b).total_cmp(&time(a)).then(a.cmp(&b))
        });
        for &rank in order.iter().cycle() {
            if left == 0 {
                break;
            }
            counts[rank] += 1;
            left -= 1;
        }
        let mut first = vec![0];
        for count in counts {
            first.push(first[first.len() - 1] + count);
        }
        Ok(Self { first })
    }

    /// Number of ranks.
    pub fn ranks(&self) -> usize {
        self.first.len() - 1
    }

    /// Number of chunks of all ranks together.
    pub fn total(&self) -> u32 {
        self.first[self.ranks()]
    }

    /// The chunks of a rank.
    pub fn of(&self, rank: u32) -> Range<u32> {
        self.first[rank as usize]..self.first[rank as usize + 1]
    }

    /// The rank that has each chunk at first.
    pub fn owners(&self) -> Vec<u32> {
        let owners = (0..self.ranks() as u32).flat_map(|rank| self.of(rank).map(move |_| rank));
        owners.collect()
    }

    /// Chunks that must come to some rank.
    pub fn deliveries(&self) -> u64 {
        (self.ranks() as u64 - 1) * u64::from(self.total())
    }
}
