//! Services as Python sees them: conversions only.

use crate::classes::Machine;
use crate::convert::{self, RoutingRow};
use crate::efficiency::{EfficiencyRow, efficiency};
use crate::enter::{here, quick};
use crate::error::to_py;
use crate::workload::{LayoutRow, ModelRow, layout, model, unknown};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rainier_core::collective::{Choice, Operation, Request};
use rainier_core::serving as core;
use rainier_core::workload::{Asked, Efficiency, Kept, Layout};
use rainier_core::{Control, Error, Result};
use std::cell::RefCell;

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct SpeculationRow {
    tokens: u32,
    yields: f64,
    draft: ModelRow,
}

/// What is served: a dict by these names.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct ServiceRow {
    model: ModelRow,
    input: f64,
    output: f64,
    lengths: Vec<[f64; 3]>,
    weight_bytes: f64,
    activation_bytes: f64,
    cache_bytes: f64,
    head_bytes: f64,
    window: Option<f64>,
    engine: String,
    lockstep: bool,
    most_tokens: f64,
    chunk: f64,
    prompts: Vec<f64>,
    contexts: Vec<f64>,
    batches: Vec<f64>,
    prefix_hit: f64,
    speculation: Option<SpeculationRow>,
    imbalance: f64,
    bank: f64,
    taken: f64,
    cache_share: f64,
}

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct PaceRow {
    layer: f64,
    sparse: f64,
    expert: f64,
    decode: f64,
    prefill: f64,
    collective: f64,
    cache: f64,
    step: f64,
    sequence: f64,
    request: f64,
}

/// What it runs on.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct ServingRow {
    algorithm: String,
    dtype: Option<String>,
    per_chip: u32,
    routing: RoutingRow,
    efficiency: EfficiencyRow,
    pace: PaceRow,
    unpriced: u32,
}

/// Requests at all times and in all, or requests/s.
type DemandRow = (Option<f64>, Option<f64>, Option<f64>);

fn service(row: ServiceRow) -> Result<core::Service> {
    let engine = match row.engine.as_str() {
        "neuron" => core::Engine::Neuron,
        "vllm" => core::Engine::Continuous,
        "ideal" => core::Engine::Ideal,
        other => return Err(unknown("engine", other, "neuron, vllm, ideal")),
    };
    let speculation = |row: SpeculationRow| core::Speculation {
        tokens: row.tokens,
        yields: row.yields,
        draft: model(row.draft),
    };
    Ok(core::Service {
        model: model(row.model),
        input: row.input,
        output: row.output,
        lengths: row.lengths.into_iter().map(length).collect(),
        weight_bytes: row.weight_bytes,
        activation_bytes: row.activation_bytes,
        cache_bytes: row.cache_bytes,
        head_bytes: row.head_bytes,
        window: row.window,
        engine,
        lockstep: row.lockstep,
        most_tokens: row.most_tokens,
        chunk: row.chunk,
        prompts: row.prompts,
        contexts: row.contexts,
        batches: row.batches,
        prefix_hit: row.prefix_hit,
        speculation: row.speculation.map(speculation),
        imbalance: row.imbalance,
        bank: row.bank,
        taken: row.taken,
        cache_share: row.cache_share,
    })
}

fn length([input, output, share]: [f64; 3]) -> core::Length {
    core::Length {
        input,
        output,
        share,
    }
}

fn pace(row: &PaceRow) -> Result<core::Pace> {
    core::Pace {
        layer: row.layer,
        sparse: row.sparse,
        expert: row.expert,
        decode: row.decode,
        prefill: row.prefill,
        collective: row.collective,
        cache: row.cache,
        step: row.step,
        sequence: row.sequence,
        request: row.request,
    }
    .checked()
}

fn demand((requests, of, rate): DemandRow) -> core::Demand {
    match (requests, rate) {
        (Some(requests), _) => core::Demand::Concurrency { requests, of },
        (None, rate) => core::Demand::Rate(rate.unwrap_or(0.0)),
    }
}

/// What passes run on, read from rows.
struct Ready {
    service: core::Service,
    layout: Layout,
    pace: core::Pace,
    asked: Asked,
    efficiency: Efficiency,
    unpriced: u32,
}

fn ready(
    py: Python<'_>,
    service: ServiceRow,
    layout: LayoutRow,
    runs: ServingRow,
) -> PyResult<Ready> {
    let refused = |error: Error| to_py(py, &error);
    let algorithm = match runs.algorithm.as_str() {
        "auto" => Choice::Auto,
        name => Choice::Named(name.to_owned()),
    };
    let unit = Request::new(Operation::Barrier, 0.0);
    let unit = unit.with_dtype(runs.dtype.as_deref()).map_err(refused)?;
    Ok(Ready {
        service: self::service(service).map_err(refused)?,
        layout: self::layout(layout).map_err(refused)?,
        pace: pace(&runs.pace).map_err(refused)?,
        asked: Asked {
            algorithm,
            routing: convert::routing(py, runs.routing)?,
            dtype: unit.dtype,
            per_chip: runs.per_chip,
        },
        efficiency: efficiency(py, runs.efficiency)?,
        unpriced: runs.unpriced,
    })
}

impl Ready {
    fn cut(&self, py: Python<'_>, machine: &Machine) -> PyResult<core::Cut<'_>> {
        let ranks = u64::from(machine.0.num_chips()) * u64::from(self.asked.per_chip);
        quick(py, || core::Cut::new(&self.service, &self.layout, ranks))
    }

    fn with<T>(
        &self,
        machine: &Machine,
        control: &Control,
        work: impl FnOnce(&core::Runs) -> Result<T>,
    ) -> Result<T> {
        let prices = Kept {
            machine: &machine.0,
            keeper: &machine.1,
            book: &machine.2,
            asked: &self.asked,
            control,
            priced: RefCell::default(),
        };
        work(&core::Runs {
            efficiency: &self.efficiency,
            pace: self.pace,
            prices: &prices,
            unpriced: self.unpriced,
        })
    }
}

/// What a service takes, a dict for each demand.
#[pyfunction]
pub(crate) fn serve<'py>(
    py: Python<'py>,
    machine: &Machine,
    service: ServiceRow,
    layout: LayoutRow,
    runs: ServingRow,
    demands: Vec<DemandRow>,
) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let ready = ready(py, service, layout, runs)?;
    let cut = ready.cut(py, machine)?;
    let found = here(py, |control| {
        ready.with(machine, control, |runs| {
            let one = |row| {
                control.check()?;
                core::serve(&cut, runs, demand(row))
            };
            demands.into_iter().map(one).collect::<Result<Vec<_>>>()
        })
    })?;
    found.iter().map(|one| answer(py, one)).collect()
}

/// Requests at all times, requests/s, in all, spread of answers and a seed; or lines of arrival, input and output.
type LoadRow = (Option<usize>, Option<f64>, usize, f64, u64, Vec<[f64; 3]>);

fn load((closed, open, total, spread, seed, listed): LoadRow) -> core::Load {
    match (closed, open) {
        (Some(requests), _) => core::Load::Closed {
            requests,
            total,
            spread,
            seed,
        },
        (None, Some(rate)) => core::Load::Open {
            rate,
            total,
            spread,
            seed,
        },
        (None, None) => {
            let one = |[arrival, input, output]: [f64; 3]| core::Request {
                arrival,
                input,
                output,
            };
            core::Load::Listed(listed.into_iter().map(one).collect())
        }
    }
}

/// When each request came, had its first token and its last, and how many it had: a line each.
#[pyfunction]
pub(crate) fn serve_events<'py>(
    py: Python<'py>,
    machine: &Machine,
    service: ServiceRow,
    layout: LayoutRow,
    runs: ServingRow,
    load: LoadRow,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let ready = ready(py, service, layout, runs)?;
    let cut = ready.cut(py, machine)?;
    let load = self::load(load);
    let moments = here(py, |control| {
        ready.with(machine, control, |runs| {
            core::events(&cut, runs, &load, control)
        })
    })?;
    Ok(moments.concat().into_pyarray(py))
}

fn answer<'py>(py: Python<'py>, served: &core::Served) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let numbers = [
        ("ttft", served.ttft),
        ("tpot", served.tpot),
        ("ttft_p50", served.quantiles.ttft[0]),
        ("ttft_p90", served.quantiles.ttft[1]),
        ("tpot_p50", served.quantiles.tpot[0]),
        ("tpot_p90", served.quantiles.tpot[1]),
        ("rate", served.rate),
        ("running", served.running),
        ("decoding", served.decoding),
        ("waiting", served.waiting),
        ("load", served.load),
        ("batch", served.shape.0),
        ("context", served.shape.1),
        ("prompt", served.prompt),
        ("weights", served.memory.weights),
        ("request", served.memory.request),
        ("budget", served.memory.budget),
        ("fits", served.memory.fits()),
    ];
    for (name, value) in numbers {
        dict.set_item(name, value)?;
    }
    let parts = |parts: &core::Parts| core::Part::ALL.map(|part| (part.name(), parts.get(part)));
    dict.set_item("step", parts(&served.step).to_vec())?;
    dict.set_item("prefill", parts(&served.prefill).to_vec())?;
    Ok(dict)
}
