//! Collectives on damaged machines against the schedule written out, each message routed on its own.

use crate::common::{assert_close, tier};
use proptest::prelude::*;
use rainier_core::collective::{Choice, Groups, Model, Operation, Request, run, schedule};
use rainier_core::machine::{
    Axis, AxisKind, Domain, Faults, Machine, Nic, Site, Tier, Wan, WanShape,
};
use rainier_core::route::{Routing, walk};
use rainier_core::{Control, Error, Result};

pub(crate) fn machine(shape: &[u32], lines: u32, sites: &[(u32, Vec<Tier>)]) -> Machine {
    let axis = |(index, &size): (usize, &u32)| Axis {
        name: ["x", "y", "z", "w"][index].to_owned(),
        size,
        kind: if lines >> index & 1 == 1 {
            AxisKind::Line
        } else {
            AxisKind::Ring
        },
        bandwidth: [8e9, 8e9, 4e9, 2e9][index],
        latency: 1e-6,
    };
    let domain = Domain::new(shape.iter().enumerate().map(axis).collect()).unwrap();
    let nic = Nic {
        chips: 1,
        bandwidth: 1e9,
        latency: 2e-6,
        overhead: 0.0,
    };
    let site = |(index, (domains, tiers)): (usize, &(u32, Vec<Tier>))| Site {
        name: format!("site {index}"),
        domains: *domains,
        tiers: tiers.clone(),
    };
    let cells = sites.len() * sites.len();
    let wan = (sites.len() > 1).then(|| Wan {
        shape: WanShape::Mesh,
        bandwidth: vec![1e9; cells],
        latency: vec![1e-3; cells],
    });
    let sites = sites.iter().enumerate().map(site).collect();
    Machine::new(domain, 0.0, Some(nic), sites, wan).unwrap()
}

/// Where a rank runs: on its chip, or the nearest live one of its domain, the lowest of those equally near.
fn substitute(machine: &Machine, chip: u32) -> u32 {
    if !machine.is_dead_chip(chip) {
        return chip;
    }
    let domain = machine.domain();
    let first = chip - chip % domain.chips();
    let distance = |other: u32| -> u32 {
        let along = |(index, axis): (usize, &Axis)| {
            let apart = domain
                .coordinate(chip, index)
                .abs_diff(domain.coordinate(other, index));
            match axis.kind {
                AxisKind::Ring => apart.min(axis.size - apart),
                _ => apart,
            }
        };
        domain.axes().iter().enumerate().map(along).sum()
    };
    (first..first + domain.chips())
        .filter(|&other| !machine.is_dead_chip(other))
        .min_by_key(|&other| (distance(other), other))
        .unwrap()
}

/// Bytes on every link, message by message.
fn by_message(machine: &Machine, request: &Request) -> Result<Vec<f64>> {
    let groups = Groups::all(machine)?;
    let routing = Routing::default();
    let (_, schedule) = schedule(machine, &groups, &routing, request, &Control::default())?;
    let mut loads = vec![0.0; machine.num_links() as usize];
    for send in &schedule.sends {
        let chip = |rank: u32| substitute(machine, schedule.chips[rank as usize]);
        let (from, to) = (chip(send.src), chip(send.dst));
        if from != to {
            walk(machine, &routing, from, to, &mut |link, share| {
                loads[link as usize] += share * send.bytes;
            })?;
        }
    }
    Ok(loads)
}

fn machines() -> impl Strategy<Value = Machine> {
    let shape = prop_oneof![
        Just(vec![4, 4, 2]),
        Just(vec![3, 3]),
        Just(vec![4, 2, 2]),
        Just(vec![2, 2, 2, 2]),
        Just(vec![5, 3]),
        Just(vec![6]),
    ];
    let tiers = prop_oneof![Just(vec![]), Just(vec![tier(2)])];
    let sites = proptest::collection::vec((1u32..4, tiers), 1..3);
    (shape, 0u32..16, sites).prop_map(|(shape, lines, sites)| machine(&shape, lines, &sites))
}

/// Up to four of each kind, by random numbers.
#[derive(Debug, Clone)]
struct Dice {
    links: Vec<u64>,
    chips: Vec<u32>,
    nics: Vec<u32>,
    degraded: Vec<(u64, f64)>,
    domain: Option<u32>,
}

fn dice() -> impl Strategy<Value = Dice> {
    let several = 0usize..4;
    (
        proptest::collection::vec(any::<u64>(), several.clone()),
        proptest::collection::vec(any::<u32>(), 0..3),
        proptest::collection::vec(any::<u32>(), several.clone()),
        proptest::collection::vec((any::<u64>(), 0.1..1.0), several),
        proptest::option::weighted(0.2, any::<u32>()),
    )
        .prop_map(|(links, chips, nics, degraded, domain)| Dice {
            links,
            chips,
            nics,
            degraded,
            domain,
        })
}

fn damaged(machine: &Machine, dice: &Dice) -> Option<Machine> {
    let inside = u64::from(machine.num_domains()) * machine.domain().links();
    let nics = inside + 2 * u64::from(machine.num_chips());
    let pick = |list: &[u64], end: u64| {
        let mut out: Vec<u64> = list.iter().map(|number| number % end).collect();
        out.sort_unstable();
        out.dedup();
        out
    };
    let chips = |list: &[u32]| {
        let wide: Vec<u64> = list.iter().copied().map(u64::from).collect();
        let some = pick(&wide, u64::from(machine.num_chips()));
        some.into_iter().map(|chip| chip as u32).collect::<Vec<_>>()
    };
    let links = pick(&dice.links, inside);
    let mut degraded: Vec<(u64, f64)> = dice
        .degraded
        .iter()
        .map(|&(link, factor)| (link % nics, factor))
        .filter(|entry| !links.contains(&entry.0))
        .collect();
    degraded.sort_by_key(|entry| entry.0);
    degraded.dedup_by_key(|entry| entry.0);
    let faults = Faults {
        links,
        chips: chips(&dice.chips),
        nics: chips(&dice.nics),
        domains: dice
            .domain
            .iter()
            .map(|domain| domain % machine.num_domains())
            .collect(),
        sites: Vec::new(),
        degraded,
    };
    machine.clone().with_faults(faults).ok()
}

fn requests() -> impl Strategy<Value = (Operation, Choice)> {
    let named = |name: &str| Choice::Named(name.to_owned());
    prop_oneof![
        Just((Operation::AllReduce, Choice::Auto)),
        Just((Operation::AllReduce, named("hierarchical"))),
        Just((Operation::AllReduce, named("ring"))),
        Just((Operation::AllReduce, named("double_binary_tree"))),
        Just((Operation::ReduceScatter, named("hierarchical"))),
        Just((Operation::AllGather, named("hierarchical"))),
        Just((Operation::AllToAll, Choice::Auto)),
        Just((Operation::AllToAll, named("direct"))),
        Just((Operation::Broadcast, Choice::Auto)),
        Just((Operation::Reduce, Choice::Auto)),
    ]
}

/// Rings on every tier that the machine has.
fn rings(machine: &Machine) -> Choice {
    let sites = machine.sites();
    let tiers = [
        true,
        sites.iter().any(|site| site.domains > 1),
        sites.len() > 1,
    ];
    let tiers = tiers.iter().filter(|there| **there).count();
    match tiers {
        1 => Choice::Named("ring".to_owned()),
        _ => {
            let mut names = vec!["ring".to_owned(); tiers];
            if sites.len() > 1 {
                names[tiers - 1] = "mesh".to_owned();
            }
            Choice::Tiers(names)
        }
    }
}

proptest! {
    // Other ones at each run; as many more as PROPTEST_CASES says.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(400)))]

    #[test]
    fn loads_are_those_of_the_messages_one_by_one(
        whole in machines(),
        dice in dice(),
        (operation, algorithm) in requests(),
    ) {
        let Some(machine) = damaged(&whole, &dice) else { return Ok(()) };
        let request = Request { algorithm, ..Request::new(operation, 1e6) };
        let (groups, routing) = (Groups::all(&machine).unwrap(), Routing::default());
        let outcome = run(&machine, &groups, &routing, &request, &Control::default());
        let slow = by_message(&machine, &request);
        match (outcome, slow) {
            (Ok(outcome), Ok(slow)) => {
                let loads = outcome.link_loads(&machine, &routing, &Control::default()).unwrap();
                assert_close(&loads, &slow, &format!("{request:?} {:?}", machine.faults()));
                let busiest = slow
                    .iter()
                    .zip(machine.link_bandwidths().unwrap())
                    .map(|(bytes, bandwidth)| bytes / bandwidth)
                    .fold(0.0, f64::max);
                prop_assert!(outcome.time >= busiest * (1.0 - 1e-12));
                prop_assert!(outcome.lower_bound() <= outcome.time * (1.0 + 1e-9),
                    "bound {:?} of {}: {:?}", outcome.bounds, outcome.time, machine.faults());
                if let Some(worst) = &outcome.bottleneck {
                    let there = slow[worst.link as usize] / machine.link_numbers(worst.link).0;
                    prop_assert!((there - busiest).abs() <= 1e-9 * busiest, "{worst:?}");
                    prop_assert!(!machine.is_dead_link(worst.link));
                }
                for (link, bytes) in (0u64..).zip(&slow) {
                    prop_assert!(*bytes == 0.0 || !machine.is_dead_link(link), "dead link {link}");
                }
            }
            (Err(Error::Unreachable { .. }), Err(Error::Unreachable { .. })) => {}
            (Err(Error::Unsupported { .. }), Err(Error::Unsupported { .. })) => {}
            (fast, slow) => prop_assert!(
                false,
                "{request:?} {:?}: {:?} against {:?}",
                machine.faults(),
                fast.map(|outcome| outcome.algorithm),
                slow.map(|_| ())
            ),
        }
    }

    #[test]
    fn a_fault_never_makes_a_named_algorithm_faster_nor_a_bound_lower(
        whole in machines(),
        dice in dice(),
    ) {
        let dice = Dice { chips: Vec::new(), domain: None, ..dice };
        let Some(machine) = damaged(&whole, &dice) else { return Ok(()) };
        let request = Request {
            algorithm: rings(&whole),
            model: Model::LinkLoad,
            ..Request::new(Operation::AllReduce, 1e6)
        };
        let (groups, routing) = (Groups::all(&whole).unwrap(), Routing::default());
        let of = |machine: &Machine| run(machine, &groups, &routing, &request, &Control::default());
        let before = of(&whole).unwrap();
        if let Ok(after) = of(&machine) {
            prop_assert!(after.time >= before.time * (1.0 - 1e-12));
            prop_assert!(after.lower_bound() >= before.lower_bound() * (1.0 - 1e-12));
        }
    }
}
