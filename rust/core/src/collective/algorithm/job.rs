//! What an algorithm is, and what it is given to do.

use crate::collective::context::Context;
use crate::collective::placement::Placement;
use crate::collective::schedule::Stage;
use crate::operation::Operation;
use crate::{Error, Result};

/// One operation over one placement.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) placement: &'a Placement,
    pub(crate) operation: Operation,
    /// Bytes, as the operation defines them.
    pub(crate) size: f64,
    /// Rank of the root in each group.
    pub(crate) root: usize,
    /// Distance of a send_recv.
    pub(crate) shift: i64,
    /// Orders of domain axes that a bucket takes, and their shares; empty to let it choose.
    pub(crate) orders: &'a [(Vec<usize>, f64)],
    /// The table of algorithms, for those that are made of others.
    pub(crate) table: &'static [Algorithm],
    /// Name of the tier that the placement spans.
    pub(crate) tier: &'static str,
}

/// One algorithm: its name, what it is in a line, which operations it does, and how.
pub struct Algorithm {
    /// The name that users write.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What it does.
    pub operations: &'static [Operation],
    /// Made of other algorithms, and so not offered to those that are.
    pub(crate) composed: bool,
    /// Tried where none is named.
    pub(crate) offered: bool,
    /// Switches reduce in it, which bounds for ranks that reduce do not allow for.
    pub(crate) in_switch: bool,
    /// It takes weights of the orders of axes.
    pub(crate) takes_orders: bool,
    pub(crate) build: fn(&Job) -> Result<Vec<Stage>>,
}

impl Algorithm {
    pub(super) const fn new(
        name: &'static str,
        summary: &'static str,
        operations: &'static [Operation],
        build: fn(&Job) -> Result<Vec<Stage>>,
    ) -> Self {
        Self {
            name,
            summary,
            operations,
            composed: false,
            offered: true,
            in_switch: false,
            takes_orders: false,
            build,
        }
    }

    /// Refuses an operation that it does not do.
    pub(crate) fn check_operation(&self, operation: Operation) -> Result<()> {
        match self.operations.contains(&operation) {
            true => Ok(()),
            false => Err(unsupported(self.name, operation)),
        }
    }
}

/// The refusal of an operation that an algorithm does not do.
pub(crate) fn unsupported(algorithm: &str, operation: Operation) -> Error {
    Error::unsupported(
        format!("{algorithm} does no {}", operation.name()),
        format!(
            "rf.algorithms(\"{}\") lists those that do",
            operation.name()
        ),
    )
}
