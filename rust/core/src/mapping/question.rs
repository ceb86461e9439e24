//! What is asked of a ranking.

use super::space::Space;
use crate::collective::{Operation, Request};
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
    /// How every collective is asked for; operation and size are those of its call.
    pub asked: &'a Request,
    /// Workers that price places; 0 for one a core.
    pub threads: usize,
}

impl Question<'_> {
    /// The layouts of a mesh of axes of `sizes`.
    ///
    /// # Errors
    /// Those of [`Space::new`].
    pub fn space(&self, sizes: &[u32], control: &Control) -> Result<Space> {
        Space::new(self.machine, sizes, control)
    }

    /// One call as a collective is asked.
    pub(super) fn request(&self, call: &Call) -> Request {
        let plain = Request::new(call.operation, call.size);
        Request {
            operation: call.operation,
            size: call.size,
            root: plain.root,
            shift: plain.shift,
            ..self.asked.clone()
        }
    }
}
