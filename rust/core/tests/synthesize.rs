//! Synthesised schedules: proved by the verifier, near what no schedule beats, on whole and on damaged graphs.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use rainier_core::collective::{Model, Operation, play};
use rainier_core::machine::{Axis, AxisKind, Domain, Machine, Site};
use rainier_core::route::Routing;
use rainier_core::schedule::verify;
use rainier_core::synthesize::{Ask, Network, Wire, floor, live_graph, synthesize, write};
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
    live_graph(machine, &chips).unwrap()
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

fn ask(operation: Operation, size: f64, chunks: Option<u32>) -> Ask {
    Ask {
        operation,
        size,
        chunks,
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
        assert!((plan.makespan * 1e6 - us).abs() < 0.005, "{}", plan.makespan);
    }
}

/// An UltraServer without the +z link of chip 5, and without both directions of that cable.
fn hurt() -> Vec<Network> {
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
    for network in [vec![network(&ultraserver())], hurt()].concat() {
        for operation in ALL {
            let found = synthesize(&network, &ask(operation, GIB, None), &quiet()).unwrap();
            found.check(&network).unwrap();
            let least = floor(&network, operation, GIB);
            let ratio = found.seconds() / least.seconds;
            println!(
                "{} links, {}: {:.1} us, {ratio:.4} of {} ({} chunks)",
                network.links.len(),
                operation.name(),
                found.seconds() * 1e6,
                least.what,
                found.chunks(),
            );
            assert!((1.0..1.15).contains(&ratio));
            let schedule = write(&network, &found, operation, GIB, &quiet()).unwrap();
            verify(&schedule, &quiet()).unwrap();
            // Between neighbours the healthy machine's routes are the links that the schedule means.
            let machine = ultraserver();
            for model in [Model::LinkLoad, Model::Fluid] {
                let played = play(&machine, &schedule, &Routing::default(), model, &quiet()).unwrap();
                println!("  {}: {:.1} us", model.name(), played.time * 1e6);
                assert!(played.time <= found.seconds() * (1.0 + 1e-9));
                assert!(played.time >= least.seconds);
            }
        }
    }
}
