//! Two binary trees over the same ranks, in which each rank is inside one and a leaf of the other (Sanders, Speck and
//! Traeff 2009).

/// Edges between the root and the parent of each edge; parents come first.
pub(super) fn levels(tree: &[(u32, u32)], ranks: u32) -> Vec<u32> {
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
pub(super) fn two_trees(ranks: u32) -> [Vec<(u32, u32)>; 2] {
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
pub(super) fn tree_roots(ranks: u32) -> [u32; 2] {
    let root = (1 << ranks.ilog2()) - 1;
    [root, (root + 1) % ranks]
}

/// Edges on the longest way from a root to a leaf.
pub(super) fn depth(ranks: u32) -> u64 {
    u64::from(ranks.ilog2())
}

/// The parent of a rank in the in-order binary tree over ranks 1..=p (rank 0 here is 1 there): clear the lowest
/// set bit and set the next one; where that lies beyond the end, climb on.
pub(super) fn parent(rank: u32, ranks: u32) -> Option<u32> {
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
