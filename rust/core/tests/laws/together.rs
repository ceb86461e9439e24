//! Several plans at once: what is written out, what meets, and both models on the same plans.

use crate::common::{dor, machine, site, tier};
use rainier_core::collective::together::{
    Compute, Dma, Plan, Together, Work, Written, share_links, share_messages,
};
use rainier_core::collective::write_out;
use rainier_core::collective::{Choice, Groups, Operation, Outcome, Request, run};
use rainier_core::machine::{Axis, AxisKind, Machine, WanShape};
use rainier_core::route::{Routing, TieRule};
use rainier_core::{Control, Error};

/// Four domains of 2 x 2 chips in two fabric groups.
fn small() -> Machine {
    let axis = |name: &str| Axis {
        name: name.to_owned(),
        ..crate::common::axis(2, AxisKind::Line)
    };
    let axes = vec![axis("x"), axis("y")];
    machine(axes, vec![site(4, vec![tier(2)])], WanShape::Mesh)
}

fn routing() -> Routing {
    dor(TieRule::Split)
}

fn ask(operation: Operation, algorithm: &str) -> Request {
    Request {
        algorithm: Choice::Named(algorithm.to_owned()),
        ..Request::new(operation, 1e6)
    }
}

fn alone(machine: &Machine, groups: &Groups, request: &Request) -> Outcome {
    run(machine, groups, &routing(), request, &Control::default()).unwrap()
}

fn written(machine: &Machine, groups: &Groups, request: &Request) -> Vec<Written> {
    write_out(machine, groups, &routing(), request, &Control::default()).unwrap()
}

fn by_messages(machine: &Machine, plans: &[&[Written]]) -> Together {
    let routing = routing();
    let works: Vec<Work> = plans
        .iter()
        .map(|written| Work {
            written,
            routing: &routing,
            start: 0.0,
        })
        .collect();
    share_messages(machine, &works, &Control::default()).unwrap()
}

#[test]
fn groups_that_lie_alike_share_a_schedule() {
    let machine = small();
    let request = ask(Operation::AllGather, "ring");
    let rows = Groups::mesh_axis(&machine, 2, 1).unwrap();
    let parts = written(&machine, &rows, &request);
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].groups.len(), 8);
    for (index, chips) in parts[0].groups.iter().enumerate() {
        assert_eq!(*chips, rows.members(&machine, index));
    }
}

#[test]
fn what_meets_nothing_takes_the_same_to_the_bit() {
    let machine = small();
    let request = ask(Operation::AllReduce, "ring");
    let one = Groups::of_chips(&machine, &[0, 1]).unwrap();
    let other = Groups::of_chips(&machine, &[4, 5]).unwrap();
    let answers = [
        alone(&machine, &one, &request),
        alone(&machine, &other, &request),
    ];
    let plans = [Plan::Collective(&answers[0]), Plan::Collective(&answers[1])];
    let control = Control::default();
    let loads = share_links(&machine, &plans, &[0.0, 1e-5], None, &control).unwrap();
    for (plan, answer) in loads.plans.iter().zip(&answers) {
        assert_eq!(plan.time.to_bits(), answer.time.to_bits());
        assert!(plan.slowed_by.is_none());
    }
    let (a, b) = (
        written(&machine, &one, &request),
        written(&machine, &other, &request),
    );
    let together = by_messages(&machine, &[&a, &b]);
    let first = by_messages(&machine, &[&a]);
    assert_eq!(
        together.plans[0].time.to_bits(),
        first.plans[0].time.to_bits()
    );
}

#[test]
fn twice_the_same_plan_takes_twice_as_long_on_the_wire() {
    let machine = small();
    let request = ask(Operation::SendRecv, "direct");
    let groups = Groups::of_chips(&machine, &[0, 8]).unwrap();
    let answer = alone(&machine, &groups, &request);
    let plan = Plan::Collective(&answer);
    let control = Control::default();
    let loads = share_links(&machine, &[plan, plan], &[0.0, 0.0], None, &control).unwrap();
    let wire = 2.0 * 1e6 / 1e8;
    // Latency and overhead of one are filled by the bytes of the other.
    assert!((loads.makespan - wire).abs() <= 1e-9 * wire);
    let met = loads.plans[0].slowed_by.clone().unwrap();
    assert_eq!((met.class.as_str(), met.plans), ("nic egress", vec![0, 1]));
    let made = written(&machine, &groups, &request);
    let events = by_messages(&machine, &[&made, &made]);
    let fixed = events.plans[0].alone - wire / 2.0;
    assert!((events.makespan - (fixed + wire)).abs() <= 1e-9 * wire);
    assert_eq!(events.messages, 4);
}

#[test]
fn bad_input_is_named() {
    let machine = small();
    let control = Control::default();
    let groups = Groups::all(&machine).unwrap();
    let answer = alone(&machine, &groups, &Request::new(Operation::AllReduce, 1e6));
    let plan = Plan::Collective(&answer);
    let said = |error: Error| error.to_string();
    let late = share_links(&machine, &[plan], &[f64::NAN], None, &control);
    assert!(said(late.unwrap_err()).starts_with("start_s of plan 0"));
    let few = share_links(&machine, &[plan], &[], None, &control);
    assert!(said(few.unwrap_err()).starts_with("starts"));
    let compute = Compute {
        groups,
        time: 1.0,
        hbm_bytes: 1.0,
        packet: 4096.0,
    };
    let dma = Dma {
        bandwidth: 1e12,
        packet: 65536.0,
    };
    let other = share_links(
        &machine,
        &[Plan::Compute(&compute)],
        &[0.0],
        Some(dma),
        &control,
    );
    assert!(matches!(other, Err(Error::Unsupported { .. })));
    // Chips of a group that the schedule does not have, and one outside the machine.
    let request = ask(Operation::AllGather, "ring");
    let pair = Groups::of_chips(&machine, &[0, 1]).unwrap();
    let mut made = written(&machine, &pair, &request);
    made[0].groups = vec![vec![0, 1, 2]];
    let routing = routing();
    let refused = |made: &[Written]| {
        let work = Work {
            written: made,
            routing: &routing,
            start: 0.0,
        };
        said(share_messages(&machine, &[work], &control).unwrap_err())
    };
    assert!(refused(&made).starts_with("groups"));
    made[0].groups = vec![vec![0, 99]];
    assert!(refused(&made).starts_with("group[1]"));
}

#[test]
fn a_caller_can_stop() {
    let machine = small();
    let control = Control::default();
    control.cancel();
    let groups = Groups::all(&machine).unwrap();
    let request = ask(Operation::AllToAll, "direct");
    let stopped = write_out(&machine, &groups, &routing(), &request, &control);
    assert_eq!(stopped.unwrap_err(), Error::Cancelled);
    let answer = alone(&machine, &groups, &request);
    let plan = Plan::Collective(&answer);
    let stopped = share_links(&machine, &[plan, plan], &[0.0, 0.0], None, &control);
    assert_eq!(stopped.unwrap_err(), Error::Cancelled);
    let made = written(&machine, &groups, &request);
    let work = Work {
        written: &made,
        routing: &routing(),
        start: 0.0,
    };
    let stopped = share_messages(&machine, &[work], &control);
    assert_eq!(stopped.unwrap_err(), Error::Cancelled);
}
