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

/// Entries of the heap between two looks at the cancel flag.
pub(super) const STRETCH: usize = 1 << 12;

impl Shares {
    /// Rates of all flows, every one of which has just started. About O(log links) for each step of a path.
    pub(super) fn progressive_fill(&mut self, control: &Control) -> Result<()> {
        let mut residuals = std::mem::take(&mut self.work.residuals);
        residuals.resize(self.links.len(), Residual::default());
        let links = std::mem::take(&mut self.touched.members);
        let started = std::mem::take(&mut self.started);
        let mut heap = Vec::new();
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
            // Whom one flow has to itself, its cap tells.
            if on_link.len() > 1 {
                heap.push(Reverse((
                    (residual.left / residual.weights).to_bits(),
                    link,
                    false,
                )));
            }
        }
        // Caps do not change, and many are equal: sorted once they cost less than in the heap.
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
        let mut still_rising = caps.len();
        let mut caps = caps.into_iter().peekable();
        let mut heap = BinaryHeap::from(heap);
        let mut stopped = Vec::new();
        let mut popped = 0usize;
        // Levels are positive, and positive floats are ordered as their bits are.
        while still_rising > 0 {
            let cap_first = match (heap.peek(), caps.peek()) {
                (Some(Reverse(link)), Some(cap)) => cap < link,
                (link, _) => link.is_none(),
            };
            let next = match cap_first {
                true => caps.next(),
                false => heap.pop().map(|Reverse(link)| link),
            };
            let Some((key, index, is_flow)) = next else {
                break;
            };
            popped += 1;
            if popped % STRETCH == 0 {
                control.check()?;
            }
            let now = f64::from_bits(key);
            stopped.clear();
            let rising = |flow: u32| self.shares[flow as usize].rate.is_infinite();
            let (level, bottleneck) = if is_flow {
                stopped.extend(rising(index).then_some(index));
                (now, OWN_CAP)
            } else {
                let residual = residuals[index as usize];
                if residual.rising == 0 {
                    continue;
                }
                // Rounding may take a hair too much: levels never fall.
                let level = (residual.left / residual.weights).max(now);
                if level > now {
                    heap.push(Reverse((level.to_bits(), index, false)));
                    continue;
                }
                let on_link = self.flows_on(index).iter().map(|entry| entry.flow);
                stopped.extend(on_link.filter(|&flow| rising(flow)));
                let level = self.added_up(index).max(now);
                self.links[index as usize].level = level;
                (level, index)
            };
            still_rising -= stopped.len();
            for &flow in &stopped {
                self.shares[flow as usize].rate = level;
                self.shares[flow as usize].bottleneck = bottleneck;
                for step in self.steps_of(flow) {
                    let residual = &mut residuals[step.link as usize];
                    residual.left -= level * step.weight;
                    residual.weights -= step.weight;
                    residual.rising -= 1;
                }
            }
        }
        self.work.residuals = residuals;
        self.touched.members = links;
        Ok(())
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
