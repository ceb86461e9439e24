//! Crowds: links that many flows pass. Which flows are whose, and who must hear of a change.
//!
//! When the level of a crowd changes, so do the rates of its own flows and what they leave to others on their way.
//! It knows the full links there, whose levels it moves; a link with room needs to know only when the level passes
//! what it has room for. So a link is watched by each crowd that has flows on it; and watched anew when other flows
//! of it change, or when it has become full or has room again.

use super::crowd::{Crowd, FREE, NO_CROWD};
use super::shares::{Crowding, OWN_CAP, Share, Shares};
use crate::Control;
use crate::error::Result;

impl Shares {
    /// The crowd of a link, or of no link.
    #[inline]
    pub(super) fn crowd_of(&self, link: u32) -> u32 {
        if self.crowding.count == 0 || link == OWN_CAP {
            return NO_CROWD;
        }
        self.links[link as usize].crowd
    }

    /// The level of a crowd; 0 of one that has gone.
    pub(crate) fn level(&self, crowd: u32) -> f64 {
        let link = self.crowds[crowd as usize].link;
        self.links.get(link as usize).map_or(0.0, |link| link.level)
    }

    /// The crowd that holds a flow back, or [`NO_CROWD`].
    pub(crate) fn held_by(&self, flow: u32) -> u32 {
        self.crowd_of(self.shares[flow as usize].bottleneck)
    }

    /// Crowds whose level the last [`Shares::update`] changed.
    pub(crate) fn changed_crowds(&self) -> &[u32] {
        &self.crowding.changed
    }

    /// Counts a flow in the crowds on its way.
    pub(super) fn come(&mut self, flow: u32) {
        if self.crowding.count == 0 {
            return;
        }
        let Share {
            rate,
            cap,
            bottleneck,
        } = self.shares[flow as usize];
        let holder = self.crowd_of(bottleneck);
        for at in self.range(flow) {
            let (link, weight) = (self.steps[at].link, self.steps[at].weight);
            let row = &self.links[link as usize];
            if holder != NO_CROWD && link != bottleneck && row.flows > 1 {
                self.crowding.unwatched.add(link);
            }
            if row.crowd == NO_CROWD {
                continue;
            }
            let crowd = &mut self.crowds[row.crowd as usize];
            if link == bottleneck {
                crowd.join(flow, weight, cap);
            } else if holder != NO_CROWD {
                crowd.join_other(holder, weight);
            } else {
                crowd.join_rest(rate, weight);
            }
        }
    }

    /// Counts a flow no more in the crowds on its way.
    pub(super) fn go(&mut self, flow: u32) {
        if self.crowding.count == 0 {
            return;
        }
        let Share {
            rate, bottleneck, ..
        } = self.shares[flow as usize];
        let holder = self.crowd_of(bottleneck);
        for at in self.range(flow) {
            let (link, weight) = (self.steps[at].link, self.steps[at].weight);
            let slot = self.links[link as usize].crowd;
            if slot == NO_CROWD {
                continue;
            }
            let crowd = &mut self.crowds[slot as usize];
            if link == bottleneck {
                crowd.part(weight);
            } else if holder != NO_CROWD {
                crowd.part_other(holder, weight);
            } else {
                crowd.part_rest(rate, weight);
            }
        }
    }

    /// Gives a running flow another rate.
    #[inline]
    pub(super) fn assign(&mut self, flow: u32, share: Share) {
        self.go(flow);
        self.shares[flow as usize] = share;
        self.come(flow);
    }

    /// Tells that the level of a link is about to change.
    pub(super) fn note_level(&mut self, link: u32) {
        if self.crowding.count == 0 {
            return;
        }
        self.crowding.unwatched.add(link);
        let slot = self.links[link as usize].crowd;
        if slot != NO_CROWD && !self.crowds[slot as usize].changed {
            self.crowds[slot as usize].changed = true;
            self.crowding.changed.push(slot);
        }
    }

    /// A change begins: nobody reads the clocks of crowds that have gone any more.
    pub(super) fn begin_crowds(&mut self) {
        for slot in self.crowding.changed.drain(..) {
            self.crowds[slot as usize].changed = false;
        }
        let Crowding { free, leaving, .. } = &mut self.crowding;
        free.append(leaving);
    }

    /// All flows are new: the crowds have lost theirs.
    pub(super) fn no_crowds(&mut self) {
        for crowd in &self.crowds {
            if crowd.link != FREE {
                self.links[crowd.link as usize].crowd = NO_CROWD;
            }
        }
        self.crowds.clear();
        self.crowding.free.clear();
        self.crowding.unwatched.clear();
        self.crowding.count = 0;
    }

    /// Finds which links have crowds now, and watches links anew.
    pub(super) fn settle_crowds(&mut self, control: &Control) -> Result<()> {
        let [from, until] = self.crowding.from_until;
        for at in 0..self.touched.members.len() {
            control.check_at(at)?;
            let link = self.touched.members[at];
            let row = &self.links[link as usize];
            match row.crowd {
                NO_CROWD if row.flows >= from => self.gather(link),
                NO_CROWD => (),
                _ if row.flows < until => self.disperse(link),
                _ => (),
            }
        }
        self.watch_all(control)
    }

    /// Watches links anew whose flows have changed, before a crowd asks who watches it.
    pub(super) fn watch_all(&mut self, control: &Control) -> Result<()> {
        let mut links = std::mem::take(&mut self.work.links);
        std::mem::swap(&mut links, &mut self.crowding.unwatched.members);
        self.crowding.unwatched.clear();
        for (at, &link) in (1..).zip(&links) {
            control.check_at(at)?;
            // Where levels are yet to fall, room is yet to be found.
            if !self.watch(link) {
                self.crowding.unwatched.add(link);
            }
        }
        links.clear();
        self.work.links = links;
        Ok(())
    }

    /// The flows of a link become a crowd.
    fn gather(&mut self, link: u32) {
        // Own flows are counted anew everywhere, the others are new here only.
        let own = self.own(link);
        for &flow in &own {
            self.note(flow);
            self.go(flow);
        }
        let mut crowd = Crowd::of(link);
        for entry in self.flows_on(link) {
            if self.shares[entry.flow as usize].bottleneck == link {
                continue;
            }
            match self.held_by(entry.flow) {
                NO_CROWD => crowd.join_rest(self.shares[entry.flow as usize].rate, entry.weight),
                holder => crowd.join_other(holder, entry.weight),
            }
        }
        crowd.changed = true;
        let slot = match self.crowding.free.pop() {
            Some(slot) => {
                self.crowds[slot as usize] = crowd;
                slot
            }
            None => {
                self.crowds.push(crowd);
                self.crowds.len() as u32 - 1
            }
        };
        self.crowding.changed.push(slot);
        self.crowding.count += 1;
        self.links[link as usize].crowd = slot;
        self.crowding.unwatched.add(link);
        own.into_iter().for_each(|flow| self.come(flow));
    }

    /// The flows of a link are a crowd no more.
    fn disperse(&mut self, link: u32) {
        let (slot, level) = (
            self.links[link as usize].crowd,
            self.links[link as usize].level,
        );
        let own = self.own(link);
        for &flow in &own {
            self.note(flow);
            self.go(flow);
        }
        self.links[link as usize].crowd = NO_CROWD;
        for &flow in &own {
            self.shares[flow as usize].rate = level;
            self.come(flow);
        }
        self.crowds[slot as usize].link = FREE;
        self.crowding.leaving.push(slot);
        self.crowding.count -= 1;
        self.crowding.unwatched.add(link);
    }

    /// Flows that a link holds back.
    fn own(&self, link: u32) -> Vec<u32> {
        let on_link = self.flows_on(link).iter().map(|entry| entry.flow);
        on_link
            .filter(|&flow| self.shares[flow as usize].bottleneck == link)
            .collect()
    }

    /// Lets the crowds that have flows on a link watch it, instead of those that watched it before.
    /// False if its flows take more than it has.
    fn watch(&mut self, link: u32) -> bool {
        let watched = &mut self.crowding.watched[link as usize];
        *watched = watched.wrapping_add(1);
        let watch = (link, *watched);
        let row = self.links[link as usize];
        if row.flows < 2 || self.crowding.count == 0 {
            return true;
        }
        let mut crowds = std::mem::take(&mut self.work.crowds);
        crowds.clear();
        let mut passing = 0.0;
        if row.crowd == NO_CROWD {
            for entry in self.flows_on(link) {
                passing += self.rate(entry.flow) * entry.weight;
                let holder = self.held_by(entry.flow);
                match crowds.iter_mut().find(|crowd| crowd.0 == holder) {
                    Some((_, weight)) => *weight += entry.weight,
                    None if holder != NO_CROWD => crowds.push((holder, entry.weight)),
                    None => (),
                }
            }
        } else {
            let crowd = &self.crowds[row.crowd as usize];
            passing = crowd.passing(|slot| self.level(slot));
            let others = crowd.others.iter();
            crowds.extend(others.map(|(slot, weights, _)| (*slot, weights.value())));
        }
        let weights: f64 = crowds.iter().map(|crowd| crowd.1).sum();
        let each = (row.capacity - passing).max(0.0) / weights;
        for &(slot, _) in &crowds {
            let (level, watched) = (self.level(slot), &self.crowding.watched);
            let is_new = |watch: (u32, u32)| watched[watch.0 as usize] == watch.1;
            match row.level.is_finite() {
                true => self.crowds[slot as usize].watch_full(watch, is_new),
                false => self.crowds[slot as usize].watch_room(level + each, watch, is_new),
            }
        }
        self.work.crowds = crowds;
        row.level.is_finite() || passing <= row.capacity
    }

    /// True if a link has not been watched anew since.
    pub(super) fn is_watched(&self, (link, watched): (u32, u32)) -> bool {
        self.crowding.watched[link as usize] == watched
    }
}
