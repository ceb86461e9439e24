//! Chunks link by link: each starts its next when the last has left, whatever its neighbours do.

use super::cut::Cut;
use super::matching::Matching;
use super::network::{Network, Wire};
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

/// Links at work: what each does next, and what has been delivered so far.
struct Stream<'a> {
    network: &'a Network,
    control: &'a Control,
    bytes: f64,
    matching: Matching,
    /// Links out of each rank.
    out: Vec<Vec<u32>>,
    /// Bytes/s into each rank.
    rates: Vec<f64>,
    /// Seconds that a chunk keeps each link.
    takes: Vec<f64>,
    /// The least of those into each rank.
    quickest: Vec<f64>,
    /// Where a link would bring a chunk late, those who bring it sooner.
    faster: Vec<Vec<u32>>,
    idle: Vec<bool>,
    events: BinaryHeap<Reverse<(u64, Event)>>,
    now: f64,
    makespan: f64,
    deliveries: Vec<Delivery>,
    starts: Vec<f64>,
}

pub(super) fn run(
    network: &Network,
    cut: &Cut,
    bytes: f64,
    seed: u64,
    control: &Control,
) -> Result<Plan> {
    let matching = Matching::new(cut, seed);
    let (into, out) = (network.inwards(control)?, network.outwards(control)?);
    let rates = network.rates(&into, control)?;
    // A sender that starts messages to all of its neighbours starts the last one so much later.
    let started = if network.backwards { &into } else { &out };
    let takes = takes(network, started, bytes, control)?;
    let quickest = into.iter().map(|links| {
        let takes = links.iter().map(|&link| takes[link as usize]);
        takes.fold(f64::INFINITY, f64::min)
    });
    let mut stream = Stream {
        network,
        control,
        bytes,
        matching,
        rates,
        quickest: quickest.collect(),
        faster: faster(network, &into, &takes, control)?,
        takes,
        out,
        idle: vec![true; network.links.len()],
        events: BinaryHeap::new(),
        now: 0.0,
        makespan: 0.0,
        deliveries: Vec::new(),
        starts: Vec::new(),
    };
    let mut turn: Vec<u32> = (0..network.links.len() as u32).collect();
    loop {
        control.check()?;
        stream.matching.shuffle(&mut turn);
        for (at, &link) in turn.iter().enumerate() {
            if at % STRETCH == STRETCH - 1 {
                control.check()?;
            }
            stream.start(link);
        }
        if !stream.happen(&mut turn)? {
            break;
        }
    }
    Ok(Plan {
        cut: cut.clone(),
        bytes,
        deliveries: stream.deliveries,
        makespan: stream.makespan,
        times: Times::Starts(stream.starts),
        least: 0,
    })
}

/// Seconds that a chunk keeps each link, with what its sender takes to start messages to all its neighbours;
/// `started` has the links that each rank starts messages on.
fn takes(
    network: &Network,
    started: &[Vec<u32>],
    bytes: f64,
    control: &Control,
) -> Result<Vec<f64>> {
    let partners = started.iter().map(|links| {
        control.check()?;
        let other = |&link: &u32| network.starter(&network.links[link as usize]).1;
        let mut others: Vec<u32> = links.iter().map(other).collect();
        others.sort_unstable();
        others.dedup();
        Ok(others.len())
    });
    let partners = partners.collect::<Result<Vec<usize>>>()?;
    let of_link = |wire: &Wire| {
        let others = partners[network.starter(wire).0 as usize];
        others as f64 * network.overhead + bytes / wire.bandwidth
    };
    Ok(network.links.iter().map(of_link).collect())
}

/// For each link, the ranks whose links to the same rank take less.
fn faster(
    network: &Network,
    into: &[Vec<u32>],
    takes: &[f64],
    control: &Control,
) -> Result<Vec<Vec<u32>>> {
    let of_link = |(link, wire): (usize, &Wire)| {
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
    };
    network.links.iter().enumerate().map(of_link).collect()
}

impl Stream<'_> {
    /// Lets a link start its next chunk, if it is idle and has one to bring.
    fn start(&mut self, link: u32) {
        let wire = self.network.links[link as usize];
        let missing = self.matching.missing(wire.to);
        if !self.idle[link as usize] || missing == 0 {
            return;
        }
        let (to, takes) = (wire.to as usize, self.takes[link as usize]);
        let rest = f64::from(missing) * self.bytes / self.rates[to];
        let others: &[u32] = match takes > rest + self.quickest[to] {
            true => &self.faster[link as usize],
            false => &[],
        };
        let Some(chunk) = self.matching.pick(wire.from, wire.to, others) else {
            return;
        };
        self.matching.promise(wire.to, chunk);
        self.idle[link as usize] = false;
        let leaves = self.now + takes;
        let arrival = leaves + wire.latency;
        self.makespan = self.makespan.max(arrival);
        let rank = wire.to;
        let event = Event::Arrival { rank, chunk };
        self.events
            .push(Reverse((leaves.to_bits(), Event::Free(link))));
        self.events.push(Reverse((arrival.to_bits(), event)));
        self.deliveries.push(Delivery { link, chunk });
        self.starts.push(self.now);
    }

    /// Goes to the next time at which something happens, lets all of that happen, and leaves in `turn` the idle links
    /// that may have something to do then, ascending; false at the end.
    fn happen(&mut self, turn: &mut Vec<u32>) -> Result<bool> {
        turn.clear();
        let Some(&Reverse((next, _))) = self.events.peek() else {
            return Ok(false);
        };
        self.now = f64::from_bits(next);
        // Ranks that have got something: many chunks may come to one at once.
        let mut ranks = Vec::new();
        let mut count = 0usize;
        while let Some(&Reverse((time, event))) = self.events.peek() {
            if time > next {
                break;
            }
            self.events.pop();
            count += 1;
            if count % STRETCH == 0 {
                self.control.check()?;
            }
            match event {
                Event::Arrival { rank, chunk } => {
                    self.matching.arrive(rank, chunk);
                    self.control.advance(1);
                    if ranks.last() != Some(&rank) {
                        ranks.push(rank);
                    }
                }
                Event::Free(link) => {
                    self.idle[link as usize] = true;
                    turn.push(link);
                }
            }
        }
        ranks.sort_unstable();
        ranks.dedup();
        for rank in ranks {
            self.control.check()?;
            let waiting = self.out[rank as usize].iter().copied();
            turn.extend(waiting.filter(|&link| self.idle[link as usize]));
        }
        turn.sort_unstable();
        turn.dedup();
        Ok(true)
    }
}
