//! Each rank to one other rank a step, or to so many at a time: what MPI libraries do where `direct` sends all at once.

use super::grid::listed;
use super::job::{Job, few_steps, unsupported};
use crate::Result;
use crate::collective::pattern::rule::Order;
use crate::collective::program::moves::{Moves, Sends, Space};
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::operation::Operation;
use std::sync::Arc;

/// Messages that a rank has under way at most (MPICH's `MPIR_CVAR_ALLTOALL_THROTTLE`).
const AT_ONCE: u32 = 32;

/// In step s of p - 1 every rank sends to the one s further on, the same step for step from the one s before.
pub(crate) fn pairwise(job: &Job) -> Result<Vec<Stage>> {
    let ranks = job.placement.ranks() as u32;
    few_steps("pairwise", ranks, ranks - 1)?;
    let reduce = match job.operation {
        Operation::AllToAll => false,
        Operation::ReduceScatter => true,
        other => return Err(unsupported("pairwise", other)),
    };
    let step = |ahead: u32| {
        let sends = Sends::turn(ranks, i64::from(ahead), Order::Senders);
        phase(
            job,
            sends,
            reduce,
            format!("to the rank {ahead} further on"),
        )
    };
    let phases = (1..ranks).map(step).collect::<Result<_>>()?;
    Ok(vec![Stage::of(job.tier, space(job, ranks), phases)])
}

/// All-to-all with the ranks 1 to 31 before, all at once, then with those 32 to 63 before, and so on.
pub(crate) fn linear_sync(job: &Job) -> Result<Vec<Stage>> {
    let ranks = job.placement.ranks() as u32;
    few_steps("linear_sync", ranks, ranks - 1)?;
    if job.operation != Operation::AllToAll {
        return Err(unsupported("linear_sync", job.operation));
    }
    let round = |at: u32| {
        let first = (at * AT_ONCE).max(1);
        let end = ((at + 1) * AT_ONCE).min(ranks);
        let make = move || -> Vec<(u32, u32)> {
            let to =
                |rank: u32| (first..end).map(move |behind| (rank, (rank + ranks - behind) % ranks));
            (0..ranks).flat_map(to).collect()
        };
        let sends = Sends::Lazy {
            count: (ranks * (end - first)) as usize,
            make: Arc::new(make),
            rule: None,
        };
        let what = format!("to the ranks {first} to {} before", end - 1);
        phase(job, sends, false, what)
    };
    let rounds = 0..ranks.div_ceil(AT_ONCE);
    let phases = rounds.map(round).collect::<Result<_>>()?;
    Ok(vec![Stage::of(job.tier, space(job, ranks), phases)])
}

fn space(job: &Job, ranks: u32) -> Space {
    match job.operation {
        Operation::AllToAll => Space::new(1, ranks.saturating_mul(ranks)),
        _ => Space::new(1, ranks),
    }
}

/// One step of messages that carry what their receiver is to have of the sender's.
fn phase(job: &Job, sends: Sends, reduce: bool, what: String) -> Result<Phase> {
    let ranks = job.placement.ranks() as u32;
    let pattern = job.placement.pattern(job.context, &sends)?;
    let carry = move |_: u64, from: u32, to: u32| match reduce {
        true => vec![to],
        false => vec![from * ranks + to],
    };
    let moves = Moves::new(job.placement, sends, carry).reducing(reduce);
    let part = Part::new(&pattern, job.size / f64::from(ranks), moves);
    Ok(Phase::steps(what, vec![part], 1))
}

/// The same over all chips of several domains, which are listed.
pub(super) fn pairwise_across(job: &Job, _: &[Vec<u32>], _: &[Vec<u32>]) -> Result<Vec<Stage>> {
    listed(job, pairwise)
}

/// The same over all chips of several domains, which are listed.
pub(super) fn linear_sync_across(job: &Job, _: &[Vec<u32>], _: &[Vec<u32>]) -> Result<Vec<Stage>> {
    listed(job, linear_sync)
}
