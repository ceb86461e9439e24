//! When messages inside a domain are alike: patterns that look the same from every chip, and classes of their links.

use crate::machine::{AxisKind, Domain, Machine};
use crate::memory::bytes_of;
use crate::route::Routing;
use crate::{Control, Result};
use std::ops::Range;

/// True when moving every chip by the same distance along the axes maps links onto links and routes onto routes.
pub(crate) fn is_homogeneous(domain: &Domain, routing: &Routing) -> bool {
    let alike = |kind: &AxisKind| match kind {
        AxisKind::Ring | AxisKind::FullMesh => true,
        AxisKind::Switch { spans_below, tiers } => !spans_below && tiers.is_empty(),
        AxisKind::Line => false,
    };
    let axes = domain.axes();
    routing.is_translation_invariant()
        && axes.iter().all(|axis| axis.size == 1 || alike(&axis.kind))
}

/// Most distances of a pattern that are told apart: patterns with more are taken message by message.
const MOST_DISTANCES: usize = 256;

/// Messages between two looks at the cancel flag.
const STRETCH: usize = 1 << 14;

/// The distances of the messages and how many of each every chip sends, if all chips send alike and over few
/// distances. A distance is the chip that chip 0 reaches by it.
pub(crate) fn distances(
    domain: &Domain,
    pairs: impl ExactSizeIterator<Item = (u32, u32)>,
    control: &Control,
) -> Result<Option<Vec<(u32, u32)>>> {
    let chips = domain.chips() as usize;
    if pairs.len() % chips != 0 || pairs.len() > MOST_DISTANCES * chips {
        return Ok(None);
    }
    let what = format_args!("the distances of the messages of {chips} chips");
    let coordinates = bytes_of::<u32>((chips * domain.axes().len()) as u64);
    let mut taken = control.take(coordinates, what, "use smaller UltraServers")?;
    // By distance, how many of it each chip has sent.
    let mut found: Vec<(u32, Vec<u32>)> = Vec::new();
    let places = Places::of(domain);
    for (index, (from, to)) in pairs.enumerate() {
        if index % STRETCH == 0 {
            control.check()?;
        }
        let over = places.distance(from, to);
        let place = match found.iter().position(|entry| entry.0 == over) {
            Some(place) => place,
            None if found.len() == MOST_DISTANCES => return Ok(None),
            None => {
                let counts = bytes_of::<u32>((chips * (found.len() + 1)) as u64);
                taken.grow_to(coordinates + counts, what, "use smaller UltraServers")?;
                found.push((over, vec![0; chips]));
                found.len() - 1
            }
        };
        found[place].1[from as usize] += 1;
    }
    Ok(found
        .into_iter()
        .map(|(over, sent)| {
            let each = sent[0];
            sent.iter()
                .all(|&other| other == each)
                .then_some((over, each))
        })
        .collect())
}

/// Coordinates of all chips, worked out once.
pub(super) struct Places {
    /// (size, stride) of each axis.
    axes: Vec<(u32, u32)>,
    /// Coordinates of each chip, one for each axis.
    coordinates: Vec<u32>,
}

impl Places {
    pub(super) fn of(domain: &Domain) -> Self {
        let plans = domain.axes().iter().zip(domain.plans());
        let axes: Vec<(u32, u32)> = plans.map(|(axis, plan)| (axis.size, plan.stride)).collect();
        let mut here = vec![0; axes.len()];
        let mut coordinates = Vec::with_capacity(domain.chips() as usize * axes.len());
        for _ in 0..domain.chips() {
            coordinates.extend_from_slice(&here);
            for (at, &(size, _)) in here.iter_mut().zip(&axes) {
                *at += 1;
                if *at < size {
                    break;
                }
                *at = 0;
            }
        }
        Self { axes, coordinates }
    }

    /// The chip that chip 0 reaches by the way from one chip to another.
    pub(super) fn distance(&self, from: u32, to: u32) -> u32 {
        let of =
            |chip: u32| &self.coordinates[chip as usize * self.axes.len()..][..self.axes.len()];
        let ends = of(from).iter().zip(of(to)).zip(&self.axes);
        ends.map(|((&a, &b), &(size, stride))| {
            let ahead = if b >= a { b - a } else { size - (a - b) };
            ahead * stride
        })
        .sum()
    }
}

/// How far ahead of position `from` of a full mesh the link in its slot leads.
fn ahead(size: u64, from: u64, slot: u64) -> u64 {
    let to = slot + u64::from(slot >= from);
    if to > from {
        to - from
    } else {
        size - (from - to)
    }
}

/// The class of a local link of a homogeneous domain on its own: links of one class are mapped onto each other.
pub(crate) fn class(machine: &Machine, link: u64) -> u64 {
    let domain = machine.domain();
    // Axes of size 1 have no links and share their first number with the next axis.
    let first_beyond = domain
        .plans()
        .partition_point(|plan| plan.first_link <= link);
    let axis = first_beyond.saturating_sub(1);
    let plan = &domain.plans()[axis];
    let within = match domain.axes()[axis].kind {
        AxisKind::FullMesh => {
            let size = u64::from(domain.axes()[axis].size);
            let (row, slot) = (
                (link - plan.first_link) / (size - 1),
                (link - plan.first_link) % (size - 1),
            );
            ahead(size, row % size, slot) * u64::from(plan.stride)
        }
        _ => u64::from(link - plan.first_link >= plan.links / 2),
    };
    (axis as u64) << 32 | within
}

/// Calls `visit` with stretches of links of one class each, in order.
pub(crate) fn for_each_class(
    machine: &Machine,
    control: &Control,
    mut visit: impl FnMut(u64, Range<u64>),
) -> Result<()> {
    let domain = machine.domain();
    for (index, (axis, plan)) in domain.axes().iter().zip(domain.plans()).enumerate() {
        let (first, half) = (plan.first_link, plan.links / 2);
        if plan.links == 0 {
            continue;
        }
        if matches!(axis.kind, AxisKind::FullMesh) {
            let size = u64::from(axis.size);
            for row in 0..plan.links / (size - 1) {
                control.check()?;
                let from = row % size;
                for slot in 0..size - 1 {
                    let link = first + row * (size - 1) + slot;
                    let within = ahead(size, from, slot) * u64::from(plan.stride);
                    visit((index as u64) << 32 | within, link..link + 1);
                }
            }
            continue;
        }
        for first in [first, first + half] {
            visit(class(machine, first), first..first + half);
        }
    }
    Ok(())
}
