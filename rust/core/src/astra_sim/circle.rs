//! Algorithms whose members stand in a circle: rings, direct exchanges, halving and doubling.

use super::ask::{Com, Way};
use std::collections::VecDeque;
use std::sync::Arc;

/// The members of a phase, in order, and the place of the one that asks.
#[derive(Debug, Clone)]
pub(super) struct Circle {
    /// First member, distance between two, members.
    pub(super) start: u32,
    pub(super) stride: u32,
    pub(super) size: u32,
    pub(super) mine: u32,
    /// Members that follow no rule: of groups of ranks, whose endpoint delay is 10 ns whatever was asked.
    pub(super) members: Option<Arc<[u32]>>,
}

impl Circle {
    fn npu(&self, place: u32) -> u32 {
        match &self.members {
            Some(members) => members[place as usize],
            None => self.start + self.stride * place,
        }
    }

    fn step(&self, place: u32, forward: bool) -> u32 {
        if forward {
            (place + 1) % self.size
        } else {
            (place + self.size - 1) % self.size
        }
    }
}

/// What an algorithm wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// The endpoint takes its delay, then the memory its own for a reduction of some bytes.
    Bundle(Option<u64>),
    /// Sends to one and receives from another.
    Trade {
        /// To.
        to: u32,
        /// From.
        from: u32,
        /// Bytes.
        bytes: u64,
    },
    /// Sends.
    Send(u32, u64),
    /// Receives.
    Receive(u32, u64),
    /// The phase is over.
    Exit,
}

/// One member's part in a phase.
#[derive(Debug)]
pub(super) struct Member {
    circle: Circle,
    com: Com,
    direct: bool,
    halving: bool,
    forward: bool,
    to: u32,
    from: u32,
    parallel: u32,
    left: u32,
    free: u32,
    unpaid: u32,
    paid: u32,
    odd: bool,
    received: u32,
    bytes: u64,
    offset: u32,
    growing: bool,
    packets: VecDeque<(u32, u32, u64)>,
}

/// Bytes of a phase's messages, and of the next phase's data.
pub(super) fn sizes(com: Com, way: Way, size: u64, members: u32) -> (u64, u64) {
    let n = u64::from(members);
    let halving = way == Way::Halving;
    match com {
        Com::AllGather => (size, size.saturating_mul(n)),
        Com::ReduceScatter if halving => (size / 2, size / n),
        Com::ReduceScatter => (size / n, size / n),
        Com::AllReduce if halving => (size / 2, size),
        Com::AllReduce | Com::AllToAll => (size / n, size),
    }
}

impl Member {
    pub(super) fn of(circle: Circle, com: Com, way: Way, size: u64, forward: bool) -> Self {
        let n = circle.size;
        let (direct, halving) = (matches!(way, Way::Direct(_)), way == Way::Halving);
        let parallel = match way {
            Way::Direct(window) => window.unwrap_or(n - 1).min(n - 1),
            _ => 1,
        };
        let left = match com {
            Com::AllReduce if halving => (2.0 * f64::from(n).log2()) as u32,
            _ if halving => n.ilog2(),
            Com::AllReduce => 2 * (n - 1),
            Com::AllToAll if !direct => n * (n - 1) / 2,
            _ => n - 1,
        };
        let mine = circle.mine;
        let mut member = Self {
            to: circle.step(mine, forward),
            from: circle.step(mine, !forward),
            com,
            direct,
            halving,
            forward,
            parallel,
            left,
            free: 0,
            unpaid: 0,
            paid: 0,
            odd: false,
            received: 0,
            bytes: sizes(com, way, size, n).0,
            offset: if com == Com::AllGather { n / 2 } else { 1 },
            growing: com != Com::AllGather,
            packets: VecDeque::new(),
            circle,
        };
        if halving {
            member.face_partner();
        }
        member
    }

    /// The phase begins.
    pub(super) fn begin(&mut self, acts: &mut Vec<Act>) {
        for _ in 0..self.parallel {
            self.insert(acts);
        }
    }

    /// A message has arrived.
    pub(super) fn arrived(&mut self, acts: &mut Vec<Act>) {
        self.received += 1;
        self.insert(acts);
    }

    /// The endpoint, and the memory, are through.
    pub(super) fn ready(&mut self, acts: &mut Vec<Act>) {
        self.free += 1;
        // A direct all-reduce waits for all parts before it hands on what it has reduced.
        let halfway = self.circle.size - 1;
        if self.direct && self.com == Com::AllReduce && self.left <= halfway {
            if self.received < halfway {
                return;
            }
            for _ in 0..self.parallel {
                self.trade(acts);
            }
        } else {
            self.trade(acts);
        }
        if self.left == 0 && self.free == self.parallel {
            acts.push(Act::Exit);
        }
    }

    /// Whether its endpoint takes 10 ns, whatever the system says.
    pub(super) fn is_fast(&self) -> bool {
        self.circle.members.is_some()
    }

    fn trade(&mut self, acts: &mut Vec<Act>) {
        if self.left == 0 || self.free == 0 {
            return;
        }
        let Some((to, from, bytes)) = self.packets.pop_front() else {
            return;
        };
        acts.push(Act::Trade {
            to,
            from,
            bytes: if self.halving { bytes } else { self.bytes },
        });
        self.left -= 1;
        self.free -= 1;
    }

    /// One more packet goes to the endpoint; whether the memory reduces first goes in turns.
    fn insert(&mut self, acts: &mut Vec<Act>) {
        if self.unpaid == 0 && self.paid == 0 {
            let n = self.circle.size;
            self.unpaid = self.parallel;
            self.paid = match (self.halving, self.direct, self.is_fast()) {
                (true, ..) => n.ilog2() - 1,
                (_, true, false) => self.parallel,
                _ => (n - 1) * self.parallel,
            };
            self.odd = !self.odd;
        }
        let (to, from) = (self.circle.npu(self.to), self.circle.npu(self.from));
        self.packets.push_back((to, from, self.bytes));
        let reduces = if self.unpaid > 0 {
            self.unpaid -= 1;
            false
        } else {
            self.paid -= 1;
            self.com == Com::ReduceScatter || (self.com == Com::AllReduce && self.odd)
        };
        acts.push(Act::Bundle(reduces.then_some(self.bytes)));
        self.turn();
    }

    /// Whom the packet after this one is for.
    fn turn(&mut self) {
        if self.direct {
            let mine = self.circle.mine;
            self.to = self.circle.step(self.to, self.forward);
            if self.to == mine {
                self.to = self.circle.step(self.to, self.forward);
            }
            self.from = self.circle.step(self.from, !self.forward);
            if self.from == mine {
                self.from = self.circle.step(self.from, !self.forward);
            }
        }
        if self.halving {
            self.scale();
            if self.offset == self.circle.size && self.com == Com::AllReduce {
                self.growing = false;
                self.scale();
            }
            self.face_partner();
        }
    }

    fn scale(&mut self) {
        if self.growing {
            self.offset = self.offset.saturating_mul(2);
            self.bytes /= 2;
        } else {
            self.offset /= 2;
            self.bytes = self.bytes.saturating_mul(2);
        }
    }

    fn face_partner(&mut self) {
        let (mine, n) = (self.circle.mine, self.circle.size);
        let far = self.offset % n;
        if self.offset == 0 {
            self.to = mine;
            return;
        }
        self.to = if (mine / self.offset) % 2 == 0 {
            (mine + far) % n
        } else {
            (mine + n - far) % n
        };
        self.from = self.to;
    }
}
