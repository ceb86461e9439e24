//! Rings: each rank passes on to the next what it got from the one before.
//!
//! All-reduce on p ranks: 2(p-1) steps of S/p (textbook; Patarasuk and Yuan 2009). Both ways at once, each
//! direction carries half.

use super::job::{Job, unsupported};
use crate::Result;
use crate::collective::pattern::context::Pattern;
use crate::collective::pattern::rule::{Order, Rule};
use crate::collective::program::moves::{Moves, Sends, Space};
use crate::collective::program::placement::Placement;
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::operation::Operation;
use std::sync::Arc;

/// One ring in one direction: its patterns, each with moves that [`rotate`] completes, and where the ring passes.
pub(crate) struct Ring {
    pub(crate) patterns: Vec<(Arc<Pattern>, Moves)>,
    /// Place of a rank on the ring.
    pub(crate) place_of: Lookup,
    /// Rank at a place.
    pub(crate) rank_at: Lookup,
    /// Towards lower places.
    pub(crate) backward: bool,
}

/// From ranks to places or back.
pub(crate) type Lookup = Arc<dyn Fn(u32) -> u32 + Send + Sync>;

/// Whether a ring is used in one direction or in both at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Directions {
    One,
    Both,
}

pub(crate) fn both_ways(job: &Job) -> Result<Vec<Stage>> {
    build(job, "ring", Directions::Both)
}

pub(crate) fn one_way(job: &Job) -> Result<Vec<Stage>> {
    build(job, "ring_one_way", Directions::One)
}

fn build(job: &Job, name: &str, directions: Directions) -> Result<Vec<Stage>> {
    let ring = job.placement.in_ring_order(job.context)?;
    match job.operation {
        Operation::Broadcast | Operation::Reduce => chain(job, &ring, directions),
        Operation::AllToAll => relay(job, &ring, directions),
        _ => {
            let rings = rings_of(job, &ring, directions)?;
            rotate(job, name, &rings, job.placement.ranks())
        }
    }
}

/// The ring towards the next rank, and with [`Directions::Both`] towards the one before too.
pub(super) fn rings_of(job: &Job, ring: &Placement, directions: Directions) -> Result<Vec<Ring>> {
    let ranks = ring.ranks() as u32;
    let one = |backward: bool| -> Result<Ring> {
        let sends = match backward {
            true => Sends::turn(ranks, -1, Order::Receivers),
            false => Sends::turn(ranks, 1, Order::Senders),
        };
        let pattern = ring.pattern(job.context, &sends)?;
        let moves = Moves::new(ring, sends, |_, _, _| Vec::new());
        Ok(Ring {
            patterns: vec![(pattern, moves)],
            place_of: Arc::new(|rank| rank),
            rank_at: Arc::new(|place| place),
            backward,
        })
    };
    let mut rings = vec![one(false)?];
    // Of two ranks, each is next to the other either way: a second ring would send the same messages again.
    if directions == Directions::Both && ranks > 2 {
        rings.push(one(true)?);
    }
    Ok(rings)
}

/// Reduce-scatter, all-gather or both over rings that share the data evenly, a slice and a lane each.
///
/// At step s of a reduce-scatter a rank passes on the share of the rank that is s + 1 places behind it, which
/// ends at its owner; of an all-gather that of the rank s places behind.
pub(crate) fn rotate(job: &Job, name: &str, rings: &[Ring], ranks: usize) -> Result<Vec<Stage>> {
    let bytes = job.size / ranks as f64 / rings.len() as f64;
    let steps = ranks as u64 - 1;
    let phase = |what: &str, reduce: bool| {
        let mut parts = Vec::new();
        for (slice, ring) in rings.iter().enumerate() {
            for (pattern, moves) in &ring.patterns {
                let (place_of, rank_at) = (Arc::clone(&ring.place_of), Arc::clone(&ring.rank_at));
                let (count, back, late) = (ranks as u64, ring.backward, u64::from(reduce));
                let first = (slice * ranks) as u32;
                let carry = move |step: u64, from: u32, _: u32| {
                    let behind = (step + late) % count;
                    let ahead = if back { behind } else { count - behind };
                    let at = (u64::from(place_of(from)) + ahead) % count;
                    vec![first + rank_at(at as u32)]
                };
                let moves = Moves {
                    carry: Arc::new(carry),
                    ..moves.clone()
                };
                let moves = moves.in_lane(slice as u32).each_of(steps).reducing(reduce);
                parts.push(Part::new(pattern, bytes, moves));
            }
        }
        Phase::steps(what, parts, steps)
    };
    let scatter = || phase("reduce-scatter", true);
    let gather = || phase("all-gather", false);
    let phases = match job.operation {
        Operation::ReduceScatter => vec![scatter()],
        Operation::AllGather => vec![gather()],
        Operation::AllReduce => vec![scatter(), gather()],
        other => return Err(unsupported(name, other)),
    };
    let space = Space::new(rings.len() as u32, ranks as u32);
    Ok(vec![Stage::of(job.tier, space, phases)])
}

/// Broadcast or reduce along the ring from the root, cut into pieces that follow each other.
fn chain(job: &Job, ring: &Placement, directions: Directions) -> Result<Vec<Stage>> {
    let ranks = job.placement.ranks() as u32;
    let ring = ring.rooted_as(job.placement, job.root);
    let forward_hops = if directions == Directions::Both {
        ranks / 2
    } else {
        ranks - 1
    };
    let backward_hops = ranks - 1 - forward_hops;
    let hops = move || -> Vec<(u32, u32)> {
        let ahead = (0..forward_hops).map(|rank| (rank, rank + 1));
        let back = (0..backward_hops).map(|hop| ((ranks - hop) % ranks, ranks - hop - 1));
        ahead.chain(back).collect()
    };
    let chains = [(forward_hops, 0), (0, backward_hops)];
    let chains = chains.map(|(ahead, back)| Rule::chain(ranks, ahead, back));
    let latency = match ring.chain_latency(job.context, &chains) {
        Some(latency) => latency,
        None => ring.tree_latency(job.context, &hops())?,
    };
    let reduce = job.operation == Operation::Reduce;
    let rule = Rule::chain(ranks, forward_hops, backward_hops);
    let (what, rule) = if reduce {
        ("reduce along the ring", rule.back())
    } else {
        ("broadcast along the ring", rule)
    };
    let steps = move || {
        let last = forward_hops.max(backward_hops) - 1;
        let hops = (0..forward_hops).chain(0..backward_hops);
        hops.map(|hop| if reduce { last - hop } else { hop })
            .collect()
    };
    let directed = move |(from, to): (u32, u32)| if reduce { (to, from) } else { (from, to) };
    let sends = Sends::Lazy {
        count: ranks as usize - 1,
        make: Arc::new(move || hops().into_iter().map(directed).collect()),
        rule: None,
    };
    let sends = sends.ruled(rule);
    let pattern = ring.pattern(job.context, &sends)?;
    let moves = Moves::new(&ring, sends, |_, _, _| vec![0])
        .once(steps)
        .reducing(reduce);
    let parts = vec![Part::new(&pattern, job.size, moves)];
    let phase = Phase::wave(what, parts, u64::from(forward_hops), latency);
    Ok(vec![Stage::of(job.tier, Space::WHOLE, vec![phase])])
}

/// All-to-all by neighbours: step s passes on the shares that have further to go, and so shrinks by one share each.
fn relay(job: &Job, ring: &Placement, directions: Directions) -> Result<Vec<Stage>> {
    let ranks = job.placement.ranks() as u32;
    let rings = rings_of(job, ring, directions)?;
    let directions = if ranks == 2 {
        Directions::One
    } else {
        directions
    };
    let (steps, reach) = match directions {
        Directions::One => (ranks - 1, ranks - 1),
        Directions::Both => (ranks / 2, ranks / 2),
    };
    // Shares that pass a link at a step; those that are as far one way as the other go half each way.
    let halved = directions == Directions::Both && ranks % 2 == 0;
    let at_step = move |step: u64| f64::from(reach) - step as f64 - if halved { 0.5 } else { 0.0 };
    let shares: f64 = (0..u64::from(steps)).map(at_step).sum();
    let mean = shares / f64::from(steps);
    let mut parts = Vec::new();
    for (lane, ring) in rings.iter().enumerate() {
        let backward = ring.backward;
        let carry = move |step: u64, from: u32, _: u32| {
            let step = step as u32;
            let behind = if backward { step } else { ranks - step };
            let src = (from + behind) % ranks;
            let mut blocks = Vec::new();
            for distance in step + 1..=reach {
                let ahead = if backward { ranks - distance } else { distance };
                let block = src * ranks + (src + ahead) % ranks;
                let both = !halved || distance < reach;
                blocks.extend((0..2).filter_map(|slice: u32| {
                    (both || slice == lane as u32).then_some(slice * ranks * ranks + block)
                }));
            }
            blocks
        };
        for (pattern, moves) in &ring.patterns {
            let moves = Moves {
                carry: Arc::new(carry),
                ..moves.clone()
            };
            let moves = moves
                .in_lane(lane as u32)
                .each_of(u64::from(steps))
                .sized(move |step| at_step(step) / mean);
            parts.push(Part::new(
                pattern,
                job.size / f64::from(ranks) * mean,
                moves,
            ));
        }
    }
    let phase = Phase::steps("all-to-all by neighbours", parts, u64::from(steps));
    let space = Space::new(2, ranks.saturating_mul(ranks));
    Ok(vec![Stage::of(job.tier, space, vec![phase])])
}
