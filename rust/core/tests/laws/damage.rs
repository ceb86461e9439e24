//! Collectives on damaged machines against the schedule written out, each message routed on its own.

use crate::common::{assert_close, tier};
use proptest::prelude::*;
use rainier_core::collective::{Choice, Groups, Model, Operation, Request, run, schedule};
use rainier_core::machine::{
    Axis, AxisKind, Domain, Faults, Machine, Nic, Site, Tier, Wan, WanShape,
};
use rainier_core::route::{Routing, walk};
use rainier_core::{Control, Error, Result};

fn machine(shape: &[u32], lines: u32, sites: &[(u32, Vec<Tier>)]) -> Machine {
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
    #![proptest_config(ProptestConfig { cases: 1600, ..ProptestConfig::default() })]

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
                let loads = outcome.link_loads(&machine, &routing).unwrap();
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

/// Two sites of two domains in a bundle each, with `faults` of which links count from the first fabric link.
fn between(dead: &[u64], slow: &[(u64, f64)]) -> Machine {
    let whole = machine(&[4], 0, &[(4, vec![tier(2)]), (2, vec![tier(2)])]);
    let nics =
        u64::from(whole.num_domains()) * whole.domain().links() + 2 * u64::from(whole.num_chips());
    let faults = Faults {
        links: dead.iter().map(|link| nics + link).collect(),
        degraded: slow.iter().map(|&(link, by)| (nics + link, by)).collect(),
        ..Faults::default()
    };
    whole.with_faults(faults).unwrap()
}

fn asked(machine: &Machine, routing: &Routing, request: &Request) -> Result<(f64, Vec<f64>)> {
    let groups = Groups::all(machine)?;
    let outcome = run(machine, &groups, routing, request, &Control::default())?;
    assert!(outcome.lower_bound() <= outcome.time * (1.0 + 1e-9));
    Ok((outcome.time, outcome.link_loads(machine, routing)?))
}

#[test]
fn no_model_passes_a_dead_bundle_however_little_is_sent() {
    let machine = between(&[0], &[]);
    for model in [Model::AlphaBeta, Model::LinkLoad, Model::Fluid] {
        for (operation, size) in [
            (Operation::AllReduce, 1e6),
            (Operation::AllReduce, 0.0),
            (Operation::Barrier, 0.0),
        ] {
            let request = Request {
                model,
                ..Request::new(operation, size)
            };
            let answer = asked(&machine, &Routing::default(), &request);
            assert!(
                matches!(answer, Err(Error::Unreachable { .. })),
                "{model:?} {operation:?} {size}: {answer:?}"
            );
        }
    }
}

#[test]
fn an_algorithm_that_needs_no_dead_bundle_is_found() {
    // Nothing goes up from the first bundle of the first site, where the root of a reduction is.
    let machine = between(&[0], &[]);
    for model in [Model::AlphaBeta, Model::LinkLoad, Model::Fluid] {
        let request = Request {
            model,
            ..Request::new(Operation::Gather, 1e6)
        };
        let (_, loads) = asked(&machine, &Routing::default(), &request).unwrap();
        for (link, bytes) in (0u64..).zip(loads) {
            assert!(bytes == 0.0 || !machine.is_dead_link(link), "{model:?}");
        }
    }
}

#[test]
fn fair_sharing_sees_one_slower_bundle() {
    let request = Request {
        model: Model::Fluid,
        ..Request::new(Operation::AllToAll, 1e6)
    };
    let whole = asked(&between(&[], &[]), &Routing::default(), &request).unwrap();
    for link in 0..4 {
        let machine = between(&[], &[(link, 0.01)]);
        let (time, loads) = asked(&machine, &Routing::default(), &request).unwrap();
        let busiest = loads
            .iter()
            .zip(machine.link_bandwidths().unwrap())
            .map(|(bytes, bandwidth)| bytes / bandwidth)
            .fold(0.0, f64::max);
        assert!(time > whole.0 && time >= busiest * (1.0 - 1e-9), "{link}");
    }
}

#[test]
fn a_dead_link_turns_messages_about_that_do_not_pass_it() {
    let whole = machine(&[2, 2, 2], 0, &[(1, vec![])]);
    let request = Request::new(Operation::AllToAll, 1e6);
    let groups = Groups::all(&whole).unwrap();
    for link in 0..whole.domain().links() {
        let faults = Faults {
            links: vec![link],
            ..Faults::default()
        };
        let machine = whole.clone().with_faults(faults).unwrap();
        let routing = Routing::UpDown;
        let request = Request {
            algorithm: Choice::Named("direct".to_owned()),
            ..request.clone()
        };
        let outcome = run(&machine, &groups, &routing, &request, &Control::default()).unwrap();
        let mut slow = vec![0.0; machine.num_links() as usize];
        let chips = machine.num_chips();
        for (src, dst) in (0..chips).flat_map(|src| (0..chips).map(move |dst| (src, dst))) {
            walk(&machine, &routing, src, dst, &mut |link, share| {
                slow[link as usize] += share * 1e6 / f64::from(chips);
            })
            .unwrap();
        }
        let loads = outcome.link_loads(&machine, &routing).unwrap();
        assert_close(&loads, &slow, &format!("link {link}"));
    }
}

#[test]
fn where_nothing_moves_nothing_is_loaded() {
    let machine = between(&[], &[]);
    let faults = Faults {
        domains: vec![1],
        ..Faults::default()
    };
    let machine = machine.with_faults(faults).unwrap();
    let groups = Groups::of_chips(&machine, &[5]).unwrap();
    let request = Request::new(Operation::AllReduce, 1e6);
    let routing = Routing::default();
    let outcome = run(&machine, &groups, &routing, &request, &Control::default()).unwrap();
    let loads = outcome.link_loads(&machine, &routing).unwrap();
    assert!(loads.iter().all(|&bytes| bytes == 0.0));
}

#[test]
fn one_chip_that_plays_every_rank_takes_no_time() {
    let whole = machine(&[4, 3], 0, &[(1, vec![])]);
    let faults = Faults {
        chips: (1..12).collect(),
        ..Faults::default()
    };
    let machine = whole.clone().with_faults(faults).unwrap();
    let groups = Groups::all(&whole).unwrap();
    for operation in [
        Operation::AllReduce,
        Operation::AllToAll,
        Operation::Broadcast,
    ] {
        let request = Request::new(operation, 1e6);
        let routing = Routing::default();
        let outcome = run(&machine, &groups, &routing, &request, &Control::default()).unwrap();
        assert_eq!((outcome.time, outcome.lower_bound()), (0.0, 0.0));
    }
}

#[test]
fn a_substitute_has_what_its_other_ranks_bring_the_root() {
    // The links of a chip carry little beside its NIC.
    let axis = Axis {
        name: "x".to_owned(),
        size: 2,
        kind: AxisKind::Line,
        bandwidth: 1e7,
        latency: 0.0,
    };
    let nic = Nic {
        bandwidth: 1e9,
        latency: 0.0,
        overhead: 0.0,
    };
    let site = Site {
        name: "s".to_owned(),
        domains: 2,
        tiers: vec![],
    };
    let domain = Domain::new(vec![axis]).unwrap();
    let faults = Faults {
        chips: vec![0],
        ..Faults::default()
    };
    let machine = Machine::new(domain, 0.0, Some(nic), vec![site], None).unwrap();
    let machine = machine.with_faults(faults).unwrap();
    for operation in [Operation::Gather, Operation::Scatter] {
        let (time, _) =
            asked(&machine, &Routing::default(), &Request::new(operation, 1e9)).unwrap();
        assert_eq!(time, 0.5);
    }
}
