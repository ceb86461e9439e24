//! The collectives of a layer, as far as nothing hides them.

use super::layer::{Work, routed};
use super::layout::Context;
use super::model::Kind;
use super::parts::{Part, Parts};
use super::plan::Plan;
use super::prices::Prices;
use crate::error::Result;
use crate::operation::Operation::{self, AllGather, AllReduce, AllToAll, ReduceScatter, SendRecv};
use crate::pipeline::Schedule;

/// What the machine's software hides behind what it computes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overlap {
    /// Collectives of ranks that share matrices, behind products.
    pub tensor: bool,
    /// Only the second gathering of rows, for gradients of weights, behind gradients of inputs.
    pub regather: bool,
    /// Keys and values on their way round, behind attention.
    pub context: bool,
    /// Gradients and weights between replicas, behind layers.
    pub data: bool,
    /// Layers ahead of which weights are gathered.
    pub early: f64,
    /// Layers by which gradients are scattered later.
    pub late: f64,
}

impl Overlap {
    /// Nothing is hidden.
    pub const NONE: Self = Self {
        tensor: false,
        regather: false,
        context: false,
        data: false,
        early: 1.0,
        late: 1.0,
    };
}

/// What is left of `seconds` when as much as `behind` takes is hidden.
pub(super) fn exposed(hidden: bool, seconds: f64, behind: f64) -> f64 {
    if hidden {
        (seconds - behind).max(0.0)
    } else {
        seconds
    }
}

/// Adds the collectives of a layer to its operators.
pub(super) fn put_traffic(
    plan: &Plan,
    kind: Kind,
    overlap: Overlap,
    prices: &dyn Prices,
    work: &mut Work,
) -> Result<()> {
    let compute = *work;
    put_tensor(plan, kind, overlap, prices, &compute, work)?;
    put_context(plan, overlap, prices, &compute, work)?;
    if kind.sparse {
        put_expert(plan, prices, &compute, work)?;
    }
    Ok(())
}

/// Bytes of the rows of a microbatch on ranks that share its sequences.
pub(super) fn row_bytes(plan: &Plan) -> f64 {
    plan.tokens * f64::from(plan.job.model.hidden) * plan.job.activation_bytes
}

/// Rows of ranks that share matrices: gathered before and scattered after each half of a layer, or added up after it.
fn put_tensor(
    plan: &Plan,
    kind: Kind,
    overlap: Overlap,
    prices: &dyn Prices,
    compute: &Work,
    work: &mut Work,
) -> Result<()> {
    if plan.layout.tp == 1 {
        return Ok(());
    }
    let (layout, model) = (plan.layout, &plan.job.model);
    let axis = &plan.axes.tp;
    // Experts that are cut otherwise have collectives of their own; what is beside them takes part.
    let shared = model
        .experts
        .as_ref()
        .is_some_and(|experts| experts.shared_width > 0);
    let second = !kind.sparse || shared || layout.etp == layout.tp && layout.ep == 1;
    let halves = if second { 2.0 } else { 1.0 };
    let bytes = row_bytes(plan);
    // Latent attention makes short rows of a rank's own, and all ranks need those; they are kept.
    let first = short_row_bytes(plan).unwrap_or(bytes);
    let gathers = |bytes: f64| prices.time(AllGather, axis, bytes);
    let scatters = |bytes: f64| prices.time(ReduceScatter, axis, bytes);
    let (there, back, again) = if layout.sequence_parallel {
        let (gather, scatter) = (gathers(bytes)?, scatters(bytes)?);
        let rest = (halves - 1.0) * (gather + scatter);
        let regathered = halves - if first < bytes { 1.0 } else { 0.0 };
        (
            gathers(first)? + scatter + rest,
            gather + scatters(first)? + rest,
            regathered * gather,
        )
    } else {
        let sum = prices.time(AllReduce, axis, bytes)?;
        let inputs = prices.time(AllReduce, axis, first)?;
        (halves * sum, inputs + (halves - 1.0) * sum, 0.0)
    };
    let products = |parts: &Parts| parts.get(Part::Matmul);
    let forward = exposed(overlap.tensor, there, products(&compute.forward));
    work.forward.add(Part::Tensor, forward);
    let backward = exposed(overlap.tensor, back, products(&compute.backward));
    // Where the others hide behind gradients of inputs, rows hide behind those of weights, which they are for.
    let behind = match overlap.tensor {
        true => products(&compute.weights),
        false => products(&compute.backward),
    };
    let regather = exposed(overlap.regather, again, behind);
    work.backward.add(Part::Tensor, backward + regather);
    Ok(())
}

/// Bytes of the short rows that latent attention makes queries, keys and values of, of a microbatch.
fn short_row_bytes(plan: &Plan) -> Option<f64> {
    let latent = plan.job.model.latent.as_ref()?;
    let numbers = latent.q_rank? + latent.kv_rank + latent.rope;
    let short = plan.tokens * f64::from(numbers) * plan.job.activation_bytes;
    Some(short.min(row_bytes(plan)))
}

/// Rows of the embedding, each of which one rank of those that share the vocabulary knows: added up after it.
pub(super) fn put_embedding_traffic(
    plan: &Plan,
    prices: &dyn Prices,
    work: &mut Work,
) -> Result<()> {
    let (axis, bytes) = (&plan.axes.tp, row_bytes(plan));
    if plan.layout.sequence_parallel {
        let scatter = prices.time(ReduceScatter, axis, bytes)?;
        work.forward.add(Part::Tensor, scatter);
        let gather = prices.time(AllGather, axis, bytes)?;
        work.weights.add(Part::Tensor, gather);
    } else {
        let sum = prices.time(AllReduce, axis, bytes)?;
        work.forward.add(Part::Tensor, sum);
    }
    Ok(())
}

/// Collectives of a loss over a vocabulary that ranks share: the largest logit, the sum of exponents and the wanted logit
/// (Megatron-LM, `tensor_parallel/cross_entropy.py`).
const SUMS_OF_LOSS: f64 = 3.0;

/// Rows before the head and gradients after it, and the sums of the loss, of four bytes a token.
pub(super) fn put_head_traffic(
    plan: &Plan,
    overlap: Overlap,
    prices: &dyn Prices,
    work: &mut Work,
) -> Result<()> {
    let (axis, bytes) = (&plan.axes.tp, row_bytes(plan));
    let compute = *work;
    let products = |parts: &Parts| parts.get(Part::Matmul);
    let sums = SUMS_OF_LOSS * prices.time(AllReduce, axis, 4.0 * plan.tokens)?;
    let (there, back, again) = if plan.layout.sequence_parallel {
        let gather = prices.time(AllGather, axis, bytes)?;
        (gather, prices.time(ReduceScatter, axis, bytes)?, gather)
    } else {
        (0.0, prices.time(AllReduce, axis, bytes)?, 0.0)
    };
    let forward = exposed(overlap.tensor, there, products(&compute.forward));
    work.forward.add(Part::Tensor, forward + sums);
    let backward = exposed(overlap.tensor, back, products(&compute.backward));
    let regather = exposed(overlap.regather, again, products(&compute.weights));
    work.backward.add(Part::Tensor, backward + regather);
    Ok(())
}

/// Keys and values of ranks that share a sequence.
fn put_context(
    plan: &Plan,
    overlap: Overlap,
    prices: &dyn Prices,
    compute: &Work,
    work: &mut Work,
) -> Result<()> {
    let layout = plan.layout;
    if layout.cp == 1 {
        return Ok(());
    }
    let (axis, ranks) = (&plan.axes.cp, f64::from(layout.cp));
    let own = plan.tokens * plan.job.activation_bytes;
    let both = own * shared_numbers(plan);
    let (forward, backward) = match layout.context {
        Context::Ring => {
            let step = |bytes: f64, parts: &Parts| -> Result<f64> {
                // While a piece goes on, attention works on the one before.
                let behind = parts.get(Part::Attention) / ranks;
                let one = prices.time(SendRecv, axis, bytes)?;
                Ok((ranks - 1.0) * exposed(overlap.context, one, behind))
            };
            (
                step(both, &compute.forward)?,
                step(2.0 * both, &compute.backward)?,
            )
        }
        Context::AllGather => {
            let gather = prices.time(AllGather, axis, ranks * both)?;
            (
                gather,
                gather + prices.time(ReduceScatter, axis, ranks * both)?,
            )
        }
        Context::AllToAll => {
            let (key, value) = plan.job.model.head_sizes();
            let heads = f64::from(plan.job.model.heads) / f64::from(layout.tp);
            // Queries, keys and values go there and what attention makes of them comes back.
            let there = prices.time(AllToAll, axis, own * heads * key + both)?;
            let back = prices.time(AllToAll, axis, own * heads * value)?;
            (there + back, there + back)
        }
    };
    work.forward.add(Part::Context, forward);
    work.backward.add(Part::Context, backward);
    Ok(())
}

/// Numbers of keys and values of a token on one rank. Of latent attention they are made before they are passed on (Megatron
/// Core, `multi_latent_attention.py`); heads that are traded are as many as ranks, or more.
fn shared_numbers(plan: &Plan) -> f64 {
    let (model, layout) = (&plan.job.model, plan.layout);
    let (key, value) = model.head_sizes();
    let heads = match &model.latent {
        Some(_) => f64::from(model.heads) / f64::from(layout.tp),
        None => (f64::from(model.kv_heads) / f64::from(layout.tp)).max(1.0),
    };
    let least = match layout.context {
        Context::AllToAll => f64::from(layout.cp),
        Context::Ring | Context::AllGather => 1.0,
    };
    heads.max(least) * (key + value)
}

/// Rows to the experts that they visit and back, and among the ranks of one expert.
fn put_expert(plan: &Plan, prices: &dyn Prices, compute: &Work, work: &mut Work) -> Result<()> {
    let layout = plan.layout;
    let gathered = routed(plan) * f64::from(plan.job.model.hidden);
    let sent = gathered / f64::from(layout.etp);
    let time = |operation: Operation, axis, bytes| prices.time(operation, axis, bytes);
    let dispatch = time(AllToAll, &plan.axes.ep, sent * plan.job.dispatch_bytes)?;
    let combine = time(AllToAll, &plan.axes.ep, sent * plan.job.activation_bytes)?;
    // The second half of the layer, where its ranks share matrices as all others do, is priced with those.
    let apart = !(layout.etp == layout.tp && layout.ep == 1);
    let among = if apart && layout.etp > 1 {
        let bytes = gathered * plan.job.activation_bytes;
        time(AllGather, &plan.axes.etp, bytes)? + time(ReduceScatter, &plan.axes.etp, bytes)?
    } else {
        0.0
    };
    let all = dispatch + combine + among;
    // DualPipe runs one direction's experts while the other direction computes.
    let hidden = layout.schedule == Schedule::DualPipe;
    let forward = exposed(hidden, all, compute.forward.computed());
    work.forward.add(Part::Expert, forward);
    let behind = compute.backward.computed() + compute.weights.computed();
    let backward = exposed(hidden, all, behind);
    work.backward.add(Part::Expert, backward);
    Ok(())
}
