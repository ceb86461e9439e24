//! Flows of the same bytes along one ring or line, equal segments counted as one.
//!
//! A segment is where a flow is and where on its line it wants to go. A byte for each pair of those is one random
//! touch of memory for a flow and axis, where its ends are three. What a full byte stood for goes to the counters of
//! ends at once, the rest when all flows are counted.

use super::cell::Cell;
use super::columns::BLOCK;
use super::kernel::{AxisSegments, Plan, Row, Shape, plan};
use crate::route::TieRule;
use crate::{Control, Result};

/// Flows that a byte holds and one more.
const FULL: i32 = 1 << u8::BITS;

/// Segments of one axis: pair `chip x size + goal` for each.
#[derive(Debug, Clone)]
pub(super) struct Segments {
    pairs: Vec<u8>,
    halves: Halves,
}

/// Halves that a flow puts on the cables of its line, up and down, by `from x size + to`.
#[derive(Debug, Clone)]
struct Halves {
    shape: Shape,
    up: Vec<i32>,
    down: Vec<i32>,
}

/// Counters of the ends on one line, up and down.
struct Line<T> {
    up: Vec<T>,
    down: Vec<T>,
}

impl Segments {
    pub(super) fn new(tie: Option<TieRule>, shape: Shape, pairs: usize) -> Self {
        Self {
            pairs: vec![0; pairs],
            halves: Halves::new(tie, shape),
        }
    }

    /// Counts flows and moves them; `counts` as for [`cabled`](super::kernel::cabled).
    pub(super) fn count<T: Cell>(&mut self, counts: &mut [T], mut segments: AxisSegments) {
        let Shape { size, stride } = self.halves.shape;
        if size.is_power_of_two() && stride.is_power_of_two() {
            let shifts = (size.trailing_zeros(), stride.trailing_zeros());
            let by = |bits| move |value: u32| value.wrapping_shl(bits);
            pair(&mut segments, by(shifts.0), by(shifts.1));
        } else {
            let by = |factor| move |value: u32| value.wrapping_mul(factor);
            pair(&mut segments, by(size), by(stride));
        }
        for &pair in &segments.plan.next[..segments.flows.min(BLOCK)] {
            let (seen, full) = self.pairs[pair as usize].overflowing_add(1);
            self.pairs[pair as usize] = seen;
            if full {
                self.halves.carry(pair, counts);
            }
        }
    }

    /// Adds all that is still counted here to `counts`.
    pub(super) fn settle<T: Cell>(self, counts: &mut [T], control: &Control) -> Result<()> {
        let Shape { size, stride } = self.halves.shape;
        let (size, stride) = (size as usize, stride as usize);
        let mut line = Line::<T>::new(size);
        for (block, pairs) in self.pairs.chunks(stride * size * size).enumerate() {
            control.check()?;
            for inner in 0..stride {
                for (from, rows) in pairs.chunks(stride * size).enumerate() {
                    let row = &rows[inner * size..][..size];
                    self.halves.add_row(from, row, 1, &mut line);
                }
                line.move_to(counts, block * stride * size + inner, stride);
            }
        }
        Ok(())
    }
}

impl Halves {
    fn new(tie: Option<TieRule>, shape: Shape) -> Self {
        let line = Shape { stride: 1, ..shape };
        let (mut up, mut down) = (Vec::new(), Vec::new());
        let (mut from, mut to): (Row, Row) = ([0; BLOCK], [0; BLOCK]);
        let mut room = Plan::new();
        let all = shape.size * shape.size;
        for first in (0..all).step_by(BLOCK) {
            let flows = BLOCK.min((all - first) as usize);
            for (pair, (from, to)) in (first..all).zip(from.iter_mut().zip(&mut to)) {
                (*from, *to) = (pair / shape.size, pair % shape.size);
            }
            let mut segments = AxisSegments {
                flows,
                here: &mut from.clone(),
                from: &from,
                to: &to,
                plan: &mut room,
            };
            plan(tie, line, shape.size, &mut segments);
            // Of a tie, the first half goes up and the other one down.
            up.extend(room.step[..flows].iter().map(|&step| step.max(0)));
            let back = |&step: &i32| (-step).max(step & 1);
            down.extend(room.step[..flows].iter().map(back));
        }
        Self { shape, up, down }
    }

    /// Adds `times` the flows of one `row`, which counts those from position `from` by their goal.
    fn add_row<T: Cell>(&self, from: usize, row: &[u8], times: i32, line: &mut Line<T>) {
        let size = self.shape.size as usize;
        let (up, down) = (&self.up[from * size..], &self.down[from * size..]);
        // First goals below, which flows that go up pass the end of a ring for; then those above, by going down.
        for (part, above) in [(0..from, false), (from..size, true)] {
            let (mut ups, mut downs) = (T::default(), T::default());
            let halves = up[part.clone()].iter().zip(&down[part.clone()]);
            let ends = line.up[part.clone()]
                .iter_mut()
                .zip(&mut line.down[part.clone()]);
            for ((&count, (&up, &down)), (end_up, end_down)) in
                row[part].iter().zip(halves).zip(ends)
            {
                let count = T::scaled(u64::from(count), 0).times(times);
                let (up, down) = (count.times(up), count.times(down));
                *end_up = end_up.minus(up);
                *end_down = end_down.plus(down);
                (ups, downs) = (ups.plus(up), downs.plus(down));
            }
            line.up[from] = line.up[from].plus(ups);
            line.down[from] = line.down[from].minus(downs);
            let (past, by) = if above {
                (&mut line.down[0], downs)
            } else {
                (&mut line.up[0], ups)
            };
            *past = past.plus(by);
        }
    }

    /// Adds the flows of one full byte.
    #[cold]
    fn carry<T: Cell>(&self, pair: u32, counts: &mut [T]) {
        let Shape { size, stride } = self.shape;
        let (chip, goal) = (pair / size, pair % size);
        let from = chip / stride % size;
        let mut row = vec![0; size as usize];
        row[goal as usize] = 1;
        let mut line = Line::new(size as usize);
        self.add_row(from as usize, &row, FULL, &mut line);
        line.move_to(counts, (chip - from * stride) as usize, stride as usize);
    }
}

impl<T: Cell> Line<T> {
    fn new(size: usize) -> Self {
        let zeros = || vec![T::default(); size];
        Self {
            up: zeros(),
            down: zeros(),
        }
    }

    /// Adds all to the counters of the line that begins at chip `zero`, and is empty again.
    fn move_to(&mut self, counts: &mut [T], zero: usize, stride: usize) {
        let (up, down) = counts.split_at_mut(counts.len() / 2);
        for (ours, counts) in [(&mut self.up, up), (&mut self.down, down)] {
            for (ours, count) in ours
                .iter_mut()
                .zip(counts[zero..].iter_mut().step_by(stride))
            {
                *count = count.plus(*ours);
                *ours = T::default();
            }
        }
    }
}

/// Writes the pair of each flow where the plan says where it goes, and moves the flows.
#[inline(always)]
fn pair(segments: &mut AxisSegments, by_size: impl Fn(u32) -> u32, by_stride: impl Fn(u32) -> u32) {
    for index in 0..segments.flows.min(BLOCK) {
        let (here, to) = (segments.here[index], segments.to[index]);
        let steps = to.wrapping_sub(segments.from[index]);
        segments.plan.next[index] = by_size(here).wrapping_add(to);
        segments.here[index] = here.wrapping_add(by_stride(steps));
    }
}
