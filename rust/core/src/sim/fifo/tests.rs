//! Cases worked by hand, and a slow reference that goes from tick to tick.

use super::simulate;
use crate::fluid::{Flow, Graph, NO_GATE};
use crate::{Control, Error};
use proptest::prelude::*;
use std::collections::VecDeque;

fn bytes(bytes: f64) -> Flow {
    Flow {
        bytes,
        ..Flow::default()
    }
}

#[test]
fn messages_on_one_link_go_one_after_the_other() {
    let mut graph = Graph::default();
    let link = graph.resource(2.0, 0.25);
    graph.flow(bytes(4.0), [(link, 1.0)]).unwrap();
    graph.flow(bytes(2.0), [(link, 0.5)]).unwrap();
    let early = Flow {
        delay: 1.0,
        ..bytes(0.0)
    };
    graph.flow(early, [(link, 1.0)]).unwrap();
    let times = simulate(&graph, &Control::default()).unwrap();
    // The third has no bytes and still waits for its turn.
    assert_eq!(times.sent, [2.0, 2.5, 2.5]);
    assert_eq!(times.arrived, [2.25, 2.75, 2.75]);
    assert_eq!(times.makespan, 2.75);
}

#[test]
fn every_hop_stores_the_whole_message() {
    let mut graph = Graph::default();
    for (capacity, latency) in [(1.0, 0.5), (4.0, 0.125), (2.0, 0.0)] {
        graph.resource(capacity, latency);
    }
    let path = [(0, 1.0), (1, 1.0), (2, 1.0)];
    graph.flow(bytes(4.0), path).unwrap();
    graph.flow(bytes(4.0), path).unwrap();
    let times = simulate(&graph, &Control::default()).unwrap();
    assert_eq!(times.sent, [4.0, 8.0]);
    // 4 + 0.5, 1 + 0.125, 2; the second is 4 s behind and meets nobody.
    assert_eq!(times.arrived, [7.625, 11.625]);
    let nothing = Flow {
        delay: 3.0,
        ..bytes(4.0)
    };
    graph.flow(nothing, []).unwrap();
    let times = simulate(&graph, &Control::default()).unwrap();
    assert_eq!((times.sent[2], times.arrived[2]), (3.0, 3.0));
}

#[test]
fn times_that_differ_by_rounding_are_a_tie() {
    // 0.1 + 0.2 is a hair later than 0.3: flow 0 comes first all the same.
    let mut graph = Graph::default();
    let link = graph.resource(1.0, 0.0);
    graph.resource(1.0, 0.2);
    let first = Flow {
        delay: 0.0,
        ..bytes(0.1)
    };
    graph.flow(first, [(1, 1.0), (link, 1.0)]).unwrap();
    let second = Flow {
        delay: 0.3,
        ..bytes(1.0)
    };
    graph.flow(second, [(link, 1.0)]).unwrap();
    let times = simulate(&graph, &Control::default()).unwrap();
    assert!(
        times.arrived[0] < 0.5 && times.arrived[1] > 1.3,
        "{times:?}"
    );
}

#[test]
fn deadlock_and_cancellation() {
    let mut graph = Graph::default();
    let gate = graph.gate();
    let flow = Flow {
        waits: gate,
        frees: [NO_GATE, gate],
        ..bytes(1.0)
    };
    graph.flow(flow, []).unwrap();
    let error = simulate(&graph, &Control::default()).unwrap_err();
    assert!(error.to_string().contains("flows 0 wait"), "{error}");
    let mut graph = Graph::default();
    graph.resource(1.0, 0.0);
    for _ in 0..9000 {
        graph.flow(bytes(1.0), [(0, 1.0)]).unwrap();
    }
    let control = Control::default();
    assert_eq!(simulate(&graph, &control).unwrap().makespan, 9000.0);
    assert_eq!(control.done(), 9000);
    control.cancel();
    assert_eq!(simulate(&graph, &control), Err(Error::Cancelled));
}

/// Arrivals by ticks of one second: queues, servers and messages under way, all looked at in every tick.
fn slow_arrivals(graph: &Graph) -> Vec<f64> {
    let flows = graph.flows.len();
    let mut missing = graph.gates.clone();
    let mut start: Vec<Option<u64>> = vec![None; flows];
    let mut queues = vec![VecDeque::new(); graph.capacity.len()];
    // (flow, hop, tick at which it is served)
    let mut servers: Vec<Option<(usize, usize, u64)>> = vec![None; graph.capacity.len()];
    // (tick, flow, hop)
    let mut under_way: Vec<(u64, usize, usize)> = Vec::new();
    let mut arrived = vec![f64::INFINITY; flows];
    let mut tick = 0u64;
    while arrived.iter().any(|time| time.is_infinite()) {
        assert!(tick < 100_000);
        for (resource, server) in servers.iter_mut().enumerate() {
            if let Some((flow, hop, end)) = *server {
                if end == tick {
                    *server = None;
                    under_way.push((tick + graph.latency[resource] as u64, flow, hop + 1));
                    if hop == 0 && graph.flows[flow].frees[0] != NO_GATE {
                        missing[graph.flows[flow].frees[0] as usize] -= 1;
                    }
                }
            }
        }
        // Arrivals may set flows without a path free, which arrive at once.
        let mut coming = Vec::new();
        loop {
            for (flow, row) in graph.flows.iter().enumerate() {
                let open = row.waits == NO_GATE || missing[row.waits as usize] == 0;
                if open && start[flow].is_none() {
                    start[flow] = Some(tick + row.delay as u64);
                    under_way.push((tick + row.delay as u64, flow, 0));
                }
            }
            let now: Vec<_> = under_way
                .iter()
                .copied()
                .filter(|row| row.0 == tick)
                .collect();
            if now.is_empty() {
                break;
            }
            under_way.retain(|row| row.0 != tick);
            for (_, flow, hop) in now {
                let row = &graph.flows[flow];
                if hop < graph.path(row).len() {
                    coming.push((flow, hop));
                    continue;
                }
                arrived[flow] = tick as f64;
                let empty = graph.path(row).is_empty();
                for gate in [if empty { row.frees[0] } else { NO_GATE }, row.frees[1]] {
                    if gate != NO_GATE {
                        missing[gate as usize] -= 1;
                    }
                }
            }
        }
        coming.sort_unstable();
        for (flow, hop) in coming {
            queues[graph.path(&graph.flows[flow])[hop].0 as usize].push_back((flow, hop));
        }
        for (server, queue) in servers.iter_mut().zip(&mut queues) {
            if server.is_none() {
                *server = queue.pop_front().map(|(flow, hop)| {
                    let (resource, weight) = graph.path(&graph.flows[flow])[hop];
                    let time = graph.flows[flow].bytes * weight / graph.capacity[resource as usize];
                    (flow, hop, tick + time as u64)
                });
            }
        }
        tick += 1;
    }
    arrived
}

/// Whole seconds everywhere, service of one second at least.
fn graphs() -> impl Strategy<Value = Graph> {
    let resources = prop::collection::vec((1u32..3, 0u32..3), 1..6);
    let path = prop::collection::vec((any::<prop::sample::Index>(), 1u32..3), 0..5);
    let flow = (
        path,
        1u32..4,
        0u32..3,
        any::<bool>(),
        any::<[prop::sample::Index; 3]>(),
    );
    (resources, prop::collection::vec(flow, 1..16)).prop_map(|(resources, rows)| {
        let mut graph = Graph::default();
        for (capacity, latency) in resources {
            graph.resource(f64::from(capacity), f64::from(latency));
        }
        let (count, resources) = (rows.len(), graph.capacity.len());
        let gates: Vec<u32> = (0..count).map(|_| graph.gate()).collect();
        for (at, (path, size, delay, waits, pick)) in rows.into_iter().enumerate() {
            let later = |pick: prop::sample::Index| match pick.index(count - at) {
                0 => NO_GATE,
                ahead => gates[at + ahead],
            };
            let flow = Flow {
                bytes: f64::from(2 * size),
                delay: f64::from(delay),
                waits: if waits {
                    gates[pick[2].index(at + 1)]
                } else {
                    NO_GATE
                },
                frees: [later(pick[0]), later(pick[1])],
                ..Flow::default()
            };
            let steps = path.into_iter();
            let steps =
                steps.map(|(index, weight)| (index.index(resources) as u32, f64::from(weight)));
            graph.flow(flow, steps.collect::<Vec<_>>()).unwrap();
        }
        graph
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn runs_are_those_of_the_slow_reference(graph in graphs()) {
        let times = simulate(&graph, &Control::default()).unwrap();
        prop_assert_eq!(&times.arrived, &slow_arrivals(&graph));
        prop_assert_eq!(simulate(&graph, &Control::default()).unwrap(), times);
    }
}
