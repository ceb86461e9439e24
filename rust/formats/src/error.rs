//! Why an input was refused, and where.

use std::fmt;
use thiserror::Error;

/// The result of every reader.
pub type Result<T> = std::result::Result<T, Error>;

/// Where in an input something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Line and column of a text, both from 1; the column counts bytes.
    Line(u64, u64),
    /// A byte of a file, from 0.
    Byte(u64),
    /// A record by number, from 0, and the key in it.
    Record(u64, String),
}

impl fmt::Display for Place {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line, column) => write!(to, "line {line}, column {column}"),
            Self::Byte(offset) => write!(to, "byte {offset}"),
            Self::Record(number, key) => write!(to, "record {number}, {key}"),
        }
    }
}

/// Why an input was refused. Messages read "place: got value, allowed".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// What stands at a place is not allowed there.
    #[error("{place}: got {got}, {allowed}")]
    At {
        /// Where.
        place: Place,
        /// What stands there, shortened.
        got: String,
        /// What is allowed instead, or how to mend it.
        allowed: String,
    },
    /// The caller asked to stop.
    #[error("stopped by the caller")]
    Stopped,
}

/// Bytes of an input that a message shows.
const SHOWN: usize = 48;

impl Error {
    /// An error at byte `offset` of a text: its line and column, and the text that stands there.
    pub fn in_text(text: &[u8], offset: usize, allowed: impl Into<String>) -> Self {
        let offset = offset.min(text.len());
        let before = &text[..offset];
        let line = memchr::memchr_iter(b'\n', before).count() as u64 + 1;
        let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        let rest = &text[offset..];
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let got = if rest.is_empty() {
            "the end of the text".to_owned()
        } else {
            format!("{:?}", shown(&rest[..end]))
        };
        Self::At {
            place: Place::Line(line, (offset - start) as u64 + 1),
            got,
            allowed: allowed.into(),
        }
    }
}

/// The beginning of `bytes` as text.
fn shown(bytes: &[u8]) -> String {
    let kept = &bytes[..bytes.len().min(SHOWN)];
    let mut text = String::from_utf8_lossy(kept).into_owned();
    if kept.len() < bytes.len() {
        text.push_str("...");
    }
    text
}
