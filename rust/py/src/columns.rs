//! Columns of numbers from numpy, as the core reads them.

use crate::error::raise;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use rainier_core::load::{ByteColumn, IndexColumn};

/// A column of chip numbers, borrowed from numpy without a copy.
///
/// The GIL is released while the core reads it. Another Python thread that writes into the array meanwhile gets
/// a result of mixed values; every value is checked after it is read, so nothing worse.
pub(crate) enum Column<'py> {
    I32(PyReadonlyArray1<'py, i32>),
    U32(PyReadonlyArray1<'py, u32>),
    I64(PyReadonlyArray1<'py, i64>),
    U64(PyReadonlyArray1<'py, u64>),
}

impl<'py> Column<'py> {
    pub(crate) fn of(name: &str, array: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(array) = array.extract() {
            return Ok(Self::I64(array));
        }
        if let Ok(array) = array.extract() {
            return Ok(Self::I32(array));
        }
        if let Ok(array) = array.extract() {
            return Ok(Self::U32(array));
        }
        if let Ok(array) = array.extract() {
            return Ok(Self::U64(array));
        }
        let message = format!("{name}: must be a 1-D array of int32, uint32, int64 or uint64");
        Err(raise(array.py(), "InvalidType", &message))
    }

    pub(crate) fn view(&self) -> PyResult<IndexColumn<'_>> {
        Ok(match self {
            Self::I32(array) => IndexColumn::I32(array.as_slice()?),
            Self::U32(array) => IndexColumn::U32(array.as_slice()?),
            Self::I64(array) => IndexColumn::I64(array.as_slice()?),
            Self::U64(array) => IndexColumn::U64(array.as_slice()?),
        })
    }
}

/// A number for each flow, or one for all: bytes, or seconds.
#[derive(FromPyObject)]
pub(crate) enum Bytes<'py> {
    // First: an array of one number would pass for a scalar.
    PerFlow(PyReadonlyArray1<'py, f64>),
    Scalar(f64),
}

impl Bytes<'_> {
    pub(crate) fn view(&self) -> PyResult<ByteColumn<'_>> {
        Ok(match self {
            Self::Scalar(value) => ByteColumn::Scalar(*value),
            Self::PerFlow(array) => ByteColumn::PerFlow(array.as_slice()?),
        })
    }
}
