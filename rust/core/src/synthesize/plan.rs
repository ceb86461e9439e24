//! A timed all-gather, as compactly as it can be kept.

use super::cut::Cut;
use super::network::Network;
use crate::Control;
use crate::error::{Error, Result};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One chunk that crosses one link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Place of the link in the network.
    pub link: u32,
    /// The chunk.
    pub chunk: u32,
}

/// When deliveries happen.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Times {
    /// In rounds: where each begins in the list of deliveries, and one past the end; seconds of each round.
    Rounds {
        first: Vec<usize>,
        seconds: Vec<f64>,
        /// Chunks that each link can carry in a round.
        capacities: Vec<u32>,
    },
    /// One after another on each link; seconds at which each starts.
    Starts(Vec<f64>),
}

/// An all-gather: every rank ends with the chunks of all.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Whose chunks are which.
    pub cut: Cut,
    /// Bytes of one.
    pub bytes: f64,
    /// What crosses which link, in order of time.
    pub deliveries: Vec<Delivery>,
    /// Seconds from the first byte to the last arrival.
    pub makespan: f64,
    pub(super) times: Times,
    /// Rounds that the links into the worst rank need.
    pub(super) least: u32,
}

/// The parts of a time that is the sum of rounds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Parts {
    pub(crate) latency: f64,
    pub(crate) overhead: f64,
    pub(crate) wire: f64,
}

impl Plan {
    /// Rounds that it takes; 0 where links start one by one.
    pub fn rounds(&self) -> u32 {
        match &self.times {
            Times::Rounds { seconds, .. } => seconds.len() as u32,
            Times::Starts(_) => 0,
        }
    }

    /// Rounds that the links into some rank need at least; `None` where links start one by one.
    pub fn least_rounds(&self) -> Option<u32> {
        matches!(self.times, Times::Rounds { .. }).then_some(self.least)
    }

    /// The deliveries of each round; all as one where links start one by one.
    pub(super) fn by_round(&self) -> Vec<&[Delivery]> {
        match &self.times {
            Times::Rounds { first, .. } => first
                .windows(2)
                .map(|ends| &self.deliveries[ends[0]..ends[1]])
                .collect(),
            Times::Starts(_) => vec![&self.deliveries],
        }
    }

    /// Seconds at which delivery `index` starts: of its round, or its own.
    pub fn start(&self, index: usize) -> f64 {
        match &self.times {
            Times::Rounds { first, seconds, .. } => {
                let round = first.partition_point(|&begin| begin <= index) - 1;
                seconds[..round].iter().sum()
            }
            Times::Starts(starts) => starts[index],
        }
    }

    /// Bytes that each link carries, by place.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn loads(&self, network: &Network, control: &Control) -> Result<Vec<f64>> {
        let mut counts = vec![0u64; network.links.len()];
        for (at, delivery) in self.deliveries.iter().enumerate() {
            control.check_at(at)?;
            counts[delivery.link as usize] += 1;
        }
        let bytes = counts.into_iter().map(|count| count as f64 * self.bytes);
        Ok(bytes.collect())
    }

    /// What the makespan is made of. Links that start one by one hide latency behind bytes: it is what the last bytes
    /// on the busiest way would not take.
    pub(crate) fn parts(&self, network: &Network, control: &Control) -> Result<Parts> {
        let Times::Rounds { .. } = &self.times else {
            let wire = self
                .loads(network, control)?
                .iter()
                .zip(&network.links)
                .map(|(bytes, wire)| bytes / wire.bandwidth)
                .fold(0.0, f64::max);
            return Ok(Parts {
                latency: (self.makespan - wire).max(0.0),
                overhead: 0.0,
                wire,
            });
        };
        let mut costs = RoundCosts::new(network);
        let mut sum = Parts::default();
        for round in self.by_round() {
            let parts = costs.parts(network, round, self.bytes, control)?;
            sum.latency += parts.latency;
            sum.overhead += parts.overhead;
            sum.wire += parts.wire;
        }
        Ok(sum)
    }

    /// Replays it: every sender has a chunk before it sends it, nobody gets one twice, links carry no more than they
    /// can, and all ranks end with all chunks.
    ///
    /// # Errors
    /// [`Error::Schedule`] naming rank and chunk.
    pub fn check(&self, network: &Network) -> Result<()> {
        let mut replay = Replay::new(network, &self.cut);
        match &self.times {
            Times::Rounds { capacities, .. } => self.replay_rounds(capacities, &mut replay)?,
            Times::Starts(starts) => self.replay_starts(starts, &mut replay)?,
        }
        replay.end()
    }

    fn replay_rounds(&self, capacities: &[u32], replay: &mut Replay) -> Result<()> {
        let mut used = vec![0u32; replay.network.links.len()];
        for round in self.by_round() {
            used.fill(0);
            for &delivery in round {
                replay.leave(delivery)?;
                let used = &mut used[delivery.link as usize];
                *used += 1;
                if *used > capacities[delivery.link as usize] {
                    return wrong(format!("link {} is full", delivery.link));
                }
            }
            for &delivery in round {
                replay.come(delivery)?;
            }
        }
        Ok(())
    }

    fn replay_starts(&self, starts: &[f64], replay: &mut Replay) -> Result<()> {
        let mut free = vec![0.0f64; replay.network.links.len()];
        let mut ahead = BinaryHeap::new();
        for (index, (&delivery, &start)) in self.deliveries.iter().zip(starts).enumerate() {
            let wire = replay.network.links[delivery.link as usize];
            while let Some(&Reverse((bits, index))) = ahead.peek() {
                if f64::from_bits(bits) > start {
                    break;
                }
                replay.come(self.deliveries[index])?;
                ahead.pop();
            }
            replay.leave(delivery)?;
            if start < free[delivery.link as usize] {
                return wrong(format!("link {} is busy at {start} s", delivery.link));
            }
            free[delivery.link as usize] = start + self.bytes / wire.bandwidth;
            let arrival = start + self.bytes / wire.bandwidth + wire.latency;
            ahead.push(Reverse((arrival.to_bits(), index)));
        }
        for Reverse((_, index)) in ahead {
            replay.come(self.deliveries[index])?;
        }
        Ok(())
    }
}

fn wrong<T>(what: String) -> Result<T> {
    Err(Error::Schedule { what })
}

/// Who has which chunks while a plan is replayed.
struct Replay<'a> {
    network: &'a Network,
    /// Chunks that everybody must have in the end.
    total: usize,
    /// A bit for each chunk, in so many words for each rank.
    has: Vec<u64>,
    words: usize,
    count: Vec<usize>,
}

impl<'a> Replay<'a> {
    fn new(network: &'a Network, cut: &Cut) -> Self {
        let (ranks, total) = (network.ranks(), cut.total() as usize);
        let words = total.div_ceil(64);
        let mut replay = Self {
            network,
            total,
            has: vec![0u64; ranks as usize * words],
            words,
            count: vec![0; ranks as usize],
        };
        for rank in 0..ranks {
            for chunk in cut.of(rank) {
                *replay.cell(rank, chunk) |= 1 << (chunk % 64);
                replay.count[rank as usize] += 1;
            }
        }
        replay
    }

    fn cell(&mut self, rank: u32, chunk: u32) -> &mut u64 {
        &mut self.has[rank as usize * self.words + chunk as usize / 64]
    }

    /// A chunk leaves its sender.
    fn leave(&mut self, Delivery { link, chunk }: Delivery) -> Result<()> {
        let rank = self.network.links[link as usize].from;
        if *self.cell(rank, chunk) >> (chunk % 64) & 1 == 1 {
            return Ok(());
        }
        wrong(format!(
            "rank {rank}, chunk {chunk}: is sent before it has come"
        ))
    }

    /// A chunk has come to its receiver.
    fn come(&mut self, Delivery { link, chunk }: Delivery) -> Result<()> {
        let Some(wire) = self.network.links.get(link as usize) else {
            return wrong(format!("there is no link {link}"));
        };
        if chunk as usize >= self.total {
            return wrong(format!("there is no chunk {chunk}"));
        }
        let (rank, bit) = (wire.to, 1 << (chunk % 64));
        let cell = self.cell(rank, chunk);
        if *cell & bit != 0 {
            return wrong(format!("rank {rank}, chunk {chunk}: comes a second time"));
        }
        *cell |= bit;
        self.count[rank as usize] += 1;
        Ok(())
    }

    /// All ranks must have all chunks.
    fn end(&self) -> Result<()> {
        let total = self.total;
        match self.count.iter().position(|&count| count < total) {
            Some(rank) => wrong(format!(
                "rank {rank} ends with {} of {total} chunks",
                self.count[rank]
            )),
            None => Ok(()),
        }
    }
}

/// What rounds cost: the most that a link takes for its chunks, the longest latency, the starting of messages.
pub(super) struct RoundCosts {
    on_link: Vec<u32>,
    sent_to: Vec<(u32, u32)>,
}

impl RoundCosts {
    pub(super) fn new(network: &Network) -> Self {
        Self {
            on_link: vec![0; network.links.len()],
            sent_to: Vec::new(),
        }
    }

    pub(super) fn parts(
        &mut self,
        network: &Network,
        round: &[Delivery],
        bytes: f64,
        control: &Control,
    ) -> Result<Parts> {
        let mut parts = Parts::default();
        for (at, delivery) in round.iter().enumerate() {
            control.check_at(at)?;
            let (on, wire) = (
                &mut self.on_link[delivery.link as usize],
                &network.links[delivery.link as usize],
            );
            *on += 1;
            parts.wire = parts.wire.max(f64::from(*on) * bytes / wire.bandwidth);
            parts.latency = parts.latency.max(wire.latency);
        }
        for (at, delivery) in round.iter().enumerate() {
            control.check_at(at)?;
            self.on_link[delivery.link as usize] = 0;
        }
        if network.overhead > 0.0 {
            let ends =
                |delivery: &Delivery| network.starter(&network.links[delivery.link as usize]);
            self.sent_to.clear();
            self.sent_to.extend(round.iter().map(ends));
            self.sent_to.sort_unstable();
            self.sent_to.dedup();
            let alike = self.sent_to.chunk_by(|a, b| a.0 == b.0);
            let most = alike.map(<[_]>::len).max().unwrap_or(0);
            parts.overhead = most as f64 * network.overhead;
        }
        Ok(parts)
    }
}
