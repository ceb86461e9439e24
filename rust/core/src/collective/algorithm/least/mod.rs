//! The least that each algorithm takes, in closed form, before anything is built: its steps in a row, the messages and
//! bytes of its busiest rank, and the latency of one of them.

mod composed;
mod exchanges;
mod rings;
mod trees;

pub(super) use composed::{scatter_allgather, symmetric};
pub(super) use exchanges::{
    halving_doubling, recursive_doubling, swing, swing_latency, trivance, trivance_latency,
};
pub(super) use rings::{bucket, direct, half_ring, mesh, multi_ring, ring, ring_one_way};
pub(super) use trees::{binomial, bruck, disjoint_trees, double_binary, pat};

use super::job::Algorithm;
use crate::operation::Operation;

/// All algorithms, for those that are made of others.
type Rows = &'static [Algorithm];

/// How often the data passes: there and back for an all-reduce.
fn passes(operation: Operation) -> f64 {
    match operation {
        Operation::AllReduce => 2.0,
        _ => 1.0,
    }
}
