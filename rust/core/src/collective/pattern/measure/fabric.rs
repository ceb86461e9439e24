//! Patterns between domains, counted by domain: rails, stars, exchanges, sites.

use crate::collective::ask::group::Groups;
use crate::collective::pattern::fabric_loads::FabricLoads;
use crate::collective::pattern::kind::SiteShare;
use crate::collective::pattern::ledger::Ledger;
use crate::collective::pattern::loads::Loads;
use crate::collective::pattern::scene::Scene;
use crate::collective::pattern::unit_cost::UnitCost;
use crate::machine::{Machine, Nic};
use crate::{Error, Result};

/// Messages between two looks at the cancel flag.
const STRETCH: usize = 1 << 14;

pub(super) fn nic_of<'a>(scene: &'a Scene) -> &'a Nic {
    scene
        .machine
        .nic()
        .expect("messages between domains exist on machines with NICs only")
}

fn between(scene: &Scene, from: u32, to: u32) -> (f64, f64) {
    let cost = scene.path(from, to, |_| ());
    (cost.latency, cost.bandwidth)
}

pub(super) fn rails(
    scene: &Scene,
    pairs: &[(u32, u32)],
    nics: Option<&[(u32, u32)]>,
) -> Result<UnitCost> {
    let machine = scene.machine;
    let domains = machine.num_domains() as usize;
    let (mut out, mut into) = (vec![0.0; domains], vec![0.0; domains]);
    let mut fabric = vec![0.0; scene.fabric_links()];
    let messages = nics.map_or(scene.members_per_domain(), |nics| nics.len() as f64);
    let mut unit_cost = UnitCost::default();
    for (at, &(from, to)) in pairs.iter().enumerate() {
        if at % STRETCH == 0 {
            scene.control.check()?;
        }
        out[from as usize] += 1.0;
        into[to as usize] += 1.0;
        let cost = scene.path(from, to, |link| fabric[link] += messages);
        unit_cost.note_zero_load(cost.latency, 1.0 / cost.bandwidth);
    }
    unit_cost.sent = out.iter().copied().fold(0.0, f64::max);
    unit_cost.overhead = unit_cost.sent * nic_of(scene).overhead;
    let mut ledger = Ledger {
        fabric: FabricLoads::of_list(&scene.blocks, &fabric),
        ..Ledger::default()
    };
    let (out, into) = (Loads::from(out), Loads::from(into));
    match nics {
        None => ledger.nic = [out, into],
        Some(nics) => {
            for &(from, to) in nics {
                ledger.single_nics[0].insert(from, out.clone());
                ledger.single_nics[1].insert(to, into.clone());
            }
        }
    }
    unit_cost.ledger = ledger;
    Ok(unit_cost)
}

pub(super) fn star(
    scene: &Scene,
    sets: &[(Vec<u32>, u32)],
    locals: &[(Vec<u32>, u32)],
    outward: bool,
) -> Result<UnitCost> {
    let machine = scene.machine;
    let domains = machine.num_domains() as usize;
    let (at_root, at_leaf) = if outward { (0, 1) } else { (1, 0) };
    let in_group = locals[0].0.len() as f64;
    let mut leaves = vec![0.0; domains];
    let mut roots = vec![0.0; domains];
    let mut fabric = vec![0.0; scene.fabric_links()];
    let mut unit_cost = UnitCost::default();
    for (set, root) in sets {
        scene.control.check()?;
        for &domain in set.iter().filter(|&domain| domain != root) {
            leaves[domain as usize] += 1.0;
            roots[*root as usize] += in_group;
            let (from, to) = if outward {
                (*root, domain)
            } else {
                (domain, *root)
            };
            let cost = scene.path(from, to, |link| fabric[link] += scene.members_per_domain());
            unit_cost.note_zero_load(cost.latency, 1.0 / cost.bandwidth);
        }
    }
    let busiest = roots.iter().copied().fold(0.0, f64::max);
    unit_cost.sent = if outward { busiest } else { 1.0 };
    unit_cost.overhead = unit_cost.sent * nic_of(scene).overhead;
    unit_cost.ledger.nic[at_leaf] = leaves.into();
    let roots = Loads::from(roots);
    for (_, root) in locals {
        unit_cost.ledger.single_nics[at_root].insert(*root, roots.clone());
    }
    unit_cost.ledger.fabric = FabricLoads::of_list(&scene.blocks, &fabric);
    Ok(unit_cost)
}

/// Adds what leaves and enters each tier bundle that holds some of `set`: `leaves(inside)` bytes each way for a
/// bundle with that many of its domains inside. Domains of the set ascend.
fn add_bundles(
    scene: &Scene,
    set: &[u32],
    fabric: &mut [f64],
    crossing: impl Fn(usize, f64) -> (f64, f64),
) {
    let machine = scene.machine;
    let first_link = machine.blocks().fabric[0];
    for of_site in set.chunk_by(|&a, &b| machine.site_of(a) == machine.site_of(b)) {
        let site = machine.site_of(of_site[0]);
        let first = machine.first_domain(site);
        for (index, tier) in machine.sites()[site].tiers.iter().enumerate() {
            for bundle in
                of_site.chunk_by(|&a, &b| (a - first) / tier.group == (b - first) / tier.group)
            {
                let group = (bundle[0] - first) / tier.group;
                let (up, down) = crossing(site, bundle.len() as f64);
                fabric[(machine.fabric_link(site, index, group, false) - first_link) as usize] +=
                    up;
                fabric[(machine.fabric_link(site, index, group, true) - first_link) as usize] +=
                    down;
            }
        }
    }
}

/// The domains of a set, which ascend, by site.
pub(crate) fn parts<'a>(machine: &Machine, set: &'a [u32]) -> Vec<(usize, &'a [u32])> {
    let (mut parts, mut rest) = (Vec::new(), set);
    while let Some(&first) = rest.first() {
        let site = machine.site_of(first);
        let end = machine.first_domain(site + 1);
        let (part, beyond) = rest.split_at(rest.partition_point(|&domain| domain < end));
        parts.push((site, part));
        rest = beyond;
    }
    parts
}

/// The domains of a set, which ascend, by site: (site, domains there, one of them).
pub(crate) fn by_site(machine: &Machine, set: &[u32]) -> Vec<(usize, f64, u32)> {
    let parts = parts(machine, set).into_iter();
    parts
        .map(|(site, part)| (site, part.len() as f64, part[0]))
        .collect()
}

fn add_wan(scene: &Scene, fabric: &mut [f64], from: usize, to: usize, bytes: f64) {
    for &link in scene.wan_path(from, to) {
        fabric[link] += bytes;
    }
}

pub(super) fn exchange(scene: &Scene, sets: &[Vec<u32>], spread: bool) -> Result<UnitCost> {
    let machine = scene.machine;
    let domains = machine.num_domains() as usize;
    let per_domain = scene.members_per_domain();
    let mut nic = vec![0.0; domains];
    let mut fabric = vec![0.0; scene.fabric_links()];
    let mut unit_cost = UnitCost::default();
    let receivers = match scene.groups {
        Groups::Grid { locals, .. } if spread => locals[0].len() as f64,
        _ => 1.0,
    };
    for set in sets {
        scene.control.check()?;
        let members = set.len() as f64;
        if set.len() < 2 {
            continue;
        }
        for &domain in set {
            nic[domain as usize] += members - 1.0;
        }
        add_bundles(scene, set, &mut fabric, |_, inside| {
            let crossing = inside * (members - inside) * per_domain;
            (crossing, crossing)
        });
        let sites = by_site(machine, set);
        for &(from, there, example) in &sites {
            for &(to, here, other) in &sites {
                if from != to {
                    add_wan(scene, &mut fabric, from, to, there * here * per_domain);
                    let (latency, bandwidth) = between(scene, example, other);
                    unit_cost.note_zero_load(latency, 1.0 / receivers / bandwidth);
                }
            }
        }
        // Groups of a tier are contiguous, so inside a site the two ends are as far apart as any.
        for (_, part) in parts(machine, set) {
            if part.len() > 1 {
                let (latency, bandwidth) = between(scene, part[0], part[part.len() - 1]);
                unit_cost.note_zero_load(latency, 1.0 / receivers / bandwidth);
            }
        }
        unit_cost.overhead = unit_cost
            .overhead
            .max((members - 1.0) * receivers * nic_of(scene).overhead);
        unit_cost.sent = unit_cost.sent.max(members - 1.0);
    }
    let nic = Loads::from(nic);
    unit_cost.ledger.nic = [nic.clone(), nic];
    unit_cost.ledger.fabric = FabricLoads::of_list(&scene.blocks, &fabric);
    Ok(unit_cost)
}

/// Bytes from site to site, in units, for `share`; `sites` as [`by_site`] gives them.
pub(crate) fn site_bytes(
    sites: &[(usize, f64, u32)],
    share: SiteShare,
    from: usize,
    to: usize,
) -> f64 {
    let all: f64 = sites.iter().map(|site| site.1).sum();
    match share {
        _ if from == to => 0.0,
        SiteShare::Equal => 1.0,
        SiteShare::Next => f64::from(u8::from((from + 1) % sites.len() == to)),
        SiteShare::Receiver => sites[to].1 / all,
        SiteShare::Sender => sites[from].1 / all,
    }
}

/// What one site sends to another when the pattern moves one byte.
pub(crate) struct SiteFlow {
    /// (domain, bytes) of each member's NIC there: at the sending site, at the receiving one.
    pub(crate) nics: [Vec<(u32, f64)>; 2],
    /// (link, bytes), counted from the first fabric link.
    pub(crate) fabric: Vec<(usize, f64)>,
    /// Seconds from chip to chip.
    pub(crate) latency: f64,
}

/// Local groups of a domain, and chips of each.
pub(super) fn grid(scene: &Scene) -> Result<(f64, f64)> {
    match scene.groups {
        Groups::Grid { locals, .. } => Ok((locals.len() as f64, locals[0].len() as f64)),
        Groups::Scattered(_) => Err(Error::unsupported(
            "a schedule by sites over scattered chips",
            "name groups that hold the same chips of each UltraServer",
        )),
    }
}

/// The flows between the sites of one set of domains; `sites` as [`by_site`] gives them.
pub(crate) fn site_flows(
    scene: &Scene,
    set: &[u32],
    sites: &[(usize, f64, u32)],
    share: SiteShare,
) -> Result<Vec<SiteFlow>> {
    let machine = scene.machine;
    let (local_groups, in_group) = grid(scene)?;
    let mut flows = Vec::new();
    for (a, &(from, there, example)) in sites.iter().enumerate() {
        for (b, &(to, here, other)) in sites.iter().enumerate() {
            scene.control.check()?;
            let bytes = site_bytes(sites, share, a, b);
            if bytes == 0.0 {
                continue;
            }
            let of = |site: usize| {
                set.iter()
                    .copied()
                    .filter(move |&d| machine.site_of(d) == site)
            };
            let mut fabric = vec![0.0; scene.fabric_links()];
            add_wan(scene, &mut fabric, from, to, local_groups * bytes);
            add_bundles(scene, set, &mut fabric, |site, inside| {
                let part = |site_of_part: usize, members: f64| match site == site_of_part {
                    true => local_groups * bytes * inside / members,
                    false => 0.0,
                };
                (part(from, there), part(to, here))
            });
            flows.push(SiteFlow {
                nics: [
                    of(from)
                        .map(|domain| (domain, bytes / (in_group * there)))
                        .collect(),
                    of(to)
                        .map(|domain| (domain, bytes / (in_group * here)))
                        .collect(),
                ],
                fabric: fabric
                    .into_iter()
                    .enumerate()
                    .filter(|(_, bytes)| *bytes > 0.0)
                    .collect(),
                latency: between(scene, example, other).0,
            });
        }
    }
    Ok(flows)
}

pub(super) fn sites(scene: &Scene, sets: &[Vec<u32>], share: SiteShare) -> Result<UnitCost> {
    let machine = scene.machine;
    let (local_groups, in_group) = grid(scene)?;
    let domains = machine.num_domains() as usize;
    let mut nic = [vec![0.0; domains], vec![0.0; domains]];
    let mut fabric = vec![0.0; scene.fabric_links()];
    let mut unit_cost = UnitCost::default();
    for set in sets {
        let sites = by_site(machine, set);
        let mut flow = vec![(0.0, 0.0); machine.sites().len()];
        for (a, &(from, there, example)) in sites.iter().enumerate() {
            let mut messages = 0.0;
            for (b, &(to, here, other)) in sites.iter().enumerate() {
                let bytes = site_bytes(&sites, share, a, b);
                if bytes == 0.0 {
                    continue;
                }
                flow[from].0 += bytes;
                flow[to].1 += bytes;
                add_wan(scene, &mut fabric, from, to, local_groups * bytes);
                let (latency, bandwidth) = between(scene, example, other);
                unit_cost.note_zero_load(latency, bytes / (in_group * there.max(here)) / bandwidth);
                messages += (here / there).ceil();
            }
            unit_cost.overhead = unit_cost.overhead.max(messages * nic_of(scene).overhead);
            unit_cost.sent = unit_cost.sent.max(flow[from].0 / (in_group * there));
        }
        for &domain in set {
            let site = machine.site_of(domain);
            let there = sites
                .iter()
                .find(|entry| entry.0 == site)
                .map_or(1.0, |entry| entry.1);
            nic[0][domain as usize] += flow[site].0 / (in_group * there);
            nic[1][domain as usize] += flow[site].1 / (in_group * there);
        }
        add_bundles(scene, set, &mut fabric, |site, inside| {
            let there = sites
                .iter()
                .find(|entry| entry.0 == site)
                .map_or(1.0, |entry| entry.1);
            let part = local_groups * inside / there;
            (part * flow[site].0, part * flow[site].1)
        });
    }
    unit_cost.ledger.nic = nic.map(Loads::from);
    unit_cost.ledger.fabric = FabricLoads::of_list(&scene.blocks, &fabric);
    Ok(unit_cost)
}
