//! The hot loops: flows along one ring or line, counted by their two ends.
//!
//! Cable p joins positions p and p + 1 of a line. A message that goes up from a to b passes cables a to b - 1:
//! +w at a, -w at b, and prefix sums along the line later give the loads. One that goes down from a to b
//! passes cables b to a - 1: the same with the ends exchanged, which is the same with the sign exchanged. One
//! that goes past the end of a ring needs +w at position 0 too. Each direction has a counter per chip.
//!
//! Random traffic would mislead every branch, so there are none: a first loop, which compilers turn into vector
//! code, decides where and how much; a second one adds. All arithmetic is modulo 2^32 by name: chips and
//! coordinates are those of a real machine, so sums that matter are below its number of chips.

use super::cell::Cell;
use super::columns::BLOCK;
use crate::route::TieRule;

/// Half of the bytes of each flow, in units of the grid.
pub(super) trait HalfUnits<T>: Copy {
    /// So many halves of flow `index` of the block.
    fn times(self, index: usize, factor: i32) -> T;
}

/// One unit is half of every flow.
#[derive(Clone, Copy)]
pub(super) struct Alike<T>(pub(super) T);

impl<T: Cell> HalfUnits<T> for Alike<T> {
    #[inline(always)]
    fn times(self, _: usize, factor: i32) -> T {
        self.0.times(factor)
    }
}

impl<T: Cell> HalfUnits<T> for &[T; BLOCK] {
    #[inline(always)]
    fn times(self, index: usize, factor: i32) -> T {
        self[index].times(factor)
    }
}

/// One number for each flow of a block.
pub(super) type Row = [u32; BLOCK];

/// Flows of one block along one axis: chips of the whole machine and coordinates.
pub(super) struct AxisSegments<'a> {
    /// Flows in the block, the first of each row.
    pub(super) flows: usize,
    /// Where each flow is; after the kernel, where it is next.
    pub(super) here: &'a mut Row,
    /// Coordinates now.
    pub(super) from: &'a Row,
    /// Coordinates wanted.
    pub(super) to: &'a Row,
    /// Room to work in.
    pub(super) plan: &'a mut Plan,
}

/// What the first loop finds out for each flow.
pub(super) struct Plan {
    /// Where it goes.
    pub(super) next: Row,
    /// First counter of its direction.
    base: Row,
    /// Position 0 of its line.
    zero: Row,
    /// Halves to add where it is; negative for those that go down, odd for those of which half goes each way.
    pub(super) step: [i32; BLOCK],
    /// Halves to add at position 0.
    wrap: [i32; BLOCK],
    /// Flows of which one half goes down.
    ties: Row,
}

impl Plan {
    pub(super) fn new() -> Self {
        Self {
            next: [0; BLOCK],
            base: [0; BLOCK],
            zero: [0; BLOCK],
            step: [0; BLOCK],
            wrap: [0; BLOCK],
            ties: [0; BLOCK],
        }
    }
}

/// Size and stride of an axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) size: u32,
    pub(super) stride: u32,
}

/// Counts flows along a ring with its `tie`, or a line. `counts` holds two counters per chip: first all for +, then
/// all for -.
pub(super) fn cabled<T: Cell>(
    tie: Option<TieRule>,
    shape: Shape,
    counts: &mut [T],
    mut segments: AxisSegments,
    half_units: impl HalfUnits<T>,
) {
    plan(tie, shape, (counts.len() / 2) as u32, &mut segments);
    let ties = add_ends(counts, &mut segments, half_units);
    add_ties(shape.stride, counts, &segments, ties, half_units);
}

/// Finds out where flows go on an axis of a machine of `chips`, and how.
pub(super) fn plan(tie: Option<TieRule>, shape: Shape, chips: u32, segments: &mut AxisSegments) {
    let half = shape.size / 2;
    // Steps up to `turn` go up. Odd rings have no ties, and all rules agree.
    match tie {
        None => plan_line(shape, chips, segments),
        _ if shape.size % 2 == 1 => plan_ring::<false>(shape, chips, |_| half, segments),
        Some(TieRule::Split) => plan_ring::<true>(shape, chips, |_| half, segments),
        Some(TieRule::Positive) => plan_ring::<false>(shape, chips, |_| half, segments),
        Some(TieRule::Negative) => {
            plan_ring::<false>(shape, chips, |_| half.wrapping_sub(1), segments);
        }
        Some(TieRule::Simgrid) => {
            let turn = |from| half.wrapping_sub(u32::from(from == half));
            plan_ring::<false>(shape, chips, turn, segments);
        }
        Some(TieRule::Parity) => {
            let turn = |from: u32| half.wrapping_sub(from & 1);
            plan_ring::<false>(shape, chips, turn, segments);
        }
        Some(TieRule::Dateline) => {
            let turn = |from| half.wrapping_sub(u32::from(from >= half));
            plan_ring::<false>(shape, chips, turn, segments);
        }
    }
}

/// Every step up of a line is short enough, and every step down is past the turn.
fn plan_line(Shape { stride, .. }: Shape, chips: u32, segments: &mut AxisSegments) {
    for index in 0..segments.flows.min(BLOCK) {
        let (from, to) = (segments.from[index], segments.to[index]);
        let back = mask(to < from);
        let zero = segments.here[index].wrapping_sub(from.wrapping_mul(stride));
        segments.plan.base[index] = chips & back;
        segments.plan.zero[index] = zero;
        segments.plan.next[index] = zero.wrapping_add(to.wrapping_mul(stride));
        segments.plan.step[index] = (2 ^ back).wrapping_sub(back) as i32;
        segments.plan.wrap[index] = 0;
    }
}

#[inline(always)]
fn plan_ring<const SPLIT: bool>(
    Shape { size, stride }: Shape,
    chips: u32,
    turn: impl Fn(u32) -> u32,
    segments: &mut AxisSegments,
) {
    for index in 0..segments.flows.min(BLOCK) {
        let (from, to) = (segments.from[index], segments.to[index]);
        let below = mask(to < from);
        let ahead = to.wrapping_sub(from).wrapping_add(size & below);
        let back = mask(ahead > turn(from));
        let tie = mask(SPLIT && ahead == size / 2);
        let half_units = 2u32.wrapping_add(tie);
        let zero = segments.here[index].wrapping_sub(from.wrapping_mul(stride));
        segments.plan.base[index] = chips & back;
        segments.plan.zero[index] = zero;
        segments.plan.next[index] = zero.wrapping_add(to.wrapping_mul(stride));
        segments.plan.step[index] = (half_units ^ back).wrapping_sub(back) as i32;
        segments.plan.wrap[index] = (half_units & (below ^ back)) as i32;
    }
}

/// Adds what the plan says, moves the flows, and returns how many ties were found.
#[inline(never)]
fn add_ends<T: Cell>(
    counts: &mut [T],
    segments: &mut AxisSegments,
    half_units: impl HalfUnits<T>,
) -> usize {
    let plan = &mut *segments.plan;
    let mut ties = 0usize;
    for index in 0..segments.flows.min(BLOCK) {
        let (step, base) = (plan.step[index], plan.base[index] as usize);
        let signed = half_units.times(index, step);
        add(counts, base, segments.here[index], signed);
        add(counts, base, plan.next[index], T::default().minus(signed));
        add(
            counts,
            base,
            plan.zero[index],
            half_units.times(index, plan.wrap[index]),
        );
        plan.ties[ties % BLOCK] = index as u32;
        ties = ties.wrapping_add((step & 1) as usize);
    }
    let flows = segments.flows.min(BLOCK);
    segments.here[..flows].copy_from_slice(&plan.next[..flows]);
    ties
}

/// The other halves of ties, of which the first went up, go down.
fn add_ties<T: Cell>(
    stride: u32,
    counts: &mut [T],
    segments: &AxisSegments,
    ties: usize,
    half_units: impl HalfUnits<T>,
) {
    let chips = counts.len() / 2;
    for &index in &segments.plan.ties[..ties] {
        let index = index as usize;
        let (from, to) = (segments.from[index], segments.to[index]);
        let zero = segments.plan.zero[index];
        let was = zero.wrapping_add(from.wrapping_mul(stride));
        add(
            counts,
            chips,
            segments.here[index],
            half_units.times(index, 1),
        );
        add(counts, chips, was, half_units.times(index, -1));
        add(
            counts,
            chips,
            zero,
            half_units.times(index, i32::from(to > from)),
        );
    }
}

/// All ones if `set`.
#[inline(always)]
fn mask(set: bool) -> u32 {
    0u32.wrapping_sub(u32::from(set))
}

#[inline(always)]
fn add<T: Cell>(counts: &mut [T], base: usize, chip: u32, value: T) {
    let cell = &mut counts[base.wrapping_add(chip as usize)];
    *cell = cell.plus(value);
}
