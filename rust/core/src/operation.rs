//! The operations, and what their sizes mean (as nccl-tests and nccom-test define them).

use crate::error::{Error, Result};

/// What a collective does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Every rank ends with the sum; size = each rank's buffer.
    AllReduce,
    /// Every rank ends with its share of the sum; size = each rank's input.
    ReduceScatter,
    /// Every rank ends with all shares; size = each rank's output.
    AllGather,
    /// Every rank sends a share to every rank; size = what each rank sends, its share to itself included.
    AllToAll,
    /// Every rank ends with the root's buffer; size = that buffer.
    Broadcast,
    /// The root ends with the sum; size = each rank's buffer.
    Reduce,
    /// The root ends with all shares; size = the root's output.
    Gather,
    /// Every rank ends with its share of the root's buffer; size = the root's input.
    Scatter,
    /// Every rank sends a message to the rank `shift` further on, cyclically; size = the message.
    SendRecv,
    /// Nobody leaves before everybody came; no bytes.
    Barrier,
}

impl Operation {
    /// All operations, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::AllReduce,
        Self::ReduceScatter,
        Self::AllGather,
        Self::AllToAll,
        Self::Broadcast,
        Self::Reduce,
        Self::Gather,
        Self::Scatter,
        Self::SendRecv,
        Self::Barrier,
    ];

    /// The name that users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::AllReduce => "all_reduce",
            Self::ReduceScatter => "reduce_scatter",
            Self::AllGather => "all_gather",
            Self::AllToAll => "all_to_all",
            Self::Broadcast => "broadcast",
            Self::Reduce => "reduce",
            Self::Gather => "gather",
            Self::Scatter => "scatter",
            Self::SendRecv => "send_recv",
            Self::Barrier => "barrier",
        }
    }

    /// The operation of a name.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn from_name(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.name() == name)
            .ok_or_else(|| Error::Unknown {
                argument: "operation".to_owned(),
                value: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }

    /// The operation whose schedules this one runs: a barrier is an all-reduce of nothing.
    pub fn as_run(self) -> Self {
        match self {
            Self::Barrier => Self::AllReduce,
            other => other,
        }
    }

    /// busbw / algbw for `ranks` ranks.
    pub fn bus_factor(self, ranks: usize) -> f64 {
        let ranks = ranks as f64;
        match self {
            Self::AllReduce => 2.0 * (ranks - 1.0) / ranks,
            Self::ReduceScatter | Self::AllGather | Self::AllToAll => (ranks - 1.0) / ranks,
            _ => 1.0,
        }
    }

    /// True when one rank plays a part of its own.
    pub fn is_rooted(self) -> bool {
        matches!(
            self,
            Self::Broadcast | Self::Reduce | Self::Gather | Self::Scatter
        )
    }
}
