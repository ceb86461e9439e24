//! The way in: from a request to its answer.

use super::algorithm::IN_SWITCH;
use super::bound::{bounds, bounds_in_switch, highest};
use super::choice::Choice;
use super::choose::{Ready, best};
use super::context::Context;
use super::damage::{has_damage, note};
use super::group::Groups;
use super::nccl;
use super::neuron;
use super::outcome::Outcome;
use super::request::Request;
use super::schedule::Stage;
use super::synthesized;
use super::together::Pipeline;
use super::unroll::{MOST_RANKS_WRITTEN, unroll};
use crate::machine::Machine;
use crate::operation::Operation;
use crate::route::Routing;
use crate::schedule::Schedule;
use crate::{Control, Error, Result};

/// Runs `request` over `groups` of `machine`.
///
/// # Errors
/// [`Error::Invalid`] and its kin for a bad request, [`Error::Unsupported`] when the named algorithm does not
/// apply, [`Error::Cancelled`] when `control` says so.
pub fn run(
    machine: &Machine,
    groups: &Groups,
    routing: &Routing,
    request: &Request,
    control: &Control,
) -> Result<Outcome> {
    let (groups, request) = checked(machine, groups, routing, request)?;
    let mut outcome = Outcome::nothing(request.operation, request.model, &groups, request.size);
    if nothing_moves(&groups, &request) {
        return Ok(outcome);
    }
    outcome.choice = request.algorithm.clone();
    let (groups, request) = (&groups, &request);
    refuse_on_damage(machine, groups, request)?;
    if request.algorithm == Choice::Named(nccl::NAME.to_owned()) {
        nccl::run(machine, groups, routing, request, control, &mut outcome)?;
        outcome.apply_launch(machine.launch());
        return Ok(outcome);
    }
    let context = Context::new(machine, routing, groups, control)?;
    if request.algorithm == Choice::Named(neuron::NAME.to_owned()) {
        neuron::run(&context, request, &mut outcome)?;
        outcome.bounds = bounds(&context, request)?;
        outcome.apply_launch(machine.launch());
        return Ok(outcome);
    }
    if synthesized::named(request) {
        synthesized::run(&context, request, &mut outcome)?;
        outcome.apply_launch(machine.launch());
        return Ok(outcome);
    }
    let (mut best, candidates) = best(&context, request)?;
    if !best.cost.time.is_finite() {
        return Err(endless(&context, request, &best));
    }
    if let Some(hurt) = &context.hurt {
        outcome.note = hurt.note();
        best.cost.ledger.settle(&context);
    } else if let (true, Groups::Scattered(listed)) = (machine.is_damaged(), groups) {
        let moved = listed
            .iter()
            .flatten()
            .filter(|&&chip| machine.is_dead_chip(chip));
        outcome.note = note(0, moved.count(), 0);
    }
    outcome.candidates = candidates;
    outcome.sort_candidates();
    outcome.choice = best.choice;
    outcome.fill(machine, best.name, &best.stages, best.cost);
    let named = match &request.algorithm {
        Choice::Named(name) => std::slice::from_ref(name),
        Choice::Tiers(names) => names,
        Choice::Auto => &[],
    };
    outcome.bounds = if named.iter().any(|name| name == IN_SWITCH) {
        bounds_in_switch(&context, request)?
    } else {
        bounds(&context, request)?
    };
    outcome.apply_launch(machine.launch());
    Ok(outcome)
}

/// Seconds of [`run`] alone: without bounds, tables and loads.
///
/// # Errors
/// Those of [`run`].
pub(crate) fn time(
    machine: &Machine,
    groups: &Groups,
    routing: &Routing,
    request: &Request,
    control: &Control,
) -> Result<f64> {
    let priced = [nccl::NAME, neuron::NAME].map(|name| Choice::Named(name.to_owned()));
    if priced.contains(&request.algorithm) || synthesized::named(request) {
        return Ok(run(machine, groups, routing, request, control)?.time);
    }
    let (groups, request) = checked(machine, groups, routing, request)?;
    if nothing_moves(&groups, &request) {
        return Ok(0.0);
    }
    let context = Context::new(machine, routing, &groups, control)?;
    let (best, _) = best(&context, &request)?;
    if !best.cost.time.is_finite() {
        return Err(endless(&context, &request, &best));
    }
    Ok(best.cost.time.max(machine.launch()))
}

/// Seconds that [`run`] takes at least: the highest of its bounds.
///
/// # Errors
/// Those of a bad request.
pub(crate) fn least_time(
    machine: &Machine,
    groups: &Groups,
    routing: &Routing,
    request: &Request,
    control: &Control,
) -> Result<f64> {
    let (groups, request) = checked(machine, groups, routing, request)?;
    if nothing_moves(&groups, &request) {
        return Ok(0.0);
    }
    let context = Context::new(machine, routing, &groups, control)?;
    highest(&context, &request)
}

/// Refuses, on damaged domains, algorithms whose prices are tables of whole ones.
fn refuse_on_damage(machine: &Machine, groups: &Groups, request: &Request) -> Result<()> {
    let Choice::Named(name) = &request.algorithm else {
        return Ok(());
    };
    if (name == nccl::NAME || name == neuron::NAME) && has_damage(machine, groups) {
        return Err(Error::unsupported(
            format!("{name} over damaged UltraServers: it is measured on whole ones"),
            "use \"auto\" or name another algorithm",
        ));
    }
    Ok(())
}

/// What is wrong where a schedule never ends: its busiest link is dead and has no way round, or a number is too large
/// for seconds.
fn endless(context: &Context, request: &Request, best: &Ready) -> Error {
    let machine = context.machine;
    let busiest = best.cost.busiest.as_ref();
    let dead = busiest.filter(|busiest| machine.is_dead_link(busiest.link));
    let (latency, overhead) = best.stages.iter().fold((0.0, 0.0), |sum, stage| {
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

/// The schedule that [`run`] takes for the first group, message by message.
///
/// # Errors
/// As [`run`], and [`Error::Unsupported`] for one that has too many messages to write out.
pub fn schedule(
    machine: &Machine,
    groups: &Groups,
    routing: &Routing,
    request: &Request,
    control: &Control,
) -> Result<(String, Schedule)> {
    let (name, schedule, _) = unrolled(machine, groups, routing, request, control)?;
    Ok((name, schedule))
}

/// The same with the chunks and pieces that go through it.
pub(crate) fn unrolled(
    machine: &Machine,
    groups: &Groups,
    routing: &Routing,
    request: &Request,
    control: &Control,
) -> Result<(String, Schedule, Pipeline)> {
    if request.algorithm == Choice::Named(nccl::NAME.to_owned()) {
        return Err(Error::unsupported(
            "the schedule of nccl, which is a table of prices",
            "name an algorithm that has one, such as \"ring\" or \"double_binary_tree\"",
        ));
    }
    let (groups, request) = checked(machine, groups, routing, request)?;
    if request.algorithm == Choice::Named(neuron::NAME.to_owned()) {
        return Err(Error::unsupported(
            "a schedule of neuron, which is endpoint costs beside the links",
            "name the algorithm that it chose: mesh, halving_doubling, multi_ring or ring",
        ));
    }
    if groups.ranks() > MOST_RANKS_WRITTEN {
        return Err(Error::unsupported(
            format!("writing out the schedule of {} ranks", groups.ranks()),
            format!("name a group of at most {MOST_RANKS_WRITTEN} chips"),
        ));
    }
    let context = Context::new(machine, routing, &groups, control)?;
    if nothing_moves(&groups, &request) {
        let schedule = unroll(&context, &request, &[])?;
        return Ok(("none".to_owned(), schedule, Pipeline::default()));
    }
    if synthesized::named(&request) {
        let (name, schedule) = synthesized::schedule(&context, &request)?;
        return Ok((name, schedule, Pipeline::default()));
    }
    let (best, _) = best(&context, &request)?;
    let stages: Vec<Stage> = best.stages.iter().map(|cost| cost.stage.clone()).collect();
    let pipeline = Pipeline::of(&best.stages, best.cost.chunks, request.chunks.is_some());
    Ok((best.name, unroll(&context, &request, &stages)?, pipeline))
}

/// The request, checked, over groups whose listed chips ascend where their order means nothing.
fn checked(
    machine: &Machine,
    groups: &Groups,
    routing: &Routing,
    request: &Request,
) -> Result<(Groups, Request)> {
    request.validate(groups.ranks())?;
    routing.check(machine)?;
    let reordered = match request.operation {
        Operation::SendRecv => None,
        _ => groups.sorted(machine, request.root),
    };
    Ok(match reordered {
        Some((groups, root)) => (
            groups,
            Request {
                root: if request.operation.is_rooted() {
                    root
                } else {
                    0
                },
                ..request.clone()
            },
        ),
        None => (groups.clone(), request.clone()),
    })
}

fn nothing_moves(groups: &Groups, request: &Request) -> bool {
    let ranks = groups.ranks() as i64;
    let stays = request.operation == Operation::SendRecv && request.shift.rem_euclid(ranks) == 0;
    ranks == 1 || stays
}
