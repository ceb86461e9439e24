//! Many flows on a link: as the closed form says, and as flow by flow.

use super::reference::close;
use super::shares::CROWD;
use super::simulate::simulate_crowds;
use super::{Flow, Graph, simulate};
use crate::Control;
use crate::random::SplitMix64;

#[test]
fn unlike_flows_share_a_link_as_the_closed_form_says() {
    // Sorted by size, each flow ends when the smaller ones have passed and all larger ones are as far.
    let mut random = SplitMix64::new(3);
    let mut graph = Graph::default();
    let link = graph.resource(1.0, 0.0);
    let sizes: Vec<f64> = (0..5000)
        .map(|_| f64::from(1 + random.below(1 << 20)))
        .collect();
    for &bytes in &sizes {
        let flow = Flow {
            bytes,
            ..Flow::default()
        };
        graph.flow(flow, [(link, 1.0)]).unwrap();
    }
    let sent = simulate(&graph, &Control::default()).unwrap().sent;
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|&one, &other| sizes[one].total_cmp(&sizes[other]));
    let mut smaller = 0.0;
    for (at, &flow) in order.iter().enumerate() {
        let closed = smaller + sizes[flow] * (sizes.len() - at) as f64;
        assert!(
            close(sent[flow], closed, 1e-13),
            "flow {flow}: {}, {closed}",
            sent[flow]
        );
        smaller += sizes[flow];
    }
}

#[test]
fn crowds_change_no_answer() {
    // Senders and receivers of their own, and few links between: most wait for those, some for what they leave.
    for seed in 0..6 {
        let mut random = SplitMix64::new(seed);
        let mut graph = Graph::default();
        let ports: Vec<u32> = (0..200).map(|_| graph.resource(40.0, 0.0)).collect();
        let shared: Vec<u32> = (0..4)
            .map(|_| graph.resource(f64::from(60 + random.below(400)), 0.0))
            .collect();
        for _ in 0..800 {
            let flow = Flow {
                bytes: f64::from(1 + random.below(1 << 20)),
                delay: f64::from(random.below(1 << 18)) * f64::from(random.below(2)),
                ..Flow::default()
            };
            let ends = [random.below(100), 100 + random.below(100)]
                .map(|port| (ports[port as usize], 1.0));
            let between = (shared[random.below(4) as usize], 1.0);
            let path = [
                Some(ends[0]),
                (random.below(3) > 0).then_some(between),
                Some(ends[1]),
            ];
            graph.flow(flow, path.into_iter().flatten()).unwrap();
        }
        let control = Control::default();
        let each = simulate_crowds(&graph, [u32::MAX, 0], &control).unwrap();
        for crowd in [CROWD, [4, 1], [20, 19]] {
            let times = simulate_crowds(&graph, crowd, &control).unwrap();
            for (seen, wanted) in times.sent.iter().zip(&each.sent) {
                assert!(close(*seen, *wanted, 1e-11), "{seen}, {wanted}");
            }
        }
    }
}
