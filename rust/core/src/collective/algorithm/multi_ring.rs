//! Several rings at once, over edge-disjoint Hamiltonian cycles, each in both directions. On the 4x4 torus of
//! a Trn2 instance this is KangaRing.
//!
//! Construction for a torus of k1 x k0 with k0 | k1: the sweep whose rows are shifted by one is a cycle (Bae and
//! Bose 2003), and on square tori so is the rest of the torus. The rest is walked and checked, not believed.

use super::job::{Job, unsupported};
use super::ring::{Ring, rotate};
use crate::collective::program::layout::LocalBox;
use crate::collective::program::moves::Moves;
use crate::collective::program::schedule::Stage;
use crate::machine::{AxisKind, Domain};
use crate::operation::Operation;
use crate::{Error, Result};
use std::sync::Arc;

pub(crate) fn multi_ring(job: &Job) -> Result<Vec<Stage>> {
    if !matches!(
        job.operation,
        Operation::AllReduce | Operation::ReduceScatter | Operation::AllGather
    ) {
        return Err(unsupported("multi_ring", job.operation));
    }
    let refused = || {
        Error::unsupported(
            "multi_ring over this group",
            "two disjoint Hamiltonian cycles are built for whole k x k planes of a torus with k >= 3; use ring or bucket",
        )
    };
    let domain = job.context.machine.domain();
    let groups = job.placement.local_groups().ok_or_else(refused)?;
    let mut pairs: [Vec<(u32, u32)>; 4] = Default::default();
    let mut first = None;
    for group in groups {
        let shape = LocalBox::of(domain, group).ok_or_else(refused)?;
        let cycles = two_cycles(domain, &shape).ok_or_else(refused)?;
        for (index, cycle) in cycles.iter().enumerate() {
            for (at, &chip) in cycle.iter().enumerate() {
                let next = cycle[(at + 1) % cycle.len()];
                pairs[2 * index].push((chip, next));
                pairs[2 * index + 1].push((next, chip));
            }
        }
        first.get_or_insert(cycles);
    }
    let cycles = first.ok_or_else(refused)?;
    let rings: Vec<Ring> = pairs
        .into_iter()
        .enumerate()
        .map(|(ring, pairs)| one_way(job, &groups[0], &cycles[ring / 2], ring % 2 == 1, pairs))
        .collect();
    rotate(job, "multi_ring", &rings, job.placement.ranks())
}

/// One direction of one cycle; `group` has the chips of the first group by rank, `cycle` along the cycle.
fn one_way(
    job: &Job,
    group: &[u32],
    cycle: &[u32],
    backward: bool,
    pairs: Vec<(u32, u32)>,
) -> Ring {
    let mut by_chip: Vec<(u32, u32)> = group.iter().copied().zip(0..).collect();
    by_chip.sort_unstable();
    let rank = |chip: u32| by_chip[by_chip.partition_point(|entry| entry.0 < chip)].1;
    let rank_at: Vec<u32> = cycle.iter().map(|&chip| rank(chip)).collect();
    let mut place_of = vec![0; rank_at.len()];
    for (place, &rank) in rank_at.iter().enumerate() {
        place_of[rank as usize] = place as u32;
    }
    let of_first = &pairs[..cycle.len()];
    let sends: Vec<(u32, u32)> = of_first
        .iter()
        .map(|&(from, to)| (rank(from), rank(to)))
        .collect();
    let moves = Moves::new(job.placement, sends.into(), |_, _, _| Vec::new());
    Ring {
        patterns: vec![(job.context.pattern(job.placement.kind(pairs.into())), moves)],
        place_of: Arc::new(move |rank| place_of[rank as usize]),
        rank_at: Arc::new(move |place| rank_at[place as usize]),
        backward,
    }
}

/// Two edge-disjoint Hamiltonian cycles of a k x k plane whose sides are whole rings.
fn two_cycles(domain: &Domain, shape: &LocalBox) -> Option<[Vec<u32>; 2]> {
    let [k0, k1] = shape.sizes()[..] else {
        return None;
    };
    let whole = shape.sides.iter().all(|(axis, positions)| {
        let axis = &domain.axes()[*axis];
        matches!(axis.kind, AxisKind::Ring) && positions.len() as u32 == axis.size && axis.size >= 3
    });
    if !whole || k0 != k1 {
        return None;
    }
    let shifted = |number: u32| (((number % k0) + k0 - number / k0) % k0, number / k0);
    let first: Vec<(u32, u32)> = (0..k0 * k1).map(shifted).collect();
    let second = rest(&first, k0)?;
    let chips = |cycle: &[(u32, u32)]| {
        cycle
            .iter()
            .map(|&(x, y)| shape.chip(domain, &[x, y]))
            .collect()
    };
    Some([chips(&first), chips(&second)])
}

/// The edges of the k x k torus that `cycle` leaves, if they form one cycle through all its nodes.
fn rest(cycle: &[(u32, u32)], k: u32) -> Option<Vec<(u32, u32)>> {
    let slot = |node: (u32, u32)| (node.1 * k + node.0) as usize;
    let mut used = vec![Vec::with_capacity(2); (k * k) as usize];
    for (at, &node) in cycle.iter().enumerate() {
        let next = cycle[(at + 1) % cycle.len()];
        used[slot(node)].push(next);
        used[slot(next)].push(node);
    }
    let free = |node: (u32, u32)| {
        let (x, y) = node;
        [
            ((x + 1) % k, y),
            ((x + k - 1) % k, y),
            (x, (y + 1) % k),
            (x, (y + k - 1) % k),
        ]
        .into_iter()
        .filter(|neighbour| !used[slot(node)].contains(neighbour))
        .collect::<Vec<_>>()
    };
    let mut path = vec![(0, 0)];
    let mut before = None;
    loop {
        let here = path[path.len() - 1];
        let next = free(here).into_iter().find(|&node| Some(node) != before)?;
        if next == (0, 0) {
            return (path.len() == cycle.len()).then_some(path);
        }
        if path.len() == cycle.len() {
            return None;
        }
        before = Some(here);
        path.push(next);
    }
}
