//! The least of rings, buckets and algorithms that send all at once.

use super::{Rows, passes};
use crate::collective::algorithm::extent::{Extent, Steps};
use crate::collective::algorithm::ports::Side;
use crate::collective::program::least::Least;
use crate::operation::Operation::{
    self, AllReduce, AllToAll, Broadcast, Gather, Reduce, Scatter, SendRecv,
};

pub(crate) fn ring(extent: &Extent, operation: Operation, _: Rows) -> Least {
    // Over several domains perhaps one for each chip there.
    let cuts = extent.parts.as_ref().map_or(1, |parts| parts[0].ranks);
    rings(
        extent,
        operation,
        if extent.ranks > 2 {
            2.0 * f64::from(cuts)
        } else {
            1.0
        },
    )
}

/// Each share by its shorter way.
pub(crate) fn half_ring(extent: &Extent, operation: Operation, _: Rows) -> Least {
    let (ranks, steps) = (f64::from(extent.ranks), f64::from(extent.ranks / 2));
    extent.price(Steps {
        count: passes(operation) * steps,
        starts: 2.0,
        peers: 2.0,
        bytes: (ranks - 1.0) / ranks / 2.0 / steps,
        latency: extent.latency(),
    })
}

pub(crate) fn ring_one_way(extent: &Extent, operation: Operation, _: Rows) -> Least {
    rings(extent, operation, 1.0)
}

fn rings(extent: &Extent, operation: Operation, rings: f64) -> Least {
    let ranks = f64::from(extent.ranks);
    // Over several domains the two rings of a rank may not share a sender.
    let starts = if extent.parts.is_some() { 1.0 } else { rings };
    let rotation = |count: f64, bytes: f64| {
        extent.price(Steps {
            count,
            starts,
            peers: rings,
            bytes,
            latency: extent.latency(),
        })
    };
    match operation {
        Broadcast | Reduce => {
            let hops = if rings > 1.0 {
                (ranks / 2.0).floor()
            } else {
                ranks - 1.0
            };
            let first = Steps {
                count: hops,
                starts: if operation == Broadcast { rings } else { 1.0 },
                peers: rings,
                bytes: 1.0,
                latency: hops * extent.latency(),
            };
            extent.wave(first, rings)
        }
        AllToAll if rings > 1.0 => {
            let steps = (ranks / 2.0).floor();
            let halved = if extent.ranks % 2 == 0 { 0.5 } else { 0.0 };
            let shares = steps * (steps + 1.0) / 2.0 - steps * halved;
            rotation(steps, shares / steps / ranks)
        }
        AllToAll => rotation(ranks - 1.0, 0.5),
        _ => rotation(passes(operation) * (ranks - 1.0), 1.0 / ranks / rings),
    }
}

pub(crate) fn multi_ring(extent: &Extent, operation: Operation, _: Rows) -> Least {
    let ranks = f64::from(extent.ranks);
    let steps = passes(operation) * (ranks - 1.0);
    extent.steps(steps, 4.0, 0.25 / ranks)
}

pub(crate) fn bucket(extent: &Extent, operation: Operation, _: Rows) -> Least {
    let (ranks, passes) = (f64::from(extent.ranks), passes(operation));
    let sides = extent.sides.iter();
    if operation == AllToAll {
        let bytes = |side: &Side| f64::from(side.size - 1) / f64::from(side.size);
        return match extent.sides.is_empty() {
            true => extent.overlapping(extent.latency(), 1.0, 0.0),
            false => {
                let latency = sides.clone().count() as f64 * extent.latency();
                let starts = sides.clone().map(|side| f64::from(side.size - 1)).sum();
                extent.overlapping(latency, starts, sides.map(bytes).sum())
            }
        };
    }
    let sent = passes * (ranks - 1.0) / ranks;
    if extent.sides.is_empty() {
        // A side of n positions takes n - 1 steps, which is no less than log2(n).
        let steps = passes * f64::from(extent.ranks.ilog2());
        return extent.overlapping(steps * extent.latency(), 2.0 * steps, sent);
    }
    let steps = |side: &Side| passes * f64::from(side.size - 1);
    let latency = sides.clone().map(|side| steps(side) * side.hop()).sum();
    extent.overlapping(latency, 2.0 * sides.map(steps).sum::<f64>(), sent)
}

/// Every rank to every other, or to the root.
pub(crate) fn direct(extent: &Extent, operation: Operation, _: Rows) -> Least {
    let ranks = f64::from(extent.ranks);
    match operation {
        SendRecv => Least::NOTHING,
        Broadcast | Scatter | Reduce | Gather => {
            let outward = matches!(operation, Broadcast | Scatter);
            let whole = matches!(operation, Broadcast | Reduce);
            extent.price(Steps {
                count: 1.0,
                starts: if outward { ranks - 1.0 } else { 1.0 },
                peers: ranks - 1.0,
                bytes: if whole { 1.0 } else { 1.0 / ranks },
                latency: extent.between(operation, 0, extent.ranks - 1),
            })
        }
        _ => {
            let step = extent.to_all(1.0 / ranks);
            if operation == AllReduce {
                step + step
            } else {
                step
            }
        }
    }
}

pub(crate) fn mesh(extent: &Extent, _: Operation, _: Rows) -> Least {
    extent.to_all(1.0)
}
