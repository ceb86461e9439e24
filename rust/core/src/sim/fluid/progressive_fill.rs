//! Progressive filling: the rates of all flows rise together until a link is full; its flows keep their rate, the
//! others go on. A link is full when the common rate reaches its level, what is left of its capacity over the
//! weights of the flows that still rise. Levels never fall, so a heap of old levels finds the next full link: one
//! whose level has risen since is put back.

use super::scratch::Residual;
use super::shares::{OWN_CAP, Shares};
use crate::Control;
use crate::error::Result;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter::Peekable;
use std::vec::IntoIter;

/// Entries of the heap between two looks at the cancel flag.
pub(super) const STRETCH: usize = 1 << 12;

/// What may stop flows next: a key that orders as its bits do, the link or flow, and whether it is a flow.
pub(crate) type Stop = (u64, u32, bool);

/// Full links and caps of flows, lowest first.
pub(crate) struct Stops {
    links: BinaryHeap<Reverse<Stop>>,
    /// Caps do not change, and many are equal: sorted once they cost less than in the heap.
    caps: Peekable<IntoIter<Stop>>,
}

impl Stops {
    /// Of shared links, in any order, and of flows, ascending.
    pub(crate) fn of(links: Vec<Reverse<Stop>>, caps: Vec<Stop>) -> Self {
        Self {
            links: BinaryHeap::from(links),
            caps: caps.into_iter().peekable(),
        }
    }

    /// What comes first.
    pub(crate) fn first(&mut self) -> Option<Stop> {
        match (self.links.peek(), self.caps.peek()) {
            (Some(Reverse(link)), Some(cap)) => Some(*link.min(cap)),
            (Some(Reverse(link)), None) => Some(*link),
            (None, cap) => cap.copied(),
        }
    }

    /// What comes first has happened.
    pub(crate) fn pop(&mut self, (_, _, is_flow): Stop) {
        match is_flow {
            true => drop(self.caps.next()),
            false => drop(self.links.pop()),
        }
    }

    /// The link that comes first is full at `level` only.
    pub(crate) fn put_off(&mut self, level: f64) {
        if let Some(mut first) = self.links.peek_mut() {
            first.0.0 = level.to_bits();
        }
    }
}

impl Shares {
    /// Rates of all flows, every one of which has just started. About O(log links) for each step of a path.
    pub(super) fn progressive_fill(&mut self, control: &Control) -> Result<()> {
        let links = std::mem::take(&mut self.touched.members);
        let mut residuals = std::mem::take(&mut self.work.residuals);
        residuals.resize(self.links.len(), Residual::default());
        let shared = self.empty_links(&links, &mut residuals, control)?;
        let caps = self.caps(control)?;
        let mut still_rising = caps.len();
        let mut stops = Stops::of(shared, caps);
        let mut stopped = Vec::new();
        let mut popped = 0usize;
        // Levels are positive, and positive floats are ordered as their bits are.
        while still_rising > 0 {
            let Some(stop) = stops.first() else {
                break;
            };
            let (key, index, is_flow) = stop;
            popped += 1;
            if popped % STRETCH == 0 {
                control.check()?;
            }
            let now = f64::from_bits(key);
            stopped.clear();
            let (level, bottleneck) = if is_flow {
                stopped.extend(self.is_rising(index).then_some(index));
                (now, OWN_CAP)
            } else {
                let residual = residuals[index as usize];
                if residual.rising == 0 {
                    stops.pop(stop);
                    continue;
                }
                // Rounding may take a hair too much: levels never fall.
                let level = (residual.left / residual.weights).max(now);
                if level > now {
                    stops.put_off(level);
                    continue;
                }
                let on_link = self.flows_on(index).iter().map(|entry| entry.flow);
                stopped.extend(on_link.filter(|&flow| self.is_rising(flow)));
                let level = self.added_up(index).max(now);
                self.links[index as usize].level = level;
                (level, index)
            };
            stops.pop(stop);
            still_rising -= stopped.len();
            self.hold_at(&stopped, level, bottleneck, &mut residuals);
        }
        self.work.residuals = residuals;
        self.touched.members = links;
        Ok(())
    }

    /// Residuals of links on which every flow rises, and when those would be full that several flows share: whom one
    /// flow has to itself, its cap tells.
    fn empty_links(
        &mut self,
        links: &[u32],
        residuals: &mut [Residual],
        control: &Control,
    ) -> Result<Vec<Reverse<Stop>>> {
        let mut shared = Vec::new();
        for (at, &link) in links.iter().enumerate() {
            if at % STRETCH == 0 {
                control.check()?;
            }
            self.links[link as usize].level = f64::INFINITY;
            let on_link = self.flows_on(link);
            let residual = Residual {
                left: self.links[link as usize].capacity,
                weights: on_link.iter().map(|entry| entry.weight).sum(),
                rising: on_link.len() as u32,
            };
            residuals[link as usize] = residual;
            if on_link.len() > 1 {
                let level = residual.left / residual.weights;
                shared.push(Reverse((level.to_bits(), link, false)));
            }
        }
        Ok(shared)
    }

    /// Lets all flows that started rise; their finite caps, ascending.
    fn caps(&mut self, control: &Control) -> Result<Vec<Stop>> {
        let started = std::mem::take(&mut self.started);
        let mut caps = Vec::with_capacity(started.len());
        for &flow in &started {
            let share = &mut self.shares[flow as usize];
            share.rate = f64::INFINITY;
            share.bottleneck = OWN_CAP;
            if share.cap.is_finite() {
                caps.push((share.cap.to_bits(), flow, true));
            }
        }
        control.check()?;
        caps.sort_unstable();
        control.check()?;
        Ok(caps)
    }

    fn is_rising(&self, flow: u32) -> bool {
        self.shares[flow as usize].rate.is_infinite()
    }

    /// Gives flows the rate at which they stop, and takes it off their links.
    fn hold_at(&mut self, flows: &[u32], level: f64, bottleneck: u32, residuals: &mut [Residual]) {
        for &flow in flows {
            let share = &mut self.shares[flow as usize];
            (share.rate, share.bottleneck) = (level, bottleneck);
            for step in self.steps_of(flow) {
                residuals[step.link as usize].hold(level, step.weight);
            }
        }
    }

    /// The level of a link that is full now. What was taken off step by step has rounded: light flows beside heavy
    /// ones would get a wrong rate.
    fn added_up(&self, link: u32) -> f64 {
        let (mut left, mut weights) = (self.links[link as usize].capacity, 0.0);
        for entry in self.flows_on(link) {
            let rate = self.shares[entry.flow as usize].rate;
            if rate.is_infinite() {
                weights += entry.weight;
            } else {
                left -= rate * entry.weight;
            }
        }
        left / weights
    }
}
