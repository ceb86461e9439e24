//! ASTRA-sim's own times: conversions only.

use crate::enter::here;
use crate::error::to_py;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use rainier_core::Error;
use rainier_core::astra_sim::{
    self as core, Access, Collective, Com, Dimension, Implementation, Kind, Memory, Node, Policy,
    Question, Shape, System, Way,
};
use std::sync::Arc;

/// Name, members, "GB/s", ns.
type DimensionRow = (String, u32, f64, f64);
/// Named groups of ranks.
type GroupRows = Vec<(i64, Vec<u32>)>;
/// Kind of memory, ns, bytes/ns, ranks that share one.
type MemoryRow = (String, u64, u64, u32);
/// By rank, ns at its end (-1: never) and of computation; messages; whether one rank stood for all.
type AnswerRow<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    u64,
    bool,
);

/// What a system file says.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct SystemRow {
    policy: String,
    endpoint_delay: u64,
    active_chunks: u32,
    splits: u32,
    baseline: bool,
    memory_bandwidth: Option<f64>,
    roofline: Option<f64>,
    replay: bool,
    implementations: Vec<Vec<(String, Option<u32>, bool)>>,
    queues: u32,
    rendezvous: bool,
    aware: bool,
}

/// A node of a trace: its kind, and numbers that the kind explains.
#[derive(FromPyObject)]
pub(crate) struct NodeRow(
    u64,
    Vec<u64>,
    u64,
    bool,
    String,
    Vec<u64>,
    Option<Vec<bool>>,
    Option<i64>,
    GroupRows,
);

/// One run of either backend.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the files of a run, one each")]
pub(crate) fn astra_sim<'py>(
    py: Python<'py>,
    network: Vec<DimensionRow>,
    system: SystemRow,
    memory: MemoryRow,
    traces: Vec<Vec<NodeRow>>,
    trace_of: PyReadonlyArray1<'py, u32>,
    groups: GroupRows,
    each: bool,
) -> PyResult<AnswerRow<'py>> {
    let trace_of: Vec<u32> = trace_of.as_array().iter().copied().collect();
    let question = question(network, system, memory, traces, trace_of, groups)
        .map_err(|error| to_py(py, &error))?;
    let run = if each { core::run_each } else { core::run };
    let answer = here(py, |control| run(&question, control))?;
    let whole = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let finished = answer
        .finished
        .iter()
        .map(|time| time.map_or(-1, whole))
        .collect::<Vec<_>>();
    let computing = answer
        .computing
        .iter()
        .map(|&time| whole(time))
        .collect::<Vec<_>>();
    Ok((
        finished.into_pyarray(py),
        computing.into_pyarray(py),
        answer.messages,
        answer.alike,
    ))
}

fn question(
    network: Vec<DimensionRow>,
    system: SystemRow,
    memory: MemoryRow,
    traces: Vec<Vec<NodeRow>>,
    trace_of: Vec<u32>,
    groups: GroupRows,
) -> Result<Question, Error> {
    let dimension = |(name, size, bandwidth, latency): DimensionRow| {
        Ok(Dimension {
            shape: match name.as_str() {
                "Ring" => Shape::Ring,
                "Switch" => Shape::Switch,
                "FullyConnected" => Shape::FullyConnected,
                other => return Err(unknown("topology", other, "Ring, Switch, FullyConnected")),
            },
            size,
            bandwidth,
            latency,
        })
    };
    let traces = traces
        .into_iter()
        .map(|rows| rows.into_iter().map(node).collect::<Result<_, _>>());
    Ok(Question {
        network: network
            .into_iter()
            .map(dimension)
            .collect::<Result<_, _>>()?,
        system: system_of(system)?,
        memory: memory_of(&memory)?,
        traces: traces.collect::<Result<_, _>>()?,
        trace_of,
        groups: shared(groups),
    })
}

fn unknown(argument: &str, value: &str, known: &str) -> Error {
    Error::Unknown {
        argument: argument.to_owned(),
        value: value.to_owned(),
        known: known.to_owned(),
    }
}

fn shared(groups: GroupRows) -> Vec<(i64, Arc<[u32]>)> {
    let rows = groups.into_iter();
    rows.map(|(name, members)| (name, members.into())).collect()
}

fn memory_of((kind, latency, bandwidth, sharers): &MemoryRow) -> Result<Memory, Error> {
    let access = Access {
        latency: *latency,
        bandwidth: *bandwidth,
    };
    match kind.as_str() {
        "none" => Ok(Memory::None),
        "own" => Ok(Memory::Own(access)),
        "shared" => Ok(Memory::Shared(access, *sharers)),
        other => Err(unknown("memory", other, "none, own, shared")),
    }
}

fn system_of(row: SystemRow) -> Result<System, Error> {
    let mut implementations = row.implementations.into_iter().map(|named| {
        let rows = named.into_iter().map(|(name, window, one)| {
            let way = match name.as_str() {
                "ring" => Way::Ring,
                "direct" => Way::Direct(window),
                "halvingDoubling" => Way::Halving,
                "doubleBinaryTree" => Way::Tree,
                other => {
                    let known = "ring, direct, halvingDoubling, doubleBinaryTree";
                    return Err(unknown("implementation", other, known));
                }
            };
            Ok(Implementation { way, one })
        });
        rows.collect::<Result<Vec<_>, Error>>()
    });
    let mut next = || implementations.next().unwrap_or(Ok(Vec::new()));
    Ok(System {
        policy: match row.policy.as_str() {
            "LIFO" => Policy::Lifo,
            "FIFO" => Policy::Fifo,
            "EXPLICIT" => Policy::Explicit,
            other => return Err(unknown("scheduling-policy", other, "LIFO, FIFO, EXPLICIT")),
        },
        endpoint_delay: row.endpoint_delay,
        active_chunks: row.active_chunks,
        splits: row.splits,
        baseline: row.baseline,
        memory_bandwidth: row.memory_bandwidth,
        roofline: row.roofline,
        replay: row.replay,
        implementations: [next()?, next()?, next()?, next()?],
        queues: row.queues,
        rendezvous: row.rendezvous,
        aware: row.aware,
    })
}

fn node(row: NodeRow) -> Result<Node, Error> {
    let NodeRow(id, waits, micros, host, name, numbers, involved, group, groups) = row;
    let number = |at: usize| numbers.get(at).copied().unwrap_or(0);
    let small = |at: usize| {
        u32::try_from(number(at)).map_err(|_| Error::OutOfRange {
            argument: format!("workload: {name} of node {id}"),
            value: number(at).into(),
            low: 0,
            high: u32::MAX.into(),
        })
    };
    let collective = |com| -> Result<Kind, Error> {
        Ok(Kind::Collective(Collective {
            com,
            bytes: number(0),
            involved: involved.clone(),
            group,
            priority: small(1)?,
        }))
    };
    let kind = match name.as_str() {
        "skip" => Kind::Skip,
        "groups" => Kind::Groups(shared(groups)),
        "memory" => Kind::Memory(number(0)),
        "compute" if numbers.len() == 2 => Kind::Compute(Some((number(0), number(1)))),
        "compute" => Kind::Compute(None),
        "send" => Kind::Send(small(0)?, number(1), small(2)?),
        "receive" => Kind::Receive(small(0)?, number(1), small(2)?),
        "broadcast" => Kind::Broadcast,
        "all_reduce" => collective(Com::AllReduce)?,
        "all_gather" => collective(Com::AllGather)?,
        "reduce_scatter" => collective(Com::ReduceScatter)?,
        "all_to_all" => collective(Com::AllToAll)?,
        other => return Err(unknown("workload", other, "kinds of nodes")),
    };
    Ok(Node {
        id,
        waits,
        micros,
        host,
        kind,
    })
}
