//! Lower bounds: what no schedule beats on this machine, whatever its algorithm and routes, as long as ranks
//! themselves do the reducing and only their own NICs send for them.
//!
//! Three kinds. **Cuts**: bytes that must leave or enter a set of ranks, over the bandwidth of the links around
//! it. **Partitions** (all-reduce): split into t parts, each part taken as one rank that reduces inside for free,
//! all must send 2 S (t-1) / t on average (Patarasuk and Yuan 2009). **Latency**: the way between two far ranks.
//! With several groups at once, what they need adds up.

mod damage;
mod domain;
mod fabric;
mod input;
mod latency;
mod send_recv;
mod vector;

use crate::Result;
use crate::collective::ask::group::Groups;
use crate::collective::ask::model::Model;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
pub use input::Bound;
use input::{BoundInput, LowerBounds};
use latency::Sample;
use std::collections::BTreeMap;
pub(crate) use vector::bounds_of_blocks;

/// The highest bound of each kind, the highest first.
pub(crate) fn bounds(context: &Context, request: &Request) -> Result<Vec<Bound>> {
    bounds_where(context, request, false, (MANY, &mut None))
}

/// The same for schedules in which switches add up what passes them: partitions do not bound those.
pub(crate) fn bounds_in_switch(context: &Context, request: &Request) -> Result<Vec<Bound>> {
    bounds_where(context, request, true, (MANY, &mut None))
}

/// One of these; the bound from distance is the same for every size, and remembered.
pub(crate) fn bounds_of_size(
    context: &Context,
    request: &Request,
    in_switch: bool,
    latency: &mut Option<f64>,
) -> Result<Vec<Bound>> {
    bounds_where(context, request, in_switch, (MANY, latency))
}

/// The highest bound, with a look at few of the ranks; `across`, only at ranks of different domains: then it also
/// holds for groups of as many ranks in the same domains, wherever in these they are.
pub(crate) fn highest(context: &Context, request: &Request, across: bool) -> Result<f64> {
    let sample = Sample { across, ..FEW };
    let bounds = bounds_where(context, request, false, (sample, &mut None))?;
    Ok(bounds.first().map_or(0.0, |highest| highest.seconds))
}

const MANY: Sample = Sample {
    groups: 64,
    peers: 4096,
    across: false,
};
const FEW: Sample = Sample {
    groups: 2,
    peers: 32,
    across: false,
};

fn bounds_where(
    context: &Context,
    request: &Request,
    in_switch: bool,
    (sample, known): (Sample, &mut Option<f64>),
) -> Result<Vec<Bound>> {
    let mut found = LowerBounds(Vec::new());
    let input = BoundInput {
        operation: request.operation,
        size: request.size,
        ranks: context.groups.ranks() as f64,
        in_switch,
    };
    let latency = match *known {
        Some(latency) => latency,
        None => *known.insert(latency::latency(context, request, sample)?),
    };
    found.note("latency", latency);
    // Without contention links carry any number of messages at once, and only distance bounds the time.
    if request.model != Model::AlphaBeta {
        // Where ranks may be any of their domains, the root may be anywhere.
        let root = (!sample.across).then_some(request.root);
        bytes(context, request, &input, root, &mut found)?;
    }
    Ok(named(found))
}

/// The highest of each name, the highest first.
fn named(found: LowerBounds) -> Vec<Bound> {
    let mut named: BTreeMap<String, f64> = BTreeMap::new();
    for bound in found.0 {
        let highest = named.entry(bound.name).or_insert(0.0);
        *highest = highest.max(bound.seconds);
    }
    let mut named: Vec<Bound> = named
        .into_iter()
        .map(|(name, seconds)| Bound { name, seconds })
        .collect();
    named.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    named
}

/// Bounds from the bytes that must pass links.
fn bytes(
    context: &Context,
    request: &Request,
    input: &BoundInput,
    root: Option<usize>,
    found: &mut LowerBounds,
) -> Result<()> {
    damage::damaged(context, input, request.root, found)?;
    if !damage::moves_ranks(context) {
        domain::injection(context, input, root, found);
    }
    match context.groups {
        Groups::Grid { locals, domains } if domains[0].len() == 1 => {
            if damage::moves_ranks(context) {
                return Ok(());
            }
            if locals[0].len() as u32 == context.machine.domain().chips() {
                domain::axes(context, input, found);
            }
        }
        Groups::Grid { locals, domains } => {
            fabric::across(context, input, request, locals, domains, found)?;
        }
        Groups::Scattered(_) if damage::moves_ranks(context) => {}
        Groups::Scattered(groups) => fabric::scattered(context, input, request, groups, found)?,
    }
    Ok(())
}
