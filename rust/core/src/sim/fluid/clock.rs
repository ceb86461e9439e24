//! What happens when, in batches of one instant.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Events this close, relative to the time, are one instant: symmetric flows whose times differ by rounding end
/// together. The rounding of one event is about 1e-16.
const ONE_INSTANT: f64 = 1e-12;

/// Events in order of time, then of what they are and whom they concern.
#[derive(Debug)]
pub(crate) struct Clock<E> {
    events: BinaryHeap<Reverse<(u64, E)>>,
    /// End of the instant that is being worked off.
    end: f64,
    /// Events above which it is worth looking for those that no longer count.
    most: usize,
}

/// Events that are never too many.
const FEW: usize = 1 << 12;

impl<E: Ord + Copy> Clock<E> {
    pub(crate) fn new() -> Self {
        Self {
            events: BinaryHeap::new(),
            end: 0.0,
            most: FEW,
        }
    }

    /// Forgets events that no longer count, if there may be many of them: a constant cost for each event.
    pub(crate) fn tidy(&mut self, counts: impl Fn(f64, E) -> bool) {
        if self.events.len() > self.most {
            self.events
                .retain(|&Reverse((bits, event))| counts(f64::from_bits(bits), event));
            self.most = FEW.max(2 * self.events.len());
        }
    }

    /// `time` is zero or above.
    pub(crate) fn at(&mut self, time: f64, event: E) {
        // Such floats are ordered as their bits are; -0.0 is not among them.
        self.events.push(Reverse((time.abs().to_bits(), event)));
    }

    /// The first event of all that `counts`, which begins an instant; those before it are forgotten.
    pub(crate) fn first(&mut self, counts: impl Fn(f64, E) -> bool) -> Option<(f64, E)> {
        while let Some(Reverse((bits, event))) = self.events.pop() {
            let time = f64::from_bits(bits);
            if counts(time, event) {
                self.end = time + time * ONE_INSTANT;
                return Some((time, event));
            }
        }
        None
    }

    /// When the instant that has begun ends.
    pub(crate) fn end(&self) -> f64 {
        self.end
    }

    /// The next event of the instant that has begun.
    pub(crate) fn next(&mut self) -> Option<(f64, E)> {
        let &Reverse((bits, event)) = self.events.peek()?;
        let time = f64::from_bits(bits);
        (time <= self.end).then(|| {
            self.events.pop();
            (time, event)
        })
    }
}
