//! Who answers a request.

mod registry;
mod scheduled;
mod solver;

pub use registry::{SOLVERS, algorithms};
pub use solver::Solver;

pub(crate) use registry::{is_bounded, solver};
pub(crate) use solver::Asked;
