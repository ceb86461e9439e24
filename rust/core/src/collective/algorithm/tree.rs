//! Trees: binomial (fewest steps for rooted operations) and double binary (Sanders, Speck and Traeff 2009).

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

/// Two binary trees, each with half of the data, cut into pieces: every rank is inside one tree and a leaf of
/// the other, so that both of its directions are busy. All-reduce goes up and then down both; broadcast feeds
/// them from a root outside, reduce drains them into it.
pub(crate) fn double_binary(job: &Job) -> Result<Vec<Stage>> {
    let placement = job.placement.rooted_as(job.placement, job.root);
    let ranks = placement.ranks() as u32;
    let (trees, hops) = match job.operation {
        Operation::AllReduce => (two_trees(ranks), depth(ranks)),
        Operation::Broadcast | Operation::Reduce => {
            let [first, second] = tree_roots(ranks - 1);
            let fed = |tree: Vec<(u32, u32)>, root: u32| {
                let shifted = tree.into_iter().map(|(from, to)| (from + 1, to + 1));
                [(0, root + 1)].into_iter().chain(shifted).collect()
            };
            let [one, other] = two_trees(ranks - 1);
            ([fed(one, first), fed(other, second)], depth(ranks - 1) + 1)
        }
        other => return Err(unsupported("double_binary_tree", other)),
    };
    let mut latency = 0.0;
    for tree in &trees {
        latency = f64::max(latency, placement.tree_latency(job.context, tree)?);
    }
    let (what, passes) = match job.operation {
        Operation::Broadcast => ("down both trees", 1),
        Operation::Reduce => ("up both trees", 1),
        _ => ("up and down both trees", 2),
    };
    let (mut sends, mut moves) = (Vec::new(), Vec::new());
    for (slice, tree) in trees.iter().enumerate() {
        let mut add = |up: bool, late: u64| {
            let steps = levels(tree, ranks)
                .into_iter()
                .map(|level| late as u32 + if up { hops as u32 - 1 - level } else { level })
                .collect();
            let own: Vec<(u32, u32)> = tree
                .iter()
                .map(|&(parent, child)| if up { (child, parent) } else { (parent, child) })
                .collect();
            sends.extend(&own);
            let passed = Moves::new(&placement, own.into(), move |_, _, _| vec![slice as u32]);
            moves.push(passed.in_lane(slice as u32).once(steps).reducing(up));
        };
        if job.operation != Operation::Broadcast {
            add(true, 0);
        }
        if job.operation != Operation::Reduce {
            add(false, (passes - 1) * hops);
        }
    }
    let pattern = placement.pattern(job.context, &sends.into())?;
    let parts = vec![Part::of(&pattern, job.size / 2.0, moves)];
    let phase = Phase::wave(what, parts, passes * hops, passes as f64 * latency);
    Ok(vec![Stage::of(job.tier, Space::new(2, 1), vec![phase])])
}

/// Edges between the root and the parent of each edge; parents come first.
fn levels(tree: &[(u32, u32)], ranks: u32) -> Vec<u32> {
    let mut depth = vec![0; ranks as usize];
    tree.iter()
        .map(|&(parent, child)| {
            depth[child as usize] = depth[parent as usize] + 1;
            depth[parent as usize]
        })
        .collect()
}

/// (parent, child) of every edge of each tree over `ranks` ranks, parents first. The second tree is the first with
/// every rank moved on by one.
fn two_trees(ranks: u32) -> [Vec<(u32, u32)>; 2] {
    let mut edges: Vec<(u32, u32)> = (0..ranks)
        .filter_map(|rank| parent(rank, ranks).map(|parent| (parent, rank)))
        .collect();
    // The lower its lowest set bit, the deeper a node lies.
    edges.sort_by_key(|&(_, child)| std::cmp::Reverse((child + 1).trailing_zeros()));
    let moved = |rank: u32| (rank + 1) % ranks;
    let second = edges
        .iter()
        .map(|&(from, to)| (moved(from), moved(to)))
        .collect();
    [edges, second]
}

/// The roots of both trees.
fn tree_roots(ranks: u32) -> [u32; 2] {
    let root = (1 << ranks.ilog2()) - 1;
    [root, (root + 1) % ranks]
}

/// Edges on the longest way from a root to a leaf.
fn depth(ranks: u32) -> u64 {
    u64::from(ranks.ilog2())
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

#[cfg(test)]
mod tests {
    use super::{depth, parent, tree_roots, two_trees};

    #[test]
    fn both_trees_reach_every_rank_within_their_depth() {
        for ranks in 1..200u32 {
            let trees = two_trees(ranks);
            assert_eq!(trees.concat().len(), 2 * (ranks as usize - 1));
            let [root, second] = tree_roots(ranks);
            for rank in 0..ranks {
                let mut at = rank;
                let mut hops = 0;
                while let Some(up) = parent(at, ranks) {
                    (at, hops) = (up, hops + 1);
                }
                assert_eq!(at, root, "rank {rank} of {ranks}");
                assert!(
                    hops <= depth(ranks),
                    "rank {rank} of {ranks} is {hops} deep"
                );
            }
            assert_eq!(second, (root + 1) % ranks);
            for (tree, root) in trees.iter().zip([root, second]) {
                let mut reached = vec![false; ranks as usize];
                reached[root as usize] = true;
                for &(from, to) in tree {
                    assert!(reached[from as usize], "parents come first");
                    reached[to as usize] = true;
                    let children = tree.iter().filter(|edge| edge.0 == from).count();
                    assert!(
                        children <= 2,
                        "rank {from} of {ranks} has {children} children"
                    );
                }
                assert!(reached.into_iter().all(|reached| reached));
            }
        }
    }
}
