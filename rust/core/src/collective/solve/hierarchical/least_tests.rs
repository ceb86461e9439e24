//! No algorithm takes less than what is said of it before it is built.

use super::super::ground::Ground;
use super::super::kept::Kept;
use super::{NAME, Tiers};
use crate::Control;
use crate::collective::algorithm::ALGORITHMS;
use crate::collective::ask::group::Groups;
use crate::collective::ask::model::Model;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::{Context, OnDemand};
use crate::machine::{Axis, AxisKind, Domain, Machine, Nic, Site, Tier, Wan, WanShape};
use crate::operation::Operation;
use crate::route::{DimensionOrder, Routing, TieRule};
use proptest::prelude::*;

/// Bytes at which prices are looked at.
const SIZES: [f64; 4] = [1.0, 1e4, 1e7, 1e10];

fn axis() -> impl Strategy<Value = (u32, u8, f64, f64)> {
    let sizes = prop_oneof![Just(2u32), Just(3), Just(4), Just(5), Just(8), Just(9)];
    let bandwidths = prop_oneof![Just(1e9), Just(4e9), Just(3e10)];
    let latencies = prop_oneof![Just(0.0), Just(1e-6), Just(7e-6)];
    (sizes, 0u8..8, bandwidths, latencies)
}

fn domain(axes: &[(u32, u8, f64, f64)]) -> Domain {
    let axis = |(at, &(size, kind, bandwidth, latency)): (usize, &(u32, u8, f64, f64))| Axis {
        name: format!("a{at}"),
        size,
        kind: match kind {
            0..=3 => AxisKind::Ring,
            4 => AxisKind::Line,
            5 => AxisKind::FullMesh,
            6 => AxisKind::Switch {
                spans_below: at > 0,
                tiers: Vec::new(),
            },
            _ => AxisKind::Switch {
                spans_below: false,
                tiers: Vec::new(),
            },
        },
        bandwidth,
        latency,
    };
    Domain::new(axes.iter().enumerate().map(axis).collect()).expect("sound axes")
}

fn machines() -> impl Strategy<Value = Machine> {
    let axes = proptest::collection::vec(axis(), 1..4);
    let small = axes.prop_filter("few chips", |axes| {
        axes.iter().map(|axis| axis.0).product::<u32>() <= 128
    });
    let overheads = prop_oneof![Just(0.0), Just(5e-7), Just(3e-6)];
    let nics = (prop_oneof![Just(5e8), Just(2e10)], overheads.clone());
    let sites = proptest::collection::vec((1u32..10, any::<bool>()), 1..3);
    (small, overheads, nics, sites).prop_map(|(axes, overhead, nic, sites)| {
        let nic = Nic {
            chips: 1,
            bandwidth: nic.0,
            latency: 1e-6,
            overhead: nic.1,
        };
        let site = |(at, &(domains, tiered)): (usize, &(u32, bool))| Site {
            name: format!("s{at}"),
            domains,
            tiers: match tiered {
                true => vec![Tier {
                    group: 2,
                    oversubscription: 2.0,
                    latency: 2e-6,
                }],
                false => Vec::new(),
            },
        };
        let wan = (sites.len() > 1).then(|| Wan {
            shape: WanShape::Hub,
            bandwidth: vec![1e9; sites.len()],
            latency: vec![1e-3; sites.len()],
        });
        let sites = sites.iter().enumerate().map(site).collect();
        Machine::new(domain(&axes), overhead, Some(nic), sites, wan).expect("a sound machine")
    })
}

fn routings() -> impl Strategy<Value = Routing> {
    let ordered = |tie| Routing::DimensionOrder(DimensionOrder { tie, order: None });
    prop_oneof![
        4 => Just(Routing::default()),
        1 => Just(ordered(TieRule::Positive)),
        1 => Just(Routing::MinimalAdaptive),
        1 => Just(Routing::Valiant),
        1 => Just(Routing::Shortest),
    ]
}

/// All chips, some listed ones, or groups of an axis of a mesh.
fn groups(machine: &Machine, kind: u8, seed: u32) -> Groups {
    let chips = machine.num_chips();
    let all = || Groups::all(machine).expect("a small machine");
    match kind {
        0 if chips > 2 => {
            let some: Vec<u32> = (0..chips)
                .filter(|chip| (chip * 7 + seed) % 3 > 0)
                .collect();
            Groups::of_chips(machine, &some).unwrap_or_else(|_| all())
        }
        1 | 2 => {
            let divides = |size: &u32| chips % size == 0;
            let size = (2..=chips)
                .filter(divides)
                .nth(seed as usize % 3)
                .unwrap_or(chips);
            let stride = if kind == 1 { 1 } else { chips / size };
            Groups::mesh_axis(machine, size, stride).unwrap_or_else(|_| all())
        }
        _ => all(),
    }
}

/// What an algorithm takes, beside what was said of it before.
fn check(context: &Context, scene: &OnDemand, unit: &Request) -> Result<u32, TestCaseError> {
    let ground = Ground::of(context, unit);
    let extent = ground.extent(context, unit);
    let rows = ALGORITHMS.iter().filter(|row| row.offered);
    let names = rows
        .filter(|row| row.operations.contains(&unit.operation))
        .map(|row| row.name);
    let mut checked = 0;
    for name in names.chain([NAME]) {
        let Ok(mut kept) = Kept::new(context, unit, name, [extent.as_ref(), None]) else {
            continue;
        };
        let least = SIZES.map(|size| kept.least(size));
        if kept.build(context, unit, &ground).is_err() {
            continue;
        }
        for (size, least) in SIZES.into_iter().zip(least) {
            let Ok(time) = kept.time(scene, size) else {
                continue;
            };
            let what = (
                name,
                unit.operation,
                unit.model,
                size,
                context.groups.ranks(),
            );
            prop_assert!(least <= time, "{what:?}: {least:e} above {time:e}");
            checked += u32::from(least > 0.0);
        }
    }
    Ok(checked)
}

/// What each option of each stage takes, in pieces or not, beside what was said of it before.
fn check_stages(context: &Context, scene: &OnDemand, unit: &Request) -> Result<(), TestCaseError> {
    let Ok(mut tiers) = Tiers::new(context, unit, None) else {
        return Ok(());
    };
    let contended = unit.model != Model::AlphaBeta;
    for stage in tiers.ways.iter_mut().flat_map(|way| &mut way.stages) {
        for at in 0..stage.all.len() {
            for size in SIZES {
                let (least, name) = (stage.all[at].least(), stage.all[at].name());
                let Ok(Some(option)) = stage.at(scene, unit, size, at) else {
                    continue;
                };
                let (fixed, all) = option.cost.floor(size, contended);
                let what = (name, unit.operation, unit.model, size, stage.tier());
                let slack = 1.0 + 1e-9;
                prop_assert!(least.at(size) <= option.cost.time(size), "{what:?} at once");
                prop_assert!(least.fixed <= fixed * slack, "{what:?} without bytes");
                let pieces = least.fixed + least.busy * size;
                prop_assert!(
                    pieces <= all * slack,
                    "{what:?} in pieces: {pieces:e} above {all:e}"
                );
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_algorithm_takes_less_than_it_says(
        machine in machines(), routing in routings(), kind in 0u8..5, seed in any::<u32>(),
    ) {
        prop_assume!(machine.num_chips() > 1 && machine.num_chips() <= 256);
        prop_assume!(routing.check(&machine).is_ok());
        let groups = groups(&machine, kind, seed % 1000);
        prop_assume!(groups.ranks() > 1);
        let control = Control::default();
        let mut checked = 0;
        for model in [Model::LinkLoad, Model::AlphaBeta] {
            for operation in Operation::ALL {
                let moves = !matches!(operation, Operation::Barrier | Operation::SendRecv);
                if !moves {
                    continue;
                }
                let root = if operation.is_rooted() { seed as usize % groups.ranks() } else { 0 };
                let unit = Request { root, model, ..Request::new(operation, 1.0) };
                let sorted = groups.sorted(&machine, operation.is_rooted().then_some(root));
                let (groups, root) = sorted.unwrap_or_else(|| (groups.clone(), root));
                let unit = Request { root: if operation.is_rooted() { root } else { 0 }, ..unit };
                let context = Context::new(&machine, &routing, &groups, &control).expect("small");
                let scene = OnDemand::new(&machine, &routing, &groups, &control);
                checked += check(&context, &scene, &unit)?;
                check_stages(&context, &scene, &unit)?;
            }
        }
        prop_assert!(checked > 0, "nothing was said");
    }
}
