//! What a trace may not have: two nodes of one number; and what only readers in order can bear: waits for nodes that are
//! not there, and circles of nodes that wait for each other, which traces of PyTorch have.

use super::node::{Node, Trace};
use super::wire::at;
use crate::error::Result;

/// Counts what is waited for and not there, and finds a circle; refuses numbers that stand twice.
pub(super) fn check(trace: &mut Trace) -> Result<()> {
    let mut order: Vec<u32> = (0..trace.nodes.len() as u32).collect();
    let nodes = &trace.nodes;
    order.sort_by_key(|&at| nodes[at as usize].id);
    for pair in order.windows(2) {
        let (one, other) = (&nodes[pair[0] as usize], &nodes[pair[1] as usize]);
        if one.id == other.id {
            let got = format!("a second node {}", one.id);
            return Err(at(other.offset as usize, got, "must number its nodes"));
        }
    }
    let find = |id: u64| {
        let place = order.binary_search_by_key(&id, |&at| nodes[at as usize].id);
        place.ok().map(|place| order[place])
    };
    let parents = |node: &Node| {
        node.control
            .iter()
            .chain(&node.data)
            .copied()
            .collect::<Vec<u64>>()
    };
    let mut missing = 0;
    let mut waits = vec![0u32; nodes.len()];
    let mut counts = vec![0u32; nodes.len() + 1];
    for (place, node) in nodes.iter().enumerate() {
        for parent in parents(node) {
            if let Some(parent) = find(parent) {
                waits[place] += 1;
                counts[parent as usize + 1] += 1;
            } else {
                missing += 1;
            }
        }
    }
    for place in 1..counts.len() {
        counts[place] += counts[place - 1];
    }
    let mut children = vec![0u32; counts[nodes.len()] as usize];
    let mut fill = counts.clone();
    for (place, node) in nodes.iter().enumerate() {
        for parent in parents(node).into_iter().filter_map(find) {
            children[fill[parent as usize] as usize] = place as u32;
            fill[parent as usize] += 1;
        }
    }
    let mut free: Vec<u32> = (0..nodes.len() as u32)
        .filter(|&at| waits[at as usize] == 0)
        .collect();
    let mut left = nodes.len();
    while let Some(place) = free.pop() {
        left -= 1;
        let range = counts[place as usize] as usize..counts[place as usize + 1] as usize;
        for &child in &children[range] {
            waits[child as usize] -= 1;
            if waits[child as usize] == 0 {
                free.push(child);
            }
        }
    }
    let stuck = nodes.iter().zip(&waits).find(|(_, waits)| **waits > 0);
    trace.circle = stuck.map(|(node, _)| (node.id, left as u64));
    trace.missing = missing;
    Ok(())
}
