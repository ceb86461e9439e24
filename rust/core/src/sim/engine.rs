//! How messages share links over time.

use super::fluid::{Graph, Times};
use super::{fifo, fluid};
use crate::Control;
use crate::error::{Error, Result};

/// How messages share links over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// All at once with fair rates: [`fluid::simulate`].
    Fluid,
    /// Whole messages, one after the other: [`fifo::simulate`].
    Fifo,
}

impl Engine {
    /// The engine with this name.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "fluid" => Ok(Self::Fluid),
            "fifo" => Ok(Self::Fifo),
            other => Err(Error::Unknown {
                argument: "model".to_owned(),
                value: other.to_owned(),
                known: "fluid, fifo".to_owned(),
            }),
        }
    }

    /// Runs a graph.
    ///
    /// # Errors
    /// As [`fluid::simulate`].
    pub fn simulate(self, graph: &Graph, control: &Control) -> Result<Times> {
        match self {
            Self::Fluid => fluid::simulate(graph, control),
            Self::Fifo => fifo::simulate(graph, control),
        }
    }
}
