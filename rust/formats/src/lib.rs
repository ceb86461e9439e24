//! Readers of what other tools write where it may be large: bytes to plain rows. No Python, no files, no objects of the
//! model; whoever calls makes objects of the rows.
//!
//! Each reader refuses what it cannot read whole, with the place in the input. What it keeps is bounded by the size of
//! its input.
#![forbid(unsafe_code)]

pub mod chakra;
mod cursor;
mod error;
pub mod hlo;
pub mod kineto;
pub mod program;
pub mod stablehlo;

pub use error::{Error, Place, Result};
