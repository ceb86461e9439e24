//! Several collectives at once, as Python sees them.

use crate::classes::{Groups, Machine, Outcome, Schedule};
use crate::convert::{self, RequestRow, RoutingRow};
use crate::enter::here;
use crate::error::to_py;
use pyo3::prelude::*;
use rainier_core::collective::together as core;
use std::sync::Arc;

/// (class, link, chip, plans)
type MeetingRow = (String, Option<u64>, Option<u32>, Vec<usize>);
/// (alone, time, start, finish, slowed by)
type PlanRow = (f64, f64, f64, f64, Option<MeetingRow>);
/// (plans, makespan, busiest, bottleneck, messages)
type TogetherRow = (Vec<PlanRow>, f64, f64, Option<MeetingRow>, usize);
/// (groups, seconds, bytes of HBM of each chip, bytes of a packet)
type ComputeRow = (Py<Groups>, f64, f64, f64);

/// An answer alone, or a computation.
#[derive(FromPyObject)]
pub(crate) enum Plan {
    Collective(Py<Outcome>),
    Compute(ComputeRow),
}

fn meeting(meeting: core::Meeting) -> MeetingRow {
    (meeting.class, meeting.link, meeting.chip, meeting.plans)
}

fn rows(together: core::Together) -> TogetherRow {
    let plan = |plan: core::Shared| {
        (
            plan.alone,
            plan.time,
            plan.start,
            plan.finish,
            plan.slowed_by.map(meeting),
        )
    };
    (
        together.plans.into_iter().map(plan).collect(),
        together.makespan,
        together.busiest,
        together.bottleneck.map(meeting),
        together.messages,
    )
}

/// Plans that share links by their loads. `dma` is (bytes/s of a chip's DMA engines, bytes of a collective's packets).
#[pyfunction]
pub(crate) fn share_links(
    py: Python<'_>,
    machine: &Machine,
    plans: Vec<Plan>,
    starts: Vec<f64>,
    dma: Option<(f64, f64)>,
) -> PyResult<TogetherRow> {
    let computes: Vec<Option<core::Compute>> = plans
        .iter()
        .map(|plan| match plan {
            Plan::Collective(_) => None,
            Plan::Compute((groups, time, hbm_bytes, packet)) => Some(core::Compute {
                groups: (*groups.get().0).clone(),
                time: *time,
                hbm_bytes: *hbm_bytes,
                packet: *packet,
            }),
        })
        .collect();
    let taken: Vec<core::Plan> = plans
        .iter()
        .zip(&computes)
        .map(|(plan, compute)| match (plan, compute) {
            (_, Some(compute)) => core::Plan::Compute(compute),
            (Plan::Collective(outcome), None) => core::Plan::Collective(&outcome.get().outcome),
            (Plan::Compute(_), None) => unreachable!("each computation was taken over"),
        })
        .collect();
    let dma = dma.map(|(bandwidth, packet)| core::Dma { bandwidth, packet });
    let machine = &*machine.0;
    let together = here(py, |control| {
        core::share_links(machine, &taken, &starts, dma, control)
    })?;
    Ok(rows(together))
}

/// The messages of a request over all of its groups.
#[pyclass(frozen, module = "rainier_fast._core")]
pub(crate) struct Written(Vec<core::Written>);

#[pymethods]
impl Written {
    #[getter]
    fn algorithm(&self) -> &str {
        self.0.first().map_or("none", |part| &part.algorithm)
    }

    #[getter]
    fn parts(&self) -> Vec<(Schedule, Vec<Vec<u32>>)> {
        let part = |part: &core::Written| {
            let schedule = Schedule(Arc::clone(&part.schedule));
            (schedule, part.groups.clone())
        };
        self.0.iter().map(part).collect()
    }
}

#[pyfunction]
pub(crate) fn write_out(
    py: Python<'_>,
    machine: &Machine,
    request: RequestRow,
    groups: &Groups,
    routing: RoutingRow,
) -> PyResult<Written> {
    let routing = convert::routing(py, routing)?;
    let request = convert::request_of_schedule(request);
    let request = request.map_err(|error| to_py(py, &error))?;
    let machine = &*machine.0;
    let members = Arc::clone(&groups.0);
    let written = here(py, |control| {
        rainier_core::collective::write_out(machine, &members, &routing, &request, control)
    })?;
    Ok(Written(written))
}

/// Plans message by message, all in one simulation with fair rates: (messages, routing, start).
#[pyfunction]
pub(crate) fn share_messages(
    py: Python<'_>,
    machine: &Machine,
    plans: Vec<(Py<Written>, RoutingRow, f64)>,
) -> PyResult<TogetherRow> {
    let mut routings = Vec::with_capacity(plans.len());
    let mut given = Vec::with_capacity(plans.len());
    for (written, routing, start) in plans {
        routings.push(convert::routing(py, routing)?);
        given.push((written, start));
    }
    let works: Vec<core::Work> = given
        .iter()
        .zip(&routings)
        .map(|((written, start), routing)| core::Work {
            written: &written.get().0,
            routing,
            start: *start,
        })
        .collect();
    let machine = &*machine.0;
    let together = here(py, |control| core::share_messages(machine, &works, control))?;
    Ok(rows(together))
}
