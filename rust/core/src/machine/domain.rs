//! A scale-up domain: a product of axes, its coordinates and its local link numbers.

use super::axis::{Axis, AxisKind};
use super::divisor::Divisor;
use super::fabric::{tier_links, validate_tiers};
use crate::error::{Error, Result};

/// Most axes of a domain; routes keep one coordinate per axis on the stack.
pub const MAX_AXES: usize = 16;

/// Most chips of a machine: chip numbers are 32 bits.
pub const MAX_CHIPS: u64 = u32::MAX as u64;

/// What a domain knows of one axis beside its definition: derived once, never stored per chip.
#[derive(Debug, Clone, PartialEq)]
pub struct AxisPlan {
    /// Chips between two neighbours along this axis.
    pub stride: u32,
    /// First local link number of the axis.
    pub first_link: u64,
    /// Links of the axis in one domain.
    pub links: u64,
    pub(crate) by_stride: Divisor,
    pub(crate) by_size: Divisor,
}

/// A product of axes. Chips inside are numbered with axis 0 fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Domain {
    axes: Vec<Axis>,
    plans: Vec<AxisPlan>,
    chips: u32,
    links: u64,
}

impl Domain {
    /// Builds a domain of the given axes.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no axes, more than [`MAX_AXES`], a bad axis, more than 2^32 - 1 chips.
    pub fn new(axes: Vec<Axis>) -> Result<Self> {
        if axes.is_empty() || axes.len() > MAX_AXES {
            return Err(Error::invalid(
                "axes",
                axes.len(),
                format!("a domain has 1 to {MAX_AXES} axes"),
            ));
        }
        let mut plans = Vec::with_capacity(axes.len());
        let mut chips: u64 = 1;
        for axis in &axes {
            axis.validate()?;
            if let AxisKind::Switch { tiers, .. } = &axis.kind {
                validate_tiers(tiers)?;
            }
            plans.push(AxisPlan {
                stride: chips as u32,
                first_link: 0,
                links: 0,
                by_stride: Divisor::new(chips as u32),
                by_size: Divisor::new(axis.size),
            });
            chips *= u64::from(axis.size);
            if chips > MAX_CHIPS {
                return Err(Error::invalid(
                    "shape",
                    chips,
                    format!("a machine has at most {MAX_CHIPS} chips"),
                ));
            }
        }
        let chips = chips as u32;
        let mut links = 0;
        for (axis, plan) in axes.iter().zip(&mut plans) {
            plan.first_link = links;
            plan.links = axis_links(axis, plan.stride, chips);
            links += plan.links;
        }
        Ok(Self {
            axes,
            plans,
            chips,
            links,
        })
    }

    /// The axes, fastest first.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// Derived numbers of each axis.
    pub fn plans(&self) -> &[AxisPlan] {
        &self.plans
    }

    /// Chips in the domain.
    pub fn chips(&self) -> u32 {
        self.chips
    }

    /// Directed links in the domain.
    pub fn links(&self) -> u64 {
        self.links
    }

    /// Coordinate of a local chip (or of a chip number of the whole machine) along `axis`.
    #[inline(always)]
    pub fn coordinate(&self, chip: u32, axis: usize) -> u32 {
        let plan = &self.plans[axis];
        let (above, _) = plan.by_stride.div_rem(chip);
        plan.by_size.div_rem(above).1
    }

    /// Which line of `axis` a local chip lies on: its other coordinates, fastest first.
    pub fn line(&self, chip: u32, axis: usize) -> u32 {
        let (stride, size) = (self.plans[axis].stride, self.axes[axis].size);
        chip / (stride * size) * stride + chip % stride
    }

    /// Local link number of a cable's direction: `cable` c joins positions c and c+1 (mod size) of the line
    /// that `chip` lies on; `backward` is the direction c+1 to c.
    pub fn cable_link(&self, axis: usize, backward: bool, chip: u32, cable: u32) -> u64 {
        let (plan, cables) = (&self.plans[axis], self.axes[axis].cables());
        let block = plan.stride * self.axes[axis].size;
        let in_direction = u64::from(chip / block * cables + cable) * u64::from(plan.stride)
            + u64::from(chip % plan.stride);
        plan.first_link + u64::from(backward) * (plan.links / 2) + in_direction
    }

    /// Local link number of the cable of a full mesh from position `from` to `to` on the line of `chip`.
    pub fn mesh_link(&self, axis: usize, chip: u32, from: u32, to: u32) -> u64 {
        let size = u64::from(self.axes[axis].size);
        let slot = u64::from(if to > from { to - 1 } else { to });
        self.plans[axis].first_link
            + u64::from(self.line(chip, axis)) * size * (size - 1)
            + u64::from(from) * (size - 1)
            + slot
    }

    /// Local link number of a chip's port to its switch: up (egress) or down (ingress).
    pub fn port_link(&self, axis: usize, down: bool, chip: u32) -> u64 {
        self.plans[axis].first_link + u64::from(down) * u64::from(self.chips) + u64::from(chip)
    }

    /// The switch instance of a chip and its leaf position there, and the leaves of each instance.
    pub fn switch_leaf(&self, axis: usize, chip: u32) -> (u32, u32, u32) {
        let (stride, size) = (self.plans[axis].stride, self.axes[axis].size);
        match self.axes[axis].kind {
            AxisKind::Switch {
                spans_below: true, ..
            } => {
                let leaves = stride * size;
                (chip / leaves, chip % leaves, leaves)
            }
            _ => (self.line(chip, axis), self.coordinate(chip, axis), size),
        }
    }

    /// Local link number of a tier's uplink or downlink bundle inside a switch axis.
    pub fn bundle_link(
        &self,
        axis: usize,
        instance: u32,
        leaves: u32,
        tier: usize,
        group: u32,
        down: bool,
    ) -> u64 {
        let AxisKind::Switch { tiers, .. } = &self.axes[axis].kind else {
            unreachable!("bundles exist on switch axes only")
        };
        let below = tier_links(&tiers[..tier], leaves);
        self.plans[axis].first_link
            + 2 * u64::from(self.chips)
            + u64::from(instance) * tier_links(tiers, leaves)
            + below
            + 2 * u64::from(group)
            + u64::from(down)
    }

    /// The highest axis at or above `axis` whose switch corrects `axis` too, if the two chips differ there.
    pub fn spanning_axis(&self, axis: usize, differs: impl Fn(usize) -> bool) -> Option<usize> {
        (axis + 1..self.axes.len()).rev().find(|&above| {
            matches!(
                self.axes[above].kind,
                AxisKind::Switch {
                    spans_below: true,
                    ..
                }
            ) && differs(above)
        })
    }
}

fn axis_links(axis: &Axis, stride: u32, chips: u32) -> u64 {
    let lines = u64::from(chips / axis.size);
    match &axis.kind {
        AxisKind::Ring | AxisKind::Line => 2 * lines * u64::from(axis.cables()),
        AxisKind::FullMesh => lines * u64::from(axis.size) * u64::from(axis.size - 1),
        AxisKind::Switch { spans_below, tiers } => {
            let leaves = if *spans_below {
                stride * axis.size
            } else {
                axis.size
            };
            let instances = u64::from(chips / leaves);
            2 * u64::from(chips) + instances * tier_links(tiers, leaves)
        }
    }
}
