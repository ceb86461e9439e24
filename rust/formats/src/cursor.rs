//! A place in a text that moves on: the words and numbers that all readers of programs are made of.

use crate::error::{Error, Result};

/// Brackets inside brackets that a value may have.
pub(crate) const DEEPEST: usize = 256;

/// A place in a text, and where the part of it that is read ends.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) at: usize,
    pub(crate) end: usize,
}

impl<'a> Cursor<'a> {
    /// The part of `text` from `at` to `end`.
    pub(crate) fn new(text: &'a [u8], at: usize, end: usize) -> Self {
        Self { text, at, end }
    }

    /// The next byte; 0 at the end.
    pub(crate) fn peek(&self) -> u8 {
        if self.at < self.end {
            self.text[self.at]
        } else {
            0
        }
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.text[self.at..self.end]
    }

    /// Steps over `word` if it is next.
    pub(crate) fn eat(&mut self, word: &[u8]) -> bool {
        let there = self.rest().starts_with(word);
        if there {
            self.at += word.len();
        }
        there
    }

    /// Steps over `word`, which must be next.
    pub(crate) fn expect(&mut self, word: &str) -> Result<()> {
        if self.eat(word.as_bytes()) {
            Ok(())
        } else {
            Err(self.wrong(format!("must be {word:?}")))
        }
    }

    /// Steps over blanks, line ends and comments `/* */`.
    pub(crate) fn blanks(&mut self) {
        loop {
            match self.peek() {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                b'/' if self.rest().starts_with(b"/*") => {
                    let closed = memchr::memmem::find(self.rest(), b"*/");
                    self.at = closed.map_or(self.end, |at| self.at + at + 2);
                }
                _ => return,
            }
        }
    }

    /// Steps over the bytes that `belongs` and returns them.
    pub(crate) fn take(&mut self, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let start = self.at;
        while self.at < self.end && belongs(self.text[self.at]) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    /// A name: letters, digits, `_`, `-`, `.`, `$`.
    pub(crate) fn name(&mut self) -> &'a [u8] {
        self.take(is_name)
    }

    /// A number, perhaps below zero.
    pub(crate) fn number(&mut self) -> Result<i64> {
        let start = *self;
        let sign = if self.eat(b"-") { -1i64 } else { 1 };
        let digits = self.take(|byte| byte.is_ascii_digit());
        let value = std::str::from_utf8(digits).ok().map(str::parse::<i64>);
        match value {
            Some(Ok(value)) => Ok(sign * value),
            _ => Err(start.wrong("must be a whole number below 2**63")),
        }
    }

    /// A number that is not below zero.
    pub(crate) fn count(&mut self) -> Result<u64> {
        let start = *self;
        let value = self.number()?;
        u64::try_from(value).map_err(|_| start.wrong("must be a whole number >= 0"))
    }

    /// Numbers with commas between them, up to `close`, which is stepped over.
    pub(crate) fn counts(&mut self, close: u8) -> Result<Vec<u64>> {
        let mut values = Vec::new();
        self.blanks();
        while self.peek() != close {
            values.push(self.count()?);
            self.blanks();
            if !self.eat(b",") && self.peek() != close {
                return Err(self.wrong(format!("must be ',' or {:?}", char::from(close))));
            }
            self.blanks();
        }
        self.at += 1;
        Ok(values)
    }

    /// Steps over one text in quotes, which begins here; what is between them.
    pub(crate) fn quoted(&mut self) -> Result<&'a [u8]> {
        let open = *self;
        self.at += 1;
        let start = self.at;
        loop {
            match memchr::memchr2(b'"', b'\\', self.rest()) {
                None => return Err(open.wrong("must be a text that is closed with '\"'")),
                Some(at) if self.text[self.at + at] == b'"' => {
                    let text = &self.text[start..self.at + at];
                    self.at += at + 1;
                    return Ok(text);
                }
                Some(at) => self.at = (self.at + at + 2).min(self.end),
            }
        }
    }

    /// Steps over the bracket that opens here, all that is in it, and the one that closes it.
    pub(crate) fn bracket(&mut self) -> Result<&'a [u8]> {
        let open = *self;
        let mut closing = Vec::new();
        while self.at < self.end {
            match self.text[self.at] {
                b'"' => {
                    self.quoted()?;
                    continue;
                }
                b'(' => closing.push(b')'),
                b'[' => closing.push(b']'),
                b'{' => closing.push(b'}'),
                byte @ (b')' | b']' | b'}') => {
                    if closing.pop() != Some(byte) {
                        return Err(self.wrong("closes a bracket that is not open"));
                    }
                    if closing.is_empty() {
                        self.at += 1;
                        return Ok(&self.text[open.at..self.at]);
                    }
                }
                _ => {}
            }
            if closing.len() > DEEPEST {
                return Err(self.wrong(format!("must be at most {DEEPEST} brackets deep")));
            }
            self.at += 1;
        }
        Err(open.wrong("must be a bracket that is closed; the text may be cut short"))
    }

    /// Steps over a value: up to a comma, closing bracket or line end outside of brackets and quotes.
    pub(crate) fn value(&mut self) -> Result<&'a [u8]> {
        let start = self.at;
        while self.at < self.end {
            match self.text[self.at] {
                b'"' => {
                    self.quoted()?;
                }
                b'(' | b'[' | b'{' => {
                    self.bracket()?;
                }
                b',' | b')' | b']' | b'}' | b'\n' => break,
                _ => self.at += 1,
            }
        }
        Ok(self.text[start..self.at].trim_ascii_end())
    }

    /// The error that what stands here is not allowed.
    pub(crate) fn wrong(&self, allowed: impl Into<String>) -> Error {
        Error::in_text(self.text, self.at, allowed)
    }
}

/// Whether a byte may be in a name.
pub(crate) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$')
}

/// Bytes as text; what is no UTF-8 is replaced.
pub(crate) fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
