//! Rings on which each share goes by its shorter way: after floor(p / 2) steps everyone has met everyone, where shares
//! that go all the way round take p - 1.
//!
//! Every rank passes a share on to either side at each step, so links carry as many bytes as with halves of shares both
//! ways round. Of an even number of ranks the opposite one's share goes half each way, in a step of half the bytes. A
//! reduce-scatter is the all-gather backwards.

use super::job::{Job, unsupported};
use super::ring::{Directions, rings_of};
use crate::collective::program::moves::{Moves, Space};
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::operation::Operation;
use crate::{Error, Result};
use std::sync::Arc;

pub(crate) fn half_ring(job: &Job) -> Result<Vec<Stage>> {
    let ranks = job.placement.ranks() as u32;
    if ranks < 3 {
        return Err(Error::unsupported(
            format!("half_ring over {ranks} ranks"),
            "use ring: of two ranks each is next to the other either way",
        ));
    }
    let ring = job.placement.in_ring_order(job.context)?;
    let rings = rings_of(job, &ring, Directions::Both)?;
    let steps = ranks / 2;
    // Shares of a message at each step, by how far behind its sender their ranks are.
    let last = if ranks % 2 == 0 { 0.5 } else { 1.0 };
    let mean = (f64::from(steps - 1) + last) / f64::from(steps);
    let phase = |what: &str, reduce: bool| {
        // Backwards a step is as far from the end as it was from the start.
        let distance = move |step: u64| match reduce {
            true => steps - 1 - step as u32,
            false => step as u32,
        };
        let halved = move |step: u64| last < 1.0 && distance(step) == steps - 1;
        let mut parts = Vec::new();
        for (way, ring) in (0u32..).zip(&rings) {
            let forward = !ring.backward;
            let carry = move |step: u64, from: u32, _: u32| {
                let far = distance(step);
                // A sum on its way to its owner is as far ahead as a copy was behind, of the rank before.
                let owner = match (reduce, forward) {
                    (false, true) => from + ranks - far,
                    (false, false) => from + far,
                    (true, true) => from + far + 1,
                    (true, false) => from + ranks - far - 1,
                };
                let slices = (0..2).filter(|&slice| !halved(step) || slice == way);
                slices.map(|slice| slice * ranks + owner % ranks).collect()
            };
            for (pattern, moves) in &ring.patterns {
                let moves = Moves {
                    carry: Arc::new(carry),
                    ..moves.clone()
                };
                let size = move |step: u64| {
                    if halved(step) {
                        last / mean
                    } else {
                        1.0 / mean
                    }
                };
                // Both ways in one lane: a rank's share is whole when both sums are there.
                let moves = moves.each_of(u64::from(steps)).reducing(reduce).sized(size);
                parts.push(Part::new(
                    pattern,
                    job.size / f64::from(ranks) * mean,
                    moves,
                ));
            }
        }
        Phase::steps(what, parts, u64::from(steps))
    };
    let scatter = || phase("reduce-scatter", true);
    let gather = || phase("all-gather", false);
    let phases = match job.operation {
        Operation::ReduceScatter => vec![scatter()],
        Operation::AllGather => vec![gather()],
        Operation::AllReduce => vec![scatter(), gather()],
        other => return Err(unsupported("half_ring", other)),
    };
    Ok(vec![Stage::of(job.tier, Space::new(2, ranks), phases)])
}
