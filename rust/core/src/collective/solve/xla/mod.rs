//! `algorithm="xla"`: what XLA's compiler makes of a collective on a slice of TPUs, priced by the links.
//!
//! The choice (`choice.rs`, `orders.rs`) is that of jax 0.10.2 with libtpu 0.0.52: rules read from compiled text, which
//! agree with every row of `choices.csv`. What it takes is the time of the schedules that we have for it (`price.rs`):
//! a bucket with equal shares of its orders of axes, a ring, direct sends; and what calls add to links (`call.rs`), fitted
//! to points of two measured curves. The note of an answer says what of it is not known.

mod call;
mod choice;
mod group;
mod orders;
mod price;
mod tables;
#[cfg(test)]
mod tests;
mod words;

use crate::collective::solve::Solver;
use crate::operation::Operation::{AllGather, AllReduce, AllToAll, ReduceScatter, SendRecv};

/// A row of the table of solvers.
pub(crate) const SOLVER: Solver = Solver {
    name: price::NAME,
    summary: "what XLA's compiler makes of it on TPU slices (jax 0.10.2, libtpu 0.0.52); only when named",
    operations: &[AllReduce, ReduceScatter, AllGather, AllToAll, SendRecv],
    takes_chunks: false,
    on_damage: false,
    is_bounded: true,
    run: price::run,
    time: Some(price::time),
    prepare: None,
    schedule: Ok(price::schedule),
};
