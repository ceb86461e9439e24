//! Schedules as Python sees them.

use crate::classes::{Machine, Outcome, Schedule};
use crate::convert::{self, RoutingRow};
use crate::enter::here;
use crate::error::to_py;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use rainier_core::collective::{Model, Operation, message_times, run_schedule};
use rainier_core::schedule as core;
use rainier_core::sim::Engine;
use std::sync::Arc;

/// (rank that has it at first, rank that must have it at last, bytes)
type BlockRow = (Option<u32>, Option<u32>, f64);
/// (src, dst, blocks, bytes, reduce, stage, lane, step, after)
type SendRow = (u32, u32, Vec<u32>, f64, bool, u32, u32, u32, Vec<u32>);

#[pymethods]
impl Schedule {
    #[new]
    #[expect(
        clippy::too_many_arguments,
        reason = "the flat argument list of the private Python call"
    )]
    fn new(
        py: Python<'_>,
        operation: &str,
        size: f64,
        root: usize,
        shift: i64,
        chips: Vec<u32>,
        blocks: Vec<BlockRow>,
        sends: Vec<SendRow>,
    ) -> PyResult<Self> {
        let block = |(from, to, bytes)| core::Block { from, to, bytes };
        let send = |(src, dst, blocks, bytes, reduce, stage, lane, step, after)| core::Send {
            src,
            dst,
            blocks,
            bytes,
            reduce,
            stage,
            lane,
            step,
            after,
        };
        let made = Operation::from_name(operation).and_then(|operation| {
            let schedule = core::Schedule {
                operation,
                size,
                root,
                shift,
                chips,
                blocks: blocks.into_iter().map(block).collect(),
                sends: sends.into_iter().map(send).collect(),
            };
            schedule.check()?;
            Ok(schedule)
        });
        made.map(|schedule| Self(Arc::new(schedule)))
            .map_err(|error| to_py(py, &error))
    }

    #[getter]
    fn operation(&self) -> &'static str {
        self.0.operation.name()
    }

    #[getter]
    fn size(&self) -> f64 {
        self.0.size
    }

    #[getter]
    fn root(&self) -> usize {
        self.0.root
    }

    #[getter]
    fn shift(&self) -> i64 {
        self.0.shift
    }

    #[getter]
    fn chips(&self) -> Vec<u32> {
        self.0.chips.clone()
    }

    #[getter]
    fn num_sends(&self) -> usize {
        self.0.sends.len()
    }

    #[getter]
    fn num_blocks(&self) -> usize {
        self.0.blocks.len()
    }

    #[getter]
    fn blocks(&self) -> Vec<BlockRow> {
        let blocks = self.0.blocks.iter();
        blocks
            .map(|block| (block.from, block.to, block.bytes))
            .collect()
    }

    #[getter]
    fn sends(&self) -> Vec<SendRow> {
        let row = |send: &core::Send| {
            (
                send.src,
                send.dst,
                send.blocks.clone(),
                send.bytes,
                send.reduce,
                send.stage,
                send.lane,
                send.step,
                send.after.clone(),
            )
        };
        self.0.sends.iter().map(row).collect()
    }

    fn verify(&self, py: Python<'_>) -> PyResult<()> {
        here(py, |control| core::verify(&self.0, control))
    }

    fn run(
        &self,
        py: Python<'_>,
        machine: &Machine,
        routing: RoutingRow,
        model: &str,
        algorithm: String,
    ) -> PyResult<Outcome> {
        let routing = convert::routing(py, routing)?;
        let model = Model::from_name(model).map_err(|error| to_py(py, &error))?;
        let mut outcome = here(py, |control| {
            run_schedule(&machine.0, &self.0, &routing, model, control)
        })?;
        outcome.algorithm = algorithm;
        Ok(Outcome {
            outcome,
            machine: Arc::clone(&machine.0),
            routing,
        })
    }

    fn message_times<'py>(
        &self,
        py: Python<'py>,
        machine: &Machine,
        routing: RoutingRow,
        model: &str,
    ) -> PyResult<[Bound<'py, PyArray1<f64>>; 2]> {
        let routing = convert::routing(py, routing)?;
        let engine = Engine::from_name(model).map_err(|error| to_py(py, &error))?;
        let times = here(py, |control| {
            message_times(&machine.0, &self.0, &routing, engine, control)
        })?;
        Ok(times.map(|one| one.into_pyarray(py)))
    }
}
