//! What a schedule is made of: stages one after another, each of phases, each of patterns that run together.
//!
//! Data may be cut into chunks that follow each other through the stages (one chunk in its site's network
//! while the next is in its UltraServer), and a track may cut its share again into pieces that follow each
//! other through its phases. `cost.rs` chooses how finely.

use super::moves::{Moves, Scope, Space};
use crate::collective::pattern::context::Pattern;
use crate::machine::Machine;
use crate::memory::bytes_of;
use crate::weigh::Scale;
use std::sync::Arc;

/// A pattern with the bytes of each of its messages (the mean over the steps of its phase), and what they carry.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) pattern: Arc<Pattern>,
    pub(crate) bytes: f64,
    /// What its messages carry: those of the pattern are those of the moves, one after another, in every group.
    pub(crate) moves: Vec<Moves>,
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
    /// How the data is cut into blocks.
    pub(crate) space: Space,
    /// Part of the data that each slice is; empty where they are equal.
    pub(crate) portions: Arc<[f64]>,
    /// Each of its parts has senders of its own.
    pub(crate) apart: bool,
    /// A pipeline in which the busiest link lies on the longest way and is never idle: with fair shares too, none of its
    /// messages is slower than it is by link loads, and the last is no sooner there.
    pub(crate) steady: bool,
    /// The rings that its messages are, where every rank goes on by itself; otherwise all wait for all at each step.
    pub(crate) rings: Option<Arc<Rings>>,
}

/// Rings through the chips of several domains: along a path in each domain, then on to the next.
#[derive(Debug)]
pub(crate) struct Rings {
    /// Local chips of each group in the order in which a ring passes them.
    pub(crate) paths: Vec<Vec<u32>>,
    /// Domains of each set.
    pub(crate) sets: Arc<[Vec<u32>]>,
    /// The ways around, each a ring of its own: backwards or not.
    pub(crate) backward: Vec<bool>,
    /// Rings each way of a group, each cut at another chip of its path.
    pub(crate) cuts: usize,
    /// Phases that follow each other on the rings, each of a step less than there are ranks.
    pub(crate) rounds: u64,
}

/// Phases that follow each other. Tracks of a stage use different links, and the longest counts.
#[derive(Debug, Clone)]
pub(crate) struct Track {
    pub(crate) phases: Vec<Phase>,
    /// Pieces of the data may be in different phases at once.
    pub(crate) overlap: bool,
    /// Where else the same happens in the first group; `None` where its moves say it all.
    pub(crate) spread: Option<Spread>,
}

/// Sets of domains at which one track runs side by side; the moves name the members of the first.
#[derive(Debug, Clone)]
pub(crate) struct Spread {
    pub(crate) sets: Arc<[Vec<u32>]>,
    /// Which of the sets belong to the first group.
    pub(crate) mine: Vec<u32>,
}

/// Tracks that run side by side on one tier of the machine.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) tier: &'static str,
    pub(crate) tracks: Vec<Track>,
}

impl Rings {
    /// Ranks of each.
    pub(crate) fn ranks(&self) -> usize {
        self.paths[0].len() * self.sets[0].len()
    }

    /// Seconds that the chip at a place of a forward ring takes to start what it sends in a step.
    pub(crate) fn overhead(&self, machine: &Machine, place: usize) -> f64 {
        let (places, beyond) = (
            self.paths[0].len(),
            machine.nic().map_or(0.0, |nic| nic.overhead),
        );
        if self.cuts > 1 {
            // Each chip is the end of one of them. What goes to one other rank is started together: with two chips, and
            // two domains, both ways lead to one.
            let two = |only: bool| if only { 1.0 } else { 2.0 };
            let inside = two(self.cuts == 2) * machine.overhead();
            return inside + two(self.cuts == 2 && self.sets[0].len() == 2) * beyond;
        }
        let of_way = |&backward: &bool| {
            let end = if backward { 0 } else { places - 1 };
            match place % places == end {
                true => beyond,
                false => machine.overhead(),
            }
        };
        self.backward.iter().map(of_way).sum()
    }
}

impl Phase {
    pub(crate) fn steps(what: impl Into<String>, parts: Vec<Part>, count: u64) -> Self {
        Self {
            what: what.into(),
            parts,
            repeat: Repeat::Steps(count),
            space: Space::WHOLE,
            portions: Arc::new([]),
            apart: false,
            steady: false,
            rings: None,
        }
    }

    pub(crate) fn wave(what: impl Into<String>, parts: Vec<Part>, hops: u64, latency: f64) -> Self {
        Self {
            what: what.into(),
            parts,
            repeat: Repeat::Wave { hops, latency },
            space: Space::WHOLE,
            portions: Arc::new([]),
            apart: false,
            steady: false,
            rings: None,
        }
    }
}

impl Phase {
    /// The same with parts whose senders are others.
    pub(crate) fn of_parts_apart(self, apart: bool) -> Self {
        Self { apart, ..self }
    }

    /// The same pipeline, of which that is known.
    pub(crate) fn steady(self) -> Self {
        Self {
            steady: true,
            ..self
        }
    }

    /// What the busiest sender has of some parts and of one more.
    pub(crate) fn and_of(&self, others: f64, own: f64) -> f64 {
        match self.apart {
            true => others.max(own),
            false => others + own,
        }
    }
}

impl Part {
    pub(crate) fn new(pattern: &Arc<Pattern>, bytes: f64, moves: Moves) -> Self {
        Self::of(pattern, bytes, vec![moves])
    }

    pub(crate) fn of(pattern: &Arc<Pattern>, bytes: f64, moves: Vec<Moves>) -> Self {
        Self {
            pattern: Arc::clone(pattern),
            bytes,
            moves,
        }
    }
}

impl Spread {
    fn weigh(&self, on: &mut Scale) {
        on.lists(&self.sets);
        on.add(bytes_of::<u32>(self.mine.len() as u64));
    }
}

impl Stage {
    /// Counts what it takes.
    pub(crate) fn weigh(&self, on: &mut Scale) {
        for track in &self.tracks {
            on.one::<Track>(0);
            if let Some(spread) = &track.spread {
                spread.weigh(on);
            }
            for phase in &track.phases {
                on.one::<Phase>(phase.what.len() as u64);
                on.shared(&phase.portions, |portions, on| {
                    on.add(bytes_of::<f64>(portions.len() as u64));
                });
                for part in &phase.parts {
                    on.one::<Part>(0);
                    on.shared(&part.pattern, Pattern::weigh);
                    part.moves.iter().for_each(|moves| moves.weigh(on));
                }
            }
        }
    }

    /// One track of phases that follow each other.
    pub(crate) fn of(tier: &'static str, space: Space, phases: Vec<Phase>) -> Self {
        Self::track(tier, space, phases, false)
    }

    /// One track whose phases overlap by pieces.
    pub(crate) fn overlapping(tier: &'static str, space: Space, phases: Vec<Phase>) -> Self {
        Self::track(tier, space, phases, true)
    }

    fn track(tier: &'static str, space: Space, mut phases: Vec<Phase>, overlap: bool) -> Self {
        phases.iter_mut().for_each(|phase| phase.space = space);
        Self {
            tier,
            tracks: vec![Track {
                phases,
                overlap,
                spread: None,
            }],
        }
    }

    /// The same stage with `size` times the data.
    pub(crate) fn scaled(&self, size: f64) -> Self {
        let mut scaled = self.clone();
        let phases = scaled.tracks.iter_mut().flat_map(|track| &mut track.phases);
        for part in phases.flat_map(|phase| &mut phase.parts) {
            part.bytes *= size;
        }
        scaled
    }

    /// The same stage with slices that are these parts of the data.
    pub(crate) fn portioned(mut self, portions: &Arc<[f64]>) -> Self {
        for phase in self.tracks.iter_mut().flat_map(|track| &mut track.phases) {
            phase.portions = Arc::clone(portions);
        }
        self
    }

    /// The same stage, whose messages are those of `rings`.
    pub(crate) fn in_rings(mut self, rings: &Arc<Rings>) -> Self {
        for phase in self.tracks.iter_mut().flat_map(|track| &mut track.phases) {
            phase.rings = Some(Arc::clone(rings));
        }
        self
    }

    /// The same stage, its messages carrying other blocks than is usual for where they go.
    pub(crate) fn scoped(mut self, scope: Scope) -> Self {
        let phases = self.tracks.iter_mut().flat_map(|track| &mut track.phases);
        let parts = phases.flat_map(|phase| &mut phase.parts);
        for moves in parts.flat_map(|part| &mut part.moves) {
            moves.scope = scope;
        }
        self
    }
}
