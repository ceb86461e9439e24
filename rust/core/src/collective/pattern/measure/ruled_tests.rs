//! Messages by rule cost what their list costs, bit for bit: over any fabric, sites and groups.

use super::{fabric, ruled, sets, star};
use crate::Control;
use crate::collective::ask::group::Groups;
use crate::collective::pattern::kind::SiteShare;
use crate::collective::pattern::ledger::Ledger;
use crate::collective::pattern::loads::Loads;
use crate::collective::pattern::pairs::{Pairs, Sends};
use crate::collective::pattern::rule::{Order, Rule};
use crate::collective::pattern::scene::Scene;
use crate::collective::pattern::spacing::Spacing;
use crate::collective::pattern::unit_cost::UnitCost;
use crate::machine::{Axis, AxisKind, Domain, Faults, Machine, Nic, Site, Tier, Wan, WanShape};
use crate::route::Routing;
use proptest::prelude::*;
use std::sync::Arc;

/// Domains of a site; and of each tier by how much it is larger than the one below, and its oversubscription.
type Place = (u32, Vec<(u32, f64)>);

fn machine(sites: &[Place], hub: bool) -> Machine {
    let axis = Axis {
        name: "x".to_owned(),
        size: 3,
        kind: AxisKind::Ring,
        bandwidth: 100e9,
        latency: 1e-6,
    };
    let nic = Nic {
        chips: 1,
        bandwidth: 25e9,
        latency: 7e-6,
        overhead: 1e-6,
    };
    let site = |(at, (domains, tiers)): (usize, &Place)| {
        let mut group = 1;
        let tiers = tiers.iter().map(|&(factor, oversubscription)| {
            group *= factor;
            Tier {
                group,
                oversubscription,
                latency: 1e-6 * oversubscription,
            }
        });
        Site {
            name: format!("site {at}"),
            domains: *domains,
            tiers: tiers.collect(),
        }
    };
    let shape = if hub { WanShape::Hub } else { WanShape::Mesh };
    let cells = if hub {
        sites.len()
    } else {
        sites.len() * sites.len()
    };
    let wan = Wan {
        shape,
        bandwidth: (0..cells).map(|cell| 1e10 * (cell + 1) as f64).collect(),
        latency: (0..cells).map(|cell| 1e-3 * (cell + 1) as f64).collect(),
    };
    let domain = Domain::new(vec![axis]).expect("sound");
    let sites = sites.iter().enumerate().map(site).collect();
    Machine::new(domain, 0.0, Some(nic), sites, Some(wan)).expect("sound")
}

/// Groups of domains: all of them in a row, digits of their numbers, or any; each perhaps turned.
fn groups() -> impl Strategy<Value = (usize, usize, usize, Vec<usize>, bool)> {
    let turns = proptest::collection::vec(0usize..50, 1..4);
    (1usize..9, 1usize..5, 1usize..4, turns, any::<bool>())
}

fn placed(domains: usize, by: &(usize, usize, usize, Vec<usize>, bool)) -> Vec<Vec<u32>> {
    let &(size, stride, _, ref turns, any) = by;
    let size = size * by.2 * by.2;
    let block = size * stride;
    let mut groups = Vec::new();
    for outer in 0..domains / block {
        for inner in 0..stride {
            // One digit, or a low one, the number of the group, and a high one.
            let low = if turns.len() > 1 { by.2 } else { 1 };
            let own =
                |rank: usize| outer * block + rank % low + inner * low + rank / low * low * stride;
            let mut group: Vec<u32> = (0..size).map(|rank| own(rank) as u32).collect();
            if any && groups.len() % 2 == 1 && stride > 1 {
                // In no order that is spaced evenly.
                group.reverse();
            } else {
                group.rotate_left(turns[groups.len() % turns.len()] % size);
            }
            groups.push(group);
        }
    }
    if groups.is_empty() {
        groups.push((0..domains as u32).collect());
    }
    groups
}

/// Each kind of rule over so many ranks.
fn sends(kind: usize, ranks: u32, by: i64) -> Sends {
    let listed = |list: Vec<(u32, u32)>, rule: Rule| {
        let count = list.len();
        Sends::Lazy {
            count,
            make: Arc::new(move || list.clone()),
            rule: None,
        }
        .ruled(rule)
    };
    let bits = ranks.ilog2();
    match kind {
        0 => Sends::turn(ranks, by, Order::Senders),
        1 => Sends::turn(ranks, by, Order::Receivers),
        2 if bits > 0 => {
            let bit = by.unsigned_abs() as u32 % bits;
            let list = (0..1 << bits).map(|rank| (rank, rank ^ (1 << bit)));
            listed(list.collect(), Rule::bit(bits, bit))
        }
        3 if bits > 0 => {
            let size = 1i64 << bits;
            let to = |rank: i64| (rank + if rank % 2 == 0 { by } else { -by }).rem_euclid(size);
            let list = (0..size).map(|rank| (rank as u32, to(rank) as u32));
            listed(list.collect(), Rule::swing(1 << bits, by))
        }
        4 => {
            let first = (by.unsigned_abs() as u32 % ranks).max(1);
            let list: Vec<(u32, u32)> = (first..ranks).map(|rank| (rank, rank % first)).collect();
            let back = list.iter().map(|&(a, b)| (b, a)).collect();
            let rule = Rule::fold(first, ranks);
            match by > 0 {
                true => listed(list, rule),
                false => listed(back, rule.back()),
            }
        }
        5 => {
            let reach = 1 << (by.unsigned_abs() % 8);
            let count = if reach < ranks {
                (ranks - reach - 1) / (2 * reach) + 1
            } else {
                0
            };
            match by > 3 {
                true => Sends::spaced(ranks, [0, 2 * reach, count], i64::from(reach)),
                false => Sends::spaced(ranks, [reach, 2 * reach, count], -i64::from(reach)),
            }
        }
        6 => {
            let root = by.unsigned_abs() as u32 % ranks;
            let others = (0..ranks).filter(|&rank| rank != root);
            let pair = |rank| {
                if by % 2 == 0 {
                    (root, rank)
                } else {
                    (rank, root)
                }
            };
            listed(
                others.map(pair).collect(),
                Rule::star(ranks, root, by % 2 == 0),
            )
        }
        7 => {
            let ahead = (by.unsigned_abs() as u32).min(ranks - 1);
            let back = ranks - 1 - ahead;
            let mut list: Vec<(u32, u32)> = (0..ahead).map(|rank| (rank, rank + 1)).collect();
            list.extend((0..back).map(|hop| ((ranks - hop) % ranks, ranks - hop - 1)));
            listed(list, Rule::chain(ranks, ahead, back))
        }
        _ => {
            let turn = |by: i64| Rule::turn(ranks, by, Order::Senders);
            let ahead = |rank: i64, by: i64| (rank + by).rem_euclid(i64::from(ranks)) as u32;
            let both = |rank: u32| [by, -by].map(|by| (rank, ahead(i64::from(rank), by)));
            listed((0..ranks).flat_map(both).collect(), turn(by).and(turn(-by)))
        }
    }
}

/// The bits of what is not zero: nothing may be left out.
fn bits(loads: &Loads) -> Vec<(usize, u64)> {
    let values = loads.values().enumerate().filter(|value| value.1 != 0.0);
    values.map(|(at, value)| (at, value.to_bits())).collect()
}

fn compare(found: &UnitCost, listed: &UnitCost) -> Result<(), TestCaseError> {
    let numbers = |cost: &UnitCost| [cost.sent, cost.overhead, cost.latency].map(f64::to_bits);
    prop_assert_eq!(numbers(found), numbers(listed));
    let sorted = |cost: &UnitCost| {
        let mut all = cost.zero_load.clone();
        all.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
        all
    };
    prop_assert_eq!(sorted(found), sorted(listed));
    let (found, listed) = (&found.ledger, &listed.ledger);
    let links = |ledger: &Ledger| -> Vec<(usize, u64)> {
        let links = ledger.fabric.values().filter(|link| link.1 != 0.0);
        links.map(|(link, bytes)| (link, bytes.to_bits())).collect()
    };
    prop_assert_eq!(links(found), links(listed));
    for direction in 0..2 {
        prop_assert_eq!(bits(&found.nic[direction]), bits(&listed.nic[direction]));
        let singles = |ledger: &Ledger| -> Vec<(u32, Vec<(usize, u64)>)> {
            let nics = ledger.single_nics[direction].iter();
            nics.map(|(&nic, loads)| (nic, bits(loads))).collect()
        };
        prop_assert_eq!(singles(found), singles(listed));
    }
    Ok(())
}

/// Sites of so many domains, with the factors of their tiers' groups and what those are oversubscribed by.
type Shapes = Vec<(u32, Vec<(u32, f64)>)>;

fn shapes() -> impl Strategy<Value = Shapes> {
    let tier = (1u32..5, prop_oneof![Just(1.0), Just(1.5)]);
    let tiers = proptest::collection::vec(tier, 0..4);
    proptest::collection::vec((1u32..70, tiers), 1..4)
}

proptest! {
    #[test]
    fn sets_cost_what_their_domains_cost(
        (shapes, hub, by) in (shapes(), any::<bool>(), groups()),
        (holes, spread, share) in (proptest::collection::vec(0usize..200, 0..3), any::<bool>(), 0usize..4),
    ) {
        let machine = machine(&shapes, hub);
        let mut domains = placed(machine.num_domains() as usize, &by);
        let fewest = domains[0].len() - holes.len().min(domains[0].len() - 1);
        for set in &mut domains {
            set.sort_unstable();
            for hole in &holes {
                if set.len() > fewest {
                    set.remove(hole % set.len());
                }
            }
        }
        let (routing, control) = (Routing::default(), Control::default());
        let groups = Groups::Grid {
            locals: vec![vec![0, 1], vec![2, 2]],
            domains: domains.clone(),
        };
        let scene = Scene::new(&machine, &routing, &groups, &control).expect("sound");
        let domains: Arc<[Vec<u32>]> = domains.into();
        let Some(combs) = scene.combs(&domains) else { return Ok(()) };
        let found = sets::exchange(&scene, &combs, spread).expect("measurable");
        compare(&found, &fabric::exchange(&scene, &domains, spread).expect("measurable"))?;
        let share = [SiteShare::Equal, SiteShare::Next, SiteShare::Receiver, SiteShare::Sender][share];
        let at = holes.first().copied().unwrap_or(1);
        let roots = domains.iter().map(|set| (set.clone(), set[at % set.len()]));
        let roots: Vec<(Vec<u32>, u32)> = roots.collect();
        let locals = [(vec![0, 1], 1), (vec![2, 2], 2)];
        let stars = star::stars(&roots, spread).expect("as few");
        let found = star::star(&scene, &stars, &locals).expect("measurable");
        let listed = fabric::star(&scene, &roots, &locals, spread).expect("measurable");
        compare(&found, &listed)?;
        let found = sets::sites(&scene, &combs, share).expect("measurable");
        compare(&found, &fabric::sites(&scene, &domains, share).expect("measurable"))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn a_rule_costs_what_its_list_costs(
        sites in shapes(),
        (hub, single, dead) in (any::<bool>(), any::<bool>(), any::<bool>()),
        by in groups(),
        (kind, ahead) in (0usize..9, prop_oneof![-3i64..40, Just(1), Just(2), Just(4), Just(16)]),
    ) {
        let mut machine = machine(&sites, hub);
        let first = machine.blocks().fabric[0];
        if dead && machine.num_links() > first {
            let faults = Faults {
                degraded: vec![(first, 0.5)],
                ..Faults::default()
            };
            machine = machine.with_faults(faults).expect("a link of the machine");
        }
        let sets = placed(machine.num_domains() as usize, &by);
        let ranks = sets[0].len() as u32;
        let sends = sends(kind, ranks, ahead);
        let spacing = Spacing::of(&sets);
        prop_assert!(spacing.is_some() || by.4);
        let sets: Arc<[Vec<u32>]> = sets.into();
        let pairs = Pairs::of(&sets, &sends, spacing.as_ref());
        let routing = Routing::default();
        let (groups, control) = (Groups::all(&machine).expect("small"), Control::default());
        let scene = Scene::new(&machine, &routing, &groups, &control).expect("sound");
        let nics: Option<&[(u32, u32)]> = if single { Some(&[(0, 1), (2, 0)]) } else { None };
        let Some(flows) = pairs.flows().filter(|_| pairs.len() > 0) else { return Ok(()) };
        let found = ruled::ruled(&scene, flows, nics).expect("measurable");
        let listed = fabric::rails(&scene, &pairs.list(), nics).expect("measurable");
        compare(&found, &listed)?;
        for &(from, to) in pairs.list().iter().take(100) {
            prop_assert_eq!(scene.path_cost(from, to), scene.path(from, to, |_| ()));
        }
    }
}
