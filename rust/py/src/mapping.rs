//! Layouts of meshes and orders of chips as Python sees them: conversions only.

use crate::classes::{Groups, Machine};
use crate::convert::{self, RequestRow, RoutingRow};
use crate::enter::{quick, watched};
use crate::error::to_py;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use rainier_core::Result;
use rainier_core::collective::Operation;
use rainier_core::machine::Machine as CoreMachine;
use rainier_core::mapping::{self as core, Call, Cut, Digit, Layout, Part, Question, Ranked};
use std::sync::Arc;

/// (name, size, step, whether inside a domain, whether its members have an order).
type DimensionRow = (String, u32, u32, bool, bool);
/// By dimension: (axis, factor, whether it is reflected), the fastest digit first.
type Cuts = Vec<Vec<(u32, u32, bool)>>;
/// Operation, bytes, count.
type CallRow = (String, f64, u64);
/// Seconds, algorithm, what bounds it.
type PartRow = (f64, String, String);
/// Cuts, order of axes of a plain mesh, and the collectives of each axis.
type RankedRow = (Cuts, Option<Vec<usize>>, Vec<Vec<PartRow>>);

/// The dimensions of a machine that meshes are laid over, the fastest first.
#[pyfunction]
pub(crate) fn mapping_dimensions(machine: &Machine) -> Vec<DimensionRow> {
    let row = |one: core::Dimension| (one.name, one.size, one.step, one.inside, one.ordered);
    core::dimensions(&machine.0).into_iter().map(row).collect()
}

/// The fastest layouts; how many were compared in full; how many collectives at places were priced.
#[pyfunction]
#[expect(
    clippy::too_many_arguments,
    reason = "the flat argument list of the private Python call"
)]
pub(crate) fn best_mapping<'py>(
    py: Python<'py>,
    machine: &Machine,
    sizes: Vec<u32>,
    calls: Vec<Vec<CallRow>>,
    keep: usize,
    request: RequestRow,
    routing: RoutingRow,
    n_threads: usize,
    progress: Option<Bound<'py, PyAny>>,
) -> PyResult<(Vec<RankedRow>, u128, u64, u64)> {
    let call = |(operation, size, count): CallRow| -> Result<Call> {
        let operation = Operation::from_name(&operation)?;
        Ok(Call {
            operation,
            size,
            count,
        })
    };
    let axis = |calls: Vec<CallRow>| calls.into_iter().map(call).collect::<Result<Vec<Call>>>();
    let calls = calls.into_iter().map(axis).collect::<Result<Vec<_>>>();
    let calls = calls.map_err(|error| to_py(py, &error))?;
    let request = convert::request(request).map_err(|error| to_py(py, &error))?;
    let question = Question {
        machine: &machine.0,
        routing: &convert::routing(py, routing)?,
        calls: &calls,
        keep,
        asked: &request,
        threads: n_threads,
    };
    let space = watched(py, 1, None, |control| question.space(&sizes, control))?;
    let total = quick(py, || space.count())?;
    let shown = u64::try_from(total).unwrap_or(u64::MAX);
    if let Some(report) = &progress {
        report.call1((0, shown))?;
    }
    let ranking = watched(py, shown, progress.as_ref(), |control| {
        core::rank(&question, &space, shown, control)
    })?;
    let rows = ranking.layouts.into_iter().map(ranked).collect();
    Ok((rows, total, ranking.compared, ranking.priced))
}

fn ranked(one: Ranked) -> RankedRow {
    let row = |part: Part| (part.seconds, part.algorithm, part.bottleneck);
    let axis = |parts: Vec<Part>| parts.into_iter().map(row).collect();
    let digit = |digit: &Digit| (digit.axis, digit.factor, digit.reflected);
    let cut = |cut: &Cut| cut.iter().map(digit).collect();
    (
        one.layout.0.iter().map(cut).collect(),
        one.order,
        one.parts.into_iter().map(axis).collect(),
    )
}

#[pyclass(frozen, module = "rainier_fast._core")]
pub(crate) struct Order {
    order: core::Order,
    machine: Arc<CoreMachine>,
}

#[pymethods]
impl Order {
    #[staticmethod]
    fn of_layout(py: Python<'_>, machine: &Machine, sizes: Vec<u32>, cuts: Cuts) -> PyResult<Self> {
        let digit = |(axis, factor, reflected)| Digit {
            axis,
            factor,
            reflected,
        };
        let cut = |cut: Vec<_>| cut.into_iter().map(digit).collect();
        let layout = Layout(cuts.into_iter().map(cut).collect());
        Self::made(py, machine, |machine| {
            core::Order::of_layout(machine, &sizes, &layout)
        })
    }

    /// Ascending chips, the last axis fastest.
    #[staticmethod]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "lists come out of Python as a Vec"
    )]
    fn ascending(machine: &Machine, sizes: Vec<u32>) -> Self {
        let machine = Arc::clone(&machine.0);
        let order = core::Order::ascending(&sizes);
        Self { order, machine }
    }

    #[staticmethod]
    fn of_sums(py: Python<'_>, machine: &Machine, sums: Vec<Vec<i64>>) -> PyResult<Self> {
        Self::made(py, machine, |machine| core::Order::of_sums(machine, sums))
    }

    #[staticmethod]
    fn of_chips<'py>(
        py: Python<'py>,
        machine: &Machine,
        sizes: Vec<u32>,
        chips: PyReadonlyArray1<'py, i64>,
    ) -> PyResult<Self> {
        let chips = chips.as_slice()?;
        Self::made(py, machine, |machine| {
            core::Order::of_chips(machine, &sizes, chips)
        })
    }

    /// The numbers of each coordinate whose sums the chips are; `None` where they are listed.
    #[getter]
    fn sums(&self) -> Option<Vec<Vec<i64>>> {
        match &self.order {
            core::Order::Sums(sums) => Some(sums.clone()),
            core::Order::Listed { .. } => None,
        }
    }

    /// The chip at each place, the last axis fastest.
    fn chips<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<u32>>> {
        Ok(quick(py, || Ok(self.order.chips()))?.into_pyarray(py))
    }

    /// The groups of some axes, by number, which act as one.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "lists come out of Python as a Vec"
    )]
    fn groups(&self, py: Python<'_>, axes: Vec<usize>) -> PyResult<Groups> {
        let groups = quick(py, || self.order.groups(&self.machine, &axes))?;
        Ok(Groups(Arc::new(groups)))
    }
}

impl Order {
    fn made(
        py: Python<'_>,
        machine: &Machine,
        make: impl FnOnce(&CoreMachine) -> Result<core::Order> + Send,
    ) -> PyResult<Self> {
        let machine = Arc::clone(&machine.0);
        let order = quick(py, || make(&machine))?;
        Ok(Self { order, machine })
    }
}
