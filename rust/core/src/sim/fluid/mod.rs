//! Messages as fluids: rates that share links fairly, and messages that wait for each other.

mod clock;
mod gates;
mod graph;
mod progressive_fill;
#[cfg(test)]
mod reference;
mod scratch;
mod shares;
mod simulate;
#[cfg(test)]
mod tests;
mod update_rates;

pub use graph::{Flow, Graph, NO_GATE, Times};
pub use simulate::simulate;

pub(crate) use clock::Clock;
pub(crate) use gates::Gates;
pub(crate) use shares::Shares;
