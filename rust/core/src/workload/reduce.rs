//! Gradients and weights between replicas, as far as nothing hides them.

use super::axes::Axis;
use super::layer::Work;
use super::model::Kind;
use super::parts::Part;
use super::plan::Plan;
use super::prices::Prices;
use super::state::{end_numbers, layer_numbers, shares, stage_numbers};
use super::traffic::{Overlap, exposed};
use crate::error::Result;
use crate::operation::Operation::{self, AllGather, AllReduce, ReduceScatter, SendRecv};

/// Seconds of a collective of dense numbers over those that share them and of experts over theirs.
fn both(
    plan: &Plan,
    prices: &dyn Prices,
    operation: Operation,
    (dense, expert): (f64, f64),
) -> Result<f64> {
    let axes = &plan.axes;
    let dense = prices.time(operation, &axes.shard, dense)?;
    if expert == 0.0 {
        return Ok(dense);
    }
    Ok(dense + prices.time(operation, &expert_shard(plan), expert)?)
}

/// Replicas of an expert that share one copy of what is sharded.
fn expert_shard(plan: &Plan) -> Axis {
    let (_, share) = shares(plan);
    match plan.axes.expert_replicas {
        Axis::Digit { stride, .. } => Axis::Digit {
            size: share as u32,
            stride,
        },
        Axis::Listed(_) => plan.axes.expert_replicas.clone(),
    }
}

/// Adds what a layer whose weights are shared waits for: they are gathered before each pass, and gradients scattered after.
pub(super) fn put_gathers(
    plan: &Plan,
    kind: Kind,
    overlap: Overlap,
    prices: &dyn Prices,
    work: &mut Work,
) -> Result<()> {
    if plan.layout.zero < 3 {
        return Ok(());
    }
    let (gather, scatter) = of_layer(plan, kind, prices)?;
    let forward = exposed(overlap.data, gather, work.forward.computed());
    let (inputs, weights) = (work.backward.computed(), work.weights.computed());
    work.forward.add(Part::Data, forward);
    if plan.layout.schedule.splits() {
        // Gradients of weights, which are scattered, come at another time than those of inputs.
        let gather = exposed(overlap.data, gather, inputs);
        work.backward.add(Part::Data, gather);
        let scatter = exposed(overlap.data, scatter, weights);
        work.weights.add(Part::Data, scatter);
    } else {
        let both = exposed(overlap.data, gather + scatter, inputs + weights);
        work.backward.add(Part::Data, both);
    }
    Ok(())
}

/// Seconds to gather a layer's weights, and to scatter its gradients.
fn of_layer(plan: &Plan, kind: Kind, prices: &dyn Prices) -> Result<(f64, f64)> {
    of_numbers(plan, layer_numbers(plan, kind), prices)
}

/// Seconds to gather so many weights, and to scatter their gradients.
fn of_numbers(plan: &Plan, (dense, expert): (f64, f64), prices: &dyn Prices) -> Result<(f64, f64)> {
    let times = |bytes: f64| (bytes * dense, bytes * expert);
    let gather = both(plan, prices, AllGather, times(plan.job.weight_bytes))?;
    let gradients = times(plan.job.gradient_bytes);
    let mut scatter = both(plan, prices, ReduceScatter, gradients)?;
    scatter += copies(plan, prices, gradients)?;
    Ok((gather, scatter))
}

/// Seconds to add up shards of gradients over the copies of them.
fn copies(plan: &Plan, prices: &dyn Prices, (dense, expert): (f64, f64)) -> Result<f64> {
    let share = f64::from(plan.axes.shard.size());
    let dense = prices.time(AllReduce, &plan.axes.copies, dense / share)?;
    let (_, of_expert) = shares(plan);
    let all = f64::from(plan.layout.expert_replicas());
    if expert == 0.0 || of_expert >= all {
        return Ok(dense);
    }
    let Axis::Digit { stride, .. } = plan.axes.expert_replicas else {
        return Ok(dense);
    };
    let axis = Axis::Digit {
        size: (all / of_expert) as u32,
        stride: stride * of_expert as u32,
    };
    Ok(dense + prices.time(AllReduce, &axis, expert / of_expert)?)
}

/// Seconds of a stage in a step that nothing hides: gradients after the last microbatch (with zero=2 after each), weights
/// before the first.
pub(super) fn between_replicas(
    plan: &Plan,
    stage: usize,
    chunks: &[Work],
    overlap: Overlap,
    prices: &dyn Prices,
) -> Result<f64> {
    let held = plan.held(stage);
    let mut seconds = tied(plan, stage, prices)?;
    if plan.layout.zero >= 3 {
        return Ok(seconds + edges(plan, &held, overlap, prices)?);
    }
    let state = stage_numbers(plan, stage);
    let bytes = |each: f64| (each * state.dense, each * state.expert);
    let gradients = bytes(plan.job.gradient_bytes);
    let layers: usize = held.iter().map(|&chunk| plan.chunks[chunk].len()).sum();
    // The first and the last piece have nothing to hide behind.
    let piece = |seconds: f64| seconds / (layers.max(1) as f64);
    let left = |seconds: f64, behind: f64, layers: f64| {
        let shown = exposed(overlap.data, seconds, behind);
        shown.max(piece(seconds).min(seconds) * layers.min(1.0))
    };
    let forward: f64 = held
        .iter()
        .map(|&chunk| chunks[chunk].forward.computed())
        .sum();
    let all: f64 = held
        .iter()
        .map(|&chunk| chunks[chunk].total().computed())
        .sum();
    let reduced = match plan.layout.zero {
        0 => both(plan, prices, AllReduce, gradients)?,
        _ => both(plan, prices, ReduceScatter, gradients)? + copies(plan, prices, gradients)?,
    };
    if plan.layout.zero == 2 {
        // Ranks that keep no gradients of others add theirs up after every microbatch.
        let before = plan.rounds() - 1.0;
        seconds += before * exposed(overlap.data, reduced, all - forward);
    }
    seconds += left(reduced, all - forward, overlap.late);
    if plan.layout.zero > 0 {
        let gathered = both(plan, prices, AllGather, bytes(plan.job.weight_bytes))?;
        seconds += left(gathered, forward, overlap.early);
    }
    Ok(seconds)
}

/// The first gathering and the last scattering of weights that are shared, those of embedding and head once a step.
fn edges(plan: &Plan, held: &[usize], overlap: Overlap, prices: &dyn Prices) -> Result<f64> {
    let ends = held
        .iter()
        .flat_map(|&chunk| end_numbers(plan, chunk))
        .sum();
    let (gather, scatter) = of_numbers(plan, (ends, 0.0), prices)?;
    if !overlap.data {
        // Those of layers are in the layers.
        return Ok(gather + scatter);
    }
    let layers = &plan.job.model.layers;
    let of = |layer: usize| of_layer(plan, layers[layer], prices);
    let (mut first, mut last) = (0.0_f64, 0.0_f64);
    for &chunk in held {
        let range = &plan.chunks[chunk];
        first = first.max(of(range.start)?.0);
        last = last.max(of(range.start)?.1);
    }
    Ok(gather + scatter + overlap.early * first + overlap.late * last)
}

/// Gradients of an embedding that is the head as well, between the first stage and the last.
fn tied(plan: &Plan, stage: usize, prices: &dyn Prices) -> Result<f64> {
    let (model, layout) = (&plan.job.model, plan.layout);
    let at_an_end = stage == 0 || stage + 1 == layout.pp as usize;
    if plan.ends_together() || model.numbers.head != 0.0 || !at_an_end {
        return Ok(0.0);
    }
    let numbers = f64::from(model.vocab) * f64::from(model.hidden) / f64::from(layout.tp);
    prices.time(SendRecv, &plan.axes.pp, numbers * plan.job.gradient_bytes)
}
