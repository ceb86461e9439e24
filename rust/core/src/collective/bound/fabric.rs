//! Bounds from NICs, fabric tiers and the WAN.

use super::{Ask, Found};
use crate::collective::context::Context;
use crate::collective::measure::by_site;
use crate::machine::{WanShape, bundle_bandwidth};

/// Cuts and partitions at the NICs, fabric tiers and WAN of a grid.
pub(super) fn across(
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
pub(super) fn scattered(context: &Context, ask: &Ask, groups: &[Vec<u32>], found: &mut Found) {
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
