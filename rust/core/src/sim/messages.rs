//! Plain messages between chips of a machine: from columns to a graph, and their finish times.

use super::engine::Engine;
use super::fluid::{Flow, Graph};
use super::{fifo, fluid};
use crate::Control;
use crate::error::{Error, Result, not_negative};
use crate::load::{ByteColumn, IndexColumn};
use crate::machine::Machine;
use crate::memory::{Taken, bytes_of};
use crate::route::{DimensionOrder, Overlay, Routes, Routing, TieRule};

/// Flows, and steps of paths, between two looks at the cancel flag.
const STRETCH: usize = 1 << 12;
const CHUNK: usize = 1 << 20;
/// Links of the machine for each step of a path up to which a table of links beats a search.
const TABLE: u64 = 16;
const UNUSED: u32 = u32::MAX;
/// What to do about messages whose paths do not fit.
pub(super) const FEWER: &str =
    "ask for fewer messages at once, or take \"dor\", whose paths are short";

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
/// what [`zero_load`](crate::route::zero_load) adds up to. Under [`Engine::Fifo`] a message that is split at half of an
/// even ring goes as two of half the bytes, one towards higher and one towards lower coordinates wherever it has the
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
    machine.refuse_window()?;
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
    if engine == Engine::Fluid {
        let paths = Paths::of(machine, src, dst, routing, control)?;
        let (mut graph, zero_load, _taken) = paths.into_graph(machine, control)?;
        for (at, (flow, zero_load)) in graph.flows.iter_mut().zip(&zero_load).enumerate() {
            flow.bytes = bytes.value(at);
            flow.latency = zero_load.latency;
            flow.delay = start.value(at) + zero_load.overhead;
        }
        return Ok(fluid::simulate(&graph, control)?.arrived);
    }
    let all = || (0..src.len()).collect();
    let one_path = |routing: &Routing| Paths::of(machine, src, dst, routing, control);
    // Halves stand side by side, so that ties go by the number of the message.
    let (paths, of): (Paths, Vec<usize>) = match routing {
        Routing::DimensionOrder(order) if order.tie == TieRule::Split => {
            let one_way = |tie| {
                let order = order.order.clone();
                one_path(&Routing::DimensionOrder(DimensionOrder { tie, order }))
            };
            one_way(TieRule::Positive)?.beside(&one_way(TieRule::Negative)?, control)?
        }
        Routing::DimensionOrder(_) | Routing::Shortest => (one_path(routing)?, all()),
        Routing::UpDown | Routing::Balanced => (one_path(routing)?, all()),
        Routing::WildFirst | Routing::MinimalAdaptive | Routing::Valiant => {
            return Err(Error::unsupported(
                "model \"fifo\" with messages that are spread over many paths",
                "use dimension order (\"dor\"), \"shortest\", \"up_down\" or \"balanced\", or model \"fluid\"",
            ));
        }
    };
    let halves = |at: usize| of.get(at + 1) == Some(&of[at]) || at > 0 && of[at - 1] == of[at];
    let (mut graph, zero_load, _taken) = paths.into_graph(machine, control)?;
    for (at, (flow, zero_load)) in graph.flows.iter_mut().zip(&zero_load).enumerate() {
        let share = if halves(at) { 0.5 } else { 1.0 };
        flow.bytes = bytes.value(of[at]) * share;
        flow.delay = start.value(of[at]) + zero_load.overhead;
    }
    let mut finished = vec![0.0f64; src.len()];
    // Progress counts messages, not halves.
    let first = |flow: u32| flow == 0 || of[flow as usize - 1] != of[flow as usize];
    let times = fifo::simulate_counting(&graph, control, &first)?;
    for (&message, arrived) in of.iter().zip(times.arrived) {
        finished[message] = finished[message].max(arrived);
    }
    Ok(finished)
}

pub(super) fn same_length(src: IndexColumn, dst: IndexColumn) -> Result<()> {
    if src.len() == dst.len() {
        return Ok(());
    }
    Err(Error::invalid(
        "dst",
        format!("{} values", dst.len()),
        format!("must have as many as src ({})", src.len()),
    ))
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
                    not_negative(format_args!("{name}[{at}]"), values[at])?;
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
#[derive(Debug)]
pub(super) struct Paths {
    ends: Vec<usize>,
    steps: Vec<(u64, f64)>,
    zero_load: Vec<ZeroLoad>,
    /// For `steps`, and for the others.
    taken: [Taken; 2],
}

/// Seconds that a flow takes beside the passing of its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct ZeroLoad {
    latency: f64,
    overhead: f64,
}

impl Paths {
    /// The routes of messages.
    pub(super) fn of(
        machine: &Machine,
        src: IndexColumn,
        dst: IndexColumn,
        routing: &Routing,
        control: &Control,
    ) -> Result<Self> {
        same_length(src, dst)?;
        let overlay = Overlay::of(machine, control)?;
        let routes = Routes::new(machine, routing, &overlay)?;
        let spread = routing.is_spread();
        let mut paths = Self::new(src.len(), control)?;
        for flow in 0..src.len() {
            if flow % STRETCH == 0 {
                control.check()?;
            }
            let from = machine.check_chip(format_args!("src[{flow}]"), src.value(flow))?;
            let to = machine.check_chip(format_args!("dst[{flow}]"), dst.value(flow))?;
            if spread && machine.split(from).0 == machine.split(to).0 {
                let found = routes.route(from, to, control)?;
                paths.reserve(found.links.len())?;
                let zero_load = ZeroLoad {
                    latency: found.latency,
                    overhead: found.overhead,
                };
                paths.add(found.links.into_iter().zip(found.shares), zero_load);
                continue;
            }
            paths.reserve(routes.most_steps(from, to) as usize)?;
            // The same, without lists of its own.
            let steps = &mut paths.steps;
            let mut latency = 0.0;
            routes.walk(from, to, control, &mut |link, share| {
                latency += machine.link_numbers(link).1 * share;
                steps.push((link, share));
            })?;
            let overhead = machine.overhead_between(from, to);
            paths.add(std::iter::empty(), ZeroLoad { latency, overhead });
        }
        Ok(paths)
    }

    /// No flows yet, of `flows` to come.
    fn new(flows: usize, control: &Control) -> Result<Self> {
        let what = format_args!("the ends of {flows} messages");
        let each = bytes_of::<(usize, ZeroLoad)>(flows as u64);
        Ok(Self {
            ends: Vec::with_capacity(flows),
            steps: Vec::new(),
            zero_load: Vec::with_capacity(flows),
            taken: [
                control.take(0, format_args!("paths"), FEWER)?,
                control.take(each, what, FEWER)?,
            ],
        })
    }

    /// Makes room for the steps of one more flow.
    fn reserve(&mut self, more: usize) -> Result<()> {
        let flows = self.ends.len() + 1;
        let what = format_args!("the paths of the first {flows} messages");
        self.taken[0].reserve(&mut self.steps, more, what, FEWER)
    }

    fn add(&mut self, steps: impl Iterator<Item = (u64, f64)>, zero_load: ZeroLoad) {
        self.steps.extend(steps);
        self.ends.push(self.steps.len());
        self.zero_load.push(zero_load);
    }

    fn of_flow(&self, flow: usize) -> &[(u64, f64)] {
        let first = if flow == 0 { 0 } else { self.ends[flow - 1] };
        &self.steps[first..self.ends[flow]]
    }

    /// Each flow of both, those that have one path in both once, and which flow each of them is.
    fn beside(&self, other: &Self, control: &Control) -> Result<(Self, Vec<usize>)> {
        let flows = self.zero_load.len();
        let mut both = Self::new(2 * flows, control)?;
        both.reserve(self.steps.len() + other.steps.len())?;
        let listed = format_args!("the halves of {flows} messages");
        let _taken = control.take(bytes_of::<usize>(2 * flows as u64), listed, FEWER)?;
        let mut of = Vec::with_capacity(2 * flows);
        for flow in 0..flows {
            if flow % STRETCH == 0 {
                control.check()?;
            }
            let alike = self.of_flow(flow) == other.of_flow(flow);
            for paths in [Some(self), (!alike).then_some(other)]
                .into_iter()
                .flatten()
            {
                both.add(paths.of_flow(flow).iter().copied(), paths.zero_load[flow]);
                of.push(flow);
            }
        }
        Ok((both, of))
    }

    /// Flows of no bytes over the links that they use, numbered from 0 in ascending order; and what stands for the
    /// memory of both answers.
    pub(super) fn into_graph(
        self,
        machine: &Machine,
        control: &Control,
    ) -> Result<(Graph, Vec<ZeroLoad>, Taken)> {
        let (flows, steps) = (self.ends.len() as u64, self.steps.len() as u64);
        // Flows, paths, and the capacity, latency and name of each link that one of them may use.
        let links = steps.min(machine.num_links());
        let bytes = bytes_of::<(Flow, ZeroLoad)>(flows)
            .saturating_add(bytes_of::<(u32, f64)>(steps))
            .saturating_add(bytes_of::<[f64; 4]>(links));
        let taken = control.take(bytes, format_args!("a graph of {flows} messages"), FEWER)?;
        let mut graph = Graph::default();
        graph.flows.reserve_exact(self.ends.len());
        let mut end = 0;
        for &next in &self.ends {
            graph.flows.push(Flow {
                first: end,
                end: u32::try_from(next).map_err(|_| {
                    Error::unsupported(
                        format!("messages over {next} links in all"),
                        "simulate fewer at once: less than 2^32",
                    )
                })?,
                ..Flow::default()
            });
            end = next as u32;
        }
        let names = self.names(machine, control)?;
        for link in names.all() {
            let (bandwidth, latency) = machine.link_numbers(link);
            graph.resource(bandwidth, latency);
        }
        control.check()?;
        let renumbered = |(link, share)| (names.number(link), share);
        graph.paths = self.steps.into_iter().map(renumbered).collect();
        control.check()?;
        Ok((graph, self.zero_load, taken))
    }

    fn names(&self, machine: &Machine, control: &Control) -> Result<Names> {
        let all = machine.num_links().min(self.steps.len() as u64 * TABLE);
        let _taken = control.take(all * 8, format_args!("the names of {all} links"), FEWER)?;
        // A table of all links of the machine only if most of it gets used.
        if machine.num_links() > TABLE * self.steps.len() as u64 {
            let mut used = Vec::new();
            for steps in self.steps.chunks(CHUNK) {
                control.check()?;
                let mut part: Vec<u64> = steps.iter().map(|step| step.0).collect();
                part.sort_unstable();
                part.dedup();
                used.extend(part);
            }
            // The stable sort merges sorted parts.
            used.sort();
            used.dedup();
            return Ok(Names::Sorted(used));
        }
        let mut table = vec![UNUSED; machine.num_links() as usize];
        for steps in self.steps.chunks(CHUNK) {
            control.check()?;
            steps.iter().for_each(|step| table[step.0 as usize] = 0);
        }
        let used = table.iter_mut().filter(|name| **name != UNUSED);
        used.zip(0..).for_each(|(name, number)| *name = number);
        Ok(Names::Table(table))
    }
}

/// New numbers of links, from 0, in the order of the old ones.
enum Names {
    /// The old numbers.
    Sorted(Vec<u64>),
    /// The new number of each old one, or [`UNUSED`].
    Table(Vec<u32>),
}

impl Names {
    fn number(&self, link: u64) -> u32 {
        match self {
            Self::Sorted(names) => names.partition_point(|&name| name < link) as u32,
            Self::Table(table) => table[link as usize],
        }
    }

    /// The old numbers in the order of the new ones.
    fn all(&self) -> Vec<u64> {
        match self {
            Self::Sorted(names) => names.clone(),
            Self::Table(table) => {
                let used = (0..).zip(table).filter(|(_, name)| **name != UNUSED);
                used.map(|(link, _)| link).collect()
            }
        }
    }
}
