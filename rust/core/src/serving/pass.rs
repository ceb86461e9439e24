//! A pass through all layers: what its operators take on one rank.

use super::attention::attention_matrices;
use super::cut::Cut;
use super::memory::cached_numbers;
use super::parts::{Part, Parts};
use super::runs::Runs;
use super::traffic::put_traffic;
use crate::error::Result;
use crate::operation::Operation::SendRecv;
use crate::workload::{Experts, Kind, Matmul, Model, Scores};

/// Tokens that go through the layers together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pass {
    /// Sequences of one replica.
    pub sequences: f64,
    /// Tokens of each.
    pub tokens: f64,
    /// Tokens of each that are cached.
    pub before: f64,
    /// Whether it decodes.
    pub decodes: bool,
}

impl Pass {
    fn rows(&self) -> f64 {
        self.sequences * self.tokens
    }
}

/// Seconds of a pass through a model that is cut as the service's, without sampling.
pub(super) fn pass(cut: &Cut, model: &Model, runs: &Runs, pass: &Pass) -> Result<Parts> {
    let mut parts = Parts::default();
    let slower = if pass.decodes {
        runs.pace.decode
    } else {
        runs.pace.prefill
    };
    for kind in Kind::ALL {
        let count = model.layers.iter().filter(|&&other| other == kind).count();
        if count == 0 {
            continue;
        }
        let mut layer = Parts::default();
        put_matrices(cut, model, kind, runs, pass, &mut layer);
        put_attention(cut, model, kind, runs, pass, &mut layer);
        let mut all = Parts::default();
        all.add_times(slower, &layer);
        let mut traffic = Parts::default();
        put_traffic(cut, kind, pass.rows(), runs, &mut traffic)?;
        let factor = if pass.decodes {
            runs.pace.collective
        } else {
            1.0
        };
        all.add_times(factor, &traffic);
        put_cache(cut, model, kind, runs, pass, &mut all);
        all.add(Part::Layers, beside(model, kind, runs, pass));
        parts.add_times(count as f64, &all);
    }
    let hidden = f64::from(model.hidden);
    let rows = pass.rows() * hidden * cut.service.activation_bytes;
    if cut.layout.pp > 1 {
        let hop = runs.prices.time(SendRecv, &cut.axes.pp, rows)?;
        parts.add(Part::Pipeline, f64::from(cut.layout.pp - 1) * hop);
    }
    // Of a prompt the last token alone is scored.
    let scored = if pass.decodes {
        pass.rows()
    } else {
        pass.sequences
    };
    let head = Matmul {
        bytes_in: cut.service.head_bytes,
        ..runs.efficiency.matmul
    };
    let columns = f64::from(model.vocab) / f64::from(cut.layout.tp);
    parts.add(Part::Head, head.time(scored, hidden, columns));
    Ok(parts)
}

/// Seconds of a layer beside its operators.
fn beside(model: &Model, kind: Kind, runs: &Runs, pass: &Pass) -> f64 {
    let pace = &runs.pace;
    match model.experts.as_ref().filter(|_| kind.sparse) {
        None => pace.layer,
        Some(_) if pass.decodes => pace.layer + pace.sparse,
        Some(experts) => pace.layer + pace.sparse + pace.expert * f64::from(experts.count),
    }
}

fn put_matrices(cut: &Cut, model: &Model, kind: Kind, runs: &Runs, pass: &Pass, parts: &mut Parts) {
    let (rows, tp) = (pass.rows(), f64::from(cut.layout.tp));
    let (hidden, efficiency) = (f64::from(model.hidden), runs.efficiency);
    for (inner, outer) in attention_matrices(model, tp) {
        parts.add(Part::Matmul, efficiency.matmul(rows, inner, outer));
    }
    let products = model.products();
    // Numbers of a row that norms, sums and activations read and write.
    let mut moved = (2.0 * f64::from(model.norms) + 6.0) * hidden * rows;
    let mut dense = |width: f64, parts: &mut Parts| {
        let width = width / tp;
        let up = efficiency.matmul(rows, hidden, products * width);
        parts.add(Part::Matmul, up + efficiency.matmul(rows, width, hidden));
        moved += (products + 1.0) * rows * width;
    };
    match model.experts.as_ref().filter(|_| kind.sparse) {
        None => dense(f64::from(model.ffn), parts),
        Some(experts) => {
            if experts.shared_width > 0 {
                dense(f64::from(experts.shared_width), parts);
            }
            let router = efficiency.matmul(rows, hidden, f64::from(experts.count));
            parts.add(Part::Experts, router);
            moved += put_experts(cut, model, experts, runs, rows, parts);
        }
    }
    let bytes = moved * cut.service.activation_bytes;
    parts.add(Part::Memory, bytes / efficiency.memory.bandwidth);
}

/// Adds the products of the experts that tokens visit, each weight of which is read once; returns the numbers that are
/// moved beside them.
fn put_experts(
    cut: &Cut,
    model: &Model,
    experts: &Experts,
    runs: &Runs,
    rows: f64,
    parts: &mut Parts,
) -> f64 {
    let layout = cut.layout;
    let (count, visits) = (f64::from(experts.count), f64::from(experts.per_token));
    // Tokens of all replicas whose ranks share these experts.
    let tokens = rows * cut.expert_ranks() / f64::from(layout.tp);
    let ranks = f64::from(layout.ep);
    let touched = (count * (1.0 - (1.0 - visits / count).powf(tokens)) / ranks).min(count / ranks);
    let own = tokens * visits / ranks * cut.service.imbalance.min(ranks);
    let hidden = f64::from(model.hidden);
    let width = f64::from(experts.width) / f64::from(layout.etp);
    let products = model.products();
    let matmul = &runs.efficiency.matmul;
    let seconds = grouped(matmul, touched, own, hidden, products * width)
        + grouped(matmul, touched, own, width, hidden);
    parts.add(Part::Experts, seconds);
    own * (4.0 * hidden + (products + 1.0) * width)
}

/// Seconds of one call that multiplies so many rows in all with so many matrices of their own.
fn grouped(matmul: &Matmul, matrices: f64, rows: f64, inner: f64, outer: f64) -> f64 {
    let one = Matmul {
        launch: 0.0,
        ..*matmul
    };
    let filled = 2.0 * (rows * outer + one.area) * (inner + one.depth) / one.rate;
    let numbers = one.bytes_in * inner * (rows + matrices * outer) + one.bytes_out * rows * outer;
    let converts = one.conversion * rows * inner;
    matmul.launch + filled.hypot(numbers / one.bandwidth) + converts / one.bandwidth
}

/// Attention of a prefill; of decoding, `put_cache` has it.
fn put_attention(
    cut: &Cut,
    model: &Model,
    kind: Kind,
    runs: &Runs,
    pass: &Pass,
    parts: &mut Parts,
) {
    if pass.decodes {
        return;
    }
    let tp = f64::from(cut.layout.tp);
    let heads = f64::from(model.heads) / tp;
    let (key, value) = model.head_sizes();
    let shared = match &model.latent {
        Some(_) => heads,
        None => (f64::from(model.kv_heads) / tp).max(1.0),
    };
    let window = cut.service.window.filter(|_| kind.windowed);
    let keys = pass.before + pass.tokens;
    let scores = Scores {
        rows: pass.rows() * heads,
        kv_rows: pass.sequences * keys * shared,
        keys: Scores::seen(pass.tokens, keys, true, window),
        key,
        value,
    };
    parts.add(Part::Attention, runs.efficiency.attention(&scores, false));
}

/// Attention of decoding: what is cached is read once, and the scores are made.
fn put_cache(cut: &Cut, model: &Model, kind: Kind, runs: &Runs, pass: &Pass, parts: &mut Parts) {
    if !pass.decodes {
        return;
    }
    let all = pass.before + pass.tokens;
    let seen = match cut.service.window.filter(|_| kind.windowed) {
        Some(window) => window.min(all),
        None => all,
    };
    let heads = f64::from(model.heads) / f64::from(cut.layout.tp);
    // Absorbed latent attention scores and sums the cached row itself.
    let (key, value) = match &model.latent {
        Some(latent) => {
            let rank = f64::from(latent.kv_rank);
            (rank + f64::from(latent.rope), rank)
        }
        None => model.head_sizes(),
    };
    let flops = 2.0 * pass.rows() * heads * seen * (key + value);
    let bytes = pass.sequences * seen * cached_numbers(cut) * cut.service.cache_bytes;
    let attention = &runs.efficiency.attention;
    let both = (flops / attention.rate).hypot(bytes / runs.pace.cache);
    parts.add(Part::Attention, attention.launch + both);
}
