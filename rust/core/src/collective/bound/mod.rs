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
mod latency;

use super::context::Context;
use super::group::Groups;
use super::model::Model;
use super::operation::Operation;
use super::outcome::Bound;
use super::request::Request;
use crate::Result;
use std::collections::BTreeMap;

/// The highest bound of each kind, the highest first.
pub(crate) fn bounds(context: &Context, request: &Request) -> Result<Vec<Bound>> {
    bounds_where(context, request, false)
}

/// The same for schedules in which switches add up what passes them: partitions do not bound those.
pub(crate) fn bounds_in_switch(context: &Context, request: &Request) -> Result<Vec<Bound>> {
    bounds_where(context, request, true)
}

fn bounds_where(context: &Context, request: &Request, in_switch: bool) -> Result<Vec<Bound>> {
    let mut found = Found(Vec::new());
    let ask = Ask {
        operation: request.operation,
        size: request.size,
        ranks: context.groups.ranks() as f64,
        in_switch,
    };
    found.note("latency", latency::latency(context, request)?);
    // Without contention links carry any number of messages at once, and only distance bounds the time.
    if request.model != Model::AlphaBeta {
        bytes(context, request, &ask, &mut found);
    }
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
    Ok(named)
}

/// Bounds from the bytes that must pass links.
fn bytes(context: &Context, request: &Request, ask: &Ask, found: &mut Found) {
    damage::damaged(context, ask, request.root, found);
    if !damage::moves_ranks(context) {
        domain::injection(context, ask, found);
    }
    match context.groups {
        Groups::Grid { locals, domains } if domains[0].len() == 1 => {
            if damage::moves_ranks(context) {
                return;
            }
            if locals[0].len() as u32 == context.machine.domain().chips() {
                domain::axes(context, ask, found);
            }
        }
        Groups::Grid { locals, domains } => {
            fabric::across(context, ask, request, locals, domains, found);
        }
        Groups::Scattered(_) if damage::moves_ranks(context) => {}
        Groups::Scattered(groups) => fabric::scattered(context, ask, request.root, groups, found),
    }
}

struct Found(Vec<Bound>);

impl Found {
    fn note(&mut self, name: impl Into<String>, seconds: f64) {
        if seconds > 0.0 && seconds.is_finite() {
            self.0.push(Bound {
                name: name.into(),
                seconds,
            });
        }
    }
}

/// The collective as bounds see it.
struct Ask {
    operation: Operation,
    size: f64,
    ranks: f64,
    /// Whether switches may reduce.
    in_switch: bool,
}

impl Ask {
    /// Bytes that must leave and enter a set of `inside` of a group's ranks; `root` says whether the root is
    /// in the set (`None`: either way, whichever needs less).
    fn crossing(&self, inside: f64, root: Option<bool>) -> (f64, f64) {
        let (size, ranks) = (self.size, self.ranks);
        if inside <= 0.0 || inside >= ranks {
            return (0.0, 0.0);
        }
        let (here, there) = (inside / ranks, (ranks - inside) / ranks);
        match self.operation {
            Operation::AllReduce => (size, size),
            Operation::ReduceScatter => (size * there, size * here),
            Operation::AllGather => (size * here, size * there),
            Operation::AllToAll => (inside * size * there, inside * size * there),
            Operation::Broadcast => match root {
                Some(true) => (size, 0.0),
                Some(false) => (0.0, size),
                None => (0.0, 0.0),
            },
            Operation::Reduce => match root {
                Some(true) => (0.0, size),
                Some(false) => (size, 0.0),
                None => (0.0, 0.0),
            },
            Operation::Gather => match root {
                Some(true) => (0.0, size * there),
                Some(false) => (size * here, 0.0),
                None => (0.0, 0.0),
            },
            Operation::Scatter => match root {
                Some(true) => (size * there, 0.0),
                Some(false) => (0.0, size * here),
                None => (0.0, 0.0),
            },
            // Each rank sends one message; sets of ranks may keep all of theirs inside.
            Operation::SendRecv if inside == 1.0 => (size, size),
            Operation::SendRecv | Operation::Barrier => (0.0, 0.0),
        }
    }

    /// Bytes that all parts of a group together must send when it is split into `parts`, for all-reduce.
    fn partition(&self, parts: f64) -> f64 {
        if self.operation == Operation::AllReduce && !self.in_switch {
            2.0 * self.size * (parts - 1.0)
        } else {
            0.0
        }
    }
}
