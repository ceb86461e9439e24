//! All counters of one worker, and how they become loads.

use super::cell::Cell;
use super::cross::CrossCounts;
use super::direct::{SwitchCounts, SwitchShape};
use super::grid::Scale;
use super::kernel::Shape;
use super::segments::Segments;
use super::valiant;
use crate::machine::{Axis, AxisKind, Machine};
use crate::route::spans_below;
use crate::{Control, Result};

/// Loads computed between two checks for cancellation.
const STRETCH: usize = 1 << 16;

/// Counters of one axis.
#[derive(Debug, Clone)]
pub(super) enum AxisCounts<T> {
    /// An axis that no flow uses.
    None,
    /// Rings and lines: differences for each chip, all of + and then all of -.
    Cabled(Vec<T>),
    /// Links of a full mesh, domain by domain.
    Mesh(Vec<T>),
    /// Ports and bundles.
    Switch(SwitchCounts<T>),
}

/// Counters of the whole machine.
#[derive(Debug, Clone)]
pub(super) struct Tally<T> {
    pub(super) axes: Vec<AxisCounts<T>>,
    /// Of cabled axes whose equal segments are counted first, as one.
    pub(super) segments: Vec<Option<Segments>>,
    /// Valiant routing only: bytes sent inside the domain by each chip, then received.
    pub(super) ends: Vec<T>,
    pub(super) cross: CrossCounts<T>,
}

/// Shape of an axis.
pub(super) fn shape(machine: &Machine, axis: usize) -> Shape {
    Shape {
        size: machine.domain().axes()[axis].size,
        stride: machine.domain().plans()[axis].stride,
    }
}

/// Shape of a switch axis.
pub(super) fn switch_shape<'a>(shape: Shape, axis: &'a Axis) -> Option<SwitchShape<'a>> {
    match &axis.kind {
        AxisKind::Switch { spans_below, tiers } => Some(SwitchShape {
            shape,
            spans_below: *spans_below,
            tiers,
        }),
        _ => None,
    }
}

impl<T: Cell> Tally<T> {
    /// Zeros. With `valiant` the ends of flows are counted instead of their links.
    pub(super) fn new(machine: &Machine, valiant: bool) -> Self {
        let chips = machine.num_chips() as usize;
        let zeros = |count: usize| vec![T::default(); count];
        let (domain, domains) = (machine.domain(), machine.num_domains() as usize);
        let axes = domain
            .axes()
            .iter()
            .zip(domain.plans())
            .map(|(axis, plan)| {
                let links = domains * plan.links as usize;
                match axis.kind {
                    _ if valiant || (axis.size == 1 && !spans_below(axis)) => AxisCounts::None,
                    AxisKind::Ring | AxisKind::Line => AxisCounts::Cabled(zeros(2 * chips)),
                    AxisKind::FullMesh => AxisCounts::Mesh(zeros(links)),
                    AxisKind::Switch { .. } => AxisCounts::Switch(SwitchCounts {
                        ports: zeros(2 * chips),
                        bundles: zeros(links - 2 * chips),
                    }),
                }
            });
        Self {
            axes: axes.collect(),
            segments: domain.axes().iter().map(|_| None).collect(),
            ends: zeros(if valiant { 2 * chips } else { 0 }),
            cross: CrossCounts::new(machine),
        }
    }

    /// About how many counters a tally of this machine has.
    pub(super) fn cells(machine: &Machine) -> u64 {
        let cabled = machine.domain().axes().len() as u64 * 2 * u64::from(machine.num_chips());
        machine.num_links().max(cabled)
    }

    /// Adds to one link of the machine.
    pub(super) fn add(&mut self, machine: &Machine, link: u64, amount: T) {
        let blocks = machine.blocks();
        let add = |cell: &mut T, amount: T| *cell = cell.plus(amount);
        if link >= blocks.nic {
            return add(&mut self.cross.0[(link - blocks.nic) as usize], amount);
        }
        let domain = machine.domain();
        let (number, local) = (link / domain.links(), link % domain.links());
        let plans = domain.plans();
        let index = plans
            .iter()
            .rposition(|plan| plan.first_link <= local && plan.links > 0)
            .expect("local links lie in an axis");
        let (axis, plan) = (&domain.axes()[index], &plans[index]);
        let (at, chips) = (local - plan.first_link, u64::from(domain.chips()));
        match &mut self.axes[index] {
            AxisCounts::None => unreachable!("no route passes an axis of one member"),
            AxisCounts::Cabled(counts) => {
                let (half, stride) = (plan.links / 2, u64::from(plan.stride));
                let (row, inner) = (at % half / stride, at % stride);
                let cables = u64::from(axis.cables());
                let (outer, cable) = (row / cables, row % cables);
                let chip = (outer * u64::from(axis.size) + cable) * stride + inner;
                let direction = at / half * (counts.len() / 2) as u64;
                let cell = (direction + number * chips + chip) as usize;
                add(&mut counts[cell], amount);
                // The sums along the line go on: the next cable has it no more.
                if cable + 1 < u64::from(axis.size) {
                    add(
                        &mut counts[cell + stride as usize],
                        T::default().minus(amount),
                    );
                }
            }
            AxisCounts::Mesh(counts) => {
                add(&mut counts[(number * plan.links + at) as usize], amount)
            }
            AxisCounts::Switch(counts) if at < 2 * chips => {
                let half = (at / chips) * (counts.ports.len() / 2) as u64;
                add(
                    &mut counts.ports[(half + number * chips + at % chips) as usize],
                    amount,
                );
            }
            AxisCounts::Switch(counts) => {
                let bundles = plan.links - 2 * chips;
                add(
                    &mut counts.bundles[(number * bundles + at - 2 * chips) as usize],
                    amount,
                );
            }
        }
    }

    /// Moves the segments that were counted as one to the counters of their ends.
    pub(super) fn settle(&mut self, control: &Control) -> Result<()> {
        for (axis, segments) in self.axes.iter_mut().zip(&mut self.segments) {
            if let (AxisCounts::Cabled(counts), Some(segments)) = (axis, segments.take()) {
                segments.settle(counts, control)?;
            }
        }
        Ok(())
    }

    fn columns(&mut self) -> Vec<&mut Vec<T>> {
        let mut columns = vec![&mut self.ends, &mut self.cross.0];
        for axis in &mut self.axes {
            match axis {
                AxisCounts::None => {}
                AxisCounts::Cabled(counts) | AxisCounts::Mesh(counts) => columns.push(counts),
                AxisCounts::Switch(counts) => {
                    columns.extend([&mut counts.ports, &mut counts.bundles]);
                }
            }
        }
        columns
    }

    /// Adds the counters of another worker.
    pub(super) fn merge(&mut self, mut other: Self, control: &Control) -> Result<()> {
        for (ours, theirs) in self.columns().into_iter().zip(other.columns()) {
            for (ours, theirs) in ours.chunks_mut(STRETCH).zip(theirs.chunks(STRETCH)) {
                control.check()?;
                for (ours, &theirs) in ours.iter_mut().zip(theirs) {
                    *ours = ours.plus(theirs);
                }
            }
        }
        Ok(())
    }

    /// Bytes on each link.
    pub(super) fn loads(
        &self,
        machine: &Machine,
        scale: Scale,
        control: &Control,
    ) -> Result<Vec<f64>> {
        let mut loads = vec![0.0; machine.num_links() as usize];
        let outside = &mut loads[machine.blocks().nic as usize..];
        copy(outside, &self.cross.0, scale, control)?;
        for (axis, counts) in self.axes.iter().enumerate() {
            match counts {
                AxisCounts::None => {}
                AxisCounts::Cabled(counts) => {
                    prefix_sums(machine, axis, counts, scale, &mut loads, control)?;
                }
                AxisCounts::Mesh(counts) => {
                    let links = machine.domain().plans()[axis].links as usize;
                    for (number, counts) in counts.chunks(links).enumerate() {
                        copy(
                            axis_links(machine, axis, number, &mut loads),
                            counts,
                            scale,
                            control,
                        )?;
                    }
                }
                AxisCounts::Switch(counts) => {
                    let chips = machine.num_chips() as usize;
                    let (up, down) = counts.ports.split_at(chips);
                    let domain = machine.domain().chips() as usize;
                    let bundles = counts.bundles.len() / machine.num_domains() as usize;
                    for number in 0..machine.num_domains() as usize {
                        let of = number * domain..(number + 1) * domain;
                        let links = axis_links(machine, axis, number, &mut loads);
                        copy(links, &up[of.clone()], scale, control)?;
                        copy(&mut links[domain..], &down[of], scale, control)?;
                        let of = number * bundles..(number + 1) * bundles;
                        copy(
                            &mut links[2 * domain..],
                            &counts.bundles[of],
                            scale,
                            control,
                        )?;
                    }
                }
            }
        }
        if !self.ends.is_empty() {
            let ends: Vec<f64> = self.ends.iter().map(|&count| scale.bytes(count)).collect();
            let (out, into) = ends.split_at(ends.len() / 2);
            valiant::two_legs(machine.domain(), out, into, &mut loads, control)?;
        }
        Ok(loads)
    }
}

/// Loads of the links of one axis of one domain.
fn axis_links<'a>(
    machine: &Machine,
    axis: usize,
    number: usize,
    loads: &'a mut [f64],
) -> &'a mut [f64] {
    let plan = &machine.domain().plans()[axis];
    let first = machine.domain_link(number as u32, plan.first_link) as usize;
    &mut loads[first..first + plan.links as usize]
}

fn copy<T: Cell>(loads: &mut [f64], counts: &[T], scale: Scale, control: &Control) -> Result<()> {
    for (loads, counts) in loads.chunks_mut(STRETCH).zip(counts.chunks(STRETCH)) {
        control.check()?;
        for (load, &count) in loads.iter_mut().zip(counts) {
            *load = scale.bytes(count);
        }
    }
    Ok(())
}

/// Sums the differences along each line; neighbouring lines go together, as their links do.
fn prefix_sums<T: Cell>(
    machine: &Machine,
    axis: usize,
    counts: &[T],
    scale: Scale,
    loads: &mut [f64],
    control: &Control,
) -> Result<()> {
    let Shape { size, stride } = shape(machine, axis);
    let (rows, stride) = (size as usize, stride as usize);
    let cables = machine.domain().axes()[axis].cables() as usize;
    let mut running = vec![T::default(); stride];
    let mut work = 0;
    for (direction, counts) in counts.chunks(counts.len() / 2).enumerate() {
        for (block, counts) in counts.chunks(rows * stride).enumerate() {
            let (number, local) = machine.split((block * rows * stride) as u32);
            let cable = machine.domain().cable_link(axis, direction == 1, local, 0);
            let first = machine.domain_link(number, cable) as usize;
            let loads = &mut loads[first..first + cables * stride];
            running.fill(T::default());
            for (loads, counts) in loads.chunks_mut(stride).zip(counts.chunks(stride)) {
                work += stride;
                if work >= STRETCH {
                    work = 0;
                    control.check()?;
                }
                for ((sum, load), &count) in running.iter_mut().zip(loads).zip(counts) {
                    *sum = sum.plus(count);
                    *load = scale.bytes(*sum);
                }
            }
        }
    }
    Ok(())
}
