//! One line: the operation that it has, and the braces that it opens or closes for the lines around it.

use super::syntax::ssa;
use crate::cursor::Cursor;
use crate::error::{Error, Result};
use memchr::memchr3_iter;

/// Braces within braces that a text may have.
pub(super) const MOST_OPEN: usize = 1 << 16;

/// A line.
pub(super) struct Line<'a> {
    /// Where it begins, after blanks, and ends.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Names of its results, `%0:2`.
    pub(super) result: &'a [u8],
    /// The operation, with its dialect.
    pub(super) op: &'a [u8],
    /// Where the operation's name ends.
    pub(super) after: usize,
    /// Braces that lines before opened and this one closes.
    pub(super) closes: usize,
    /// Where the braces are that it leaves open.
    pub(super) opens: Vec<usize>,
    /// Whether it has braces at all.
    pub(super) braced: bool,
}

impl<'a> Line<'a> {
    /// The line from `start` to `end`; None where there is nothing on it.
    pub(super) fn read(text: &'a [u8], start: usize, end: usize) -> Result<Option<Self>> {
        let mut at = Cursor::new(text, start, end);
        at.blanks();
        if at.at >= end || at.rest().starts_with(b"//") {
            return Ok(None);
        }
        let mut line = Self {
            start: at.at,
            end,
            result: b"",
            op: b"",
            after: at.at,
            closes: 0,
            opens: Vec::new(),
            braced: false,
        };
        if at.peek() == b'%' {
            line.result = ssa(&mut at);
            at.take(|byte| byte != b'=');
            at.eat(b"=");
            at.blanks();
        }
        line.op = if at.peek() == b'"' {
            at.quoted()?
        } else {
            at.name()
        };
        line.after = at.at;
        line.braces(text)?;
        Ok(Some(line))
    }

    /// Braces outside of quotes.
    fn braces(&mut self, text: &[u8]) -> Result<()> {
        let mut quoted = false;
        let mut open = 0;
        for found in memchr3_iter(b'{', b'}', b'"', &text[self.start..self.end]) {
            let at = self.start + found;
            match text[at] {
                b'"' => {
                    let escaped = quoted && slashes(&text[self.start..at]) % 2 == 1;
                    quoted = quoted == escaped;
                    open = at;
                }
                _ if quoted => {}
                b'{' => {
                    self.braced = true;
                    if self.opens.len() == MOST_OPEN {
                        let allowed = format!("must be at most {MOST_OPEN} braces deep");
                        return Err(Error::in_text(text, at, allowed));
                    }
                    self.opens.push(at);
                }
                _ => {
                    if self.opens.pop().is_none() {
                        self.closes += 1;
                    }
                }
            }
        }
        if quoted {
            return Err(Error::in_text(
                text,
                open,
                "must be a text that is closed with '\"'",
            ));
        }
        Ok(())
    }
}

/// Backslashes at the end.
fn slashes(text: &[u8]) -> usize {
    text.iter().rev().take_while(|byte| **byte == b'\\').count()
}
