//! Plain messages between chips of a machine: from columns to a graph, and their finish times.

use super::graph::{Flow, Graph, Times};
use crate::error::{Error, Result, not_negative};
use crate::load::{ByteColumn, IndexColumn};
use crate::machine::Machine;
use crate::route::{DimensionOrder, Routing, TieRule, route_until};
use crate::{Control, fifo, fluid};

/// Flows between two looks at the cancel flag.
const STRETCH: usize = 1 << 12;

/// How messages share links over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// All at once with fair rates: [`fluid::simulate`](simulate()).
    Fluid,
    /// Whole messages, one after the other: [`fifo::simulate`](crate::fifo::simulate).
    Fifo,
}

impl Engine {
    /// The engine with this name.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "fluid" => Ok(Self::Fluid),
            "fifo" => Ok(Self::Fifo),
            other => Err(Error::Unknown {
                argument: "model".to_owned(),
                value: other.to_owned(),
                known: "fluid, fifo".to_owned(),
            }),
        }
    }

    fn simulate(self, graph: &Graph, control: &Control) -> Result<Times> {
        match self {
            Self::Fluid => fluid::simulate(graph, control),
            Self::Fifo => fifo::simulate(graph, control),
        }
    }
}

/// Messages that wait for nothing but their start.
#[derive(Debug, Clone, Copy)]
pub struct Messages<'a> {
    /// Sending chips.
    pub src: IndexColumn<'a>,
    /// Receiving chips, as many.
    pub dst: IndexColumn<'a>,
    /// Sizes.
    pub bytes: ByteColumn<'a>,
    /// Seconds at which each sender begins, its overhead first.
    pub start: ByteColumn<'a>,
}

/// Seconds at which the last byte of each message arrives.
///
/// A message starts its links when its sender's overhead is over. Under [`Engine::Fluid`] one message alone takes
/// what [`alone`](crate::route::alone) adds up to. Under [`Engine::Fifo`] a message that is split at half of an even
/// ring goes as two of half the bytes, one towards higher and one towards lower coordinates wherever it has the
/// choice; the later one counts, and the sender spends its overhead once.
///
/// # Errors
/// As [`max_min_rates`](super::max_min_rates); [`Error::Invalid`] for bytes or starts that are no finite numbers >= 0;
/// [`Error::Unsupported`] for spread routing under [`Engine::Fifo`].
pub fn finish_times(
    machine: &Machine,
    messages: &Messages,
    routing: &Routing,
    engine: Engine,
    control: &Control,
) -> Result<Vec<f64>> {
    let Messages {
        src,
        dst,
        bytes,
        start,
    } = *messages;
    let (bytes, start) = (
        Numbers::of("nbytes", bytes, src.len())?,
        Numbers::of("start", start, src.len())?,
    );
    let whole = |paths: Paths, bytes: &dyn Fn(usize) -> f64| -> Result<Graph> {
        let mut graph = paths.graph(machine)?;
        for (at, flow) in graph.flows.iter_mut().enumerate() {
            flow.bytes = bytes(at);
            flow.latency = paths.latency[at];
            flow.delay = start.value(at) + paths.overhead[at];
        }
        Ok(graph)
    };
    if engine == Engine::Fluid {
        let paths = Paths::of(machine, src, dst, routing, control)?;
        let graph = whole(paths, &|at| bytes.value(at))?;
        return Ok(engine.simulate(&graph, control)?.arrived);
    }
    let Routing::DimensionOrder(order) = routing else {
        return Err(Error::unsupported(
            "model \"fifo\" with messages that are spread over many paths",
            "use dimension order (\"dor\"), or model \"fluid\"",
        ));
    };
    if order.tie != TieRule::Split {
        let paths = Paths::of(machine, src, dst, routing, control)?;
        let graph = whole(paths, &|at| bytes.value(at))?;
        return Ok(engine.simulate(&graph, control)?.arrived);
    }
    let one_way = |tie| {
        let routing = Routing::DimensionOrder(DimensionOrder {
            tie,
            order: order.order.clone(),
        });
        Paths::of(machine, src, dst, &routing, control)
    };
    let (higher, lower) = (one_way(TieRule::Positive)?, one_way(TieRule::Negative)?);
    // Halves stand side by side, so that ties go by the number of the message.
    let (paths, of) = higher.beside(&lower);
    let halves = |at: usize| of.get(at + 1) == Some(&of[at]) || at > 0 && of[at - 1] == of[at];
    let mut graph = paths.graph(machine)?;
    for (at, flow) in graph.flows.iter_mut().enumerate() {
        let share = if halves(at) { 0.5 } else { 1.0 };
        flow.bytes = bytes.value(of[at]) * share;
        flow.delay = start.value(of[at]) + paths.overhead[at];
    }
    let mut finished = vec![0.0f64; src.len()];
    for (&message, arrived) in of.iter().zip(engine.simulate(&graph, control)?.arrived) {
        finished[message] = finished[message].max(arrived);
    }
    Ok(finished)
}

/// A checked number for each flow.
struct Numbers<'a>(ByteColumn<'a>);

impl<'a> Numbers<'a> {
    fn of(name: &str, column: ByteColumn<'a>, flows: usize) -> Result<Self> {
        match column {
            ByteColumn::Scalar(value) => {
                not_negative(name, value)?;
            }
            ByteColumn::PerFlow(values) if values.len() != flows => {
                return Err(Error::invalid(
                    name,
                    format!("{} values", values.len()),
                    format!("must have one for each flow ({flows})"),
                ));
            }
            ByteColumn::PerFlow(values) => {
                let bad = |value: &f64| !(value.is_finite() && *value >= 0.0);
                if let Some(at) = values.iter().position(bad) {
                    not_negative(&format!("{name}[{at}]"), values[at])?;
                }
            }
        }
        Ok(Self(column))
    }

    fn value(&self, flow: usize) -> f64 {
        match self.0 {
            ByteColumn::Scalar(value) => value,
            ByteColumn::PerFlow(values) => values[flow],
        }
    }
}

/// The links of each flow and their shares, with link numbers of the machine.
#[derive(Debug, Default)]
pub(super) struct Paths {
    first: Vec<usize>,
    steps: Vec<(u64, f64)>,
    latency: Vec<f64>,
    overhead: Vec<f64>,
}

impl Paths {
    pub(super) fn of(
        machine: &Machine,
        src: IndexColumn,
        dst: IndexColumn,
        routing: &Routing,
        control: &Control,
    ) -> Result<Self> {
        if src.len() != dst.len() {
            return Err(Error::invalid(
                "dst",
                format!("{} values", dst.len()),
                format!("must have as many as src ({})", src.len()),
            ));
        }
        routing.check(machine)?;
        let mut paths = Self {
            first: vec![0],
            ..Self::default()
        };
        for flow in 0..src.len() {
            if flow % STRETCH == 0 {
                control.check()?;
            }
            let from = machine.check_chip(&format!("src[{flow}]"), src.value(flow))?;
            let to = machine.check_chip(&format!("dst[{flow}]"), dst.value(flow))?;
            let way = route_until(machine, routing, from, to, control)?;
            paths.steps.extend(way.links.into_iter().zip(way.shares));
            paths.first.push(paths.steps.len());
            paths.latency.push(way.latency);
            paths.overhead.push(way.overhead);
        }
        Ok(paths)
    }

    fn of_flow(&self, flow: usize) -> &[(u64, f64)] {
        &self.steps[self.first[flow]..self.first[flow + 1]]
    }

    /// Each flow of both, those that have one path in both once, and which flow each of them is.
    fn beside(&self, other: &Self) -> (Self, Vec<usize>) {
        let mut both = Self {
            first: vec![0],
            ..Self::default()
        };
        let mut of = Vec::new();
        for flow in 0..self.latency.len() {
            let alike = self.of_flow(flow) == other.of_flow(flow);
            for paths in [Some(self), (!alike).then_some(other)]
                .into_iter()
                .flatten()
            {
                both.steps.extend(paths.of_flow(flow));
                both.first.push(both.steps.len());
                both.latency.push(paths.latency[flow]);
                both.overhead.push(paths.overhead[flow]);
                of.push(flow);
            }
        }
        (both, of)
    }

    /// Flows of no bytes over the links that they use, numbered from 0 in ascending order.
    pub(super) fn graph(&self, machine: &Machine) -> Result<Graph> {
        let mut names: Vec<u64> = self.steps.iter().map(|step| step.0).collect();
        names.sort_unstable();
        names.dedup();
        let mut graph = Graph::default();
        for &link in &names {
            let (bandwidth, latency) = machine.link_numbers(link);
            graph.resource(bandwidth, latency);
        }
        graph.flows.reserve(self.latency.len());
        graph.paths.reserve(self.steps.len());
        for flow in 0..self.latency.len() {
            let renumbered = |&(link, share): &(u64, f64)| {
                (names.partition_point(|&name| name < link) as u32, share)
            };
            graph.flow(Flow::default(), self.of_flow(flow).iter().map(renumbered))?;
        }
        Ok(graph)
    }
}
