//! What runs on a machine: a training step of a transformer, from its operators to its collectives.
//!
//! A **job** says what a step computes; a **layout**, on how many ranks and how it is cut: into tensor, context, expert
//! and data parallel ranks and pipeline stages. A step is the sum of its **parts** (matrices, attention, tensor-parallel
//! collectives, the bubble and so on) on the busiest stage.
//!
//! - `model`, `job`, `layout`, `order`: what is asked; `axes`: which chips act together; `plan`: a layout that fits job
//!   and chips
//! - `efficiency`: how fast a chip computes; `layer`: the operators of a layer and `traffic` its collectives, priced by
//!   `prices`; `chunk`: both for what a stage holds
//! - `state`: how many numbers a stage keeps; `memory`: the bytes that takes; `reduce`: gradients and weights between
//!   replicas
//! - `step`: all of it together; `search`: the best of all layouts

mod axes;
mod chunk;
mod efficiency;
mod job;
mod layer;
mod layout;
mod memory;
mod model;
mod order;
mod parts;
mod plan;
mod prices;
mod reduce;
pub mod search;
mod state;
mod step;
#[cfg(test)]
mod tests;
mod traffic;

pub use axes::{Axes, Axis};
pub use efficiency::{Attention, Efficiency, Matmul, Memory, Scores};
pub use job::{Job, Recompute};
pub use layout::{Context, Layout};
pub use memory::Held;
pub use model::{Experts, Kind, Latent, Model, Numbers};
pub use order::Order;
pub use parts::{Part, Parts};
pub use plan::Plan;
pub use prices::{Asked, Book, Kept, Priced, Prices};
pub use step::{Runs, Step, step};
pub use traffic::Overlap;
