//! Bounds from the links of one domain.

use super::input::{BoundInput, LowerBounds};
use crate::collective::ask::group::Groups;
use crate::collective::pattern::context::Context;
use crate::machine::{Axis, AxisKind, Domain, Machine};
use crate::operation::Operation;

/// Bandwidth of the links that a chip has along an axis: one at the end of a line, where it may be.
fn axis_ports(axis: &Axis, at_end: bool) -> f64 {
    match axis.kind {
        AxisKind::Line if axis.size > 1 && at_end => axis.bandwidth,
        _ => axis.injection(),
    }
}

/// Smallest and largest bandwidth, one way, of a chip's links inside a domain.
fn chip_ports(axes: &[Axis]) -> (f64, f64) {
    let all = |at_end| axes.iter().map(|axis| axis_ports(axis, at_end)).sum();
    (all(true), all(false))
}

/// The same of one chip.
fn own_ports(domain: &Domain, chip: u32) -> f64 {
    let own = |(number, axis): (usize, &Axis)| {
        let at = domain.coordinate(chip, number);
        axis_ports(axis, at == 0 || at + 1 == axis.size)
    };
    domain.axes().iter().enumerate().map(own).sum()
}

/// Bandwidth of the links inside a domain of the poorest root of any group, and of the poorest of all other ranks; of
/// the richest chip where it is not known who is the root.
fn rooted_ports(context: &Context, root: Option<usize>) -> (f64, f64) {
    let machine = context.machine;
    let domain = machine.domain();
    let lines = |axis: &Axis| matches!(axis.kind, AxisKind::Line);
    let (_, most) = chip_ports(domain.axes());
    let Some(root) = root.filter(|_| domain.axes().iter().any(lines)) else {
        return (most, most);
    };
    let (mut poorest, mut others) = (f64::INFINITY, f64::INFINITY);
    let mut note = |ports: f64, is_root: bool, is_other: bool| {
        if is_root {
            poorest = poorest.min(ports);
        }
        if is_other {
            others = others.min(ports);
        }
    };
    match context.groups {
        Groups::Grid { locals, domains } => {
            for group in locals {
                for (at, &chip) in group.iter().enumerate() {
                    let is_root = at == root % group.len();
                    let is_other = !is_root || domains[0].len() > 1;
                    note(own_ports(domain, chip), is_root, is_other);
                }
            }
        }
        Groups::Scattered(groups) => {
            for group in groups {
                for (at, &chip) in group.iter().enumerate() {
                    let ports = own_ports(domain, machine.split(chip).1);
                    note(ports, at == root, at != root);
                }
            }
        }
    }
    // A group of one rank has no other.
    (poorest, others.min(most))
}

fn spans_domains(groups: &Groups, machine: &Machine) -> bool {
    match groups {
        Groups::Grid { domains, .. } => domains[0].len() > 1,
        Groups::Scattered(groups) => groups.iter().any(|group| {
            group
                .iter()
                .any(|&chip| machine.split(chip).0 != machine.split(group[0]).0)
        }),
    }
}

/// Bytes/s that a chip sends, or receives, at most.
pub(super) fn most_ports(context: &Context) -> f64 {
    let (_, most) = chip_ports(context.machine.domain().axes());
    match spans_domains(context.groups, context.machine) {
        true => most + context.machine.nic().map_or(0.0, |nic| nic.bandwidth),
        false => most,
    }
}

/// What one rank must send or receive over all its links.
pub(super) fn injection(
    context: &Context,
    input: &BoundInput,
    root: Option<usize>,
    found: &mut LowerBounds,
) {
    let (mut of_root, mut of_others) = rooted_ports(context, root);
    let (mut least, mut most) = chip_ports(context.machine.domain().axes());
    if spans_domains(context.groups, context.machine) {
        let nic = context.machine.nic().map_or(0.0, |nic| nic.bandwidth);
        for ports in [&mut least, &mut most, &mut of_root, &mut of_others] {
            *ports += nic;
        }
    }
    // Where the root is dead, its substitute may have parts of other ranks already.
    let roles = context
        .damaged
        .as_ref()
        .map_or(1, |damaged| damaged.most_roles());
    for root in [None, Some(true), Some(false)] {
        let inside = match root {
            Some(true) if input.operation.is_rooted() => f64::from(roles),
            _ => 1.0,
        };
        let (out, into) = input.crossing(inside, root);
        // A rank at the end of a line has fewer links. Where every rank does the same and all chips are ranks, the
        // poorest is one.
        let ports = match root {
            Some(true) if input.operation.is_rooted() => of_root,
            _ if input.operation.is_rooted() => of_others,
            _ if matches!(context.groups, Groups::Scattered(_)) => most,
            _ if covers_domains(context) => least,
            _ => most,
        };
        found.note("injection", f64::max(out, into) / ports);
    }
    // A substitute reduces for two: only chips that work are parts, however the dead ones are spread over groups.
    let dead = context
        .damaged
        .as_ref()
        .map_or(0, |damaged| damaged.dead_chips());
    let live = (input.ranks - dead as f64).max(1.0);
    found.note("injection", input.partition(live) / (live * most));
}

/// True when every chip of a domain is a member, so the poorest-connected one is too.
fn covers_domains(context: &Context) -> bool {
    context.members().count() as u32 == context.machine.domain().chips()
}

/// Cuts and partitions of a group that is one whole domain.
pub(super) fn axes(context: &Context, input: &BoundInput, found: &mut LowerBounds) {
    let domain = context.machine.domain();
    let (all, chips) = (domain.axes(), f64::from(domain.chips()));
    // A switch that spans lower axes carries their traffic too; such axes are only counted together.
    let spanning = all.iter().rposition(|axis| {
        matches!(
            axis.kind,
            AxisKind::Switch {
                spans_below: true,
                ..
            }
        )
    });
    let units: Vec<Vec<usize>> = match spanning {
        Some(top) => std::iter::once((0..=top).collect())
            .chain((top + 1..all.len()).map(|axis| vec![axis]))
            .collect(),
        None => (0..all.len()).map(|axis| vec![axis]).collect(),
    };
    // Of all sets of axes the tightest counts.
    let mut tightest = (0.0, 0u32);
    let members = |set: u32| {
        let chosen = (0..units.len()).filter(move |unit| set >> unit & 1 == 1);
        chosen.flat_map(|unit| units[unit].iter().copied())
    };
    for set in 1u32..1 << units.len() {
        let parts: f64 = members(set).map(|axis| f64::from(all[axis].size)).product();
        let capacity: f64 = members(set)
            .map(|axis| axis_capacity(&all[axis], chips))
            .sum();
        // For one-way operations all parts together must receive (t - 1) / t of each output.
        let bytes = match input.operation {
            Operation::ReduceScatter | Operation::AllGather => input.size * (parts - 1.0),
            _ => input.partition(parts),
        };
        if bytes / capacity > tightest.0 {
            tightest = (bytes / capacity, set);
        }
    }
    let names: Vec<&str> = members(tightest.1)
        .map(|axis| all[axis].name.as_str())
        .collect();
    found.note(format!("all links of {}", names.join(", ")), tightest.0);
    for unit in units.iter().filter(|unit| unit.len() == 1) {
        cuts(&all[unit[0]], chips, input, found);
    }
}

/// Cuts across one axis, of one position or half of them, in a domain of `chips`.
fn cuts(axis: &Axis, chips: f64, input: &BoundInput, found: &mut LowerBounds) {
    let lines = chips / f64::from(axis.size);
    for inside in [1, axis.size / 2] {
        let boundary = match axis.kind {
            _ if inside == 0 || inside >= axis.size => continue,
            AxisKind::Ring => 2.0,
            AxisKind::Line => 1.0,
            AxisKind::FullMesh => f64::from(inside) * f64::from(axis.size - inside),
            AxisKind::Switch { .. } => f64::from(inside),
        };
        let (out, into) = input.crossing(f64::from(inside) * lines, None);
        let name = format!("cut across {}", axis.name);
        let seconds = f64::max(out, into) / (boundary * lines * axis.bandwidth);
        found.note(name, seconds);
    }
}

/// Bytes/s of all links of an axis in a domain of `chips`, one direction of travel each.
fn axis_capacity(axis: &Axis, chips: f64) -> f64 {
    match axis.kind {
        AxisKind::Line => {
            2.0 * chips / f64::from(axis.size) * f64::from(axis.size - 1) * axis.bandwidth
        }
        _ => chips * axis.injection(),
    }
}
