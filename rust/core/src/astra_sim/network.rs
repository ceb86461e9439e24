//! What a message takes from NPU to NPU: alone on the way, or hop by hop behind others.

use super::ask::{Dimension, Shape};
use std::collections::{BTreeMap, VecDeque};

/// One dimension, with bytes per nanosecond.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    shape: Shape,
    size: u32,
    rate: f64,
    latency: f64,
}

impl Way {
    pub(super) fn of(row: &Dimension) -> Self {
        Self {
            shape: row.shape,
            size: row.size,
            rate: row.bandwidth * f64::from(1u32 << 30) / 1e9,
            latency: row.latency,
        }
    }

    /// Whole nanoseconds until all has arrived, as many hops away as `from` and `to` are; each hop cuts through.
    fn alone(&self, from: u32, to: u32, bytes: u64) -> u64 {
        let forward = if to >= from {
            to - from
        } else {
            to + self.size - from
        };
        let hops = match self.shape {
            Shape::Ring => forward.min(self.size - forward),
            Shape::Switch => 2,
            Shape::FullyConnected => 1,
        };
        (f64::from(hops) * self.latency + bytes as f64 / self.rate) as u64
    }
}

/// Nanoseconds between two NPUs of several dimensions: only the first in which they differ counts.
pub(super) fn alone(ways: &[Way], from: u32, to: u32, bytes: u64) -> Option<u64> {
    let (mut low, mut high) = (from, to);
    for way in ways {
        let (here, there) = (low % way.size, high % way.size);
        if here != there {
            return Some(way.alone(here, there, bytes));
        }
        (low, high) = (low / way.size, high / way.size);
    }
    None
}

/// A message on links that others want too.
#[derive(Debug)]
struct Hop {
    bytes: u64,
    at: u32,
    to: u32,
    back: bool,
    letter: u32,
}

#[derive(Debug, Default)]
struct Link {
    busy: bool,
    waiting: VecDeque<u32>,
}

/// What happens on links.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// A message is at its next device.
    Arrived(u32),
    /// A link is free again.
    Free(u64),
}

/// Links of one dimension, on which messages are stored and forwarded, first come, first served.
#[derive(Debug)]
pub(super) struct Links {
    way: Way,
    links: BTreeMap<u64, Link>,
    hops: Vec<Hop>,
    unused: Vec<u32>,
}

impl Links {
    pub(super) fn of(way: Way) -> Self {
        Self {
            way,
            links: BTreeMap::new(),
            hops: Vec::new(),
            unused: Vec::new(),
        }
    }

    /// Sends `letter`; what happens when is added to `events`, after `now`.
    pub(super) fn send(
        &mut self,
        (from, to, bytes, letter): (u32, u32, u64, u32),
        events: &mut Vec<(u64, Event)>,
    ) {
        let forward = if to >= from {
            to - from
        } else {
            to + self.way.size - from
        };
        let hop = Hop {
            bytes,
            at: from,
            to,
            back: self.way.shape == Shape::Ring && self.way.size - forward < forward,
            letter,
        };
        let place = if let Some(place) = self.unused.pop() {
            self.hops[place as usize] = hop;
            place
        } else {
            self.hops.push(hop);
            (self.hops.len() - 1) as u32
        };
        self.forward(place, events);
    }

    /// Goes on after an event; the letter that has arrived, if one has.
    pub(super) fn step(&mut self, event: Event, events: &mut Vec<(u64, Event)>) -> Option<u32> {
        match event {
            Event::Free(link) => {
                let row = self.links.entry(link).or_default();
                row.busy = false;
                if let Some(next) = row.waiting.pop_front() {
                    self.occupy(link, next, events);
                }
                None
            }
            Event::Arrived(place) => {
                let next = self.next(place);
                let hop = &mut self.hops[place as usize];
                hop.at = next;
                if hop.at == hop.to {
                    self.unused.push(place);
                    return Some(self.hops[place as usize].letter);
                }
                self.forward(place, events);
                None
            }
        }
    }

    /// The device after the one where a message is.
    fn next(&self, place: u32) -> u32 {
        let (hop, size) = (&self.hops[place as usize], self.way.size);
        match self.way.shape {
            Shape::FullyConnected => hop.to,
            Shape::Switch if hop.at == size => hop.to,
            Shape::Switch => size,
            Shape::Ring if hop.back => (hop.at + size - 1) % size,
            Shape::Ring => (hop.at + 1) % size,
        }
    }

    fn forward(&mut self, place: u32, events: &mut Vec<(u64, Event)>) {
        let link = (u64::from(self.hops[place as usize].at) << 32) | u64::from(self.next(place));
        let row = self.links.entry(link).or_default();
        if row.busy {
            row.waiting.push_back(place);
        } else {
            self.occupy(link, place, events);
        }
    }

    fn occupy(&mut self, link: u64, place: u32, events: &mut Vec<(u64, Event)>) {
        self.links.entry(link).or_default().busy = true;
        let took = self.hops[place as usize].bytes as f64 / self.way.rate;
        events.push(((self.way.latency + took) as u64, Event::Arrived(place)));
        events.push((took as u64, Event::Free(link)));
    }
}
