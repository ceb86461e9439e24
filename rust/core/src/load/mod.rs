//! Bytes that many messages put on every link, exactly: the same bits for any number of threads.

mod cell;
mod columns;
mod cross;
mod direct;
mod grid;
mod job;
mod kernel;
mod pattern;
mod random;
mod spread;
mod tally;
mod uniform;
mod uniform_adaptive;
mod valiant;

pub use columns::{ByteColumn, Flows, IndexColumn};
pub use job::link_loads;
pub use pattern::{Pattern, destinations};
pub use random::SplitMix64;
pub use uniform::uniform;
