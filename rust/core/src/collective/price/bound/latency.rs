//! The bound from distance alone.

use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
use crate::machine::{AxisKind, Machine, WanShape};
use crate::operation::Operation;
use crate::route::{Routing, zero_load};
use crate::{Control, Result};
use std::collections::BTreeMap;

/// How many groups are looked at, and how many ranks in all of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) groups: usize,
    pub(super) peers: usize,
    /// Only at ranks of different domains.
    pub(super) across: bool,
}

/// The longest way from the root (or from a rank of each site) to another rank of the same group, by the quickest
/// links that join them. Of many groups and ranks some are looked at: that bounds from below all the same.
pub(super) fn latency(context: &Context, request: &Request, sample: Sample) -> Result<f64> {
    let groups = context.groups.count();
    let looked_at = groups.min(sample.groups);
    let mut least = LeastLatency::of(context)?;
    let mut longest = 0.0;
    for index in 0..looked_at {
        let group = index * groups / looked_at;
        longest = f64::max(
            longest,
            of_group(context, request, &mut least, group, looked_at, sample)?,
        );
    }
    Ok(longest)
}

fn of_group(
    context: &Context,
    request: &Request,
    least: &mut LeastLatency,
    group: usize,
    looked_at: usize,
    sample: Sample,
) -> Result<f64> {
    let machine = context.machine;
    let ranks = context.groups.ranks();
    let member = |rank: usize| context.groups.member(machine, group, rank);
    let domain = |chip: u32| machine.split(chip).0;
    let counts = |from: u32, to: u32| !sample.across || domain(from) != domain(to);
    let step = ranks.div_ceil(sample.peers / looked_at);
    let mut longest = 0.0;
    if request.operation == Operation::SendRecv {
        // The last rank of a domain sends to the next one.
        let senders = match sample.across {
            true => (0..ranks).rev().step_by(step).collect(),
            false => vec![0],
        };
        for rank in senders {
            let to = (rank as i64 + request.shift).rem_euclid(ranks as i64) as usize;
            let (from, to) = (member(rank), member(to));
            if counts(from, to) && ![from, to].iter().any(|&chip| machine.is_dead_chip(chip)) {
                longest = f64::max(longest, least.between(context, from, to)?);
            }
        }
        return Ok(longest);
    }
    let site = |chip: u32| machine.site_of(domain(chip));
    let first = member(request.root);
    let mut sources = vec![first];
    let peers = (0..ranks).step_by(step).chain([ranks - 1]).map(member);
    let mut peers: Vec<u32> = peers.collect();
    if !request.operation.is_rooted() {
        let elsewhere = peers
            .windows(2)
            .filter(|pair| site(pair[0]) != site(pair[1]));
        sources.extend(elsewhere.map(|pair| pair[1]).take(machine.sites().len()));
    }
    let inward = matches!(request.operation, Operation::Reduce | Operation::Gather);
    // Faults only lengthen ways, and no message ends at a dead chip.
    sources.retain(|&source| !machine.is_dead_chip(source));
    peers.retain(|&peer| !machine.is_dead_chip(peer));
    for &source in &sources {
        context.control.check()?;
        // Only the first source is asked about every peer: inside a site another one finds nothing further.
        let asked = |peer: &&u32| {
            let other = **peer != source && (source == first || sources.contains(*peer));
            other && counts(source, **peer)
        };
        for &peer in peers.iter().filter(asked) {
            let (from, to) = if inward {
                (peer, source)
            } else {
                (source, peer)
            };
            longest = f64::max(longest, least.between(context, from, to)?);
        }
    }
    Ok(longest)
}

/// What can be quicker than a route of dimension order.
struct LeastLatency {
    /// The machine without faults.
    whole: Machine,
    routing: Routing,
    /// Least seconds between any two chips by other means inside a domain: a crossing of a spanning switch, or a
    /// trip over NICs when groups span domains.
    shortcut: f64,
    /// Least seconds between sites, relayed by others where that is quicker.
    wan: Vec<f64>,
    /// Least seconds between UltraServers, by their sites and the tiers that a message climbs inside one.
    across: BTreeMap<(usize, usize, usize), f64>,
}

impl LeastLatency {
    fn of(context: &Context) -> Result<Self> {
        let machine = context.machine;
        let axes = machine.domain().axes().iter();
        let spanning = axes.filter(|axis| {
            matches!(
                axis.kind,
                AxisKind::Switch {
                    spans_below: true,
                    ..
                }
            )
        });
        let crossing = spanning
            .map(|axis| 2.0 * axis.latency)
            .fold(f64::INFINITY, f64::min);
        let trip = match machine.nic() {
            Some(nic) if machine.num_domains() > 1 => 2.0 * nic.latency,
            _ => f64::INFINITY,
        };
        Ok(Self {
            whole: machine.healthy(),
            routing: Routing::default(),
            shortcut: crossing.min(trip),
            wan: quickest_wan(machine, context.control)?,
            across: BTreeMap::new(),
        })
    }

    fn between(&mut self, context: &Context, from: u32, to: u32) -> Result<f64> {
        let machine = &self.whole;
        let [a, b] = [from, to].map(|chip| machine.split(chip).0);
        let sites = (machine.site_of(a), machine.site_of(b));
        let climbed = match sites.0 == sites.1 {
            true => machine.tiers_crossed_between(sites.0, a, b),
            false => 0,
        };
        let key = (sites.0, sites.1, climbed);
        if let Some(&known) = self.across.get(&key).filter(|_| a != b) {
            return Ok(known);
        }
        let route = zero_load(machine, &self.routing, from, to, context.control)?;
        if a == b {
            let by_nic = machine.nic().map_or(f64::INFINITY, |nic| nic.overhead);
            return Ok(route.latency.min(self.shortcut) + route.overhead.min(by_nic));
        }
        let (a, b) = sites;
        let detour = if a == b {
            0.0
        } else {
            direct_wan(machine, a, b) - self.wan[a * machine.sites().len() + b]
        };
        let seconds = route.overhead + route.latency - detour;
        self.across.insert(key, seconds);
        Ok(seconds)
    }
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
fn quickest_wan(machine: &Machine, control: &Control) -> Result<Vec<f64>> {
    let count = machine.sites().len();
    let mut best = vec![0.0; count * count];
    for from in 0..count {
        for to in (0..count).filter(|&to| to != from) {
            best[from * count + to] = direct_wan(machine, from, to);
        }
    }
    // No relay is quicker than the way over a hub.
    let relays = match machine.wan().map(|wan| &wan.shape) {
        Some(WanShape::Mesh) => count,
        _ => 0,
    };
    for by in 0..relays {
        control.check()?;
        for from in 0..count {
            for to in 0..count {
                let relayed = best[from * count + by] + best[by * count + to];
                if relayed < best[from * count + to] {
                    best[from * count + to] = relayed;
                }
            }
        }
    }
    Ok(best)
}
