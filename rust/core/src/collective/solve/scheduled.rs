//! The solvers that make schedules: of one algorithm, of one for each tier, or of the fastest.

use super::asked::Asked;
use super::known::Known;
use super::search::Search;
use super::solver::{Solver, Unrolled};
use crate::collective::algorithm;
use crate::collective::answer::outcome::Outcome;
use crate::collective::ask::group::Groups;
use crate::collective::ask::request::Request;
use crate::collective::events::together::Pipeline;
use crate::collective::events::unroll::unroll;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::damage::note;
use crate::collective::price::bound::bounds_of_size;
use crate::collective::program::schedule::Stage;
use crate::collective::solve::candidate::PricedCandidate;
use crate::collective::solve::choose::{Chosen, best};
use crate::collective::solve::contenders::Contenders;
use crate::collective::solve::hierarchical;
use crate::collective::solve::kept::{Kept, unit};
use crate::machine::Machine;
use crate::operation::Operation::{
    self, AllGather, AllReduce, AllToAll, Broadcast, Gather, Reduce, ReduceScatter, Scatter,
};
use crate::{Error, Result};
use std::cell::RefCell;

/// One algorithm over the whole group.
pub(super) const NAMED: Solver = Solver {
    name: "",
    summary: "one algorithm, by its name",
    operations: &Operation::ALL,
    takes_chunks: false,
    on_damage: true,
    is_bounded: true,
    run,
    time: Some(time),
    prepare: Some(Search::new),
    schedule: Ok(schedule),
};

/// The choice among all that apply.
pub(super) const AUTO: Solver = Solver {
    name: "auto",
    summary: "the fastest of all that apply",
    takes_chunks: true,
    ..NAMED
};

/// An algorithm for each tier.
pub(super) const HIERARCHICAL: Solver = Solver {
    name: hierarchical::NAME,
    summary: "an algorithm on each tier (UltraServer, site, WAN), chunks pipelined through",
    operations: &[
        AllReduce,
        ReduceScatter,
        AllGather,
        AllToAll,
        Broadcast,
        Reduce,
        Gather,
        Scatter,
    ],
    takes_chunks: true,
    ..NAMED
};

pub(super) fn run(asked: &Asked, outcome: &mut Outcome) -> Result<()> {
    let (scene, machine, request) = (asked.scene()?, asked.machine, asked.request);
    let mut nothing = Known::default();
    let mut before = asked.known.map(RefCell::borrow_mut);
    let known = before.as_deref_mut().unwrap_or(&mut nothing);
    let Chosen {
        mut best,
        candidates,
        left_out,
    } = best(&scene, request, asked.every, known)?;
    let context = scene.get()?;
    known.has_grown = context.has_patterns();
    if !best.cost.time.is_finite() {
        return Err(endless(context, request, &best));
    }
    if let Some(damaged) = &context.damaged {
        outcome.note = damaged.note();
        best.cost.ledger.apply_damage(context);
    } else if let (true, Groups::Scattered(listed)) = (machine.is_damaged(), asked.groups) {
        let moved = listed
            .iter()
            .flatten()
            .filter(|&&chip| machine.is_dead_chip(chip));
        outcome.note = note(0, moved.count(), 0);
    }
    outcome.candidates = candidates;
    outcome.left_out = left_out;
    outcome.sort_candidates();
    outcome.choice = best.choice;
    outcome.fill(machine, best.name, (&best.costs, best.scale), best.cost);
    if asked.with_bounds {
        let in_switch = reduces_in_switch(request);
        outcome.bounds = bounds_of_size(context, request, in_switch, &mut known.latency)?;
    }
    Ok(())
}

fn reduces_in_switch(request: &Request) -> bool {
    let mut rows = request.algorithm.names().filter_map(algorithm::row);
    rows.any(|row| row.in_switch)
}

/// Without bounds, tables and loads.
pub(super) fn time(asked: &Asked) -> Result<f64> {
    let (scene, request) = (asked.scene()?, asked.request);
    if request.model.engine().is_none() {
        let (unit, scale) = unit(request);
        let mut contenders = Contenders::new(scene.get()?, &unit)?;
        let ask = |kept: &mut Kept| Ok((kept.time(&scene, scale)?, ()));
        let (seconds, ..) = contenders.fastest(&scene, scale, 0, ask)?;
        // What never ends has a reason to be told.
        if seconds.is_finite() {
            return Ok(seconds.max(asked.machine.launch()));
        }
    }
    let best = best(&scene, request, false, &mut Known::default())?.best;
    if !best.cost.time.is_finite() {
        return Err(endless(scene.get()?, request, &best));
    }
    Ok(best.cost.time.max(asked.machine.launch()))
}

pub(super) fn schedule(asked: &Asked) -> Result<Unrolled> {
    let (scene, request) = (asked.scene()?, asked.request);
    let best = best(&scene, request, false, &mut Known::default())?.best;
    let costs = best.stages();
    let stages: Vec<Stage> = costs.iter().map(|cost| cost.stage.clone()).collect();
    let pipeline = Pipeline::of(&costs, best.cost.chunks, request.chunks.is_some());
    Ok((best.name, unroll(scene.get()?, request, &stages)?, pipeline))
}

/// What is wrong where a schedule never ends: its busiest link is dead and has no way round, or a number is too large
/// for seconds.
fn endless(context: &Context, request: &Request, best: &PricedCandidate) -> Error {
    let machine = context.machine;
    let busiest = best.cost.busiest.as_ref();
    let dead = busiest.filter(|busiest| machine.is_dead_link(busiest.link));
    let (latency, overhead) = best.costs.iter().fold((0.0, 0.0), |sum, stage| {
        let (latency, overhead) = stage.fixed();
        (sum.0 + latency, sum.1 + overhead)
    });
    if dead.is_none() && (overhead.is_finite() || !machine.is_damaged()) {
        let degraded = busiest.map_or(1.0, |busiest| machine.faults().factor(busiest.link));
        let (argument, got) = if !latency.is_finite() {
            ("latency", longest_latency(machine))
        } else if !overhead.is_finite() {
            (
                "overhead",
                machine.nic().map_or(machine.overhead(), |nic| nic.overhead),
            )
        } else if degraded < 1.0 {
            ("degrade", degraded)
        } else {
            ("size", request.size)
        };
        let allowed = format!("must leave all steps together below {:e} seconds", f64::MAX);
        return Error::invalid(argument, format!("{got:e}"), allowed);
    }
    let members = context.groups.members(machine, 0);
    let why = dead.and_then(|busiest| machine.link(busiest.link).ok());
    let why = why.map(|link| {
        format!(
            "the {} link {} is dead and nothing leads round it; leave what lies behind it out of the group",
            link.class.name(machine),
            link.id
        )
    });
    Error::Unreachable {
        src: members[0],
        dst: members[members.len() - 1],
        why: why.unwrap_or_else(|| "a link on the way is dead".to_owned()),
    }
}

/// Seconds of the slowest link.
fn longest_latency(machine: &Machine) -> f64 {
    let axes = machine.domain().axes().iter().map(|axis| axis.latency);
    let tiers = machine.sites().iter().flat_map(|site| &site.tiers);
    let wan = machine
        .wan()
        .into_iter()
        .flat_map(|wan| wan.latency.iter().copied());
    axes.chain(machine.nic().map(|nic| nic.latency))
        .chain(tiers.map(|tier| tier.latency))
        .chain(wan)
        .fold(0.0, f64::max)
}
