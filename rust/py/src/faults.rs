//! The overlay of faults, between arrays of numpy and the core.

use crate::classes::Machine;
use crate::enter::quick;
use crate::error::to_py;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use rainier_core::machine::{Faults, LinkName};
use std::sync::Arc;

/// Links, chips, NICs, domains, sites, slower links and their factors.
type FaultRow<'py> = (
    Bound<'py, PyArray1<u64>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u64>>,
    Bound<'py, PyArray1<f64>>,
);

/// A machine with these faults beside those that it has.
#[expect(
    clippy::too_many_arguments,
    reason = "the flat argument list of the private Python call"
)]
#[pyfunction]
pub(crate) fn with_faults(
    machine: &Machine,
    py: Python<'_>,
    links: PyReadonlyArray1<'_, u64>,
    chips: PyReadonlyArray1<'_, u32>,
    nics: PyReadonlyArray1<'_, u32>,
    domains: PyReadonlyArray1<'_, u32>,
    sites: PyReadonlyArray1<'_, u32>,
    slow: PyReadonlyArray1<'_, u64>,
    factors: PyReadonlyArray1<'_, f64>,
) -> PyResult<Machine> {
    let slow = slow.as_slice()?.iter().copied();
    let given = Faults {
        links: links.as_slice()?.to_vec(),
        chips: chips.as_slice()?.to_vec(),
        nics: nics.as_slice()?.to_vec(),
        domains: domains.as_slice()?.to_vec(),
        sites: sites.as_slice()?.to_vec(),
        degraded: slow.zip(factors.as_slice()?.iter().copied()).collect(),
    };
    let machine = &*machine.0;
    let hurt = quick(py, || {
        // Checked by themselves first: what is named twice in one call is a slip, over two calls it is not.
        let alone = machine.healthy().with_faults(given)?;
        let all = machine.faults().merged(alone.faults());
        alone.with_faults(all)
    })?;
    Ok(Machine(Arc::new(hurt)))
}

#[pyfunction]
pub(crate) fn healthy(machine: &Machine) -> Machine {
    Machine(Arc::new(machine.0.healthy()))
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
pub(crate) fn faults<'py>(machine: &Machine, py: Python<'py>) -> FaultRow<'py> {
    let faults = machine.0.faults().clone();
    let (slow, factors): (Vec<u64>, Vec<f64>) = faults.degraded.iter().copied().unzip();
    (
        faults.links.into_pyarray(py),
        faults.chips.into_pyarray(py),
        faults.nics.into_pyarray(py),
        faults.domains.into_pyarray(py),
        faults.sites.into_pyarray(py),
        slow.into_pyarray(py),
        factors.into_pyarray(py),
    )
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
