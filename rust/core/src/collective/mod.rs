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
mod moves;
mod neuron;
mod operation;
mod outcome;
mod packing;
mod pattern;
mod placement;
mod request;
mod run;
mod schedule;
mod wan;

pub use algorithm::{ALGORITHMS, Algorithm};
pub use cost::Model;
pub use group::{Groups, MOST_DOMAIN_CHIPS};
pub use neuron::{OPERATIONS as NEURON_OPERATIONS, SUMMARY as NEURON_SUMMARY};
pub use operation::Operation;
pub use outcome::{Bottleneck, Bound, Candidate, Outcome, PhaseRow, StageRow};
pub use request::{Choice, MOST_BYTES, Request};
pub use run::run;
