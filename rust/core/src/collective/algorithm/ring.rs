//! Rings: each rank passes on to the next what it got from the one before.
//!
//! All-reduce on p ranks: 2(p-1) steps of S/p (textbook; Patarasuk and Yuan 2009). Both ways at once, each
//! direction carries half.

use super::{Job, unsupported};
use crate::Result;
use crate::collective::operation::Operation;
use crate::collective::pattern::Pattern;
use crate::collective::placement::Placement;
use crate::collective::schedule::{Part, Phase, Stage};
use std::rc::Rc;

/// The patterns that make up one ring in one direction.
pub(crate) type Ring = Vec<Rc<Pattern>>;

/// Whether a ring is used in one direction or in both at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ways {
    One,
    Both,
}

pub(crate) fn both_ways(job: &Job) -> Result<Vec<Stage>> {
    build(job, "ring", Ways::Both)
}

pub(crate) fn one_way(job: &Job) -> Result<Vec<Stage>> {
    build(job, "ring_one_way", Ways::One)
}

fn build(job: &Job, name: &str, ways: Ways) -> Result<Vec<Stage>> {
    let ring = job.placement.in_ring_order(job.context.machine);
    let phases = match job.operation {
        Operation::Broadcast | Operation::Reduce => chain(job, &ring, ways)?,
        Operation::AllToAll => relay(job, &ring, ways)?,
        _ => {
            let ranks = job.placement.ranks();
            let links = directions(job, &ring, ways)?;
            rotate(job, name, &links, ranks)?
        }
    };
    Ok(vec![Stage::of(job.tier, phases)])
}

/// The ring's patterns: to the next rank, and with [`Ways::Both`] to the one before too.
fn directions(job: &Job, ring: &Placement, ways: Ways) -> Result<Vec<Ring>> {
    let ranks = ring.ranks() as u32;
    let forward: Vec<(u32, u32)> = (0..ranks).map(|rank| (rank, (rank + 1) % ranks)).collect();
    let mut patterns = vec![vec![ring.pattern(job.context, &forward)?]];
    if ways == Ways::Both {
        let backward: Vec<(u32, u32)> = forward.iter().map(|&(from, to)| (to, from)).collect();
        patterns.push(vec![ring.pattern(job.context, &backward)?]);
    }
    Ok(patterns)
}

/// The phases of reduce-scatter, all-gather or both over rings that share the data evenly.
pub(crate) fn rotate(job: &Job, name: &str, rings: &[Ring], ranks: usize) -> Result<Vec<Phase>> {
    let bytes = job.size / ranks as f64 / rings.len() as f64;
    let parts: Vec<Part> = rings
        .iter()
        .flatten()
        .map(|pattern| Part::new(pattern, bytes))
        .collect();
    let steps = ranks as u64 - 1;
    let phase = |what: &str| Phase::steps(what, parts.clone(), steps);
    match job.operation {
        Operation::ReduceScatter => Ok(vec![phase("reduce-scatter")]),
        Operation::AllGather => Ok(vec![phase("all-gather")]),
        Operation::AllReduce => Ok(vec![phase("reduce-scatter"), phase("all-gather")]),
        other => Err(unsupported(name, other)),
    }
}

/// Broadcast or reduce along the ring from the root, cut into pieces that follow each other.
fn chain(job: &Job, ring: &Placement, ways: Ways) -> Result<Vec<Phase>> {
    let ranks = job.placement.ranks() as u32;
    let ring = ring.rooted_as(job.placement, job.root);
    let forward_hops = if ways == Ways::Both {
        ranks / 2
    } else {
        ranks - 1
    };
    let mut sends: Vec<(u32, u32)> = (0..forward_hops).map(|rank| (rank, rank + 1)).collect();
    sends.extend((0..ranks - 1 - forward_hops).map(|hop| ((ranks - hop) % ranks, ranks - hop - 1)));
    let latency = ring.tree_latency(job.context, &sends)?;
    let what = if job.operation == Operation::Reduce {
        sends.iter_mut().for_each(|send| *send = (send.1, send.0));
        "reduce along the ring"
    } else {
        "broadcast along the ring"
    };
    let pattern = ring.pattern(job.context, &sends)?;
    let parts = vec![Part::new(&pattern, job.size)];
    let hops = u64::from(forward_hops);
    Ok(vec![Phase::wave(what, parts, hops, latency)])
}

/// All-to-all by neighbours: step s passes on the shares that have further to go. Steps shrink by one share
/// each; the phase states their mean, which costs the same in total.
fn relay(job: &Job, ring: &Placement, ways: Ways) -> Result<Vec<Phase>> {
    let ranks = job.placement.ranks() as f64;
    let links = directions(job, ring, ways)?;
    let (steps, shares) = match ways {
        Ways::One => (ranks - 1.0, ranks * (ranks - 1.0) / 2.0),
        // Distances 1 to p/2 each way; at p/2 exactly, half goes each way: floor(p^2 / 4) / 2 shares.
        Ways::Both => ((ranks / 2.0).floor(), (ranks * ranks / 4.0).floor() / 2.0),
    };
    let bytes = job.size / ranks * shares / steps;
    let parts = links
        .iter()
        .flatten()
        .map(|pattern| Part::new(pattern, bytes))
        .collect();
    Ok(vec![Phase::steps(
        "all-to-all by neighbours",
        parts,
        steps as u64,
    )])
}
