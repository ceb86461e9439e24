//! Valiant routing: by way of a chip chosen uniformly from the domain, in expectation.
//!
//! On the first leg, when axis a is corrected, the axes before it are uniform already and the later ones are
//! the source's; along axis a the message goes from the source's coordinate to a uniform one. On the second
//! leg the axes before a are the target's, the later ones uniform, and the message goes from a uniform
//! coordinate to the target's. So each leg is one pattern along a line, on many lines.

use crate::error::Result;
use crate::machine::{Axis, AxisKind, Domain};

/// Expected shares on the cables of one line between position `at` and a uniform position: from `at` if
/// `outward`, else to it. Visits (backward, cable, share).
pub(crate) fn axis_segment(
    axis: &Axis,
    at: u32,
    outward: bool,
    mut visit: impl FnMut(bool, u32, f64) -> Result<()>,
) -> Result<()> {
    let size = axis.size;
    let part = 1.0 / f64::from(size);
    if let AxisKind::Line = axis.kind {
        for cable in 0..size - 1 {
            // A cable with `at` at or below it is passed upwards by what goes to the positions above it.
            let above = at <= cable;
            let others = if above { size - 1 - cable } else { cable + 1 };
            visit(above != outward, cable, f64::from(others) * part)?;
        }
        return Ok(());
    }
    // The j-th cable from `at` is passed by what goes further than j, half of that at the far end of an
    // even ring.
    for away in 0..size / 2 {
        let further = f64::from((size - 1) / 2 - away);
        let tie = if size % 2 == 0 { 0.5 } else { 0.0 };
        let share = (further + tie) * part;
        let up = (u64::from(at) + u64::from(away)) % u64::from(size);
        let down = (u64::from(at) + u64::from(size - 1 - away)) % u64::from(size);
        visit(!outward, up as u32, share)?;
        visit(outward, down as u32, share)?;
    }
    Ok(())
}

/// Calls `visit` with local links of a domain of rings and lines and the expected share on each; a link may
/// be visited twice. Stops at the first error of `visit`.
pub(super) fn detour(
    domain: &Domain,
    src: u32,
    dst: u32,
    mut visit: impl FnMut(u64, f64) -> Result<()>,
) -> Result<()> {
    if src == dst {
        return Ok(());
    }
    for (index, (axis, plan)) in domain.axes().iter().zip(domain.plans()).enumerate() {
        if axis.size == 1 {
            continue;
        }
        let (stride, block) = (plan.stride, plan.stride * axis.size);
        let part = 1.0 / f64::from(stride);
        axis_segment(
            axis,
            domain.coordinate(src, index),
            true,
            |backward, cable, share| {
                for inner in 0..stride {
                    let chip = src / stride * stride + inner;
                    visit(
                        domain.cable_link(index, backward, chip, cable),
                        share * part,
                    )?;
                }
                Ok(())
            },
        )?;
        let outer = domain.chips() / block;
        let part = 1.0 / f64::from(outer);
        axis_segment(
            axis,
            domain.coordinate(dst, index),
            false,
            |backward, cable, share| {
                for line in 0..outer {
                    let chip = line * block + dst % stride;
                    visit(
                        domain.cable_link(index, backward, chip, cable),
                        share * part,
                    )?;
                }
                Ok(())
            },
        )?;
    }
    Ok(())
}
