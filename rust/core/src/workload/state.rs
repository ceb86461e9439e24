//! How many numbers of the model a rank keeps.

use super::model::Kind;
use super::plan::Plan;

/// Numbers that one rank keeps, by what replicates them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct State {
    /// Whatever tp x cp x dp replicate in dp x cp.
    pub dense: f64,
    /// Experts.
    pub expert: f64,
    /// The most of it that is gathered at once: a layer, or embedding or head.
    pub unit: f64,
}

impl State {
    fn add(&mut self, dense: f64, expert: f64) {
        self.dense += dense;
        self.expert += expert;
        self.unit = self.unit.max(dense + expert);
    }

    pub(super) fn all(&self) -> f64 {
        self.dense + self.expert
    }
}

/// Numbers of one layer on a rank: dense ones, and those of experts.
pub(super) fn layer_numbers(plan: &Plan, kind: Kind) -> (f64, f64) {
    let (model, layout) = (&plan.job.model, plan.layout);
    let (numbers, tp) = (&model.numbers, f64::from(layout.tp));
    let attention = numbers.attention / tp + kept_twice(plan) + numbers.every;
    match model.experts.as_ref().filter(|_| kind.sparse) {
        None => (attention + numbers.mlp / tp, 0.0),
        Some(experts) => {
            let local = f64::from(experts.count) / f64::from(layout.ep);
            let expert = local * numbers.expert / f64::from(layout.etp);
            (attention + numbers.router + numbers.shared / tp, expert)
        }
    }
}

/// Numbers of a layer's keys and values that a rank keeps beyond its share: a head whole, where heads are fewer than ranks.
fn kept_twice(plan: &Plan) -> f64 {
    let model = &plan.job.model;
    if model.latent.is_some() {
        return 0.0;
    }
    let share = f64::from(model.kv_heads) / f64::from(plan.layout.tp);
    let each = 2.0 * f64::from(model.hidden) * f64::from(model.head_size);
    each * (1.0 - share).max(0.0)
}

/// Numbers of a chunk.
pub(super) fn chunk_numbers(plan: &Plan, chunk: usize, state: &mut State) {
    let (model, tp) = (&plan.job.model, f64::from(plan.layout.tp));
    for &kind in &model.layers[plan.chunks[chunk].clone()] {
        let (dense, expert) = layer_numbers(plan, kind);
        state.add(dense, expert);
    }
    for numbers in end_numbers(plan, chunk) {
        state.add(numbers, 0.0);
    }
    if chunk + 1 == plan.chunks.len() {
        for _ in 0..model.mtp {
            let kind = further(plan);
            let (dense, expert) = layer_numbers(plan, kind);
            state.add(dense + model.numbers.mtp_extra / tp, expert);
        }
    }
}

/// Numbers of embedding and head, on the chunks that have them.
pub(super) fn end_numbers(plan: &Plan, chunk: usize) -> [f64; 2] {
    let (model, tp) = (&plan.job.model, f64::from(plan.layout.tp));
    let (first, last) = (chunk == 0, chunk + 1 == plan.chunks.len());
    let embedding = if first { model.numbers.embedding } else { 0.0 };
    let head = match model.numbers.head {
        _ if !last => 0.0,
        // A head that is the embedding is kept twice where their stages are two.
        0.0 if plan.ends_together() || model.numbers.embedding == 0.0 => 0.0,
        0.0 => f64::from(model.vocab) * f64::from(model.hidden),
        own => own,
    };
    [embedding / tp, head / tp]
}

/// The kind of layers that predict further tokens.
pub(super) fn further(plan: &Plan) -> Kind {
    Kind {
        sparse: plan.job.model.experts.is_some(),
        windowed: false,
    }
}

/// Numbers of a stage.
pub(super) fn stage_numbers(plan: &Plan, stage: usize) -> State {
    let mut state = State::default();
    for chunk in plan.held(stage) {
        chunk_numbers(plan, chunk, &mut state);
    }
    state
}

/// Of how many ranks dense numbers and experts have parts: both of as many copies, as Megatron Core's
/// `num_distributed_optimizer_instances` and torchtitan's `dp_replicate` have them.
pub(super) fn shares(plan: &Plan) -> (f64, f64) {
    let copies = plan.layout.copies();
    let of = |replicas: u32| f64::from(replicas / copies);
    (
        of(plan.layout.replicas()),
        of(plan.layout.expert_replicas()),
    )
}
