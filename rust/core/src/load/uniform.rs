//! Uniform traffic: each chip sends to every chip alike. Loads follow from symmetry, link by link.
//!
//! Along axis a, dimension order joins each two positions of each line the same number of times: of every
//! other axis one end's coordinate is that of the line and the other's is free. Where a spanning switch above
//! corrects axis a too, the two ends must agree in the switch's coordinate, and nothing is free there.

use super::{uniform_adaptive, valiant, walked};
use crate::Control;
use crate::error::{Error, Result, not_negative};
use crate::machine::{Axis, AxisKind, Domain, Machine, Tier, WanShape, groups};
use crate::route::{Routing, TieRule, ring_shares, spans_below};

/// Bytes on each link when each chip sends `bytes_per_chip` in equal parts to all chips, itself included (that
/// part loads no link). O(links).
///
/// # Errors
/// [`Error::Invalid`] for bytes that are negative or not finite in total; those of [`Routing::check`];
/// [`Error::Unsupported`] for damaged machines, for minimal-adaptive routing on open lines, up*/down* and balanced routing (and
/// shortest ways where a switch spans axes) in domains of more than 4,096 chips, and for Valiant routing over axes of
/// more than 4,096; [`Error::Cancelled`].
pub fn uniform(
    machine: &Machine,
    bytes_per_chip: f64,
    routing: &Routing,
    control: &Control,
) -> Result<Vec<f64>> {
    super::check_dense(machine, 3)?;
    routing.check(machine)?;
    if machine.is_damaged() {
        return Err(Error::unsupported(
            "uniform traffic on a damaged machine",
            "list the flows between its live chips and ask for their link loads",
        ));
    }
    not_negative("bytes_per_chip", bytes_per_chip)?;
    let chips = f64::from(machine.num_chips());
    if !(bytes_per_chip * chips).is_finite() {
        let allowed = "the sum over all chips must be finite";
        return Err(Error::invalid("bytes_per_chip", bytes_per_chip, allowed));
    }
    let domain = machine.domain();
    let mut local = vec![0.0; domain.links() as usize];
    let order = routing.order_on_whole(domain)?;
    match routing {
        Routing::DimensionOrder(_) | Routing::WildFirst | Routing::Shortest => match order {
            Some(order) => add_axes(domain, order.tie, &mut local),
            None => walked::add_all_pairs(domain, routing, &mut local, control)?,
        },
        Routing::UpDown | Routing::Balanced => {
            walked::add_all_pairs(domain, routing, &mut local, control)?;
        }
        Routing::MinimalAdaptive if uniform_adaptive::is_symmetric(domain) => {
            add_axes(domain, TieRule::Split, &mut local);
        }
        Routing::MinimalAdaptive => uniform_adaptive::add(domain, &mut local, control)?,
        Routing::Valiant => {
            valiant::check(domain)?;
            let peers = vec![f64::from(domain.chips() - 1); domain.chips() as usize];
            valiant::two_legs(domain, &peers, &peers, &mut local, control)?;
        }
    }
    for load in &mut local {
        *load = bytes_per_chip * (*load / chips);
    }
    let mut loads = Vec::with_capacity(machine.num_links() as usize);
    for _ in 0..machine.num_domains() {
        loads.extend_from_slice(&local);
    }
    loads.resize(machine.num_links() as usize, 0.0);
    if machine.num_links() > machine.blocks().nic {
        fill_outside(machine, bytes_per_chip, &mut loads);
    }
    Ok(loads)
}

/// Adds the messages on each link of a domain whose chips send one message to each other one.
fn add_axes(domain: &Domain, tie: TieRule, loads: &mut [f64]) {
    for (index, (axis, plan)) in domain.axes().iter().zip(domain.plans()).enumerate() {
        let links = &mut loads[plan.first_link as usize..][..plan.links as usize];
        let repeats = repeats(domain, index);
        let stride = plan.stride as usize;
        match &axis.kind {
            _ if axis.size == 1 => {}
            AxisKind::Ring | AxisKind::Line => {
                let half = links.len() / 2;
                let per_line = [false, true].map(|backward| cable_pairs(axis, tie, backward));
                for (links, per_line) in links.chunks_mut(half).zip(per_line) {
                    for (row, pairs) in links.chunks_mut(stride).zip(per_line.iter().cycle()) {
                        row.fill(pairs * repeats);
                    }
                }
            }
            AxisKind::FullMesh => links.fill(repeats),
            AxisKind::Switch { tiers, .. } => {
                add_switch(domain, index, tiers, repeats, links);
            }
        }
    }
}

/// Messages of a line of `axis` for each pair of positions.
fn repeats(domain: &Domain, axis: usize) -> f64 {
    let others = domain.axes().iter().enumerate();
    others
        .filter(|&(other, at)| other != axis && !(other > axis && spans_below(at)))
        .map(|(_, at)| f64::from(at.size))
        .product()
}

/// Ordered pairs of positions whose message passes each cable of a line, in one direction.
fn cable_pairs(axis: &Axis, tie: TieRule, backward: bool) -> Vec<f64> {
    let size = axis.size;
    if axis.kind == AxisKind::Line {
        let pairs = |cable: u32| f64::from(cable + 1) * f64::from(size - 1 - cable);
        return (0..size - 1).map(pairs).collect();
    }
    // Distances below half pass as many cables as they are long, and every cable is alike.
    let below = f64::from((size - 1) / 2);
    let mut pairs = vec![below * (below + 1.0) / 2.0; size as usize];
    if size % 2 == 0 {
        // Each message at half the size passes size / 2 cables. Cable c is passed upwards by those from
        // c - half + 1 to c, downwards by those from c + 1 to c + half: a window that moves with c.
        let half = size / 2;
        let across = |from: u32| {
            if from >= half {
                from - half
            } else {
                from + half
            }
        };
        let share = |from: u32| ring_shares(tie, size, from, across(from))[usize::from(backward)];
        let next = |from: u32| if from + 1 == size { 0 } else { from + 1 };
        let mut first = if backward { next(0) } else { next(half) };
        let mut window: f64 = (0..half)
            .scan(first, |from, _| {
                Some(share(std::mem::replace(from, next(*from))))
            })
            .sum();
        for pairs in &mut pairs {
            *pairs += window;
            window += share(across(first)) - share(first);
            first = next(first);
        }
    }
    pairs
}

/// Ports and bundles of a switch axis.
fn add_switch(domain: &Domain, index: usize, tiers: &[Tier], repeats: f64, links: &mut [f64]) {
    let (axis, stride) = (&domain.axes()[index], domain.plans()[index].stride);
    // Below a spanning switch the source's coordinates are the leaf's and the target's are free.
    let (plane, repeats) = if spans_below(axis) {
        (stride, repeats / f64::from(stride))
    } else {
        (1, repeats)
    };
    let leaves = plane * axis.size;
    let (ports, bundles) = links.split_at_mut(2 * domain.chips() as usize);
    ports.fill(f64::from(axis.size - 1) * f64::from(plane) * repeats);
    let per_switch: Vec<f64> = tiers
        .iter()
        .flat_map(|tier| (0..groups(tier, leaves)).map(move |group| (tier, group)))
        .flat_map(|(tier, group)| [leaving(tier, group, leaves, plane) * repeats; 2])
        .collect();
    for (bundle, load) in bundles.iter_mut().zip(per_switch.iter().cycle()) {
        *bundle = *load;
    }
}

/// Ordered pairs of leaves of which the first alone lies in the group and that lie in different planes.
fn leaving(tier: &Tier, group: u32, leaves: u32, plane: u32) -> f64 {
    let first = u64::from(group) * u64::from(tier.group);
    let end = (first + u64::from(tier.group)).min(u64::from(leaves));
    let (leaves, plane) = (u64::from(leaves), u64::from(plane));
    let mut pairs = (end - first) as f64 * (leaves - (end - first)) as f64;
    for start in [first / plane * plane, (end - 1) / plane * plane] {
        // Only the first and the last plane may lie in the group in part.
        let inside = end.min(start + plane) - first.max(start);
        pairs -= inside as f64 * (plane - inside) as f64;
        if first / plane == (end - 1) / plane {
            break;
        }
    }
    pairs
}

fn fill_outside(machine: &Machine, bytes: f64, loads: &mut [f64]) {
    let chips = f64::from(machine.num_chips());
    let per_domain = f64::from(machine.domain().chips());
    let (nic, first) = (
        machine.blocks().nic as usize,
        machine.blocks().fabric[0] as usize,
    );
    let sharing = f64::from(machine.chips_of_nic());
    loads[nic..first].fill(sharing * bytes * ((chips - per_domain) / chips));
    let crossing = |inside: f64, others: f64| bytes * (inside * others / chips);
    for (index, site) in machine.sites().iter().enumerate() {
        for (at, tier) in site.tiers.iter().enumerate() {
            for group in 0..groups(tier, site.domains) {
                let members = tier.group.min(site.domains - group * tier.group);
                let inside = f64::from(members) * per_domain;
                for down in [false, true] {
                    let link = machine.fabric_link(index, at, group, down);
                    loads[link as usize] = crossing(inside, chips - inside);
                }
            }
        }
    }
    let Some(wan) = machine.wan() else { return };
    let sites = machine.sites();
    let of_site = |site: usize| f64::from(sites[site].domains) * per_domain;
    for link in 0..wan.links(sites.len()) {
        let (_, _, from, to) = wan.link(sites.len(), link);
        let load = match (&wan.shape, from, to) {
            (WanShape::Mesh, Some(from), Some(to)) => crossing(of_site(from), of_site(to)),
            (_, Some(site), _) | (_, _, Some(site)) => {
                crossing(of_site(site), chips - of_site(site))
            }
            _ => unreachable!("a WAN link ends at a site"),
        };
        loads[(machine.blocks().wan + link) as usize] = load;
    }
}
