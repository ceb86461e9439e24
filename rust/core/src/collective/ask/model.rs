//! The models of contention, by name.

use crate::sim::Engine;
use crate::{Error, Result};

/// How messages that meet on a link share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Model {
    /// Not at all: each message has its route to itself.
    AlphaBeta,
    /// A phase lasts as long as its busiest link.
    LinkLoad,
    /// Max-min fair rates, found anew whenever a message starts or ends.
    Fluid,
    /// Links pass whole messages, first come, first served.
    Fifo,
}

impl Model {
    /// All models, from the fastest to the finest.
    pub const ALL: [Self; 4] = [Self::AlphaBeta, Self::LinkLoad, Self::Fluid, Self::Fifo];

    /// The engine that simulates it, if it is simulated.
    pub(crate) fn engine(self) -> Option<Engine> {
        match self {
            Self::Fluid => Some(Engine::Fluid),
            Self::Fifo => Some(Engine::Fifo),
            Self::AlphaBeta | Self::LinkLoad => None,
        }
    }

    /// The model by which schedules are costed phase by phase: simulated ones start from link loads.
    pub fn by_phases(self) -> Self {
        match self {
            Self::AlphaBeta => Self::AlphaBeta,
            _ => Self::LinkLoad,
        }
    }

    /// The name that users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::AlphaBeta => "alpha_beta",
            Self::LinkLoad => "link_load",
            Self::Fluid => "fluid",
            Self::Fifo => "fifo",
        }
    }

    /// The model of a name.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn from_name(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|model| model.name() == name)
            .ok_or_else(|| Error::Unknown {
                argument: "model".to_owned(),
                value: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}
