//! Chunks link by link: each starts its next when the last has left, whatever its neighbours do.

use super::cut::Cut;
use super::matching::Matching;
use super::network::Network;
use super::plan::{Delivery, Plan, Times};
use crate::{Control, Result};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Links between two looks at the cancel flag.
const STRETCH: usize = 1 << 8;

/// What happens at a time. Times are not negative, so that they are ordered as their bits are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A chunk has come to a rank.
    Arrival { rank: u32, chunk: u32 },
    /// A link has nothing to do any more.
    Free(u32),
}

pub(super) fn run(
    network: &Network,
    cut: &Cut,
    bytes: f64,
    seed: u64,
    control: &Control,
) -> Result<Plan> {
    let mut matching = Matching::new(cut, seed);
    let (into, out) = (network.inwards(control)?, network.outwards(control)?);
    let rates = network.rates(&into, control)?;
    // A sender that starts messages to all of its neighbours starts the last one so much later.
    let started = if network.backwards { &into } else { &out };
    let partners = started.iter().map(|links| {
        control.check()?;
        let other = |&link: &u32| network.starter(&network.links[link as usize]).1;
        let mut others: Vec<u32> = links.iter().map(other).collect();
        others.sort_unstable();
        others.dedup();
        Ok(others.len())
    });
    let partners = partners.collect::<Result<Vec<usize>>>()?;
    let takes: Vec<f64> = network
        .links
        .iter()
        .map(|wire| {
            let others = partners[network.starter(wire).0 as usize];
            others as f64 * network.overhead + bytes / wire.bandwidth
        })
        .collect();
    // Where a link would bring a chunk late, those who bring it sooner.
    let faster = network.links.iter().enumerate();
    let faster: Vec<Vec<u32>> = faster
        .map(|(link, wire)| {
            if link % STRETCH == 0 {
                control.check()?;
            }
            let mut ranks: Vec<u32> = into[wire.to as usize]
                .iter()
                .filter(|&&other| takes[other as usize] < takes[link])
                .map(|&other| network.links[other as usize].from)
                .collect();
            ranks.sort_unstable();
            ranks.dedup();
            Ok(ranks)
        })
        .collect::<Result<_>>()?;
    let quickest: Vec<f64> = into
        .iter()
        .map(|links| {
            let takes = links.iter().map(|&link| takes[link as usize]);
            takes.fold(f64::INFINITY, f64::min)
        })
        .collect();
    let mut idle = vec![true; network.links.len()];
    let mut turn: Vec<u32> = (0..network.links.len() as u32).collect();
    let mut events: BinaryHeap<Reverse<(u64, Event)>> = BinaryHeap::new();
    let (mut deliveries, mut starts) = (Vec::new(), Vec::new());
    let (mut now, mut makespan) = (0.0f64, 0.0f64);
    loop {
        control.check()?;
        matching.shuffle(&mut turn);
        for (at, &link) in turn.iter().enumerate() {
            if at % STRETCH == STRETCH - 1 {
                control.check()?;
            }
            let wire = network.links[link as usize];
            if !idle[link as usize] || matching.missing(wire.to) == 0 {
                continue;
            }
            let to = wire.to as usize;
            let rest = f64::from(matching.missing(wire.to)) * bytes / rates[to];
            let late = takes[link as usize] > rest + quickest[to];
            let others: &[u32] = if late { &faster[link as usize] } else { &[] };
            let Some(chunk) = matching.pick(wire.from, wire.to, others) else {
                continue;
            };
            matching.promise(wire.to, chunk);
            idle[link as usize] = false;
            let leaves = now + takes[link as usize];
            let rank = wire.to;
            let arrival = leaves + wire.latency;
            makespan = makespan.max(arrival);
            events.push(Reverse((leaves.to_bits(), Event::Free(link))));
            let event = Event::Arrival { rank, chunk };
            events.push(Reverse((arrival.to_bits(), event)));
            deliveries.push(Delivery { link, chunk });
            starts.push(now);
        }
        // All that happens at the next time at which something does.
        turn.clear();
        let Some(&Reverse((next, _))) = events.peek() else {
            break;
        };
        now = f64::from_bits(next);
        while let Some(&Reverse((time, event))) = events.peek() {
            if time > next {
                break;
            }
            events.pop();
            match event {
                Event::Arrival { rank, chunk } => {
                    matching.arrive(rank, chunk);
                    control.advance(1);
                    let waiting = out[rank as usize].iter().copied();
                    turn.extend(waiting.filter(|&link| idle[link as usize]));
                }
                Event::Free(link) => {
                    idle[link as usize] = true;
                    turn.push(link);
                }
            }
        }
        turn.sort_unstable();
        turn.dedup();
    }
    Ok(Plan {
        cut: cut.clone(),
        bytes,
        deliveries,
        makespan,
        times: Times::Starts(starts),
        least: 0,
    })
}
