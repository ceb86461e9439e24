//! Every way in which a request can be refused, with the values that a reader needs to mend it.

use thiserror::Error;

/// The result of every fallible call of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a request was refused. Messages read "argument: got value, allowed".
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// A value that is not allowed.
    #[error("{argument}: got {value}, {allowed}")]
    Invalid {
        /// Name of the argument as the caller spells it.
        argument: String,
        /// The value that was given.
        value: String,
        /// What is allowed instead.
        allowed: String,
    },
    /// A chip, link or rank number outside the machine.
    #[error("{argument}: got {value}, must be {low} to {high}")]
    OutOfRange {
        /// Name of the argument as the caller spells it.
        argument: String,
        /// The number that was given.
        value: i128,
        /// Smallest allowed number.
        low: i128,
        /// Largest allowed number.
        high: i128,
    },
    /// A name that is not in a list of names.
    #[error("{argument}: got {value:?}, must be one of {known}")]
    Unknown {
        /// Name of the argument as the caller spells it.
        argument: String,
        /// The name that was given.
        value: String,
        /// The names that exist.
        known: String,
    },
    /// A combination that has no meaning, or no model yet.
    #[error("{what}; {instead}")]
    Unsupported {
        /// What was asked for.
        what: String,
        /// What to do instead.
        instead: String,
    },
    /// More memory than a call may take, or than there is. Apart from [`Error::Unsupported`], so that no choice among
    /// algorithms depends on the memory of the machine that it runs on.
    #[error("{what} would take {bytes} bytes ({why}); {instead}")]
    Memory {
        /// What it was for.
        what: String,
        /// Bytes that the call would hold.
        bytes: u64,
        /// The limit, or that the system has no more.
        why: String,
        /// What to do instead.
        instead: String,
    },
    /// No path joins two chips.
    #[error("chip {dst} cannot be reached from chip {src}: {why}")]
    Unreachable {
        /// Sending chip.
        src: u32,
        /// Receiving chip.
        dst: u32,
        /// What cuts them apart.
        why: String,
    },
    /// A schedule that does not do what it says.
    #[error("schedule: {what}")]
    Schedule {
        /// The first rank and block that are wrong, or the sends that wait for each other.
        what: String,
    },
    /// The caller asked to stop.
    #[error("stopped by the caller")]
    Cancelled,
}

impl Error {
    /// An [`Error::Invalid`] from anything printable.
    pub fn invalid(
        argument: impl Into<String>,
        value: impl std::fmt::Display,
        allowed: impl Into<String>,
    ) -> Self {
        Self::Invalid {
            argument: argument.into(),
            value: value.to_string(),
            allowed: allowed.into(),
        }
    }

    /// An [`Error::Unsupported`] from what was asked for and the mend.
    pub fn unsupported(what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self::Unsupported {
            what: what.into(),
            instead: instead.into(),
        }
    }
}

/// Checks that `value` is a finite number above zero.
pub(crate) fn positive(argument: impl std::fmt::Display, value: f64) -> Result<f64> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(Error::invalid(
            argument.to_string(),
            value,
            "must be a finite number > 0",
        ))
    }
}

/// Checks that `value` is a finite number, zero or above.
pub(crate) fn not_negative(argument: impl std::fmt::Display, value: f64) -> Result<f64> {
    if value.is_finite() && value >= 0.0 {
        Ok(value)
    } else {
        Err(Error::invalid(
            argument.to_string(),
            value,
            "must be a finite number >= 0",
        ))
    }
}
