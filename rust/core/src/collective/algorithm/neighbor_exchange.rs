//! Neighbour exchange (Chen, Carpenter, Lumsdaine et al. 2005): an all-gather among an even number of ranks in p/2 steps,
//! in which each trades with the rank on one side and then with the one on the other.

use super::grid::listed;
use super::job::{Job, few_steps, unsupported};
use crate::collective::pattern::rule::Rule;
use crate::collective::program::moves::{Moves, Sends, Space};
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::operation::Operation;
use crate::{Error, Result};

/// In the first step ranks trade what they have, in each other one the two shares that came last.
pub(crate) fn neighbor_exchange(job: &Job) -> Result<Vec<Stage>> {
    let ranks = job.placement.ranks() as u32;
    if job.operation != Operation::AllGather {
        return Err(unsupported("neighbor_exchange", job.operation));
    }
    if ranks % 2 == 1 {
        return Err(Error::unsupported(
            format!("neighbor_exchange over {ranks} ranks, an odd number"),
            "use ring_one_way, as MPI libraries do there",
        ));
    }
    few_steps("neighbor_exchange", ranks, ranks / 2)?;
    let share = job.size / f64::from(ranks);
    let sides = [1i64, -1].map(|by| {
        let other = move |rank: u32| {
            let by = if rank % 2 == 0 { by } else { -by };
            (i64::from(rank) + by).rem_euclid(i64::from(ranks)) as u32
        };
        let sends = Sends::of_each(ranks, move |rank| [(rank, other(rank))]);
        sends.ruled(Rule::swing(ranks, by))
    });
    let patterns = [
        job.placement.pattern(job.context, &sides[0])?,
        job.placement.pattern(job.context, &sides[1])?,
    ];
    let step = |at: u32| {
        let side = at as usize % 2;
        let carry = move |_: u64, from: u32, _: u32| match at {
            0 => vec![from],
            _ => {
                let first = pair(ranks, from, at - 1);
                vec![first, first + 1]
            }
        };
        let moves = Moves::new(job.placement, sides[side].clone(), carry);
        let bytes = if at == 0 { share } else { 2.0 * share };
        let part = Part::new(&patterns[side], bytes, moves);
        let side = ["inside pairs", "between pairs"][side];
        Phase::steps(format!("exchange {side}"), vec![part], 1)
    };
    let phases = (0..ranks / 2).map(step).collect();
    Ok(vec![Stage::of(job.tier, Space::new(1, ranks), phases)])
}

/// The first of the two shares that a rank has got last after step `at`: pairs from ever further away, by turns from the
/// one side and from the other, which is another for even ranks than for odd ones.
fn pair(ranks: u32, rank: u32, at: u32) -> u32 {
    let away = 2 * at.div_ceil(2) % ranks;
    let ahead = (rank % 2 == 0) == (at % 2 == 0);
    let own = rank - rank % 2;
    (own + if ahead { away } else { ranks - away }) % ranks
}

/// The same over all chips of several domains, which are listed.
pub(super) fn across(job: &Job, _: &[Vec<u32>], _: &[Vec<u32>]) -> Result<Vec<Stage>> {
    listed(job, neighbor_exchange)
}
