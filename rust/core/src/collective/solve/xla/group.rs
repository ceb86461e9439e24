//! A group of chips as the compiler sees it.

use super::tables::Rules;
use crate::collective::ask::group::Groups;
use crate::collective::program::layout::LocalBox;
use crate::machine::{AxisKind, Domain, Machine};
use crate::{Control, Error, Result};

/// The order in which the compiler counts the axes x, y, z: y, x, z.
const COUNTED: [usize; 3] = [1, 0, 2];

/// One group: which whole axes of the slice it spans, or a ring.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) chips: u32,
    /// The whole axes that it spans, by their number as the compiler counts them, and their sizes. Empty for a group
    /// that takes part of an axis.
    pub(super) axes: Vec<(usize, u32)>,
    /// Axes of the slice that are longer than one chip.
    pub(super) slice_axes: usize,
    /// It is the whole slice.
    pub(super) whole: bool,
}

impl Group {
    /// The groups of a request, which are alike to the compiler.
    pub(super) fn of(machine: &Machine, groups: &Groups, control: &Control) -> Result<Self> {
        let domain = machine.domain();
        check_slice(domain)?;
        let listed = |chips: &Vec<u32>| {
            let slice = machine.split(chips[0]).0;
            let local = |&chip: &u32| {
                let (other, local) = machine.split(chip);
                (other == slice).then_some(local)
            };
            let chips: Option<Vec<u32>> = chips.iter().map(local).collect();
            chips.map(|chips| Self::within(domain, &chips))
        };
        let mut first: Option<Self> = None;
        let mut take = |shape: Option<Self>| {
            control.check()?;
            let shape = shape.ok_or_else(across_slices)?;
            if first.get_or_insert_with(|| shape.clone()) == &shape {
                return Ok(());
            }
            Err(Error::unsupported(
                "algorithm 'xla' over groups of different shapes",
                "take groups that span the same whole axes, or none of which does",
            ))
        };
        match groups {
            Groups::Grid { domains, .. } if domains[0].len() > 1 => take(None)?,
            Groups::Grid { locals, .. } => {
                let mut shapes = locals.iter().map(|chips| Self::within(domain, chips));
                shapes.try_for_each(|shape| take(Some(shape)))?;
            }
            Groups::Scattered(lists) => lists.iter().map(listed).try_for_each(take)?,
        }
        first.ok_or_else(across_slices)
    }

    /// A group of chips of one slice.
    fn within(domain: &Domain, chips: &[u32]) -> Self {
        let sizes: Vec<u32> = domain.axes().iter().map(|axis| axis.size).collect();
        let sides = LocalBox::of(domain, chips).map_or_else(Vec::new, |shape| {
            let sides = shape.sides.iter();
            sides.map(|side| (side.0, side.1.len() as u32)).collect()
        });
        Self::spanning(&sizes, &sides, chips.len() as u32)
    }

    /// A group of a slice of these sizes along x, y, z that takes so many places of some axes.
    pub(super) fn spanning(sizes: &[u32], sides: &[(usize, u32)], chips: u32) -> Self {
        let counted = COUNTED.into_iter().filter(|&axis| axis < sizes.len());
        let long: Vec<usize> = counted.filter(|&axis| sizes[axis] > 1).collect();
        let mut axes = Vec::new();
        for (number, &axis) in long.iter().enumerate() {
            match sides.iter().find(|side| side.0 == axis) {
                Some(&(_, taken)) if taken == sizes[axis] => axes.push((number, taken)),
                Some(_) => {
                    axes.clear();
                    break;
                }
                None => {}
            }
        }
        let whole = chips == sizes.iter().product();
        Self {
            chips,
            axes,
            slice_axes: long.len(),
            whole,
        }
    }

    /// The compiler puts it on one ring.
    pub(super) fn is_ring(&self, rules: &Rules) -> bool {
        let small = rules.small_are_rings && self.whole && self.chips <= 8;
        self.axes.len() < 2 || small
    }

    /// Its whole axes are of one length.
    pub(super) fn is_square(&self) -> bool {
        self.axes.windows(2).all(|pair| pair[0].1 == pair[1].1)
    }
}

/// The axis of a domain that the compiler counts as `number` among those that are longer than one chip.
pub(super) fn axis_of(domain: &Domain, number: usize) -> usize {
    let axes = domain.axes();
    let counted = COUNTED.into_iter().filter(|&axis| axis < axes.len());
    let mut long = counted.filter(|&axis| axes[axis].size > 1);
    long.nth(number).unwrap_or(0)
}

/// The refusal of a group that leaves its slice.
fn across_slices() -> Error {
    Error::unsupported(
        "algorithm 'xla' over chips of several slices",
        "its rules are those of one slice, and between slices it goes over hosts: take groups inside slices, or \
         algorithm='hierarchical'",
    )
}

/// Refuses what is no slice of a torus in up to three axes.
fn check_slice(domain: &Domain) -> Result<()> {
    let torus = |kind: &AxisKind| matches!(kind, AxisKind::Ring | AxisKind::Line);
    let axes = domain.axes();
    if axes.len() <= COUNTED.len() && axes.iter().all(|axis| torus(&axis.kind)) {
        return Ok(());
    }
    Err(Error::unsupported(
        "algorithm 'xla' on a domain that is no slice of a torus in one to three axes",
        "use an UltraServer of ring and line axes x, y, z, or algorithm='auto'",
    ))
}
