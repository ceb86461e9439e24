//! Synthesised schedules: proved by the verifier, near what no schedule beats, on whole and on damaged graphs.

use proptest::prelude::*;
use rainier_core::collective::{Model, Operation, run_schedule};
use rainier_core::machine::{Axis, AxisKind, Domain, End, Faults, Machine, Site};
use rainier_core::route::Routing;
use rainier_core::schedule::verify;
use rainier_core::synthesize::{
    Network, Pace, SynthesisRequest, Wire, floor, live_graph, synthesize, write,
};
use rainier_core::{Control, Error};

const GIB: f64 = 1073741824.0;
const ALL: [Operation; 3] = [
    Operation::AllGather,
    Operation::ReduceScatter,
    Operation::AllReduce,
];

fn torus(shape: &[u32], bandwidths: &[f64], latency: f64) -> Machine {
    let axes = shape.iter().zip(bandwidths).zip(["x", "y", "z", "w"]);
    let axes = axes
        .map(|((&size, &bandwidth), name)| Axis {
            name: name.to_owned(),
            size,
            kind: AxisKind::Ring,
            bandwidth,
            latency,
        })
        .collect();
    let site = Site {
        name: "here".to_owned(),
        domains: 1,
        tiers: Vec::new(),
    };
    Machine::new(Domain::new(axes).unwrap(), 0.0, None, vec![site], None).unwrap()
}

fn ultraserver() -> Machine {
    torus(&[4, 4, 4], &[128e9, 128e9, 64e9], 1.5e-6)
}

fn network(machine: &Machine) -> Network {
    let chips: Vec<u32> = (0..machine.num_chips()).collect();
    live_graph(machine, &chips, &Control::default()).unwrap()
}

fn without(network: &Network, dead: &[u32]) -> Network {
    let mut links = Vec::new();
    for (place, wire) in network.links.iter().enumerate() {
        if !dead.contains(&(place as u32)) {
            links.push(*wire);
        }
    }
    Network {
        links,
        ..network.clone()
    }
}

fn ask(operation: Operation, size: f64, chunks: Option<u32>) -> SynthesisRequest {
    SynthesisRequest {
        operation,
        size,
        chunks,
        pace: Pace::Rounds,
        seed: 0,
    }
}

fn quiet() -> Control {
    Control::default()
}

#[test]
fn tacos_unit_cases_take_the_rounds_of_the_degree() {
    // astra-sim/tacos, its unit tests: 0.5 us and 50 GB/s a link, of which a GB is 2^30 bytes.
    for (shape, size, chunks, rounds, us) in [
        ([3, 3, 3], GIB, 1, 5, 3706.20),
        ([3, 4, 5], 2.0 * GIB, 2, 20, 6676.67),
    ] {
        let machine = torus(&shape, &[50.0 * GIB; 3], 0.5e-6);
        let network = network(&machine);
        let wanted = ask(Operation::AllGather, size, Some(chunks));
        let found = synthesize(&network, &wanted, &quiet()).unwrap();
        found.check(&network).unwrap();
        let plan = found.gather.unwrap();
        assert_eq!((plan.rounds(), plan.least_rounds()), (rounds, Some(rounds)));
        assert!(
            (plan.makespan * 1e6 - us).abs() < 0.005,
            "{}",
            plan.makespan
        );
    }
}

/// An UltraServer without the +z link of chip 5, and without both directions of that cable.
fn damaged_networks() -> Vec<Network> {
    let whole = network(&ultraserver());
    let cable: Vec<u32> = (0..whole.links.len() as u32)
        .filter(|&place| {
            let wire = whole.links[place as usize];
            [(5, 21), (21, 5)].contains(&(wire.from, wire.to))
        })
        .collect();
    assert_eq!(cable.len(), 2);
    vec![without(&whole, &cable[..1]), without(&whole, &cable)]
}

#[test]
fn a_dead_cable_costs_little_more_than_the_bound() {
    for network in [vec![network(&ultraserver())], damaged_networks()].concat() {
        for operation in ALL {
            let found = synthesize(&network, &ask(operation, GIB, None), &quiet()).unwrap();
            found.check(&network).unwrap();
            let least =
                floor(&network, operation, GIB, &Control::default()).expect("not cancelled");
            let ratio = found.seconds() / least.seconds;
            assert!((1.0..1.04).contains(&ratio), "{ratio} of {}", least.what);
            let (schedule, _) = write(&network, &found, operation, GIB, &quiet()).unwrap();
            verify(&schedule, &quiet()).unwrap();
            // Between neighbours the healthy machine's routes are the links that the schedule means.
            let machine = ultraserver();
            for model in [Model::LinkLoad, Model::Fluid] {
                let answer =
                    run_schedule(&machine, &schedule, &Routing::default(), model, &quiet())
                        .unwrap();
                assert!(answer.time <= found.seconds() * (1.0 + 1e-9));
                assert!(answer.time >= least.seconds);
            }
        }
    }
}

/// A random network in which every rank reaches every other: a torus or a circle with chords, up to a fifth of whose
/// links are gone.
fn damaged() -> impl Strategy<Value = Network> {
    let shapes = prop_oneof![
        Just(vec![2, 3]),
        Just(vec![4, 4]),
        Just(vec![5]),
        Just(vec![3, 2, 2]),
        Just(vec![2]),
    ];
    let seeds = prop::collection::vec(any::<u64>(), 1..12);
    (shapes, seeds, any::<bool>()).prop_map(|(shape, seeds, uneven)| {
        let whole = network(&torus(&shape, &[100.0; 3], 0.25));
        let mut left = whole.clone();
        let count = whole.links.len() as u64;
        for &seed in seeds.iter().take(whole.links.len() / 5) {
            let fewer = without(&left, &[(seed % count) as u32]);
            if fewer.check(&Control::default()).is_ok() {
                left = fewer;
            }
        }
        for (place, wire) in left.links.iter_mut().enumerate().filter(|_| uneven) {
            wire.bandwidth *= [1.0, 0.37, 0.05][seeds[place % seeds.len()] as usize % 3];
        }
        left
    })
}

proptest! {
    #[test]
    fn any_connected_graph_gets_a_proper_schedule(
        network in damaged(),
        operation in prop::sample::select(&ALL),
        chunks in 1u32..4,
        seed: u64,
        either: bool,
    ) {
        let pace = if either { Pace::Either } else { Pace::Rounds };
        let wanted = SynthesisRequest { seed, pace, ..ask(operation, 900.0, Some(chunks)) };
        let found = synthesize(&network, &wanted, &quiet()).unwrap();
        prop_assert_eq!(&found, &synthesize(&network, &wanted, &quiet()).unwrap());
        found.check(&network).unwrap();
        let least = floor(&network, operation, 900.0, &Control::default()).expect("not cancelled");
        prop_assert!(found.seconds() >= least.seconds * (1.0 - 1e-9), "{least:?}");
        let (schedule, links) = write(&network, &found, operation, 900.0, &quiet()).unwrap();
        verify(&schedule, &quiet()).unwrap();
        prop_assert_eq!(links.len(), schedule.sends.len());
        for (send, &link) in schedule.sends.iter().zip(&links) {
            let wire = network.links[link as usize];
            prop_assert_eq!((send.src, send.dst), (wire.from, wire.to));
        }
    }
}

#[test]
fn a_graph_that_is_cut_says_where() {
    let whole = network(&torus(&[4], &[1.0], 0.0));
    let into_two: Vec<u32> = (0..whole.links.len() as u32)
        .filter(|&place| whole.links[place as usize].to == 2)
        .collect();
    let wanted = ask(Operation::AllGather, 8.0, None);
    let error = synthesize(&without(&whole, &into_two), &wanted, &quiet()).unwrap_err();
    assert!(
        matches!(&error, Error::Unreachable { src: 0, dst: 2, why } if why.contains("into chips 2")),
        "{error}"
    );
    let out_of_two: Vec<u32> = (0..whole.links.len() as u32)
        .filter(|&place| whole.links[place as usize].from == 2)
        .collect();
    let error = synthesize(&without(&whole, &out_of_two), &wanted, &quiet()).unwrap_err();
    assert!(
        matches!(&error, Error::Unreachable { src: 2, dst: 0, why } if why.contains("out of chips 2")),
        "{error}"
    );
}

#[test]
fn links_that_no_round_fits_start_one_by_one() {
    // One of the links at a tenth: rounds of whole chunks would waste it or wait for it.
    let mut network = network(&ultraserver());
    network.links[0].bandwidth *= 0.1;
    for operation in ALL {
        let found = synthesize(&network, &ask(operation, GIB, None), &quiet()).unwrap();
        found.check(&network).unwrap();
        let ratio = found.seconds()
            / floor(&network, operation, GIB, &Control::default())
                .expect("not cancelled")
                .seconds;
        assert!((1.0..1.01).contains(&ratio), "{ratio}");
        let plans = found.scatter.iter().chain(&found.gather);
        assert!(plans.into_iter().all(|plan| plan.rounds() == 0));
    }
}

#[test]
fn link_by_link_hides_latency_and_plays_as_it_was_timed() {
    let machine = ultraserver();
    for network in [vec![network(&machine)], damaged_networks()].concat() {
        for operation in ALL {
            let by = |pace| {
                let wanted = SynthesisRequest {
                    pace,
                    ..ask(operation, GIB, Some(8))
                };
                synthesize(&network, &wanted, &quiet()).unwrap()
            };
            let (either, rounds) = (by(Pace::Either), by(Pace::Rounds));
            assert!(either.seconds() < rounds.seconds());
            either.check(&network).unwrap();
            let ratio = either.seconds()
                / floor(&network, operation, GIB, &Control::default())
                    .expect("not cancelled")
                    .seconds;
            assert!((1.0..1.02).contains(&ratio), "{ratio}");
            let (schedule, _) = write(&network, &either, operation, GIB, &quiet()).unwrap();
            verify(&schedule, &quiet()).unwrap();
            let answer = run_schedule(
                &machine,
                &schedule,
                &Routing::default(),
                Model::Fluid,
                &quiet(),
            )
            .unwrap();
            assert!(answer.time <= either.seconds() * (1.0 + 1e-9));
            assert!(answer.time >= 0.99 * either.seconds(), "{}", answer.time);
        }
    }
}

#[test]
fn live_graphs_leave_out_what_is_dead() {
    let whole = network(&ultraserver());
    let faults = Faults {
        links: vec![whole.links[7].id],
        chips: vec![9],
        degraded: vec![(whole.links[0].id, 0.25)],
        ..Faults::default()
    };
    let machine = ultraserver().with_faults(faults).unwrap();
    let everybody: Vec<u32> = (0..64).collect();
    let error = live_graph(&machine, &everybody, &Control::default()).unwrap_err();
    assert!(error.to_string().contains("chip 9"), "{error}");
    let left: Vec<u32> = (0..64).filter(|&chip| chip != 9).collect();
    let network = live_graph(&machine, &left, &Control::default()).unwrap();
    // Six links out of the dead chip and six into it, and the dead one.
    assert_eq!(network.links.len(), 384 - 12 - 1);
    let slow = network
        .links
        .iter()
        .find(|wire| wire.id == whole.links[0].id);
    assert_eq!(slow.unwrap().bandwidth, 0.25 * whole.links[0].bandwidth);
    assert!(
        network
            .links
            .iter()
            .all(|wire| wire.id != whole.links[7].id)
    );
    for wire in &network.links {
        let ends = [left[wire.from as usize], left[wire.to as usize]];
        let link = machine.link(wire.id).unwrap();
        assert_eq!([link.from, link.to], ends.map(End::Chip));
    }
    for operation in ALL {
        let found = synthesize(&network, &ask(operation, GIB, None), &quiet()).unwrap();
        found.check(&network).unwrap();
        let ratio = found.seconds()
            / floor(&network, operation, GIB, &Control::default())
                .expect("not cancelled")
                .seconds;
        assert!((1.0..1.15).contains(&ratio), "{} {ratio}", operation.name());
    }
}

#[test]
fn bad_questions_are_refused() {
    let network = network(&torus(&[4], &[1.0], 0.0));
    let refused = |ask| {
        synthesize(&network, &ask, &quiet())
            .unwrap_err()
            .to_string()
    };
    assert!(refused(ask(Operation::AllToAll, 8.0, None)).contains("all_to_all"));
    assert!(refused(ask(Operation::AllGather, f64::NAN, None)).contains("size"));
    assert!(refused(ask(Operation::AllGather, 8.0, Some(0))).contains("chunks"));
    assert!(refused(ask(Operation::AllGather, 8.0, Some(u32::MAX))).contains("fewer chunks"));
    let stopped = quiet();
    stopped.cancel();
    let wanted = ask(Operation::AllGather, 8.0, None);
    assert_eq!(
        synthesize(&network, &wanted, &stopped).unwrap_err(),
        Error::Cancelled
    );
    let looped = Network::new(
        2,
        vec![Wire {
            to: 0,
            ..network.links[0]
        }],
    );
    assert!(synthesize(&looped, &wanted, &quiet()).is_err());
    let alone = Network::new(1, Vec::new());
    let nothing = synthesize(&alone, &wanted, &quiet()).unwrap();
    assert_eq!((nothing.seconds(), nothing.deliveries()), (0.0, 0));
}

#[test]
fn thousands_of_chips() {
    let network = network(&torus(&[12, 12, 12], &[50e9; 3], 0.5e-6));
    let wanted = ask(Operation::AllGather, GIB, None);
    let found = synthesize(&network, &wanted, &quiet()).unwrap();
    let least =
        floor(&network, Operation::AllGather, GIB, &Control::default()).expect("not cancelled");
    let ratio = found.seconds() / least.seconds;
    let plan = found.gather.as_ref().unwrap();
    // Each round has its latency; the links into a chip are busy in all but the last.
    assert_eq!((plan.rounds(), plan.least_rounds()), (288, Some(288)));
    assert!((1.0..1.1).contains(&ratio), "{ratio} of {}", least.what);
    found.check(&network).unwrap();
}
