//! PyTorch's Kineto traces: of millions of events those that speak of collectives, with their places in the text.
//!
//! The text is gone over once, as JSON, without building its values: what is kept is some tens of bytes for each event
//! that counts, and where in the text its arguments are.

mod error;
mod events;
mod nest;
mod rows;
mod time;

use crate::{Error, Result};
pub use rows::{Event, Kind, Span, Trace};
use std::collections::BTreeMap;

/// Reads a trace: an object with `traceEvents`, or a list of events alone. `stop` is asked every few milliseconds.
///
/// # Errors
///
/// If the text is no JSON, no trace, or has a time that is no number: with its line and column.
pub fn read(text: &[u8], stop: &dyn Fn() -> bool) -> Result<Trace> {
    let body = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let body = std::str::from_utf8(body)
        .map_err(|error| Error::in_text(text, error.valid_up_to(), "must be UTF-8"))?;
    let mut reader = events::Reader::new(body, stop);
    let mut json = serde_json::Deserializer::from_str(body);
    let outcome = reader.top(&mut json).and_then(|()| json.end());
    if let Err(cause) = outcome {
        return Err(reader
            .refusal
            .take()
            .unwrap_or_else(|| error::of_json(body.as_bytes(), &cause)));
    }
    let shift = text.len() - body.len();
    let mut trace = reader.trace;
    trace.names = names(reader.names);
    nest::mark(&mut trace.events);
    for event in &mut trace.events {
        event.args = event.args.map(|(start, end)| (start + shift, end + shift));
    }
    for (_, (start, end)) in &mut trace.parts {
        *start += shift;
        *end += shift;
    }
    Ok(trace)
}

/// The names in the order of their numbers.
fn names(by_name: BTreeMap<String, u32>) -> Vec<String> {
    let mut pairs: Vec<_> = by_name.into_iter().collect();
    pairs.sort_by_key(|&(_, number)| number);
    pairs.into_iter().map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests;
