//! Which channels wait for which: a link and a virtual channel of it are a channel, and a message that holds one and
//! asks for the next makes the first wait for the second. Without a cycle of waiting no messages can deadlock (Dally
//! and Seitz 1987).
//!
//! Virtual channels: a wild hop has one of its own, by its number. After that a message starts each ring on the first
//! and takes the second once it has passed the cable that closes the ring (the dateline). Up*/down* uses one.

use super::layers::Layer;
use super::{FoundBy, links};
use crate::machine::{AxisKind, Domain};

/// Successors after which a list is sorted and thinned out.
const LONG: usize = 64;

/// One stretch of a message along one axis: one way, or two that it is split over.
#[derive(Debug, Default)]
struct Stretch {
    axis: usize,
    paths: Vec<Vec<u64>>,
}

/// Channels, and which of them each waits for. Numbered by virtual channel, then link.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    domain: &'a Domain,
    next: Vec<Vec<u64>>,
    virtual_channels: u64,
    used: Vec<bool>,
    waits: Vec<(u64, u64)>,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(domain: &'a Domain) -> Self {
        Self {
            domain,
            next: Vec::new(),
            virtual_channels: 0,
            used: Vec::new(),
            waits: Vec::new(),
        }
    }

    /// Virtual channels that some message uses.
    pub(super) fn used(&self) -> u32 {
        self.used.iter().filter(|used| **used).count() as u32
    }

    /// Channels are numbered by virtual channel, then link: more virtual channels come at the end.
    fn channel(&mut self, link: u64, virtual_channel: usize) -> u64 {
        while self.virtual_channels <= virtual_channel as u64 {
            self.virtual_channels += 1;
            let channels = self.virtual_channels * self.domain.links();
            self.next.resize(channels as usize, Vec::new());
            self.used.push(false);
        }
        self.used[virtual_channel] = true;
        virtual_channel as u64 * self.domain.links() + link
    }

    /// Takes in the links of a message.
    pub(super) fn add(&mut self, steps: &[(u64, f64)], found: FoundBy) {
        let mut waits = std::mem::take(&mut self.waits);
        self.waits_of(steps, found, &mut waits);
        waits.iter().for_each(|&wait| self.wait(wait));
        self.waits = waits;
    }

    /// Lists which channel of a message waits for which. Those of up*/down* are links.
    pub(super) fn waits_of(
        &mut self,
        steps: &[(u64, f64)],
        found: FoundBy,
        waits: &mut Vec<(u64, u64)>,
    ) {
        waits.clear();
        let mut wait = |before: &[u64], channel: u64| {
            waits.extend(before.iter().map(|&before| (before, channel)));
        };
        let mut before: Vec<u64> = Vec::new();
        let mut rest = steps;
        if let FoundBy::Wild(hops) = found {
            let mut hop = 0;
            while let Some((&(link, _), later)) = rest.split_first() {
                hop += usize::from(self.starts_hop(link));
                if hop > hops {
                    break;
                }
                let channel = self.channel(link, 1 + hop);
                wait(&before, channel);
                before = vec![channel];
                rest = later;
            }
        }
        for stretch in self.stretches(rest) {
            let mut lasts = Vec::new();
            for path in stretch.paths {
                let mut last = before.clone();
                let mut passed = false;
                for link in path {
                    let second = found != FoundBy::UpDown && passed;
                    let channel = self.channel(link, usize::from(second));
                    wait(&last, channel);
                    last = vec![channel];
                    passed |= self.closes_ring(stretch.axis, link);
                }
                lasts.extend(last);
            }
            before = lasts;
        }
    }

    fn wait(&mut self, (before, channel): (u64, u64)) {
        let next = &mut self.next[before as usize];
        if next.last() == Some(&channel) || (next.len() < LONG && next.contains(&channel)) {
            return;
        }
        next.push(channel);
        if next.len() >= LONG && next.len().is_power_of_two() {
            next.sort_unstable();
            next.dedup();
        }
    }

    /// The steps cut where axis or direction changes, the two ways of a split side by side.
    fn stretches(&self, steps: &[(u64, f64)]) -> Vec<Stretch> {
        let mut out: Vec<Stretch> = Vec::new();
        let mut last = None;
        for &(link, share) in steps {
            let axis = links::axis_of(self.domain, link);
            let backward = links::is_backward(self.domain, axis, link);
            let split = share < 1.0;
            if last != Some((axis, backward, split)) {
                let beside = split && last == Some((axis, !backward, true));
                if !beside {
                    out.push(Stretch {
                        axis,
                        paths: Vec::new(),
                    });
                }
                if let Some(stretch) = out.last_mut() {
                    stretch.paths.push(Vec::new());
                }
            }
            last = Some((axis, backward, split));
            if let Some(path) = out.last_mut().and_then(|stretch| stretch.paths.last_mut()) {
                path.push(link);
            }
        }
        out
    }

    /// True for cables, and for the link into a switch.
    fn starts_hop(&self, link: u64) -> bool {
        let axis = links::axis_of(self.domain, link);
        let at = link - self.domain.plans()[axis].first_link;
        match self.domain.axes()[axis].kind {
            AxisKind::Switch { .. } => at < u64::from(self.domain.chips()),
            _ => true,
        }
    }

    /// True for the cable that joins the last member of a ring and the first.
    fn closes_ring(&self, axis: usize, link: u64) -> bool {
        let (definition, plan) = (&self.domain.axes()[axis], &self.domain.plans()[axis]);
        if definition.kind != AxisKind::Ring {
            return false;
        }
        let row = (link - plan.first_link) % (plan.links / 2) / u64::from(plan.stride);
        row % u64::from(definition.size) == u64::from(definition.size) - 1
    }

    /// Puts all messages on one virtual channel, if that leaves no cycle.
    pub(super) fn merge(&mut self) {
        if self.virtual_channels <= 1 {
            return;
        }
        let links = self.domain.links();
        let mut merged: Vec<Vec<u64>> = vec![Vec::new(); links as usize];
        for (channel, next) in (0..).zip(&self.next) {
            merged[(channel % links) as usize].extend(next.iter().map(|next| next % links));
        }
        if self.cycle_of(&merged).is_none() {
            (self.next, self.virtual_channels, self.used) = (merged, 1, vec![true]);
        }
    }

    /// The channels as a layer, if they are and wait in no circle.
    pub(super) fn layer(&self) -> Option<Layer> {
        Layer::of(&self.next)
    }

    /// Channels (link, virtual channel) of which each waits for the next and the last for the first, if there are.
    pub(super) fn cycle(&self) -> Option<Vec<(u64, u32)>> {
        self.cycle_of(&self.next)
    }

    fn cycle_of(&self, waits_for: &[Vec<u64>]) -> Option<Vec<(u64, u32)>> {
        const NEW: u8 = 0;
        const OPEN: u8 = 1;
        const DONE: u8 = 2;
        let mut state = vec![NEW; waits_for.len()];
        let links = self.domain.links();
        for start in 0..waits_for.len() as u64 {
            if state[start as usize] != NEW {
                continue;
            }
            state[start as usize] = OPEN;
            let mut path = vec![(start, 0)];
            while let Some((here, at)) = path.last_mut() {
                let Some(&next) = waits_for[*here as usize].get(*at) else {
                    state[*here as usize] = DONE;
                    path.pop();
                    continue;
                };
                *at += 1;
                match state[next as usize] {
                    NEW => {
                        state[next as usize] = OPEN;
                        path.push((next, 0));
                    }
                    OPEN => {
                        let first = path.iter().position(|entry| entry.0 == next).unwrap_or(0);
                        let words = |&(channel, _): &(u64, usize)| {
                            (channel % links, (channel / links) as u32)
                        };
                        return Some(path[first..].iter().map(words).collect());
                    }
                    _ => {}
                }
            }
        }
        None
    }
}
