//! A way in which NCCL may run a request.

use super::tables::{Algorithm, Protocol};

/// An algorithm under a protocol, or direct sends under one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Collective(Algorithm, Protocol),
    Direct(Protocol),
}

impl Way {
    pub(super) fn algorithm(self) -> &'static str {
        match self {
            Self::Collective(algorithm, _) => algorithm.name(),
            Self::Direct(_) => "direct",
        }
    }

    pub(super) fn protocol(self) -> Protocol {
        match self {
            Self::Collective(_, protocol) | Self::Direct(protocol) => protocol,
        }
    }

    /// How results write it.
    pub(super) fn name(self) -> String {
        format!("nccl({}, {})", self.algorithm(), self.protocol().name())
    }
}
