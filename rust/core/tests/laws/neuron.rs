//! `neuron` against its own equations, on numbers that a reader can follow.

use rainier_core::Control;
use rainier_core::collective::{Choice, Groups, Operation, Outcome, Request, run};
use rainier_core::machine::{Axis, AxisKind, Domain, Machine, Neuron, Site};
use rainier_core::route::Routing;

const MIB: f64 = 1048576.0;

fn parameters() -> Neuron {
    Neuron {
        ranks_per_chip: 4,
        call: 10e-6,
        step: 2e-6,
        efa_step: 15e-6,
        efa_goodput: 19e9,
        efa_instance_goodput: 256e9,
        instance_chips: 16,
        hbm_bandwidth: 4e12,
        hbm_efficiency: 0.5,
        link_efficiency: 1.0,
        links_at_once: 2.0,
        mesh_most: MIB,
        halving_most: 64.0 * MIB,
        fitted_on: None,
        chip_all_reduce: vec![(1000.0, 1e-4), (2000.0, 3e-4)],
    }
}

fn instance(neuron: Option<Neuron>) -> Machine {
    let axis = |name: &str| Axis {
        name: name.to_owned(),
        size: 4,
        kind: AxisKind::Ring,
        bandwidth: 128e9,
        latency: 1.5e-6,
    };
    let site = Site {
        name: "here".to_owned(),
        domains: 1,
        tiers: Vec::new(),
    };
    let domain = Domain::new(vec![axis("x"), axis("y")]).expect("a 4x4 torus");
    let machine = Machine::new(domain, 0.0, None, vec![site], None).expect("one instance");
    match neuron {
        Some(neuron) => machine.with_neuron(neuron).expect("usable parameters"),
        None => machine,
    }
}

fn outcome(machine: &Machine, operation: Operation, size: f64) -> rainier_core::Result<Outcome> {
    let request = Request {
        algorithm: Choice::Named("neuron".to_owned()),
        ..Request::new(operation, size)
    };
    let groups = Groups::all(machine)?;
    let routing = Routing::default();
    run(machine, &groups, &routing, &request, &Control::default())
}

fn time(operation: Operation, size: f64) -> f64 {
    let machine = instance(Some(parameters()));
    outcome(&machine, operation, size).expect("it applies").time
}

fn close(one: f64, other: f64) {
    assert!((one / other - 1.0).abs() < 1e-12, "{one} and {other}");
}

#[test]
fn mesh_adds_passes_links_and_hbm() {
    // Each chip sends 4 copies of S/16 to 15 chips, 32/15 hops each, over 64 links: 2 S on each.
    let links = 2.0 * MIB / 128e9;
    let hbm = (4.0 + 1.0 / 16.0) * MIB / 2e12;
    close(
        time(Operation::AllGather, MIB),
        10e-6 + 2.0 * 2e-6 + links + hbm,
    );
    close(
        time(Operation::AllReduce, MIB),
        10e-6 + 2.0 * (2.0 * 2e-6 + links + hbm),
    );
}

#[test]
fn halving_is_cut_into_the_best_pieces() {
    let size = 64.0 * MIB;
    let links = 15.0 / 16.0 * size / 256e9;
    let hbm = (2.0 * 15.0 / 16.0 + 4.0) * size / 2e12;
    assert!(links > hbm);
    let pieces = |c: f64| c * 5.0 * 2e-6 + links + hbm / c;
    let best = (1..100)
        .map(|c| pieces(f64::from(c)))
        .fold(f64::INFINITY, f64::min);
    close(time(Operation::AllGather, size), 10e-6 + best);
    let (links, hbm) = (2.0 * links, (5.0 * 15.0 / 16.0 + 9.0) * size / 2e12);
    let pieces = |c: f64| c * 14.0 * 2e-6 + links.max(hbm) + links.min(hbm) / c;
    let best = (1..100)
        .map(|c| pieces(f64::from(c)))
        .fold(f64::INFINITY, f64::min);
    close(time(Operation::AllReduce, size), 10e-6 + best);
}

#[test]
fn kangaring_overlaps_all_steps_but_one() {
    let size = 1024.0 * MIB;
    let moved = 15.0 / 16.0 * size;
    let (links, hbm) = (moved / 512e9, 8.0 * moved / 2e12);
    assert!(hbm > links);
    close(
        time(Operation::ReduceScatter, size),
        10e-6 + 31.0 * 2e-6 + hbm + links / 31.0,
    );
}

#[test]
fn machines_without_parameters_are_refused_with_what_to_use() {
    let refused = outcome(&instance(None), Operation::AllReduce, MIB).expect_err("no Trainium");
    assert!(refused.to_string().contains("use auto"), "{refused}");
}

#[test]
fn parameters_are_checked() {
    for broken in [
        Neuron {
            ranks_per_chip: 3,
            ..parameters()
        },
        Neuron {
            call: -1.0,
            ..parameters()
        },
        Neuron {
            hbm_efficiency: 1.1,
            ..parameters()
        },
        Neuron {
            link_efficiency: 0.0,
            ..parameters()
        },
        Neuron {
            links_at_once: 5.0,
            ..parameters()
        },
        Neuron {
            mesh_most: 1e9,
            ..parameters()
        },
        Neuron {
            step: f64::NAN,
            ..parameters()
        },
    ] {
        assert!(instance(None).with_neuron(broken).is_err());
    }
}

#[test]
fn a_group_of_one_chip_takes_what_was_measured_among_its_ranks() {
    let machine = instance(Some(parameters()));
    let groups = Groups::of_chips(&machine, &[3]).expect("one chip");
    let routing = Routing::default();
    let time = |operation, size, dtype| {
        let request = Request {
            algorithm: Choice::Named("neuron".to_owned()),
            ..Request::new(operation, size)
        };
        let request = request.with_dtype(dtype).expect("a type");
        let outcome = run(&machine, &groups, &routing, &request, &Control::default());
        outcome.map(|outcome| outcome.time)
    };
    let reduced = |size| time(Operation::AllReduce, size, None).expect("measured");
    for (size, seconds) in [
        (0.0, 1e-4),
        (1000.0, 1e-4),
        (1500.0, 2e-4),
        (2000.0, 3e-4),
        (4000.0, 6e-4),
    ] {
        assert!((reduced(size) - seconds).abs() < 1e-15, "{size}");
    }
    assert!(time(Operation::AllReduce, 1e3, Some("bf16")).is_ok());
    for (operation, dtype) in [
        (Operation::AllReduce, Some("fp32")),
        (Operation::AllGather, None),
        (Operation::ReduceScatter, None),
        (Operation::AllToAll, None),
    ] {
        let refused = time(operation, 1e3, dtype);
        assert!(matches!(
            refused,
            Err(rainier_core::Error::Unsupported { .. })
        ));
    }
}
