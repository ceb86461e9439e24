//! The operators of a layer, and their seconds on one rank.

use super::efficiency::{Efficiency, Scores};
use super::model::{Kind, Model};
use super::parts::{Part, Parts};
use super::plan::Plan;

/// How often scores that are kept go through memory, forward and backward: softmax reads and writes, dropout does and
/// keeps a byte (arXiv 2205.05198, section 4).
const SCORE_PASSES: [f64; 2] = [4.5, 4.5];

/// Memory-bound operators move about twice their forward bytes in the backward pass.
const MEMORY_BACKWARD: f64 = 2.0;

/// Seconds of a layer for one microbatch: forward, gradients of inputs, gradients of weights.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Work {
    pub forward: Parts,
    pub backward: Parts,
    pub weights: Parts,
}

impl Work {
    /// Seconds of all of it.
    pub(super) fn total(&self) -> Parts {
        let mut parts = self.forward;
        parts.add_times(1.0, &self.backward);
        parts.add_times(1.0, &self.weights);
        parts
    }

    /// Adds so many times another's.
    pub(super) fn add_times(&mut self, times: f64, more: &Self) {
        self.forward.add_times(times, &more.forward);
        self.backward.add_times(times, &more.backward);
        self.weights.add_times(times, &more.weights);
    }
}

/// Products of rows x inner by inner x outer, so many alike.
pub(super) struct Matrix {
    rows: f64,
    inner: f64,
    outer: f64,
    alike: f64,
}

impl Matrix {
    pub(super) fn new(rows: f64, inner: f64, outer: f64) -> Self {
        Self {
            rows,
            inner,
            outer,
            alike: 1.0,
        }
    }

    /// Adds its seconds.
    pub(super) fn put(&self, efficiency: &Efficiency, work: &mut Work) {
        let Self {
            rows,
            inner,
            outer,
            alike,
        } = *self;
        let mut add = |parts: fn(&mut Work) -> &mut Parts, seconds: f64| {
            parts(work).add(Part::Matmul, alike * seconds);
        };
        add(
            |work| &mut work.forward,
            efficiency.matmul(rows, inner, outer),
        );
        add(
            |work| &mut work.backward,
            efficiency.matmul(rows, outer, inner),
        );
        add(
            |work| &mut work.weights,
            efficiency.matmul(inner, rows, outer),
        );
    }
}

/// The operators of a layer.
pub(super) fn layer(plan: &Plan, kind: Kind, efficiency: &Efficiency) -> Work {
    let mut work = Work::default();
    for matrix in attention_matrices(plan)
        .iter()
        .chain(&mlp_matrices(plan, kind))
    {
        matrix.put(efficiency, &mut work);
    }
    put_attention(plan, kind, efficiency, &mut work);
    put_memory(plan, kind, efficiency, &mut work);
    work
}

fn attention_matrices(plan: &Plan) -> Vec<Matrix> {
    let model = &plan.job.model;
    let (rows, tp) = (plan.tokens, f64::from(plan.layout.tp));
    let (hidden, heads) = (f64::from(model.hidden), f64::from(model.heads) / tp);
    let (key, value) = model.head_sizes();
    let mut matrices = Vec::with_capacity(6);
    match &model.latent {
        None => {
            let shared = (f64::from(model.kv_heads) / tp).max(1.0);
            matrices.push(Matrix::new(rows, hidden, (heads + 2.0 * shared) * key));
        }
        Some(latent) => {
            // Down to the short rows where rows are shared, up to the heads of this rank.
            let own = rows / plan.layout.row_ranks();
            let (rank, rope) = (f64::from(latent.kv_rank), f64::from(latent.rope));
            match latent.q_rank.map(f64::from) {
                Some(short) => {
                    matrices.push(Matrix::new(own, hidden, short));
                    matrices.push(Matrix::new(rows, short, heads * key));
                }
                None => matrices.push(Matrix::new(rows, hidden, heads * key)),
            }
            matrices.push(Matrix::new(own, hidden, rank + rope));
            matrices.push(Matrix::new(
                rows,
                rank,
                heads * (f64::from(latent.nope) + value),
            ));
        }
    }
    matrices.push(Matrix::new(rows, heads * value, hidden));
    matrices
}

fn mlp(model: &Model, rows: f64, width: f64, alike: f64) -> [Matrix; 2] {
    let hidden = f64::from(model.hidden);
    let up = Matrix::new(rows, hidden, model.products() * width);
    let down = Matrix::new(rows, width, hidden);
    [Matrix { alike, ..up }, Matrix { alike, ..down }]
}

fn mlp_matrices(plan: &Plan, kind: Kind) -> Vec<Matrix> {
    let (model, layout) = (&plan.job.model, plan.layout);
    let (rows, tp) = (plan.tokens, f64::from(layout.tp));
    let experts = model.experts.as_ref().filter(|_| kind.sparse);
    let Some(experts) = experts else {
        return mlp(model, rows, f64::from(model.ffn) / tp, 1.0).into();
    };
    let local = f64::from(experts.count) / f64::from(layout.ep);
    let width = f64::from(experts.width) / f64::from(layout.etp);
    let mut matrices = Vec::with_capacity(5);
    let own = rows / layout.row_ranks();
    matrices.push(Matrix::new(
        own,
        f64::from(model.hidden),
        f64::from(experts.count),
    ));
    matrices.extend(mlp(model, (routed(plan) / local).max(1.0), width, local));
    if experts.shared_width > 0 {
        matrices.extend(mlp(model, rows, f64::from(experts.shared_width) / tp, 1.0));
    }
    matrices
}

/// Rows that come to the experts of one rank: of the busiest, as all wait for it.
pub(super) fn routed(plan: &Plan) -> f64 {
    let layout = plan.layout;
    let per_token = plan
        .job
        .model
        .experts
        .as_ref()
        .map_or(0, |experts| experts.per_token);
    let own = plan.tokens * f64::from(layout.etp) / f64::from(layout.tp);
    own * f64::from(per_token) * plan.job.imbalance
}

fn put_attention(plan: &Plan, kind: Kind, efficiency: &Efficiency, work: &mut Work) {
    let (job, model) = (plan.job, &plan.job.model);
    let (key, value) = model.head_sizes();
    let heads = f64::from(model.heads) / f64::from(plan.layout.tp);
    let (rows, seen) = (plan.tokens * heads, job.attended(kind));
    if job.fused_attention {
        let shared = match &model.latent {
            Some(_) => heads,
            None => (f64::from(model.kv_heads) / f64::from(plan.layout.tp)).max(1.0),
        };
        let scores = Scores {
            rows,
            kv_rows: plan.tokens * f64::from(plan.layout.cp) * shared,
            keys: seen,
            key,
            value,
        };
        let forward = efficiency.attention(&scores, false);
        work.forward.add(Part::Attention, forward);
        let backward = efficiency.attention(&scores, true);
        work.backward.add(Part::Attention, backward);
        return;
    }
    let products = efficiency.matmul(rows, key, seen) + efficiency.matmul(rows, seen, value);
    let scores = |passes: f64| efficiency.memory(passes * job.activation_bytes * rows * seen);
    let forward = products + scores(SCORE_PASSES[0]);
    work.forward.add(Part::Attention, forward);
    work.backward
        .add(Part::Attention, 2.0 * products + scores(SCORE_PASSES[1]));
    if job.scores_again() {
        work.backward.add(Part::Recompute, forward);
    }
}

/// Bytes that the memory-bound operators of a layer move forward, one number each.
fn memory_operators(plan: &Plan, kind: Kind) -> Vec<f64> {
    let (job, model, layout) = (plan.job, &plan.job.model, plan.layout);
    let (rows, tp) = (plan.tokens, f64::from(layout.tp));
    let hidden = f64::from(model.hidden) * rows / layout.row_ranks();
    let mut numbers = Vec::with_capacity(12);
    // A norm reads and writes a row; a sum reads two and writes one.
    numbers.extend((0..model.norms).map(|_| 2.0 * hidden));
    numbers.extend([3.0 * hidden; 2]);
    if job.dropout {
        numbers.extend([2.5 * hidden; 2]);
    }
    if model.rope {
        let heads = f64::from(model.heads) + f64::from(model.kv_heads);
        let turned = match &model.latent {
            Some(latent) => f64::from(model.heads) * f64::from(latent.rope),
            None => heads * f64::from(model.head_size),
        };
        numbers.push(2.0 * rows * turned / tp);
    }
    let inside = |rows: f64, width: f64| (model.products() + 1.0) * rows * width;
    match model.experts.as_ref().filter(|_| kind.sparse) {
        None => numbers.push(inside(rows, f64::from(model.ffn) / tp)),
        Some(experts) => {
            let visits = routed(plan);
            // Rows are sorted by expert and back: read and written each time.
            numbers.extend([2.0 * visits * f64::from(model.hidden); 2]);
            numbers.push(inside(
                visits,
                f64::from(experts.width) / f64::from(layout.etp),
            ));
            if experts.shared_width > 0 {
                numbers.push(inside(rows, f64::from(experts.shared_width) / tp));
            }
        }
    }
    numbers
        .iter()
        .map(|count| count * job.activation_bytes)
        .collect()
}

fn put_memory(plan: &Plan, kind: Kind, efficiency: &Efficiency, work: &mut Work) {
    for bytes in memory_operators(plan, kind) {
        work.forward.add(Part::Memory, efficiency.memory(bytes));
        let backward = efficiency.memory(MEMORY_BACKWARD * bytes);
        work.backward.add(Part::Memory, backward);
    }
}

/// The head and the loss, on the stage that has them.
pub(super) fn head(plan: &Plan, efficiency: &Efficiency) -> Work {
    let (job, model) = (plan.job, &plan.job.model);
    let columns = f64::from(model.vocab) / f64::from(plan.layout.tp);
    let mut work = Work::default();
    Matrix::new(plan.tokens, f64::from(model.hidden), columns).put(efficiency, &mut work);
    // Logits are read, and written in four bytes; the backward pass reads and writes them once.
    let logits = plan.tokens * columns;
    let forward = efficiency.memory((job.activation_bytes + 4.0) * logits);
    work.forward.add(Part::Memory, forward);
    let backward = efficiency.memory((4.0 + job.activation_bytes) * logits);
    work.backward.add(Part::Memory, backward);
    work
}

/// The embedding, on the stage that has it.
pub(super) fn embedding(plan: &Plan, efficiency: &Efficiency) -> Work {
    let rows = plan.tokens / plan.layout.row_ranks();
    let bytes = 2.0 * plan.job.activation_bytes * rows * f64::from(plan.job.model.hidden);
    let mut work = Work::default();
    work.forward.add(Part::Memory, efficiency.memory(bytes));
    work.weights.add(Part::Memory, efficiency.memory(bytes));
    work
}
