//! Direct: every rank sends to every rank that needs its bytes, all at once, and the network sorts it out.

use super::grid::shift;
use super::job::{Job, unsupported};
use crate::Result;
use crate::collective::pattern::rule::Rule;
use crate::collective::program::moves::{Moves, Sends, Space};
use crate::collective::program::placement::Placement;
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::operation::Operation;
use std::sync::Arc;

/// One step for one-way operations, two (reduce-scatter, all-gather) for an all-reduce.
pub(crate) fn direct(job: &Job) -> Result<Vec<Stage>> {
    let count = job.placement.ranks();
    let ranks = count as u32;
    let share = job.size / count as f64;
    let (space, phases) = match job.operation {
        Operation::ReduceScatter
        | Operation::AllGather
        | Operation::AllToAll
        | Operation::AllReduce => {
            let all = job.placement.all_pairs(job.context)?;
            let phase = |what: &str, moves: Moves| {
                Phase::steps(what, vec![Part::new(&all, share, moves)], 1)
            };
            let scatter = || {
                let moves = Moves::new(job.placement, Sends::All, |_, _, to| vec![to]);
                phase("reduce-scatter", moves.reducing(true))
            };
            let gather = || {
                let moves = Moves::new(job.placement, Sends::All, |_, from, _| vec![from]);
                phase("all-gather", moves)
            };
            match job.operation {
                Operation::AllReduce => (Space::new(1, ranks), vec![scatter(), gather()]),
                Operation::ReduceScatter => (Space::new(1, ranks), vec![scatter()]),
                Operation::AllGather => (Space::new(1, ranks), vec![gather()]),
                _ => {
                    let carry = move |_, from, to| vec![from * ranks + to];
                    let moves = Moves::new(job.placement, Sends::All, carry);
                    let pairs = Space::new(1, ranks.saturating_mul(ranks));
                    (pairs, vec![phase("all-to-all", moves)])
                }
            }
        }
        Operation::Broadcast => (Space::WHOLE, vec![star(job, true, job.size)?]),
        Operation::Reduce => (Space::WHOLE, vec![star(job, false, job.size)?]),
        Operation::Scatter => (Space::new(1, ranks), vec![star(job, true, share)?]),
        Operation::Gather => (Space::new(1, ranks), vec![star(job, false, share)?]),
        Operation::SendRecv if !matches!(job.placement, Placement::Flat(_)) => return shift(job),
        Operation::SendRecv => {
            let count = count as i64;
            let to = |rank: i64| ((rank + job.shift).rem_euclid(count)) as u32;
            let sends: Vec<(u32, u32)> = (0..count).map(|rank| (rank as u32, to(rank))).collect();
            let sends = Sends::from(sends);
            let pattern = job.placement.pattern(job.context, &sends)?;
            let moves = Moves::new(job.placement, sends, |_, from, _| vec![from]);
            let part = Part::new(&pattern, job.size, moves);
            (
                Space::new(1, ranks),
                vec![Phase::steps("send", vec![part], 1)],
            )
        }
        Operation::Barrier => return Err(unsupported("direct", job.operation)),
    };
    Ok(vec![Stage::of(job.tier, space, phases)])
}

/// All-reduce in one step: every rank sends its whole buffer to every other and adds up what it gets. One
/// latency instead of two or more, (p-1) S bytes a rank.
pub(crate) fn mesh(job: &Job) -> Result<Vec<Stage>> {
    if job.operation != Operation::AllReduce {
        return Err(unsupported("mesh", job.operation));
    }
    let all = job.placement.all_pairs(job.context)?;
    let moves = Moves::new(job.placement, Sends::All, |_, _, _| vec![0]).reducing(true);
    let part = Part::new(&all, job.size, moves);
    let phase = Phase::steps("exchange whole buffers", vec![part], 1);
    Ok(vec![Stage::of(job.tier, Space::WHOLE, vec![phase])])
}

/// A reduce-scatter after which the first `owners` ranks alone hold parts of the sum, or the all-gather of such parts.
pub(crate) fn by_owners(job: &Job, owners: u32) -> Result<Vec<Stage>> {
    let ranks = job.placement.ranks() as u32;
    let inward = match job.operation {
        Operation::ReduceScatter => true,
        Operation::AllGather => false,
        other => return Err(unsupported("direct between owners", other)),
    };
    let pairs = (0..ranks).flat_map(|rank| (0..owners).map(move |owner| (rank, owner)));
    let pairs = pairs.filter(|(rank, owner)| rank != owner);
    let sends: Vec<(u32, u32)> = match inward {
        true => pairs.collect(),
        false => pairs.map(|(rank, owner)| (owner, rank)).collect(),
    };
    let sends = Sends::from(sends);
    let pattern = job.placement.pattern(job.context, &sends)?;
    let carry = move |_: u64, from: u32, to: u32| vec![if inward { to } else { from }];
    let moves = Moves::new(job.placement, sends, carry).reducing(inward);
    let part = Part::new(&pattern, job.size / f64::from(owners), moves);
    let what = format!("{} among {owners} owners", job.operation.name());
    let phase = Phase::steps(what, vec![part], 1);
    Ok(vec![Stage::of(
        job.tier,
        Space::new(1, owners),
        vec![phase],
    )])
}

/// From the root to all, or from all to the root.
fn star(job: &Job, outward: bool, bytes: f64) -> Result<Phase> {
    let (root, ranks) = (job.root as u32, job.placement.ranks() as u32);
    let sends = Sends::Lazy {
        count: ranks as usize - 1,
        make: Arc::new(move || {
            let others = (0..ranks).filter(|&rank| rank != root);
            let pair = |rank| if outward { (root, rank) } else { (rank, root) };
            others.map(pair).collect()
        }),
        rule: None,
    };
    let sends = sends.ruled(Rule::star(ranks, root, outward));
    let pattern = job.placement.pattern(job.context, &sends)?;
    let operation = job.operation;
    let carry = move |_: u64, from: u32, to: u32| match operation {
        Operation::Scatter => vec![to],
        Operation::Gather => vec![from],
        _ => vec![0],
    };
    let moves = Moves::new(job.placement, sends, carry).reducing(operation == Operation::Reduce);
    let what = if outward {
        "root to all"
    } else {
        "all to root"
    };
    Ok(Phase::steps(
        what,
        vec![Part::new(&pattern, bytes, moves)],
        1,
    ))
}
