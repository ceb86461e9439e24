//! Searches of layouts as Python sees them: conversions only.

use crate::classes::Machine;
use crate::enter::{quick, watched};
use crate::error::to_py;
use crate::workload::{RunsRow, TrainingRow, asked, job, overlap};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rainier_core::pipeline::Schedule;
use rainier_core::workload as core;
use rainier_core::workload::search as core_search;
use rainier_core::workload::search::{Candidate, Counts, Found, Pool, Question, Weighed};
use rainier_core::{Control, Error, Result};

/// What layouts may be: a dict by these names; of an empty list all that divides.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct SpaceRow {
    tp: Vec<u32>,
    pp: Vec<u32>,
    cp: Vec<u32>,
    ep: Vec<u32>,
    etp: Vec<u32>,
    zero: Vec<u8>,
    microbatch: Vec<u32>,
    virtual_stages: Vec<u32>,
    schedule: Vec<String>,
    recompute: Vec<String>,
    sequence_parallel: Vec<bool>,
    order: Vec<String>,
    within: Vec<(String, u64)>,
    refused: Vec<[u32; 5]>,
    memory: f64,
}

/// Least seconds, bytes, number: by layout that fits.
type Columns<'py> = (
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<u64>>,
);
/// Layouts, those that straddle, those that do not fit, and the least bytes with its layout's number.
type Seen = (u64, u64, u64, Option<(f64, u64)>);
/// The same as numpy has it.
type Given<'py> = (
    PyReadonlyArray1<'py, f64>,
    PyReadonlyArray1<'py, f64>,
    PyReadonlyArray1<'py, u64>,
    Seen,
);

fn options(row: SpaceRow) -> Result<core_search::Options> {
    let recompute = |name: &String| core::Recompute::named(name);
    let within = |(name, chips): (String, u64)| Ok((core_search::Member::named(&name)?, chips));
    Ok(core_search::Options {
        tp: row.tp,
        pp: row.pp,
        cp: row.cp,
        ep: row.ep,
        etp: row.etp,
        zero: row.zero,
        microbatch: row.microbatch,
        virtual_stages: row.virtual_stages,
        schedule: row
            .schedule
            .iter()
            .map(|name| Schedule::named(name))
            .collect::<Result<_>>()?,
        recompute: row.recompute.iter().map(recompute).collect::<Result<_>>()?,
        sequence_parallel: row.sequence_parallel,
        context: None,
        order: core::Order::named(&row.order)?,
        overlap: true,
        within: row.within.into_iter().map(within).collect::<Result<_>>()?,
        refused: row.refused,
    })
}

/// A question, as the core owns it.
struct Asking {
    job: core::Job,
    space: core_search::Space,
    asked: core::Asked,
    efficiency: core::Efficiency,
    overlap: core::Overlap,
    memory: f64,
}

impl Asking {
    fn new(
        py: Python<'_>,
        machine: &Machine,
        training: TrainingRow,
        space: SpaceRow,
        runs: RunsRow,
    ) -> PyResult<Self> {
        let refused = |error: Error| to_py(py, &error);
        let job = job(training).map_err(refused)?;
        let (overlap, memory) = (overlap(&runs.overlap), space.memory);
        let (asked, efficiency) = asked(py, runs)?;
        let options = options(space).map_err(refused)?;
        let chips = u64::from(machine.0.num_chips());
        let space = quick(py, || core_search::Space::new(&job, chips, &options))?;
        Ok(Self {
            job,
            space,
            asked,
            efficiency,
            overlap,
            memory,
        })
    }

    fn question<'a>(&'a self, machine: &'a Machine, threads: usize) -> Question<'a> {
        Question {
            machine: &machine.0,
            job: &self.job,
            space: &self.space,
            asked: &self.asked,
            efficiency: &self.efficiency,
            overlap: self.overlap,
            memory: self.memory,
            threads,
        }
    }
}

/// How many ways to choose there are, and cells of them; and which sizes may go together.
#[pyfunction]
pub(crate) fn layout_space(
    py: Python<'_>,
    machine: &Machine,
    training: TrainingRow,
    space: SpaceRow,
    runs: RunsRow,
) -> PyResult<(u64, u64, Vec<[u32; 5]>)> {
    let asking = Asking::new(py, machine, training, space, runs)?;
    let sizes = asking.space.sizes(&asking.job);
    Ok((asking.space.total(), asking.space.cells(), sizes))
}

/// The layouts of some cells that fit, with the seconds that they take at least.
#[pyfunction]
pub(crate) fn weigh_layouts<'py>(
    py: Python<'py>,
    machine: &Machine,
    training: TrainingRow,
    space: SpaceRow,
    runs: RunsRow,
    cells: (u64, u64),
    n_threads: usize,
) -> PyResult<(Columns<'py>, Seen)> {
    let asking = Asking::new(py, machine, training, space, runs)?;
    let total = asking.space.cells();
    let cells = cells.0.min(total)..cells.1.min(total);
    let weighed = watched(py, total, None, |control| {
        let question = asking.question(machine, threads(n_threads)?);
        core_search::weigh(&question, cells, &Pool::new(control))
    })?;
    let column =
        |of: fn(&Candidate) -> f64| -> Vec<f64> { weighed.candidates.iter().map(of).collect() };
    let numbers: Vec<u64> = weighed.candidates.iter().map(|one| one.number).collect();
    let columns = (
        column(|one| one.least).into_pyarray(py),
        column(|one| one.memory).into_pyarray(py),
        numbers.into_pyarray(py),
    );
    let Counts {
        layouts,
        straddle,
        full,
    } = weighed.counts;
    Ok((columns, (layouts, straddle, full, weighed.smallest)))
}

fn threads(wanted: usize) -> Result<usize> {
    rainier_core::threads::resolve(wanted)
}

/// The best layouts, as a dict; `given` is what [`weigh_layouts`] found of all cells, if that was asked before.
#[pyfunction]
#[expect(
    clippy::too_many_arguments,
    reason = "the flat argument list of the private Python call"
)]
pub(crate) fn best_layouts<'py>(
    py: Python<'py>,
    machine: &Machine,
    training: TrainingRow,
    space: SpaceRow,
    runs: RunsRow,
    keep: usize,
    given: Option<Given<'py>>,
    n_threads: usize,
    progress: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let asking = Asking::new(py, machine, training, space, runs)?;
    let cells = asking.space.cells();
    let given = given.map(weighed).transpose()?;
    // One more for the layouts that are run in the end.
    let total = if given.is_some() { 1 } else { cells + 1 };
    if let Some(report) = &progress {
        report.call1((0, total))?;
    }
    let (counts, ranking) = watched(py, total, progress.as_ref(), |control: &Control| {
        let question = asking.question(machine, threads(n_threads)?);
        let pool = Pool::new(control);
        let weighed = match given {
            Some(given) => given,
            None => core_search::weigh(&question, 0..cells, &pool)?,
        };
        let counts = weighed.counts;
        let ranking = core_search::rank(&question, weighed, keep, &pool)?;
        control.advance(1);
        Ok((counts, ranking))
    })?;
    let dict = PyDict::new(py);
    let rows = |all: &[Found]| {
        all.iter()
            .map(|one| row(py, one))
            .collect::<PyResult<Vec<_>>>()
    };
    dict.set_item("best", rows(&ranking.best)?)?;
    dict.set_item("front", rows(&ranking.front)?)?;
    dict.set_item("total", asking.space.total())?;
    dict.set_item("layouts", counts.layouts)?;
    dict.set_item("straddle", counts.straddle)?;
    dict.set_item("full", counts.full)?;
    dict.set_item("simulated", ranking.simulated)?;
    Ok(dict)
}

fn weighed((least, memory, numbers, seen): Given<'_>) -> PyResult<Weighed> {
    let (layouts, straddle, full, smallest) = seen;
    let (least, memory, numbers) = (least.as_slice()?, memory.as_slice()?, numbers.as_slice()?);
    let each = least.iter().zip(memory).zip(numbers);
    let candidate = |((&least, &memory), &number): ((&f64, &f64), &u64)| Candidate {
        least,
        memory,
        number,
    };
    Ok(Weighed {
        candidates: each.map(candidate).collect(),
        counts: Counts {
            layouts,
            straddle,
            full,
        },
        smallest,
    })
}

fn row<'py>(py: Python<'py>, found: &Found) -> PyResult<Bound<'py, PyDict>> {
    let (layout, dict) = (&found.layout, PyDict::new(py));
    let sizes = [
        ("tp", layout.tp),
        ("pp", layout.pp),
        ("dp", layout.dp),
        ("cp", layout.cp),
        ("ep", layout.ep),
        ("etp", layout.etp),
        ("zero", u32::from(layout.zero)),
        ("microbatch", layout.microbatch),
        ("virtual", layout.virtual_stages),
    ];
    for (name, size) in sizes {
        dict.set_item(name, size)?;
    }
    dict.set_item("schedule", layout.schedule.name())?;
    dict.set_item("sequence_parallel", layout.sequence_parallel)?;
    dict.set_item("recompute", found.recompute.name())?;
    let step = &found.step;
    let parts = core::Part::ALL.map(|part| step.parts.get(part));
    dict.set_item("parts", parts.to_vec())?;
    dict.set_item("memory", found.memory)?;
    dict.set_item("microbatches", step.microbatches)?;
    Ok(dict)
}
