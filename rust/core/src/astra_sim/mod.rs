//! ASTRA-sim's two analytical backends, its times to the nanosecond: a model of that program, faults and all, and of no
//! machine. Read from its source (astra-sim/astra-sim and astra-sim/astra-network-analytical, March 2026).
//!
//! Nothing else here uses it, and it uses no other model.

mod ask;
mod circle;
mod mail;
mod network;
mod plan;
mod post;
mod queues;
mod run;
#[cfg(test)]
mod tests;
mod trace;
mod tree;
mod work;

pub use ask::{
    Access, Collective, Com, Dimension, Implementation, Kind, Memory, Node, Policy, Question,
    Shape, System, Way,
};

use crate::control::Control;
use crate::error::{Error, Result};
use trace::Trace;

/// What the peer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// By rank, nanoseconds at which it is through; none where it never is.
    pub finished: Vec<Option<u64>>,
    /// By rank, nanoseconds of computation.
    pub computing: Vec<u64>,
    /// Messages that were simulated.
    pub messages: u64,
    /// One rank stood for all.
    pub alike: bool,
}

/// Bytes that a rank takes.
const RANK: u64 = 1024;

/// Runs the peer's model.
///
/// # Errors
/// [`Error::Unsupported`] where the peer stops or has no meaning; [`Error::Invalid`] for traces that say nothing sure;
/// [`Error::Memory`]; [`Error::Cancelled`].
pub fn run(question: &Question, control: &Control) -> Result<Answer> {
    check(question)?;
    let npus = u64::from(question.npus());
    let nodes: u64 = question.traces.iter().map(|nodes| nodes.len() as u64).sum();
    let _taken = control.take(
        npus * RANK + nodes * 64,
        format_args!("{npus} ranks of ASTRA-sim"),
        "take fewer NPUs",
    )?;
    let traces = question.traces.iter().enumerate();
    let traces = traces.map(|(at, nodes)| Trace::of(nodes.clone(), at));
    let traces: Vec<Trace> = traces.collect::<Result<_>>()?;
    if is_alike(question) {
        let mut run = run::Run::of(question, &traces, true);
        run.go(control)?;
        if !run.ambiguous {
            return Ok(answer(&run, npus as usize));
        }
    }
    let mut run = run::Run::of(question, &traces, false);
    run.go(control)?;
    Ok(answer(&run, npus as usize))
}

/// As [`run`], every rank for itself: slower, and what [`run`] is checked against.
///
/// # Errors
/// As [`run`].
pub fn run_each(question: &Question, control: &Control) -> Result<Answer> {
    check(question)?;
    let traces = question.traces.iter().enumerate();
    let traces = traces.map(|(at, nodes)| Trace::of(nodes.clone(), at));
    let traces: Vec<Trace> = traces.collect::<Result<_>>()?;
    let mut run = run::Run::of(question, &traces, false);
    run.go(control)?;
    Ok(answer(&run, question.npus() as usize))
}

fn answer(run: &run::Run, npus: usize) -> Answer {
    let of = |rank: usize| &run.ranks[if run.alike { 0 } else { rank }];
    Answer {
        finished: (0..npus).map(|rank| of(rank).finished).collect(),
        computing: (0..npus).map(|rank| of(rank).computing).collect(),
        messages: run.messages,
        alike: run.alike,
    }
}

/// Whether all ranks do the same at the same time, so that one stands for all.
fn is_alike(question: &Question) -> bool {
    let system = &question.system;
    let plain = !system.aware && !system.rendezvous && question.groups.is_empty();
    let memory = !matches!(question.memory, Memory::Shared(..));
    let circles = system.implementations.iter().all(|named| {
        named.iter().zip(&question.network).all(|(row, dimension)| {
            let turns = row.way != Way::Tree && !row.one;
            turns && (row.way != Way::Halving || dimension.size.is_power_of_two())
        })
    });
    let traces = question.traces.len() == 1
        && question.traces[0].iter().all(|node| match &node.kind {
            Kind::Send(..) | Kind::Receive(..) | Kind::Groups(_) => false,
            Kind::Collective(asked) => asked.group.is_none(),
            _ => true,
        });
    plain && memory && circles && traces
}

fn check(question: &Question) -> Result<()> {
    let system = &question.system;
    let invalid = |argument: &str, value: String, allowed: &str| Error::Invalid {
        argument: argument.to_owned(),
        value,
        allowed: allowed.to_owned(),
    };
    let npus = question
        .network
        .iter()
        .try_fold(1u32, |all, row| all.checked_mul(row.size));
    if question.network.is_empty() || npus.is_none_or(|npus| npus > 1 << 24) {
        return Err(invalid(
            "npus_count",
            format!("{} dimensions", question.network.len()),
            "must have a dimension, and 16,777,216 NPUs at most",
        ));
    }
    for row in &question.network {
        let fine = row.size > 1 && row.bandwidth > 0.0 && row.latency >= 0.0;
        if !fine || !row.bandwidth.is_finite() || !row.latency.is_finite() {
            return Err(invalid(
                "network",
                format!(
                    "{} NPUs, {} GB/s, {} ns",
                    row.size, row.bandwidth, row.latency
                ),
                "must have 2 NPUs at least, a bandwidth above 0 and a latency of 0 or more",
            ));
        }
    }
    if question.trace_of.len() as u64 != u64::from(question.npus()) {
        return Err(invalid(
            "workload",
            format!("{} traces", question.trace_of.len()),
            "must have one for each NPU",
        ));
    }
    let known = question.traces.len();
    if question.trace_of.iter().any(|&at| at as usize >= known) {
        return Err(invalid(
            "workload",
            "no trace".to_owned(),
            "must name a trace",
        ));
    }
    if system.splits == 0 || system.active_chunks == 0 || system.queues == 0 {
        return Err(invalid(
            "system",
            "0 splits, active chunks or queues".to_owned(),
            "must be 1 at least",
        ));
    }
    refuse(question)
}

/// What stops the peer before it begins.
fn refuse(question: &Question) -> Result<()> {
    let (system, dimensions) = (&question.system, question.network.len());
    if system.aware && dimensions != 1 {
        return Err(plan::fails(
            "its congestion aware backend takes one dimension only",
            "take backend=\"unaware\", or a network of one dimension",
        ));
    }
    if system.aware && question.network[0].shape == Shape::Ring && question.network[0].size == 2 {
        return Err(plan::fails(
            "its congestion aware backend joins the NPUs of a ring of 2 twice, and stops",
            "take FullyConnected",
        ));
    }
    if system
        .implementations
        .iter()
        .any(|named| named.len() > dimensions)
    {
        return Err(plan::fails(
            "more algorithms are named than there are dimensions",
            "name one for each dimension",
        ));
    }
    Ok(())
}
