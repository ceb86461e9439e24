//! From a request to NCCL's choice, with every alternative and its time.

use super::communicator::Communicator;
use super::cost::{Model, Price};
use super::direct;
use super::tables::{Algorithm, Protocol};
use crate::collective::answer::outcome::{Candidate, Outcome, Priced};
use crate::collective::ask::model::Model as Contention;
use crate::collective::ask::request::Request;
use crate::collective::price::bound::{bounds, bounds_in_switch};
use crate::collective::solve::Asked;
use crate::collective::tables::{Fact, Facts};
use crate::machine::{AxisKind, Gpu, Machine};
use crate::operation::Operation;
use crate::{Error, Result};

/// The name that users write.
pub(super) const NAME: &str = "nccl";

/// What it does.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::AllReduce,
    Operation::ReduceScatter,
    Operation::AllGather,
    Operation::AllToAll,
    Operation::Barrier,
];

/// Answers a request by NCCL's model; `outcome` is the empty answer to fill.
///
/// # Errors
/// [`Error::Unsupported`] for a machine without GPUs or whose domain is not one switch, for a contention model that
/// is not the default, for operations that NCCL's model does not price.
pub(super) fn run(asked: &Asked, outcome: &mut Outcome) -> Result<()> {
    let &Asked {
        machine,
        groups,
        request,
        ..
    } = asked;
    let gpu = gpu(machine)?;
    if request.model != Contention::LinkLoad {
        return Err(Error::unsupported(
            format!("algorithm 'nccl' with model '{}'", request.model.name()),
            "NCCL's tuning model is a model of its own: leave out model=",
        ));
    }
    let operation = request.operation.as_run();
    let model = Model::new(gpu, Communicator::of(machine, groups)?);
    let tried = tried(&model, operation, request.size);
    let (name, price) = fastest(&tried, request, outcome)?;
    outcome.sort_candidates();
    let context = asked.context()?;
    // NVLink SHARP and CollNet reduce in switches, which bounds for ranks that reduce do not allow for.
    let in_switch = name.contains("nvls") || name.contains("collnet");
    outcome.bounds = if in_switch {
        bounds_in_switch(&context, request)?
    } else {
        bounds(&context, request)?
    };
    outcome.chosen = chosen(&model, name);
    let label = format!("{} by {name}", request.operation.name());
    let parts = [
        Priced::new("base latency", 1, price.base * 1e-6, 0.0),
        Priced::new("hops", price.steps, price.hops * 1e-6, 0.0),
        Priced::new("pipeline fill, fitted", 1, price.fill * 1e-6, 0.0),
        Priced::new("bytes", 1, 0.0, request.size / (1e9 * price.rate)),
    ];
    let kept = parts
        .into_iter()
        .filter(|part| part.what == "bytes" || part.time() > 0.0);
    outcome.fill_priced(NAME, name.to_owned(), &label, kept.collect());
    Ok(())
}

/// What was chosen, of a name as [`full_name`] makes it.
fn chosen(model: &Model, name: &str) -> Facts {
    let inner = name.trim_start_matches("nccl(").trim_end_matches(')');
    let (algorithm, protocol) = inner.split_once(", ").unwrap_or((inner, ""));
    let channels = match algorithm {
        "nvls" | "nvls_tree" => model.nvls.channels,
        "collnet_direct" => model.communicator.per_node(),
        _ => model.rings.channels,
    };
    vec![
        ("algorithm", Fact::Text(algorithm.to_owned())),
        ("protocol", Fact::Text(protocol.to_owned())),
        ("channels", Fact::Count(u64::from(channels))),
    ]
}

/// The fastest of what was tried; all of it are candidates.
fn fastest<'a>(
    tried: &'a Tried,
    request: &Request,
    outcome: &mut Outcome,
) -> Result<(&'a str, Price)> {
    let size = request.size;
    let mut best: Option<(&str, Price)> = None;
    for (name, price) in tried {
        outcome.candidates.push(Candidate {
            algorithm: name.clone(),
            outcome: match price {
                Ok(price) => Ok(price.time(size) * 1e-6),
                Err(why) => Err(why.clone()),
            },
        });
        if let Ok(price) = price {
            if best.is_none_or(|best| price.time(size) < best.1.time(size)) {
                best = Some((name, *price));
            }
        }
    }
    best.ok_or_else(|| {
        let why = tried.first().and_then(|row| row.1.as_ref().err().cloned());
        let (operation, why) = (request.operation.name(), why.unwrap_or_default());
        Error::unsupported(
            format!("{operation} by NCCL: {why}"),
            "name another algorithm",
        )
    })
}

/// The machine's GPU, where its domain is one that NCCL's tables are about.
fn gpu(machine: &Machine) -> Result<&Gpu> {
    let Some(gpu) = machine.gpu() else {
        return Err(Error::unsupported(
            "algorithm 'nccl' on a machine that does not say what its GPUs are",
            "give its UltraServer gpu=Gpu('hopper') or another generation, or use algorithm='auto'",
        ));
    };
    let one_switch = matches!(
        machine.domain().axes(),
        [axis] if matches!(axis.kind, AxisKind::Switch { .. })
    );
    if !one_switch && machine.domain().chips() > 1 {
        return Err(Error::unsupported(
            "algorithm 'nccl' on nodes whose GPUs are not on one switch",
            "NCCL's search is modelled for NVSwitch nodes: use an UltraServer of one switch axis",
        ));
    }
    Ok(gpu)
}

/// Names and prices, or why there is none, in NCCL's order.
type Tried = Vec<(String, std::result::Result<Price, String>)>;

fn tried(model: &Model, operation: Operation, size: f64) -> Tried {
    debug_assert!(OPERATIONS.contains(&operation), "checked with the request");
    if operation == Operation::AllToAll {
        return direct::PROTOCOLS
            .into_iter()
            .map(|protocol| {
                (
                    full_name("direct", protocol),
                    direct::price(model, protocol),
                )
            })
            .collect();
    }
    let pairs = Algorithm::ALL
        .into_iter()
        .flat_map(|algorithm| Protocol::ALL.map(|protocol| (algorithm, protocol)));
    pairs
        .map(|(algorithm, protocol)| {
            let price = model.price(operation, algorithm, protocol, size);
            (full_name(algorithm.name(), protocol), price)
        })
        .collect()
}

fn full_name(algorithm: &str, protocol: Protocol) -> String {
    format!("nccl({algorithm}, {})", protocol.name())
}
