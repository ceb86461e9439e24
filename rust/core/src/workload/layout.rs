//! How a job is cut into ranks.

use super::order::Order;
use crate::pipeline::Schedule;

/// How ranks that share a sequence see each other's keys and values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// They pass them round a ring.
    Ring,
    /// Each gathers all of them.
    AllGather,
    /// They trade sequence for heads (Ulysses).
    AllToAll,
}

/// A parallel layout.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Ranks that share matrices.
    pub tp: u32,
    /// Pipeline stages.
    pub pp: u32,
    /// Ranks that share a sequence.
    pub cp: u32,
    /// Replicas, each of tp x cp x pp ranks.
    pub dp: u32,
    /// Ranks that share the experts of a layer.
    pub ep: u32,
    /// Ranks that share one expert's matrices.
    pub etp: u32,
    /// What replicas share: 0 nothing, 1 what the optimizer keeps, 2 gradients too, 3 weights too.
    pub zero: u8,
    /// Of how many of the replicas' ranks (dp x cp) each number's parts are; 0 for all of them.
    pub shard: u32,
    /// Sequences that go through a stage at once.
    pub microbatch: u32,
    /// In which order stages work.
    pub schedule: Schedule,
    /// Chunks of layers a stage holds.
    pub virtual_stages: u32,
    /// Whether ranks that share matrices share rows between them.
    pub sequence_parallel: bool,
    /// How ranks that share a sequence do it.
    pub context: Context,
    /// Which ranks are next to each other.
    pub order: Order,
    /// Layers of each chunk; empty to share them evenly.
    pub split: Vec<u32>,
    /// Whether collectives hide behind what the machine's software computes meanwhile.
    pub overlap: bool,
    /// Islands of replicas that add up what they learnt every so many steps; 1 and 1 for none.
    pub islands: u32,
    /// See `islands`.
    pub outer_every: u32,
}

impl Layout {
    /// Ranks that share rows between matrices.
    pub(super) fn row_ranks(&self) -> f64 {
        if self.sequence_parallel {
            f64::from(self.tp)
        } else {
            1.0
        }
    }

    /// Ranks over which gradients of dense parts are added up.
    pub(super) fn replicas(&self) -> u32 {
        self.dp * self.cp
    }

    /// Replicas of each expert.
    pub(super) fn expert_replicas(&self) -> u32 {
        self.tp * self.cp * self.dp / (self.ep * self.etp)
    }

    /// Copies that replicas keep of what they share.
    pub(super) fn copies(&self) -> u32 {
        match self.shard {
            0 => 1,
            some => self.replicas() / some,
        }
    }

    /// Ranks in all.
    pub fn ranks(&self) -> u64 {
        [self.tp, self.cp, self.dp, self.pp, self.islands]
            .map(u64::from)
            .iter()
            .product()
    }
}
