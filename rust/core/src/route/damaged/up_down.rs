//! Up*/down* routing (Autonet): links have an up and a down end, and no message goes up again once it went down.
//!
//! Links of a breadth-first tree and all others are up if they lead to a lower (level, number). Every cycle of links
//! has a place where it turns from down to up, which no message does: so no messages wait for each other in a cycle,
//! with one virtual channel. Only cables that live both ways are used, so that what is reached answers.

use super::graph::{Graph, Tree};
use crate::{Control, Result};

/// Levels of all vertices: breadth first from the lowest vertex of each part of the graph.
pub(super) fn levels(graph: &Graph, control: &Control) -> Result<Vec<u32>> {
    let mut levels = vec![u32::MAX; graph.vertices()];
    for root in 0..graph.vertices() as u32 {
        if levels[root as usize] != u32::MAX {
            continue;
        }
        levels[root as usize] = 0;
        let mut queue = vec![root];
        let mut at = 0;
        while let Some(&here) = queue.get(at) {
            at += 1;
            control.check()?;
            for &(there, _) in graph.from(here) {
                if levels[there as usize] == u32::MAX {
                    levels[there as usize] = levels[here as usize] + 1;
                    queue.push(there);
                }
            }
        }
    }
    Ok(levels)
}

/// Shortest legal paths from `src`. State 2v is vertex v before any link down, 2v + 1 after one.
pub(super) fn paths(graph: &Graph, levels: &[u32], src: u32, control: &Control) -> Result<Tree> {
    Tree::grow(2 * graph.vertices(), 2 * src, control, |state, found| {
        let (here, went_down) = (state / 2, state % 2);
        for &(there, link) in graph.from(here) {
            let rank = |vertex: u32| (levels[vertex as usize], vertex);
            let down = rank(there) > rank(here);
            if down || went_down == 0 {
                found(2 * there + u32::from(down), link);
            }
        }
    })
}

/// Appends the shorter path to `dst`, the one without a link down if they are as long; false if there is none.
pub(super) fn path(tree: &Tree, dst: u32, steps: &mut Vec<(u64, f64)>) -> bool {
    let start = steps.len();
    let mut best: Option<Vec<(u64, f64)>> = None;
    for state in [2 * dst, 2 * dst + 1] {
        if tree.reaches(state) {
            tree.path(state, steps);
            let found = steps.split_off(start);
            if best.as_ref().is_none_or(|best| found.len() < best.len()) {
                best = Some(found);
            }
        }
    }
    let reached = best.is_some();
    steps.extend(best.into_iter().flatten());
    reached
}
