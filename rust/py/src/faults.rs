//! The overlay of faults, between arrays of numpy and the core.

use crate::classes::Machine;
use crate::enter::quick;
use crate::error::to_py;
use numpy::{IntoPyArray, PyArray1, PyArrayMethods, PyReadonlyArray1, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyType;
use rainier_core::machine::{self as core, LinkName};
use std::sync::Arc;

/// Links, chips, NICs, domains, sites, slower links and their factors.
type FaultRow<'py> = (
    PyReadonlyArray1<'py, u64>,
    PyReadonlyArray1<'py, u32>,
    PyReadonlyArray1<'py, u32>,
    PyReadonlyArray1<'py, u32>,
    PyReadonlyArray1<'py, u32>,
    PyReadonlyArray1<'py, u64>,
    PyReadonlyArray1<'py, f64>,
);

/// The same as it is handed out.
type WrittenRow<'py> = (
    Bound<'py, PyArray1<u64>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u64>>,
    Bound<'py, PyArray1<f64>>,
);

fn read(row: &FaultRow<'_>) -> PyResult<core::Faults> {
    let (links, chips, nics, domains, sites, slower, factors) = row;
    let slower = slower.as_slice()?.iter().copied();
    Ok(core::Faults {
        links: links.as_slice()?.to_vec(),
        chips: chips.as_slice()?.to_vec(),
        nics: nics.as_slice()?.to_vec(),
        domains: domains.as_slice()?.to_vec(),
        sites: sites.as_slice()?.to_vec(),
        degraded: slower.zip(factors.as_slice()?.iter().copied()).collect(),
    })
}

/// What is broken, by number; columns are made when asked for.
#[pyclass(frozen, eq, hash, module = "rainier_fast._core")]
#[derive(PartialEq, Hash)]
pub(crate) struct Faults(Arc<core::Faults>);

#[pymethods]
impl Faults {
    #[new]
    fn new(py: Python<'_>, row: FaultRow<'_>) -> PyResult<Self> {
        let given = read(&row)?;
        let sorted = quick(py, || given.sorted("degraded"))?;
        Ok(Self(Arc::new(sorted)))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __or__(&self, other: &Self) -> Self {
        Self(Arc::new(self.0.merged(&other.0)))
    }

    fn counts(&self) -> Vec<(&'static str, usize)> {
        self.0.counts().to_vec()
    }

    #[getter]
    fn links<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<i64>>> {
        column(py, self.0.links.iter().map(|&link| link as i64))
    }

    #[getter]
    fn chips<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<i64>>> {
        column(py, self.0.chips.iter().copied().map(i64::from))
    }

    #[getter]
    fn nics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<i64>>> {
        column(py, self.0.nics.iter().copied().map(i64::from))
    }

    #[getter]
    fn ultraservers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<i64>>> {
        column(py, self.0.domains.iter().copied().map(i64::from))
    }

    #[getter]
    fn sites<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<i64>>> {
        column(py, self.0.sites.iter().copied().map(i64::from))
    }

    #[getter]
    fn degraded(&self) -> Vec<(u64, f64)> {
        self.0.degraded.clone()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyType>, (WrittenRow<'py>,)) {
        let (py, faults) = (slf.py(), &slf.get().0);
        let (slower, factors): (Vec<u64>, Vec<f64>) = faults.degraded.iter().copied().unzip();
        let row = (
            faults.links.to_pyarray(py),
            faults.chips.to_pyarray(py),
            faults.nics.to_pyarray(py),
            faults.domains.to_pyarray(py),
            faults.sites.to_pyarray(py),
            slower.into_pyarray(py),
            factors.into_pyarray(py),
        );
        (slf.get_type(), (row,))
    }
}

/// Numbers as numpy has them, which cannot be written to.
fn column(
    py: Python<'_>,
    numbers: impl Iterator<Item = i64>,
) -> PyResult<Bound<'_, PyArray1<i64>>> {
    let array = PyArray1::from_iter(py, numbers);
    drop(array.try_readwrite()?.make_nonwriteable());
    Ok(array)
}

/// A machine with these faults, and `more` of them, beside those that it has.
#[pyfunction]
pub(crate) fn with_faults(
    machine: &Machine,
    py: Python<'_>,
    row: Option<FaultRow<'_>>,
    more: Option<&Faults>,
) -> PyResult<Machine> {
    let given = row.as_ref().map(read).transpose()?.unwrap_or_default();
    let more = more.map(|faults| Arc::clone(&faults.0));
    let machine = &*machine.0;
    let damaged = quick(py, || {
        // Checked by themselves first: what is named twice in one call is a slip, over two calls it is not.
        let mut all = machine.faults().merged(&given.sorted("degrade")?);
        if let Some(more) = more {
            all = all.merged(&more);
        }
        machine.clone().with_faults(all)
    })?;
    Ok(Machine::of(damaged))
}

/// A machine without these of its faults; factors do not count.
#[pyfunction]
pub(crate) fn repaired(machine: &Machine, py: Python<'_>, row: FaultRow<'_>) -> PyResult<Machine> {
    let gone = read(&row)?;
    let machine = &*machine.0;
    let rest = quick(py, || {
        let rest = machine.faults().without(&gone)?;
        machine.clone().with_faults(rest)
    })?;
    Ok(Machine::of(rest))
}

#[pyfunction]
pub(crate) fn healthy(machine: &Machine) -> Machine {
    Machine::of(machine.0.healthy())
}

#[pyfunction]
pub(crate) fn num_live_chips(machine: &Machine) -> u32 {
    machine.0.num_live_chips()
}

#[pyfunction]
pub(crate) fn overlay_bytes(machine: &Machine) -> usize {
    machine.0.faults().bytes()
}

#[pyfunction]
pub(crate) fn faults(machine: &Machine) -> Faults {
    Faults(Arc::clone(machine.0.faults()))
}

#[pyfunction]
pub(crate) fn links_named(
    machine: &Machine,
    py: Python<'_>,
    chip: u32,
    kind: &str,
    direction: Option<&str>,
    to: Option<u32>,
) -> PyResult<Vec<u64>> {
    let name = LinkName {
        class: kind,
        direction,
        to,
    };
    let links = machine.0.links_named(chip, &name);
    links.map_err(|error| to_py(py, &error))
}
