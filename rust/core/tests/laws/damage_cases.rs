//! Collectives on damaged machines, in cases worked by hand.

use crate::common::{assert_close, tier};
use crate::damage::machine;
use rainier_core::collective::{Choice, Groups, Model, Operation, Request, run};
use rainier_core::machine::{Axis, AxisKind, Domain, Faults, Machine, Nic, Site};
use rainier_core::route::{Routing, walk};
use rainier_core::{Control, Error, Result};

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
    Ok((
        outcome.time,
        outcome.link_loads(machine, routing, &Control::default())?,
    ))
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
        let loads = outcome
            .link_loads(&machine, &routing, &Control::default())
            .unwrap();
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
    let loads = outcome
        .link_loads(&machine, &routing, &Control::default())
        .unwrap();
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
        chips: 1,
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
