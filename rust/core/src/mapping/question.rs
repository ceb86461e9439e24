//! What is asked of a ranking.

use super::space::Space;
use crate::collective::{Choice, Model, Operation, Request};
use crate::machine::Machine;
use crate::route::Routing;
use crate::{Control, Result};

/// A collective of an axis, and how often it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What is done.
    pub operation: Operation,
    /// Bytes, as the operation defines them.
    pub size: f64,
    /// How often.
    pub count: u64,
}

/// What is asked: the fastest layouts of a mesh with such traffic.
pub struct Question<'a> {
    /// The machine, undamaged.
    pub machine: &'a Machine,
    /// How messages find their way.
    pub routing: &'a Routing,
    /// The collectives of each axis.
    pub calls: &'a [Vec<Call>],
    /// How many layouts are wanted.
    pub keep: usize,
    /// Which algorithm, for every collective.
    pub algorithm: &'a Choice,
    /// The orders of a bucket, for every collective.
    pub orders: &'a [(Vec<usize>, f64)],
    /// How contention is modelled.
    pub model: Model,
    /// Workers that price places; 0 for one a core.
    pub threads: usize,
}

impl Question<'_> {
    /// The layouts of a mesh of axes of `sizes`.
    ///
    /// # Errors
    /// Those of [`Space::new`].
    pub fn space(&self, sizes: &[u32], control: &Control) -> Result<Space> {
        let mut operations = self.calls.iter().flatten().map(|call| call.operation);
        Space::new(self.machine, sizes, operations.any(ranks_count), control)
    }

    /// One call as a collective is asked.
    pub(super) fn request(&self, call: &Call) -> Request {
        Request {
            algorithm: self.algorithm.clone(),
            model: self.model,
            orders: self.orders.to_vec(),
            ..Request::new(call.operation, call.size)
        }
    }
}

/// Whether the order of ranks means something: who is the root, who is next.
pub(super) fn ranks_count(operation: Operation) -> bool {
    operation.is_rooted() || operation == Operation::SendRecv
}
