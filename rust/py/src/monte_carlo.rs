//! Faults drawn at random, and a collective on many draws.

use crate::classes::{Groups, Machine};
use crate::convert::{self, RequestRow, RoutingRow};
use crate::enter::{here, watched};
use crate::error::to_py;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use rainier_core::collective::Trial;
use rainier_core::machine::Rates;
use std::sync::Arc;

/// Failures per hour of a chip, cable, NIC, host and domain; chips of a host.
type RatesRow = (f64, f64, f64, f64, f64, u32);
/// Seconds (NaN where there is no answer), faults of each kind, live chips, (draw, why there is no answer), draws in
/// which the other request ran.
type DrawsRow<'py> = (
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray2<u32>>,
    Bound<'py, PyArray1<u32>>,
    Vec<(u64, String)>,
    Vec<u64>,
);

fn rates((chip, cable, nic, host, domain, chips_per_host): RatesRow) -> Rates {
    Rates {
        chip,
        cable,
        nic,
        host,
        domain,
        chips_per_host,
    }
}

/// The machine with what one draw breaks, beside the faults that it has.
#[pyfunction]
pub(crate) fn sample_faults(
    py: Python<'_>,
    machine: &Machine,
    rates_row: RatesRow,
    hours: f64,
    seed: u64,
    draw: u64,
) -> PyResult<Machine> {
    let machine = &*machine.0;
    let damaged = here(py, |control| {
        let sampled = machine.sample_faults(&rates(rates_row), hours, seed, draw, control)?;
        let all = machine.faults().merged(&sampled);
        machine.clone().with_faults(all)
    })?;
    Ok(Machine::of(damaged))
}

/// A collective on the draws `first` to below `end`.
#[pyfunction]
#[expect(
    clippy::too_many_arguments,
    reason = "the flat argument list of the private Python call"
)]
pub(crate) fn monte_carlo<'py>(
    py: Python<'py>,
    machine: &Machine,
    request: RequestRow,
    otherwise: Option<RequestRow>,
    groups: Option<&Groups>,
    routing: RoutingRow,
    drop_damaged: bool,
    rates_row: RatesRow,
    hours: f64,
    seed: u64,
    first: u64,
    end: u64,
    n_threads: usize,
    progress: Option<Bound<'py, PyAny>>,
) -> PyResult<DrawsRow<'py>> {
    let routing = convert::routing(py, routing)?;
    let request = convert::request(request).map_err(|error| to_py(py, &error))?;
    let otherwise = otherwise.map(convert::request);
    let otherwise = otherwise.transpose().map_err(|error| to_py(py, &error))?;
    let groups = groups.map(|groups| Arc::clone(&groups.0));
    let trial = Trial {
        machine: &machine.0,
        groups: groups.as_deref(),
        routing: &routing,
        drop_damaged,
        request: &request,
        otherwise: otherwise.as_ref(),
        rates: &rates(rates_row),
        hours,
        seed,
    };
    let total = end.saturating_sub(first);
    let draws = watched(py, total, progress.as_ref(), |control| {
        trial.draws(first..end, n_threads, control)
    })?;
    let time =
        |draw: &rainier_core::collective::Draw| draw.time.as_ref().copied().unwrap_or(f64::NAN);
    let times: Vec<f64> = draws.iter().map(time).collect();
    let faults: Vec<u32> = draws.iter().flat_map(|draw| draw.faults).collect();
    let live: Vec<u32> = draws.iter().map(|draw| draw.live).collect();
    let numbered = (first..).zip(&draws);
    let other = numbered.filter_map(|(number, draw)| draw.otherwise.then_some(number));
    let other: Vec<u64> = other.collect();
    let numbered = (first..).zip(draws);
    let none = numbered.filter_map(|(number, draw)| Some((number, draw.time.err()?)));
    let none: Vec<(u64, String)> = none.collect();
    let rows = times.len();
    Ok((
        times.into_pyarray(py),
        faults.into_pyarray(py).reshape([rows, 4])?,
        live.into_pyarray(py),
        none,
        other,
    ))
}
