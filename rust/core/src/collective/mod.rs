//! Collectives: who takes part, which schedules an algorithm makes, what they cost, what nothing can beat.

mod algorithm;
mod bound;
mod context;
mod cost;
mod group;
mod hierarchical;
mod layout;
mod ledger;
mod measure;
mod model;
mod moves;
pub mod nccl;
pub mod neuron;
mod operation;
mod outcome;
mod packing;
mod pattern;
mod placement;
mod play;
mod request;
mod rows;
mod run;
mod schedule;
mod simulate;
mod symmetry;
mod unroll;
mod wan;

pub use algorithm::{ALGORITHMS, Algorithm};
pub use group::{Groups, MOST_DOMAIN_CHIPS};
pub use model::Model;
pub use operation::Operation;
pub use outcome::{Bottleneck, Bound, Candidate, Outcome};
pub use play::play;
pub use request::{Choice, MOST_BYTES, Request};
pub use rows::{PhaseRow, StageRow};
pub use run::{run, schedule};
