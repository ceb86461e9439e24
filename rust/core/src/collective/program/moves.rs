//! What messages carry: which ranks send which blocks of the data, step by step.
//!
//! A pattern says what a phase puts on links; its moves say what the phase means. The data of a track is cut into
//! slices (parts that travel by ways of their own, such as the two directions of a ring) and each slice into shares
//! (one a rank where the operation scatters or gathers, one in all where whole buffers move). Block `slice x shares +
//! share` is the unit that messages carry. Every algorithm lets rank r end a reduce-scatter with share r of each
//! slice and start an all-gather with it, so that any two fit together.

use super::placement::Placement;
use super::rank_map::{RankKind, RankMap};
pub(crate) use crate::collective::pattern::pairs::Sends;
use crate::weigh::Scale;
use std::sync::{Arc, LazyLock};

/// How the data of a track is cut into blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) slices: u32,
    pub(crate) shares: u32,
}

impl Space {
    /// Whole buffers.
    pub(crate) const WHOLE: Self = Self {
        slices: 1,
        shares: 1,
    };

    pub(crate) fn new(slices: u32, shares: u32) -> Self {
        Self { slices, shares }
    }
}

/// In which steps of its phase a message is sent.
#[derive(Debug, Clone)]
pub(crate) enum Steps {
    /// Each message in each of the first so many steps.
    Each(u64),
    /// Each message once, in a step of its own.
    Once(Arc<StepsMade>),
}

/// The step of each message, made when it is asked for.
pub(crate) type StepsMade = LazyLock<Vec<u32>, Box<dyn FnOnce() -> Vec<u32> + Send + Sync>>;

/// Blocks of a message, by step, sender and receiver.
pub(crate) type Carry = Arc<dyn Fn(u64, u32, u32) -> Vec<u32> + Send + Sync>;

/// Bytes of what says which blocks or steps messages have, about.
const CARRIER: u64 = 128;

/// Bytes of a step's messages over the mean of all steps of the phase.
pub(crate) type Factor = Arc<dyn Fn(u64) -> f64 + Send + Sync>;

/// Where ranks stand for domains or for local chips: which blocks of the other of the two a message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of them.
    All,
    /// Those of the rank itself.
    Own,
}

/// What the messages of one part of a phase carry.
#[derive(Clone)]
pub(crate) struct Moves {
    pub(crate) sends: Sends,
    pub(crate) steps: Steps,
    /// Messages of one lane wait for each other, rank by rank, from step to step and from phase to phase; lanes do
    /// not wait for each other.
    pub(crate) lane: u32,
    /// What arrives is added to what is there; otherwise it takes its place.
    pub(crate) reduce: bool,
    pub(crate) carry: Carry,
    pub(crate) factor: Option<Factor>,
    pub(crate) rank_map: Arc<RankMap>,
    pub(crate) scope: Scope,
}

impl std::fmt::Debug for Moves {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Moves")
            .field("sends", &self.sends)
            .field("steps", &self.steps)
            .field("lane", &self.lane)
            .field("reduce", &self.reduce)
            .finish_non_exhaustive()
    }
}

impl Moves {
    /// Counts what they take.
    pub(crate) fn weigh(&self, on: &mut Scale) {
        on.one::<Self>(0);
        self.sends.weigh(on);
        on.shared(&self.rank_map, |rank_map, on| {
            on.one::<RankMap>(0);
            on.lists(&rank_map.groups);
        });
        on.shared(&self.carry, |_, on| on.add(CARRIER));
        if let Steps::Once(steps) = &self.steps {
            on.shared(steps, |_, on| on.add(CARRIER));
        }
    }

    /// Messages between ranks of `placement`, once each, in lane 0, that replace what is there.
    pub(crate) fn new(
        placement: &Placement,
        sends: Sends,
        carry: impl Fn(u64, u32, u32) -> Vec<u32> + Send + Sync + 'static,
    ) -> Self {
        Self::between(placement.rank_map(), sends, carry)
    }

    /// The same between the ranks that `rank_map` tells.
    pub(crate) fn between(
        rank_map: Arc<RankMap>,
        sends: Sends,
        carry: impl Fn(u64, u32, u32) -> Vec<u32> + Send + Sync + 'static,
    ) -> Self {
        let scope = match rank_map.kind {
            RankKind::Rails => Scope::Own,
            _ => Scope::All,
        };
        Self {
            sends,
            steps: Steps::Each(1),
            lane: 0,
            reduce: false,
            carry: Arc::new(carry),
            factor: None,
            rank_map,
            scope,
        }
    }

    pub(crate) fn reducing(self, reduce: bool) -> Self {
        Self { reduce, ..self }
    }

    pub(crate) fn in_lane(self, lane: u32) -> Self {
        Self { lane, ..self }
    }

    pub(crate) fn each_of(self, steps: u64) -> Self {
        Self {
            steps: Steps::Each(steps),
            ..self
        }
    }

    pub(crate) fn once(self, steps: impl FnOnce() -> Vec<u32> + Send + Sync + 'static) -> Self {
        Self {
            steps: Steps::Once(Arc::new(LazyLock::new(Box::new(steps)))),
            ..self
        }
    }

    /// Messages whose bytes differ from step to step; the mean of `factor` over the steps of the phase is 1.
    pub(crate) fn sized(self, factor: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Self {
        Self {
            factor: Some(Arc::new(factor)),
            ..self
        }
    }

    /// Bytes of a message at `step` over the mean of its phase.
    pub(crate) fn factor(&self, step: u64) -> f64 {
        self.factor.as_ref().map_or(1.0, |factor| factor(step))
    }
}
