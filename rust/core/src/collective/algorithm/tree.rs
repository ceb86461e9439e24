//! Binomial trees: the fewest steps for rooted operations.

use super::job::{Job, unsupported};
use crate::Result;
use crate::collective::program::moves::{Moves, Sends, Space};
use crate::collective::program::placement::Placement;
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::operation::Operation;

/// ceil(log2 p) steps: the ranks that have the data double with each.
pub(crate) fn binomial(job: &Job) -> Result<Vec<Stage>> {
    let tree = job.placement.rooted_as(job.placement, job.root);
    let ranks = tree.ranks() as u32;
    let (space, phases) = match job.operation {
        Operation::Broadcast => (Space::WHOLE, out(job, &tree, false)?),
        Operation::Scatter => (Space::new(1, ranks), out(job, &tree, true)?),
        Operation::Reduce => (Space::WHOLE, back(job, &tree, false)?),
        Operation::Gather => (Space::new(1, ranks), back(job, &tree, true)?),
        Operation::AllReduce => {
            let mut phases = back(job, &tree, false)?;
            phases.extend(out(job, &tree, false)?);
            (Space::WHOLE, phases)
        }
        other => return Err(unsupported("binomial_tree", other)),
    };
    Ok(vec![Stage::of(job.tier, space, phases)])
}

fn out(job: &Job, tree: &Placement, shares: bool) -> Result<Vec<Phase>> {
    let mut phases = steps(job, tree, shares, true)?;
    phases.reverse();
    Ok(phases)
}

fn back(job: &Job, tree: &Placement, shares: bool) -> Result<Vec<Phase>> {
    steps(job, tree, shares, false)
}

/// Steps with growing reach. With `shares`, a message carries what the whole branch behind it owns.
fn steps(job: &Job, tree: &Placement, shares: bool, outward: bool) -> Result<Vec<Phase>> {
    let ranks = tree.ranks() as u32;
    let share = job.size / f64::from(ranks);
    let mut phases = Vec::new();
    let mut reach = 1;
    while reach < ranks {
        // Ranks that divide by 2 x `reach` have a branch `reach` further on. The last one may be cut short by the end of
        // the ranks: its messages carry less.
        let all = (ranks - reach - 1) / (2 * reach) + 1;
        let full = if shares { ranks / (2 * reach) } else { all };
        let mut parts = Vec::new();
        for (first, count) in [(0, full), (full, all - full)] {
            if count == 0 {
                continue;
            }
            let near = first * 2 * reach;
            let bytes = if shares {
                share * f64::from(reach.min(ranks - near - reach))
            } else {
                job.size
            };
            let sends = if outward {
                Sends::spaced(ranks, [near, 2 * reach, count], i64::from(reach))
            } else {
                Sends::spaced(ranks, [near + reach, 2 * reach, count], -i64::from(reach))
            };
            let pattern = tree.pattern(job.context, &sends)?;
            let carry = move |_: u64, from: u32, to: u32| {
                let branch = if outward { to } else { from };
                if shares {
                    (branch..(branch + reach).min(ranks)).collect()
                } else {
                    vec![0]
                }
            };
            let moves = Moves::new(tree, sends, carry).reducing(!outward && !shares);
            parts.push(Part::new(&pattern, bytes, moves));
        }
        let what = if outward { "spread" } else { "collect" };
        phases.push(Phase::steps(
            format!("{what} over distance {reach}"),
            parts,
            1,
        ));
        reach *= 2;
    }
    Ok(phases)
}
