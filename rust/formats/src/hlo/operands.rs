//! Shapes of operands of which a text gives names only: those of the lines that define them.

use super::instruction::Instruction;
use super::shape::Shape;
use crate::cursor::Cursor;
use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// Slots of the sieve that spares most names a search.
const SLOTS: usize = 4096;

/// Shapes by name, in one computation.
pub(super) struct Shapes<'a>(BTreeMap<&'a [u8], Option<Shape>>);

fn slot(name: &[u8]) -> usize {
    let end = &name[name.len().saturating_sub(4)..];
    let mixed = end
        .iter()
        .fold(name.len(), |all, byte| all * 31 + *byte as usize);
    mixed % SLOTS
}

impl<'a> Shapes<'a> {
    /// Those of all operands of `instructions` which stand in a computation from `body.0` to `body.1`.
    pub(super) fn find(
        text: &'a [u8],
        body: (usize, usize),
        instructions: &[Instruction<'a>],
    ) -> Result<Self> {
        let mut found = BTreeMap::new();
        if instructions.is_empty() {
            return Ok(Self(found));
        }
        let mut wanted = vec![false; SLOTS];
        let operands = instructions.iter().flat_map(|one| &one.operands);
        for operand in operands.filter(|operand| operand.shape.is_none()) {
            wanted[slot(operand.name)] = true;
            found.insert(operand.name, None);
        }
        let (mut start, mut left) = (body.0, found.len());
        while start < body.1 && left > 0 {
            let end = memchr::memchr(b'\n', &text[start..body.1]).map_or(body.1, |at| start + at);
            if let Some((name, at)) = defined(text, start, end) {
                if wanted[slot(name)] {
                    if let Some(shape) = found.get_mut(name).filter(|shape| shape.is_none()) {
                        *shape = Some(Shape::read(&mut Cursor::new(text, at, end))?);
                        left -= 1;
                    }
                }
            }
            start = end + 1;
        }
        Ok(Self(found))
    }

    /// The shape of operand `number`.
    pub(super) fn of<'b>(
        &'b self,
        text: &[u8],
        instruction: &'b Instruction<'a>,
        number: usize,
    ) -> Result<&'b Shape> {
        let operand = &instruction.operands[number];
        if let Some(shape) = &operand.shape {
            return Ok(shape);
        }
        let found = self.0.get(operand.name).and_then(Option::as_ref);
        found.ok_or_else(|| {
            Error::in_text(text, operand.at, "must be defined in the same computation")
        })
    }
}

/// The name that a line defines, and where its shape begins.
fn defined(text: &[u8], start: usize, end: usize) -> Option<(&[u8], usize)> {
    let line = text[start..end].trim_ascii_start();
    let line = line.strip_prefix(b"ROOT ").unwrap_or(line);
    let line = line.strip_prefix(b"%").unwrap_or(line);
    let space = memchr::memchr(b' ', line)?;
    let shape = line[space..].strip_prefix(b" = ")?;
    Some((&line[..space], end - shape.len()))
}
