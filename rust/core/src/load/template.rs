//! Shares of the links in a box of minimal paths, kept for all flows whose boxes have the same lengths.
//!
//! The shares follow from the lengths alone. Which links they belong to follows from the ends: the number of a link is
//! a sum over the axes of what the coordinate along each of them adds.

use super::cell::Cell;
use super::grid::Grid;
use super::workers::FEWER_LINKS;
use crate::Control;
use crate::error::Result;
use crate::machine::{AxisKind, Domain, MAX_AXES};
use crate::memory::{Taken, bytes_of};
use crate::route::{PathBox, Scratch, Span, cable_from, least_hops, spread};

/// Most links of a box whose shares are kept: shares and units take 48 MiB.
pub(super) const MOST_LINKS: usize = 1 << 21;

/// Links visited between two checks for cancellation.
const STRETCH: usize = 1 << 15;

/// A flow inside a domain. Flows of the same lengths have the same hops along each axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flow {
    pub(super) lengths: u32,
    /// Chips of the domain.
    pub(super) src: u32,
    pub(super) dst: u32,
    pub(super) bytes: f64,
}

/// A number for the hops along each axis between two chips of a domain.
pub(super) fn lengths(domain: &Domain, src: u32, dst: u32) -> u32 {
    let (mut out, mut places) = (0, 1);
    for (index, axis) in domain.axes().iter().enumerate() {
        let (from, to) = (domain.coordinate(src, index), domain.coordinate(dst, index));
        out += least_hops(axis, from, to) * places;
        // At most as many as chips.
        places *= match axis.kind {
            AxisKind::Ring => axis.size / 2 + 1,
            _ => axis.size,
        };
    }
    out
}

/// The shares of the boxes of some lengths, and what they are of some bytes.
#[derive(Debug)]
pub(super) struct Template<'a> {
    domain: &'a Domain,
    grid: Grid,
    control: &'a Control,
    /// Boxes of more links are gone through anew for each flow.
    most: usize,
    lengths: Option<u32>,
    bytes: Option<f64>,
    scratch: Scratch,
    /// Axis by axis, in the order of the box.
    shares: Vec<f64>,
    units: Vec<i128>,
    /// What the lower half of the axes adds to the numbers of links, and the numbers where the upper half has added.
    low: Vec<u32>,
    high: Vec<u32>,
    visits: usize,
    taken: [Option<Taken>; 2],
}

impl<'a> Template<'a> {
    /// Nothing yet.
    pub(super) fn new(domain: &'a Domain, grid: Grid, control: &'a Control, most: usize) -> Self {
        Self {
            domain,
            grid,
            control,
            most,
            lengths: None,
            bytes: None,
            scratch: Scratch::default(),
            shares: Vec::new(),
            units: Vec::new(),
            low: Vec::new(),
            high: Vec::new(),
            visits: 0,
            taken: [None, None],
        }
    }

    /// Adds a flow to the counters of its domain. Those of the same lengths, and of the same bytes, are best one after
    /// another.
    pub(super) fn add(&mut self, flow: Flow, counts: &mut [i128]) -> Result<()> {
        let mut path_box = PathBox::between(self.domain, flow.src, flow.dst)?;
        let links = |span: &Span| path_box.links(span);
        let links = path_box.spans().iter().map(links).sum();
        if links > self.most {
            return self.add_anew(flow, &path_box, counts);
        }
        self.fit(flow, &path_box, links)?;
        for combination in 0..path_box.combinations() {
            path_box.take_directions(combination);
            let mut units = &self.units[..];
            for span in path_box.spans() {
                number_links(
                    self.domain,
                    flow.src,
                    path_box.spans(),
                    span,
                    &mut self.low,
                    &mut self.high,
                );
                let (ours, others) = units.split_at(self.low.len() * self.high.len());
                units = others;
                for (&high, units) in self.high.iter().zip(ours.chunks_exact(self.low.len())) {
                    for (&low, &units) in self.low.iter().zip(units) {
                        let count = &mut counts[high.wrapping_add(low) as usize];
                        *count = count.plus(units);
                    }
                }
                look_around(&mut self.visits, ours.len(), self.control)?;
            }
        }
        Ok(())
    }

    /// Makes the shares and units those of a flow.
    fn fit(&mut self, flow: Flow, path_box: &PathBox, links: usize) -> Result<()> {
        if self.lengths != Some(flow.lengths) {
            (self.lengths, self.bytes) = (None, None);
            // Both copies are there while a list moves; numbers of links are in two that grow, shorter than nodes.
            let units = bytes_of::<[u64; 3]>(2 * links as u64);
            self.hold(0, units + bytes_of::<[u32; 3]>(path_box.nodes as u64))?;
            self.hold(1, path_box.scratch_bytes())?;
            look_around(&mut self.visits, links, self.control)?;
            self.share_out(path_box, links, flow.bytes)?;
            (self.lengths, self.bytes) = (Some(flow.lengths), Some(flow.bytes));
        }
        if self.bytes != Some(flow.bytes) {
            for (units, &share) in self.units.iter_mut().zip(&self.shares) {
                *units = self.grid.units(flow.bytes * share);
            }
            self.bytes = Some(flow.bytes);
        }
        Ok(())
    }

    /// Finds the shares of a box, and their units of so many bytes.
    fn share_out(&mut self, path_box: &PathBox, links: usize, bytes: f64) -> Result<()> {
        self.shares.clear();
        self.shares.reserve_exact(links);
        self.shares.resize(links, 0.0);
        self.units.clear();
        self.units.reserve_exact(links);
        self.units.resize(links, 0);
        let (mut next, mut rest) = ([0; MAX_AXES], 0);
        for (next, span) in next.iter_mut().zip(path_box.spans()) {
            *next = rest;
            rest += path_box.links(span);
        }
        let (shares, units, grid) = (&mut self.shares, &mut self.units, self.grid);
        let keep = |place: usize, row: &[f64]| {
            let kept = next[place]..next[place] + row.len();
            next[place] = kept.end;
            let (shares, units) = (&mut shares[kept.clone()], &mut units[kept]);
            for ((share, units), &found) in shares.iter_mut().zip(units).zip(row) {
                (*share, *units) = (found, grid.units(bytes * found));
            }
            Ok(())
        };
        path_box.pass_on(&mut self.scratch, keep, |_, _, _| {})
    }

    /// Adds a flow whose box is too large to be kept.
    fn add_anew(&mut self, flow: Flow, path_box: &PathBox, counts: &mut [i128]) -> Result<()> {
        self.hold(1, path_box.scratch_bytes())?;
        let (grid, visits, control) = (self.grid, &mut self.visits, self.control);
        let add = |link: u64, share| {
            let count = &mut counts[link as usize];
            *count = count.plus(grid.units(flow.bytes * share));
            look_around(visits, 1, control)
        };
        spread(self.domain, flow.src, flow.dst, &mut self.scratch, add)
    }

    /// Sees to it that so many bytes are reckoned for what is kept (0) or for the buffers of a box (1).
    fn hold(&mut self, which: usize, bytes: u64) -> Result<()> {
        let what = format_args!("the shares of one message on all its minimal paths");
        match &mut self.taken[which] {
            Some(taken) => taken.grow_to(bytes, what, FEWER_LINKS),
            none => {
                *none = Some(self.control.take(bytes, what, FEWER_LINKS)?);
                Ok(())
            }
        }
    }
}

/// Checks for cancellation now and then.
fn look_around(visits: &mut usize, more: usize, control: &Control) -> Result<()> {
    *visits += more;
    if *visits < STRETCH {
        return Ok(());
    }
    *visits = 0;
    control.check()
}

/// Numbers the links of a box that run along `span`: each is the sum of one of `low` and one of `high`, in the order
/// of the box. The sums wrap, since some of `low` are below zero.
fn number_links(
    domain: &Domain,
    src: u32,
    spans: &[Span],
    span: &Span,
    low: &mut Vec<u32>,
    high: &mut Vec<u32>,
) {
    let (lower, upper) = spans.split_at(spans.len().div_ceil(2));
    let first = cable_from(domain, span.axis, span.backward, src) as u32;
    for (list, start, along) in [(low, 0, lower), (high, first, upper)] {
        list.clear();
        list.push(start);
        for along in along {
            let before = list.len();
            for offset in offsets(domain, span, along) {
                let here = list.len();
                list.extend_from_within(..before);
                list[here..]
                    .iter_mut()
                    .for_each(|link| *link = link.wrapping_add(offset));
            }
        }
    }
}

/// What hops along one span add to the numbers of the links of another, or of its own, from the first hop on.
fn offsets(domain: &Domain, of: &Span, along: &Span) -> impl Iterator<Item = u32> {
    let (axis, stride) = (&domain.axes()[of.axis], domain.plans()[along.axis].stride);
    let weight = match along.axis > of.axis {
        true => stride / axis.size * axis.cables(),
        false => stride,
    };
    let own = along.axis == of.axis;
    // A cable has the number of its lower end: backward, where it leads.
    let lag = u32::from(own && of.backward);
    let first = along.at(domain, lag);
    (1..along.hops + u32::from(!own)).map(move |hops| {
        along
            .at(domain, hops + lag)
            .wrapping_sub(first)
            .wrapping_mul(weight)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::grid::Survey;
    use crate::machine::Axis;
    use crate::random::SplitMix64;

    fn domain(random: &mut SplitMix64) -> Domain {
        let axis = |random: &mut SplitMix64| Axis {
            name: "axis".to_owned(),
            size: 1 + random.below(6),
            kind: match random.below(3) {
                0 => AxisKind::Line,
                _ => AxisKind::Ring,
            },
            bandwidth: 1e9,
            latency: 0.0,
        };
        let axes = (0..1 + random.below(5)).map(|_| axis(random)).collect();
        Domain::new(axes).unwrap()
    }

    #[test]
    fn kept_shares_put_the_bits_of_boxes_gone_through_anew() {
        let (mut random, control) = (SplitMix64::new(3), Control::default());
        for _ in 0..300 {
            let domain = domain(&mut random);
            let chip = |random: &mut SplitMix64| random.below(domain.chips());
            let sizes = [0.0, 0.1, 1.0, 3e9, 5e-324];
            let pairs: Vec<(u32, u32, f64)> = (0..40)
                .map(|_| {
                    let bytes = sizes[random.below(sizes.len() as u32) as usize];
                    (chip(&mut random), chip(&mut random), bytes)
                })
                .collect();
            let mut survey = Survey::new();
            pairs.iter().for_each(|&(_, _, bytes)| survey.add(bytes));
            // All are kept, some, and none.
            let [kept, some, anew] = [usize::MAX, 30, 0].map(|most| {
                let mut counts = vec![0; domain.links() as usize];
                let mut template = Template::new(&domain, survey.share_grid(), &control, most);
                for &(src, dst, bytes) in &pairs {
                    let lengths = lengths(&domain, src, dst);
                    let flow = Flow {
                        lengths,
                        src,
                        dst,
                        bytes,
                    };
                    template.add(flow, &mut counts).unwrap();
                }
                counts
            });
            assert_eq!(kept, anew);
            assert_eq!(some, anew);
        }
    }

    #[test]
    fn lengths_are_equal_where_the_hops_along_each_axis_are() {
        let mut random = SplitMix64::new(4);
        for _ in 0..100 {
            let domain = domain(&mut random);
            let mut chips = || random.below(domain.chips());
            let pairs: Vec<(u32, u32)> = (0..30).map(|_| (chips(), chips())).collect();
            let hops = |&(src, dst): &(u32, u32)| -> Vec<u32> {
                let axes = domain.axes().iter().enumerate();
                axes.map(|(index, axis)| {
                    let at = |chip| domain.coordinate(chip, index);
                    least_hops(axis, at(src), at(dst))
                })
                .collect()
            };
            for one in &pairs {
                for other in &pairs {
                    let same = lengths(&domain, one.0, one.1) == lengths(&domain, other.0, other.1);
                    assert_eq!(same, hops(one) == hops(other));
                }
            }
        }
    }

    #[test]
    fn a_cancelled_job_stops_in_a_box() {
        let control = Control::default();
        control.cancel();
        let axis = |size| Axis {
            name: "axis".to_owned(),
            size,
            kind: AxisKind::Line,
            bandwidth: 1e9,
            latency: 0.0,
        };
        let domain = Domain::new(vec![axis(200), axis(200)]).unwrap();
        let (src, dst) = (0, domain.chips() - 1);
        for most in [usize::MAX, 0] {
            let grid = Survey::new().share_grid();
            let mut template = Template::new(&domain, grid, &control, most);
            let flow = Flow {
                lengths: 1,
                src,
                dst,
                bytes: 1.0,
            };
            let mut counts = vec![0; domain.links() as usize];
            let stopped = template.add(flow, &mut counts).unwrap_err();
            assert_eq!(stopped, crate::Error::Cancelled);
        }
    }
}
