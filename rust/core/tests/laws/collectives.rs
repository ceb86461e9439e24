//! Collectives against closed forms on the Trn2 machines.

use rainier_core::collective::{Choice, Groups, Model, Operation, Outcome, Request, run};
use rainier_core::machine::{Axis, AxisKind, Domain, Machine, Nic, Site, Tier, Wan, WanShape};
use rainier_core::route::Routing;
use rainier_core::{Control, Result};

fn axis(name: &str, size: u32, bandwidth: f64) -> Axis {
    Axis {
        name: name.to_owned(),
        size,
        kind: AxisKind::Ring,
        bandwidth,
        latency: 0.0,
    }
}

/// 4 x 4 x 4, X and Y 128 GB/s, Z 64 GB/s per link and direction, no latency.
fn domain() -> Domain {
    let axes = vec![axis("x", 4, 128e9), axis("y", 4, 128e9), axis("z", 4, 64e9)];
    Domain::new(axes).expect("sound axes")
}

fn site(name: &str, domains: u32) -> Site {
    let tier = |group| Tier {
        group,
        oversubscription: 1.0,
        latency: 0.0,
    };
    Site {
        name: name.to_owned(),
        domains,
        tiers: vec![tier(4), tier(16)],
    }
}

fn ultraserver() -> Machine {
    Machine::new(domain(), 0.0, None, vec![site("one", 1)], None).expect("sound machine")
}

fn cluster(sites: &[u32]) -> Machine {
    let nic = Nic {
        chips: 1,
        bandwidth: 25e9,
        latency: 0.0,
        overhead: 0.0,
    };
    let named = sites
        .iter()
        .enumerate()
        .map(|(index, &domains)| site(&format!("site {index}"), domains));
    let pairs = sites.len() * sites.len();
    let wan = (sites.len() > 1).then(|| Wan {
        shape: WanShape::Mesh,
        bandwidth: vec![1.25e12; pairs],
        latency: vec![0.0; pairs],
    });
    Machine::new(domain(), 0.0, Some(nic), named.collect(), wan).expect("sound machine")
}

fn ask(
    machine: &Machine,
    operation: Operation,
    size: f64,
    algorithm: Choice,
    chunks: Option<u32>,
) -> Result<Outcome> {
    let request = Request {
        algorithm,
        chunks,
        ..Request::new(operation, size)
    };
    run(
        machine,
        &Groups::all(machine).expect("small enough"),
        &Routing::default(),
        &request,
        &Control::default(),
    )
}

fn named(machine: &Machine, operation: Operation, algorithm: &str) -> Outcome {
    ask(
        machine,
        operation,
        1e9,
        Choice::Named(algorithm.to_owned()),
        None,
    )
    .expect("the algorithm applies")
}

fn close(a: f64, b: f64, relative: f64) {
    assert!(
        (a - b).abs() <= relative * b.abs(),
        "{a} is not {b} within {relative}"
    );
}

#[test]
fn bound_and_buckets_of_the_ultraserver() {
    let machine = ultraserver();
    let bound = 2.0 * (63.0 / 64.0) / 640.0;
    let weighted = named(&machine, Operation::AllReduce, "bucket");
    close(weighted.lower_bound(), bound, 1e-12);
    close(weighted.time, bound, 1e-3);
    let equal = named(&machine, Operation::AllReduce, "bucket_equal");
    close(equal.time / bound, 5.0 / 3.0, 1e-3);
}

#[test]
fn all_to_all_is_bound_by_z() {
    let outcome = named(&ultraserver(), Operation::AllToAll, "direct");
    close(outcome.time, 1.0 / 128.0, 1e-12);
    close(outcome.lower_bound(), outcome.time, 1e-12);
    assert_eq!(outcome.bottleneck.expect("bytes move").class, "z");
}

#[test]
fn halving_doubling_walks_the_cube_without_congestion() {
    let outcome = named(&ultraserver(), Operation::AllReduce, "halving_doubling");
    let steps: u64 = outcome
        .phases(&ultraserver())
        .iter()
        .map(|phase| phase.steps)
        .sum();
    assert_eq!(steps, 12);
    // Four exchanges over X and Y links, two over Z, each on a link of its own.
    let one_way = (0.5 + 0.25 + 0.125 + 0.0625) / 128.0 + (1.0 / 32.0 + 1.0 / 64.0) / 64.0;
    close(outcome.time, 2.0 * one_way, 1e-12);
}

#[test]
fn hierarchical_over_one_site() {
    let machine = cluster(&[256]);
    let inside = 2.0 * (63.0 / 64.0) / 640.0;
    let outside = 2.0 * (255.0 / 256.0) / (64.0 * 25.0);
    let choice = || Choice::Named("hierarchical".to_owned());
    let whole = ask(&machine, Operation::AllReduce, 1e9, choice(), Some(1)).expect("applies");
    close(whole.time, inside + outside, 1e-3);
    let pipelined = ask(&machine, Operation::AllReduce, 1e9, choice(), None).expect("applies");
    close(pipelined.time, inside.max(outside), 5e-3);
    assert!(pipelined.time >= pipelined.lower_bound());
}

#[test]
fn alpha_beta_never_exceeds_link_load() {
    for machine in [ultraserver(), cluster(&[4]), cluster(&[4, 2, 2])] {
        for operation in Operation::ALL {
            for row in rainier_core::collective::ALGORITHMS {
                let with = |model| {
                    let request = Request {
                        algorithm: Choice::Named(row.name.to_owned()),
                        model,
                        ..Request::new(
                            operation,
                            if operation == Operation::Barrier {
                                0.0
                            } else {
                                1e6
                            },
                        )
                    };
                    run(
                        &machine,
                        &Groups::all(&machine).expect("small enough"),
                        &Routing::default(),
                        &request,
                        &Control::default(),
                    )
                };
                if let (Ok(alone), Ok(shared)) = (with(Model::AlphaBeta), with(Model::LinkLoad)) {
                    assert!(
                        alone.time <= shared.time * (1.0 + 1e-12),
                        "{} {}: {} > {}",
                        row.name,
                        operation.name(),
                        alone.time,
                        shared.time
                    );
                }
            }
        }
    }
}

#[test]
fn nothing_beats_the_lower_bound() {
    for machine in [ultraserver(), cluster(&[8]), cluster(&[4, 2, 2])] {
        for operation in Operation::ALL {
            let size = if operation == Operation::Barrier {
                0.0
            } else {
                1e7
            };
            let names = rainier_core::collective::ALGORITHMS
                .iter()
                .map(|row| row.name);
            for name in names.chain(["hierarchical"]) {
                if let Ok(outcome) = ask(
                    &machine,
                    operation,
                    size,
                    Choice::Named(name.to_owned()),
                    None,
                ) {
                    assert!(
                        outcome.time >= outcome.lower_bound() * (1.0 - 1e-9),
                        "{name} {} on {} chips: {} < {} ({:?})",
                        operation.name(),
                        machine.num_chips(),
                        outcome.time,
                        outcome.lower_bound(),
                        outcome.bounds
                    );
                }
            }
        }
    }
}
