//! Slow references by definition, for tests: fair rates and runs of messages, and graphs to try them on.

use super::{Flow, Graph, NO_GATE};
use proptest::prelude::*;

pub(super) fn close(one: f64, other: f64, tolerance: f64) -> bool {
    one == other || (one - other).abs() <= tolerance * one.abs().max(other.abs())
}

/// Max-min fair rates of some flows, one full resource after the other, everything added up anew.
pub(super) fn slow_rates(graph: &Graph, running: &[u32]) -> Vec<f64> {
    let load = |resource: u32, flow: u32| -> f64 {
        let path = graph.path(&graph.flows[flow as usize]);
        let here = path.iter().filter(|step| step.0 == resource);
        here.map(|step| step.1).sum()
    };
    let mut rates = vec![f64::INFINITY; running.len()];
    loop {
        let mut best = (f64::INFINITY, 0);
        for resource in 0..graph.capacity.len() as u32 {
            let (mut left, mut weights) = (graph.capacity[resource as usize], 0.0);
            for (&flow, &rate) in running.iter().zip(&rates) {
                let weight = load(resource, flow);
                if rate.is_finite() {
                    left -= rate * weight;
                } else {
                    weights += weight;
                }
            }
            if weights > 0.0 && left / weights < best.0 {
                best = (left / weights, resource);
            }
        }
        if best.0.is_infinite() {
            return rates;
        }
        for (&flow, rate) in running.iter().zip(&mut rates) {
            if rate.is_infinite() && load(best.1, flow) > 0.0 {
                *rate = best.0;
            }
        }
    }
}

/// When flows leave, every rate found anew at every event.
pub(super) fn slow_sent(graph: &Graph) -> Vec<f64> {
    let flows = graph.flows.len();
    let mut missing = graph.gates.clone();
    let mut left: Vec<f64> = graph.flows.iter().map(|flow| flow.bytes).collect();
    let (mut start, mut sent, mut arrival) = (
        vec![f64::INFINITY; flows],
        vec![f64::INFINITY; flows],
        vec![f64::INFINITY; flows],
    );
    let mut opened = vec![f64::INFINITY; missing.len()];
    let mut now = 0.0;
    loop {
        // Whatever happens without time passing.
        let mut still = false;
        while !still {
            still = true;
            for (gate, opened) in opened.iter_mut().enumerate() {
                if missing[gate] == 0 && opened.is_infinite() {
                    (*opened, still) = (now, false);
                }
            }
            for (at, flow) in graph.flows.iter().enumerate() {
                let open = if flow.waits == NO_GATE {
                    0.0
                } else {
                    opened[flow.waits as usize]
                };
                start[at] = open + flow.delay;
                let empty = left[at] == 0.0 || flow.first == flow.end;
                if start[at] <= now && empty && sent[at].is_infinite() {
                    sent[at] = now;
                    arrival[at] = now + flow.latency;
                    still = false;
                    if flow.frees[0] != NO_GATE {
                        missing[flow.frees[0] as usize] -= 1;
                    }
                }
                if arrival[at] <= now && flow.frees[1] != NO_GATE {
                    missing[flow.frees[1] as usize] -= 1;
                    arrival[at] = f64::INFINITY;
                    still = false;
                }
            }
        }
        let runs = |at: &u32| start[*at as usize] <= now && sent[*at as usize].is_infinite();
        let running: Vec<u32> = (0..flows as u32).filter(runs).collect();
        let rates = slow_rates(graph, &running);
        let ends = running.iter().zip(&rates);
        let ends = ends.map(|(&at, rate)| now + left[at as usize] / rate);
        let next = start
            .iter()
            .chain(&arrival)
            .copied()
            .filter(|&time| time > now)
            .chain(ends)
            .fold(f64::INFINITY, f64::min);
        if next.is_infinite() {
            return sent;
        }
        for (&at, rate) in running.iter().zip(&rates) {
            let left = &mut left[at as usize];
            *left -= rate * (next - now);
            // Within rounding of the end.
            if *left <= 1e-11 * graph.flows[at as usize].bytes {
                *left = 0.0;
            }
        }
        now = next;
    }
}

/// Random graphs over few resources. With gates, a flow waits for flows of lower numbers only.
pub(super) fn graphs(flows: usize, gated: bool) -> impl Strategy<Value = Graph> {
    let capacity = prop::collection::vec(prop::sample::select(vec![1.0, 2.0, 3.0, 7.5]), 1..8);
    let weight = prop::sample::select(vec![1.0, 1.0, 1.0, 0.5, 0.25, 3.0, 1.0 / 3.0]);
    let path = prop::collection::vec((any::<prop::sample::Index>(), weight), 0..5);
    let bytes = prop::sample::select(vec![0.0, 1.0, 1.0, 2.0, 5.0, 0.3]);
    let times = (
        prop::sample::select(vec![0.0, 0.0, 0.5, 1.1]),
        prop::sample::select(vec![0.0, 0.0, 0.25, 0.7]),
    );
    let gate = (any::<bool>(), any::<[prop::sample::Index; 3]>());
    let flow = (path, bytes, times, gate);
    (capacity, prop::collection::vec(flow, 1..flows)).prop_map(move |(capacity, rows)| {
        let mut graph = Graph::default();
        for capacity in capacity {
            graph.resource(capacity, 0.0);
        }
        // Gate g is freed by flows before g, and flows from g on may wait for it.
        let count = rows.len();
        let gates: Vec<u32> = (0..count).map(|_| graph.gate()).collect();
        for (at, (path, bytes, (delay, latency), (waits, pick))) in rows.into_iter().enumerate() {
            let resources = graph.capacity.len();
            let path: Vec<(u32, f64)> = path
                .into_iter()
                .map(|(index, weight)| (index.index(resources) as u32, weight))
                .collect();
            let later = |pick: prop::sample::Index| match pick.index(count - at) {
                0 => NO_GATE,
                ahead => gates[at + ahead],
            };
            let mut flow = Flow {
                bytes,
                latency,
                delay,
                ..Flow::default()
            };
            if gated {
                flow.frees = [later(pick[0]), later(pick[1])];
                if waits {
                    flow.waits = gates[pick[2].index(at + 1)];
                }
            }
            graph.flow(flow, path).unwrap();
        }
        graph
    })
}

/// Rates never exceed a capacity, and every flow meets a full resource on which nobody is faster.
pub(super) fn assert_fair(graph: &Graph, running: &[u32], rates: &[f64]) {
    let mut load = vec![0.0; graph.capacity.len()];
    let mut fastest = vec![0.0f64; graph.capacity.len()];
    for (&flow, &rate) in running.iter().zip(rates) {
        for &(resource, weight) in graph.path(&graph.flows[flow as usize]) {
            load[resource as usize] += rate * weight;
            fastest[resource as usize] = fastest[resource as usize].max(rate);
        }
    }
    for (load, capacity) in load.iter().zip(&graph.capacity) {
        assert!(load <= &(capacity * (1.0 + 1e-11)), "{load} > {capacity}");
    }
    for (&flow, &rate) in running.iter().zip(rates) {
        let path = graph.path(&graph.flows[flow as usize]);
        let held = |&(resource, _): &(u32, f64)| {
            let at = resource as usize;
            load[at] >= graph.capacity[at] * (1.0 - 1e-11) && rate >= fastest[at] * (1.0 - 1e-11)
        };
        assert!(
            path.is_empty() || path.iter().any(held),
            "flow {flow} could go faster"
        );
    }
}
