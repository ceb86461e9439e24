//! One axis of a scale-up domain: how the chips that differ only in this coordinate are joined.

use super::fabric::Tier;
use crate::error::{Error, Result, not_negative, positive};

/// How the members of an axis are joined.
#[derive(Debug, Clone, PartialEq)]
pub enum AxisKind {
    /// Neighbours by cables, the last to the first too. Two members have two cables between them.
    Ring,
    /// Neighbours by cables, ends open.
    Line,
    /// Each member has a port (up and down) to a switch.
    Switch {
        /// The switch also joins the members of all axes below this one, so that one crossing corrects
        /// them all (the rack switch of a Trn3 UltraServer).
        spans_below: bool,
        /// Further tiers when it is not one crossbar; empty for a single switch.
        tiers: Vec<Tier>,
    },
    /// A cable between each two members.
    FullMesh,
}

/// One axis of a domain.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Name as the user sees it: "x", "y", "z", ...
    pub name: String,
    /// Number of members, at least 1.
    pub size: u32,
    /// How they are joined.
    pub kind: AxisKind,
    /// Bytes/s of one link in one direction.
    pub bandwidth: f64,
    /// Seconds that one link adds.
    pub latency: f64,
}

impl Axis {
    /// Checks the numbers of the axis.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a size of 0, a bandwidth that is not positive, a negative latency.
    pub fn validate(&self) -> Result<()> {
        if self.size == 0 {
            return Err(Error::invalid(
                format!("size of axis {}", self.name),
                self.size,
                "must be >= 1",
            ));
        }
        positive(
            format_args!("bandwidth of axis {}", self.name),
            self.bandwidth,
        )?;
        not_negative(format_args!("latency of axis {}", self.name), self.latency)?;
        Ok(())
    }

    /// True for rings and lines, whose messages pass through other chips.
    pub fn is_cabled(&self) -> bool {
        matches!(self.kind, AxisKind::Ring | AxisKind::Line)
    }

    /// Cables along one line of the axis: a ring of 1 has none.
    pub(crate) fn cables(&self) -> u32 {
        match self.kind {
            AxisKind::Ring if self.size > 1 => self.size,
            AxisKind::Line => self.size - 1,
            _ => 0,
        }
    }

    /// Bytes/s that one chip can send over this axis, all its links busy.
    pub(crate) fn injection(&self) -> f64 {
        match self.kind {
            AxisKind::Switch { .. } => self.bandwidth,
            _ if self.size == 1 => 0.0,
            AxisKind::Ring => 2.0 * self.bandwidth,
            AxisKind::Line if self.size == 2 => self.bandwidth,
            AxisKind::Line => 2.0 * self.bandwidth,
            AxisKind::FullMesh => f64::from(self.size - 1) * self.bandwidth,
        }
    }
}
