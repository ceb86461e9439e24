//! The algorithms. Each builds the stages of a [`Job`]: one operation over one placement.

mod bruck;
mod bucket;
mod bucket_all_to_all;
mod by_digit;
mod chained_tree;
mod composed;
mod direct;
mod double_tree;
mod exchange;
mod extent;
mod flat_ring;
mod grid;
mod half_ring;
mod halving;
mod in_switch;
mod job;
mod least;
mod multi_ring;
mod packing;
mod pairwise_exchange;
mod pat;
mod ports;
mod registry;
mod ring;
mod sides;
mod sites;
mod swing;
mod tree;
mod trivance;

pub(crate) use extent::Extent;
pub use job::Algorithm;
pub(crate) use job::Job;
pub use registry::ALGORITHMS;
pub(crate) use registry::{find, row};
