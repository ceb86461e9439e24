//! What a schedule is made of: stages one after another, each of phases, each of patterns that run together.
//!
//! Data may be cut into chunks that follow each other through the stages (one chunk in its site's network
//! while the next is in its UltraServer), and a track may cut its share again into pieces that follow each
//! other through its phases. `cost.rs` chooses how finely.

use super::pattern::Pattern;
use std::rc::Rc;

/// A pattern with the bytes of each of its messages.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) pattern: Rc<Pattern>,
    pub(crate) bytes: f64,
}

/// How often a phase happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Repeat {
    /// So many steps, each waiting for the one before; `bytes` is per step.
    Steps(u64),
    /// A pipeline, all of it busy at once with pieces of the data; `bytes` is of all pieces.
    Wave {
        /// Messages on the longest way through the pipeline, each of which waits for the one before.
        hops: u64,
        /// Seconds of latency on the slowest way through.
        latency: f64,
    },
}

/// What happens at the same time.
#[derive(Debug, Clone)]
pub(crate) struct Phase {
    pub(crate) what: String,
    pub(crate) parts: Vec<Part>,
    pub(crate) repeat: Repeat,
}

/// Phases that follow each other. Tracks of a stage use different links, and the longest counts.
#[derive(Debug, Clone)]
pub(crate) struct Track {
    pub(crate) phases: Vec<Phase>,
    /// Pieces of the data may be in different phases at once.
    pub(crate) overlap: bool,
}

/// Tracks that run side by side on one tier of the machine.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) tier: &'static str,
    pub(crate) tracks: Vec<Track>,
}

impl Phase {
    pub(crate) fn steps(what: impl Into<String>, parts: Vec<Part>, count: u64) -> Self {
        Self {
            what: what.into(),
            parts,
            repeat: Repeat::Steps(count),
        }
    }

    pub(crate) fn wave(what: impl Into<String>, parts: Vec<Part>, hops: u64, latency: f64) -> Self {
        Self {
            what: what.into(),
            parts,
            repeat: Repeat::Wave { hops, latency },
        }
    }
}

impl Part {
    pub(crate) fn new(pattern: &Rc<Pattern>, bytes: f64) -> Self {
        Self {
            pattern: Rc::clone(pattern),
            bytes,
        }
    }
}

impl Stage {
    /// One track of phases that follow each other.
    pub(crate) fn of(tier: &'static str, phases: Vec<Phase>) -> Self {
        Self {
            tier,
            tracks: vec![Track {
                phases,
                overlap: false,
            }],
        }
    }

    /// One track whose phases overlap by pieces.
    pub(crate) fn overlapping(tier: &'static str, phases: Vec<Phase>) -> Self {
        Self {
            tier,
            tracks: vec![Track {
                phases,
                overlap: true,
            }],
        }
    }
}
