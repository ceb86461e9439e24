//! Links that have more to give than their level: few flows are let go, a crowd rises as one.

use super::crowd::Watch;
use super::shares::Shares;
use super::update_rates::same;
use crate::Control;
use crate::error::Result;

impl Shares {
    /// Lets the flows of a link go on that it held back at its level `now`.
    pub(super) fn release(&mut self, link: u32, now: f64) {
        let old = self.links[link as usize].level;
        self.note_level(link);
        self.links[link as usize].level = f64::INFINITY;
        let mut flows = std::mem::take(&mut self.work.flows);
        flows.clear();
        let on_link = self.flows_on(link).iter().map(|entry| entry.flow);
        flows.extend(on_link.filter(|&flow| self.shares[flow as usize].bottleneck == link));
        self.work.look.clear();
        self.work.look.add(link);
        for &flow in &flows {
            self.let_go(flow, old);
        }
        self.work.flows = flows;
        for at in 0..self.work.look.members.len() {
            self.look(self.work.look.members[at], now);
        }
    }

    /// Gives the crowd of a link the level that it should have, but flows that something else on their way holds
    /// back before. The level is one that may yet change: others may rise or take flows away before their turn.
    pub(super) fn raise(&mut self, link: u32, now: f64, control: &Control) -> Result<()> {
        let old = self.links[link as usize].level;
        let slot = self.links[link as usize].crowd as usize;
        self.watch_all(control)?;
        self.note_level(link);
        self.links[link as usize].level = f64::INFINITY;
        self.work.look.clear();
        let mut full = std::mem::take(&mut self.crowds[slot].full);
        full.retain(|watch| self.is_watched(*watch));
        let level = loop {
            let level = match self.crowds[slot].members {
                0 => f64::INFINITY,
                _ => self.wanted(link),
            };
            let capped = self.let_capped_go(link, level, old);
            if !capped && !self.let_held_go(link, level, old, &full) {
                break level;
            }
        };
        self.links[link as usize].level = level;
        self.work.look.add(link);
        full.iter().for_each(|watch| {
            self.work.look.add(watch.0);
        });
        self.crowds[slot].full = full;
        while let Some(watch) = self.crowds[slot].next_without_room(level) {
            if self.is_watched(watch) {
                self.work.look.add(watch.0);
            }
        }
        let shares = &self.shares;
        self.crowds[slot].tidy(|flow| shares[flow as usize].bottleneck == link);
        for at in 0..self.work.look.members.len() {
            // What is as low as the crowd was is right for good.
            let other = self.work.look.members[at];
            if self.links[other as usize].level > old && !self.work.closed.has(other) {
                self.look(other, now);
            }
        }
        Ok(())
    }

    /// Lets flows of a crowd go whose cap is no more than `level`; false if there are none.
    fn let_capped_go(&mut self, link: u32, level: f64, old: f64) -> bool {
        let (mut any, slot) = (false, self.links[link as usize].crowd as usize);
        loop {
            let shares = &self.shares;
            let is_own = |flow: u32| shares[flow as usize].bottleneck == link;
            let Some(flow) = self.crowds[slot].capped(level, is_own) else {
                return any;
            };
            any = true;
            self.let_go(flow, old);
        }
    }

    /// Lets flows of a crowd go which a full link on their way keeps below `level`; false if there are none.
    fn let_held_go(&mut self, link: u32, level: f64, old: f64, full: &[Watch]) -> bool {
        let mut any = false;
        let mut flows = std::mem::take(&mut self.work.flows);
        for &(other, _) in full {
            let held = self.links[other as usize].level;
            if held >= level || same(held, level) {
                continue;
            }
            flows.clear();
            let on_link = self.flows_on(other).iter().map(|entry| entry.flow);
            flows.extend(on_link.filter(|&flow| self.shares[flow as usize].bottleneck == link));
            any |= !flows.is_empty();
            self.crowding.unwatched.add(other);
            for &flow in &flows {
                self.let_go(flow, old);
            }
        }
        self.work.flows = flows;
        any
    }

    /// Gives a flow what other links leave it than the one that held it back, whose level is infinite now.
    fn let_go(&mut self, flow: u32, old: f64) {
        self.note(flow);
        self.assign(flow, self.least(flow));
        for at in self.range(flow) {
            let other = self.steps[at].link;
            let row = &self.links[other as usize];
            if row.flows > 1 && row.level > old && !self.work.closed.has(other) {
                self.work.look.add(other);
            }
        }
    }
}
