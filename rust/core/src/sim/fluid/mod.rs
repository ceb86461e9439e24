//! Messages as fluids: rates that share links fairly, and messages that wait for each other.

mod clock;
mod crowd;
#[cfg(test)]
mod crowd_tests;
mod crowds;
mod gates;
mod graph;
mod progressive_fill;
mod raise;
#[cfg(test)]
mod reference;
mod scratch;
mod shares;
mod simulate;
mod sum;
#[cfg(test)]
mod tests;
mod update_rates;
mod virtual_clock;

pub use graph::{Flow, Graph, NO_GATE, Times};
pub use simulate::simulate;

pub(crate) use clock::Clock;
pub(crate) use gates::Gates;
pub(crate) use progressive_fill::{Stop, Stops};
#[cfg(test)]
pub(crate) use shares::Shares;
pub(crate) use sum::Sum;
