//! Virtual clocks: the flows that one crowd holds back have one rate, so that what each has sent since it joined is
//! read from one clock, and the next to end is the one with the lowest end on it (processor sharing; Parekh and
//! Gallager, A generalized processor sharing approach to flow control, 1993).

use super::sum::Sum;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Ends that are never too many.
const FEW: usize = 64;

/// Bytes that each flow of a crowd has sent since the clock began, and at which reading each ends.
#[derive(Debug)]
pub(super) struct VirtualClock {
    /// The reading at `since`, when the rate last changed.
    reading: Sum,
    since: f64,
    /// Bytes/s of each flow.
    rate: f64,
    members: u32,
    /// Ends on this clock, those of flows that have left among them.
    ends: BinaryHeap<Reverse<(u64, u32)>>,
    /// When the first of them comes; NaN if none does.
    pub(super) next: f64,
}

impl VirtualClock {
    pub(super) fn new() -> Self {
        Self {
            reading: Sum::default(),
            since: 0.0,
            rate: 0.0,
            members: 0,
            ends: BinaryHeap::new(),
            next: f64::NAN,
        }
    }

    /// The clock goes at `rate` from now on.
    pub(super) fn set(&mut self, now: f64, rate: f64) {
        if self.members == 0 {
            self.reading = Sum::default();
            self.ends.clear();
        } else {
            self.reading.add(self.rate * (now - self.since));
        }
        (self.since, self.rate) = (now, rate);
    }

    /// A flow joins; at which reading it ends.
    pub(super) fn join(&mut self, flow: u32, left: f64, now: f64) -> f64 {
        let end = self.read(now) + left;
        self.members += 1;
        self.ends.push(Reverse((end.to_bits(), flow)));
        end
    }

    /// A flow leaves; how much it has left.
    pub(super) fn part(&mut self, end: f64, now: f64) -> f64 {
        self.members -= 1;
        (end - self.read(now)).max(0.0)
    }

    /// A flow whose end has come by `time`, if `is_due` says that the end is one of a flow which is still here.
    pub(super) fn due(&mut self, time: f64, is_due: impl Fn(u32, f64) -> bool) -> Option<u32> {
        let (when, flow) = self.first(is_due)?;
        (when <= time).then(|| {
            self.ends.pop();
            self.members -= 1;
            flow
        })
    }

    /// Finds when the first flow ends, if that is another time than was found last.
    pub(super) fn aim(&mut self, now: f64, is_due: impl Fn(u32, f64) -> bool) -> Option<f64> {
        if self.ends.len() > 2 * self.members as usize + FEW {
            self.ends
                .retain(|&Reverse((bits, flow))| is_due(flow, f64::from_bits(bits)));
        }
        let next = self.first(is_due).map(|(when, _)| when.max(now));
        let old = std::mem::replace(&mut self.next, next.unwrap_or(f64::NAN));
        next.filter(|next| *next != old)
    }

    /// Which flow ends first, and when.
    fn first(&mut self, is_due: impl Fn(u32, f64) -> bool) -> Option<(f64, u32)> {
        while let Some(&Reverse((bits, flow))) = self.ends.peek() {
            let end = f64::from_bits(bits);
            if is_due(flow, end) {
                return Some((self.since + (end - self.reading.value()) / self.rate, flow));
            }
            self.ends.pop();
        }
        None
    }

    fn read(&self, now: f64) -> f64 {
        // The rate of a crowd that has lost its last flow is infinite.
        match now == self.since {
            true => self.reading.value(),
            false => self.reading.value() + self.rate * (now - self.since),
        }
    }
}
