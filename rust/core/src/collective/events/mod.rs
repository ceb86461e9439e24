//! Programs as events: simulated, written out message by message, and run beside each other.

mod by_rank;
pub(super) mod run_schedule;
pub(super) mod simulate;
mod step;
pub mod together;
pub(super) mod unroll;
