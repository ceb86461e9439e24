//! The machine as Python sees it.

use crate::classes::{Groups, Machine, Outcome, Schedule, Tables};
use crate::columns::{Bytes, Column};
use crate::convert::{
    self, AxisRow, GpuRow, NeuronRow, NicRow, RequestRow, RoutingRow, SiteRow, TpuRow, WanRow,
};
use crate::enter::{here, quick, watched};
use crate::error::{raise, to_py};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use rainier_core::collective::{Model, Operation, Vector, schedule, vector};
use rainier_core::load::{self, Flows, Pattern};
use rainier_core::machine::{self as core, End};
use rainier_core::route::{Routing, route, route_until};
use rainier_core::sim::{Engine, Messages, finish_times, max_min_rates};
use rainier_core::{Control, memory};
use std::sync::Arc;

/// Flows, and links of the answer, above which a call is worth a thread of its own to watch over it.
const LONG: usize = 1 << 16;
const MANY_LINKS: u64 = 1 << 20;
/// What a run of alike links takes here and as a Python object.
const RUN_BYTES: u64 = 256;
/// Chips of a machine on which no way is long.
const SHORT_WAYS: u32 = 1 << 22;

type Places<'py> = (
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u32>>,
    Vec<Bound<'py, PyArray1<u32>>>,
);
type LinkRow = (
    String,
    String,
    String,
    String,
    Option<u32>,
    Option<u32>,
    f64,
    f64,
    bool,
    f64,
);
type RouteRow<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<f64>>,
    f64,
    u32,
    f64,
    f64,
    f64,
);

/// Calls `visit` with runs of links that are alike: count, class, bandwidth, latency.
fn each_run(machine: &core::Machine, mut visit: impl FnMut(u64, &core::LinkClass, f64, f64)) {
    let mut last: Option<(u64, core::LinkClass, f64, f64)> = None;
    let mut tell = |run: Option<(u64, core::LinkClass, f64, f64)>| {
        if let Some((count, class, bandwidth, latency)) = run {
            visit(count, &class, bandwidth, latency);
        }
    };
    machine.for_each_rated_run(|count, class, bandwidth, latency| match &mut last {
        Some(last) if (&last.1, last.2, last.3) == (class, bandwidth, latency) => last.0 += count,
        _ => tell(last.replace((count, class.clone(), bandwidth, latency))),
    });
    tell(last);
}

#[pymethods]
impl Machine {
    #[new]
    #[expect(
        clippy::too_many_arguments,
        reason = "the flat argument list of the private Python call"
    )]
    fn new(
        py: Python<'_>,
        axes: Vec<AxisRow>,
        overhead: f64,
        nic: Option<NicRow>,
        sites: Vec<SiteRow>,
        wan: Option<WanRow>,
        launch: f64,
        gpu: Option<GpuRow>,
        neuron: Option<NeuronRow>,
        tpu: Option<TpuRow>,
    ) -> PyResult<Self> {
        convert::machine(axes, overhead, nic, sites, wan, launch, gpu, neuron, tpu)
            .map(Self::of)
            .map_err(|error| to_py(py, &error))
    }

    #[getter]
    fn num_chips(&self) -> u32 {
        self.0.num_chips()
    }

    #[getter]
    fn num_links(&self) -> u64 {
        self.0.num_links()
    }

    #[getter]
    fn num_domains(&self) -> u32 {
        self.0.num_domains()
    }

    fn places<'py>(
        &self,
        py: Python<'py>,
        chips: PyReadonlyArray1<'py, i64>,
    ) -> PyResult<Places<'py>> {
        let chips = chips.as_slice()?;
        let machine = &*self.0;
        let axes = machine.domain().axes().len();
        let (site, domain, coordinates) = quick(py, || {
            let (mut site, mut domain) = (
                Vec::with_capacity(chips.len()),
                Vec::with_capacity(chips.len()),
            );
            let mut coordinates = vec![Vec::with_capacity(chips.len()); axes];
            for (index, &chip) in chips.iter().enumerate() {
                let chip = machine.check_chip(format_args!("chips[{index}]"), i128::from(chip))?;
                let place = machine.place(chip)?;
                site.push(place.site);
                domain.push(place.domain);
                for (axis, column) in coordinates.iter_mut().enumerate() {
                    column.push(machine.domain().coordinate(place.local, axis));
                }
            }
            Ok((site, domain, coordinates))
        })?;
        let columns = coordinates
            .into_iter()
            .map(|column| column.into_pyarray(py))
            .collect();
        Ok((site.into_pyarray(py), domain.into_pyarray(py), columns))
    }

    fn link(&self, py: Python<'_>, link: u64) -> PyResult<LinkRow> {
        let machine = &*self.0;
        let link = machine.link(link).map_err(|error| to_py(py, &error))?;
        let words = |end: &End| match end {
            End::Chip(chip) => format!("chip {chip}"),
            End::Switch(name) => name.clone(),
        };
        let chip = |end: &End| match end {
            End::Chip(chip) => Some(*chip),
            _ => None,
        };
        Ok((
            link.class.name(machine),
            link.direction.to_owned(),
            words(&link.from),
            words(&link.to),
            chip(&link.from),
            chip(&link.to),
            link.bandwidth,
            link.latency,
            link.dead,
            machine.faults().factor(link.id),
        ))
    }

    fn link_runs(&self, py: Python<'_>) -> PyResult<Vec<(u64, String, f64, f64)>> {
        let machine = &*self.0;
        quick(py, || {
            let mut count = 0u64;
            each_run(machine, |_, _, _, _| count += 1);
            let what = format_args!("the classes of {} links", machine.num_links());
            let bytes = count.saturating_mul(RUN_BYTES);
            memory::check(bytes, what, "use a smaller machine")?;
            let mut runs: Vec<(u64, core::LinkClass, f64, f64)> = Vec::new();
            each_run(machine, |links, class, bandwidth, latency| {
                runs.push((links, class.clone(), bandwidth, latency));
            });
            let named = |(count, class, bandwidth, latency): (u64, core::LinkClass, f64, f64)| {
                (count, class.name(machine), bandwidth, latency)
            };
            Ok(runs.into_iter().map(named).collect())
        })
    }

    fn link_bandwidths<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        Ok(watched(py, 1, None, |_| self.0.link_bandwidths())?.into_pyarray(py))
    }

    fn route<'py>(
        &self,
        py: Python<'py>,
        src: u32,
        dst: u32,
        routing: RoutingRow,
    ) -> PyResult<RouteRow<'py>> {
        let routing = convert::routing(py, routing)?;
        // A spread message on a large domain touches millions of links, and so may one on a long ring.
        let short = self.0.num_chips() < SHORT_WAYS;
        let found = if short && matches!(routing, Routing::DimensionOrder(_)) {
            quick(py, || route(&self.0, &routing, src, dst))?
        } else {
            here(py, |control| {
                route_until(&self.0, &routing, src, dst, control)
            })?
        };
        let links: Vec<i64> = found.links.iter().map(|&link| link as i64).collect();
        Ok((
            links.into_pyarray(py),
            found.shares.into_pyarray(py),
            found.hops,
            found.longest_hops,
            found.latency,
            found.bandwidth,
            found.overhead,
        ))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the flat argument list of the private Python call"
    )]
    fn link_loads<'py>(
        &self,
        py: Python<'py>,
        src: &Bound<'py, PyAny>,
        dst: &Bound<'py, PyAny>,
        nbytes: Bytes<'py>,
        routing: RoutingRow,
        n_threads: usize,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let routing = convert::routing(py, routing)?;
        let (src, dst) = (Column::of("src", src)?, Column::of("dst", dst)?);
        let flows = Flows {
            src: src.view()?,
            dst: dst.view()?,
            bytes: nbytes.view()?,
        };
        let machine = &*self.0;
        let count = flows.src.len();
        let long = count > LONG
            || machine.num_links() > MANY_LINKS
            || progress.is_some()
            || !matches!(routing, Routing::DimensionOrder(_));
        let loads = if long {
            watched(py, count as u64, progress.as_ref(), |control| {
                load::link_loads(machine, &flows, &routing, n_threads, control)
            })?
        } else {
            let control = Control::default();
            quick(py, || {
                load::link_loads(machine, &flows, &routing, n_threads, &control)
            })?
        };
        Ok(loads.into_pyarray(py))
    }

    fn max_min_rates<'py>(
        &self,
        py: Python<'py>,
        src: &Bound<'py, PyAny>,
        dst: &Bound<'py, PyAny>,
        routing: RoutingRow,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let routing = convert::routing(py, routing)?;
        let (src, dst) = (Column::of("src", src)?, Column::of("dst", dst)?);
        let (src, dst) = (src.view()?, dst.view()?);
        let rates = here(py, |control| {
            max_min_rates(&self.0, src, dst, &routing, control)
        })?;
        Ok(rates.into_pyarray(py))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the flat argument list of the private Python call"
    )]
    fn finish_times<'py>(
        &self,
        py: Python<'py>,
        src: &Bound<'py, PyAny>,
        dst: &Bound<'py, PyAny>,
        nbytes: Bytes<'py>,
        start: Bytes<'py>,
        routing: RoutingRow,
        model: &str,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let routing = convert::routing(py, routing)?;
        let engine = Engine::from_name(model).map_err(|error| to_py(py, &error))?;
        let (src, dst) = (Column::of("src", src)?, Column::of("dst", dst)?);
        let messages = Messages {
            src: src.view()?,
            dst: dst.view()?,
            bytes: nbytes.view()?,
            start: start.view()?,
        };
        let machine = &*self.0;
        let times = watched(
            py,
            messages.src.len() as u64,
            progress.as_ref(),
            |control| finish_times(machine, &messages, &routing, engine, control),
        )?;
        Ok(times.into_pyarray(py))
    }

    fn uniform<'py>(
        &self,
        py: Python<'py>,
        bytes_per_chip: f64,
        routing: RoutingRow,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let routing = convert::routing(py, routing)?;
        let loads = watched(py, 1, None, |control| {
            load::uniform(&self.0, bytes_per_chip, &routing, control)
        })?;
        Ok(loads.into_pyarray(py))
    }

    fn destinations<'py>(
        &self,
        py: Python<'py>,
        pattern: &str,
        shift: Option<Vec<i64>>,
        seed: u64,
    ) -> PyResult<Bound<'py, PyArray1<u32>>> {
        let machine = &*self.0;
        let pattern = match pattern {
            "transpose" => Pattern::Transpose,
            "tornado" => Pattern::Tornado,
            "bit_complement" => Pattern::BitComplement,
            "neighbor" => Pattern::Neighbor { shift },
            "permutation" => Pattern::Permutation { seed },
            "bit_reversal" => Pattern::BitReversal,
            "shuffle" => Pattern::Shuffle,
            "bit_transpose" => Pattern::BitTranspose,
            other => {
                let known = "transpose, tornado, bit_complement, neighbor, permutation, bit_reversal, shuffle, bit_transpose";
                let message = format!("pattern: got {other:?}, must be one of uniform, {known}");
                return Err(raise(py, "UnknownName", &message));
            }
        };
        let destinations = watched(py, 1, None, |_| load::destinations(machine, &pattern))?;
        Ok(destinations.into_pyarray(py))
    }

    fn collective(
        &self,
        py: Python<'_>,
        request: RequestRow,
        groups: &Groups,
        routing: RoutingRow,
    ) -> PyResult<Outcome> {
        let (request, routing) = convert::asked(py, request, routing)?;
        let (machine, keeper, members) = (&*self.0, &self.1, &groups.0);
        let outcome = here(py, |control| {
            keeper.run(machine, members, &routing, &request, control)
        })?;
        Ok(Outcome {
            outcome,
            machine: Arc::clone(&self.0),
            routing,
        })
    }

    /// The table of all that a collective considers.
    fn candidates(
        &self,
        py: Python<'_>,
        request: RequestRow,
        groups: &Groups,
        routing: RoutingRow,
    ) -> PyResult<Tables> {
        let (request, routing) = convert::asked(py, request, routing)?;
        let tables = here(py, |control| {
            let (machine, members) = (&self.0, &groups.0);
            self.1
                .candidates(machine, members, &routing, &request, control)
        })?;
        Ok(Tables(tables, Arc::clone(&self.0)))
    }

    /// The name of the algorithm and the schedule of the first group.
    fn schedule(
        &self,
        py: Python<'_>,
        request: RequestRow,
        groups: &Groups,
        routing: RoutingRow,
    ) -> PyResult<(String, Schedule)> {
        let routing = convert::routing(py, routing)?;
        let request = convert::request_of_schedule(request);
        let request = request.map_err(|error| to_py(py, &error))?;
        let (name, made) = here(py, |control| {
            schedule(&self.0, &groups.0, &routing, &request, control)
        })?;
        Ok((name, Schedule(Arc::new(made))))
    }

    /// The same where each rank, or each pair of ranks, has a size of its own.
    #[expect(clippy::too_many_arguments, reason = "what a collective is asked with")]
    fn vector(
        &self,
        py: Python<'_>,
        operation: &str,
        sizes: PyReadonlyArray1<'_, f64>,
        groups: &Groups,
        algorithm: &str,
        model: &str,
        routing: RoutingRow,
    ) -> PyResult<(String, Schedule)> {
        let routing = convert::routing(py, routing)?;
        let named = |error: &_| to_py(py, error);
        let operation = Operation::from_name(operation).map_err(|error| named(&error))?;
        let model = Model::from_name(model).map_err(|error| named(&error))?;
        let sizes = sizes.as_slice()?;
        let chips = groups.0.members(&self.0, 0);
        let (name, made) = here(py, |control| {
            let asked = Vector {
                operation,
                sizes,
                chips: &chips,
                algorithm,
                model,
            };
            vector(&self.0, &asked, &routing, control)
        })?;
        Ok((name, Schedule(Arc::new(made))))
    }
}
