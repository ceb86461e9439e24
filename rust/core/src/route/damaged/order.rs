//! Dimension order round damage: rings the other way round, then other orders of the axes.

use super::DomainRoutes;
use crate::machine::{Axis, AxisKind, MAX_AXES};
use crate::route::walk::{cable_from, crossing, ring_shares, steps_ahead};

/// Most orders of the axes that are tried.
const MOST_ORDERS: usize = 24;

/// The axes that a message has to correct, in the order of the policy.
pub(super) struct Axes {
    axes: [usize; MAX_AXES],
    len: usize,
}

impl Axes {
    pub(super) fn list(&self) -> &[usize] {
        &self.axes[..self.len]
    }

    /// Turns to the next order, numbering the axes by `rank`; false after the last.
    fn advance(&mut self, rank: &[usize; MAX_AXES]) -> bool {
        let axes = &mut self.axes[..self.len];
        let Some(at) = (1..axes.len())
            .rev()
            .find(|&at| rank[axes[at - 1]] < rank[axes[at]])
        else {
            return false;
        };
        let last = (at..axes.len())
            .rev()
            .find(|&last| rank[axes[last]] > rank[axes[at - 1]])
            .unwrap_or(at);
        axes.swap(at - 1, last);
        axes[at..].reverse();
        true
    }
}

impl DomainRoutes<'_> {
    /// One crossing of a spanning switch corrects the axes below it too.
    pub(super) fn to_correct(&self, src: u32, dst: u32) -> Axes {
        let domain = self.domain;
        let differs = |axis: usize| domain.coordinate(src, axis) != domain.coordinate(dst, axis);
        let mut out = Axes {
            axes: [0; MAX_AXES],
            len: 0,
        };
        for axis in self.order.axes() {
            if differs(axis) && (!self.spans || domain.spanning_axis(axis, differs).is_none()) {
                out.axes[out.len] = axis;
                out.len += 1;
            }
        }
        out
    }

    /// Appends the way that corrects the axes in this order, each ring by whichever usual way lives, else the other
    /// way round; false, with nothing appended, if an axis has no live way.
    pub(super) fn in_order(
        &self,
        axes: &[usize],
        src: u32,
        dst: u32,
        steps: &mut Vec<(u64, f64)>,
    ) -> bool {
        let start = steps.len();
        let mut here = src;
        for &axis in axes {
            match self.axis_segment(axis, here, dst, steps) {
                Some(next) => here = next,
                None => {
                    steps.truncate(start);
                    return false;
                }
            }
        }
        true
    }

    /// As [`Self::in_order`] for the other orders of the axes, in the order of permutations.
    pub(super) fn in_other_orders(
        &self,
        axes: &mut Axes,
        src: u32,
        dst: u32,
        steps: &mut Vec<(u64, f64)>,
    ) -> bool {
        let mut rank = [0; MAX_AXES];
        for (place, axis) in self.order.axes().enumerate() {
            rank[axis] = place;
        }
        for _ in 1..MOST_ORDERS {
            if !axes.advance(&rank) {
                return false;
            }
            if self.in_order(axes.list(), src, dst, steps) {
                return true;
            }
        }
        false
    }

    /// Appends the links that correct one axis, and returns the chip there.
    fn axis_segment(
        &self,
        index: usize,
        here: u32,
        dst: u32,
        steps: &mut Vec<(u64, f64)>,
    ) -> Option<u32> {
        let domain = self.domain;
        let (axis, stride) = (&domain.axes()[index], domain.plans()[index].stride);
        let (from, to) = (
            domain.coordinate(here, index),
            domain.coordinate(dst, index),
        );
        let mut next = here - from * stride + to * stride;
        let lives = match &axis.kind {
            AxisKind::Ring => {
                let ahead = steps_ahead(axis.size, from, to);
                let [plus, minus] = ring_shares(self.order.tie, axis.size, from, to);
                let start = steps.len();
                let mut go = |backward: bool, share: f64| {
                    let hops = if backward { axis.size - ahead } else { ahead };
                    self.cables(index, backward, here, hops, share, steps)
                };
                if plus > 0.0 && minus > 0.0 {
                    let directions = (go(false, plus), go(true, minus));
                    if directions.0 != directions.1 {
                        steps[start..].iter_mut().for_each(|step| step.1 = 1.0);
                    }
                    directions.0 || directions.1
                } else {
                    go(minus > 0.0, 1.0) || go(plus > 0.0, 1.0)
                }
            }
            AxisKind::Line => self.cables(index, to < from, here, from.abs_diff(to), 1.0, steps),
            AxisKind::FullMesh => {
                let link = domain.mesh_link(index, here, from, to);
                steps.push((link, 1.0));
                !self.damage.is_dead(link)
            }
            AxisKind::Switch { spans_below, tiers } => {
                if *spans_below {
                    let block = stride * axis.size;
                    next = here / block * block + dst % block;
                }
                let mut lives = true;
                crossing(domain, index, tiers, here, next, |link| {
                    lives &= !self.damage.is_dead(link);
                    steps.push((link, 1.0));
                });
                lives
            }
        };
        lives.then_some(next)
    }

    /// Appends `hops` cables from `here` on; nothing, and false, if one of them is dead.
    fn cables(
        &self,
        index: usize,
        backward: bool,
        here: u32,
        hops: u32,
        share: f64,
        steps: &mut Vec<(u64, f64)>,
    ) -> bool {
        let start = steps.len();
        let mut chip = here;
        for _ in 0..hops {
            let link = cable_from(self.domain, index, backward, chip);
            if self.damage.is_dead(link) || self.control.is_cancelled() {
                steps.truncate(start);
                return false;
            }
            steps.push((link, share));
            chip = self.neighbor(index, backward, chip);
        }
        true
    }

    /// No way between two chips has fewer hops than this, whatever is broken.
    pub(super) fn least_hops(&self, src: u32, dst: u32) -> u64 {
        if self.spans {
            return u64::from(src != dst);
        }
        let of_axis = |(index, axis): (usize, &Axis)| {
            let (from, to) = (
                self.domain.coordinate(src, index),
                self.domain.coordinate(dst, index),
            );
            let apart = from.abs_diff(to);
            u64::from(match axis.kind {
                AxisKind::Ring => apart.min(axis.size - apart),
                AxisKind::Line => apart,
                _ => apart.min(1),
            })
        };
        self.domain.axes().iter().enumerate().map(of_axis).sum()
    }

    /// The chip at the other end of a cable of a ring or line.
    pub(super) fn neighbor(&self, index: usize, backward: bool, chip: u32) -> u32 {
        let (size, stride) = (
            self.domain.axes()[index].size,
            self.domain.plans()[index].stride,
        );
        match (backward, self.domain.coordinate(chip, index)) {
            (false, at) if at + 1 == size => chip - at * stride,
            (false, _) => chip + stride,
            (true, 0) => chip + (size - 1) * stride,
            (true, _) => chip - stride,
        }
    }
}
