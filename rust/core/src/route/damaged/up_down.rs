//! Up*/down* routing (Autonet): links have an up and a down end, and no message goes up again once it went down.
//!
//! Links of a breadth-first tree and all others are up if they lead to a lower (level, number). Every cycle of links
//! has a place where it turns from down to up, which no message does: so no messages wait for each other in a cycle,
//! with one virtual channel. Only cables that live both ways are used, so that what is reached answers.

use super::graph::Graph;
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

/// True for a link down.
pub(super) fn falls(levels: &[u32], from: u32, to: u32) -> bool {
    let rank = |vertex: u32| (levels[vertex as usize], vertex);
    rank(to) > rank(from)
}
