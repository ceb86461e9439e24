//! The way in: from a request to its answer.

use super::answer::outcome::Outcome;
use super::answer::outcome_tables::Tables;
use super::ask::group::Groups;
use super::ask::request::Request;
use super::events::together::Pipeline;
use super::events::unroll::{MOST_RANKS_WRITTEN, unroll};
use super::pattern::context::{Context, Shelf};
use super::price::bound::highest;
use super::solve::{Asked, Known, Solver, asks_inside_chips, solver};
use crate::machine::Machine;
use crate::operation::Operation;
use crate::route::Routing;
use crate::schedule::Schedule;
use crate::{Control, Error, Result};
use std::cell::RefCell;
use std::sync::Arc;

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
    outcome(machine, groups, routing, request, control, Look::BOUNDS)
}

/// The table of all that [`run`] considers, the fastest first, refusals last: also what it left out since bounds say that it
/// cannot be the fastest. Columns: algorithm, seconds, and why one does not apply.
///
/// # Errors
/// Those of [`run`].
///
/// # Examples
/// ```
/// use rainier_core::Control;
/// use rainier_core::collective::{Groups, Operation, Request, candidates, run};
/// # use rainier_core::machine::{Axis, AxisKind, Domain, Machine, Site};
/// # use rainier_core::route::Routing;
/// # let axis = Axis { name: "x".into(), size: 4, kind: AxisKind::Ring, bandwidth: 1e9, latency: 0.0 };
/// # let site = Site { name: "one".into(), domains: 1, tiers: Vec::new() };
/// # let machine = Machine::new(Domain::new(vec![axis])?, 0.0, None, vec![site], None)?;
/// let (groups, routing) = (Groups::all(&machine)?, Routing::default());
/// let (request, control) = (Request::new(Operation::AllReduce, 1e6), Control::default());
/// let outcome = run(&machine, &groups, &routing, &request, &control)?;
/// let all = candidates(&machine, &groups, &routing, &request, &control)?;
/// let table = all.table(&machine, "candidates").expect("there is one");
/// assert!(outcome.left_out && table.iter().any(|column| column.0 == "reason"));
/// # Ok::<(), rainier_core::Error>(())
/// ```
pub fn candidates(
    machine: &Machine,
    groups: &Groups,
    routing: &Routing,
    request: &Request,
    control: &Control,
) -> Result<Tables> {
    let outcome = outcome(machine, groups, routing, request, control, Look::EVERY)?;
    Ok(outcome.tables())
}

/// The same without bounds.
///
/// # Errors
/// Those of [`run`].
pub(crate) fn unbounded(
    machine: &Machine,
    groups: &Groups,
    routing: &Routing,
    request: &Request,
    control: &Control,
) -> Result<Outcome> {
    let look = Look {
        bounds: false,
        every: false,
    };
    outcome(machine, groups, routing, request, control, look)
}

/// What is looked at beside the answer.
#[derive(Clone, Copy)]
pub(super) struct Look {
    bounds: bool,
    /// Algorithms that cannot be the fastest.
    every: bool,
}

impl Look {
    pub(super) const BOUNDS: Self = Self {
        bounds: true,
        every: false,
    };
    pub(super) const EVERY: Self = Self {
        bounds: false,
        every: true,
    };
}

pub(super) fn outcome(
    machine: &Machine,
    groups: &Groups,
    routing: &Routing,
    request: &Request,
    control: &Control,
    look: Look,
) -> Result<Outcome> {
    let (groups, request, solver) = checked(machine, groups, routing, request)?;
    let asked = (machine, &Arc::new(groups), routing, &request);
    answered(asked, solver, control, look, None)
}

/// The answer to a request that is checked.
pub(super) fn answered(
    (machine, groups, routing, request): (&Machine, &Arc<Groups>, &Routing, &Request),
    solver: &Solver,
    control: &Control,
    look: Look,
    known: Option<&RefCell<Known>>,
) -> Result<Outcome> {
    let mut outcome = Outcome::nothing(request, groups);
    let inside = asks_inside_chips(machine, groups.ranks(), request);
    if nothing_moves(groups, request) && !inside {
        return Ok(outcome);
    }
    outcome.choice = request.algorithm.clone();
    let asked = Asked {
        with_bounds: look.bounds,
        every: look.every,
        known,
        ..Asked::new(machine, groups, routing, request, control)
    };
    solver.check_damage(&asked)?;
    (solver.run)(&asked, &mut outcome)?;
    outcome.apply_launch(machine.launch());
    Ok(outcome)
}

/// Seconds of [`run`] alone: without bounds, tables and loads, and with the patterns of calls before.
///
/// # Errors
/// Those of [`run`].
pub(crate) fn time(
    machine: &Machine,
    groups: &Groups,
    routing: &Routing,
    request: &Request,
    control: &Control,
    shelf: &Shelf,
) -> Result<f64> {
    let (checked_groups, checked_request, solver) = checked(machine, groups, routing, request)?;
    let Some(time) = solver.time else {
        return Ok(run(machine, groups, routing, request, control)?.time);
    };
    if nothing_moves(&checked_groups, &checked_request) {
        return Ok(0.0);
    }
    let (groups, request) = (&checked_groups, &checked_request);
    let asked = Asked {
        shelf: Some(shelf),
        ..Asked::new(machine, groups, routing, request, control)
    };
    solver.check_damage(&asked)?;
    time(&asked)
}

/// Seconds that [`run`] takes at least: the highest of its bounds; `across`, of those that are the same for all groups
/// of as many ranks in the same domains.
///
/// # Errors
/// Those of a bad request.
pub(crate) fn least_time(
    machine: &Machine,
    groups: &Groups,
    routing: &Routing,
    request: &Request,
    control: &Control,
    across: bool,
) -> Result<f64> {
    let (groups, request, _) = checked(machine, groups, routing, request)?;
    if nothing_moves(&groups, &request) {
        return Ok(0.0);
    }
    let context = Context::new(machine, routing, &groups, control)?;
    highest(&context, &request, across)
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
    let (groups, request, solver) = checked(machine, groups, routing, request)?;
    let schedule = solver
        .schedule
        .map_err(|(what, instead)| Error::unsupported(what, instead))?;
    if groups.ranks() > MOST_RANKS_WRITTEN {
        return Err(Error::unsupported(
            format!("writing out the schedule of {} ranks", groups.ranks()),
            format!("name a group of at most {MOST_RANKS_WRITTEN} chips"),
        ));
    }
    if nothing_moves(&groups, &request) {
        let context = Context::new(machine, routing, &groups, control)?;
        let schedule = unroll(&context, &request, &[])?;
        return Ok(("none".to_owned(), schedule, Pipeline::default()));
    }
    schedule(&Asked::new(machine, &groups, routing, &request, control))
}

/// The request, checked, over groups whose listed chips ascend where their order means nothing.
pub(super) fn checked(
    machine: &Machine,
    groups: &Groups,
    routing: &Routing,
    request: &Request,
) -> Result<(Groups, Request, &'static Solver)> {
    request.validate(machine, groups.ranks())?;
    let solver = solver(request)?;
    routing.check(machine)?;
    let reordered = match request.operation {
        Operation::SendRecv => None,
        operation => {
            let root = operation.is_rooted().then_some(request.root);
            groups.sorted(machine, root)
        }
    };
    Ok(match reordered {
        Some((groups, root)) => (
            groups,
            Request {
                root,
                ..request.clone()
            },
            solver,
        ),
        None => (groups.clone(), request.clone(), solver),
    })
}

pub(super) fn nothing_moves(groups: &Groups, request: &Request) -> bool {
    let ranks = groups.ranks() as i64;
    let stays = request.operation == Operation::SendRecv && request.shift.rem_euclid(ranks) == 0;
    ranks == 1 || stays
}
