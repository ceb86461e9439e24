//! Seconds of the chunks of layers that stages hold.

use super::efficiency::Efficiency;
use super::job::Recompute;
use super::layer::{Matrix, Work, embedding, head, layer};
use super::model::Kind;
use super::parts::Part;
use super::plan::Plan;
use super::prices::Prices;
use super::reduce::put_gathers;
use super::state::further;
use super::traffic::{Overlap, put_embedding_traffic, put_head_traffic, put_traffic};
use crate::error::Result;

/// Seconds of each chunk for one microbatch, in the order of the model.
pub(super) fn chunks(
    plan: &Plan,
    efficiency: &Efficiency,
    overlap: Overlap,
    prices: &dyn Prices,
) -> Result<Vec<Work>> {
    let model = &plan.job.model;
    let mut kinds = [None; Kind::ALL.len()];
    let mut of_kind = |kind: Kind| -> Result<Work> {
        let known = &mut kinds[kind.index()];
        if let Some(work) = known {
            return Ok(*work);
        }
        let work = whole_layer(plan, kind, efficiency, overlap, prices)?;
        *known = Some(work);
        Ok(work)
    };
    let last = plan.chunks.len() - 1;
    let mut chunks = Vec::with_capacity(plan.chunks.len());
    for (number, range) in plan.chunks.iter().enumerate() {
        let mut counts = [0.0; Kind::ALL.len()];
        for kind in &model.layers[range.clone()] {
            counts[kind.index()] += 1.0;
        }
        let mut work = Work::default();
        for kind in Kind::ALL
            .into_iter()
            .filter(|kind| counts[kind.index()] > 0.0)
        {
            work.add_times(counts[kind.index()], &of_kind(kind)?);
        }
        if number == 0 {
            let mut first = embedding(plan, efficiency);
            put_embedding_traffic(plan, prices, &mut first)?;
            work.add_times(1.0, &first);
        }
        if number == last {
            let mut ends = head(plan, efficiency);
            put_head_traffic(plan, overlap, prices, &mut ends)?;
            work.add_times(1.0, &ends);
            if model.mtp > 0 {
                let times = f64::from(model.mtp);
                work.add_times(times, &of_kind(further(plan))?);
                work.add_times(times, &ends);
                work.add_times(times, &halving(plan, efficiency));
            }
        }
        chunks.push(work);
    }
    Ok(chunks)
}

/// What a layer that predicts further tokens has beside a layer and a head: a matrix that halves two rows.
fn halving(plan: &Plan, efficiency: &Efficiency) -> Work {
    let hidden = f64::from(plan.job.model.hidden);
    let mut work = Work::default();
    let outer = hidden / f64::from(plan.layout.tp);
    Matrix::new(plan.tokens, 2.0 * hidden, outer).put(efficiency, &mut work);
    work
}

/// A layer with its collectives, and with what is computed again.
fn whole_layer(
    plan: &Plan,
    kind: Kind,
    efficiency: &Efficiency,
    overlap: Overlap,
    prices: &dyn Prices,
) -> Result<Work> {
    let mut work = layer(plan, kind, efficiency);
    put_traffic(plan, kind, overlap, prices, &mut work)?;
    if plan.job.recompute == Recompute::Full {
        let forward = work.forward;
        let computed = [Part::Matmul, Part::Attention, Part::Memory];
        let again: f64 = computed.iter().map(|&part| forward.get(part)).sum();
        work.backward.add(Part::Recompute, again);
        for part in [Part::Tensor, Part::Context, Part::Expert] {
            work.backward.add(part, forward.get(part));
        }
    }
    put_gathers(plan, kind, overlap, prices, &mut work)?;
    Ok(work)
}
