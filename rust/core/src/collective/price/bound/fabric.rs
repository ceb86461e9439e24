//! Bounds from NICs, fabric tiers and the WAN.

use super::input::{BoundInput, LowerBounds};
use super::send_recv;
use crate::Result;
use crate::collective::ask::request::Request;
use crate::collective::pattern::comb::Comb;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::loads::{Loads, Runs};
use crate::collective::pattern::measure::{by_site, inside};
use crate::machine::{Machine, bundle_bandwidth, groups};
use crate::operation::Operation;
use std::collections::BTreeMap;

/// Cuts and partitions at the NICs, fabric tiers and WAN of a grid.
pub(super) fn across(
    context: &Context,
    input: &BoundInput,
    request: &Request,
    locals: &[Vec<u32>],
    domains: &[Vec<u32>],
    found: &mut LowerBounds,
) -> Result<()> {
    let Some(nic) = context.machine.nic() else {
        return Ok(());
    };
    let (groups, in_domain) = (locals.len() as f64, locals[0].len() as f64);
    let parts = domains[0].len() as f64;
    let nics = nics_of(context.machine, locals) * nic.bandwidth;
    for root in [true, false] {
        let (out, into) = input.crossing(in_domain, Some(root));
        found.note(
            "NICs of an UltraServer",
            groups * f64::max(out, into) / nics,
        );
    }
    if input.operation == Operation::SendRecv {
        return send_recv::of_grid(context, request, locals, domains, found);
    }
    found.note(
        "NICs of all UltraServers",
        input.partition(parts) / (in_domain * parts * nic.bandwidth),
    );
    let grid = Grid {
        groups,
        in_domain,
        domains,
        root: request.root / locals[0].len(),
    };
    bundles(context, input, &grid, found)?;
    wan(context, input, &grid, found)
}

/// How many NICs local chips have.
fn nics_of(machine: &Machine, locals: &[Vec<u32>]) -> f64 {
    let sharing = machine.chips_of_nic();
    let chips = locals.iter().flatten();
    let mut nics: Vec<u32> = chips.map(|chip| chip / sharing).collect();
    nics.sort_unstable();
    nics.dedup();
    nics.len() as f64
}

/// A grid of groups: `groups` local groups of `in_domain` ranks in each domain of each set; `root` is the number of
/// the root's domain in its set.
struct Grid<'a> {
    groups: f64,
    in_domain: f64,
    domains: &'a [Vec<u32>],
    root: usize,
}

impl Grid<'_> {
    /// Bytes out of and into `inside` domains of a set, for all its groups.
    fn crossing(&self, input: &BoundInput, inside: f64, holds_root: bool) -> (f64, f64) {
        let (out, into) = input.crossing(inside * self.in_domain, Some(holds_root));
        (self.groups * out, self.groups * into)
    }
}

/// What the uplinks and downlinks of each tier's groups must carry for all sets of domains together.
fn bundles(
    context: &Context,
    input: &BoundInput,
    grid: &Grid,
    found: &mut LowerBounds,
) -> Result<()> {
    let machine = context.machine;
    if let Some(sets) = context.group_combs() {
        for (site, definition) in machine.sites().iter().enumerate() {
            context.control.check()?;
            for tier in 0..definition.tiers.len() {
                let seconds = busiest_bundle(context, input, grid, &sets, (site, tier));
                found.note(format!("fabric tier {}", tier + 1), seconds);
            }
        }
        return Ok(());
    }
    let mut need: BTreeMap<(usize, usize, u32), (f64, f64)> = BTreeMap::new();
    for set in grid.domains {
        for of_site in set.chunk_by(|&a, &b| machine.site_of(a) == machine.site_of(b)) {
            let site = machine.site_of(of_site[0]);
            let first = machine.first_domain(site);
            for (index, tier) in machine.sites()[site].tiers.iter().enumerate() {
                let group = |domain: u32| (domain - first) / tier.group;
                let bundles = of_site.chunk_by(|&a, &b| group(a) == group(b));
                for (at, bundle) in bundles.enumerate() {
                    context.control.check_at(at)?;
                    let holds_root = bundle.contains(&set[grid.root]);
                    let (out, into) = grid.crossing(input, bundle.len() as f64, holds_root);
                    let sum = need.entry((site, index, group(bundle[0]))).or_default();
                    *sum = (sum.0 + out, sum.1 + into);
                }
            }
        }
    }
    for (at, ((site, index, group), (out, into))) in need.into_iter().enumerate() {
        context.control.check_at(at)?;
        let definition = &machine.sites()[site];
        let (tier, leaf) = (&definition.tiers[index], machine.domain_nic_bandwidth());
        let capacity = bundle_bandwidth(tier, definition.domains, group, leaf);
        found.note(
            format!("fabric tier {}", index + 1),
            f64::max(out, into) / capacity,
        );
    }
    Ok(())
}

/// Seconds that the busiest bundle of a tier of a site is busy at least; the sets as combs.
fn busiest_bundle(
    context: &Context,
    input: &BoundInput,
    grid: &Grid,
    sets: &[Vec<Comb>],
    (site, tier): (usize, usize),
) -> f64 {
    let machine = context.machine;
    let definition = &machine.sites()[site];
    let shape = &definition.tiers[tier];
    let first = i64::from(machine.first_domain(site));
    let end = first + i64::from(definition.domains);
    let (mut out, mut into) = (Loads::default(), Loads::default());
    for (set, listed) in sets.iter().zip(grid.domains) {
        // The group that holds the root, if it is here.
        let (root, group) = (i64::from(listed[grid.root]), i64::from(shape.group));
        let own = first + (root - first).div_euclid(group) * group;
        let own = (own.clamp(first, end), (own + group).clamp(first, end));
        let with_root = (first..end).contains(&root);
        let others = [(first, own.0), (own.1, end)].map(|part| (part, false));
        let parts = match with_root {
            true => vec![others[0], (own, true), others[1]],
            false => vec![((first, end), false)],
        };
        for ((low, high), holds_root) in parts {
            let combs: Vec<Comb> = set.iter().flat_map(|comb| comb.within(low, high)).collect();
            let inside = inside(machine, &combs, site, tier);
            let crossing = |inside: f64| grid.crossing(input, inside, holds_root);
            out.add(&inside.map(|inside| crossing(inside).0), 1.0);
            into.add(&inside.map(|inside| crossing(inside).1), 1.0);
        }
    }
    let last = groups(shape, definition.domains) - 1;
    let bundle = |group: u32| {
        bundle_bandwidth(
            shape,
            definition.domains,
            group,
            machine.domain_nic_bandwidth(),
        )
    };
    let mut capacity = Runs::default();
    capacity.push(last as usize, bundle(0));
    capacity.push(1, bundle(last));
    let capacity = Loads::from(capacity);
    let seconds = |bytes: f64, bandwidth: f64| bytes / bandwidth;
    f64::max(
        out.peak(&capacity, seconds).1,
        into.peak(&capacity, seconds).1,
    )
}

fn wan(context: &Context, input: &BoundInput, grid: &Grid, found: &mut LowerBounds) -> Result<()> {
    let machine = context.machine;
    let Some(wan) = machine.wan() else {
        return Ok(());
    };
    let count = machine.sites().len();
    let mut need = vec![(0.0, 0.0); count];
    let mut partition = 0.0;
    for set in grid.domains {
        context.control.check()?;
        let sites = by_site(machine, set);
        let home = machine.site_of(set[grid.root]);
        partition += grid.groups * input.partition(sites.len() as f64);
        for &(site, inside, _) in &sites {
            let (out, into) = grid.crossing(input, inside, site == home);
            need[site] = (need[site].0 + out, need[site].1 + into);
        }
    }
    let mut total = 0.0;
    for (site, &(out, into)) in need.iter().enumerate() {
        let (out_capacity, in_capacity) = wan.around(site, count);
        if out > 0.0 {
            total += out_capacity;
        }
        let name = format!("WAN of {}", machine.sites()[site].name);
        found.note(name, f64::max(out / out_capacity, into / in_capacity));
    }
    if total > 0.0 {
        found.note("WAN of all sites", partition / total);
    }
    Ok(())
}

/// What the NICs of the members in one domain must carry for groups that are plain lists of chips.
pub(super) fn scattered(
    context: &Context,
    input: &BoundInput,
    request: &Request,
    groups: &[Vec<u32>],
    found: &mut LowerBounds,
) -> Result<()> {
    if input.operation == Operation::SendRecv {
        return send_recv::of_lists(context, request, groups, found);
    }
    let Some(nic) = context.machine.nic() else {
        return Ok(());
    };
    let home = |chip: u32| context.machine.split(chip).0;
    // (domain, group) of every member, so that equal pairs lie together.
    let mut homes: Vec<(u32, usize)> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        context.control.check()?;
        homes.extend(group.iter().map(|&chip| (home(chip), index)));
    }
    if let Some(crews) = context.crews() {
        let parts = |set: &Vec<u32>| input.partition(set.len() as f64);
        let bytes: f64 = crews.of_groups.iter().map(parts).sum();
        found.note(
            "NICs of all UltraServers",
            bytes / (homes.len() as f64 * nic.bandwidth),
        );
    }
    homes.sort_unstable();
    for (at, homes) in homes.chunk_by(|a, b| a.0 == b.0).enumerate() {
        context.control.check_at(at)?;
        let capacity = homes.len() as f64 * nic.bandwidth;
        let mut need = (0.0, 0.0);
        for group in homes.chunk_by(|a, b| a.1 == b.1) {
            let (domain, index) = group[0];
            let holds_root = home(groups[index][request.root]) == domain;
            let (out, into) = input.crossing(group.len() as f64, Some(holds_root));
            // Each group is held to the NICs of its own ranks, too, as it would be alone.
            let own = group.len() as f64 * nic.bandwidth;
            found.note("NICs of an UltraServer", f64::max(out, into) / own);
            need = (need.0 + out, need.1 + into);
        }
        found.note(
            "NICs of an UltraServer",
            f64::max(need.0, need.1) / capacity,
        );
    }
    Ok(())
}
