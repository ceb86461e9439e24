//! What a rank holds.

use super::attention::attention_matrices;
use super::cut::Cut;

/// Bytes of the rank that holds most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// Weights, those of a draft among them.
    pub weights: f64,
    /// What is cached of one request, as much of it as must be there before it starts.
    pub request: f64,
    /// What caches may take.
    pub budget: f64,
}

impl Held {
    /// Requests of a replica that run at once.
    pub fn fits(&self) -> f64 {
        (self.budget / self.request).floor().max(0.0)
    }
}

/// Bytes of weights and cache.
pub(super) fn memory(cut: &Cut) -> Held {
    let service = cut.service;
    let weights = weights(cut, &service.model) + draft(cut);
    let taken = service.taken * service.bank;
    Held {
        weights,
        request: cached(cut, service.reserved()),
        budget: (taken - weights).min(service.cache_share * taken).max(0.0),
    }
}

fn draft(cut: &Cut) -> f64 {
    let guessed = cut.service.speculation.as_ref();
    guessed.map_or(0.0, |guessed| weights(cut, &guessed.draft))
}

/// Layers of the stage that has most of them, over all.
fn stage_share(cut: &Cut, layers: usize) -> f64 {
    let stages = cut.layout.pp as usize;
    layers.div_ceil(stages) as f64 / layers as f64
}

fn weights(cut: &Cut, model: &crate::workload::Model) -> f64 {
    let (layout, numbers) = (cut.layout, &model.numbers);
    let tp = f64::from(layout.tp);
    let experts = model.experts.as_ref();
    // Heads that are fewer than the ranks, and short rows, are whole on each rank, as passes read them.
    let own = |ranks: f64| -> f64 {
        let sizes = attention_matrices(model, ranks);
        sizes.iter().map(|(inner, outer)| inner * outer).sum()
    };
    let attention = (numbers.attention - own(1.0)) / tp + own(tp);
    let layer = |sparse: bool| {
        let mlp = match experts.filter(|_| sparse) {
            Some(experts) => {
                let own = f64::from(experts.count) / cut.expert_ranks();
                own * numbers.expert + numbers.shared / tp + numbers.router
            }
            None => numbers.mlp / tp,
        };
        attention + numbers.every + mlp
    };
    let layers: f64 = model.layers.iter().map(|kind| layer(kind.sparse)).sum();
    let share = stage_share(cut, model.layers.len());
    let ends = match layout.pp {
        1 => numbers.embedding + numbers.head,
        _ => numbers.embedding.max(numbers.head),
    };
    layers * share * cut.service.weight_bytes + ends / tp * cut.service.head_bytes
}

/// Numbers that a layer caches of a token on one rank.
pub(super) fn cached_numbers(cut: &Cut) -> f64 {
    let model = &cut.service.model;
    match &model.latent {
        Some(latent) => f64::from(latent.kv_rank + latent.rope),
        None => {
            let heads = (f64::from(model.kv_heads) / f64::from(cut.layout.tp)).max(1.0);
            2.0 * heads * f64::from(model.head_size)
        }
    }
}

/// Bytes of the cache of a sequence of so many tokens.
fn cached(cut: &Cut, tokens: f64) -> f64 {
    let service = cut.service;
    let kept = |windowed: bool| match service.window.filter(|_| windowed) {
        Some(window) => window.min(tokens),
        None => tokens,
    };
    let layers = &service.model.layers;
    let rows: f64 = layers.iter().map(|kind| kept(kind.windowed)).sum();
    rows * stage_share(cut, layers.len()) * cached_numbers(cut) * service.cache_bytes
}
