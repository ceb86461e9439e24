//! What the compiler's choice takes, by the schedules that stand for it.

use super::call;
use super::choice::{Choice, choose};
use super::group::{Group, axis_of};
use super::tables::Rules;
use crate::collective::answer::outcome::{Candidate, Outcome};
use crate::collective::ask::choice::Choice as Algorithm;
use crate::collective::ask::model::Model;
use crate::collective::ask::request::Request;
use crate::collective::price::bound::bounds;
use crate::collective::solve::Asked;
use crate::collective::solve::scheduled;
use crate::collective::solve::solver::Unrolled;
use crate::machine::{Machine, Tpu};
use crate::operation::Operation::{self, AllGather, AllReduce, AllToAll, ReduceScatter, SendRecv};
use crate::{Error, Result};
use std::sync::Arc;

/// The name that users write.
pub(super) const NAME: &str = "xla";

/// Answers a request; `outcome` is the empty answer to fill.
///
/// # Errors
/// [`Error::Unsupported`] for a machine that is no slice of TPUs, and for what the compiler does not do or hands on.
pub(super) fn run(asked: &Asked, outcome: &mut Outcome) -> Result<()> {
    let plan = Plan::new(asked)?;
    let named = outcome.choice.clone();
    scheduled::run(&plan.asked(asked), outcome)?;
    call::apply(asked.machine, tpu(asked.machine)?, outcome);
    outcome.choice = named;
    outcome.algorithm = plan.name();
    outcome.candidates = vec![Candidate {
        algorithm: outcome.algorithm.clone(),
        outcome: Ok(outcome.time),
    }];
    outcome.note = plan.note(asked.request);
    outcome.chosen = plan.choice.facts();
    if asked.with_bounds {
        outcome.bounds = bounds(&asked.context()?, asked.request)?;
    }
    Ok(())
}

/// Seconds of [`run`] alone.
pub(super) fn time(asked: &Asked) -> Result<f64> {
    let mut outcome = Outcome::nothing(asked.request, &Arc::new(asked.groups.clone()));
    let asked = Asked {
        with_bounds: false,
        ..*asked
    };
    run(&asked, &mut outcome)?;
    Ok(outcome.time.max(asked.machine.launch()))
}

/// The schedule that stands for the choice, where that does what was asked for and no more.
pub(super) fn schedule(asked: &Asked) -> Result<Unrolled> {
    let plan = Plan::new(asked)?;
    let operation = asked.request.operation;
    if plan.stands_in.operation != operation.as_run() {
        return Err(Error::unsupported(
            format!(
                "the schedule of xla for {}, which is an {} there",
                operation.name(),
                plan.choice.remains
            ),
            format!(
                "ask for that of {} by xla, or name an algorithm",
                plan.stands_in.operation.name()
            ),
        ));
    }
    let (_, schedule, pipeline) = scheduled::schedule(&plan.asked(asked))?;
    Ok((plan.name(), schedule, pipeline))
}

/// The choice, and the request whose time stands for it.
pub(super) struct Plan {
    pub(super) group: Group,
    pub(super) choice: Choice,
    pub(super) stands_in: Request,
}

impl Plan {
    fn new(asked: &Asked) -> Result<Self> {
        let (machine, request) = (asked.machine, asked.request);
        let rules = Rules::of(tpu(machine)?.part);
        if !matches!(request.model, Model::LinkLoad | Model::AlphaBeta) {
            return Err(Error::unsupported(
                format!("xla with model {}", request.model.name()),
                "it has link loads and what calls add to them; use link_load or alpha_beta, or the schedule of the \
                 result under that model",
            ));
        }
        let group = Group::of(machine, asked.groups, asked.control)?;
        let element = element_bytes(request)?;
        check_handed_on(rules, request)?;
        let choice = choose(rules, &group, summed_as(request), request.size, element);
        let stands_in = stands_in(machine, request, &choice);
        Ok(Self {
            group,
            choice,
            stands_in,
        })
    }

    fn asked<'a>(&'a self, asked: &Asked<'a>) -> Asked<'a> {
        Asked {
            request: &self.stands_in,
            with_bounds: false,
            known: None,
            ..*asked
        }
    }
}

/// The request whose time stands for a choice.
fn stands_in(machine: &Machine, request: &Request, choice: &Choice) -> Request {
    let domain = machine.domain();
    let share = 1.0 / choice.orders.len() as f64;
    let by_axis = |order: &Vec<usize>| {
        let axes = order.iter().map(|&number| axis_of(domain, number));
        (axes.collect(), share)
    };
    let algorithm = match choice.operation {
        AllToAll | SendRecv => "direct",
        _ if choice.orders.is_empty() => "ring",
        _ => "bucket",
    };
    Request {
        operation: choice.operation,
        algorithm: Algorithm::Named(algorithm.to_owned()),
        orders: choice.orders.iter().map(by_axis).collect(),
        ..request.clone()
    }
}

/// What XLA asks of the machine.
fn tpu(machine: &Machine) -> Result<&Tpu> {
    machine.tpu().ok_or_else(|| {
        Error::unsupported(
            "algorithm 'xla' on a machine whose chips are no TPUs",
            "use a preset such as \"tpu-v5p\" or an UltraServer with tpu=; elsewhere algorithm='auto', or 'neuron' or \
             'nccl' where the machine has them",
        )
    })
}

/// Bytes of an element; bf16 where nothing is said of the type, as in the programs that the rules are read from.
fn element_bytes(request: &Request) -> Result<f64> {
    let bytes = match request.dtype {
        Some("fp64" | "int64") => 8.0,
        Some("fp32" | "int32") => 4.0,
        Some("fp8" | "int8" | "uint8") => 1.0,
        _ => 2.0,
    };
    let sums = matches!(request.operation.as_run(), AllReduce | ReduceScatter);
    if sums && bytes == 8.0 {
        let dtype = request.dtype.unwrap_or_default();
        return Err(Error::unsupported(
            format!("{} of {dtype} by XLA on TPUs", request.operation.name()),
            "XLA rewrites types of 64 bits there and has no rewriting of all-reduce (pytorch/xla issue 1952): \
             use 32 bits",
        ));
    }
    Ok(bytes)
}

/// The operation that the rules are asked about: sums are scattered in bf16 and fp32 only, those of other types go to all
/// chips, of which each keeps its part (seen on v5e, v5p and v6e; `findings/tpu-reduce-scatter-by-type`).
fn summed_as(request: &Request) -> Operation {
    match (request.operation.as_run(), request.dtype) {
        (ReduceScatter, Some(dtype)) if !matches!(dtype, "bf16" | "fp32") => AllReduce,
        (operation, _) => operation,
    }
}

/// Refuses what the part's compiler hands on to another unit, whose text cannot be printed.
fn check_handed_on(rules: &Rules, request: &Request) -> Result<()> {
    let handed_on = matches!(
        request.operation.as_run(),
        AllReduce | ReduceScatter | AllGather
    );
    match rules.handed_on_from {
        Some(least) if handed_on && request.size >= least => Err(Error::unsupported(
            format!(
                "{} of {} bytes by XLA on {}",
                request.operation.name(),
                request.size,
                rules.part.name()
            ),
            format!(
                "from {} KiB the compiler hands it to the SparseCores, and says nothing of how they run it: \
                 use algorithm='auto' for the links alone",
                least / 1024.0
            ),
        )),
        _ => Ok(()),
    }
}
