//! What a damaged machine may be run as: conversions only.

use crate::classes::Machine;
use crate::enter::quick;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

/// `mode`, whose domains are units of those of `machine`, with the faults of `machine`; and (domain, turn) of the
/// domains whose planes are numbered from another one.
#[pyfunction]
pub(crate) fn in_mode(
    machine: &Machine,
    mode: &Machine,
    py: Python<'_>,
) -> PyResult<(Machine, Vec<(u32, u32)>)> {
    let (whole, cut) = (&*machine.0, &*mode.0);
    let (damaged, turns) = quick(py, || {
        let (faults, turns) = whole.faults_in(cut)?;
        Ok((cut.clone().with_faults(faults)?, turns))
    })?;
    Ok((Machine::of(damaged), turns))
}

/// UltraServers that are not dead but have damage inside or at their NICs, ascending.
#[pyfunction]
pub(crate) fn damaged_ultraservers<'py>(
    machine: &Machine,
    py: Python<'py>,
) -> Bound<'py, PyArray1<u32>> {
    machine.0.damaged_domains().into_pyarray(py)
}

/// UltraServers that are dead, alone or with their site, ascending.
#[pyfunction]
pub(crate) fn dead_ultraservers<'py>(
    machine: &Machine,
    py: Python<'py>,
) -> Bound<'py, PyArray1<u32>> {
    let machine = &*machine.0;
    let dead: Vec<u32> = (0..machine.num_domains())
        .filter(|&domain| machine.is_dead_domain(domain))
        .collect();
    dead.into_pyarray(py)
}
