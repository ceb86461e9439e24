//! Groups and outcomes of collectives as Python sees them.

use crate::classes::{Groups, Machine, Outcome};
use crate::convert::{AlgorithmRow, algorithm_row};
use crate::enter::quick;
use crate::error::to_py;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use rainier_core::collective as core;
use std::sync::Arc;

#[pymethods]
impl Groups {
    #[staticmethod]
    fn all(py: Python<'_>, machine: &Machine) -> PyResult<Self> {
        let machine = &*machine.0;
        Ok(Self(Arc::new(quick(py, || core::Groups::all(machine))?)))
    }

    #[staticmethod]
    fn mesh_axis(py: Python<'_>, machine: &Machine, size: u32, stride: u32) -> PyResult<Self> {
        let machine = &*machine.0;
        let groups = quick(py, || core::Groups::mesh_axis(machine, size, stride))?;
        Ok(Self(Arc::new(groups)))
    }

    #[staticmethod]
    fn grid<'py>(
        py: Python<'py>,
        machine: &Machine,
        locals: PyReadonlyArray2<'py, u32>,
        domains: PyReadonlyArray2<'py, u32>,
    ) -> PyResult<Self> {
        let lists = |array: &PyReadonlyArray2<'py, u32>| -> Vec<Vec<u32>> {
            array
                .as_array()
                .rows()
                .into_iter()
                .map(|row| row.to_vec())
                .collect()
        };
        let (machine, locals, domains) = (&*machine.0, lists(&locals), lists(&domains));
        let groups = quick(py, || core::Groups::grid(machine, locals, domains))?;
        Ok(Self(Arc::new(groups)))
    }

    #[staticmethod]
    fn of_chips<'py>(
        py: Python<'py>,
        machine: &Machine,
        chips: PyReadonlyArray1<'py, i64>,
    ) -> PyResult<Self> {
        let (machine, chips) = (&*machine.0, chips.as_slice()?);
        let groups = quick(py, || {
            let checked = chips
                .iter()
                .enumerate()
                .map(|(rank, &chip)| {
                    machine.check_chip(&format!("group[{rank}]"), i128::from(chip))
                })
                .collect::<rainier_core::Result<Vec<u32>>>()?;
            core::Groups::of_chips(machine, &checked)
        })?;
        Ok(Self(Arc::new(groups)))
    }

    #[getter]
    fn ranks(&self) -> usize {
        self.0.ranks()
    }

    #[getter]
    fn count(&self) -> usize {
        self.0.count()
    }

    fn members<'py>(
        &self,
        py: Python<'py>,
        machine: &Machine,
        index: usize,
    ) -> PyResult<Bound<'py, PyArray1<u32>>> {
        if index >= self.0.count() {
            let error = rainier_core::Error::OutOfRange {
                argument: "index".to_owned(),
                value: index as i128,
                low: 0,
                high: self.0.count() as i128 - 1,
            };
            return Err(to_py(py, &error));
        }
        Ok(self.0.members(&machine.0, index).into_pyarray(py))
    }
}

type StageRow = (String, String, u64, f64, f64, f64, f64, f64, String);
type PhaseRow = (String, String, String, u64, f64, f64, f64, f64, f64, String);

#[pymethods]
impl Outcome {
    #[getter]
    fn operation(&self) -> &'static str {
        self.outcome.operation.name()
    }

    #[getter]
    fn algorithm(&self) -> &str {
        &self.outcome.algorithm
    }

    #[getter]
    fn choice(&self) -> AlgorithmRow {
        algorithm_row(&self.outcome.choice)
    }

    #[getter]
    fn model(&self) -> &'static str {
        self.outcome.model_name()
    }

    #[getter]
    fn ranks(&self) -> usize {
        self.outcome.ranks
    }

    #[getter]
    fn groups(&self) -> usize {
        self.outcome.groups
    }

    #[getter]
    fn size(&self) -> f64 {
        self.outcome.size
    }

    #[getter]
    fn bus_factor(&self) -> f64 {
        self.outcome.operation.bus_factor(self.outcome.ranks)
    }

    #[getter]
    fn chunks(&self) -> u32 {
        self.outcome.chunks
    }

    #[getter]
    fn time(&self) -> f64 {
        self.outcome.time
    }

    #[getter]
    fn latency(&self) -> f64 {
        self.outcome.latency
    }

    #[getter]
    fn overhead(&self) -> f64 {
        self.outcome.overhead
    }

    #[getter]
    fn lower_bound(&self) -> f64 {
        self.outcome.lower_bound()
    }

    #[getter]
    fn stages(&self) -> Vec<StageRow> {
        let row = |row: &core::StageRow| {
            (
                row.stage.clone(),
                row.tier.clone(),
                row.steps,
                row.bytes,
                row.latency,
                row.overhead,
                row.serialisation,
                row.time,
                row.bottleneck.clone(),
            )
        };
        self.outcome.stages.iter().map(row).collect()
    }

    #[getter]
    fn phases(&self) -> Vec<PhaseRow> {
        let row = |row: &core::PhaseRow| {
            (
                row.stage.clone(),
                row.what.clone(),
                row.tier.clone(),
                row.steps,
                row.bytes,
                row.latency,
                row.overhead,
                row.serialisation,
                row.time,
                row.bottleneck.clone(),
            )
        };
        self.outcome.phases.iter().map(row).collect()
    }

    #[getter]
    fn bottleneck(&self) -> Option<(String, u64, f64, f64)> {
        let bottleneck = self.outcome.bottleneck.as_ref()?;
        Some((
            bottleneck.class.clone(),
            bottleneck.link,
            bottleneck.bytes,
            bottleneck.utilisation,
        ))
    }

    #[getter]
    fn bounds(&self) -> Vec<(String, f64)> {
        let bounds = self.outcome.bounds.iter();
        bounds
            .map(|bound| (bound.name.clone(), bound.seconds))
            .collect()
    }

    #[getter]
    fn note(&self) -> &str {
        &self.outcome.note
    }

    #[getter]
    fn candidates(&self) -> Vec<(String, Option<f64>, String)> {
        let row = |candidate: &core::Candidate| match &candidate.outcome {
            Ok(seconds) => (candidate.algorithm.clone(), Some(*seconds), String::new()),
            Err(reason) => (candidate.algorithm.clone(), None, reason.clone()),
        };
        self.outcome.candidates.iter().map(row).collect()
    }

    fn link_loads<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let loads = quick(py, || self.outcome.link_loads(&self.machine, &self.routing))?;
        Ok(loads.into_pyarray(py))
    }
}
