//! The way in: from a request to its answer.

use super::algorithm::{ALGORITHMS, Job, find, flat};
use super::bound::bounds;
use super::context::Context;
use super::cost::{Cost, StageCost, combine};
use super::group::Groups;
use super::hierarchical;
use super::neuron;
use super::operation::Operation;
use super::outcome::{Candidate, Outcome};
use super::placement::Placement;
use super::request::{Choice, Request};
use super::schedule::Stage;
use crate::machine::Machine;
use crate::route::Routing;
use crate::{Control, Error, Result};
use std::rc::Rc;

/// A candidate that can run.
struct Ready {
    name: String,
    stages: Vec<Rc<StageCost>>,
    cost: Cost,
}

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
    request.validate(groups.ranks())?;
    routing.check(machine)?;
    let reordered = match request.operation {
        Operation::SendRecv => None,
        _ => groups.sorted(machine, request.root),
    };
    let (groups, request) = match reordered {
        Some((groups, root)) => (
            groups,
            Request {
                root,
                ..request.clone()
            },
        ),
        None => (groups.clone(), request.clone()),
    };
    let mut outcome = Outcome::nothing(request.operation, request.model, &groups, request.size);
    let ranks = groups.ranks() as i64;
    let stays = request.operation == Operation::SendRecv && request.shift.rem_euclid(ranks) == 0;
    if ranks == 1 || stays {
        return Ok(outcome);
    }
    let (groups, request) = (&groups, &request);
    let context = Context::new(machine, routing, groups, control)?;
    if request.algorithm == Choice::Named("neuron".to_owned()) {
        neuron::run(&context, request, &mut outcome)?;
        outcome.bounds = bounds(&context, request)?;
        return Ok(outcome);
    }
    let names: Vec<String> = match &request.algorithm {
        Choice::Auto => ALGORITHMS
            .iter()
            .filter(|row| row.operations.contains(&request.operation.as_run()))
            .map(|row| row.name.to_owned())
            .chain(["hierarchical".to_owned()])
            .collect(),
        Choice::Named(name) => vec![name.clone()],
        Choice::Tiers(_) => vec!["hierarchical".to_owned()],
    };
    let mut best: Option<Ready> = None;
    let mut first_refusal = None;
    for name in names {
        control.check()?;
        match prepare(&context, request, &name) {
            Ok(ready) => {
                outcome.candidates.push(Candidate {
                    algorithm: ready.name.clone(),
                    outcome: Ok(ready.cost.time),
                });
                if best
                    .as_ref()
                    .is_none_or(|best| ready.cost.time < best.cost.time)
                {
                    best = Some(ready);
                }
            }
            Err(error @ Error::Unsupported { .. }) => {
                outcome.candidates.push(Candidate {
                    algorithm: name,
                    outcome: Err(error.to_string()),
                });
                first_refusal.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    let Some(best) = best else {
        return Err(first_refusal.unwrap_or_else(|| {
            Error::unsupported(
                format!("{} on this group", request.operation.name()),
                "name an algorithm",
            )
        }));
    };
    outcome.candidates.sort_by(|a, b| {
        let time = |candidate: &Candidate| candidate.outcome.clone().unwrap_or(f64::INFINITY);
        time(a).total_cmp(&time(b))
    });
    outcome.fill(machine, best.name, &best.stages, best.cost);
    outcome.add_call(machine.call());
    outcome.bounds = bounds(&context, request)?;
    Ok(outcome)
}

fn prepare(context: &Context, request: &Request, name: &str) -> Result<Ready> {
    if name == "hierarchical" {
        let pinned = match &request.algorithm {
            Choice::Tiers(names) => Some(names.as_slice()),
            _ => None,
        };
        let best = hierarchical::best(context, request, pinned)?;
        return Ok(Ready {
            name: best.name,
            stages: best.stages,
            cost: best.cost,
        });
    }
    let stages = stages(context, request, name)?;
    let costs = stages
        .iter()
        .map(|stage| {
            let label = format!("{} by {name}", request.operation.name());
            StageCost::new(context, request.model, stage, label).map(Rc::new)
        })
        .collect::<Result<Vec<_>>>()?;
    // Only hierarchical schedules send chunks through their stages.
    if request.chunks.is_some_and(|chunks| chunks != 1) {
        return Err(Error::unsupported(
            format!("chunks with {name}"),
            "only hierarchical pipelines chunks through its stages",
        ));
    }
    let cost = combine(context, request.model, &costs, Some(1))?;
    Ok(Ready {
        name: name.to_owned(),
        stages: costs,
        cost,
    })
}

fn stages(context: &Context, request: &Request, name: &str) -> Result<Vec<Stage>> {
    let row = find(name)?;
    let operation = request.operation.as_run();
    let everyone = || -> Vec<Vec<u32>> {
        (0..context.groups.count())
            .map(|group| context.groups.members(context.machine, group))
            .collect()
    };
    let (placement, tier) = match context.groups {
        Groups::Scattered(groups) => (Placement::Flat(groups.clone()), "machine"),
        Groups::Grid { .. } if operation == Operation::SendRecv => {
            (Placement::Flat(everyone()), "machine")
        }
        Groups::Grid { locals, domains } if locals[0].len() == 1 && domains[0].len() > 1 => {
            (Placement::Rails(domains.clone()), "machine")
        }
        Groups::Grid { locals, .. } => (Placement::Local(locals.clone()), "domain"),
    };
    let job = Job {
        context,
        placement: &placement,
        operation,
        size: request.size,
        root: request.root,
        shift: request.shift,
        tier,
    };
    match (context.groups, &placement) {
        (Groups::Grid { locals, domains }, Placement::Local(_)) if domains[0].len() > 1 => {
            flat(&job, name, locals, domains)
        }
        _ => (row.build)(&job),
    }
}
