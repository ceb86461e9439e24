//! Training steps as Python sees them: conversions only.

use crate::classes::Machine;
use crate::convert::{self, RoutingRow};
use crate::efficiency::{EfficiencyRow, efficiency};
use crate::enter::{here, quick};
use crate::error::to_py;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rainier_core::collective::{Choice, Operation, Request};
use rainier_core::workload as core;
use rainier_core::{Error, Result};
use std::cell::RefCell;

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct LatentRow {
    q_rank: Option<u32>,
    kv_rank: u32,
    nope: u32,
    rope: u32,
    value: u32,
}

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct ExpertsRow {
    count: u32,
    per_token: u32,
    width: u32,
    shared_width: u32,
}

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct NumbersRow {
    attention: f64,
    every: f64,
    mlp: f64,
    router: f64,
    expert: f64,
    shared: f64,
    embedding: f64,
    head: f64,
    mtp_extra: f64,
}

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct ModelRow {
    hidden: u32,
    vocab: u32,
    heads: u32,
    kv_heads: u32,
    head_size: u32,
    latent: Option<LatentRow>,
    ffn: u32,
    gated: bool,
    experts: Option<ExpertsRow>,
    norms: u32,
    rope: bool,
    sparse: Vec<bool>,
    windowed: Vec<bool>,
    mtp: u32,
    numbers: NumbersRow,
}

/// What a step computes: a dict by these names.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct TrainingRow {
    model: ModelRow,
    sequence: u32,
    batch: u64,
    attended: (f64, f64),
    activation_bytes: f64,
    dispatch_bytes: f64,
    weight_bytes: f64,
    gradient_bytes: f64,
    optimizer_bytes: f64,
    recompute: String,
    fused_attention: bool,
    dropout: bool,
    imbalance: f64,
    host: f64,
}

/// How it is cut: a dict by these names.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct LayoutRow {
    tp: u32,
    pp: u32,
    cp: u32,
    dp: u32,
    ep: u32,
    etp: u32,
    zero: u8,
    shard: u32,
    microbatch: u32,
    schedule: String,
    virtual_stages: u32,
    sequence_parallel: bool,
    context: String,
    order: Vec<String>,
    split: Vec<u32>,
    overlap: bool,
    islands: u32,
    outer_every: u32,
}

/// What the machine's software hides.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct OverlapRow {
    tensor: bool,
    regather: bool,
    context: bool,
    data: bool,
    early: f64,
    late: f64,
}

/// What it runs on.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct RunsRow {
    algorithm: String,
    dtype: Option<String>,
    per_chip: u32,
    routing: RoutingRow,
    pub(crate) overlap: OverlapRow,
    efficiency: EfficiencyRow,
}

pub(crate) fn model(row: ModelRow) -> core::Model {
    let latent = |row: LatentRow| core::Latent {
        q_rank: row.q_rank,
        kv_rank: row.kv_rank,
        nope: row.nope,
        rope: row.rope,
        value: row.value,
    };
    let experts = |row: ExpertsRow| core::Experts {
        count: row.count,
        per_token: row.per_token,
        width: row.width,
        shared_width: row.shared_width,
    };
    let kind = |(sparse, windowed)| core::Kind { sparse, windowed };
    let numbers = core::Numbers {
        attention: row.numbers.attention,
        every: row.numbers.every,
        mlp: row.numbers.mlp,
        router: row.numbers.router,
        expert: row.numbers.expert,
        shared: row.numbers.shared,
        embedding: row.numbers.embedding,
        head: row.numbers.head,
        mtp_extra: row.numbers.mtp_extra,
    };
    core::Model {
        hidden: row.hidden,
        vocab: row.vocab,
        heads: row.heads,
        kv_heads: row.kv_heads,
        head_size: row.head_size,
        latent: row.latent.map(latent),
        ffn: row.ffn,
        gated: row.gated,
        experts: row.experts.map(experts),
        norms: row.norms,
        rope: row.rope,
        layers: row.sparse.into_iter().zip(row.windowed).map(kind).collect(),
        mtp: row.mtp,
        numbers,
    }
}

pub(crate) fn job(row: TrainingRow) -> Result<core::Job> {
    let recompute = match row.recompute.as_str() {
        "none" => core::Recompute::None,
        "selective" => core::Recompute::Selective,
        "full" => core::Recompute::Full,
        other => return Err(unknown("recompute", other, "none, selective, full")),
    };
    Ok(core::Job {
        model: model(row.model),
        sequence: row.sequence,
        batch: row.batch,
        attended: row.attended.into(),
        activation_bytes: row.activation_bytes,
        dispatch_bytes: row.dispatch_bytes,
        weight_bytes: row.weight_bytes,
        gradient_bytes: row.gradient_bytes,
        optimizer_bytes: row.optimizer_bytes,
        recompute,
        fused_attention: row.fused_attention,
        dropout: row.dropout,
        imbalance: row.imbalance,
        host: row.host,
    })
}

pub(crate) fn unknown(argument: &str, value: &str, known: &str) -> Error {
    Error::Unknown {
        argument: argument.to_owned(),
        value: value.to_owned(),
        known: known.to_owned(),
    }
}

pub(crate) fn layout(row: LayoutRow) -> Result<core::Layout> {
    let context = match row.context.as_str() {
        "ring" => core::Context::Ring,
        "all_gather" => core::Context::AllGather,
        "all_to_all" => core::Context::AllToAll,
        other => return Err(unknown("context", other, "ring, all_gather, all_to_all")),
    };
    Ok(core::Layout {
        tp: row.tp,
        pp: row.pp,
        cp: row.cp,
        dp: row.dp,
        ep: row.ep,
        etp: row.etp,
        zero: row.zero,
        shard: row.shard,
        microbatch: row.microbatch,
        schedule: rainier_core::pipeline::Schedule::named(&row.schedule)?,
        virtual_stages: row.virtual_stages,
        sequence_parallel: row.sequence_parallel,
        context,
        order: core::Order::named(&row.order)?,
        split: row.split,
        overlap: row.overlap,
        islands: row.islands,
        outer_every: row.outer_every,
    })
}

pub(crate) fn overlap(row: &OverlapRow) -> core::Overlap {
    core::Overlap {
        tensor: row.tensor,
        regather: row.regather,
        context: row.context,
        data: row.data,
        early: row.early,
        late: row.late,
    }
}

/// How collectives are asked for, and how fast a chip computes.
pub(crate) fn asked(py: Python<'_>, runs: RunsRow) -> PyResult<(core::Asked, core::Efficiency)> {
    let refused = |error: Error| to_py(py, &error);
    let routing = convert::routing(py, runs.routing)?;
    let algorithm = match runs.algorithm.as_str() {
        "auto" => Choice::Auto,
        name => Choice::Named(name.to_owned()),
    };
    let efficiency = efficiency(py, runs.efficiency)?;
    let unit = Request::new(Operation::Barrier, 0.0);
    let unit = unit.with_dtype(runs.dtype.as_deref()).map_err(refused)?;
    let asked = core::Asked {
        algorithm,
        routing,
        dtype: unit.dtype,
        per_chip: runs.per_chip,
    };
    Ok((asked, efficiency))
}

/// What a step takes, as a dict.
#[pyfunction]
pub(crate) fn training_step<'py>(
    py: Python<'py>,
    machine: &Machine,
    training: TrainingRow,
    layout: LayoutRow,
    runs: RunsRow,
) -> PyResult<Bound<'py, PyDict>> {
    let refused = |error: Error| to_py(py, &error);
    let job = job(training).map_err(refused)?;
    let layout = self::layout(layout).map_err(refused)?;
    let (overlap, per_chip) = (overlap(&runs.overlap), runs.per_chip);
    let (asked, efficiency) = asked(py, runs)?;
    let chips = u64::from(machine.0.num_chips()) * u64::from(per_chip);
    let plan = quick(py, || core::Plan::new(&job, &layout, chips))?;
    let (step, priced) = here(py, |control| {
        let prices = core::Kept {
            machine: &machine.0,
            keeper: &machine.1,
            book: &machine.2,
            asked: &asked,
            control,
            priced: RefCell::default(),
        };
        let runs = core::Runs {
            efficiency: &efficiency,
            overlap,
            prices: &prices,
            control,
        };
        let step = core::step(&plan, &runs)?;
        Ok((step, prices.priced.into_inner()))
    })?;
    answer(py, &plan, &step, priced)
}

/// Bytes by what takes them.
fn held(one: &core::Held) -> [f64; 6] {
    [
        one.weights,
        one.gradients,
        one.optimizer,
        one.activations,
        one.working,
        one.gathered,
    ]
}

fn answer<'py>(
    py: Python<'py>,
    plan: &core::Plan,
    step: &core::Step,
    priced: Vec<core::Priced>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let parts = core::Part::ALL.map(|part| (part.name(), step.parts.get(part)));
    dict.set_item("parts", parts.to_vec())?;
    dict.set_item("seconds", step.seconds())?;
    dict.set_item("stage", step.stage)?;
    dict.set_item("microbatches", step.microbatches)?;
    let memory: Vec<_> = step.memory.iter().map(held).collect();
    dict.set_item("memory", memory)?;
    dict.set_item("chunks", step.chunks.clone())?;
    dict.set_item("transfer", step.transfer)?;
    dict.set_item("layers", step.layers.clone())?;
    let call = |one: core::Priced| {
        let axes = plan.axes.names(&one.axis).join(", ");
        let name = one.operation.name();
        let ranks = one.axis.size();
        (
            name,
            axes,
            ranks,
            one.bytes,
            one.seconds,
            one.algorithm,
            one.bottleneck,
        )
    };
    let calls: Vec<_> = priced.into_iter().map(call).collect();
    dict.set_item("collectives", calls)?;
    Ok(dict)
}
