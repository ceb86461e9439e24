//! Which messages damage cuts off, and what a routing policy does in damaged domains: conversions only.

use crate::classes::Machine;
use crate::columns::Column;
use crate::convert::{self, RoutingRow};
use crate::enter::watched;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use rainier_core::load;
use rainier_core::route::{Lengths, RoutingReport, report_pairs, routing_reports as reports_of};

/// Counts, cycle, lengths with damage and without.
type ReportRow = (
    (u32, u32, u64, u64, u64, u64, u64, u32, bool, u32),
    Vec<(u64, u32)>,
    (f64, u32, f64),
    (f64, u32, f64),
);

/// For each message, true where no route joins its ends.
#[pyfunction]
pub(crate) fn unreachable<'py>(
    machine: &Machine,
    py: Python<'py>,
    src: &Bound<'py, PyAny>,
    dst: &Bound<'py, PyAny>,
    routing: RoutingRow,
    n_threads: usize,
    progress: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyArray1<bool>>> {
    let routing = convert::routing(py, routing)?;
    let (src, dst) = (Column::of("src", src)?, Column::of("dst", dst)?);
    let (src, dst) = (src.view()?, dst.view()?);
    let machine = &*machine.0;
    let cut = watched(py, src.len() as u64, progress.as_ref(), |control| {
        load::unreachable(machine, src, dst, &routing, n_threads, control)
    })?;
    Ok(cut.into_pyarray(py))
}

/// What a policy does in each distinct damaged domain, or in one.
#[pyfunction]
pub(crate) fn routing_reports(
    machine: &Machine,
    py: Python<'_>,
    routing: RoutingRow,
    ultraserver: Option<u32>,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Vec<ReportRow>> {
    let routing = convert::routing(py, routing)?;
    let machine = &*machine.0;
    let pairs = report_pairs(machine, ultraserver);
    let reports = watched(py, pairs, progress.as_ref(), |control| {
        reports_of(machine, &routing, ultraserver, control)
    })?;
    Ok(reports.into_iter().map(row).collect())
}

fn row(report: RoutingReport) -> ReportRow {
    let lengths = |lengths: Lengths| (lengths.mean, lengths.longest, lengths.load);
    (
        (
            report.domain,
            report.alike,
            report.pairs,
            report.cut,
            report.other_order,
            report.detours,
            report.wild,
            report.wild_hops,
            report.promised,
            report.virtual_channels,
        ),
        report.cycle,
        lengths(report.damaged),
        lengths(report.healthy),
    )
}
