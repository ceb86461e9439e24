//! Flows over switches and full meshes inside a domain, counted link by link.

use super::cell::Cell;
use super::kernel::{AxisSegments, HalfUnits, Row, Shape};
use crate::machine::{Domain, Tier, tier_links};
use crate::route::spans_below;

/// Where one flow goes over a switch axis.
struct Crossing {
    instance: u32,
    from: u32,
    to: u32,
}

/// Counts flows over a full mesh; `counts` holds the links of the axis, domain by domain.
pub(super) fn mesh<T: Cell, H: HalfUnits<T>>(
    Shape { size, stride }: Shape,
    counts: &mut [T],
    segments: AxisSegments,
    half_units: H,
) {
    let (block, wide) = (stride * size, u64::from(size));
    let flows = segments.here.iter_mut().zip(segments.from).zip(segments.to);
    for (index, ((here, &from), &to)) in flows.take(segments.flows).enumerate() {
        if from == to {
            continue;
        }
        // Lines are numbered through all domains, as their links are.
        let line = u64::from(*here / block * stride + *here % stride);
        let slot = u64::from(if to > from { to - 1 } else { to });
        let link = (line * wide + u64::from(from)) * (wide - 1) + slot;
        let whole = half_units.times(index, 2);
        add(&mut counts[link as usize], whole);
        *here = *here - from * stride + to * stride;
    }
}

/// Counters of one switch axis.
#[derive(Debug, Clone)]
pub(super) struct SwitchCounts<T> {
    /// Up, then down, for each chip of the machine.
    pub(super) ports: Vec<T>,
    /// Bundles of each switch of the machine, in the order of their link numbers.
    pub(super) bundles: Vec<T>,
}

/// What the counting of a switch axis needs to know.
pub(super) struct SwitchShape<'a> {
    pub(super) shape: Shape,
    pub(super) spans_below: bool,
    pub(super) tiers: &'a [Tier],
}

impl SwitchShape<'_> {
    /// Leaves of one switch.
    pub(super) fn leaves(&self) -> u32 {
        if self.spans_below {
            self.shape.stride * self.shape.size
        } else {
            self.shape.size
        }
    }

    /// Counts flows; `targets` are the chips where they end in the domain.
    pub(super) fn count<T: Cell, H: HalfUnits<T>>(
        &self,
        counts: &mut SwitchCounts<T>,
        segments: AxisSegments,
        targets: &[u32],
        half_units: H,
    ) {
        let Shape { size, stride } = self.shape;
        let (block, chips) = (stride * size, counts.ports.len() / 2);
        let flows = segments.here.iter_mut().zip(segments.from).zip(segments.to);
        for (index, (((here, &from), &to), &target)) in flows.zip(targets).enumerate() {
            if from == to {
                continue;
            }
            let start = *here / block;
            let (next, crossing) = if self.spans_below {
                let (from, to) = (*here % block, target % block);
                let instance = start;
                (start * block + to, Crossing { instance, from, to })
            } else {
                let next = *here - from * stride + to * stride;
                let instance = start * stride + *here % stride;
                (next, Crossing { instance, from, to })
            };
            let whole = half_units.times(index, 2);
            add(&mut counts.ports[*here as usize], whole);
            add(&mut counts.ports[chips + next as usize], whole);
            self.count_bundles(&mut counts.bundles, &crossing, whole);
            *here = next;
        }
    }

    fn count_bundles<T: Cell>(&self, bundles: &mut [T], crossing: &Crossing, whole: T) {
        let leaves = self.leaves();
        let mut first = u64::from(crossing.instance) * tier_links(self.tiers, leaves);
        for tier in self.tiers {
            let (up, down) = (crossing.from / tier.group, crossing.to / tier.group);
            if up == down {
                return;
            }
            add(&mut bundles[(first + 2 * u64::from(up)) as usize], whole);
            add(
                &mut bundles[(first + 2 * u64::from(down) + 1) as usize],
                whole,
            );
            first += tier_links(std::slice::from_ref(tier), leaves);
        }
    }
}

/// Takes out the axes that a spanning switch above will correct, or has corrected: both coordinates become 0, so
/// that the flow stays where it is, whatever its place then is. `from` and `to` hold one row per axis.
pub(super) fn skip_axes_below_switch(
    domain: &Domain,
    from: &mut [Row],
    to: &mut [Row],
    flows: usize,
) {
    for flow in 0..flows {
        let mut covered = false;
        for axis in (0..domain.axes().len()).rev() {
            if covered {
                (from[axis][flow], to[axis][flow]) = (0, 0);
            } else if from[axis][flow] != to[axis][flow] {
                covered = spans_below(&domain.axes()[axis]);
            }
        }
    }
}

#[inline(always)]
fn add<T: Cell>(cell: &mut T, whole: T) {
    *cell = cell.plus(whole);
}
