//! The links of one message: dimension order inside a domain, NICs and fabric between domains.

use super::order::{AxisOrder, TieRule};
use crate::machine::{Axis, AxisKind, Domain, Machine, Tier, tiers_crossed};

/// Shares of a message that go towards higher and towards lower coordinates of a ring; `from` differs
/// from `to`.
pub(crate) fn ring_shares(tie: TieRule, size: u32, from: u32, to: u32) -> [f64; 2] {
    let ahead = steps_ahead(size, from, to);
    let plus = match ahead.cmp(&(size - ahead)) {
        std::cmp::Ordering::Less => 1.0,
        std::cmp::Ordering::Greater => 0.0,
        std::cmp::Ordering::Equal => match tie {
            TieRule::Split => 0.5,
            TieRule::Positive => 1.0,
            TieRule::Negative => 0.0,
            TieRule::Simgrid => f64::from(u8::from(from != size / 2)),
            TieRule::Parity => f64::from(u8::from(from % 2 == 0)),
            TieRule::Dateline => f64::from(u8::from(from < size / 2)),
        },
    };
    [plus, 1.0 - plus]
}

/// Steps towards higher coordinates of a ring from one position to another.
pub(super) fn steps_ahead(size: u32, from: u32, to: u32) -> u32 {
    if to >= from {
        to - from
    } else {
        size - (from - to)
    }
}

/// Hops of a shortest path along a ring or line.
pub(crate) fn least_hops(axis: &Axis, from: u32, to: u32) -> u32 {
    match axis.kind {
        AxisKind::Ring => {
            let ahead = steps_ahead(axis.size, from, to);
            ahead.min(axis.size - ahead)
        }
        _ => from.abs_diff(to),
    }
}

/// Local number of the cable that leaves local chip `chip` along a ring or line, and the coordinate there.
#[inline]
pub(crate) fn cable_from(domain: &Domain, axis: usize, backward: bool, chip: u32) -> u64 {
    let (plan, size) = (&domain.plans()[axis], domain.axes()[axis].size);
    let (above, inner) = plan.by_stride.div_rem(chip);
    let (outer, at) = plan.by_size.div_rem(above);
    let cable = match (backward, at) {
        (false, at) => at,
        (true, 0) => size - 1,
        (true, at) => at - 1,
    };
    let cables = domain.axes()[axis].cables();
    plan.first_link
        + u64::from(backward) * (plan.links / 2)
        + (u64::from(outer) * u64::from(cables) + u64::from(cable)) * u64::from(plan.stride)
        + u64::from(inner)
}

/// True for switches that join the members of the axes below them too.
pub(crate) fn spans_below(axis: &Axis) -> bool {
    matches!(
        axis.kind,
        AxisKind::Switch {
            spans_below: true,
            ..
        }
    )
}

/// Links that a message passes one after the other along a line, or a single link.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// The first cable of the line, how far apart the others are, and how many there are.
    pub(crate) first: u64,
    pub(crate) stride: u64,
    pub(crate) cables: u32,
    pub(crate) from: u32,
    pub(crate) hops: u32,
    pub(crate) backward: bool,
    /// What part of the message goes this way.
    pub(crate) share: f64,
}

impl Run {
    /// One link.
    pub(crate) fn link(link: u64, share: f64) -> Self {
        Self {
            first: link,
            stride: 1,
            cables: 1,
            from: 0,
            hops: 1,
            backward: false,
            share,
        }
    }

    /// Calls `visit` with each link and the share of the message on it, in travel order.
    fn each(self, visit: &mut impl FnMut(u64, f64)) {
        let mut cable = self.from;
        for _ in 0..self.hops {
            visit(self.first + u64::from(cable) * self.stride, self.share);
            cable = match self.backward {
                false if cable + 1 == self.cables => 0,
                false => cable + 1,
                true if cable == 0 => self.cables - 1,
                true => cable - 1,
            };
        }
    }

    /// Which cables of the line these are, in two stretches where the run goes past its end.
    pub(crate) fn spans(&self) -> [std::ops::Range<u32>; 2] {
        let Self {
            cables, from, hops, ..
        } = *self;
        let low = match self.backward {
            false => from,
            true if from + 1 >= hops => from + 1 - hops,
            true => cables - (hops - from - 1),
        };
        let beyond = hops.saturating_sub(cables - low);
        [low..low + (hops - beyond), 0..beyond]
    }
}

/// Links of a message inside a domain by dimension order; chips and links are local.
pub(super) fn inside(
    domain: &Domain,
    order: &AxisOrder,
    src: u32,
    dst: u32,
    mut visit: impl FnMut(u64, f64),
) {
    runs_inside(domain, order, src, dst, |run| run.each(&mut visit));
}

/// The same, by run.
pub(super) fn runs_inside(
    domain: &Domain,
    order: &AxisOrder,
    src: u32,
    dst: u32,
    mut visit: impl FnMut(Run),
) {
    let differs = |axis: usize| domain.coordinate(src, axis) != domain.coordinate(dst, axis);
    let mut here = src;
    for index in order.axes() {
        // One crossing of a spanning switch corrects the axes below it too.
        if !differs(index) || domain.spanning_axis(index, differs).is_some() {
            continue;
        }
        let (axis, stride) = (&domain.axes()[index], domain.plans()[index].stride);
        let (from, to) = (domain.coordinate(src, index), domain.coordinate(dst, index));
        let mut next = here - from * stride + to * stride;
        match &axis.kind {
            AxisKind::Ring => {
                let ahead = steps_ahead(axis.size, from, to);
                let shares = ring_shares(order.tie, axis.size, from, to);
                for (backward, hops) in [(false, ahead), (true, axis.size - ahead)] {
                    let share = shares[usize::from(backward)];
                    if share > 0.0 {
                        visit(cables(domain, index, backward, here, hops, share));
                    }
                }
            }
            AxisKind::Line => {
                let hops = from.abs_diff(to);
                visit(cables(domain, index, to < from, here, hops, 1.0));
            }
            AxisKind::FullMesh => visit(Run::link(domain.mesh_link(index, here, from, to), 1.0)),
            AxisKind::Switch { spans_below, tiers } => {
                if *spans_below {
                    let block = stride * axis.size;
                    next = here / block * block + dst % block;
                }
                let visit = |link| visit(Run::link(link, 1.0));
                crossing(domain, index, tiers, here, next, visit);
            }
        }
        here = next;
    }
}

/// A run along a ring or line.
fn cables(domain: &Domain, index: usize, backward: bool, here: u32, hops: u32, share: f64) -> Run {
    let (plan, size) = (&domain.plans()[index], domain.axes()[index].size);
    let at = domain.coordinate(here, index);
    let line = here - at * plan.stride;
    Run {
        first: cable_from(domain, index, false, line) + u64::from(backward) * (plan.links / 2),
        stride: u64::from(plan.stride),
        cables: domain.axes()[index].cables(),
        from: match (backward, at) {
            (false, at) => at,
            (true, 0) => size - 1,
            (true, at) => at - 1,
        },
        hops,
        backward,
        share,
    }
}

/// Port up, bundles, port down of one crossing of a switch axis.
pub(super) fn crossing(
    domain: &Domain,
    axis: usize,
    tiers: &[Tier],
    here: u32,
    next: u32,
    mut visit: impl FnMut(u64),
) {
    let (instance, from, leaves) = domain.switch_leaf(axis, here);
    let (_, to, _) = domain.switch_leaf(axis, next);
    let crossed = tiers_crossed(tiers, from, to);
    visit(domain.port_link(axis, false, here));
    for (index, tier) in tiers[..crossed].iter().enumerate() {
        let group = from / tier.group;
        visit(domain.bundle_link(axis, instance, leaves, index, group, false));
    }
    for (index, tier) in tiers[..crossed].iter().enumerate().rev() {
        let group = to / tier.group;
        visit(domain.bundle_link(axis, instance, leaves, index, group, true));
    }
    visit(domain.port_link(axis, true, next));
}

/// Links of a message between domains; chips and links are those of the machine.
pub(crate) fn outside(machine: &Machine, src: u32, dst: u32, mut visit: impl FnMut(u64)) {
    visit(machine.nic_link(false, src));
    machine.between_domains(machine.split(src).0, machine.split(dst).0, &mut visit);
    visit(machine.nic_link(true, dst));
}
