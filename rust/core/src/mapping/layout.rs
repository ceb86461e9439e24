//! One way to lay a mesh over the dimensions of a machine, and who its groups are.

use super::digit::{Cut, Digit, Place, Step, contributions, lines, steps};
use super::dimension::Dimension;
use crate::collective::Groups;
use crate::machine::Machine;
use crate::memory::{self, bytes_of};
use crate::{Error, Result};

/// One way to lay a mesh over a machine: a cut of each dimension. Their order is the order of layouts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Layout(pub Vec<Cut>);

impl Layout {
    /// The layout that a mesh without one of its own has, of axes of `sizes` in `order`, the slowest first; `None`
    /// where an axis ends inside a digit.
    pub fn plain(dimensions: &[Dimension], sizes: &[u32], order: &[usize]) -> Option<Self> {
        let mut left: Vec<(u32, u32)> = order
            .iter()
            .map(|&axis| (axis as u32, sizes[axis]))
            .filter(|&(_, size)| size > 1)
            .collect();
        let mut cuts = Vec::with_capacity(dimensions.len());
        for dimension in dimensions {
            let (mut size, mut cut) = (dimension.size, Vec::new());
            while size > 1 {
                let (axis, most) = left.last_mut()?;
                let factor = size.min(*most);
                if size % factor != 0 || *most % factor != 0 {
                    return None;
                }
                cut.push(Digit::plain(*axis, factor));
                size /= factor;
                *most /= factor;
                if *most == 1 {
                    left.pop();
                }
            }
            cuts.push(cut);
        }
        Some(Self(cuts))
    }

    /// Checks that each dimension is cut whole and each axis has its size.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `order`.
    pub fn validate(&self, dimensions: &[Dimension], sizes: &[u32]) -> Result<()> {
        let refuse = |allowed: &str| {
            let got = format!("a layout of {} cuts", self.0.len());
            Err(Error::invalid("order", got, allowed))
        };
        if self.0.len() != dimensions.len() {
            return refuse("must cut each dimension of the machine");
        }
        let mut had = vec![1_u64; sizes.len()];
        for (cut, dimension) in self.0.iter().zip(dimensions) {
            let mut size = 1_u64;
            for digit in cut {
                let factor = digit.factor;
                let Some(had) = had.get_mut(digit.axis as usize) else {
                    return refuse("must name axes of the mesh");
                };
                if digit.reflected && !(dimension.ring && size > 1 && factor % 2 == 0) {
                    return refuse("must reflect parts of rings only, an even number of times");
                }
                // Factors of a machine's dimensions: no product that fits one overflows.
                *had = had.saturating_mul(u64::from(factor));
                size = size.saturating_mul(u64::from(factor));
            }
            if size != u64::from(dimension.size) {
                return refuse("must cut each dimension into factors of its size");
            }
        }
        if had
            .iter()
            .zip(sizes)
            .any(|(&had, &size)| had != u64::from(size))
        {
            return refuse("must give each axis of the mesh its size");
        }
        Ok(())
    }

    /// Whether some part of a ring is reflected.
    pub fn is_reflected(&self) -> bool {
        self.0.iter().flatten().any(|digit| digit.reflected)
    }

    /// What an axis has of each dimension.
    pub fn place(&self, axis: usize) -> Place {
        self.0.iter().map(|cut| steps(cut, axis as u32)).collect()
    }

    /// Chips between the first and each other coordinate of an axis, where nothing is reflected.
    pub fn offsets(&self, machine: &Machine, dimensions: &[Dimension], axis: usize) -> Vec<u32> {
        let chips = machine.domain().chips();
        let mut found = vec![0];
        for (dimension, steps) in dimensions.iter().zip(self.place(axis)) {
            let unit = dimension.step * if dimension.inside { 1 } else { chips };
            for step in steps {
                let more = |at: u32| {
                    found
                        .iter()
                        .map(move |before| before + at * unit * step.step)
                };
                found = (0..step.factor).flat_map(more).collect();
            }
        }
        found
    }

    /// The chip at each place of a mesh of axes of `sizes`, the last one fastest.
    ///
    /// # Errors
    /// [`Error::Memory`] for more chips than fit.
    pub fn chips(&self, machine: &Machine, sizes: &[u32]) -> Result<Vec<u32>> {
        let total = machine.num_chips();
        let what = format_args!("the chips of a mesh of {total}");
        let each = bytes_of::<[u32; 3]>(u64::from(total));
        memory::check(each, what, "use a smaller machine")?;
        let mut strides = vec![1; sizes.len()];
        for axis in (1..sizes.len()).rev() {
            strides[axis - 1] = strides[axis] * sizes[axis];
        }
        // Dimensions count chips, the fastest first, and each adds to the place in the mesh.
        let mut places = vec![0];
        for cut in &self.0 {
            let along = contributions(cut, &mut strides);
            let more = |ahead: &u32| {
                let ahead = *ahead;
                places.iter().map(move |place| place + ahead)
            };
            places = along.iter().flat_map(more).collect();
        }
        let mut chips = vec![0; places.len()];
        for (chip, place) in (0..).zip(places) {
            chips[place as usize] = chip;
        }
        Ok(chips)
    }
}

/// All groups of an axis that has this place.
///
/// # Errors
/// [`Error::Unsupported`] for domains over which collectives do not run.
pub fn groups(machine: &Machine, dimensions: &[Dimension], place: &Place) -> Result<Groups> {
    Groups::reckon_lists(machine)?;
    let table = |inside: bool| -> Vec<Vec<u32>> {
        let mut found = vec![vec![0]];
        for (dimension, steps) in dimensions.iter().zip(place) {
            // Groups on a part of a machine use no dimension above it.
            let there = inside || dimension.step < machine.num_domains();
            if dimension.inside == inside && there {
                found = crossed(&found, dimension, steps);
            }
        }
        found
    };
    Groups::grid(machine, table(true), table(false))
}

/// Groups over the dimensions so far, with each group along one more.
fn crossed(so_far: &[Vec<u32>], dimension: &Dimension, steps: &[Step]) -> Vec<Vec<u32>> {
    let lines = lines(dimension.size, steps);
    let both = |line: &[u32], group: &[u32]| -> Vec<u32> {
        let at = |position: &u32| {
            let ahead = dimension.step * position;
            group.iter().map(move |chip| chip + ahead)
        };
        line.iter().flat_map(at).collect()
    };
    lines
        .iter()
        .flat_map(|line| so_far.iter().map(move |group| both(line, group)))
        .collect()
}
