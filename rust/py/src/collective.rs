//! Groups and outcomes of collectives as Python sees them.

use crate::classes::{Groups, Machine, Outcome, Tables};
use crate::convert::{AlgorithmRow, algorithm_row};
use crate::enter::{here, quick};
use crate::error::to_py;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use rainier_core::collective as core;
use std::sync::Arc;

/// (local chips, domains), a list a row.
type GridTables<'py> = (Bound<'py, PyArray2<u32>>, Bound<'py, PyArray2<u32>>);

#[pymethods]
impl Groups {
    #[staticmethod]
    fn all(py: Python<'_>, machine: &Machine) -> PyResult<Self> {
        let (machine, keeper) = (&*machine.0, &machine.1);
        Ok(Self(quick(py, || keeper.all(machine))?))
    }

    #[staticmethod]
    fn mesh_axis(py: Python<'_>, machine: &Machine, size: u32, stride: u32) -> PyResult<Self> {
        let (machine, keeper) = (&*machine.0, &machine.1);
        let groups = quick(py, || keeper.mesh_axis(machine, size, stride))?;
        Ok(Self(groups))
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
                    machine.check_chip(format_args!("group[{rank}]"), i128::from(chip))
                })
                .collect::<rainier_core::Result<Vec<u32>>>()?;
            core::Groups::of_chips(machine, &checked)
        })?;
        Ok(Self(Arc::new(groups)))
    }

    /// Disjoint groups of `ranks` chips, listed one after the other.
    #[staticmethod]
    fn of_lists<'py>(
        py: Python<'py>,
        machine: &Machine,
        chips: PyReadonlyArray2<'py, i64>,
    ) -> PyResult<Self> {
        let (machine, chips) = (&*machine.0, chips.as_array());
        let groups = quick(py, || {
            let check = |&chip: &i64| machine.check_chip("group", i128::from(chip));
            let rows = chips.rows();
            let rows = rows.into_iter().map(|row| row.iter().map(check).collect());
            core::Groups::of_lists(machine, rows.collect::<rainier_core::Result<_>>()?)
        })?;
        Ok(Self(Arc::new(groups)))
    }

    /// The tables of a grid, a list a row: local chips and domains; `None` where groups are listed.
    fn tables<'py>(&self, py: Python<'py>) -> PyResult<Option<GridTables<'py>>> {
        let table = |lists: &[Vec<u32>]| {
            let flat = lists.concat().into_pyarray(py);
            flat.reshape([lists.len(), lists[0].len()])
        };
        match &*self.0 {
            core::Groups::Grid { locals, domains } => Ok(Some((table(locals)?, table(domains)?))),
            core::Groups::Scattered(_) => Ok(None),
        }
    }

    /// The chips of listed groups, one a row.
    fn lists<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<u32>>> {
        let chips = match &*self.0 {
            core::Groups::Grid { .. } => Vec::new(),
            core::Groups::Scattered(groups) => groups.concat(),
        };
        let rows = chips.len() / self.0.ranks();
        chips.into_pyarray(py).reshape([rows, self.0.ranks()])
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

#[pymethods]
impl Outcome {
    #[getter]
    fn algorithm(&self) -> &str {
        &self.outcome.algorithm
    }

    #[getter]
    fn choice(&self) -> AlgorithmRow {
        algorithm_row(&self.outcome.choice)
    }

    #[getter]
    fn time(&self) -> f64 {
        self.outcome.time
    }

    /// Whether the table of candidates leaves some out, which `Machine.candidates` prices.
    #[getter]
    fn left_out(&self) -> bool {
        self.outcome.left_out
    }

    /// All values but those of the tables.
    fn facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        record(py, self.outcome.facts())
    }

    fn tables(&self) -> Tables {
        Tables(self.outcome.tables(), Arc::clone(&self.machine))
    }

    fn link_loads<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let loads = here(py, |control| {
            self.outcome
                .link_loads(&self.machine, &self.routing, control)
        })?;
        Ok(loads.into_pyarray(py))
    }
}

fn record(py: Python<'_>, facts: core::Facts) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    for (name, fact) in facts {
        dict.set_item(name, value(py, fact)?)?;
    }
    Ok(dict)
}

fn value(py: Python<'_>, fact: core::Fact) -> PyResult<Bound<'_, PyAny>> {
    Ok(match fact {
        core::Fact::Text(text) => text.into_pyobject(py)?.into_any(),
        core::Fact::Count(count) => count.into_pyobject(py)?.into_any(),
        core::Fact::Number(number) => number.into_pyobject(py)?.into_any(),
        core::Fact::Record(Some(facts)) => record(py, facts)?.into_any(),
        core::Fact::Record(None) => py.None().into_bound(py),
        core::Fact::List(facts) => {
            let values = facts.into_iter().map(|fact| value(py, fact));
            PyTuple::new(py, values.collect::<PyResult<Vec<_>>>()?)?.into_any()
        }
    })
}

#[pymethods]
impl Tables {
    fn names(&self) -> [&'static str; 4] {
        core::Tables::NAMES
    }

    /// The columns of a table by name; empty where there is no such table.
    fn columns<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, column) in self.0.table(&self.1, name).unwrap_or_default() {
            match column {
                core::Column::Text(values) => dict.set_item(name, values)?,
                core::Column::Count(values) => dict.set_item(name, values)?,
                core::Column::Number(values) => dict.set_item(name, values.into_pyarray(py))?,
            }
        }
        Ok(dict)
    }
}

/// How much is kept between calls, of all machines: things, and their bytes.
#[pyfunction]
pub(crate) fn kept() -> (usize, u64) {
    core::kept()
}
