//! The table of solvers. A new one is a folder with a row and a line here.

use super::scheduled::{AUTO, HIERARCHICAL, NAMED};
use super::solver::Solver;
use super::{nccl, neuron, synthesized, xla};
use crate::collective::algorithm::{self, ALGORITHMS};
use crate::collective::ask::choice::Choice;
use crate::collective::ask::request::Request;
use crate::operation::Operation;
use crate::{Error, Result};

/// All solvers that have a name of their own; one more runs the algorithms of [`ALGORITHMS`], and one finds the
/// fastest.
pub const SOLVERS: &[Solver] = &[
    nccl::SOLVER,
    neuron::SOLVER,
    xla::SOLVER,
    synthesized::SOLVER,
    HIERARCHICAL,
];

/// Name, line and operations of everything that `algorithm=` may name but the choice among them.
pub fn algorithms() -> impl Iterator<Item = (&'static str, &'static str, &'static [Operation])> {
    let rows = ALGORITHMS.iter();
    rows.map(|row| (row.name, row.summary, row.operations))
        .chain(
            SOLVERS
                .iter()
                .map(|row| (row.name, row.summary, row.operations)),
        )
}

/// Who answers a request, which is checked against what that one does.
///
/// # Errors
/// [`Error::Unknown`] for names, [`Error::Unsupported`] for operations and chunks, [`Error::Invalid`] for weights of
/// orders that nobody asked for takes and for a tier's name that stands for all tiers.
pub(crate) fn solver(request: &Request) -> Result<&'static Solver> {
    let solver = match &request.algorithm {
        Choice::Auto => &AUTO,
        Choice::Tiers(names) => {
            names.iter().try_for_each(|name| check_tier(name))?;
            &HIERARCHICAL
        }
        Choice::Named(name) => match SOLVERS.iter().find(|row| row.name == name) {
            Some(solver) => {
                solver.check_operation(request.operation)?;
                solver
            }
            None => {
                let row = algorithm::row(name).ok_or_else(|| unknown(name))?;
                row.check_operation(request.operation.as_run())?;
                &NAMED
            }
        },
    };
    let in_switch = |name: &str| algorithm::row(name).is_some_and(|row| row.in_switch);
    if let Some(dtype) = request.not_in_switch()
        && request.algorithm.names().any(in_switch)
    {
        return Err(Error::unsupported(
            format!("in_switch sums of {dtype}"),
            "NVLink switches add up types of 32 and 64 bits, fp16 and bf16 (NCCL, src/device/generate.py); \
             take one of those, or 'auto', which adds up on the chips",
        ));
    }
    if !request.orders.is_empty() && !takes_orders(&request.algorithm) {
        let able = ALGORITHMS.iter().filter(|row| row.takes_orders);
        let names: Vec<&str> = able.map(|row| row.name).collect();
        return Err(Error::invalid(
            "weights",
            format!("{} orders", request.orders.len()),
            format!(
                "only the algorithm {} takes weights of orders",
                names.join(", ")
            ),
        ));
    }
    if !solver.takes_chunks && request.chunks.is_some_and(|chunks| chunks > 1) {
        return Err(Error::unsupported(
            "chunks with an algorithm of one tier",
            "only hierarchical pipelines chunks through its stages, and synthesized cuts shares into them",
        ));
    }
    Ok(solver)
}

/// Whether what answers a request prices all that does not depend on the size once.
///
/// # Errors
/// Those of [`solver`].
pub(crate) fn is_kept(request: &Request) -> Result<bool> {
    Ok(solver(request)?.prepare.is_some() && request.model.engine().is_none())
}

/// An algorithm that is named takes weights of the orders of axes.
fn takes_orders(choice: &Choice) -> bool {
    let takes = |name: &String| algorithm::row(name).is_some_and(|row| row.takes_orders);
    match choice {
        Choice::Auto => false,
        Choice::Named(name) => takes(name),
        Choice::Tiers(names) => names.iter().any(takes),
    }
}

/// Whether lower bounds hold for whatever this names: not for tables of prices, nor where switches add up.
pub(crate) fn is_bounded(choice: &Choice) -> bool {
    choice.names().all(|name| {
        let solver = SOLVERS.iter().find(|row| row.name == name);
        solver.is_none_or(|solver| solver.is_bounded)
            && algorithm::row(name).is_none_or(|row| !row.in_switch)
    })
}

fn check_tier(name: &str) -> Result<()> {
    if algorithm::row(name).is_some() {
        return Ok(());
    }
    if name == AUTO.name || SOLVERS.iter().any(|row| row.name == name) {
        return Err(Error::invalid(
            "algorithm",
            format!("{name:?} for one tier"),
            "a tuple names an algorithm of its own for each tier",
        ));
    }
    Err(unknown(name))
}

fn unknown(name: &str) -> Error {
    let known: Vec<&str> = algorithms().map(|row| row.0).collect();
    Error::Unknown {
        argument: "algorithm".to_owned(),
        value: name.to_owned(),
        known: format!("{}, {}", AUTO.name, known.join(", ")),
    }
}
