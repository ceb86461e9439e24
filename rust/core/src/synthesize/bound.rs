//! What no schedule beats on these links.

use super::network::Network;
use crate::operation::Operation::{self, AllGather, AllReduce, ReduceScatter};
use crate::{Control, Result};
use std::collections::VecDeque;

/// Most ranks times links over which cuts around far ranks are looked at.
const MOST_CUTS: u64 = 1 << 28;

/// A lower bound and what it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Floor {
    /// Seconds.
    pub seconds: f64,
    /// "links into chip 5", ...
    pub what: String,
}

/// The highest bound of an all-gather, reduce-scatter or all-reduce of `size` bytes on a network whose ranks are all
/// connected.
///
/// Bytes that must enter or leave a set of ranks, over the bandwidth of the links that lead there: each rank alone, and
/// the ranks within any number of hops of each. In an all-reduce all ranks together must send 2 S (p - 1) bytes
/// (Patarasuk and Yuan 2009). And data must come all the way: the latencies of the quickest path between two ranks.
///
/// # Errors
/// [`Error::Cancelled`](crate::Error::Cancelled).
pub fn floor(
    network: &Network,
    operation: Operation,
    size: f64,
    control: &Control,
) -> Result<Floor> {
    let mut best = Floor {
        seconds: 0.0,
        what: "nothing moves".to_owned(),
    };
    if network.ranks() < 2 {
        return Ok(best);
    }
    let ranks = f64::from(network.ranks());
    let out = network.outwards(control)?;
    let out_rates = network.rates(&out, control)?;
    let into_rates = network.rates(&network.inwards(control)?, control)?;
    if operation == AllReduce {
        let all: f64 = network.links.iter().map(|wire| wire.bandwidth).sum();
        best.note(2.0 * size * (ranks - 1.0) / all, || {
            "links of all ranks together".to_owned()
        });
    }
    let (leaves, enters) = crossing(operation, size, ranks, 1.0);
    for ((chip, out), into) in network.chips.iter().zip(out_rates).zip(into_rates) {
        best.note(leaves / out, || format!("links out of chip {chip}"));
        best.note(enters / into, || format!("links into chip {chip}"));
    }
    let farthest = around(network, &out, (operation, size), &mut best, control)?;
    let latencies = network.links.iter().map(|wire| wire.latency);
    let quickest = latencies.fold(f64::INFINITY, f64::min);
    if quickest > 0.0 {
        for (chip, hops) in network.chips.iter().zip(farthest) {
            // The farthest rank is as many hops away as there are balls that leave something out.
            best.note(hops as f64 * quickest, || {
                format!("latency of the way out of chip {chip}")
            });
        }
    }
    Ok(best)
}

impl Floor {
    /// Takes a bound that is higher.
    fn note(&mut self, seconds: f64, what: impl Fn() -> String) {
        if seconds > self.seconds {
            *self = Self {
                seconds,
                what: what(),
            };
        }
    }
}

/// Bytes that must leave a set of `inside` of all ranks, and enter it.
fn crossing(operation: Operation, size: f64, ranks: f64, inside: f64) -> (f64, f64) {
    match operation {
        AllGather => (size * inside / ranks, size * (ranks - inside) / ranks),
        ReduceScatter => (size * (ranks - inside) / ranks, size * inside / ranks),
        AllReduce => (size, size),
        _ => (0.0, 0.0),
    }
}

/// Notes what must leave and enter the ranks within some hops of each rank, or of the first where those are too many to
/// look at; returns how far the farthest is from each.
fn around(
    network: &Network,
    out: &[Vec<u32>],
    (operation, size): (Operation, f64),
    best: &mut Floor,
    control: &Control,
) -> Result<Vec<usize>> {
    let ranks = f64::from(network.ranks());
    let every = u64::from(network.ranks()) * network.links.len() as u64 <= MOST_CUTS;
    let sources = if every { network.ranks() } else { 1 };
    let mut farthest = Vec::with_capacity(sources as usize);
    for rank in 0..sources {
        let chip = network.chips[rank as usize];
        let balls = balls(network, out, rank, control)?;
        farthest.push(balls.len());
        for ball in balls {
            let Ball { hops, inside, .. } = ball;
            let (leaves, enters) = crossing(operation, size, ranks, f64::from(inside));
            best.note(leaves / ball.out, || {
                format!("links out of the {inside} chips within {hops} hops of chip {chip}")
            });
            best.note(enters / ball.into, || {
                format!("links into the {inside} chips within {hops} hops of chip {chip}")
            });
        }
    }
    Ok(farthest)
}

/// The ranks that a rank reaches within some hops, and bytes/s into and out of them.
struct Ball {
    hops: u32,
    inside: u32,
    into: f64,
    out: f64,
}

/// The balls around `rank` that leave somebody out.
fn balls(network: &Network, out: &[Vec<u32>], rank: u32, control: &Control) -> Result<Vec<Ball>> {
    let mut distance = vec![u32::MAX; network.chips.len()];
    distance[rank as usize] = 0;
    let mut open = VecDeque::from([rank]);
    while let Some(rank) = open.pop_front() {
        control.check()?;
        for &link in &out[rank as usize] {
            let to = network.links[link as usize].to as usize;
            if distance[to] == u32::MAX {
                distance[to] = distance[rank as usize] + 1;
                open.push_back(to as u32);
            }
        }
    }
    let far = distance.iter().copied().filter(|&far| far != u32::MAX);
    let far = far.max().unwrap_or(0) as usize;
    let mut balls: Vec<Ball> = (0..far as u32)
        .map(|hops| Ball {
            hops,
            inside: 0,
            into: 0.0,
            out: 0.0,
        })
        .collect();
    for &hops in &distance {
        if let Some(ball) = balls.get_mut(hops as usize) {
            ball.inside += 1;
        }
    }
    for at in 1..balls.len() {
        balls[at].inside += balls[at - 1].inside;
    }
    for (place, wire) in network.links.iter().enumerate() {
        control.check_at(place)?;
        let (from, to) = (distance[wire.from as usize], distance[wire.to as usize]);
        // A way out crosses one sphere at a time, a way back may cross many.
        for hops in from.min(to)..from.max(to) {
            let ball = &mut balls[hops as usize];
            if from < to {
                ball.out += wire.bandwidth;
            } else {
                ball.into += wire.bandwidth;
            }
        }
    }
    Ok(balls)
}
