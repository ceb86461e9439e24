//! Dimension order: which axis comes first, and which way round a ring a message goes at half its size.

use crate::error::{Error, Result};
use crate::machine::MAX_AXES;

/// Which way round an even ring a message goes whose target is at half its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TieRule {
    /// Half of it each way.
    #[default]
    Split,
    /// Towards higher coordinates.
    Positive,
    /// Towards lower coordinates.
    Negative,
    /// As `SimGrid` 3.32: towards higher coordinates, but towards lower ones from coordinate size / 2.
    Simgrid,
    /// Towards higher coordinates from even ones, towards lower from odd ones.
    Parity,
    /// Never over the cable that closes the ring: towards higher coordinates from the lower half.
    Dateline,
}

/// Dimension-order routing: axes are corrected one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct DimensionOrder {
    /// What happens at half of an even ring.
    pub tie: TieRule,
    /// Axis numbers, first one first: a permutation of all axes of the domain. `None` is 0, 1, 2, ...
    pub order: Option<Vec<usize>>,
}

/// A dimension order that fits a machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AxisOrder {
    pub(crate) tie: TieRule,
    axes: [u8; MAX_AXES],
    len: usize,
}

impl AxisOrder {
    /// Axis numbers, first one first.
    pub(crate) fn axes(&self) -> impl Iterator<Item = usize> + '_ {
        self.axes[..self.len].iter().map(|&axis| usize::from(axis))
    }
}

impl DimensionOrder {
    pub(crate) fn resolve(&self, axes: usize) -> Result<AxisOrder> {
        let mut resolved = AxisOrder {
            tie: self.tie,
            axes: std::array::from_fn(|axis| axis as u8),
            len: axes,
        };
        let Some(order) = &self.order else {
            return Ok(resolved);
        };
        let mut seen = [false; MAX_AXES];
        for (slot, &axis) in resolved.axes.iter_mut().zip(order) {
            if axis < axes {
                seen[axis] = true;
                *slot = axis as u8;
            }
        }
        if order.len() == axes && seen[..axes].iter().all(|&seen| seen) {
            Ok(resolved)
        } else {
            Err(Error::invalid(
                "order",
                format!("{order:?}"),
                format!("must name each of the axes 0 to {} once", axes - 1),
            ))
        }
    }
}
