//! The collectives of a layer.

use super::cut::Cut;
use super::parts::{Part, Parts};
use super::runs::Runs;
use crate::error::Result;
use crate::operation::Operation::{AllGather, AllReduce, AllToAll, ReduceScatter};
use crate::workload::{Axis, Kind};

/// Adds the collectives of a layer, with so many tokens of each replica.
pub(super) fn put_traffic(
    cut: &Cut,
    kind: Kind,
    rows: f64,
    runs: &Runs,
    parts: &mut Parts,
) -> Result<()> {
    let time = |operation, axis: &Axis, bytes| match axis {
        Axis::Digit { size, stride } if size * stride <= runs.unpriced => Ok(0.0),
        _ => runs.prices.time(operation, axis, bytes),
    };
    let (layout, service) = (cut.layout, cut.service);
    let bytes = rows * f64::from(service.model.hidden) * service.activation_bytes;
    let apart = kind.sparse && !cut.experts_within();
    if layout.tp > 1 {
        let halves = if apart { 1.0 } else { 2.0 };
        let one = time(AllReduce, &cut.axes.tp, bytes)?;
        parts.add(Part::Tensor, halves * one);
    }
    if apart {
        let experts = service.model.experts.as_ref();
        let visits = experts.map_or(0.0, |experts| f64::from(experts.per_token));
        // Of a rank: its share of the tokens, as often as they go somewhere.
        let sent = bytes / f64::from(layout.tp) * visits.min(f64::from(layout.ep));
        let there_and_back = 2.0 * time(AllToAll, &cut.axes.ep, sent * service.imbalance)?;
        parts.add(Part::Expert, there_and_back);
        if layout.etp > 1 {
            let gathered = sent * f64::from(layout.etp);
            let among = time(AllGather, &cut.axes.etp, gathered)?
                + time(ReduceScatter, &cut.axes.etp, gathered)?;
            parts.add(Part::Expert, among);
        }
    }
    Ok(())
}
