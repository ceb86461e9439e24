//! Training steps in which a model is cut into stages that pass microbatches on: who computes what, when, and how long a
//! step takes. Knows nothing of models or machines: a stage is seconds of work, a way between stages seconds.
//!
//! - `schedule` the schedules by name, and where each puts its chunks
//! - `shape` a pipeline, and what is refused
//! - `task` what a stage does at a time; `orders` the order of it by schedule: `simple` (GPipe, 1F1B, interleaved),
//!   `zero_bubble` (ZB-H1, ZB-H2, ZB-V), `dual` (DualPipe)
//! - `run` one step simulated, and its `event`s; `line` stages at work; `state` how far they are
//! - `closed` closed forms of time and memory; `bound` what no stage times let a schedule beat

mod bound;
mod closed;
mod dual;
mod event;
mod line;
mod orders;
mod run;
mod schedule;
mod shape;
mod simple;
mod state;
mod task;
mod zero_bubble;

pub use bound::at_least;
pub use closed::{closed, in_flight};
pub use event::{Event, Kind};
pub use run::{Ran, Scratch, events, simulate};
pub use schedule::Schedule;
pub use shape::{Chunk, Pipeline};
