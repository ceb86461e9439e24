//! Rows of plain Python values to core definitions.

use crate::error::to_py;
use pyo3::prelude::*;
use rainier_core::collective::{Choice, Model, Operation, Request};
use rainier_core::machine::{
    Axis, AxisKind, Cpu, Domain, FittedOn, Generation, Gpu, Machine, NcclTiming, NcclVersion,
    Neuron, Nic, Site, Tier, Tpu, TpuPart, Wan, WanShape,
};
use rainier_core::route::{DimensionOrder, Routing, TieRule};
use rainier_core::{Error, Result};

pub(crate) type TierRow = (u32, f64, f64);
pub(crate) type AxisRow = (String, u32, String, f64, f64, Vec<TierRow>);
pub(crate) type SiteRow = (String, u32, Vec<TierRow>);
pub(crate) type WanRow = (String, Vec<f64>, Vec<f64>, Option<f64>);
/// Bytes/s, latency and overhead (s), chips that share it.
pub(crate) type NicRow = (f64, f64, f64, u32);
/// Generation, NVLinks, host, network latency, LL, LL128, CollNet, NICs of a node, release of NCCL, latencies
/// left out, what was fitted.
pub(crate) type GpuRow = (
    String,
    u32,
    String,
    f64,
    bool,
    bool,
    bool,
    Option<u32>,
    String,
    bool,
    Option<NcclTimingRow>,
);
/// LL's start, hop, threads and rate; start, hop, rate and copy; starts and rate of direct sends;
/// start of NVLS.
pub(crate) type NcclTimingRow = (f64, f64, f64, f64, f64, f64, f64, f64, f64, f64, f64, f64);
/// Ranks a chip; call, step (s); EFA; HBM bytes/s; HBM and link efficiency; links at once; most bytes for Mesh and for
/// halving; what it was fitted on; rows inside a chip.
pub(crate) type NeuronRow = (
    u32,
    f64,
    f64,
    EfaRow,
    f64,
    f64,
    f64,
    f64,
    f64,
    f64,
    Option<FittedOnRow>,
    Vec<(f64, f64)>,
);
/// Step, goodput of a chip and of an instance, chips of an instance.
pub(crate) type EfaRow = (f64, f64, f64, u32);
/// Chips of a node, nodes, ranks of a chip, operations, type.
pub(crate) type FittedOnRow = (u32, u32, u32, Vec<String>, Option<String>);
/// Part, link efficiency, exposed share of the launch.
pub(crate) type TpuRow = (String, f64, f64);
pub(crate) type RoutingRow = (String, String, Option<Vec<usize>>);

/// An algorithm by name, or one name for each tier.
#[derive(FromPyObject, IntoPyObject)]
pub(crate) enum AlgorithmRow {
    Named(String),
    Tiers(Vec<String>),
}

/// A collective as Python asks for it: a dict by these names.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct RequestRow {
    operation: String,
    size: f64,
    root: usize,
    shift: i64,
    algorithm: AlgorithmRow,
    model: String,
    chunks: Option<u32>,
    dtype: Option<String>,
    /// Orders of axes with their shares.
    orders: Vec<(Vec<usize>, f64)>,
}

pub(crate) fn request(row: RequestRow) -> Result<Request> {
    let operation = Operation::from_name(&row.operation)?;
    let request = Request {
        root: row.root,
        shift: row.shift,
        algorithm: match row.algorithm {
            AlgorithmRow::Named(name) if name == "auto" => Choice::Auto,
            AlgorithmRow::Named(name) => Choice::Named(name),
            AlgorithmRow::Tiers(names) => Choice::Tiers(names),
        },
        model: Model::from_name(&row.model)?,
        chunks: row.chunks,
        orders: row.orders,
        ..Request::new(operation, row.size)
    };
    request.with_dtype(row.dtype.as_deref())
}

/// A request and a routing policy.
pub(crate) fn asked(
    py: Python<'_>,
    request: RequestRow,
    routing: RoutingRow,
) -> PyResult<(Request, Routing)> {
    let routing = self::routing(py, routing)?;
    let request = self::request(request).map_err(|error| to_py(py, &error))?;
    Ok((request, routing))
}

/// A request whose schedule is made: nothing is simulated for that.
pub(crate) fn request_of_schedule(row: RequestRow) -> Result<Request> {
    let request = request(row)?;
    Ok(Request {
        model: request.model.by_phases(),
        ..request
    })
}

/// How to ask for an algorithm again.
pub(crate) fn algorithm_row(choice: &Choice) -> AlgorithmRow {
    match choice {
        Choice::Auto => AlgorithmRow::Named("auto".to_owned()),
        Choice::Named(name) => AlgorithmRow::Named(name.clone()),
        Choice::Tiers(names) => AlgorithmRow::Tiers(names.clone()),
    }
}

fn unknown(argument: &str, value: &str, known: &str) -> Error {
    Error::Unknown {
        argument: argument.to_owned(),
        value: value.to_owned(),
        known: known.to_owned(),
    }
}

fn tiers(rows: Vec<TierRow>) -> Vec<Tier> {
    let tier = |(group, oversubscription, latency)| Tier {
        group,
        oversubscription,
        latency,
    };
    rows.into_iter().map(tier).collect()
}

fn axis((name, size, kind, bandwidth, latency, rows): AxisRow) -> Result<Axis> {
    let switch = |spans_below, rows| AxisKind::Switch {
        spans_below,
        tiers: tiers(rows),
    };
    let kind = match kind.as_str() {
        "ring" => AxisKind::Ring,
        "line" => AxisKind::Line,
        "full_mesh" => AxisKind::FullMesh,
        "switch" => switch(false, rows),
        "spanning_switch" => switch(true, rows),
        other => {
            return Err(unknown(
                "kind",
                other,
                "ring, line, switch, spanning_switch, full_mesh",
            ));
        }
    };
    Ok(Axis {
        name,
        size,
        kind,
        bandwidth,
        latency,
    })
}

#[expect(
    clippy::too_many_arguments,
    reason = "the flat argument list of the private Python call"
)]
pub(crate) fn machine(
    axes: Vec<AxisRow>,
    overhead: f64,
    nic: Option<NicRow>,
    sites: Vec<SiteRow>,
    wan: Option<WanRow>,
    launch: f64,
    gpu: Option<GpuRow>,
    neuron: Option<NeuronRow>,
    tpu: Option<TpuRow>,
) -> Result<Machine> {
    let axes = axes.into_iter().map(axis).collect::<Result<_>>()?;
    let nic = nic.map(|(bandwidth, latency, overhead, chips)| Nic {
        bandwidth,
        latency,
        overhead,
        chips,
    });
    let site = |(name, domains, rows)| Site {
        name,
        domains,
        tiers: tiers(rows),
    };
    let sites = sites.into_iter().map(site).collect();
    let window = wan.as_ref().and_then(|row| row.3);
    let wan = wan
        .map(|(shape, bandwidth, latency, _)| {
            let shape = match shape.as_str() {
                "mesh" => WanShape::Mesh,
                "hub" => WanShape::Hub,
                other => return Err(unknown("wan shape", other, "mesh, hub")),
            };
            Ok(Wan {
                shape,
                bandwidth,
                latency,
            })
        })
        .transpose()?;
    let machine =
        Machine::new(Domain::new(axes)?, overhead, nic, sites, wan)?.with_launch(launch)?;
    let machine = match window {
        Some(window) => machine.with_window(window)?,
        None => machine,
    };
    let machine = match gpu {
        Some(row) => machine.with_gpu(self::gpu(row)?)?,
        None => machine,
    };
    let machine = match neuron {
        Some(row) => machine.with_neuron(self::neuron(row))?,
        None => machine,
    };
    let Some((part, link_efficiency, exposed_launch)) = tpu else {
        return Ok(machine);
    };
    machine.with_tpu(Tpu {
        part: TpuPart::from_name(&part)?,
        link_efficiency,
        exposed_launch,
    })
}

fn neuron(row: NeuronRow) -> Neuron {
    Neuron {
        ranks_per_chip: row.0,
        call: row.1,
        step: row.2,
        efa_step: row.3.0,
        efa_goodput: row.3.1,
        efa_instance_goodput: row.3.2,
        instance_chips: row.3.3,
        hbm_bandwidth: row.4,
        hbm_efficiency: row.5,
        link_efficiency: row.6,
        links_at_once: row.7,
        mesh_most: row.8,
        halving_most: row.9,
        fitted_on: row.10.map(
            |(chips, nodes, ranks_per_chip, operations, dtype)| FittedOn {
                chips,
                nodes,
                ranks_per_chip,
                operations,
                dtype,
            },
        ),
        chip_all_reduce: row.11,
    }
}

fn gpu(
    (generation, nvlinks, cpu, network_latency, ll, ll128, collnet, nics, version, silent, timing): GpuRow,
) -> Result<Gpu> {
    Ok(Gpu {
        generation: Generation::from_name(&generation)?,
        nvlinks,
        cpu: Cpu::from_name(&cpu)?,
        network_latency,
        ll,
        ll128,
        collnet,
        nics,
        version: NcclVersion::from_name(&version)?,
        silent,
        timing: timing.map(nccl_timing),
    })
}

fn nccl_timing(row: NcclTimingRow) -> NcclTiming {
    NcclTiming {
        ll_start: row.0,
        ll_hop: row.1,
        ll_threads: row.2,
        ll_rate: row.3,
        start: row.4,
        hop: row.5,
        rate: row.6,
        copy: row.7,
        send_ll_start: row.8,
        send_start: row.9,
        send_rate: row.10,
        nvls_start: row.11,
    }
}

pub(crate) fn routing(py: Python<'_>, (name, tie, order): RoutingRow) -> PyResult<Routing> {
    let tie = match tie.as_str() {
        "split" | "" => Ok(TieRule::Split),
        "positive" => Ok(TieRule::Positive),
        "negative" => Ok(TieRule::Negative),
        "simgrid" => Ok(TieRule::Simgrid),
        "parity" => Ok(TieRule::Parity),
        "dateline" => Ok(TieRule::Dateline),
        other => Err(unknown(
            "tie",
            other,
            "split, positive, negative, simgrid, parity, dateline",
        )),
    };
    let made = tie.and_then(|tie| match name.as_str() {
        "dor" => Ok(Routing::DimensionOrder(DimensionOrder { tie, order })),
        "adaptive" => Ok(Routing::MinimalAdaptive),
        "valiant" => Ok(Routing::Valiant),
        "wild_first" => Ok(Routing::WildFirst),
        "shortest" => Ok(Routing::Shortest),
        "up_down" => Ok(Routing::UpDown),
        "balanced" => Ok(Routing::Balanced),
        other => Err(unknown(
            "routing",
            other,
            "dor, adaptive, valiant, wild_first, shortest, up_down, balanced",
        )),
    });
    made.map_err(|error| to_py(py, &error))
}
