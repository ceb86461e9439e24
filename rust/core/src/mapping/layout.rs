//! One way to lay a mesh over the dimensions of a machine, and who its groups are.

use super::dimension::Dimension;
use crate::collective::Groups;
use crate::machine::Machine;
use crate::{Error, Result};

/// How one dimension is cut: (number of a mesh axis, factor), the fastest digit first.
pub type Cut = Vec<(u32, u32)>;

/// What one mesh axis has of each dimension: (step inside it, factor), the fastest digit first.
pub type Place = Vec<Vec<(u32, u32)>>;

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
                cut.push((*axis, factor));
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
            for &(axis, factor) in cut {
                let Some(had) = had.get_mut(axis as usize) else {
                    return refuse("must name axes of the mesh");
                };
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

    /// What an axis has of each dimension.
    pub fn place(&self, axis: usize) -> Place {
        self.0.iter().map(|cut| digits(cut, axis as u32)).collect()
    }

    /// Chips between the first and each other coordinate of an axis.
    pub fn offsets(&self, machine: &Machine, dimensions: &[Dimension], axis: usize) -> Vec<u32> {
        let chips = machine.domain().chips();
        let mut strides = Vec::new();
        for (dimension, digits) in dimensions.iter().zip(self.place(axis)) {
            let unit = dimension.step * if dimension.inside { 1 } else { chips };
            strides.extend(digits.iter().map(|&(step, factor)| (unit * step, factor)));
        }
        combined(&strides)
    }
}

/// The digits of a cut that an axis has: (step, factor).
pub(super) fn digits(cut: &[(u32, u32)], axis: u32) -> Vec<(u32, u32)> {
    let mut step = 1;
    let mut found = Vec::new();
    for &(other, factor) in cut {
        if other == axis {
            found.push((step, factor));
        }
        step *= factor;
    }
    found
}

/// All groups of an axis that has this place.
///
/// # Errors
/// [`Error::Unsupported`] for domains over which collectives do not run.
pub fn groups(machine: &Machine, dimensions: &[Dimension], place: &Place) -> Result<Groups> {
    Groups::reckon_lists(machine)?;
    let table = |inside: bool, count: u32| -> Vec<Vec<u32>> {
        let mut strides = Vec::new();
        for (dimension, digits) in dimensions.iter().zip(place) {
            if dimension.inside == inside {
                strides.extend(
                    digits
                        .iter()
                        .map(|&(step, factor)| (dimension.step * step, factor)),
                );
            }
        }
        let members = combined(&strides);
        let first = |&number: &u32| {
            let mut digits = strides.iter();
            digits.all(|&(stride, factor)| number / stride % factor == 0)
        };
        (0..count)
            .filter(first)
            .map(|first| members.iter().map(|member| first + member).collect())
            .collect()
    };
    let locals = table(true, machine.domain().chips());
    let domains = table(false, machine.num_domains());
    Groups::grid(machine, locals, domains)
}

/// Sums of multiples of strides, the first digit fastest: ascending where each stride passes those before it.
fn combined(strides: &[(u32, u32)]) -> Vec<u32> {
    let mut found = vec![0];
    for &(stride, factor) in strides {
        let more = |digit: u32| found.iter().map(move |&before| before + digit * stride);
        found = (0..factor).flat_map(more).collect();
    }
    found
}
