//! PAT, parallel aggregated trees (arXiv 2506.20252): a binomial tree from every rank at once, farthest step first,
//! with messages of the trees that go the same way joined; any number of ranks, ceil(log2 p) steps. This is its form
//! for messages that fit the buffers whole.

use super::job::{Job, unsupported};
use crate::Result;
use crate::collective::pattern::rule::Order;
use crate::collective::program::moves::{Moves, Sends, Space};
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::operation::Operation;

pub(crate) fn pat(job: &Job) -> Result<Vec<Stage>> {
    let ranks = job.placement.ranks() as u32;
    let distances = std::iter::successors(Some(1u32), |distance| Some(distance * 2))
        .take_while(|&distance| distance < ranks);
    let distances: Vec<u32> = distances.collect();
    let scatter = distances.iter().map(|&reach| step(job, reach, true));
    let gather = distances.iter().rev().map(|&reach| step(job, reach, false));
    let phases = match job.operation {
        Operation::AllReduce => scatter.chain(gather).collect::<Result<_>>()?,
        Operation::AllGather => gather.collect::<Result<_>>()?,
        Operation::ReduceScatter => scatter.collect::<Result<_>>()?,
        other => return Err(unsupported("pat", other)),
    };
    Ok(vec![Stage::of(job.tier, Space::new(1, ranks), phases)])
}

/// A step of an all-gather: a share that is a multiple of 2 x reach ranks from its owner, and not past the end with
/// reach more, goes on to the rank reach further. Backwards and reducing, it is a step of a reduce-scatter.
fn step(job: &Job, reach: u32, reduce: bool) -> Result<Phase> {
    let ranks = job.placement.ranks() as u32;
    let sends = match reduce {
        true => Sends::turn(ranks, -i64::from(reach), Order::Receivers),
        false => Sends::turn(ranks, i64::from(reach), Order::Senders),
    };
    let passing = move || (0..ranks - reach).step_by(2 * reach as usize);
    let count = passing().count();
    let pattern = job.placement.pattern(job.context, &sends)?;
    let carry = move |_: u64, from: u32, to: u32| {
        let near = if reduce { to } else { from };
        let shares = passing().map(|travelled| (near + ranks - travelled) % ranks);
        shares.collect()
    };
    let moves = Moves::new(job.placement, sends, carry).reducing(reduce);
    let bytes = job.size / f64::from(ranks) * count as f64;
    let what = if reduce { "reduce" } else { "gather" };
    Ok(Phase::steps(
        format!("{what} over distance {reach}"),
        vec![Part::new(&pattern, bytes, moves)],
        1,
    ))
}
