//! Bruck (Bruck, Ho, Kipnis, Upfal and Weathersby 1997): ceil(log2 p) steps for any number of ranks, by distances
//! 1, 2, 4, ...; the last step carries what is left.

use super::job::{Job, unsupported};
use crate::Result;
use crate::collective::pattern::rule::Order;
use crate::collective::program::moves::{Moves, Sends, Space};
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::operation::Operation;

pub(crate) fn bruck(job: &Job) -> Result<Vec<Stage>> {
    let ranks = job.placement.ranks() as u32;
    let distances: Vec<u32> = std::iter::successors(Some(1u32), |distance| Some(distance * 2))
        .take_while(|&distance| distance < ranks)
        .collect();
    let scatter = || {
        distances
            .iter()
            .rev()
            .map(|&reach| gather(job, reach, true))
    };
    let collect = || distances.iter().map(|&reach| gather(job, reach, false));
    let (space, phases) = match job.operation {
        Operation::AllGather => (Space::new(1, ranks), collect().collect::<Result<_>>()?),
        Operation::ReduceScatter => (Space::new(1, ranks), scatter().collect::<Result<_>>()?),
        Operation::AllReduce => (
            Space::new(1, ranks),
            scatter().chain(collect()).collect::<Result<_>>()?,
        ),
        Operation::AllToAll => (
            Space::new(1, ranks.saturating_mul(ranks)),
            distances
                .iter()
                .map(|&reach| shift(job, reach))
                .collect::<Result<_>>()?,
        ),
        other => return Err(unsupported("bruck", other)),
    };
    Ok(vec![Stage::of(job.tier, space, phases)])
}

/// A step of an all-gather: rank r has shares r to r + reach - 1 and sends them to rank r - reach. Backwards and
/// reducing, it is a step of a reduce-scatter.
fn gather(job: &Job, reach: u32, reduce: bool) -> Result<Phase> {
    let ranks = job.placement.ranks() as u32;
    let sends = match reduce {
        true => Sends::turn(ranks, i64::from(reach), Order::Receivers),
        false => Sends::turn(ranks, -i64::from(reach), Order::Senders),
    };
    let count = reach.min(ranks - reach);
    let pattern = job.placement.pattern(job.context, &sends)?;
    let carry = move |_: u64, from: u32, to: u32| {
        let first = if reduce { to } else { from };
        (0..count).map(|share| (first + share) % ranks).collect()
    };
    let moves = Moves::new(job.placement, sends, carry).reducing(reduce);
    let bytes = job.size / f64::from(ranks) * f64::from(count);
    let what = if reduce { "reduce" } else { "gather" };
    Ok(Phase::steps(
        format!("{what} over distance {reach}"),
        vec![Part::new(&pattern, bytes, moves)],
        1,
    ))
}

/// A step of an all-to-all: what still has the bit `reach` in the distance that it travels goes that far.
fn shift(job: &Job, reach: u32) -> Result<Phase> {
    let ranks = job.placement.ranks() as u32;
    let sends = Sends::turn(ranks, i64::from(reach), Order::Senders);
    let travels = move |distance: &u32| distance & reach != 0;
    let count = (1..ranks).filter(travels).count();
    let pattern = job.placement.pattern(job.context, &sends)?;
    let carry = move |_: u64, from: u32, _: u32| {
        let blocks = (1..ranks).filter(travels).map(|distance| {
            // The lower bits of the distance are behind it.
            let src = (from + ranks - distance % reach) % ranks;
            src * ranks + (src + distance) % ranks
        });
        blocks.collect()
    };
    let moves = Moves::new(job.placement, sends, carry);
    let bytes = job.size / f64::from(ranks) * count as f64;
    Ok(Phase::steps(
        format!("shift by {reach}"),
        vec![Part::new(&pattern, bytes, moves)],
        1,
    ))
}
