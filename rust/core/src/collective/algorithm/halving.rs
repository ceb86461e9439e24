//! Recursive halving and doubling (Rabenseifner 2004; Thakur, Rabenseifner and Gropp 2005).
//!
//! Ranks that differ in one bit exchange: in halving half of what is left, nearest ranks first; in doubling the
//! same backwards. Ranks beyond a power of two fold onto the others before and after an all-reduce.

use super::exchange::Exchange;
use super::job::Job;
use super::pairwise_exchange::{Form, Slice, pairwise_exchange};
use crate::Result;
use crate::collective::pattern::lines::Along;
use crate::collective::pattern::rule::Rule;
use crate::collective::program::moves::Sends;
use crate::collective::program::schedule::Stage;
use std::sync::Arc;

pub(crate) fn halving_doubling(job: &Job) -> Result<Vec<Stage>> {
    let cube = job.placement.in_cube_order(job.context)?;
    let sizes = cube.box_order(job.context).map(|shape| shape.sizes());
    let slices = [Slice::whole(bits(cube.ranks(), &sizes.unwrap_or_default()))];
    pairwise_exchange(job, "halving_doubling", &cube, &slices, Form::Bandwidth)
}

/// All-reduce in log2(p) exchanges of the whole buffer: the fewest steps, the most bytes.
pub(crate) fn recursive_doubling(job: &Job) -> Result<Vec<Stage>> {
    let cube = job.placement.in_cube_order(job.context)?;
    let sizes = cube.box_order(job.context).map(|shape| shape.sizes());
    let slices = [Slice::whole(bits(cube.ranks(), &sizes.unwrap_or_default()))];
    pairwise_exchange(job, "recursive_doubling", &cube, &slices, Form::Latency)
}

/// Exchanges over each bit of the ranks below the largest power of two, lowest first; `sizes` are those of the sides along
/// which a whole domain is counted.
fn bits(ranks: usize, sizes: &[u32]) -> Arc<Exchange> {
    let bits = ranks.ilog2();
    let step = |bit: u32| {
        let sends = Sends::of_each(1 << bits, move |rank| [(rank, rank ^ (1 << bit))]);
        let rule = Rule::bit(bits, bit);
        sends.ruled(match along(sizes, bit) {
            Some(along) => rule.in_box(along),
            None => rule,
        })
    };
    Exchange::new(1 << bits, (0..bits).map(step).collect())
}

/// A bit of the ranks as one of the places along a side.
fn along(sizes: &[u32], mut bit: u32) -> Option<Along> {
    for (side, size) in sizes.iter().enumerate() {
        if bit < size.ilog2() {
            let places = (0..*size).map(|here| (here, here ^ (1 << bit)));
            return Some(Along {
                side,
                places: places.collect(),
                in_lists: false,
            });
        }
        bit -= size.ilog2();
    }
    None
}
