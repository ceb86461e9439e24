//! Flows that stay in their domain, a block at a time and axis by axis.

use super::cell::Cell;
use super::columns::BLOCK;
use super::direct::{mesh, skip_axes_below_switch};
use super::kernel::{AxisSegments, HalfUnits, Plan, Row, cabled};
use super::segments::Segments;
use super::tally::{AxisCounts, Tally, shape, switch_shape};
use crate::machine::{AxisKind, Machine};
use crate::route::{AxisOrder, TieRule};

/// Most pairs of chip and goal of one axis: a byte each, they stay in the cache of a core.
const MOST_PAIRS: usize = 1 << 21;
/// Largest axis whose segments are counted as one: all pairs of its positions are listed.
const LARGEST_AXIS: u32 = 256;

/// How flows go inside the domains of a machine.
pub(super) struct Near<'a> {
    pub(super) machine: &'a Machine,
    pub(super) order: AxisOrder,
    /// Only what chips send and receive is counted.
    pub(super) valiant: bool,
    /// Some axis of the domain corrects those below it.
    pub(super) spanning: bool,
}

/// Room to take one block apart.
pub(super) struct Room {
    here: Box<Row>,
    plan: Box<Plan>,
    /// Coordinates of both ends, a row for each axis.
    from: Vec<Row>,
    to: Vec<Row>,
}

impl Room {
    pub(super) fn new(axes: usize) -> Self {
        Self {
            here: Box::new([0; BLOCK]),
            plan: Box::new(Plan::new()),
            from: vec![[0; BLOCK]; axes],
            to: vec![[0; BLOCK]; axes],
        }
    }
}

impl Near<'_> {
    /// Pairs of chip and goal to count for each axis where one worker counts so many flows of the same bytes; 0 where
    /// it pays to count ends at once: each pair costs about what a flow does.
    pub(super) fn paired(&self, flows: usize) -> Vec<usize> {
        let axes = self.machine.domain().axes().iter();
        axes.map(|axis| {
            let pairs = u64::from(self.machine.num_chips()) * u64::from(axis.size);
            let cabled = matches!(axis.kind, AxisKind::Ring | AxisKind::Line);
            // Below a spanning switch, flows that it corrects have no place on an axis.
            let counted = cabled && axis.size > 1 && !self.valiant && !self.spanning;
            let few = axis.size <= LARGEST_AXIS && pairs <= flows.min(MOST_PAIRS) as u64;
            if counted && few { pairs as usize } else { 0 }
        })
        .collect()
    }

    /// Zeros for so many pairs of each axis.
    pub(super) fn segments(&self, paired: &[usize]) -> Vec<Option<Segments>> {
        let made = paired.iter().enumerate().map(|(axis, &pairs)| {
            (pairs > 0).then(|| Segments::new(self.tie(axis), shape(self.machine, axis), pairs))
        });
        made.collect()
    }

    /// The tie rule of a ring; none on lines.
    fn tie(&self, axis: usize) -> Option<TieRule> {
        let ring = self.machine.domain().axes()[axis].kind == AxisKind::Ring;
        ring.then_some(self.order.tie)
    }

    /// Counts flows.
    pub(super) fn count<T: Cell>(
        &self,
        tally: &mut Tally<T>,
        room: &mut Room,
        src: &[u32],
        dst: &[u32],
        half_units: impl HalfUnits<T>,
    ) {
        if self.valiant {
            count_ends(&mut tally.ends, src, dst, half_units);
            return;
        }
        let (domain, flows) = (self.machine.domain(), src.len());
        self.coordinates_of(src, &mut room.from);
        self.coordinates_of(dst, &mut room.to);
        if self.spanning {
            skip_axes_below_switch(domain, &mut room.from, &mut room.to, flows);
        }
        room.here[..flows].copy_from_slice(src);
        for index in self.order.axes() {
            let (axis, shape) = (&domain.axes()[index], shape(self.machine, index));
            let segments = AxisSegments {
                flows,
                here: &mut room.here,
                from: &room.from[index],
                to: &room.to[index],
                plan: &mut room.plan,
            };
            match &mut tally.axes[index] {
                AxisCounts::None => {}
                AxisCounts::Cabled(counts) => match &mut tally.segments[index] {
                    Some(alike) => alike.count(counts, segments),
                    None => cabled(self.tie(index), shape, counts, segments, half_units),
                },
                AxisCounts::Mesh(counts) => mesh(shape, counts, segments, half_units),
                AxisCounts::Switch(counts) => {
                    let switch = switch_shape(shape, axis).expect("switch counts on switch axes");
                    switch.count(counts, segments, dst, half_units);
                }
            }
        }
    }

    /// Coordinates of chips, a row for each axis.
    fn coordinates_of(&self, chips: &[u32], rows: &mut [Row]) {
        let mut rest = [0; BLOCK];
        let rest = &mut rest[..chips.len()];
        rest.copy_from_slice(chips);
        let plans = self.machine.domain().plans();
        let whole = self.machine.num_domains() == 1;
        for (index, (plan, row)) in plans.iter().zip(rows).enumerate() {
            if whole && index + 1 == plans.len() {
                row[..rest.len()].copy_from_slice(rest);
                return;
            }
            let by_size = plan.by_size;
            let both = rest.iter_mut().zip(row);
            if let Some(shift) = by_size.shift() {
                let most = (1u32 << shift) - 1;
                both.for_each(|(rest, at)| (*rest, *at) = (rest.wrapping_shr(shift), *rest & most));
            } else {
                both.for_each(|(rest, at)| (*rest, *at) = by_size.div_rem(*rest));
            }
        }
    }
}

fn count_ends<T: Cell>(ends: &mut [T], src: &[u32], dst: &[u32], half_units: impl HalfUnits<T>) {
    let (out, into) = ends.split_at_mut(ends.len() / 2);
    for (index, (&src, &dst)) in src.iter().zip(dst).enumerate() {
        if src != dst {
            let whole = half_units.times(index, 2);
            out[src as usize] = out[src as usize].plus(whole);
            into[dst as usize] = into[dst as usize].plus(whole);
        }
    }
}
