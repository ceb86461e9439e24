//! Machines, flows and the slow oracle that the tests of routes and loads share.

use proptest::prelude::*;
use rainier_core::load::{ByteColumn, Flows, IndexColumn, link_loads};
use rainier_core::machine::{Axis, AxisKind, Domain, Machine, Nic, Site, Tier, Wan, WanShape};
use rainier_core::route::{DimensionOrder, Routing, TieRule, walk};
use rainier_core::{Control, Result};

pub(crate) const TIES: [TieRule; 6] = [
    TieRule::Split,
    TieRule::Positive,
    TieRule::Negative,
    TieRule::Simgrid,
    TieRule::Parity,
    TieRule::Dateline,
];

pub(crate) fn dor(tie: TieRule) -> Routing {
    Routing::DimensionOrder(DimensionOrder { tie, order: None })
}

pub(crate) fn axis(size: u32, kind: AxisKind) -> Axis {
    Axis {
        name: "x".to_owned(),
        size,
        kind,
        bandwidth: 1e9,
        latency: 1e-6,
    }
}

pub(crate) fn site(domains: u32, tiers: Vec<Tier>) -> Site {
    Site {
        name: "site".to_owned(),
        domains,
        tiers,
    }
}

pub(crate) fn machine(axes: Vec<Axis>, sites: Vec<Site>, shape: WanShape) -> Machine {
    let nic = Nic {
        chips: 1,
        bandwidth: 1e8,
        latency: 2e-6,
        overhead: 3e-6,
    };
    let cells = match shape {
        WanShape::Mesh => sites.len() * sites.len(),
        WanShape::Hub => sites.len(),
    };
    let wan = Wan {
        shape,
        bandwidth: vec![1e10; cells],
        latency: vec![1e-3; cells],
    };
    let wan = (sites.len() > 1).then_some(wan);
    Machine::new(Domain::new(axes).unwrap(), 1e-6, Some(nic), sites, wan).unwrap()
}

pub(crate) fn torus(shape: &[u32]) -> Machine {
    let axes = shape.iter().map(|&size| axis(size, AxisKind::Ring));
    let domain = Domain::new(axes.collect()).unwrap();
    Machine::new(domain, 0.0, None, vec![site(1, Vec::new())], None).unwrap()
}

pub(crate) fn tier(group: u32) -> Tier {
    Tier {
        group,
        oversubscription: 2.0,
        latency: 1e-6,
    }
}

fn tiers() -> impl Strategy<Value = Vec<Tier>> {
    prop_oneof![
        Just(Vec::new()),
        Just(vec![tier(2)]),
        Just(vec![tier(3)]),
        Just(vec![tier(2), tier(4)]),
        Just(vec![tier(1), tier(3), tier(6)]),
    ]
}

pub(crate) fn cabled() -> impl Strategy<Value = Axis> {
    (1u32..7, any::<bool>()).prop_map(|(size, ring)| {
        let kind = if ring { AxisKind::Ring } else { AxisKind::Line };
        axis(size, kind)
    })
}

pub(crate) fn mixed() -> impl Strategy<Value = Axis> {
    let other = (1u32..5, any::<bool>(), tiers(), any::<bool>());
    let other = other.prop_map(|(size, spans_below, tiers, full)| {
        let kind = if full {
            AxisKind::FullMesh
        } else {
            AxisKind::Switch { spans_below, tiers }
        };
        axis(size, kind)
    });
    prop_oneof![cabled(), other]
}

pub(crate) fn cluster(axis: impl Strategy<Value = Axis>) -> impl Strategy<Value = Machine> {
    let axes = proptest::collection::vec(axis, 1..5);
    let sites = proptest::collection::vec((1u32..6, tiers()), 1..4);
    (axes, sites, any::<bool>())
        .prop_filter("small", |(axes, _, _)| {
            axes.iter().map(|axis| axis.size).product::<u32>() <= 400
        })
        .prop_map(|(axes, sites, hub)| {
            let sites = sites
                .into_iter()
                .map(|(domains, tiers)| site(domains, tiers));
            let shape = if hub { WanShape::Hub } else { WanShape::Mesh };
            machine(axes, sites.collect(), shape)
        })
}

/// Pairs of chips from random numbers, half of them close together.
pub(crate) fn pairs(machine: &Machine, random: &[(u32, u32)]) -> (Vec<u32>, Vec<u32>) {
    let (chips, domain) = (machine.num_chips(), machine.domain().chips());
    let pair = |(index, &(a, b)): (usize, &(u32, u32))| {
        let src = a % chips;
        let near = src / domain * domain + b % domain;
        (src, if index % 2 == 0 { near } else { b % chips })
    };
    random.iter().enumerate().map(pair).unzip()
}

pub(crate) fn walked(
    machine: &Machine,
    routing: &Routing,
    src: &[u32],
    dst: &[u32],
    bytes: impl Fn(usize) -> f64,
) -> Vec<f64> {
    let mut loads = vec![0.0; machine.num_links() as usize];
    for (index, (&src, &dst)) in src.iter().zip(dst).enumerate() {
        walk(machine, routing, src, dst, &mut |link, share| {
            loads[link as usize] += bytes(index) * share;
        })
        .unwrap();
    }
    loads
}

pub(crate) fn counted(
    machine: &Machine,
    routing: &Routing,
    src: &[u32],
    dst: &[u32],
    bytes: ByteColumn,
    threads: usize,
) -> Result<Vec<f64>> {
    let flows = Flows {
        src: IndexColumn::U32(src),
        dst: IndexColumn::U32(dst),
        bytes,
    };
    link_loads(machine, &flows, routing, threads, &Control::default())
}

pub(crate) fn all_pairs(machine: &Machine) -> (Vec<u32>, Vec<u32>) {
    let chips = machine.num_chips();
    (0..chips)
        .flat_map(|src| (0..chips).map(move |dst| (src, dst)))
        .unzip()
}

pub(crate) fn assert_close(ours: &[f64], theirs: &[f64], what: &str) {
    assert_eq!(ours.len(), theirs.len());
    let most = theirs.iter().copied().fold(1e-300, f64::max);
    for (link, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        assert!(
            (ours - theirs).abs() <= 1e-11 * most,
            "{what}: link {link}: {ours} against {theirs}"
        );
    }
}
