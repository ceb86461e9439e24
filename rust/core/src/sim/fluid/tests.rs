//! Rates and runs against slow references, by their definition, and in cases worked by hand.

use super::reference::{assert_fair, close, graphs, slow_rates, slow_sent};
use super::shares::{CROWD, Shares};
use super::simulate::simulate_crowds;
use super::{Flow, Graph, NO_GATE, simulate};
use crate::random::SplitMix64;
use crate::{Control, Error};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn rates_stay_fair_while_flows_come_and_go(
        graph in graphs(14, false),
        moves in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 1..4), 1..12),
        crowd in crowds(),
    ) {
        let mut shares = Shares::of(&graph, &Control::default()).unwrap();
        shares.crowding.from_until = crowd;
        let mut running: Vec<u32> = Vec::new();
        let mut waiting: Vec<u32> = (0..graph.flows.len() as u32).collect();
        for batch in moves {
            let mut started = Vec::new();
            for pick in batch {
                let at = pick.index(running.len() + waiting.len().max(1));
                if at < running.len() {
                    shares.stop(running.remove(at));
                } else if !waiting.is_empty() {
                    let flow = waiting.remove(at - running.len());
                    shares.start(flow);
                    started.push(flow);
                }
            }
            running.extend(started);
            shares.update(&Control::default()).unwrap();
            shares.forget();
            let rates: Vec<f64> = running.iter().map(|&flow| shares.rate(flow)).collect();
            assert_fair(&graph, &running, &rates);
            for (seen, slow) in rates.iter().zip(slow_rates(&graph, &running)) {
                prop_assert!(close(*seen, slow, 1e-11), "{seen} is not {slow}");
            }
        }
    }

    #[test]
    fn runs_are_those_of_the_slow_reference(graph in graphs(16, true), crowd in crowds()) {
        let simulate = |graph: &Graph, control: &Control| simulate_crowds(graph, crowd, control);
        let times = simulate(&graph, &Control::default()).unwrap();
        for (flow, (seen, slow)) in times.sent.iter().zip(slow_sent(&graph)).enumerate() {
            prop_assert!(close(*seen, slow, 1e-9), "flow {flow}: {seen} is not {slow}");
            prop_assert_eq!(times.arrived[flow], seen + graph.flows[flow].latency);
        }
        prop_assert_eq!(times.makespan, times.arrived.iter().copied().fold(0.0, f64::max));
        prop_assert_eq!(simulate(&graph, &Control::default()).unwrap(), times);
    }
}

/// From how many flows on a link they are a crowd, and until how few: with so few links all may be, or none.
fn crowds() -> impl Strategy<Value = [u32; 2]> {
    prop::sample::select(vec![CROWD, [2, 1], [2, 2], [3, 2], [5, 3]])
}

/// Random flows of random lengths over a ring of `links`: changes reach far.
fn ring(links: u32, flows: u32, seed: u64) -> Graph {
    let mut random = SplitMix64::new(seed);
    let mut graph = Graph::default();
    for _ in 0..links {
        graph.resource(f64::from(1 + random.below(3)), 0.0);
    }
    for _ in 0..flows {
        let (from, hops) = (random.below(links), 1 + random.below(links / 2));
        let flow = Flow {
            bytes: f64::from(1 + random.below(9)),
            ..Flow::default()
        };
        let path = (from..from + hops).map(|link| (link % links, 1.0));
        graph.flow(flow, path).unwrap();
    }
    graph
}

#[test]
fn a_change_gives_the_rates_of_a_fresh_start() {
    for seed in 0..20 {
        let graph = ring(40, 300, seed);
        let mut order: Vec<u32> = (0..300).collect();
        let mut random = SplitMix64::new(seed);
        let mut shares = Shares::of(&graph, &Control::default()).unwrap();
        shares.crowding.from_until = [[64, 16], [8, 2], [40, 30], [2, 1]][seed as usize % 4];
        order.iter().for_each(|&flow| shares.start(flow));
        while order.len() > 1 {
            shares.update(&Control::default()).unwrap();
            let mut fresh = Shares::of(&graph, &Control::default()).unwrap();
            order.iter().for_each(|&flow| fresh.start(flow));
            fresh.update(&Control::default()).unwrap();
            for &flow in &order {
                let (seen, wanted) = (shares.rate(flow), fresh.rate(flow));
                assert!(close(seen, wanted, 1e-11), "flow {flow}: {seen}, {wanted}");
            }
            for _ in 0..1 + random.below(3).min(order.len() as u32 - 2) {
                let gone = random.below(order.len() as u32) as usize;
                shares.stop(order.swap_remove(gone));
            }
        }
    }
}

#[test]
fn changed_rates_are_reported_and_no_others_change() {
    let graph = ring(40, 100, 7);
    let mut shares = Shares::of(&graph, &Control::default()).unwrap();
    (0..100).for_each(|flow| shares.start(flow));
    let mut known = vec![0.0; 100];
    for gone in 0..99 {
        shares.update(&Control::default()).unwrap();
        for &(flow, old) in shares.changed() {
            assert_eq!(old, known[flow as usize], "flow {flow}");
            known[flow as usize] = shares.rate(flow);
        }
        shares.forget();
        (gone..100).for_each(|flow| assert_eq!(known[flow as usize], shares.rate(flow)));
        shares.stop(gone);
    }
}

#[test]
fn no_link_idles_while_a_flow_could_use_it() {
    // One link: whatever the flows, it ends when all bytes have passed.
    let mut graph = Graph::default();
    let link = graph.resource(3.0, 0.0);
    let mut total = 0.0;
    // So many that ends which no longer count are tidied away.
    for size in 1..500 {
        let flow = Flow {
            bytes: f64::from(size),
            ..Flow::default()
        };
        graph.flow(flow, [(link, 1.0)]).unwrap();
        total += flow.bytes;
    }
    let times = simulate(&graph, &Control::default()).unwrap();
    assert!(close(times.makespan, total / 3.0, 1e-13));
    assert!(times.sent.is_sorted());
}

#[test]
fn a_flow_alone_takes_what_it_would_take_by_hand() {
    let mut graph = Graph::default();
    let (wide, narrow) = (graph.resource(3.0, 9.0), graph.resource(0.7, 9.0));
    let flow = Flow {
        bytes: 0.1,
        latency: 0.2,
        delay: 0.3,
        ..Flow::default()
    };
    let path = [(wide, 1.0), (narrow, 0.1)];
    graph.flow(flow, path).unwrap();
    let times = simulate(&graph, &Control::default()).unwrap();
    assert_eq!(times.sent, [0.3 + 0.1 / f64::min(3.0, 0.7 / 0.1)]);
    assert_eq!(times.arrived, [times.sent[0] + 0.2]);
    assert_eq!(times.makespan, times.arrived[0]);
    // Twice over one resource is once with the sum; nothing over anything, and anything over nothing, take no time.
    for (bytes, path) in [(0.0, &path[..]), (5.0, &[])] {
        let mut graph = graph.clone();
        graph
            .flow(Flow { bytes, ..flow }, path.iter().copied())
            .unwrap();
        assert_eq!(
            simulate(&graph, &Control::default()).unwrap().arrived[1],
            0.3 + 0.2
        );
    }
    let mut graph = Graph::default();
    graph.resource(3.0, 0.0);
    graph.flow(flow, [(0, 0.25), (0, 0.5)]).unwrap();
    assert_eq!(
        simulate(&graph, &Control::default()).unwrap().sent,
        [0.3 + 0.1 / 4.0]
    );
    let none = simulate(&Graph::default(), &Control::default()).unwrap();
    assert_eq!((none.sent.len(), none.makespan), (0, 0.0));
}

#[test]
fn gates_open_with_their_latest_release() {
    // Two flows share a link of 2 bytes/s; a third waits for the short one to leave and the long one to arrive.
    let mut graph = Graph::default();
    let link = graph.resource(2.0, 0.0);
    let gate = graph.gate();
    let flow = |bytes, frees| Flow {
        bytes,
        latency: 0.5,
        frees,
        ..Flow::default()
    };
    graph
        .flow(flow(1.0, [gate, NO_GATE]), [(link, 1.0)])
        .unwrap();
    graph
        .flow(flow(3.0, [NO_GATE, gate]), [(link, 1.0)])
        .unwrap();
    let last = Flow {
        delay: 0.25,
        waits: gate,
        ..flow(4.0, [NO_GATE; 2])
    };
    graph.flow(last, [(link, 1.0)]).unwrap();
    let times = simulate(&graph, &Control::default()).unwrap();
    assert_eq!(times.sent, [1.0, 2.0, 4.75]);
    assert_eq!(times.arrived, [1.5, 2.5, 5.25]);
}

#[test]
fn a_long_chain_of_empty_flows_takes_no_time_and_no_stack() {
    let mut graph = Graph::default();
    let mut waits = NO_GATE;
    for at in 0..200_000 {
        let gate = graph.gate();
        let frees = if at % 2 == 0 {
            [gate, NO_GATE]
        } else {
            [NO_GATE, gate]
        };
        let flow = Flow {
            waits,
            frees,
            ..Flow::default()
        };
        graph.flow(flow, []).unwrap();
        waits = gate;
    }
    assert_eq!(simulate(&graph, &Control::default()).unwrap().makespan, 0.0);
}

#[test]
fn symmetric_flows_end_together() {
    // Chains of thirds and sevenths round differently; all of them end in the same instant, so that the flow that
    // waits for all starts when each of them has left.
    let mut graph = Graph::default();
    let gate = graph.gate();
    for link in 0..30 {
        graph.resource(0.1 * 3.0, 0.0);
        for part in 0..7 {
            let flow = Flow {
                bytes: 0.1,
                frees: [gate, NO_GATE],
                ..Flow::default()
            };
            // The same weights in another order of flows.
            let weight = [1.0 / 3.0, 1.0 / 7.0, 0.3, 0.1, 1.1, 0.7, 0.9][(part + link) % 7];
            graph.flow(flow, [(link as u32, weight)]).unwrap();
        }
    }
    let after = Flow {
        waits: gate,
        ..Flow::default()
    };
    graph.flow(after, []).unwrap();
    let times = simulate(&graph, &Control::default()).unwrap();
    assert!(times.sent.iter().all(|sent| *sent == times.sent[0]));
}

#[test]
fn deadlocks_name_the_flows_that_wait() {
    let mut graph = Graph::default();
    graph.resource(1.0, 0.0);
    let gates = [graph.gate(), graph.gate()];
    for (waits, frees) in [(gates[0], gates[1]), (gates[1], gates[0])] {
        let flow = Flow {
            bytes: 1.0,
            waits,
            frees: [NO_GATE, frees],
            ..Flow::default()
        };
        graph.flow(flow, [(0, 1.0)]).unwrap();
    }
    let error = simulate(&graph, &Control::default()).unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }));
    assert!(
        error.to_string().contains("deadlock: flows 0, 1 wait"),
        "{error}"
    );
    // A gate that waits for more than it gets.
    graph.gates = vec![0, 2];
    graph.flows[0].waits = NO_GATE;
    graph.flows[1].frees = [NO_GATE; 2];
    let error = simulate(&graph, &Control::default()).unwrap_err();
    assert!(
        error.to_string().contains("deadlock: flows 1 wait"),
        "{error}"
    );
}

#[test]
fn wrong_numbers_are_named() {
    let mut good = Graph::default();
    let link = good.resource(1.0, 0.0);
    let gate = good.gate();
    let flow = Flow {
        bytes: 1.0,
        frees: [gate, NO_GATE],
        ..Flow::default()
    };
    good.flow(flow, [(link, 1.0)]).unwrap();
    assert!(simulate(&good, &Control::default()).is_ok());
    type Spoil = fn(&mut Graph);
    let cases: [(&str, Spoil); 10] = [
        ("capacity[0]: got 0", |graph| graph.capacity[0] = 0.0),
        ("latency[0]: got NaN", |graph| graph.latency[0] = f64::NAN),
        ("latency: got 0 values", |graph| graph.latency.clear()),
        ("paths[0]: got 1", |graph| graph.paths[0].0 = 1),
        ("paths[0]: got -1", |graph| graph.paths[0].1 = -1.0),
        ("flows[0].bytes: got inf", |graph| {
            graph.flows[0].bytes = f64::INFINITY
        }),
        ("flows[0].delay: got -1", |graph| {
            graph.flows[0].delay = -1.0
        }),
        ("flows[0]: got steps 0 to 2", |graph| graph.flows[0].end = 2),
        ("gate: got 1", |graph| graph.flows[0].waits = 1),
        ("gates[0]: got 0 releases", |graph| graph.gates[0] = 0),
    ];
    for (message, spoil) in cases {
        let mut graph = good.clone();
        spoil(&mut graph);
        let error = simulate(&graph, &Control::default())
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(message), "{error}");
    }
    assert!(
        good.flow(
            Flow {
                frees: [7, NO_GATE],
                ..flow
            },
            []
        )
        .is_err()
    );
}

#[test]
fn a_cancelled_run_stops() {
    let control = Control::default();
    control.cancel();
    assert_eq!(
        simulate(&ring(40, 9000, 1), &control),
        Err(Error::Cancelled)
    );
}
