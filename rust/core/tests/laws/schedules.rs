//! Every algorithm, operation and group size on every kind of torus: the schedule is proven to compute what it says.

use rainier_core::collective::{ALGORITHMS, Choice, Groups, Operation, Request, schedule};
use rainier_core::machine::{
    Axis, AxisKind, Domain, Generation, Gpu, Machine, Nic, Site, Wan, WanShape,
};
use rainier_core::route::{DimensionOrder, Routing, TieRule};
use rainier_core::schedule::{Schedule, Send, verify};
use rainier_core::{Control, Error};

const SIZES: [u32; 23] = [
    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 24, 27, 32, 48, 60, 64, 81,
];

fn dor() -> Routing {
    Routing::DimensionOrder(DimensionOrder {
        tie: TieRule::Split,
        order: None,
    })
}

fn machine(sizes: &[u32], kind: AxisKind, domains: u32) -> Machine {
    let axis = |(index, &size): (usize, &u32)| Axis {
        name: format!("a{index}"),
        size,
        kind: kind.clone(),
        bandwidth: 50e9,
        latency: 1e-6,
    };
    let domain = Domain::new(sizes.iter().enumerate().map(axis).collect()).unwrap();
    let nic = Nic {
        chips: 1,
        bandwidth: 25e9,
        latency: 2e-6,
        overhead: 0.0,
    };
    let site = Site {
        name: "site".to_owned(),
        domains,
        tiers: Vec::new(),
    };
    Machine::new(domain, 0.0, Some(nic), vec![site], None).unwrap()
}

/// Sides of a box of `ranks` chips with `axes` axes, each above 1, the largest last; `None` where there is none.
fn sides(ranks: u32, axes: u32) -> Option<Vec<u32>> {
    if axes == 1 {
        return (ranks > 1).then(|| vec![ranks]);
    }
    let first = (2..=ranks).find(|factor| ranks % factor == 0)?;
    let mut rest = sides(ranks / first, axes - 1)?;
    rest.insert(0, first);
    Some(rest)
}

fn requests() -> Vec<Request> {
    let mut requests = Vec::new();
    for row in ALGORITHMS {
        for &operation in row.operations {
            requests.push(Request {
                algorithm: Choice::Named(row.name.to_owned()),
                ..Request::new(operation, 1e6)
            });
        }
    }
    requests
}

/// Proves the schedule of `request`; false where the algorithm does not apply.
fn proven(machine: &Machine, groups: &Groups, request: &Request) -> bool {
    let control = Control::default();
    match schedule(machine, groups, &dor(), request, &control) {
        Ok((name, schedule)) => {
            if let Err(error) = verify(&schedule, &control) {
                panic!(
                    "{name} {:?} over {} ranks: {error}",
                    request.operation,
                    groups.ranks()
                );
            }
            moves_its_bytes(&name, &schedule);
            true
        }
        Err(Error::Unsupported { .. }) => false,
        Err(error) => panic!("{:?} {:?}: {error}", request.algorithm, request.operation),
    }
}

/// The bytes of all messages are those of their blocks.
fn moves_its_bytes(name: &str, schedule: &Schedule) {
    let of_blocks = |send: &Send| -> f64 {
        let blocks = send.blocks.iter();
        blocks
            .map(|&block| schedule.blocks[block as usize].bytes)
            .sum()
    };
    let sent: f64 = schedule.sends.iter().map(|send| send.bytes).sum();
    let carried: f64 = schedule.sends.iter().map(of_blocks).sum();
    assert!(
        (sent - carried).abs() <= 1e-9 * carried,
        "{name} {:?} over {} ranks: {sent} bytes sent, {carried} in blocks",
        schedule.operation,
        schedule.chips.len()
    );
}

#[test]
fn every_algorithm_computes_its_collective_on_every_torus() {
    let mut proofs = std::collections::BTreeMap::new();
    for ranks in SIZES {
        for axes in 1..=4 {
            let Some(sizes) = sides(ranks, axes) else {
                continue;
            };
            for kind in [AxisKind::Ring, AxisKind::Line] {
                let machine = machine(&sizes, kind, 1);
                let groups = Groups::all(&machine).unwrap();
                for mut request in requests() {
                    if request.operation.is_rooted() {
                        request.root = ranks as usize / 2;
                    }
                    let done = proven(&machine, &groups, &request);
                    let Choice::Named(name) = request.algorithm else {
                        continue;
                    };
                    *proofs.entry((name, request.operation.name())).or_insert(0) += u32::from(done);
                }
            }
        }
    }
    for ((name, operation), count) in &proofs {
        if name == "in_switch" {
            assert_eq!(*count, 0, "no torus has a switch that adds up");
            continue;
        }
        assert!(*count > 0, "{name} {operation} was proven on no torus");
    }
}

#[test]
fn sums_in_a_switch() {
    let switch = AxisKind::Switch {
        spans_below: false,
        tiers: Vec::new(),
    };
    for ranks in [2, 8, 72] {
        let gpu = Gpu::new(Generation::Hopper, 18);
        let machine = machine(&[ranks], switch.clone(), 1).with_gpu(gpu).unwrap();
        let groups = Groups::all(&machine).unwrap();
        for operation in [
            Operation::AllReduce,
            Operation::ReduceScatter,
            Operation::AllGather,
        ] {
            let request = Request {
                algorithm: Choice::Named("in_switch".to_owned()),
                ..Request::new(operation, 1e6)
            };
            assert!(proven(&machine, &groups, &request));
        }
    }
}

#[test]
fn groups_of_listed_chips_and_mesh_axes() {
    let machine = machine(&[4, 4], AxisKind::Ring, 4);
    let groups = [
        Groups::of_chips(&machine, &[0, 1, 2, 5, 7, 11, 13]).unwrap(),
        Groups::of_chips(&machine, &[3, 17, 20, 33, 50]).unwrap(),
        Groups::mesh_axis(&machine, 4, 4).unwrap(),
        Groups::mesh_axis(&machine, 4, 16).unwrap(),
        Groups::mesh_axis(&machine, 32, 2).unwrap(),
        Groups::mesh_axis(&machine, 32, 1).unwrap(),
        Groups::all(&machine).unwrap(),
    ];
    for groups in &groups {
        for mut request in requests() {
            if request.operation.is_rooted() {
                request.root = groups.ranks() - 2;
            }
            proven(&machine, groups, &request);
        }
    }
}

#[test]
fn hierarchical_schedules_compute_their_collectives() {
    for (sizes, domains) in [
        (vec![4, 4], 4),
        (vec![2, 3], 3),
        (vec![4], 6),
        (vec![2, 2, 2], 5),
    ] {
        let machine = machine(&sizes, AxisKind::Ring, domains);
        let groups = Groups::all(&machine).unwrap();
        let tiers: [&[&str]; 6] = [
            &[],
            &["bucket", "halving_doubling"],
            &["ring", "ring"],
            &["direct", "direct"],
            &["ring", "double_binary_tree"],
            &["bruck", "bruck"],
        ];
        for operation in Operation::ALL {
            if matches!(operation, Operation::SendRecv | Operation::Barrier) {
                continue;
            }
            let mut done = 0;
            for names in tiers {
                let algorithm = if names.is_empty() {
                    Choice::Named("hierarchical".to_owned())
                } else {
                    Choice::Tiers(names.iter().map(|&name| name.to_owned()).collect())
                };
                let request = Request {
                    algorithm,
                    root: if operation.is_rooted() {
                        groups.ranks() / 2
                    } else {
                        0
                    },
                    ..Request::new(operation, 1e6)
                };
                done += u32::from(proven(&machine, &groups, &request));
            }
            assert!(done > 0, "{}", operation.name());
        }
    }
}

/// Sites of so many domains of 2 x 2 chips, joined pairwise.
fn several_sites(domains: &[u32]) -> Machine {
    let one = machine(&[2, 2], AxisKind::Ring, 1);
    let sites = domains.iter().enumerate().map(|(index, &domains)| Site {
        name: format!("site {index}"),
        domains,
        tiers: Vec::new(),
    });
    let cells = domains.len() * domains.len();
    let wan = Wan {
        shape: WanShape::Mesh,
        bandwidth: vec![1e10; cells],
        latency: vec![1e-3; cells],
    };
    Machine::new(
        one.domain().clone(),
        0.0,
        one.nic().cloned(),
        sites.collect(),
        Some(wan),
    )
    .unwrap()
}

#[test]
fn schedules_between_sites_compute_their_collectives() {
    for domains in [&[2, 2][..], &[4, 2], &[3, 3, 3], &[4, 2, 1], &[1, 1]] {
        let machine = several_sites(domains);
        let groups = [
            Groups::all(&machine).unwrap(),
            Groups::mesh_axis(&machine, machine.num_chips() / 2, 2).unwrap(),
        ];
        for groups in &groups {
            for operation in Operation::ALL {
                if matches!(operation, Operation::SendRecv | Operation::Barrier) {
                    continue;
                }
                let names = ["mesh", "direct", "ring_one_way"];
                let tiers = names.map(|wan| {
                    let names = ["ring", "ring", wan].map(str::to_owned).to_vec();
                    Choice::Tiers(names)
                });
                let open = Choice::Named("hierarchical".to_owned());
                let mut done = 0;
                for algorithm in tiers.into_iter().chain([open]) {
                    let request = Request {
                        algorithm,
                        root: if operation.is_rooted() {
                            groups.ranks() / 2
                        } else {
                            0
                        },
                        ..Request::new(operation, 1e6)
                    };
                    let control = Control::default();
                    match schedule(&machine, groups, &dor(), &request, &control) {
                        Ok((name, schedule)) => {
                            if let Err(error) = verify(&schedule, &control) {
                                panic!("{name} {operation:?} over {domains:?}: {error}");
                            }
                            moves_its_bytes(&name, &schedule);
                            done += 1;
                        }
                        Err(Error::Unsupported { .. } | Error::Invalid { .. }) => {}
                        Err(error) => panic!("{operation:?}: {error}"),
                    }
                }
                assert!(done > 0, "{} over {domains:?}", operation.name());
            }
        }
    }
}

fn ring_of_8() -> Schedule {
    let machine = machine(&[8], AxisKind::Ring, 1);
    let request = Request {
        algorithm: Choice::Named("ring_one_way".to_owned()),
        ..Request::new(Operation::AllReduce, 8.0)
    };
    let groups = Groups::all(&machine).unwrap();
    schedule(&machine, &groups, &dor(), &request, &Control::default())
        .unwrap()
        .1
}

fn refusal(schedule: &Schedule) -> String {
    match verify(schedule, &Control::default()) {
        Err(Error::Schedule { what }) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_dropped_send_is_missed() {
    let mut schedule = ring_of_8();
    schedule.sends.remove(3);
    assert!(refusal(&schedule).contains("without the contribution of rank"));
}

#[test]
fn a_doubled_contribution_is_noticed() {
    let mut schedule = ring_of_8();
    let again = Send {
        step: 20,
        reduce: true,
        ..schedule.sends[0].clone()
    };
    schedule.sends.push(again);
    assert!(refusal(&schedule).contains("a second time"));
}

#[test]
fn a_swapped_source_is_noticed() {
    let mut schedule = ring_of_8();
    let source = schedule.sends[9].src;
    schedule.sends[9].src = (source + 3) % 8;
    refusal(&schedule);
}

#[test]
fn a_circle_is_a_deadlock() {
    let mut schedule = ring_of_8();
    let last = schedule.sends.len() as u32 - 1;
    schedule.sends[0].after.push(last);
    let what = refusal(&schedule);
    assert!(what.starts_with("deadlock: send"), "{what}");
}

#[test]
fn reading_before_it_is_written_is_noticed() {
    let mut schedule = ring_of_8();
    // The second step of a rank in a lane of its own no longer waits for what the first brought.
    let late = schedule
        .sends
        .iter()
        .position(|send| send.step == 1)
        .unwrap();
    schedule.sends[late].lane = 1;
    schedule.sends[late].step = 5;
    refusal(&schedule);
}
