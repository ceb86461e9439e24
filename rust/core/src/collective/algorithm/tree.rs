//! Trees: binomial (fewest steps for rooted operations) and double binary (Sanders, Speck and Traeff 2009).

use super::{Job, ring, unsupported};
use crate::Result;
use crate::collective::operation::Operation;
use crate::collective::placement::Placement;
use crate::collective::schedule::{Part, Phase, Stage};

/// ceil(log2 p) steps: the ranks that have the data double with each.
pub(crate) fn binomial(job: &Job) -> Result<Vec<Stage>> {
    let tree = job.placement.rooted_as(job.placement, job.root);
    let phases = match job.operation {
        Operation::Broadcast => out(job, &tree, false)?,
        Operation::Scatter => out(job, &tree, true)?,
        Operation::Reduce => back(job, &tree, false)?,
        Operation::Gather => back(job, &tree, true)?,
        Operation::AllReduce => {
            let mut phases = back(job, &tree, false)?;
            phases.extend(out(job, &tree, false)?);
            phases
        }
        other => return Err(unsupported("binomial_tree", other)),
    };
    Ok(vec![Stage::of(job.tier, phases)])
}

/// Sends of one step: ranks below `reach` that divide by 2 x `reach` send to the rank `reach` further on.
fn step(ranks: u32, reach: u32) -> Vec<(u32, u32)> {
    (0..ranks)
        .step_by(2 * reach as usize)
        .filter(|rank| rank + reach < ranks)
        .map(|rank| (rank, rank + reach))
        .collect()
}

fn out(job: &Job, tree: &Placement, shares: bool) -> Result<Vec<Phase>> {
    let mut phases = steps(job, tree, shares, "spread", |sends| sends)?;
    phases.reverse();
    Ok(phases)
}

fn back(job: &Job, tree: &Placement, shares: bool) -> Result<Vec<Phase>> {
    steps(job, tree, shares, "collect", |sends| {
        sends.into_iter().map(|(from, to)| (to, from)).collect()
    })
}

/// Steps with growing reach. With `shares`, a message carries what the whole branch behind it owns.
fn steps(
    job: &Job,
    tree: &Placement,
    shares: bool,
    what: &str,
    direct: impl Fn(Vec<(u32, u32)>) -> Vec<(u32, u32)>,
) -> Result<Vec<Phase>> {
    let ranks = tree.ranks() as u32;
    let mut phases = Vec::new();
    let mut reach = 1;
    while reach < ranks {
        let mut parts = Vec::new();
        if shares {
            // The last branch may be cut short by the end of the ranks: its messages carry less.
            let (full, short): (Vec<_>, Vec<_>) = step(ranks, reach)
                .into_iter()
                .partition(|&(_, to)| to + reach <= ranks);
            let share = job.size / f64::from(ranks);
            for sends in [full, short] {
                if let Some(&(_, to)) = sends.first() {
                    let branch = f64::from(reach.min(ranks - to));
                    parts.push(Part::new(
                        &tree.pattern(job.context, &direct(sends))?,
                        share * branch,
                    ));
                }
            }
        } else {
            parts.push(Part::new(
                &tree.pattern(job.context, &direct(step(ranks, reach)))?,
                job.size,
            ));
        }
        phases.push(Phase::steps(
            format!("{what} over distance {reach}"),
            parts,
            1,
        ));
        reach *= 2;
    }
    Ok(phases)
}

/// All-reduce over two binary trees, each with half of the data, up and then down, cut into pieces: every rank
/// is inside one tree and a leaf of the other.
pub(crate) fn double_binary(job: &Job) -> Result<Vec<Stage>> {
    if job.operation != Operation::AllReduce {
        return Err(unsupported("double_binary_tree", job.operation));
    }
    let ranks = job.placement.ranks() as u32;
    let mut sends = Vec::with_capacity(4 * ranks as usize);
    for rank in 0..ranks {
        if let Some(parent) = parent(rank, ranks) {
            // The second tree is the first with every rank moved on by one.
            let moved = |rank: u32| (rank + 1) % ranks;
            sends.extend([(rank, parent), (moved(rank), moved(parent))]);
            sends.extend([(parent, rank), (moved(parent), moved(rank))]);
        }
    }
    let pattern = job.placement.pattern(job.context, &sends)?;
    let depth = u64::from(ranks.next_power_of_two().ilog2()).max(1);
    let phase = Phase::wave(
        "up and down both trees",
        vec![Part::new(&pattern, job.size / 2.0)],
        2 * depth,
    );
    Ok(vec![Stage::of(job.tier, vec![phase])])
}

/// The parent of a rank in the in-order binary tree over ranks 1..=p (rank 0 here is 1 there): clear the lowest
/// set bit and set the next one; where that lies beyond the end, climb on.
fn parent(rank: u32, ranks: u32) -> Option<u32> {
    let mut node = rank + 1;
    loop {
        let low = node & node.wrapping_neg();
        if low >= ranks {
            return None;
        }
        let up = (node ^ low) | (low << 1);
        if up <= ranks {
            return Some(up - 1);
        }
        // Beyond the end: that ancestor does not exist, its own parent takes over.
        node = up;
        if low << 1 > ranks {
            return None;
        }
    }
}

/// Broadcast as scatter + all-gather, reduce as reduce-scatter + gather (van de Geijn): both halves move each
/// byte about once.
pub(crate) fn scatter_allgather(job: &Job) -> Result<Vec<Stage>> {
    let (first, second) = match job.operation {
        Operation::Broadcast => (Operation::Scatter, Operation::AllGather),
        Operation::Reduce => (Operation::ReduceScatter, Operation::Gather),
        other => return Err(unsupported("scatter_allgather", other)),
    };
    let mut stages = Vec::new();
    for operation in [first, second] {
        let part = Job { operation, ..*job };
        stages.extend(match operation {
            Operation::Scatter | Operation::Gather => binomial(&part)?,
            _ => ring::both_ways(&part)?,
        });
    }
    Ok(stages)
}
