//! Direct: every rank sends to every rank that needs its bytes, all at once, and the network sorts it out.

use super::{Job, unsupported};
use crate::Result;
use crate::collective::operation::Operation;
use crate::collective::schedule::{Part, Phase, Stage};

/// One step for one-way operations, two (reduce-scatter, all-gather) for an all-reduce.
pub(crate) fn direct(job: &Job) -> Result<Vec<Stage>> {
    let ranks = job.placement.ranks() as f64;
    let share = job.size / ranks;
    let phases = match job.operation {
        Operation::ReduceScatter
        | Operation::AllGather
        | Operation::AllToAll
        | Operation::AllReduce => {
            let all = job.placement.all_pairs(job.context)?;
            let phase = |what: &str| Phase::steps(what, vec![Part::new(&all, share)], 1);
            match job.operation {
                Operation::AllReduce => vec![phase("reduce-scatter"), phase("all-gather")],
                Operation::ReduceScatter => vec![phase("reduce-scatter")],
                Operation::AllGather => vec![phase("all-gather")],
                _ => vec![phase("all-to-all")],
            }
        }
        Operation::Broadcast => vec![star(job, true, job.size)?],
        Operation::Reduce => vec![star(job, false, job.size)?],
        Operation::Scatter => vec![star(job, true, share)?],
        Operation::Gather => vec![star(job, false, share)?],
        Operation::SendRecv => {
            let ranks = job.placement.ranks() as i64;
            let to = |rank: i64| ((rank + job.shift).rem_euclid(ranks)) as u32;
            let sends: Vec<(u32, u32)> = (0..ranks).map(|rank| (rank as u32, to(rank))).collect();
            let pattern = job.placement.pattern(job.context, &sends)?;
            vec![Phase::steps("send", vec![Part::new(&pattern, job.size)], 1)]
        }
        Operation::Barrier => return Err(unsupported("direct", job.operation)),
    };
    Ok(vec![Stage::of(job.tier, phases)])
}

/// All-reduce in one step: every rank sends its whole buffer to every other and adds up what it gets. One
/// latency instead of two or more, (p-1) S bytes a rank.
pub(crate) fn mesh(job: &Job) -> Result<Vec<Stage>> {
    if job.operation != Operation::AllReduce {
        return Err(unsupported("mesh", job.operation));
    }
    let all = job.placement.all_pairs(job.context)?;
    let phase = Phase::steps("exchange whole buffers", vec![Part::new(&all, job.size)], 1);
    Ok(vec![Stage::of(job.tier, vec![phase])])
}

/// From the root to all, or from all to the root.
fn star(job: &Job, outward: bool, bytes: f64) -> Result<Phase> {
    let root = job.root as u32;
    let others = (0..job.placement.ranks() as u32).filter(|&rank| rank != root);
    let sends: Vec<(u32, u32)> = if outward {
        others.map(|rank| (root, rank)).collect()
    } else {
        others.map(|rank| (rank, root)).collect()
    };
    let pattern = job.placement.pattern(job.context, &sends)?;
    let what = if outward {
        "root to all"
    } else {
        "all to root"
    };
    Ok(Phase::steps(what, vec![Part::new(&pattern, bytes)], 1))
}
