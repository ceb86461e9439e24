//! Messages as fluids: rates that share links fairly, and the course of messages that wait for each other.

mod clock;
mod fill;
mod gates;
mod graph;
mod refill;
mod scratch;
mod shares;
mod simulate;
#[cfg(test)]
mod tests;

pub use graph::{Flow, Graph, NO_GATE, Times};
pub use simulate::simulate;

pub(crate) use clock::Clock;
pub(crate) use gates::Gates;
pub(crate) use shares::Shares;
