//! Which chips act together: the axes of a layout as digits of chip numbers.

use super::layout::Layout;
use super::order::Dense;
use crate::collective::Groups;
use crate::error::{Error, Result};
use std::sync::Arc;

/// Chips that act together, all groups of them at once.
#[derive(Debug, Clone, PartialEq)]
pub enum Axis {
    /// Chips so many apart.
    Digit {
        /// Members of a group.
        size: u32,
        /// Chips between neighbours.
        stride: u32,
    },
    /// Groups by name.
    Listed(Arc<Groups>),
}

impl Axis {
    /// Members of a group.
    pub fn size(&self) -> u32 {
        match self {
            Self::Digit { size, .. } => *size,
            Self::Listed(groups) => groups.ranks() as u32,
        }
    }
}

/// The axes of a layout.
#[derive(Debug, Clone, PartialEq)]
pub struct Axes {
    /// Ranks that share matrices.
    pub tp: Axis,
    /// Ranks that share a sequence.
    pub cp: Axis,
    /// Stages.
    pub pp: Axis,
    /// Replicas of dense parts, with ranks that share a sequence; and in pieces of it that share numbers, with the
    /// replicas of those.
    pub replicas: Axis,
    /// Those of them that share one copy of what is sharded.
    pub shard: Axis,
    /// Ranks that hold the same part of it.
    pub copies: Axis,
    /// Ranks that share the experts of a layer.
    pub ep: Axis,
    /// Ranks that share an expert's matrices.
    pub etp: Axis,
    /// Replicas of an expert.
    pub expert_replicas: Axis,
    /// Islands.
    pub islands: Axis,
}

impl Axes {
    /// The names of axes of this size and stride.
    pub fn names(&self, axis: &Axis) -> Vec<&'static str> {
        let named = [
            ("tp", &self.tp),
            ("cp", &self.cp),
            ("pp", &self.pp),
            ("dp", &self.shard),
            ("copies", &self.copies),
            ("ep", &self.ep),
            ("etp", &self.etp),
            ("expert_dp", &self.expert_replicas),
            ("islands", &self.islands),
        ];
        let same = named.into_iter().filter(|(_, other)| *other == axis);
        same.map(|(name, _)| name).collect()
    }

    /// The axes of a layout that is [checked](super::plan::Plan), for a model with experts or without.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for an order in which groups are no digits.
    pub fn of(layout: &Layout, experts: bool) -> Result<Self> {
        let size = |axis: Dense| match axis {
            Dense::Tp => layout.tp,
            Dense::Cp => layout.cp,
            Dense::Dp => layout.dp,
            Dense::Pp => layout.pp,
        };
        let order = &layout.order.0;
        let stride = |axis: Dense| -> u32 {
            let before = order.iter().take_while(|&&other| other != axis);
            before.map(|&other| size(other)).product()
        };
        let digit = |axis| Axis::Digit {
            size: size(axis),
            stride: stride(axis),
        };
        let replicas = joined(
            (layout.cp, stride(Dense::Cp)),
            (layout.dp, stride(Dense::Dp)),
        )?;
        let shard = match layout.shard {
            0 => replicas.0,
            some => some,
        };
        let (etp, ep) = (layout.etp, layout.ep);
        let expert_replicas = layout.expert_replicas();
        // The second view of the same ranks: etp, ep and replicas of experts in place of tp, cp and dp.
        let (_, pp_stride) = (layout.pp, stride(Dense::Pp));
        let pp_between = layout.pp > 1 && pp_stride < layout.tp * layout.cp * layout.dp;
        // Experts that are cut as all else is are where all else is.
        let as_all = ep == 1 && etp == layout.tp;
        if pp_between && experts && !as_all && pp_stride != etp * ep {
            return Err(Error::unsupported(
                format!(
                    "experts where stages are {pp_stride} chips apart and experts need {}",
                    etp * ep
                ),
                "use an order with pp last, or ep x etp = tp x cp",
            ));
        }
        let outer = match pp_between {
            true => etp * ep * layout.pp,
            false => etp * ep,
        };
        Ok(Self {
            tp: digit(Dense::Tp),
            cp: digit(Dense::Cp),
            pp: digit(Dense::Pp),
            replicas: Axis::Digit {
                size: replicas.0,
                stride: replicas.1,
            },
            shard: Axis::Digit {
                size: shard,
                stride: replicas.1,
            },
            copies: Axis::Digit {
                size: replicas.0 / shard,
                stride: replicas.1 * shard,
            },
            ep: Axis::Digit {
                size: ep,
                stride: etp,
            },
            etp: match as_all {
                true => digit(Dense::Tp),
                false => Axis::Digit {
                    size: etp,
                    stride: 1,
                },
            },
            expert_replicas: match as_all {
                true => Axis::Digit {
                    size: replicas.0,
                    stride: replicas.1,
                },
                false => Axis::Digit {
                    size: expert_replicas,
                    stride: outer,
                },
            },
            islands: Axis::Digit {
                size: layout.islands,
                stride: layout.tp * layout.cp * layout.dp * layout.pp,
            },
        })
    }
}

/// Two digits as one.
fn joined(one: (u32, u32), other: (u32, u32)) -> Result<(u32, u32)> {
    let size = one.0 * other.0;
    if one.0 == 1 {
        return Ok((size, other.1));
    }
    if other.0 == 1 || other.1 == one.1 * one.0 {
        return Ok((size, one.1));
    }
    if one.1 == other.1 * other.0 {
        return Ok((size, other.1));
    }
    Err(Error::unsupported(
        "an order in which cp and dp are no neighbours",
        "name them next to each other, or use cp=1",
    ))
}
