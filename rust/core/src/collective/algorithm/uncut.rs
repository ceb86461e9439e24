//! Trees and chains of whole buffers, as MPI libraries run them when they cut messages into no segments.

use super::grid::listed;
use super::job::{Job, few_steps, unsupported};
use crate::Result;
use crate::collective::program::moves::{Moves, Sends, Space};
use crate::collective::program::placement::Placement;
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::operation::Operation;

/// Open MPI's `coll_tuned_bcast_algorithm_knomial_radix`.
const RADIX: u32 = 4;

/// In each of ceil(log4 p) steps who has the data sends it to three more ranks at once.
pub(crate) fn knomial(job: &Job) -> Result<Vec<Stage>> {
    let ranks = job.placement.ranks() as u32;
    let outward = is_outward(job, "knomial_tree")?;
    let tree = job.placement.rooted_as(job.placement, job.root);
    let reaches = std::iter::successors(Some(1u32), |reach| reach.checked_mul(RADIX))
        .take_while(|&reach| reach < ranks);
    let step = |reach: u32| -> Result<Phase> {
        let mut parts = Vec::new();
        for child in (1..RADIX).map(|at| at * reach).filter(|&by| by < ranks) {
            // Parents are the multiples of RADIX x reach that have such a child.
            let count = (ranks - child - 1) / (RADIX * reach) + 1;
            let (first, by) = match outward {
                true => (0, i64::from(child)),
                false => (child, -i64::from(child)),
            };
            let sends = Sends::spaced(ranks, [first, RADIX * reach, count], by);
            parts.push(whole(job, &tree, sends, outward)?);
        }
        let what = if outward { "spread" } else { "collect" };
        let what = format!("{what} over distances of {reach} and its multiples");
        // Inwards every part has senders of its own.
        Ok(Phase::steps(what, parts, 1).of_parts_apart(!outward))
    };
    let mut phases = reaches.map(step).collect::<Result<Vec<_>>>()?;
    if outward {
        phases.reverse();
    }
    Ok(vec![Stage::of(job.tier, Space::WHOLE, phases)])
}

/// From the root to the next rank, from that to the one after it, and so on; a reduce the other way.
pub(crate) fn chain(job: &Job) -> Result<Vec<Stage>> {
    let ranks = job.placement.ranks() as u32;
    let outward = is_outward(job, "chain")?;
    few_steps("chain", ranks, ranks - 1)?;
    let chain = job.placement.rooted_as(job.placement, job.root);
    let step = |rank: u32| -> Result<Phase> {
        let send = if outward {
            (rank, rank + 1)
        } else {
            (rank + 1, rank)
        };
        let part = whole(job, &chain, Sends::from(vec![send]), outward)?;
        let (from, to) = send;
        Ok(Phase::steps(
            format!("from place {from} to {to}"),
            vec![part],
            1,
        ))
    };
    let mut phases = (0..ranks - 1).map(step).collect::<Result<Vec<_>>>()?;
    if !outward {
        phases.reverse();
    }
    Ok(vec![Stage::of(job.tier, Space::WHOLE, phases)])
}

fn is_outward(job: &Job, name: &str) -> Result<bool> {
    match job.operation {
        Operation::Broadcast => Ok(true),
        Operation::Reduce => Ok(false),
        other => Err(unsupported(name, other)),
    }
}

/// Messages of the whole buffer, added up on the way to the root.
fn whole(job: &Job, placement: &Placement, sends: Sends, outward: bool) -> Result<Part> {
    let pattern = placement.pattern(job.context, &sends)?;
    let moves = Moves::new(placement, sends, |_, _, _| vec![0]).reducing(!outward);
    Ok(Part::new(&pattern, job.size, moves))
}

/// The same over all chips of several domains, which are listed.
pub(super) fn knomial_across(job: &Job, _: &[Vec<u32>], _: &[Vec<u32>]) -> Result<Vec<Stage>> {
    listed(job, knomial)
}

/// The same over all chips of several domains, which are listed.
pub(super) fn chain_across(job: &Job, _: &[Vec<u32>], _: &[Vec<u32>]) -> Result<Vec<Stage>> {
    listed(job, chain)
}
