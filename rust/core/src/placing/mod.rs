//! Who is where on a machine that several share, or that is damaged.
//!
//! - `free` which planes of which domains nobody has, and jobs that take some of them
//! - `spare` which whole domains stand in for damaged ones of a group

mod free;
mod spare;
#[cfg(test)]
mod tests;

pub use free::{Choice, FreePlanes};
pub use spare::{Replaced, replace_damaged};
