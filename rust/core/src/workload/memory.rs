//! Bytes that a rank of a stage holds.

use super::job::Recompute;
use super::model::Kind;
use super::plan::Plan;
use super::state::{State, further, shares, stage_numbers};

/// Bytes of a stage's rank, by what takes them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Held {
    /// Weights.
    pub weights: f64,
    /// Their gradients.
    pub gradients: f64,
    /// What the optimizer keeps.
    pub optimizer: f64,
    /// What the backward pass needs of the forward one, of all microbatches on their way.
    pub activations: f64,
    /// Logits of one microbatch, and what is made again for one layer.
    pub working: f64,
    /// Whole weights of the layers that are gathered.
    pub gathered: f64,
}

impl Held {
    /// All of it.
    pub fn sum(&self) -> f64 {
        self.weights
            + self.gradients
            + self.optimizer
            + self.activations
            + self.working
            + self.gathered
    }
}

/// Layers whose weights are whole at once: one in use and one on its way.
const GATHERED: f64 = 2.0;

/// Bytes of a stage, with so many microbatches on their way.
pub(super) fn memory(plan: &Plan, stage: usize, in_flight: f64) -> Held {
    let job = plan.job;
    let state = stage_numbers(plan, stage);
    let zero = plan.layout.zero;
    let kept = |level: u8| shared(plan, &state, zero >= level);
    let held = plan.held(stage);
    let activations: f64 = held.iter().map(|&chunk| chunk_bytes(plan, chunk)).sum();
    let last = held.iter().any(|&chunk| chunk + 1 == plan.chunks.len());
    let gathered = if zero >= 3 {
        let units = GATHERED * job.weight_bytes * state.unit;
        units.min(job.weight_bytes * state.all())
    } else {
        0.0
    };
    // In flight counts stages whole; DualPipe holds two halves of the model's stages, one of each direction.
    let copies = if held.len() > 1 && plan.layout.virtual_stages == 1 {
        0.5
    } else {
        1.0
    };
    Held {
        weights: job.weight_bytes * kept(3),
        gradients: job.gradient_bytes * kept(2),
        optimizer: job.optimizer_bytes * kept(1),
        activations: activations * in_flight * copies,
        working: working(plan, last, &held),
        gathered,
    }
}

/// Numbers that a rank keeps of those that replicas share, or of all.
fn shared(plan: &Plan, state: &State, is_shared: bool) -> f64 {
    if !is_shared {
        return state.all();
    }
    let (dense, expert) = shares(plan);
    state.dense / dense + state.expert / expert
}

/// Bytes that a chunk keeps of one microbatch.
fn chunk_bytes(plan: &Plan, chunk: usize) -> f64 {
    let kinds = &plan.job.model.layers[plan.chunks[chunk].clone()];
    let mut bytes: f64 = kinds.iter().map(|&kind| kept_bytes(plan, kind)).sum();
    if chunk + 1 == plan.chunks.len() {
        bytes += f64::from(plan.job.model.mtp) * kept_bytes(plan, further(plan));
    }
    bytes
}

/// Bytes that a layer keeps of one microbatch.
fn kept_bytes(plan: &Plan, kind: Kind) -> f64 {
    match plan.job.recompute {
        Recompute::Full => {
            let rows = plan.tokens / plan.layout.row_ranks();
            rows * f64::from(plan.job.model.hidden) * plan.job.activation_bytes
        }
        Recompute::None | Recompute::Selective => layer_bytes(plan, kind),
    }
}

/// Bytes of what a layer's backward pass needs (arXiv 2205.05198, section 4, by operator): inputs of norms and products,
/// queries, keys and values, what attention makes of them, and what is inside the MLP.
fn layer_bytes(plan: &Plan, kind: Kind) -> f64 {
    let (job, model, layout) = (plan.job, &plan.job.model, plan.layout);
    let (tokens, tp, width) = (plan.tokens, f64::from(layout.tp), job.activation_bytes);
    let hidden = f64::from(model.hidden);
    let masks = if job.dropout { 2.0 * hidden } else { 0.0 };
    let rows =
        (width * 2.0 * f64::from(model.norms) * hidden + masks) * tokens / layout.row_ranks();
    let (key, value) = model.head_sizes();
    let heads = f64::from(model.heads) / tp;
    let shared = match &model.latent {
        // Every head has keys and values of its own, made of the short rows, which are kept too.
        Some(latent) => {
            let short = f64::from(latent.q_rank.unwrap_or(0) + latent.kv_rank + latent.rope);
            heads * (key + value) + 2.0 * short
        }
        None => 2.0 * (f64::from(model.kv_heads) / tp).max(1.0) * key,
    };
    let mut each = width * (heads * (key + value) + shared);
    each += if job.fused_attention {
        4.0 * heads
    } else if job.recompute == Recompute::Selective {
        0.0
    } else {
        // Softmax, what dropout leaves of it, and its mask.
        let scores = width + if job.dropout { width + 1.0 } else { 0.0 };
        scores * heads * job.attended(kind)
    };
    rows + tokens * each + inside_bytes(plan, kind)
}

/// Bytes inside the MLP or the experts.
fn inside_bytes(plan: &Plan, kind: Kind) -> f64 {
    let (job, model, layout) = (plan.job, &plan.job.model, plan.layout);
    let width = job.activation_bytes;
    let products = model.products() + 1.0;
    let inside =
        |numbers: u32, ranks: u32| width * products * f64::from(numbers) / f64::from(ranks);
    match model.experts.as_ref().filter(|_| kind.sparse) {
        None => plan.tokens * inside(model.ffn, layout.tp),
        Some(experts) => {
            let visits = plan.tokens * f64::from(layout.etp) / f64::from(layout.tp)
                * f64::from(experts.per_token)
                * job.imbalance;
            let rows = 2.0 * width * f64::from(model.hidden);
            let logits = 4.0 * f64::from(experts.count) * plan.tokens / layout.row_ranks();
            visits * (rows + inside(experts.width, layout.etp))
                + plan.tokens * inside(experts.shared_width, layout.tp)
                + logits
        }
    }
}

/// Bytes for the while: logits with four-byte gradients on the last stage; one layer that is made again.
fn working(plan: &Plan, last: bool, held: &[usize]) -> f64 {
    let model = &plan.job.model;
    let logits = if last {
        let columns = f64::from(model.vocab) / f64::from(plan.layout.tp);
        plan.tokens * columns * (plan.job.activation_bytes + 4.0)
    } else {
        0.0
    };
    if plan.job.recompute != Recompute::Full {
        return logits;
    }
    let ranges = held.iter().map(|&chunk| plan.chunks[chunk].clone());
    let kinds = ranges.flat_map(|range| &model.layers[range]);
    let again = kinds
        .map(|&kind| layer_bytes(plan, kind))
        .fold(0.0, f64::max);
    logits.max(again)
}
