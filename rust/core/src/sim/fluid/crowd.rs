//! What is known of a link that many flows pass, so that a change costs the change and not the flows.

use super::sum::Sum;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// No crowd: few flows pass the link, and each is looked at.
pub(super) const NO_CROWD: u32 = u32::MAX;
/// The link of a place that has no crowd.
pub(super) const FREE: u32 = u32::MAX;
/// Entries of a list that are never too many.
const FEW: usize = 64;

/// A link as it was when a crowd began to watch it: another number, and it is watched anew or no more.
pub(super) type Watch = (u32, u32);

/// The flows of a link that many pass. Those that it holds back, its own, have its level for their rate: they are
/// not touched when it changes.
#[derive(Debug)]
pub(super) struct Crowd {
    pub(super) link: u32,
    /// Weights of its own flows, and how many there are.
    own: Sum,
    pub(super) members: u32,
    /// Bytes/s of the flows that neither it nor another crowd holds back, and no less than the fastest of them has.
    rest: Sum,
    pub(super) fastest: f64,
    /// Weights of flows that other crowds hold back, by crowd, and how many.
    pub(super) others: Vec<(u32, Sum, u32)>,
    /// Caps of own flows, those that have left among them.
    caps: BinaryHeap<Reverse<(u64, u32)>>,
    /// Full links on the paths of own flows: any change of the level concerns them.
    pub(super) full: Vec<Watch>,
    /// Links with room, and the level up to which they have it.
    room: BinaryHeap<Reverse<(u64, Watch)>>,
    /// Watches above which it is worth looking for old ones.
    most: [usize; 2],
    /// The level has changed since rates were settled.
    pub(super) changed: bool,
}

impl Crowd {
    pub(super) fn of(link: u32) -> Self {
        Self {
            link,
            own: Sum::default(),
            members: 0,
            rest: Sum::default(),
            fastest: 0.0,
            others: Vec::new(),
            caps: BinaryHeap::new(),
            full: Vec::new(),
            room: BinaryHeap::new(),
            most: [FEW; 2],
            changed: false,
        }
    }

    /// An own flow comes.
    pub(super) fn join(&mut self, flow: u32, weight: f64, cap: f64) {
        self.own.add(weight);
        self.members += 1;
        self.caps.push(Reverse((cap.to_bits(), flow)));
    }

    /// An own flow goes.
    pub(super) fn part(&mut self, weight: f64) {
        self.members -= 1;
        // Nothing is nothing, whatever rounding says.
        match self.members {
            0 => self.own = Sum::default(),
            _ => self.own.add(-weight),
        }
    }

    /// A flow that `crowd` holds back comes.
    pub(super) fn join_other(&mut self, crowd: u32, weight: f64) {
        let found = self.others.iter_mut().find(|other| other.0 == crowd);
        if let Some((_, weights, count)) = found {
            weights.add(weight);
            *count += 1;
        } else {
            let mut weights = Sum::default();
            weights.add(weight);
            self.others.push((crowd, weights, 1));
        }
    }

    /// A flow that `crowd` holds back goes.
    pub(super) fn part_other(&mut self, crowd: u32, weight: f64) {
        if let Some(at) = self.others.iter().position(|other| other.0 == crowd) {
            let (_, weights, count) = &mut self.others[at];
            weights.add(-weight);
            *count -= 1;
            if *count == 0 {
                self.others.swap_remove(at);
            }
        }
    }

    /// A flow that no crowd holds back comes.
    pub(super) fn join_rest(&mut self, rate: f64, weight: f64) {
        self.rest.add(rate * weight);
        self.fastest = self.fastest.max(rate);
    }

    /// A flow that no crowd holds back goes.
    pub(super) fn part_rest(&mut self, rate: f64, weight: f64) {
        self.rest.add(-rate * weight);
    }

    /// Bytes/s beside those of own flows; `level` is that of a crowd.
    pub(super) fn passing(&self, level: impl Fn(u32) -> f64) -> f64 {
        let others = self.others.iter();
        let others = others.map(|(crowd, weights, _)| level(*crowd) * weights.value());
        others.fold(self.rest.value(), |sum, passing| sum + passing)
    }

    pub(super) fn own_weight(&self) -> f64 {
        self.own.value()
    }

    /// An own flow whose cap is no more than `level`; it is to leave.
    pub(super) fn capped(&mut self, level: f64, is_own: impl Fn(u32) -> bool) -> Option<u32> {
        while let Some(&Reverse((cap, flow))) = self.caps.peek() {
            if is_own(flow) {
                if f64::from_bits(cap) > level {
                    return None;
                }
                self.caps.pop();
                return Some(flow);
            }
            self.caps.pop();
        }
        None
    }

    /// Watches a link with room up to a level.
    pub(super) fn watch_room(&mut self, level: f64, watch: Watch, is_new: impl Fn(Watch) -> bool) {
        if self.room.len() > self.most[0] {
            self.room.retain(|Reverse((_, watch))| is_new(*watch));
            self.most[0] = FEW.max(2 * self.room.len());
        }
        self.room.push(Reverse((level.to_bits(), watch)));
    }

    /// Watches a full link.
    pub(super) fn watch_full(&mut self, watch: Watch, is_new: impl Fn(Watch) -> bool) {
        if self.full.len() > self.most[1] {
            self.full.retain(|watch| is_new(*watch));
            self.most[1] = FEW.max(2 * self.full.len());
        }
        self.full.push(watch);
    }

    /// A link that may have no room any more at `level`; it is watched no longer.
    pub(super) fn next_without_room(&mut self, level: f64) -> Option<Watch> {
        let &Reverse((up_to, watch)) = self.room.peek()?;
        (f64::from_bits(up_to) < level).then(|| {
            self.room.pop();
            watch
        })
    }

    /// Forgets flows that have left, if there may be many of them.
    pub(super) fn tidy(&mut self, is_own: impl Fn(u32) -> bool) {
        if self.caps.len() > 2 * self.members as usize + FEW {
            self.caps.retain(|&Reverse((_, flow))| is_own(flow));
        }
    }
}
