//! The collective as bounds see it, and what they find.

use crate::operation::Operation;

/// One bound that no schedule beats.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// What it is about.
    pub name: String,
    /// Seconds.
    pub seconds: f64,
}

/// All that were found.
pub(super) struct LowerBounds(pub(super) Vec<Bound>);

impl LowerBounds {
    pub(super) fn note(&mut self, name: impl Into<String>, seconds: f64) {
        if seconds > 0.0 && seconds.is_finite() {
            self.0.push(Bound {
                name: name.into(),
                seconds,
            });
        }
    }
}

/// The collective as bounds see it.
pub(super) struct BoundInput {
    pub(super) operation: Operation,
    pub(super) size: f64,
    pub(super) ranks: f64,
    /// Whether switches may reduce.
    pub(super) in_switch: bool,
}

impl BoundInput {
    /// Bytes that must leave and enter a set of `inside` of a group's ranks; `root` says whether the root is
    /// in the set (`None`: either way, whichever needs less).
    pub(super) fn crossing(&self, inside: f64, root: Option<bool>) -> (f64, f64) {
        let (size, ranks) = (self.size, self.ranks);
        if inside <= 0.0 || inside >= ranks {
            return (0.0, 0.0);
        }
        let (here, there) = (inside / ranks, (ranks - inside) / ranks);
        match self.operation {
            Operation::AllReduce => (size, size),
            Operation::ReduceScatter => (size * there, size * here),
            Operation::AllGather => (size * here, size * there),
            Operation::AllToAll => (inside * size * there, inside * size * there),
            Operation::Broadcast => match root {
                Some(true) => (size, 0.0),
                Some(false) => (0.0, size),
                None => (0.0, 0.0),
            },
            Operation::Reduce => match root {
                Some(true) => (0.0, size),
                Some(false) => (size, 0.0),
                None => (0.0, 0.0),
            },
            Operation::Gather => match root {
                Some(true) => (0.0, size * there),
                Some(false) => (size * here, 0.0),
                None => (0.0, 0.0),
            },
            Operation::Scatter => match root {
                Some(true) => (size * there, 0.0),
                Some(false) => (0.0, size * here),
                None => (0.0, 0.0),
            },
            // Each rank sends one message; sets of ranks may keep all of theirs inside.
            Operation::SendRecv if inside == 1.0 => (size, size),
            Operation::SendRecv | Operation::Barrier => (0.0, 0.0),
        }
    }

    /// Bytes that all parts of a group together must send when it is split into `parts`, for all-reduce.
    pub(super) fn partition(&self, parts: f64) -> f64 {
        if self.operation == Operation::AllReduce && !self.in_switch {
            2.0 * self.size * (parts - 1.0)
        } else {
            0.0
        }
    }
}
