//! Jobs and spares on a machine: conversions only.

use crate::classes::Machine;
use crate::enter::{quick, watched};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use rainier_core::placing::{self as core, Choice};
use rainier_core::{Control, Result};
use std::num::NonZeroU32;

/// Chips above which a call is worth a thread of its own to watch over it.
const LONG: usize = 1 << 20;

/// Damaged UltraServers, what stands in for them, chips and the place of the root.
type ReplacedRow<'py> = (Vec<u32>, Vec<u32>, Bound<'py, PyArray1<i64>>, usize);

/// The planes of UltraServers that no job has; jobs take them.
#[pyclass(module = "rainier_fast._core")]
pub(crate) struct FreePlanes {
    free: core::FreePlanes,
    chips: usize,
}

#[pymethods]
impl FreePlanes {
    #[new]
    fn new(py: Python<'_>, machine: &Machine, planes: u32, alone: bool) -> PyResult<Self> {
        let machine = &*machine.0;
        let free = quick(py, || core::FreePlanes::new(machine, planes, alone))?;
        let chips = machine.domain().chips() as usize;
        Ok(Self { free, chips })
    }

    /// UltraServers with a dead chip.
    #[getter]
    fn broken(&self) -> u64 {
        self.free.broken()
    }

    /// UltraServers in which so many planes side by side are free.
    fn count(&self, py: Python<'_>, own: u32) -> PyResult<u64> {
        quick(py, || self.free.count(own))
    }

    /// Takes planes of the first ones; the chips.
    fn first<'py>(
        &mut self,
        py: Python<'py>,
        own: u32,
        count: u32,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        self.take(py, own, Choice::First(count), count as usize)
    }

    /// Takes planes of some evenly over all.
    fn even<'py>(
        &mut self,
        py: Python<'py>,
        own: u32,
        count: u32,
        job: u32,
        jobs: NonZeroU32,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        self.take(py, own, Choice::Even { count, job, jobs }, count as usize)
    }

    /// Takes planes of these, counted among those that `count` counts.
    fn listed<'py>(
        &mut self,
        py: Python<'py>,
        own: u32,
        picks: PyReadonlyArray1<'py, i64>,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let picks = picks.as_slice()?;
        self.take(py, own, Choice::Listed(picks), picks.len())
    }
}

impl FreePlanes {
    fn take<'py>(
        &mut self,
        py: Python<'py>,
        own: u32,
        choice: Choice,
        count: usize,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let free = &mut self.free;
        let take = |control: &Control| free.take(own, choice, control);
        let chips = either(py, count.saturating_mul(self.chips), take)?;
        Ok(chips.into_pyarray(py))
    }
}

/// A group whose damaged UltraServers are replaced by whole ones outside it.
#[pyfunction]
pub(crate) fn replace_damaged<'py>(
    py: Python<'py>,
    machine: &Machine,
    chips: PyReadonlyArray1<'py, i64>,
    root: usize,
) -> PyResult<ReplacedRow<'py>> {
    let (machine, chips) = (&*machine.0, chips.as_slice()?);
    let replaced = either(py, chips.len(), |control| {
        core::replace_damaged(machine, chips, root, control)
    })?;
    let chips = replaced.chips.into_pyarray(py);
    Ok((replaced.damaged, replaced.spares, chips, replaced.root))
}

/// Runs a job over so many chips, watched where it may take long.
fn either<T: Send>(
    py: Python<'_>,
    chips: usize,
    job: impl FnOnce(&Control) -> Result<T> + Send,
) -> PyResult<T> {
    if chips > LONG {
        watched(py, 1, None, job)
    } else {
        quick(py, || job(&Control::default()))
    }
}
