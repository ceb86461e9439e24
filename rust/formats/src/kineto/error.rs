//! Where JSON breaks, in words that lead to the character.

use crate::error::{Error, Place};

/// Bytes before the place that a message shows.
const BEFORE: usize = 60;

/// The refusal of a text that is no JSON.
pub(super) fn of_json(text: &[u8], cause: &serde_json::Error) -> Error {
    let offset = offset_of(text, cause.line(), cause.column());
    let reason = cause.to_string();
    let reason = reason.split(" at line ").next().unwrap_or("no JSON");
    let start = offset.saturating_sub(BEFORE);
    let before = String::from_utf8_lossy(&text[start..offset]).into_owned();
    let got = match text.get(offset) {
        Some(&byte) => format!("{:?} after {before:?}", char::from(byte)),
        None => format!("the end after {before:?}"),
    };
    let mut allowed = format!("must be JSON (byte {offset}): {reason}");
    // A quote in a name ends the text that it stands in.
    if reason.starts_with("expected `,`") && text[start..offset].contains(&b'"') {
        let quote = memchr::memrchr(b'"', &text[..offset]).unwrap_or(0);
        allowed += &format!("; a quote within a text, such as that at byte {quote}, must be \\\"");
    }
    Error::At {
        place: Place::Line(cause.line() as u64, cause.column() as u64),
        got,
        allowed,
    }
}

/// The byte at a line and column, both from 1, as the JSON library counts: its column is of the last byte it took.
fn offset_of(text: &[u8], line: usize, column: usize) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match memchr::memchr(b'\n', &text[start..]) {
            Some(at) => start += at + 1,
            None => break,
        }
    }
    (start + column.saturating_sub(1)).min(text.len())
}
