//! The cost of a schedule that is given message by message, under every model.
//!
//! Phase by phase, the messages of one step of a stage are a phase, as they are in algorithms; where sends wait for others by
//! name, those that can run at the same time: those of one level of the schedule's order. Stages in which ranks go on by
//! themselves are those of `by_rank.rs`. Simulated, each message waits for just what the schedule says.

use super::by_rank;
use super::together::RouteTable;
use crate::collective::answer::outcome::{Candidate, Outcome};
use crate::collective::ask::group::Groups;
use crate::collective::ask::model::Model;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::kind::PatternKind;
use crate::collective::price::bound::{bounds, bounds_of_blocks};
use crate::collective::price::cost::{Cost, StageCost, in_turn};
use crate::collective::program::moves::{Moves, Space};
use crate::collective::program::rank_map::{RankKind, RankMap};
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::fluid::NO_GATE;
use crate::machine::Machine;
use crate::memory::bytes_of;
use crate::route::Routing;
use crate::schedule::{Schedule, order};
use crate::sim::Engine;
use crate::{Control, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Runs `schedule` on `machine`.
///
/// # Errors
/// Those of [`Schedule::check`]; [`Error::Schedule`](crate::Error::Schedule) when sends wait for each other in a
/// circle; [`Error::Invalid`](crate::Error::Invalid) and [`Error::OutOfRange`](crate::Error::OutOfRange) for chips that
/// are not in the machine or named twice; [`Error::Unsupported`](crate::Error::Unsupported) for a model that cannot run
/// it; [`Error::Cancelled`](crate::Error::Cancelled).
pub fn run_schedule(
    machine: &Machine,
    schedule: &Schedule,
    routing: &Routing,
    model: Model,
    control: &Control,
) -> Result<Outcome> {
    schedule.check()?;
    routing.check(machine)?;
    let groups = Arc::new(Groups::of_chips(machine, &schedule.chips)?);
    let request = Request {
        root: schedule.root,
        shift: schedule.shift,
        model,
        ..Request::new(schedule.operation, schedule.size)
    };
    request.validate(machine, groups.ranks())?;
    let mut outcome = Outcome::nothing(&request, &groups);
    if schedule.sends.is_empty() {
        return Ok(outcome);
    }
    let context = Context::new(machine, routing, &groups, control)?;
    let (costs, cost) = priced(&context, schedule, model)?;
    outcome.candidates.push(Candidate {
        algorithm: "schedule".to_owned(),
        outcome: Ok(cost.time),
    });
    outcome.fill(machine, "schedule".to_owned(), (&costs, 1.0), cost);
    outcome.bounds = match bounds_of_blocks(&context, &request, schedule)? {
        Some(bounds) => bounds,
        None => bounds(&context, &request)?,
    };
    outcome.apply_launch(machine.launch());
    Ok(outcome)
}

/// Seconds of a schedule, without all else.
pub(crate) fn seconds(
    machine: &Machine,
    schedule: &Schedule,
    routing: &Routing,
    model: Model,
    control: &Control,
) -> Result<f64> {
    if schedule.sends.is_empty() {
        return Ok(0.0);
    }
    let groups = Groups::of_chips(machine, &schedule.chips)?;
    let context = Context::new(machine, routing, &groups, control)?;
    Ok(priced(&context, schedule, model)?.1.time)
}

/// When each message of `schedule` has left its sender and when it has arrived, in seconds, if links are shared as
/// `engine` has it. Of a message that goes several ways, those of the last part.
///
/// # Errors
/// Those of [`run_schedule`].
pub fn message_times(
    machine: &Machine,
    schedule: &Schedule,
    routing: &Routing,
    engine: Engine,
    control: &Control,
) -> Result<[Vec<f64>; 2]> {
    schedule.check()?;
    routing.check(machine)?;
    Groups::of_chips(machine, &schedule.chips)?;
    // A circle of waits would stop the engine; here it is named.
    order(schedule, control)?;
    let count = schedule.sends.len();
    let mut found = [vec![0.0_f64; count], vec![0.0_f64; count]];
    let mut route_table = RouteTable::new(machine, routing, engine, control)?;
    let routed = route_table.routed(schedule, None, &schedule.chips)?;
    let mut graph = route_table.graph();
    let flows = routed.put_listed(&mut graph, control)?;
    let times = engine.simulate(&graph, control)?;
    for (flow, send) in flows {
        for (kept, times) in found.iter_mut().zip([&times.sent, &times.arrived]) {
            kept[send] = kept[send].max(times[flow as usize]);
        }
    }
    Ok(found)
}

fn priced(
    context: &Context,
    schedule: &Schedule,
    model: Model,
) -> Result<([Arc<StageCost>; 1], Cost)> {
    let order = order(schedule, context.control)?.reads;
    let times = times(schedule, order);
    let stage = by_times(context, schedule, &times);
    let label = format!("{} by schedule", schedule.operation.name());
    let mut cost = StageCost::new(context, model, &stage, label)?;
    by_themselves(context, schedule, &times, model, &mut cost)?;
    let costs = [Arc::new(cost)];
    let mut cost = in_turn(context, model, &costs, 1.0)?;
    if let Some(engine) = model.engine() {
        cost.time = simulated(context, schedule, engine)?;
    }
    Ok((costs, cost))
}

/// When each send is there: its stage and step, or its level where some wait for others by name.
fn times(schedule: &Schedule, levels: Vec<u32>) -> Vec<(u32, u32)> {
    if schedule.sends.iter().any(|send| !send.after.is_empty()) {
        return levels.into_iter().map(|level| (0, level)).collect();
    }
    let sends = schedule.sends.iter();
    sends.map(|send| (send.stage, send.step)).collect()
}

/// (from, to) chips of messages, by the bits of their bytes.
type Alike = BTreeMap<u64, Vec<(u32, u32)>>;

/// A phase for each time; in it, a part for all messages of the same size.
fn by_times(context: &Context, schedule: &Schedule, times: &[(u32, u32)]) -> Stage {
    let mut phases: BTreeMap<(u32, u32), Alike> = BTreeMap::new();
    let chip = |rank: u32| schedule.chips[rank as usize];
    for (send, &time) in schedule.sends.iter().zip(times) {
        // Sizes are not negative, so that they are ordered as their bits are.
        let alike = phases.entry(time).or_default();
        let pairs = alike.entry(send.bytes.to_bits()).or_default();
        pairs.push((chip(send.src), chip(send.dst)));
    }
    let rank_map = Arc::new(RankMap {
        kind: RankKind::Ranks,
        groups: Arc::new([]),
    });
    let phases = (1..)
        .zip(phases.into_values())
        .map(|(number, alike)| {
            let part = |(bytes, pairs): (u64, Vec<(u32, u32)>)| {
                let sends = pairs.clone().into();
                let moves = Moves::between(Arc::clone(&rank_map), sends, |_, _, _| Vec::new());
                Part::new(
                    &context.pattern(PatternKind::Flat(pairs.into())),
                    f64::from_bits(bytes),
                    moves,
                )
            };
            let parts = alike.into_iter().map(part).collect();
            Phase::steps(format!("step {number}"), parts, 1)
        })
        .collect();
    Stage::of("machine", Space::WHOLE, phases)
}

/// Gives the phases of stages in which ranks go on by themselves their pace.
fn by_themselves(
    context: &Context,
    schedule: &Schedule,
    times: &[(u32, u32)],
    model: Model,
    cost: &mut StageCost,
) -> Result<()> {
    if schedule.sends.iter().any(|send| !send.after.is_empty()) {
        return Ok(());
    }
    let count = schedule.sends.len() as u64;
    // What each send takes, its ends, and what ranks send at each step.
    let _taken = context.control.take(
        bytes_of::<[u64; 24]>(count),
        format_args!("the chains of {count} messages"),
        "use model \"fluid\", or a smaller schedule",
    )?;
    let mut known = times.to_vec();
    known.sort_unstable();
    known.dedup();
    let mut routed = None;
    for (stage, sends) in by_rank::by_stage(context, schedule)? {
        let Some(steps) = by_rank::unlike(context, schedule, &sends)? else {
            continue;
        };
        if routed.is_none() {
            let (machine, control) = (context.machine, context.control);
            let mut table = RouteTable::new(machine, context.routing, Engine::Fluid, control)?;
            let routes = table.routed(schedule, None, &schedule.chips)?;
            routed = Some((routes, table.graph().capacity));
        }
        let (routes, bandwidth) = routed.as_ref().expect("routed above");
        let by_bytes = model.by_phases() == Model::AlphaBeta;
        let pace = by_rank::pace(routes, bandwidth, &steps, by_bytes, context.control)?;
        let first = known.partition_point(|time| time.0 < stage);
        let tracks = &mut Arc::make_mut(&mut cost.sheet).tracks;
        for phase in &mut tracks[0].phases[first..first + steps.len()] {
            phase.pace = Some(pace.clone());
        }
    }
    Ok(())
}

fn simulated(context: &Context, schedule: &Schedule, engine: Engine) -> Result<f64> {
    let control = context.control;
    let mut route_table = RouteTable::new(context.machine, context.routing, engine, control)?;
    let routed = route_table.routed(schedule, None, &schedule.chips)?;
    let mut graph = route_table.graph();
    routed.put(&mut graph, NO_GATE, control)?;
    let times = engine.simulate(&graph, control)?;
    Ok(times.makespan)
}
