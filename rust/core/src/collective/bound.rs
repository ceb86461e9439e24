//! Lower bounds: what no schedule beats on this machine, whatever its algorithm and routes, as long as ranks
//! themselves do the reducing and only their own NICs send for them.
//!
//! Three kinds. **Cuts**: bytes that must leave or enter a set of ranks, over the bandwidth of the links around
//! it. **Partitions** (all-reduce): split into t parts, each part taken as one rank that reduces inside for free,
//! all must send 2 S (t-1) / t on average (Patarasuk and Yuan 2009). **Latency**: the way between two far ranks.
//! With several groups at once, what they need adds up.

use super::context::Context;
use super::group::Groups;
use super::measure::by_site;
use super::operation::Operation;
use super::outcome::Bound;
use super::request::Request;
use crate::Result;
use crate::machine::{Axis, AxisKind, Machine, WanShape, bundle_bandwidth};
use crate::route::route;

/// Ranks whose way from the first rank is looked at for the latency bound.
const MOST_PAIRS: usize = 4096;

/// All bounds of a request, the highest first.
pub(crate) fn bounds(context: &Context, request: &Request) -> Result<Vec<Bound>> {
    let mut found = Found(Vec::new());
    let ask = Ask {
        operation: request.operation,
        size: request.size,
        ranks: context.groups.ranks() as f64,
    };
    injection(context, &ask, &mut found);
    match context.groups {
        Groups::Grid { locals, domains } if domains[0].len() == 1 => {
            if locals[0].len() as u32 == context.machine.domain().chips() {
                axes(context, &ask, &mut found);
            }
        }
        Groups::Grid { locals, domains } => {
            across(context, &ask, request.root, locals, domains, &mut found)
        }
        Groups::Scattered(groups) => scattered(context, &ask, groups, &mut found),
    }
    found.note("latency", latency(context, request)?);
    found.0.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    Ok(found.0)
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
        if self.operation == Operation::AllReduce {
            2.0 * self.size * (parts - 1.0)
        } else {
            0.0
        }
    }
}

/// Smallest and largest bandwidth, one way, of a chip's links inside a domain.
fn chip_ports(axes: &[Axis]) -> (f64, f64) {
    axes.iter().fold((0.0, 0.0), |(least, most), axis| {
        let end = match axis.kind {
            AxisKind::Line if axis.size > 1 => axis.bandwidth,
            _ => axis.injection(),
        };
        (least + end, most + axis.injection())
    })
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

/// What one rank must send or receive over all its links.
fn injection(context: &Context, ask: &Ask, found: &mut Found) {
    let (mut least, mut most) = chip_ports(context.machine.domain().axes());
    if spans_domains(context.groups, context.machine) {
        let nic = context.machine.nic().map_or(0.0, |nic| nic.bandwidth);
        least += nic;
        most += nic;
    }
    for root in [None, Some(true), Some(false)] {
        let (out, into) = ask.crossing(1.0, root);
        // A rank at the end of a line has fewer links, but which rank is there is not known here: only
        // operations in which every rank does the same are held to the poorest.
        let ports = if ask.operation.is_rooted() || matches!(context.groups, Groups::Scattered(_)) {
            most
        } else if covers_domains(context) {
            least
        } else {
            most
        };
        found.note("injection", f64::max(out, into) / ports);
    }
    found.note("injection", ask.partition(ask.ranks) / (ask.ranks * most));
}

/// True when every chip of a domain is a member, so the poorest-connected one is too.
fn covers_domains(context: &Context) -> bool {
    context.members().count() as u32 == context.machine.domain().chips()
}

/// Cuts and partitions of a group that is one whole domain.
fn axes(context: &Context, ask: &Ask, found: &mut Found) {
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
    for set in 1u32..1 << units.len() {
        let members: Vec<usize> = (0..units.len())
            .filter(|unit| set >> unit & 1 == 1)
            .flat_map(|unit| units[unit].clone())
            .collect();
        let parts: f64 = members
            .iter()
            .map(|&axis| f64::from(all[axis].size))
            .product();
        let capacity: f64 = members
            .iter()
            .map(|&axis| axis_capacity(&all[axis], chips))
            .sum();
        let names: Vec<&str> = members
            .iter()
            .map(|&axis| all[axis].name.as_str())
            .collect();
        let name = format!("all links of {}", names.join(", "));
        found.note(&name, ask.partition(parts) / capacity);
        // The same for one-way operations: all parts together must receive (t - 1) / t of each output.
        let each = match ask.operation {
            Operation::ReduceScatter | Operation::AllGather => ask.size * (parts - 1.0),
            _ => 0.0,
        };
        found.note(name, each / capacity);
    }
    for unit in units.iter().filter(|unit| unit.len() == 1) {
        let axis = &all[unit[0]];
        let lines = chips / f64::from(axis.size);
        let half = axis.size / 2;
        for inside in [1, half] {
            let boundary = match axis.kind {
                _ if inside == 0 || inside >= axis.size => continue,
                AxisKind::Ring => 2.0,
                AxisKind::Line => 1.0,
                AxisKind::FullMesh => f64::from(inside) * f64::from(axis.size - inside),
                AxisKind::Switch { .. } => f64::from(inside),
            };
            let (out, into) = ask.crossing(f64::from(inside) * lines, None);
            let name = format!("cut across {}", axis.name);
            found.note(
                name,
                f64::max(out, into) / (boundary * lines * axis.bandwidth),
            );
        }
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

/// Cuts and partitions at the NICs, fabric tiers and WAN of a grid.
fn across(
    context: &Context,
    ask: &Ask,
    root: usize,
    locals: &[Vec<u32>],
    domains: &[Vec<u32>],
    found: &mut Found,
) {
    let machine = context.machine;
    let Some(nic) = machine.nic() else { return };
    let (groups, in_domain) = (locals.len() as f64, locals[0].len() as f64);
    let parts = domains[0].len() as f64;
    let nics = groups * in_domain * nic.bandwidth;
    let mut cut = |name: &str, inside: f64, capacity: f64, root: bool| {
        let (out, into) = ask.crossing(inside * in_domain, Some(root));
        found.note(name, groups * f64::max(out, into) / capacity);
    };
    for root in [true, false] {
        cut("NICs of an UltraServer", 1.0, nics, root);
    }
    // Bundles: groups that have equally many domains below one need the same of it, and the bound looks at
    // one group at a time, which is enough for groups that fill it and low for others.
    for set in domains {
        let root_domain = set[root / locals[0].len()];
        for of_site in set.chunk_by(|&a, &b| machine.site_of(a) == machine.site_of(b)) {
            let site = machine.site_of(of_site[0]);
            let first = machine.first_domain(site);
            let definition = &machine.sites()[site];
            for (index, tier) in definition.tiers.iter().enumerate() {
                let name = format!("fabric tier {}", index + 1);
                for bundle in
                    of_site.chunk_by(|&a, &b| (a - first) / tier.group == (b - first) / tier.group)
                {
                    let group = (bundle[0] - first) / tier.group;
                    let capacity = bundle_bandwidth(
                        tier,
                        definition.domains,
                        group,
                        machine.domain_nic_bandwidth(),
                    );
                    cut(
                        &name,
                        bundle.len() as f64,
                        capacity,
                        bundle.contains(&root_domain),
                    );
                }
            }
        }
    }
    found.note(
        "NICs of all UltraServers",
        ask.partition(parts) / (in_domain * parts * nic.bandwidth),
    );
    wan(context, ask, groups, in_domain, domains, found);
}

fn wan(
    context: &Context,
    ask: &Ask,
    groups: f64,
    in_domain: f64,
    domains: &[Vec<u32>],
    found: &mut Found,
) {
    let machine = context.machine;
    let Some(wan) = machine.wan() else { return };
    let count = machine.sites().len();
    let capacity = |site: usize| -> (f64, f64) {
        match wan.shape {
            WanShape::Hub => (wan.bandwidth[site], wan.bandwidth[site]),
            WanShape::Mesh => {
                (0..count)
                    .filter(|&other| other != site)
                    .fold((0.0, 0.0), |sum, other| {
                        (
                            sum.0 + wan.bandwidth[site * count + other],
                            sum.1 + wan.bandwidth[other * count + site],
                        )
                    })
            }
        }
    };
    let mut need = vec![(0.0, 0.0); count];
    let mut partition = 0.0;
    for set in domains {
        let sites = by_site(machine, set);
        partition += groups * ask.partition(sites.len() as f64);
        for &(site, inside, _) in &sites {
            // A rooted operation needs at least the smaller of the two ways, whichever site has the root.
            let ways =
                [None, Some(true), Some(false)].map(|root| ask.crossing(inside * in_domain, root));
            let least = |way: fn(&(f64, f64)) -> f64| {
                if ask.operation.is_rooted() {
                    f64::min(way(&ways[1]), way(&ways[2]))
                } else {
                    way(&ways[0])
                }
            };
            need[site].0 += groups * least(|way| way.0);
            need[site].1 += groups * least(|way| way.1);
        }
    }
    let mut total = 0.0;
    for (site, &(out, into)) in need.iter().enumerate() {
        let (out_capacity, in_capacity) = capacity(site);
        total += out_capacity;
        let name = format!("WAN of {}", machine.sites()[site].name);
        found.note(name, f64::max(out / out_capacity, into / in_capacity));
    }
    found.note("WAN of all sites", partition / total);
}

/// What the NICs of the members in one domain must carry for groups that are plain lists of chips.
fn scattered(context: &Context, ask: &Ask, groups: &[Vec<u32>], found: &mut Found) {
    let Some(nic) = context.machine.nic() else {
        return;
    };
    // (domain, group) of every member, so that equal pairs lie together.
    let mut seats: Vec<(u32, usize)> = groups
        .iter()
        .enumerate()
        .flat_map(|(index, group)| {
            group
                .iter()
                .map(move |&chip| (context.machine.split(chip).0, index))
        })
        .collect();
    seats.sort_unstable();
    for domain in seats.chunk_by(|a, b| a.0 == b.0) {
        let capacity = domain.len() as f64 * nic.bandwidth;
        let mut need = (0.0, 0.0);
        for group in domain.chunk_by(|a, b| a.1 == b.1) {
            let (out, into) = ask.crossing(group.len() as f64, None);
            need = (need.0 + out, need.1 + into);
        }
        found.note(
            "NICs of an UltraServer",
            f64::max(need.0, need.1) / capacity,
        );
    }
}

/// The longest way from the root (or from a rank of each site) to another rank, between sites by the quickest
/// WAN links.
fn latency(context: &Context, request: &Request) -> Result<f64> {
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
