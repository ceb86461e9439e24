//! What stops the building of a stage.

use super::stage_plan::{Place, PlannedStage};
use super::stages::{StageOptions, State};
use crate::collective::ask::group::Groups;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
use crate::machine::{Axis, AxisKind, Domain, Machine, Nic, Site};
use crate::operation::Operation::AllReduce;
use crate::route::Routing;
use crate::{Control, Error};

#[test]
fn a_caller_who_stops_is_no_refusal() {
    let axis = Axis {
        name: "x".to_owned(),
        size: 8,
        kind: AxisKind::Ring,
        bandwidth: 1e9,
        latency: 0.0,
    };
    let nic = Nic {
        chips: 1,
        bandwidth: 1e9,
        latency: 0.0,
        overhead: 0.0,
    };
    let site = Site {
        name: "one".to_owned(),
        domains: 4,
        tiers: Vec::new(),
    };
    let domain = Domain::new(vec![axis]).expect("sound");
    let machine = Machine::new(domain, 0.0, Some(nic), vec![site], None).expect("sound");
    let (groups, routing) = (Groups::all(&machine).expect("small"), Routing::default());
    let control = Control::default();
    let context = Context::new(&machine, &routing, &groups, &control).expect("sound");
    let request = Request::new(AllReduce, 1e6);
    let planned = PlannedStage {
        tier: 0,
        place: Place::Domain,
        operation: AllReduce,
        size: 1e6,
        shares_tier: false,
    };
    // That one was stopped must not pass for a refusal.
    let mut stage = StageOptions::new(&context, &request, planned, None);
    assert_eq!(stage.build(&context, &request, 0), Ok(true));
    control.cancel();
    assert_eq!(stage.build(&context, &request, 1), Err(Error::Cancelled));
    assert!(matches!(stage.all[1].state, State::Unbuilt));
}
