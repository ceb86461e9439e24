//! The algorithms. Each builds the stages of a [`Job`]: one operation over one placement.

mod bruck;
mod bucket;
mod bucket_all_to_all;
mod composed;
mod direct;
mod exchange;
mod grid;
mod halving;
mod in_switch;
mod multi_ring;
mod pat;
mod registry;
mod ring;
mod sides;
mod swing;
mod trade;
mod tree;
mod trivance;

pub(crate) use composed::symmetric_to;
pub(crate) use grid::flat;
pub use registry::{ALGORITHMS, Algorithm};
pub(crate) use registry::{IN_SWITCH, find, names};

use super::context::Context;
use super::placement::Placement;
use crate::Error;
use crate::operation::Operation;

/// One operation over one placement.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) placement: &'a Placement,
    pub(crate) operation: Operation,
    /// Bytes, as the operation defines them.
    pub(crate) size: f64,
    /// Rank of the root in each group.
    pub(crate) root: usize,
    /// Distance of a send_recv.
    pub(crate) shift: i64,
    /// Orders of domain axes that a bucket takes, and their shares; empty to let it choose.
    pub(crate) orders: &'a [(Vec<usize>, f64)],
    /// Name of the tier that the placement spans.
    pub(crate) tier: &'static str,
}

/// The refusal of an operation that an algorithm does not do.
pub(crate) fn unsupported(algorithm: &str, operation: Operation) -> Error {
    Error::unsupported(
        format!("{algorithm} does no {}", operation.name()),
        format!("it has {}", names(operation).join(", ")),
    )
}
