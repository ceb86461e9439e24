//! Columns of flows as callers hold them, checked while they are read.

use super::grid::Survey;
use crate::Control;
use crate::error::{Error, Result};
use crate::machine::Machine;

/// Flows that are read, checked and counted together.
pub(super) const BLOCK: usize = 2048;

/// Flows between two checks for cancellation in passes that only read.
const STRETCH: usize = 1 << 16;

/// Chip numbers, one per flow.
#[derive(Debug, Clone, Copy)]
pub enum IndexColumn<'a> {
    /// 32 bits with sign.
    I32(&'a [i32]),
    /// 32 bits.
    U32(&'a [u32]),
    /// 64 bits with sign.
    I64(&'a [i64]),
    /// 64 bits.
    U64(&'a [u64]),
}

/// Bytes of each flow: finite numbers, zero or above.
#[derive(Debug, Clone, Copy)]
pub enum ByteColumn<'a> {
    /// Each flow carries this many bytes.
    Scalar(f64),
    /// One number of bytes per flow.
    PerFlow(&'a [f64]),
}

/// Messages: who sends how many bytes to whom.
#[derive(Debug, Clone, Copy)]
pub struct Flows<'a> {
    /// Sending chips.
    pub src: IndexColumn<'a>,
    /// Receiving chips, as many as senders. A chip may send to itself, which loads no link.
    pub dst: IndexColumn<'a>,
    /// Bytes.
    pub bytes: ByteColumn<'a>,
}

macro_rules! each_width {
    ($column:expr, $values:ident => $body:expr) => {
        match $column {
            IndexColumn::I32($values) => $body,
            IndexColumn::U32($values) => $body,
            IndexColumn::I64($values) => $body,
            IndexColumn::U64($values) => $body,
        }
    };
}

impl IndexColumn<'_> {
    /// Number of flows.
    pub fn len(&self) -> usize {
        each_width!(self, values => values.len())
    }

    /// True without flows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of one flow.
    pub(crate) fn value(&self, flow: usize) -> i128 {
        each_width!(self, values => values[flow] as i128)
    }

    /// Copies flows `start..start + out.len()` and tells whether all are below `chips`. Each value is read
    /// once.
    #[expect(clippy::unnecessary_cast, reason = "one of the four widths needs none")]
    pub(super) fn copy(&self, start: usize, chips: u32, out: &mut [u32]) -> bool {
        // The sign tells: of a number that is negative or beyond an i64, or of how far the last chip is from one
        // that is too large. Plain vectors add and subtract 64 bits, and do not compare them.
        let (last, mut signs) = (i64::from(chips) - 1, 0);
        each_width!(self, values => {
            for (out, &value) in out.iter_mut().zip(&values[start..]) {
                signs |= value as i64 | last.wrapping_sub(value as i64);
                *out = value as u32;
            }
        });
        signs >= 0
    }

    /// The error of the first value that is not a chip.
    #[expect(clippy::unnecessary_cast, reason = "one of the four widths needs none")]
    fn first_error(&self, name: &str, machine: &Machine) -> Result<()> {
        each_width!(self, values => {
            for (index, &value) in values.iter().enumerate() {
                if value as u64 >= u64::from(machine.num_chips()) {
                    machine.check_chip(format_args!("{name}[{index}]"), i128::from(value))?;
                }
            }
        });
        Ok(())
    }
}

impl Flows<'_> {
    /// Number of flows.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the columns differ in length.
    pub fn count(&self) -> Result<usize> {
        let flows = self.src.len();
        let differs = |name: &str, len: usize| {
            Err(Error::invalid(
                name,
                format!("{len} values"),
                format!("must have as many as src ({flows})"),
            ))
        };
        if self.dst.len() != flows {
            return differs("dst", self.dst.len());
        }
        match self.bytes {
            ByteColumn::PerFlow(bytes) if bytes.len() != flows => differs("bytes", bytes.len()),
            _ => Ok(flows),
        }
    }

    /// Checks the bytes of all flows, and finds their total and least bit.
    pub(super) fn survey(&self, control: &Control) -> Result<Survey> {
        let mut survey = Survey::new();
        let finite_total = "the sum over all flows must be finite";
        match self.bytes {
            ByteColumn::Scalar(bytes) => {
                survey.add(crate::error::not_negative("bytes", bytes)?);
                survey.total = bytes * self.src.len() as f64;
            }
            ByteColumn::PerFlow(values) => {
                for (stretch, values) in values.chunks(STRETCH).enumerate() {
                    control.check()?;
                    for (index, &bytes) in values.iter().enumerate() {
                        if !(bytes.is_finite() && bytes >= 0.0) {
                            let index = stretch * STRETCH + index;
                            crate::error::not_negative(format_args!("bytes[{index}]"), bytes)?;
                        }
                        survey.add(bytes);
                    }
                }
            }
        }
        if survey.total.is_finite() {
            Ok(survey)
        } else {
            Err(Error::invalid("bytes", survey.total, finite_total))
        }
    }

    /// The error that names the first bad chip number, whichever worker met one first.
    pub(super) fn bad_chip(&self, machine: &Machine) -> Error {
        let scan = self
            .src
            .first_error("src", machine)
            .and_then(|()| self.dst.first_error("dst", machine));
        scan.err().unwrap_or_else(|| {
            let allowed = "must not change while loads are counted";
            Error::invalid("src or dst", "values that changed", allowed)
        })
    }
}
