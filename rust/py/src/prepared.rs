//! Collectives prepared for many sizes.

use crate::classes::{Groups, Machine};
use crate::convert::{self, RequestRow, RoutingRow};
use crate::enter::here;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use rainier_core::collective as core;
use std::sync::Arc;

/// A collective of which all is priced that does not depend on the size.
#[pyclass(frozen, module = "rainier_fast._core")]
pub(crate) struct Prepared(core::Prepared);

/// Seconds, the algorithm of each size as a number, and names of algorithms.
type TimeRows<'py> = (
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<u32>>,
    Vec<String>,
);

#[pymethods]
impl Prepared {
    #[new]
    fn new(
        py: Python<'_>,
        machine: &Machine,
        request: RequestRow,
        groups: &Groups,
        routing: RoutingRow,
    ) -> PyResult<Self> {
        let (request, routing) = convert::asked(py, request, routing)?;
        let (machine, groups) = (Arc::clone(&machine.0), Arc::clone(&groups.0));
        let prepared = here(py, |control| {
            core::Prepared::new(machine, groups, routing, request, control)
        })?;
        Ok(Self(prepared))
    }

    /// busbw / algbw, over the ranks that take part.
    #[getter]
    fn bus_factor(&self) -> f64 {
        self.0.bus_factor()
    }

    /// Bytes that it keeps so far.
    #[getter]
    fn nbytes(&self) -> u64 {
        self.0.bytes()
    }

    /// Seconds and algorithm at each size, in bytes.
    fn times<'py>(
        &self,
        py: Python<'py>,
        sizes: PyReadonlyArray1<'py, f64>,
    ) -> PyResult<TimeRows<'py>> {
        let sizes = sizes.as_slice()?;
        let times = here(py, |control| self.0.times(sizes, control))?;
        Ok((
            times.seconds.into_pyarray(py),
            times.algorithms.into_pyarray(py),
            times.names,
        ))
    }
}
