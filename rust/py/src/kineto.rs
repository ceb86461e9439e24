//! Kineto traces: bytes in, rows of numbers out.

use crate::enter;
use crate::formats::refused;
use numpy::{IntoPyArray, PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use rainier_formats::kineto::{Event, Trace, read};

/// Numbers of a row: kind, name, lane, start, duration, first byte of the arguments, the one after them, what it is
/// within; -1 where there is none, the least number where there is no time.
const COLUMNS: usize = 8;

/// Rows of events, their names, how many events there are in all, and where the other parts are.
type Rows<'py> = (
    Bound<'py, PyArray2<i64>>,
    Vec<String>,
    u64,
    Vec<(String, usize, usize)>,
);

/// Reads the bytes of a trace; errors call it `source`.
#[pyfunction]
pub(crate) fn kineto_events<'py>(
    py: Python<'py>,
    data: &[u8],
    source: &str,
) -> PyResult<Rows<'py>> {
    let trace = enter::here(py, |control| {
        let stop = || control.check().is_err();
        read(data, &stop).map_err(|error| refused(source, error))
    })?;
    let Trace {
        events,
        names,
        count,
        parts,
    } = trace;
    let rows = events.len();
    let mut flat = Vec::with_capacity(rows * COLUMNS);
    for event in events {
        flat.extend(numbers(&event));
    }
    let parts = parts
        .into_iter()
        .map(|(name, (start, end))| (name, start, end))
        .collect();
    let rows = flat.into_pyarray(py).reshape([rows, COLUMNS])?;
    Ok((rows, names, count, parts))
}

fn numbers(event: &Event) -> [i64; COLUMNS] {
    let (first, after) = event
        .args
        .map_or((-1, -1), |(first, after)| (first as i64, after as i64));
    [
        event.kind as i64,
        i64::from(event.name),
        i64::from(event.lane),
        event.start_ns.unwrap_or(i64::MIN),
        event.duration_ns.unwrap_or(i64::MIN),
        first,
        after,
        event.within.map_or(-1, i64::from),
    ]
}
