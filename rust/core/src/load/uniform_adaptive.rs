//! Uniform traffic under minimal-adaptive routing.
//!
//! Rings and pairs look the same from each member, and both directions are alike: moving or mirroring the
//! machine changes neither traffic nor routing, so all links of an axis carry the same. Their sum is the sum
//! of the minimal hops, as it is in dimension order with split ties: so the loads are those. Longer open lines
//! have a middle, and loads depend on the other coordinates. There, all messages to one chip are passed from
//! node to node together: the next hop depends only on the hops left.

use crate::Control;
use crate::error::{Error, Result};
use crate::machine::{AxisKind, Domain};
use crate::route::cable_from;

/// Most chips of a domain whose pairs are gone through.
const MOST_CHIPS: u32 = 4096;

/// True if all links of an axis carry the same.
pub(super) fn is_symmetric(domain: &Domain) -> bool {
    let longer = domain.axes().iter().filter(|axis| axis.size > 1);
    let lines = domain
        .axes()
        .iter()
        .any(|axis| axis.kind == AxisKind::Line && axis.size > 2);
    !lines || longer.count() == 1
}

/// Adds the messages on each link of a domain whose chips send one message to each other one.
pub(super) fn add(domain: &Domain, loads: &mut [f64], control: &Control) -> Result<()> {
    if domain.chips() > MOST_CHIPS {
        return Err(Error::unsupported(
            format!(
                "uniform traffic by minimal adaptive routing on open lines in a domain of {} chips (at most \
                 {MOST_CHIPS})",
                domain.chips()
            ),
            "use dimension order (\"dor\")",
        ));
    }
    let mut by_distance: Vec<(u32, u32)> = Vec::new();
    let mut mass = Vec::new();
    for dst in 0..domain.chips() {
        control.check()?;
        by_distance.clear();
        by_distance.extend((0..domain.chips()).map(|chip| {
            let hops = (0..domain.axes().len()).map(|axis| hop(domain, axis, chip, dst).0);
            (hops.sum(), chip)
        }));
        by_distance.sort_unstable();
        mass.clear();
        mass.resize(domain.chips() as usize, 1.0);
        for &(left, chip) in by_distance.iter().rev() {
            pass_on(domain, dst, left, chip, &mut mass, loads);
        }
    }
    Ok(())
}

/// Passes what is at `chip` on to its neighbours on minimal paths.
fn pass_on(domain: &Domain, dst: u32, left: u32, chip: u32, mass: &mut [f64], loads: &mut [f64]) {
    let all = mass[chip as usize];
    for (index, (axis, plan)) in domain.axes().iter().zip(domain.plans()).enumerate() {
        let (hops, directions) = hop(domain, index, chip, dst);
        let both = directions[0] && directions[1];
        for backward in [false, true] {
            if hops == 0 || !directions[usize::from(backward)] {
                continue;
            }
            let share = f64::from(hops) / f64::from(left) * if both { 0.5 } else { 1.0 };
            let at = domain.coordinate(chip, index);
            let next = match (backward, at) {
                (false, at) if at + 1 == axis.size => 0,
                (false, at) => at + 1,
                (true, 0) => axis.size - 1,
                (true, at) => at - 1,
            };
            let next = chip - at * plan.stride + next * plan.stride;
            loads[cable_from(domain, index, backward, chip) as usize] += all * share;
            mass[next as usize] += all * share;
        }
    }
}

/// Hops left along an axis, and which directions (+, -) are minimal.
fn hop(domain: &Domain, index: usize, from: u32, to: u32) -> (u32, [bool; 2]) {
    let axis = &domain.axes()[index];
    let (from, to) = (domain.coordinate(from, index), domain.coordinate(to, index));
    if axis.kind == AxisKind::Line {
        return (from.abs_diff(to), [from < to, from > to]);
    }
    let ahead = if to >= from {
        to - from
    } else {
        axis.size - (from - to)
    };
    let behind = axis.size - ahead;
    (ahead.min(behind), [ahead <= behind, behind <= ahead])
}
