//! Who answers a request.

mod asked;
mod candidate;
mod choose;
mod contenders;
mod ground;
mod hierarchical;
mod kept;
mod known;
mod nccl;
mod neuron;
mod registry;
mod scheduled;
mod search;
mod solver;
mod synthesized;
mod xla;

pub use registry::{SOLVERS, algorithms};
pub use solver::Solver;

pub(crate) use asked::Asked;
pub(crate) use known::Known;
pub(crate) use neuron::asks_inside_chips;
pub(crate) use registry::{is_bounded, is_kept, solver};
pub(crate) use search::{AtSizes, Search};
