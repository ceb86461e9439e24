//! Readers of `rainier-formats`: bytes in, plain rows out. Errors name the source that the caller names, and the place.

use crate::enter::here;
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyTuple;
use rainier_core as core;
use rainier_formats::program::{Collective, Groups, Program};
use rainier_formats::{Error, Result, hlo, stablehlo};

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

/// Name, op, as written, bytes in and out, dtype, number of the groups, count, whether it only starts there, line, notes.
type CollectiveRow = (
    String,
    &'static str,
    String,
    Option<u64>,
    Option<u64>,
    Option<String>,
    Option<usize>,
    Option<u64>,
    Option<bool>,
    u64,
    Vec<String>,
);

/// Name, replicas, partitions, collectives, groups, notes.
type ProgramRow<'py> = (
    String,
    Option<u64>,
    Option<u64>,
    Vec<CollectiveRow>,
    Vec<Bound<'py, PyTuple>>,
    Vec<String>,
);

/// The collectives of an HLO text; errors name `source`, line and column.
#[pyfunction]
pub(crate) fn read_hlo<'py>(
    py: Python<'py>,
    text: PyBackedBytes,
    source: &str,
) -> PyResult<ProgramRow<'py>> {
    program(py, text, source, hlo::read)
}

/// The collectives of a StableHLO text; errors name `source`, line and column.
#[pyfunction]
pub(crate) fn read_stablehlo<'py>(
    py: Python<'py>,
    text: PyBackedBytes,
    source: &str,
) -> PyResult<ProgramRow<'py>> {
    program(py, text, source, stablehlo::read)
}

fn program<'py>(
    py: Python<'py>,
    text: PyBackedBytes,
    source: &str,
    read: fn(&[u8], &dyn Fn() -> bool) -> Result<Program>,
) -> PyResult<ProgramRow<'py>> {
    let found = here(py, |control| {
        let stop = || control.check().is_err();
        read(&text, &stop).map_err(|error| refused(source, error))
    })?;
    let groups = found.groups.into_iter().map(|one| group_row(py, one));
    Ok((
        found.name,
        found.replicas,
        found.partitions,
        found.collectives.into_iter().map(row).collect(),
        groups.collect::<PyResult<_>>()?,
        found.notes,
    ))
}

fn row(one: Collective) -> CollectiveRow {
    (
        one.name,
        one.op,
        one.original,
        one.bytes_in,
        one.bytes_out,
        one.dtype,
        one.groups,
        one.count,
        one.asynchronous,
        one.line,
        one.notes,
    )
}

/// ("lists", ids, sizes), ("iota", count, size, dims, perm), ("pairs", ids) or ("everyone", ranks).
fn group_row(py: Python<'_>, groups: Groups) -> PyResult<Bound<'_, PyTuple>> {
    match groups {
        Groups::Lists { ids, sizes } => {
            ("lists", ids.into_pyarray(py), sizes.into_pyarray(py)).into_pyobject(py)
        }
        Groups::Iota {
            count,
            size,
            dims,
            perm,
        } => ("iota", count, size, dims, perm).into_pyobject(py),
        Groups::Pairs(ids) => ("pairs", ids.into_pyarray(py)).into_pyobject(py),
        Groups::Everyone(ranks) => ("everyone", ranks).into_pyobject(py),
    }
}
