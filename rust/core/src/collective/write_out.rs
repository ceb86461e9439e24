//! Requests written out message by message, all of their groups.

use super::ask::group::Groups;
use super::ask::request::Request;
use super::events::together::{MOST_WRITTEN, Written, or_link_load, too_many};
use super::run::unrolled;
use crate::machine::Machine;
use crate::route::Routing;
use crate::{Control, Result};
use std::sync::Arc;

/// All messages of a request over `groups`: those of [`schedule`](crate::collective::schedule), for every group. Groups
/// that lie in the machine alike run one schedule; any other gets its own.
///
/// # Errors
/// Those of [`schedule`](crate::collective::schedule), and [`Error::Unsupported`](crate::Error) for too many messages.
pub fn write_out(
    machine: &Machine,
    groups: &Groups,
    routing: &Routing,
    request: &Request,
    control: &Control,
) -> Result<Vec<Written>> {
    let mut shapes: Vec<(Vec<i64>, Written)> = Vec::new();
    for group in 0..groups.count() {
        control.check()?;
        let shape = shape(machine, groups, group);
        if let Some((_, written)) = shapes.iter_mut().find(|(other, _)| *other == shape) {
            written.groups.push(groups.members(machine, group));
            continue;
        }
        let first = first_of(groups, group);
        let (algorithm, schedule, pipeline) =
            unrolled(machine, &first, routing, request, control).map_err(or_link_load)?;
        let written = Written {
            algorithm,
            groups: vec![schedule.chips.clone()],
            schedule: Arc::new(schedule),
            pipeline,
        };
        if written.schedule.sends.len().saturating_mul(groups.count()) > MOST_WRITTEN {
            return Err(too_many(written.schedule.sends.len() * groups.count()));
        }
        shapes.push((shape, written));
    }
    Ok(shapes.into_iter().map(|(_, written)| written).collect())
}

/// The same groups with one of them in front, which is the one that is written out.
fn first_of(groups: &Groups, group: usize) -> Groups {
    let mut groups = groups.clone();
    match &mut groups {
        Groups::Grid { locals, domains } => {
            let (local, domain) = (group % locals.len(), group / locals.len());
            locals.swap(0, local);
            domains.swap(0, domain);
        }
        Groups::Scattered(listed) => listed.swap(0, group),
    }
    groups
}

/// What tells groups apart that an algorithm may run in different ways: where their chips are as seen from the first,
/// and how many of their domains each site has.
fn shape(machine: &Machine, groups: &Groups, group: usize) -> Vec<i64> {
    let domain = machine.domain();
    let from_first = |locals: &[u32]| -> Vec<i64> {
        let axes = 0..domain.axes().len();
        axes.flat_map(|axis| {
            let place = move |local: u32| i64::from(domain.coordinate(local, axis));
            locals
                .iter()
                .map(move |&local| place(local) - place(locals[0]))
        })
        .collect()
    };
    match groups {
        Groups::Grid { locals, domains } => {
            let mut shape = from_first(&locals[group % locals.len()]);
            let set = &domains[group / locals.len()];
            let of_sites = set.chunk_by(|&a, &b| machine.site_of(a) == machine.site_of(b));
            shape.extend(of_sites.map(|part| part.len() as i64));
            shape
        }
        // Lists are run in the order of their ranks, wherever the chips are.
        Groups::Scattered(_) => Vec::new(),
    }
}
