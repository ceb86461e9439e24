//! Networks that take messages together, against those that tell them apart.

use super::network::Network;
use super::{in_lockstep, step_by_step};
use crate::collective::algorithm::{ALGORITHMS, Job, row};
use crate::collective::ask::group::Groups;
use crate::collective::ask::model::Model;
use crate::collective::pattern::context::Context;
use crate::collective::price::cost::StageCost;
use crate::collective::program::alternatives::Program;
use crate::collective::program::placement::Placement;
use crate::machine::{Axis, AxisKind, Domain, Machine, Nic, Site, Tier};
use crate::operation::Operation::{AllGather, ReduceScatter};
use crate::route::Routing;
use crate::sim::Engine;
use crate::{Control, Result};
use proptest::prelude::*;
use std::sync::Arc;

fn cluster(sites: &[u32], tiers: &[Tier], overhead: f64) -> Machine {
    let axis = Axis {
        name: "x".to_owned(),
        size: 2,
        kind: AxisKind::Ring,
        bandwidth: 1e9,
        latency: 1e-6,
    };
    let nic = Nic {
        chips: 1,
        bandwidth: 2.5e8,
        latency: 1e-6,
        overhead,
    };
    let site = |&domains: &u32| Site {
        name: format!("{domains} UltraServers"),
        domains,
        tiers: tiers.to_vec(),
    };
    let domain = Domain::new(vec![axis]).expect("sound");
    let sites = sites.iter().map(site).collect();
    Machine::new(domain, 0.0, Some(nic), sites, None).expect("sound")
}

/// A reduce-scatter and an all-gather between all domains.
fn stages(context: &Context, names: [&str; 2], size: f64) -> Result<Vec<Arc<StageCost>>> {
    let domains: Vec<u32> = (0..context.machine.num_domains()).collect();
    let placement = Placement::Rails(vec![domains].into());
    let mut stages = Vec::new();
    for (name, operation) in names.into_iter().zip([ReduceScatter, AllGather]) {
        let program = row(name).expect("known").program(&Job {
            context,
            placement: &placement,
            operation,
            size,
            root: 0,
            shift: 0,
            orders: &[],
            table: ALGORITHMS,
            tier: "site",
        })?;
        let Program::Stages(written) = program else {
            unreachable!("the same for every size")
        };
        for stage in written {
            let cost = StageCost::new(context, Model::Fluid, &stage, name.to_owned())?;
            stages.push(Arc::new(cost));
        }
    }
    Ok(stages)
}

/// Seconds of one simulation by each way to look at it.
struct Seen {
    /// All messages told apart.
    apart: f64,
    /// Steps as slow as their slowest, message by message and, where that is possible, step by step.
    evened: f64,
    in_lockstep: Option<f64>,
    /// By link loads, all of the data at once.
    by_phases: f64,
}

fn seen(machine: &Machine, names: [&str; 2], size: f64, chunks: u32) -> Result<Seen> {
    let (routing, groups) = (Routing::default(), Groups::all(machine)?);
    let control = Control::default();
    let context = Context::new(machine, &routing, &groups, &control)?;
    let stages = stages(&context, names, size)?;
    let mut apart = Network::new(&context, Engine::Fluid, &stages)?;
    apart.by_site = false;
    let mut evened = apart.evened(&stages)?.expect("steps between domains");
    let lockstep = stages.iter().map(|stage| in_lockstep(&mut evened, stage));
    let lockstep: Result<Option<Vec<f64>>> = lockstep.collect();
    Ok(Seen {
        in_lockstep: lockstep?.map(|each| each.iter().sum()),
        apart: step_by_step(&mut apart, &stages, chunks)?,
        evened: step_by_step(&mut evened, &stages, chunks)?,
        by_phases: stages.iter().map(|stage| stage.time(1.0)).sum(),
    })
}

fn same(one: f64, other: f64) -> bool {
    (one / other - 1.0).abs() < 1e-9
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_alike_is_as_slow_as_its_slowest(
        domains in 2u32..24,
        (group, times) in (1u32..5, 1u32..4),
        name in prop::sample::select(vec!["bruck", "pat", "ring_one_way", "direct"]),
        chunks in 1u32..5,
        overhead in prop::sample::select(vec![0.0, 1e-6]),
    ) {
        // Tiers that neither block nor delay: whoever sends and receives as much as all others is like them.
        let tier = |group| Tier { group, oversubscription: 1.0, latency: 0.0 };
        let machine = cluster(&[domains], &[tier(group), tier(group * times)], overhead);
        let seen = seen(&machine, [name, name], 1e6, chunks).expect("few");
        prop_assert!(same(seen.apart, seen.evened), "{} {}", seen.apart, seen.evened);
    }

    #[test]
    fn all_data_at_once_takes_as_long_as_by_link_loads_lane_by_lane(
        domains in 2u32..24,
        (group, times) in (1u32..5, 1u32..4),
        (first, second) in (0.5..4.0, 0.5..4.0),
        (latency, overhead) in (0.0..2e-6, 0.0..2e-6),
        name in prop::sample::select(vec!["bruck", "pat", "ring", "halving_doubling"]),
    ) {
        let tier = |group, oversubscription| Tier { group, oversubscription, latency };
        let tiers = [tier(group, first), tier(group * times, second)];
        let domains = match name {
            "halving_doubling" => domains.next_power_of_two(),
            _ => domains,
        };
        let machine = cluster(&[domains], &tiers, overhead);
        let seen = seen(&machine, [name, name], 1e6, 1).expect("few");
        prop_assert!(same(seen.evened, seen.by_phases), "{} {}", seen.evened, seen.by_phases);
        let lockstep = seen.in_lockstep.expect("one site");
        prop_assert!(same(lockstep, seen.by_phases), "{lockstep} {}", seen.by_phases);
    }
}
