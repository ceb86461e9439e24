//! Messages over time: two engines, and plain messages as their client.

mod all_rates;
mod engine;
pub mod fifo;
pub mod fluid;
mod messages;
mod rates;
mod used_links;
mod ways;

pub use engine::Engine;
pub use messages::{Messages, finish_times};
pub use rates::max_min_rates;
