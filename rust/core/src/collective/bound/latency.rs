//! The bound from distance alone.

use crate::Result;
use crate::collective::context::Context;
use crate::collective::operation::Operation;
use crate::collective::request::Request;
use crate::machine::{Machine, WanShape};
use crate::route::route;

/// Ranks whose way from the first rank is looked at.
const MOST_PAIRS: usize = 4096;

/// The longest way from the root (or from a rank of each site) to another rank, between sites by the quickest
/// WAN links.
pub(super) fn latency(context: &Context, request: &Request) -> Result<f64> {
    let machine = context.machine;
    let ranks = context.groups.ranks();
    let member = |rank: usize| context.groups.member(machine, 0, rank);
    let site = |chip: u32| machine.site_of(machine.split(chip).0);
    let first = member(request.root);
    let mut sources = vec![first];
    let mut peers = Vec::new();
    if request.operation == Operation::SendRecv {
        peers.push(member(request.shift.rem_euclid(ranks as i64) as usize));
    } else {
        let step = ranks.div_ceil(MOST_PAIRS);
        peers.extend((0..ranks).step_by(step).chain([ranks - 1]).map(member));
        if !request.operation.is_rooted() {
            let elsewhere = peers
                .windows(2)
                .filter(|pair| site(pair[0]) != site(pair[1]));
            sources.extend(elsewhere.map(|pair| pair[1]).take(machine.sites().len()));
        }
    }
    let quickest = quickest_wan(machine);
    let count = machine.sites().len();
    let mut longest = 0.0;
    for &from in &sources {
        // Only the first source is asked about every peer: inside a site another one finds nothing further.
        for &peer in peers
            .iter()
            .filter(|&&peer| peer != from && (from == first || sources.contains(&peer)))
        {
            let way = route(machine, context.routing, from, peer)?;
            let (a, b) = (site(from), site(peer));
            let detour = if a == b {
                0.0
            } else {
                direct_wan(machine, a, b) - quickest[a * count + b]
            };
            longest = f64::max(longest, way.overhead + way.latency - detour);
        }
    }
    Ok(longest)
}

fn direct_wan(machine: &Machine, from: usize, to: usize) -> f64 {
    let wan = machine.wan().expect("several sites have a WAN");
    let count = machine.sites().len();
    match wan.shape {
        WanShape::Mesh => wan.latency[from * count + to],
        WanShape::Hub => wan.latency[from] + wan.latency[to],
    }
}

/// Least latency between any two sites, relayed by others where that is quicker (Floyd and Warshall).
fn quickest_wan(machine: &Machine) -> Vec<f64> {
    let count = machine.sites().len();
    let mut best = vec![0.0; count * count];
    for from in 0..count {
        for to in (0..count).filter(|&to| to != from) {
            best[from * count + to] = direct_wan(machine, from, to);
        }
    }
    for by in 0..count {
        for from in 0..count {
            for to in 0..count {
                let relayed = best[from * count + by] + best[by * count + to];
                if relayed < best[from * count + to] {
                    best[from * count + to] = relayed;
                }
            }
        }
    }
    best
}
