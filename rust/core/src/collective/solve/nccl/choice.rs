//! From a request to NCCL's choice, with every alternative and its time.

use super::communicator::Communicator;
use super::cost::{Model, Price};
use super::direct;
use super::tables::{Algorithm, Protocol};
use super::timed::{self, Time};
use super::way::Way;
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
    let (communicator, counts) = Communicator::of(machine, groups)?;
    let views = counts
        .iter()
        .map(|&count| communicator.seen_with(machine, count));
    let model = Model::seen(gpu, communicator, &views.collect::<Vec<_>>());
    let tried = tried(&model, request);
    let (way, price) = cheapest(&tried, request, outcome)?;
    outcome.sort_candidates();
    let context = asked.context()?;
    // NVLink SHARP and CollNet reduce in switches, which bounds for ranks that reduce do not allow for.
    let in_switch = matches!(
        way,
        Way::Collective(
            Algorithm::Nvls
                | Algorithm::NvlsTree
                | Algorithm::CollNetDirect
                | Algorithm::CollNetChain,
            _
        )
    );
    outcome.bounds = if in_switch {
        bounds_in_switch(&context, request)?
    } else {
        bounds(&context, request)?
    };
    let name = way.name();
    outcome.chosen = chosen(&model, way);
    let label = format!("{} by {name}", request.operation.name());
    let time = timed::time(&model, operation, way, &price, request.size);
    let time = if gpu.silent { time.silent() } else { time };
    outcome.note = note(gpu, &model.communicator);
    outcome.fill_priced(NAME, name, &label, parts(&time));
    Ok(())
}

/// The parts that take any time, and the bytes.
fn parts(time: &Time) -> Vec<Priced> {
    let parts = [
        Priced::new("start", 1, time.start * 1e-6, 0.0),
        Priced::new("hops", time.steps, time.hops * 1e-6, 0.0),
        Priced::new("copies", 1, 0.0, time.copies * 1e-6),
        Priced::new("bytes", 1, 0.0, time.bytes * 1e-6),
    ];
    let kept = parts
        .into_iter()
        .filter(|part| part.what == "bytes" || part.time() > 0.0);
    kept.collect()
}

/// What chose, and what the time rests on.
fn note(gpu: &Gpu, communicator: &Communicator) -> String {
    let chose = format!(
        "chosen by the prices of NCCL {}, which the candidates have",
        gpu.version.name()
    );
    if gpu.silent {
        return format!("{chose}; the time is its bytes alone");
    }
    match (&gpu.timing, communicator.nodes) {
        (None, _) => format!("{chose} and the time is"),
        (Some(_), 1) => format!("{chose}; the time is by figures fitted to measured tables"),
        (Some(_), _) => format!(
            "{chose}; the time is by figures fitted inside one node, and by NCCL's own between nodes"
        ),
    }
}

/// What was chosen.
fn chosen(model: &Model, way: Way) -> Facts {
    let channels = match way {
        Way::Collective(Algorithm::Nvls | Algorithm::NvlsTree, _) => model.nvls.channels,
        Way::Collective(Algorithm::CollNetDirect, _) => model.communicator.nics,
        _ => model.rings.channels,
    };
    vec![
        ("algorithm", Fact::Text(way.algorithm().to_owned())),
        ("protocol", Fact::Text(way.protocol().name().to_owned())),
        ("channels", Fact::Count(u64::from(channels))),
    ]
}

/// What NCCL takes: the cheapest by its own prices. All that was tried are candidates.
fn cheapest(tried: &Tried, request: &Request, outcome: &mut Outcome) -> Result<(Way, Price)> {
    let size = request.size;
    let mut best: Option<(Way, Price)> = None;
    for (way, price) in tried {
        outcome.candidates.push(Candidate {
            algorithm: way.name(),
            outcome: match price {
                Ok(price) => Ok(price.time(size) * 1e-6),
                Err(why) => Err(why.clone()),
            },
        });
        if let Ok(price) = price {
            if best.is_none_or(|best| price.time(size) < best.1.time(size)) {
                best = Some((*way, *price));
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

/// Ways and prices, or why there is none, in NCCL's order.
type Tried = Vec<(Way, std::result::Result<Price, String>)>;

fn tried(model: &Model, request: &Request) -> Tried {
    let (operation, size) = (request.operation.as_run(), request.size);
    debug_assert!(OPERATIONS.contains(&operation), "checked with the request");
    if operation == Operation::AllToAll {
        let price = |protocol| (Way::Direct(protocol), direct::price(model, protocol, size));
        return direct::PROTOCOLS.map(price).into();
    }
    let pairs = Algorithm::ALL
        .into_iter()
        .flat_map(|algorithm| Protocol::ALL.map(|protocol| (algorithm, protocol)));
    pairs
        .map(|(algorithm, protocol)| {
            let nvls = matches!(algorithm, Algorithm::Nvls | Algorithm::NvlsTree);
            let price = match request.not_in_switch().filter(|_| nvls) {
                None => model.price(operation, algorithm, protocol, size),
                Some(name) => Err(format!("NVLink switches do not add up {name}")),
            };
            (Way::Collective(algorithm, protocol), price)
        })
        .collect()
}
