//! Loads under Valiant routing, from what each chip sends and receives inside its domain.

use crate::Control;
use crate::error::{Error, Result};
use crate::machine::{AxisKind, Domain};
use crate::route::axis_segment;

/// Longest axis: each chip's share is spread over all cables of its line.
const LONGEST: u32 = 4096;

/// Cables visited between two checks for cancellation.
const STRETCH: u64 = 1 << 18;

/// Refuses axes on which the pass would take too long.
pub(super) fn check(domain: &Domain) -> Result<()> {
    match domain.axes().iter().find(|axis| axis.size > LONGEST) {
        None => Ok(()),
        Some(axis) => Err(Error::unsupported(
            format!(
                "Valiant loads over axis {} of {} chips (at most {LONGEST})",
                axis.name, axis.size
            ),
            "use dimension order (\"dor\")",
        )),
    }
}

/// Adds the loads of both legs for `out` bytes sent and `into` bytes received by each chip; chips of whole
/// domains, `loads` from link 0.
pub(super) fn two_legs(
    domain: &Domain,
    out: &[f64],
    into: &[f64],
    loads: &mut [f64],
    control: &Control,
) -> Result<()> {
    let axes = domain.axes().len();
    let mut mass = out.to_vec();
    for axis in 0..axes {
        add_segment(domain, axis, true, &mass, loads, control)?;
        average(domain, axis, &mut mass, control)?;
    }
    mass.copy_from_slice(into);
    for axis in (0..axes).rev() {
        add_segment(domain, axis, false, &mass, loads, control)?;
        average(domain, axis, &mut mass, control)?;
    }
    Ok(())
}

fn add_segment(
    domain: &Domain,
    index: usize,
    outward: bool,
    mass: &[f64],
    loads: &mut [f64],
    control: &Control,
) -> Result<()> {
    let (axis, plan) = (&domain.axes()[index], &domain.plans()[index]);
    if !matches!(axis.kind, AxisKind::Ring | AxisKind::Line) || axis.size == 1 {
        return Ok(());
    }
    let stride = u64::from(plan.stride);
    let mut visits = 0;
    for (chip, &mass) in mass.iter().enumerate() {
        if mass == 0.0 {
            continue;
        }
        visits += u64::from(axis.size);
        if visits >= STRETCH {
            visits = 0;
            control.check()?;
        }
        let local = chip as u32 % domain.chips();
        let first = u64::from(chip as u32 / domain.chips()) * domain.links();
        let lines = [false, true].map(|back| first + domain.cable_link(index, back, local, 0));
        let at = domain.coordinate(local, index);
        axis_segment(axis, at, outward, |backward, cable, share| {
            let link = lines[usize::from(backward)] + u64::from(cable) * stride;
            loads[link as usize] += mass * share;
            Ok(())
        })?;
    }
    Ok(())
}

/// Replaces the mass of each chip by the mean over its line.
fn average(domain: &Domain, axis: usize, mass: &mut [f64], control: &Control) -> Result<()> {
    let (size, stride) = (
        domain.axes()[axis].size as usize,
        domain.plans()[axis].stride as usize,
    );
    let mut sums = vec![0.0; stride];
    for block in mass.chunks_mut(size * stride) {
        control.check()?;
        sums.fill(0.0);
        for row in block.chunks(stride) {
            sums.iter_mut()
                .zip(row)
                .for_each(|(sum, &mass)| *sum += mass);
        }
        sums.iter_mut().for_each(|sum| *sum /= size as f64);
        for row in block.chunks_mut(stride) {
            row.copy_from_slice(&sums);
        }
    }
    Ok(())
}
