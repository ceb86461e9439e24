//! Rates of all flows in pieces of lines against those of the engine, which has a list of links for each flow.

use super::fluid::Shares;
use super::max_min_rates;
use super::messages::Paths;
use crate::Control;
use crate::load::IndexColumn;
use crate::machine::{Axis, AxisKind, Domain, Machine, Site};
use crate::random::SplitMix64;
use crate::route::{DimensionOrder, Routing, TieRule};

fn machine(axes: &[(u32, AxisKind)]) -> Machine {
    let axis = |(at, (size, kind)): (usize, &(u32, AxisKind))| Axis {
        name: format!("axis {at}"),
        size: *size,
        kind: kind.clone(),
        bandwidth: 3.0 + at as f64,
        latency: 0.0,
    };
    let site = Site {
        name: "site".to_owned(),
        domains: 1,
        tiers: Vec::new(),
    };
    let domain = Domain::new(axes.iter().enumerate().map(axis).collect()).unwrap();
    Machine::new(domain, 0.0, None, vec![site], None).unwrap()
}

fn slow(machine: &Machine, src: &[u32], dst: &[u32], routing: &Routing) -> Vec<f64> {
    let control = Control::default();
    let (src, dst) = (IndexColumn::U32(src), IndexColumn::U32(dst));
    let paths = Paths::of(machine, src, dst, routing, &control).unwrap();
    let (graph, ..) = paths.into_graph(machine, &control).unwrap();
    let mut shares = Shares::of(&graph, &control).unwrap();
    (0..graph.flows.len() as u32).for_each(|flow| shares.start(flow));
    shares.update(&control).unwrap();
    (0..graph.flows.len() as u32)
        .map(|flow| shares.rate(flow))
        .collect()
}

#[test]
fn rates_in_pieces_are_those_of_the_engine() {
    let (ring, line, mesh) = (AxisKind::Ring, AxisKind::Line, AxisKind::FullMesh);
    let dor = |tie| Routing::DimensionOrder(DimensionOrder { tie, order: None });
    let (split, negative) = (dor(TieRule::Split), dor(TieRule::Negative));
    let cases = [
        (
            machine(&[(6, ring.clone()), (5, ring.clone()), (4, line)]),
            &split,
            120,
            3000,
        ),
        (
            machine(&[(2, ring.clone()), (9, mesh), (10, ring.clone())]),
            &negative,
            180,
            500,
        ),
        // More than a few shares.
        (
            machine(&[(5, ring.clone()), (4, ring.clone()), (6, ring.clone())]),
            &Routing::MinimalAdaptive,
            120,
            400,
        ),
        // Short ways on a long line are numbered link by link.
        (machine(&[(9000, ring)]), &split, 20, 500),
    ];
    for (number, (machine, routing, far, flows)) in cases.into_iter().enumerate() {
        let mut random = SplitMix64::new(number as u64);
        let chips = machine.num_chips();
        let src: Vec<u32> = (0..flows).map(|_| random.below(chips)).collect();
        let dst: Vec<u32> = src
            .iter()
            .map(|src| (src + random.below(far)) % chips)
            .collect();
        let columns = [&src, &dst].map(|ends| IndexColumn::U32(ends));
        let rates = max_min_rates(
            &machine,
            columns[0],
            columns[1],
            routing,
            &Control::default(),
        );
        for (seen, wanted) in rates
            .unwrap()
            .iter()
            .zip(slow(&machine, &src, &dst, routing))
        {
            let close = *seen == wanted || (seen - wanted).abs() <= 1e-12 * wanted;
            assert!(close, "case {number}: {seen}, {wanted}");
        }
    }
}
