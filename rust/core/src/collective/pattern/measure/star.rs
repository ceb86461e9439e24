//! What a root sends to all others of its set of domains, or they to it, counted by stretches of domains and bundles.

use super::fabric::nic_of;
use super::row::{Row, range, regions, sum};
use super::sets::{Bytes, inside};
use crate::Result;
use crate::collective::pattern::comb::{Comb, combs_of};
use crate::collective::pattern::loads::{Loads, Runs};
use crate::collective::pattern::rule::Star;
use crate::collective::pattern::scene::{PathCost, Scene};
use crate::collective::pattern::unit_cost::UnitCost;

/// The same as [`super::fabric::star`]: `locals` are members of each local group, and its root.
pub(super) fn star(scene: &Scene, stars: &[Star], locals: &[(Vec<u32>, u32)]) -> Result<UnitCost> {
    let mut unit_cost = UnitCost::default();
    let [roots, leaves] = ends(scene, stars);
    let mut at_roots = Loads::default();
    at_roots.add(&roots, locals[0].0.len() as f64);
    let outward = stars.iter().all(|star| star.outward);
    let busiest = at_roots.peak(&Loads::default(), |value, _| value).1;
    unit_cost.sent = if outward { busiest } else { 1.0 };
    unit_cost.overhead = unit_cost.sent * nic_of(scene).overhead;
    fabric(scene, stars, scene.members_per_domain(), &mut unit_cost)?;
    let (root_side, leaf_side) = if outward { (0, 1) } else { (1, 0) };
    unit_cost.ledger.nic[leaf_side] = leaves;
    for (_, root) in locals {
        unit_cost.ledger.single_nics[root_side].insert(*root, at_roots.clone());
    }
    Ok(unit_cost)
}

/// The messages of each root and of each other domain.
pub(super) fn ends(scene: &Scene, stars: &[Star]) -> [Loads; 2] {
    let row = Row::single(scene.machine.num_domains());
    let mut loads = [Loads::default(), Loads::default()];
    for star in stars {
        let leaves: Vec<Comb> = star.leaves((0, i64::MAX / 2));
        let count: i64 = leaves.iter().map(Comb::len).sum();
        loads[1].add(&sum(row, leaves.iter().map(|comb| (comb, 1.0))), 1.0);
        let mut root = Runs::default();
        root.push(star.root as usize, 0.0);
        root.push(1, count as f64);
        loads[0].add(&root.into(), 1.0);
    }
    loads
}

/// Notes what goes over the fabric, with so many messages between a root and another domain, and how long.
pub(super) fn fabric(
    scene: &Scene,
    stars: &[Star],
    messages: f64,
    unit_cost: &mut UnitCost,
) -> Result<()> {
    let mut bytes = Bytes::new(scene);
    for star in stars {
        scene.control.check()?;
        star_bytes(&mut bytes, star, messages);
        note(scene, star, unit_cost)?;
    }
    bytes.note(unit_cost);
    Ok(())
}

/// Sets with their roots as few combs each; `None` where that is no gain.
pub(super) fn stars(sets: &[(Vec<u32>, u32)], outward: bool) -> Option<Vec<Star>> {
    let domains: Vec<&[u32]> = sets.iter().map(|set| set.0.as_slice()).collect();
    let roots = sets.iter().map(|set| i64::from(set.1));
    let stars = combs_of(&domains)?.into_iter().zip(roots);
    let star = |(members, root)| Star {
        members,
        root,
        outward,
    };
    Some(stars.map(star).collect())
}

fn count(combs: &[Comb]) -> f64 {
    combs.iter().map(Comb::len).sum::<i64>() as f64
}

fn star_bytes(bytes: &mut Bytes, star: &Star, messages: f64) {
    let machine = bytes.scene.machine;
    let home = machine.site_of(star.root as u32);
    let all = count(&star.leaves((0, i64::MAX / 2)));
    let (root_side, leaf_side) = if star.outward { (0, 1) } else { (1, 0) };
    for (site, definition) in machine.sites().iter().enumerate() {
        let here = range(machine, site);
        if site != home {
            let (from, to) = if star.outward {
                (home, site)
            } else {
                (site, home)
            };
            bytes.wan(from, to, messages * count(&star.leaves(here)));
        }
        for (tier, shape) in definition.tiers.iter().enumerate() {
            let group = i64::from(shape.group);
            let block = bytes.scene.block(site, tier);
            let mut outside = star.leaves(here);
            if site == home {
                let at = (star.root - here.0) / group;
                let own = here.0 + at * group;
                outside = star.leaves((here.0, own));
                outside.extend(star.leaves((own + group, here.1)));
                let mut root = Runs::default();
                root.push(at as usize, 0.0);
                let near = count(&star.leaves((own, (own + group).min(here.1))));
                root.push(1, messages * (all - near));
                bytes.fabric[block + root_side].add(&root.into(), 1.0);
            }
            let inside = inside(machine, &outside, site, tier);
            bytes.fabric[block + leaf_side].add(&inside, messages);
        }
    }
}

/// Notes how long messages take alone: alike are those that climb as many tiers, to groups that are whole or cut short
/// alike.
fn note(scene: &Scene, star: &Star, unit_cost: &mut UnitCost) -> Result<()> {
    let machine = scene.machine;
    let mut note = |cost: PathCost| unit_cost.note_zero_load(cost.latency, 1.0 / cost.bandwidth);
    if scene.is_fabric_damaged() {
        for leaf in star.leaves((0, i64::MAX / 2)).iter().flat_map(Comb::list) {
            scene.control.check()?;
            let (from, to) = star.directed(star.root as u32, leaf as u32);
            note(scene.path(from, to, |_| ()));
        }
        return Ok(());
    }
    let home = machine.site_of(star.root as u32);
    let holds = |(low, high): (i64, i64)| low <= star.root && star.root < high;
    let cuts = regions(machine, home);
    let own_cut = cuts
        .iter()
        .find(|region| holds(region.0))
        .map_or(0, |region| region.1);
    for site in 0..machine.sites().len() {
        for (region, cut) in regions(machine, site) {
            let cut = star.directed(own_cut, cut);
            if site != home {
                let (from, to) = star.directed(home, site);
                if count(&star.leaves(region)) > 0.0 {
                    note(scene.path_between(from, to, cut));
                }
                continue;
            }
            // Those in the root's group of a tier but not in that of the tier below climb to that one.
            let (first, end) = range(machine, site);
            let mut below = 0.0;
            let tiers = machine.sites()[site]
                .tiers
                .iter()
                .map(|tier| i64::from(tier.group));
            for (climb, group) in tiers.chain([end - first]).enumerate() {
                let own = first + (star.root - first) / group * group;
                let (low, high) = (own.max(region.0), (own + group).min(region.1));
                let within = count(&star.leaves((low, high)));
                if within > below {
                    note(scene.path_inside(site, climb, cut));
                }
                below = within;
            }
        }
    }
    Ok(())
}
