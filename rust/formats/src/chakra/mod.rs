//! Chakra execution traces in protobuf, as mlcommons/chakra's et_def.proto (0.0.4) has them: a message of global metadata,
//! then one for each node, each behind its length. Read by hand, since errors name the byte at which something is wrong.

mod check;
mod node;
#[cfg(test)]
mod tests;
mod wire;
mod write;

pub use node::{Attribute, Io, Node, Trace, Value};
pub use write::write;

use crate::error::{Error, Result};
use wire::{Wire, at};

/// Nodes between two looks at the caller.
const STRETCH: usize = 1 << 10;

/// Messages of a file, as far as its lengths go: what reading it will make nodes of.
#[must_use]
pub fn messages(data: &[u8]) -> u64 {
    let mut wire = Wire::of(data);
    let mut count = 0;
    while !wire.is_over() && wire.message().is_ok() {
        count += 1;
    }
    count
}

/// Reads a trace; `stop` says now and then whether to go on.
///
/// # Errors
/// [`Error::At`] with the byte at which the file breaks off, or has what no trace has, such as two nodes of one number;
/// [`Error::Stopped`].
pub fn read(data: &[u8], mut stop: impl FnMut() -> bool) -> Result<Trace> {
    let mut wire = Wire::of(data);
    let mut trace = Trace::default();
    let mut first = true;
    let mut steps = 0;
    while !wire.is_over() {
        let frame = wire.message()?;
        if first {
            trace.take_metadata(frame)?;
            first = false;
        } else {
            trace.nodes.push(Node::of(frame)?);
        }
        steps += 1;
        if steps % STRETCH == 0 && stop() {
            return Err(Error::Stopped);
        }
    }
    if first {
        return Err(at(
            0,
            "the end of the file",
            "must begin with global metadata",
        ));
    }
    check::check(&mut trace)?;
    Ok(trace)
}
