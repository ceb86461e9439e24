//! Messages over time: two engines, and plain messages as their client.

mod all_rates;
mod engine;
pub mod fifo;
pub mod fluid;
mod lines;
mod messages;
mod pieces;
mod rates;
#[cfg(test)]
mod rates_tests;

pub use engine::Engine;
pub use messages::{Messages, finish_times};
pub use rates::max_min_rates;
