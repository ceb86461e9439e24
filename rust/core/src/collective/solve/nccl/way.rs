//! A way in which NCCL may run a request.

use super::tables::{Algorithm, Protocol};

/// An algorithm under a protocol, or direct sends under one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Collective(Algorithm, Protocol),
    Direct(Protocol),
}

impl Way {
    /// How results write it.
    pub(super) fn name(self) -> String {
        let (algorithm, protocol) = match self {
            Self::Collective(algorithm, protocol) => (algorithm.name(), protocol),
            Self::Direct(protocol) => ("direct", protocol),
        };
        format!("nccl({algorithm}, {})", protocol.name())
    }
}
