//! Draws of faults that share what they find out against each draw for itself.

use crate::common::tier;
use crate::damage::machine;
use proptest::prelude::*;
use rainier_core::collective::{Choice, Groups, Model, Operation, Request, Trial, run};
use rainier_core::machine::{Machine, Rates};
use rainier_core::route::Routing;
use rainier_core::{Control, Error};

const SEED: u64 = 11;

fn rates(scale: f64, domain: f64) -> Rates {
    Rates {
        chip: 0.02 * scale,
        cable: 0.02 * scale,
        nic: 0.02 * scale,
        host: 0.005 * scale,
        domain: 0.02 * domain,
        chips_per_host: 2,
    }
}

fn machines() -> impl Strategy<Value = Machine> {
    let shape = prop_oneof![Just(vec![4, 4]), Just(vec![4, 2, 2]), Just(vec![6])];
    let tiers = prop_oneof![
        Just(vec![]),
        Just(vec![tier(2)]),
        Just(vec![tier(2), tier(6)])
    ];
    let sites = proptest::collection::vec((1u32..9, tiers), 1..3);
    (shape, 0u32..16, sites).prop_map(|(shape, lines, sites)| machine(&shape, lines, &sites))
}

/// Seconds of a draw by the call on the machine that it leaves; `None` where there are none.
fn by_itself(trial: &Trial, number: u64) -> Option<f64> {
    let control = Control::default();
    let machine = trial.machine;
    let sampled = machine
        .sample_faults(trial.rates, trial.hours, trial.seed, number, &control)
        .unwrap();
    let all = machine.faults().merged(&sampled);
    let damaged = machine.clone().with_faults(all).ok()?;
    let groups = match trial.groups {
        Some(groups) => groups.clone(),
        None => Groups::all(&damaged).unwrap(),
    };
    let answer = run(&damaged, &groups, trial.routing, trial.request, &control);
    answer.ok().map(|outcome| outcome.time)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn draws_that_share_damage_are_those_for_themselves(
        machine in machines(),
        (scale, domains) in (prop_oneof![Just(0.3), Just(1.0), Just(4.0)], prop_oneof![Just(0.0), Just(1.0)]),
        operation in prop_oneof![
            Just(Operation::AllReduce), Just(Operation::AllToAll), Just(Operation::Broadcast),
            Just(Operation::AllGather), Just(Operation::SendRecv),
        ],
        algorithm in prop_oneof![Just("auto"), Just("hierarchical"), Just("ring"), Just("direct"), Just("halving_doubling")],
        model in prop_oneof![Just(Model::LinkLoad), Just(Model::AlphaBeta)],
        (up_down, stride, size) in (any::<bool>(), prop_oneof![Just(None), Just(Some(2u32))], 0u32..8),
    ) {
        let routing = if up_down { Routing::UpDown } else { Routing::default() };
        let request = Request {
            algorithm: match algorithm {
                "auto" => Choice::Auto,
                name => Choice::Named(name.to_owned()),
            },
            model,
            ..Request::new(operation, 4f64.powi(size as i32 * 2) - 1.0)
        };
        let groups = stride.and_then(|stride| Groups::mesh_axis(&machine, 2, stride).ok());
        let rates = rates(scale, domains);
        let trial = Trial {
            machine: &machine,
            groups: groups.as_ref(),
            routing: &routing,
            request: &request,
            otherwise: None,
            drop_damaged: false,
            rates: &rates,
            hours: 1.0,
            seed: SEED,
        };
        let control = Control::default();
        let together = match trial.draws(0..24, 1, &control) {
            Ok(draws) => draws,
            // A draw on which the algorithm does not run ends all of them.
            Err(Error::Unsupported { .. } | Error::Invalid { .. }) => return Ok(()),
            Err(error) => panic!("{error}"),
        };
        prop_assert_eq!(&trial.draws(0..24, 3, &control).unwrap(), &together);
        for (number, draw) in (0..).zip(&together) {
            prop_assert_eq!(&trial.draws(number..number + 1, 1, &control).unwrap()[0], draw);
            let alone = by_itself(&trial, number);
            prop_assert_eq!(draw.time.as_ref().ok().copied().map(f64::to_bits), alone.map(f64::to_bits));
        }
    }
}
