//! Max-min fair rates after a change, at the cost of what the change reaches.
//!
//! The level of a link depends only on flows that are slower than it: the faster ones count as if nothing else held
//! them back. So levels are put right in ascending order, as in a shortest-path search after an edge has changed
//! (Ramalingam and Reps, An incremental algorithm for a generalization of the shortest-path problem, 1996). A link
//! whose level is not what its flows make it waits in a heap under the lesser of the level it has and the level
//! that it should have. When its turn comes, all that is lower is right for good:
//! - if its level is too high, it takes the right one, and its faster flows slow down to it;
//! - if its level is too low, it lets go of the flows that it holds back, which now take what the other links leave
//!   them, and it waits again.
//!
//! A flow that slows down can only raise levels on its path, so old keys stay lower bounds; where it speeds up,
//! links are looked at anew. A link that has taken its level is closed for the rest of the change, so that rounding
//! cannot send links round in circles: it lets go once at most and takes a level once.

use super::progressive_fill::STRETCH;
use super::scratch::NOT_QUEUED;
use super::shares::Shares;
use crate::Control;
use crate::error::Result;
use std::cmp::Reverse;

/// Levels this close are one: the difference is rounding, which must not run through the network.
const SAME_LEVEL: f64 = 1e-13;
impl Shares {
    /// Rates after `started` flows came and others left the `touched` links.
    pub(super) fn update_rates(&mut self, control: &Control) -> Result<()> {
        for at in 0..self.touched.members.len() {
            if at % STRETCH == 0 {
                control.check()?;
            }
            self.look(self.touched.members[at], 0.0);
        }
        let mut popped = 0usize;
        while let Some(Reverse((key, link))) = self.work.heap.pop() {
            popped += 1;
            if popped % STRETCH == 0 {
                control.check()?;
            }
            // Another entry has moved it forward.
            if self.work.queued[link as usize] != key {
                continue;
            }
            self.work.queued[link as usize] = NOT_QUEUED;
            if self.work.closed.has(link) {
                continue;
            }
            let now = f64::from_bits(key);
            let (level, wanted) = (self.links[link as usize].level, self.wanted(link).max(now));
            if same(level, wanted) {
                continue;
            }
            let turn = level.min(wanted);
            if turn > now {
                self.work.push(link, turn);
            } else if wanted < level {
                self.freeze(link, wanted);
            } else {
                self.release(link, now);
            }
        }
        self.work.closed.clear();
        Ok(())
    }

    /// Queues a link whose level is not what its flows make it; `now` is the common rate so far.
    fn look(&mut self, link: u32, now: f64) {
        let (level, wanted) = (self.links[link as usize].level, self.wanted(link).max(now));
        if !same(level, wanted) {
            self.work.push(link, level.min(wanted).max(now));
        }
    }

    /// The link is full at `level`: faster flows slow down.
    fn freeze(&mut self, link: u32, level: f64) {
        self.links[link as usize].level = level;
        self.work.closed.add(link);
        let mut flows = std::mem::take(&mut self.work.flows);
        flows.clear();
        let on_link = self.flows_on(link).iter().map(|entry| entry.flow);
        flows.extend(on_link.filter(|&flow| self.shares[flow as usize].rate > level));
        for &flow in &flows {
            self.note(flow);
            self.shares[flow as usize].rate = level;
            self.shares[flow as usize].bottleneck = link;
            for at in 0..self.steps_of(flow).len() {
                let other = self.steps_of(flow)[at].link;
                let held = self.links[other as usize].level;
                // Links without a level stay so; the others may get a higher one.
                if held.is_finite() && other != link && !self.work.closed.has(other) {
                    self.work.push(other, held);
                }
            }
        }
        self.work.flows = flows;
    }

    /// The link has more to give than its level `now`: flows that it held back go on.
    fn release(&mut self, link: u32, now: f64) {
        let old = self.links[link as usize].level;
        self.links[link as usize].level = f64::INFINITY;
        let mut flows = std::mem::take(&mut self.work.flows);
        flows.clear();
        let on_link = self.flows_on(link).iter().map(|entry| entry.flow);
        flows.extend(on_link.filter(|&flow| self.shares[flow as usize].bottleneck == link));
        self.work.look.clear();
        self.work.look.add(link);
        for &flow in &flows {
            self.note(flow);
            self.shares[flow as usize] = self.least(flow);
            for at in 0..self.steps_of(flow).len() {
                let other = self.steps_of(flow)[at].link;
                let row = &self.links[other as usize];
                if row.flows > 1 && row.level > old && !self.work.closed.has(other) {
                    self.work.look.add(other);
                }
            }
        }
        self.work.flows = flows;
        for at in 0..self.work.look.members.len() {
            self.look(self.work.look.members[at], now);
        }
    }

    /// The level that the flows of a link make it; infinite if it has room for all of them. Flows that only this
    /// link holds back could go as fast as their cap.
    fn wanted(&self, link: u32) -> f64 {
        let on_link = self.flows_on(link);
        if on_link.len() < 2 {
            return f64::INFINITY;
        }
        let capacity = self.links[link as usize].capacity;
        let mut level = capacity / on_link.iter().map(|entry| entry.weight).sum::<f64>();
        loop {
            let (mut left, mut weights) = (capacity, 0.0);
            for entry in on_link {
                let share = &self.shares[entry.flow as usize];
                let limit = if share.bottleneck == link {
                    share.cap
                } else {
                    share.rate
                };
                if limit < level {
                    left -= limit * entry.weight;
                } else {
                    weights += entry.weight;
                }
            }
            if weights == 0.0 {
                return f64::INFINITY;
            }
            let next = left / weights;
            if next <= level {
                return level;
            }
            level = next;
        }
    }
}

fn same(one: f64, other: f64) -> bool {
    one == other || (one - other).abs() <= SAME_LEVEL * one.min(other)
}
