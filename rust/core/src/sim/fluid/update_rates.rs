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

use super::crowd::NO_CROWD;
use super::progressive_fill::STRETCH;
use super::scratch::NOT_QUEUED;
use super::shares::{Share, Shares};
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
                self.freeze(link, wanted, control)?;
            } else if self.crowd_of(link) == NO_CROWD {
                self.release(link, now);
            } else {
                self.raise(link, now, control)?;
            }
        }
        self.work.closed.clear();
        Ok(())
    }

    /// Queues a link whose level is not what its flows make it; `now` is the common rate so far.
    pub(super) fn look(&mut self, link: u32, now: f64) {
        if self.crowding.count > 0 {
            self.crowding.unwatched.add(link);
        }
        let (level, wanted) = (self.links[link as usize].level, self.wanted(link).max(now));
        if !same(level, wanted) {
            self.work.push(link, level.min(wanted).max(now));
        }
    }

    /// The link is full at `level`: faster flows slow down.
    fn freeze(&mut self, link: u32, level: f64, control: &Control) -> Result<()> {
        let slot = self.crowd_of(link) as usize;
        if slot < self.crowds.len() {
            self.watch_all(control)?;
        }
        self.note_level(link);
        self.links[link as usize].level = level;
        self.work.closed.add(link);
        let mut flows = std::mem::take(&mut self.work.flows);
        flows.clear();
        if self.has_faster(link, level) {
            let on_link = self.flows_on(link).iter().map(|entry| entry.flow);
            flows.extend(on_link.filter(|&flow| self.rate(flow) > level));
        }
        for &flow in &flows {
            self.note(flow);
            let cap = self.shares[flow as usize].cap;
            let share = Share {
                rate: level,
                cap,
                bottleneck: link,
            };
            self.assign(flow, share);
            for at in self.range(flow) {
                let other = self.steps[at].link;
                if other != link {
                    self.push_full(other);
                }
            }
        }
        self.work.flows = flows;
        if let Some(crowd) = self.crowds.get_mut(slot) {
            crowd.fastest = crowd.fastest.min(level);
            for at in 0..self.crowds[slot].full.len() {
                let watch = self.crowds[slot].full[at];
                if self.is_watched(watch) {
                    self.push_full(watch.0);
                }
            }
        }
        Ok(())
    }

    /// Queues a link that may get a higher level; one without a level stays so.
    fn push_full(&mut self, link: u32) {
        let level = self.links[link as usize].level;
        if level.is_finite() && !self.work.closed.has(link) {
            self.work.push(link, level);
        }
    }

    /// False if no flow on a link is faster than `level`, own flows of a crowd aside.
    fn has_faster(&self, link: u32, level: f64) -> bool {
        let Some(crowd) = self.crowds.get(self.crowd_of(link) as usize) else {
            return true;
        };
        let mut others = crowd.others.iter();
        crowd.fastest > level || others.any(|other| self.level(other.0) > level)
    }

    /// The level that the flows of a link make it; infinite if it has room for all of them. Flows that only this
    /// link holds back could go as fast as their cap, or faster where it is a crowd.
    pub(super) fn wanted(&mut self, link: u32) -> f64 {
        let row = &self.links[link as usize];
        if row.flows < 2 {
            return f64::INFINITY;
        }
        if self.crowding.count == 0 {
            return self.wanted_by(link, |flow| self.shares[flow as usize].rate);
        }
        if row.crowd == NO_CROWD {
            return self.wanted_by(link, |flow| self.rate(flow));
        }
        let (slot, crowd) = (row.crowd as usize, &self.crowds[row.crowd as usize]);
        let left = row.capacity - crowd.passing(|slot| self.level(slot));
        if crowd.members == 0 && left >= -SAME_LEVEL * row.capacity {
            return f64::INFINITY;
        }
        if crowd.members > 0 {
            let level = left / crowd.own_weight();
            if !self.has_faster(link, level + level * SAME_LEVEL) {
                return level;
            }
        }
        let rest = self.flows_on(link).iter().map(|entry| entry.flow);
        let rest = rest.filter(|&flow| self.held_by(flow) == NO_CROWD);
        let fastest = rest.map(|flow| self.shares[flow as usize].rate);
        let fastest = fastest.fold(0.0, f64::max);
        self.crowds[slot].fastest = fastest;
        self.wanted_by(link, |flow| self.rate(flow))
    }

    /// The same, flow by flow.
    fn wanted_by(&self, link: u32, rate: impl Fn(u32) -> f64) -> f64 {
        let on_link = self.flows_on(link);
        let capacity = self.links[link as usize].capacity;
        let mut level = capacity / on_link.iter().map(|entry| entry.weight).sum::<f64>();
        loop {
            let (mut left, mut weights) = (capacity, 0.0);
            for entry in on_link {
                let share = &self.shares[entry.flow as usize];
                let limit = if share.bottleneck == link {
                    share.cap
                } else {
                    rate(entry.flow)
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

pub(super) fn same(one: f64, other: f64) -> bool {
    one == other || (one - other).abs() <= SAME_LEVEL * one.min(other)
}
