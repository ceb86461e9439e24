//! The classes that refer to each other; their methods are in a file each.

use pyo3::prelude::*;
use rainier_core::route::Routing;
use rainier_core::{collective, machine, schedule, workload};
use std::sync::Arc;

#[pyclass(frozen, module = "rainier_fast._core")]
pub(crate) struct Machine(
    pub(crate) Arc<machine::Machine>,
    pub(crate) collective::Keeper,
    pub(crate) workload::Book,
);

impl Machine {
    /// One that remembers nothing yet.
    pub(crate) fn of(machine: machine::Machine) -> Self {
        Self(
            Arc::new(machine),
            collective::Keeper::default(),
            workload::Book::default(),
        )
    }
}

#[pyclass(frozen, module = "rainier_fast._core")]
pub(crate) struct Groups(pub(crate) Arc<collective::Groups>);

#[pyclass(frozen, module = "rainier_fast._core")]
pub(crate) struct Outcome {
    pub(crate) outcome: collective::Outcome,
    pub(crate) machine: Arc<machine::Machine>,
    pub(crate) routing: Routing,
}

#[pyclass(frozen, eq, module = "rainier_fast._core")]
#[derive(PartialEq)]
pub(crate) struct Schedule(pub(crate) Arc<schedule::Schedule>);

/// The tables of an outcome, made when they are read.
#[pyclass(frozen, module = "rainier_fast._core")]
pub(crate) struct Tables(
    pub(crate) collective::Tables,
    pub(crate) Arc<machine::Machine>,
);
