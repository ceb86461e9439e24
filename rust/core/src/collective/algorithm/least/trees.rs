//! The least of trees, and of algorithms whose distances double.

use super::{Rows, passes};
use crate::collective::algorithm::extent::{Extent, Steps};
use crate::collective::program::least::Least;
use crate::operation::Operation::{
    self, AllGather, AllReduce, AllToAll, Broadcast, Gather, Reduce, ReduceScatter, Scatter,
};

/// 1, 2, 4, ... below the number of ranks.
fn distances(ranks: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(1u32), |reach| reach.checked_mul(2))
        .take_while(move |&reach| reach < ranks)
}

pub(crate) fn bruck(extent: &Extent, operation: Operation, _: Rows) -> Least {
    let ranks = extent.ranks;
    let share = |count: u32| f64::from(count) / f64::from(ranks);
    let step = |reach: u32| {
        let ahead = extent.between(operation, 0, reach);
        let back = extent.between(operation, 0, ranks - reach);
        let part = share(reach.min(ranks - reach));
        match operation {
            // About half of all distances have the bit.
            AllToAll => extent.step(share(with_bit(ranks, reach)), ahead),
            ReduceScatter => extent.step(part, ahead),
            AllGather => extent.step(part, back),
            _ => extent.step(part, ahead) + extent.step(part, back),
        }
    };
    let once: Least = distances(ranks).map(step).sum();
    let count = |reach: u32| match operation {
        AllToAll => with_bit(ranks, reach),
        _ => reach.min(ranks - reach),
    };
    doubling(extent, once, passes(operation), |reach| share(count(reach)))
}

/// With what steps put on the axes of a domain: all chips go as far along the side in whose stride a distance is counted.
fn doubling(extent: &Extent, least: Least, passes: f64, bytes: impl Fn(u32) -> f64) -> Least {
    let passed = distances(extent.ranks).filter_map(|reach| {
        let mut stride = 1;
        for (at, side) in extent.sides.iter().enumerate() {
            if reach < stride * side.size {
                let far = side.distance(reach / stride);
                let hops = side.hops(f64::from(far));
                return (reach % stride == 0).then(|| (at, passes * bytes(reach) * hops));
            }
            stride *= side.size;
        }
        None
    });
    let busy = extent.axes(passed);
    Least {
        per_byte: least.per_byte.max(busy),
        busy: least.busy.max(busy),
        ..least
    }
}

/// How many numbers below `end` have a bit.
fn with_bit(end: u32, bit: u32) -> u32 {
    let (blocks, rest) = (end / (2 * bit), end % (2 * bit));
    blocks * bit + rest.saturating_sub(bit)
}

pub(crate) fn pat(extent: &Extent, operation: Operation, _: Rows) -> Least {
    let ranks = extent.ranks;
    let step = |reach: u32| {
        let passing = (ranks - reach).div_ceil(2 * reach);
        let part = f64::from(passing) / f64::from(ranks);
        let ahead = extent.step(part, extent.between(operation, 0, reach));
        let back = extent.step(part, extent.between(operation, 0, ranks - reach));
        match operation {
            ReduceScatter => back,
            AllGather => ahead,
            _ => ahead + back,
        }
    };
    let once: Least = distances(ranks).map(step).sum();
    let part = |reach: u32| f64::from((ranks - reach).div_ceil(2 * reach)) / f64::from(ranks);
    doubling(extent, once, passes(operation), part)
}

pub(crate) fn binomial(extent: &Extent, operation: Operation, _: Rows) -> Least {
    tree(extent, operation)
}

fn tree(extent: &Extent, operation: Operation) -> Least {
    if let Some([inside, between]) = extent.parts.as_deref() {
        let shares = matches!(operation, Gather | Scatter);
        let part = if shares {
            1.0 / f64::from(between.ranks)
        } else {
            1.0
        };
        return (tree(inside, operation) * part).then(tree(between, operation));
    }
    let ranks = extent.ranks;
    let step = |reach: u32| {
        let part = match operation {
            Gather | Scatter => f64::from(reach.min(ranks - reach)) / f64::from(ranks),
            _ => 1.0,
        };
        extent.step(part, extent.between(operation, 0, reach))
    };
    // The root takes part in each step, one way.
    let once: Least = distances(ranks).map(step).sum();
    if operation == AllReduce {
        once.then(once)
    } else {
        once
    }
}

/// From a leaf to its parent and so on, 1, 2, 4, ... ranks further each time, one climbs a whole tree.
pub(crate) fn double_binary(extent: &Extent, operation: Operation, _: Rows) -> Least {
    if operation == AllReduce && extent.is_flat() {
        return extent.chained(passes(operation));
    }
    let fed = u32::from(operation != AllReduce);
    let ranks = extent.ranks - fed;
    let depth = ranks.ilog2();
    let rank = |level: u32| (1 << level) - 1 + fed;
    let climb = (0..depth).map(|level| extent.between(operation, rank(level), rank(level + 1)));
    let passes = passes(operation);
    let hops = passes * f64::from(depth + fed);
    // A root feeds both trees; in them all ranks together send each half as often as there are edges.
    let sent = match operation {
        Broadcast | Reduce => 1.0,
        _ => 2.0 * f64::from(ranks - 1) / f64::from(ranks),
    };
    let first = Steps {
        count: hops,
        starts: if operation == Reduce { 1.0 } else { 2.0 },
        peers: 2.0,
        bytes: 0.5,
        latency: passes * climb.sum::<f64>(),
    };
    let mut least = extent.wave(first, sent);
    // Where a power of two of chips lie on a ring, edges of up to a quarter of it stay on it: half of all ranks' worth of
    // hops for each length, in either tree.
    let Some(side) = extent.sides.first().filter(|_| operation == AllReduce) else {
        return least;
    };
    if side.is_ring() && side.size.is_power_of_two() && side.size >= 8 {
        let lengths = f64::from(side.size.ilog2() - 1);
        let busy = extent.axes([(0, passes * lengths / 2.0)].into_iter());
        least.per_byte = least.per_byte.max(busy);
        least.busy = least.busy.max(busy);
    }
    least
}
