//! Pipelines of stages: conversions only.

use crate::enter::{here, quick};
use crate::error::raise;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use rainier_core::pipeline::{self as core, Chunk, Event, Kind, Pipeline, Schedule};

/// Seconds from step to step and of one alone; by stage, what is idle and what is held.
type RanRow<'py> = (
    f64,
    f64,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
);
/// Stage, what it did (0 forward, 1 backward, 2 weights), chunk, microbatch, start, end.
type EventColumns<'py> = (
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u8>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
);

/// One step, simulated.
#[pyfunction]
pub(crate) fn simulate_pipeline<'py>(
    py: Python<'py>,
    schedule: &str,
    stages: u32,
    virtual_stages: u32,
    microbatches: u32,
    chunks: PyReadonlyArray2<'py, f64>,
    transfer: PyReadonlyArray1<'py, f64>,
) -> PyResult<RanRow<'py>> {
    let counts = (stages, virtual_stages, microbatches);
    let pipeline = pipeline(py, schedule, counts, &chunks, &transfer)?;
    let ran = here(py, |control| core::simulate(&pipeline, control))?;
    let (idle, in_flight) = (ran.idle.into_pyarray(py), ran.in_flight.into_pyarray(py));
    Ok((ran.seconds, ran.makespan, idle, in_flight))
}

/// What each stage does when.
#[pyfunction]
pub(crate) fn pipeline_events<'py>(
    py: Python<'py>,
    schedule: &str,
    stages: u32,
    virtual_stages: u32,
    microbatches: u32,
    chunks: PyReadonlyArray2<'py, f64>,
    transfer: PyReadonlyArray1<'py, f64>,
) -> PyResult<EventColumns<'py>> {
    let counts = (stages, virtual_stages, microbatches);
    let pipeline = pipeline(py, schedule, counts, &chunks, &transfer)?;
    let events = here(py, |control| core::events(&pipeline, control))?;
    let column = |of: fn(&Event) -> u32| events.iter().map(of).collect::<Vec<_>>().into_pyarray(py);
    let seconds =
        |of: fn(&Event) -> f64| events.iter().map(of).collect::<Vec<_>>().into_pyarray(py);
    let kinds: Vec<u8> = events.iter().map(|event| code(event.kind)).collect();
    Ok((
        column(|event| event.stage),
        kinds.into_pyarray(py),
        column(|event| event.chunk),
        column(|event| event.microbatch),
        seconds(|event| event.start),
        seconds(|event| event.end),
    ))
}

/// Seconds in closed form, if there is one; those that a step takes at least; what each stage holds, in closed form.
#[pyfunction]
pub(crate) fn pipeline_forms<'py>(
    py: Python<'py>,
    schedule: &str,
    stages: u32,
    virtual_stages: u32,
    microbatches: u32,
    chunks: PyReadonlyArray2<'py, f64>,
    transfer: PyReadonlyArray1<'py, f64>,
) -> PyResult<(Option<f64>, f64, Vec<f64>)> {
    let counts = (stages, virtual_stages, microbatches);
    let pipeline = pipeline(py, schedule, counts, &chunks, &transfer)?;
    quick(py, || {
        pipeline.validate()?;
        let held = (0..stages).map(|stage| {
            core::in_flight(
                pipeline.schedule,
                stages,
                virtual_stages,
                microbatches,
                stage,
            )
        });
        Ok((
            core::closed(&pipeline),
            core::at_least(&pipeline),
            held.collect(),
        ))
    })
}

fn code(kind: Kind) -> u8 {
    match kind {
        Kind::Forward => 0,
        Kind::Backward => 1,
        Kind::Weights => 2,
    }
}

fn pipeline(
    py: Python<'_>,
    schedule: &str,
    (stages, virtual_stages, microbatches): (u32, u32, u32),
    chunks: &PyReadonlyArray2<'_, f64>,
    transfer: &PyReadonlyArray1<'_, f64>,
) -> PyResult<Pipeline> {
    let rows = chunks.as_array();
    if rows.ncols() != 3 {
        let message = format!(
            "chunks: got {} columns, must be 3: forward, backward, weights",
            rows.ncols()
        );
        return Err(raise(py, "InvalidArgument", &message));
    }
    let schedule = quick(py, || Schedule::named(schedule))?;
    Ok(Pipeline {
        schedule,
        stages,
        virtual_stages,
        microbatches,
        chunks: rows
            .rows()
            .into_iter()
            .map(|row| Chunk {
                forward: row[0],
                backward: row[1],
                weights: row[2],
            })
            .collect(),
        transfer: transfer.as_array().to_vec(),
    })
}
