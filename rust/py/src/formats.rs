//! Readers of `rainier-formats`: bytes in, plain rows out. Errors name the source that the caller names, and the place.

use rainier_core as core;
use rainier_formats::Error;

/// The core's error for what a reader refused in `source`.
pub(crate) fn refused(source: &str, error: Error) -> core::Error {
    match error {
        Error::At {
            place,
            got,
            allowed,
        } => core::Error::invalid(format!("{source}, {place}"), got, allowed),
        Error::Stopped => core::Error::Cancelled,
        other => core::Error::invalid(source, other, "must be a text that can be read"),
    }
}
