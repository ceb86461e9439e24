//! Recursive halving and doubling (Rabenseifner 2004; Thakur, Rabenseifner and Gropp 2005).
//!
//! Ranks that differ in one bit exchange: in halving half of what is left, nearest ranks first; in doubling the
//! same backwards. Ranks beyond a power of two fold onto the others before and after an all-reduce.

use super::exchange::Exchange;
use super::job::Job;
use super::pairwise_exchange::{Form, Slice, pairwise_exchange};
use crate::Result;
use crate::collective::pattern::rule::Rule;
use crate::collective::program::moves::Sends;
use crate::collective::program::schedule::Stage;
use std::sync::Arc;

pub(crate) fn halving_doubling(job: &Job) -> Result<Vec<Stage>> {
    let cube = job.placement.in_cube_order(job.context)?;
    let slices = [Slice::whole(bits(cube.ranks()))];
    pairwise_exchange(job, "halving_doubling", &cube, &slices, Form::Bandwidth)
}

/// All-reduce in log2(p) exchanges of the whole buffer: the fewest steps, the most bytes.
pub(crate) fn recursive_doubling(job: &Job) -> Result<Vec<Stage>> {
    let cube = job.placement.in_cube_order(job.context)?;
    let slices = [Slice::whole(bits(cube.ranks()))];
    pairwise_exchange(job, "recursive_doubling", &cube, &slices, Form::Latency)
}

/// Exchanges over each bit of the ranks below the largest power of two, lowest first.
fn bits(ranks: usize) -> Arc<Exchange> {
    let bits = ranks.ilog2();
    let step = |bit: u32| {
        let sends = Sends::of_each(1 << bits, move |rank| [(rank, rank ^ (1 << bit))]);
        sends.ruled(Rule::bit(bits, bit))
    };
    Exchange::new(1 << bits, (0..bits).map(step).collect())
}
