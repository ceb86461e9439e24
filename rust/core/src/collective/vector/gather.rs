//! All-gathers of shares that are not alike, move by move; a reduce-scatter is one backwards.

use crate::collective::program::layout::ring_order;
use crate::machine::Machine;
use crate::{Control, Error, Result};
use std::collections::BTreeMap;

/// What can run one.
pub(super) const NAMES: [&str; 4] = ["direct", "ring_one_way", "half_ring", "hierarchical"];

/// Moves of shares, each cut into so many slices.
pub(super) struct Gather {
    pub(super) slices: u32,
    pub(super) moves: Vec<Move>,
}

/// One message: (rank, slice) of each share.
pub(super) struct Move {
    pub(super) step: u32,
    pub(super) src: u32,
    pub(super) dst: u32,
    pub(super) shares: Vec<(u32, u32)>,
}

pub(super) fn write(
    machine: &Machine,
    chips: &[u32],
    sizes: &[f64],
    name: &str,
    control: &Control,
) -> Result<Gather> {
    match name {
        "direct" => Ok(direct(chips.len() as u32)),
        "hierarchical" => hierarchical(machine, chips, sizes),
        _ => ring(
            &in_ring_order(machine, chips, control)?,
            name == "half_ring",
        ),
    }
}

/// Every rank to every other, at once.
fn direct(ranks: u32) -> Gather {
    let pairs = (0..ranks).flat_map(|src| (1..ranks).map(move |far| (src, (src + far) % ranks)));
    let moves = pairs.map(|(src, dst)| Move {
        step: 0,
        src,
        dst,
        shares: vec![(src, 0)],
    });
    Gather {
        slices: 1,
        moves: moves.collect(),
    }
}

/// Ranks in an order whose neighbours are close, where all are in one domain.
fn in_ring_order(machine: &Machine, chips: &[u32], control: &Control) -> Result<Vec<u32>> {
    let split: Vec<(u32, u32)> = chips.iter().map(|&chip| machine.split(chip)).collect();
    let mut ranks: Vec<u32> = (0..chips.len() as u32).collect();
    ranks.sort_by_key(|&rank| chips[rank as usize]);
    if split.iter().any(|place| place.0 != split[0].0) {
        return Ok(ranks);
    }
    let locals: Vec<u32> = ranks.iter().map(|&rank| split[rank as usize].1).collect();
    let number: BTreeMap<u32, u32> = locals.iter().copied().zip(ranks).collect();
    let order = ring_order(machine.domain(), &locals, control)?;
    Ok(order.iter().map(|local| number[local]).collect())
}

/// Along a ring: all the way round, or each share by its shorter way.
fn ring(order: &[u32], half: bool) -> Result<Gather> {
    let ranks = order.len() as u32;
    if half && ranks < 3 {
        return Err(Error::unsupported(
            format!("half_ring over {ranks} ranks"),
            "use ring_one_way",
        ));
    }
    let at = |place: u32| order[(place % ranks) as usize];
    // Of an even number the opposite rank's share goes half each way.
    let slices = if half && ranks % 2 == 0 { 2 } else { 1 };
    let steps = if half { ranks / 2 } else { ranks - 1 };
    let ways: &[u32] = if half { &[0, 1] } else { &[0] };
    let mut moves = Vec::new();
    for step in 0..steps {
        let halved = slices == 2 && step == steps - 1;
        for (&way, place) in ways
            .iter()
            .flat_map(|way| (0..ranks).map(move |place| (way, place)))
        {
            let (next, owner) = match way {
                0 => (place + 1, place + ranks - step),
                _ => (place + ranks - 1, place + step),
            };
            let shares = (0..slices).filter(|&slice| !halved || slice == way);
            moves.push(Move {
                step,
                src: at(place),
                dst: at(next),
                shares: shares.map(|slice| (at(owner), slice)).collect(),
            });
        }
    }
    Ok(Gather { slices, moves })
}

/// Each share once to every other domain, to the member there that has got the least so far; then round each domain.
fn hierarchical(machine: &Machine, chips: &[u32], sizes: &[f64]) -> Result<Gather> {
    let mut domains: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (rank, &chip) in (0..).zip(chips) {
        domains.entry(machine.split(chip).0).or_default().push(rank);
    }
    if domains.len() == 1 || domains.len() == chips.len() {
        return Err(Error::unsupported(
            "hierarchical over a group that spans one tier",
            "use half_ring or direct",
        ));
    }
    let mut largest: Vec<u32> = (0..chips.len() as u32).collect();
    largest.sort_by(|&a, &b| {
        sizes[b as usize]
            .total_cmp(&sizes[a as usize])
            .then(a.cmp(&b))
    });
    let mut held: Vec<Vec<u32>> = (0..chips.len() as u32).map(|rank| vec![rank]).collect();
    let mut got = vec![0.0f64; chips.len()];
    let mut moves = Vec::new();
    for &src in &largest {
        let home = machine.split(chips[src as usize]).0;
        for (_, members) in domains.iter().filter(|(domain, _)| **domain != home) {
            let least = |a: &&u32, b: &&u32| {
                let key = |rank: u32| (got[rank as usize], held[rank as usize].len());
                let (a, b) = (key(**a), key(**b));
                a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
            };
            let dst = *members.iter().min_by(least).expect("a domain has members");
            got[dst as usize] += sizes[src as usize];
            held[dst as usize].push(src);
            moves.push(Move {
                step: 0,
                src,
                dst,
                shares: vec![(src, 0)],
            });
        }
    }
    for members in domains.values() {
        for (&src, &dst) in members
            .iter()
            .flat_map(|src| members.iter().map(move |dst| (src, dst)))
        {
            if src != dst {
                let shares = held[src as usize].iter().map(|&share| (share, 0)).collect();
                moves.push(Move {
                    step: 1,
                    src,
                    dst,
                    shares,
                });
            }
        }
    }
    Ok(Gather { slices: 1, moves })
}
