//! One operation, read in depth: attributes and types.

use super::syntax::{attribute, dictionary, item, symbol};
use super::types::{Tensor, signature};
use crate::cursor::Cursor;
use crate::error::Result;

/// An operation.
pub(super) struct Op<'a> {
    attributes: Vec<(&'a [u8], Cursor<'a>)>,
    /// The function that it names, as a custom call does.
    pub(super) symbol: &'a [u8],
    pub(super) operands: Vec<Tensor>,
    pub(super) results: Vec<Tensor>,
}

impl<'a> Op<'a> {
    /// Reads what follows the operation's name, which may go over several lines.
    pub(super) fn read(text: &'a [u8], after: usize) -> Result<Self> {
        let mut at = Cursor::new(text, after, text.len());
        let mut op = Self {
            attributes: Vec::new(),
            symbol: b"",
            operands: Vec::new(),
            results: Vec::new(),
        };
        loop {
            at.blanks();
            match at.peek() {
                b'(' | b'[' => {
                    at.bracket()?;
                }
                b'<' => {
                    at.at += 1;
                    op.attributes.extend(dictionary(&mut at)?);
                    at.blanks();
                    at.expect(">")?;
                }
                b'{' => op.attributes.extend(dictionary(&mut at)?),
                b'@' => op.symbol = symbol(&mut at)?,
                b',' => at.at += 1,
                b'%' => {
                    super::syntax::ssa(&mut at);
                }
                b':' => {
                    (op.operands, op.results) = signature(&mut at)?;
                    return Ok(op);
                }
                _ => {
                    let key = at.name();
                    if key.is_empty() {
                        return Err(at.wrong("must be the types of the operation, after ':'"));
                    }
                    at.blanks();
                    if at.eat(b"=") {
                        at.blanks();
                        op.attributes.push((key, item(&mut at)?));
                    }
                }
            }
        }
    }

    /// The value of an attribute, or of one in the configuration of a custom call.
    pub(super) fn attribute(&self, key: &str) -> Option<Cursor<'a>> {
        attribute(&self.attributes, key).or_else(|| {
            let mut config = attribute(&self.attributes, "backend_config")?;
            let inner = dictionary(&mut config).ok()?;
            attribute(&inner, key)
        })
    }

    /// Whether a flag is there, and not false.
    pub(super) fn is_true(&self, key: &str) -> bool {
        self.attribute(key)
            .is_some_and(|value| !value.rest().starts_with(b"false"))
    }

    /// The number of its channel; 0 for none.
    pub(super) fn channel(&self) -> Result<i64> {
        if let Some(mut id) = self.attribute("channel_id") {
            return id.number();
        }
        let Some(handle) = self.attribute("channel_handle") else {
            return Ok(0);
        };
        let word = b"handle = ";
        let Some(at) = memchr::memmem::find(handle.rest(), word) else {
            return Err(handle.wrong("must have a number: handle = 1"));
        };
        Cursor::new(handle.text, handle.at + at + word.len(), handle.end).number()
    }
}
