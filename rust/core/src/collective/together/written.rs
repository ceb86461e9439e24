//! Requests written out message by message, all of their groups; and the ways of the messages over shared links.
//!
//! Messages are routed on the machine as it is given, one by one: nothing here needs a symmetry.

use super::pipeline::Pipeline;
use crate::collective::damage::stand_in;
use crate::collective::group::Groups;
use crate::collective::request::Request;
use crate::collective::run::unrolled;
use crate::collective::simulate::routings;
use crate::fluid::{Engine, Graph};
use crate::machine::Machine;
use crate::route::{Route, Routing, route_until};
use crate::schedule::{Schedule, Send, Way, graph};
use crate::{Control, Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

/// Most messages of all groups of one request that are written out.
pub(super) const MOST_WRITTEN: usize = 1 << 20;

/// A schedule and the groups that run it side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The name of the algorithm that made it.
    pub algorithm: String,
    /// The messages of one group.
    pub schedule: Arc<Schedule>,
    /// The chunks and pieces in which they go: as many as link loads favour, or fewer where so many messages are too
    /// many to simulate.
    pub pipeline: Pipeline,
    /// Chips of each group, in the order of the schedule's ranks.
    pub groups: Vec<Vec<u32>>,
}

impl Written {
    /// Messages of all groups, in the chunks and pieces of a pipeline.
    pub(super) fn messages(&self, pipeline: &Pipeline) -> usize {
        let of_group = pipeline.messages(&self.schedule);
        of_group.saturating_mul(self.groups.len())
    }

    /// Checks every number against the machine.
    pub(super) fn check(&self, machine: &Machine) -> Result<()> {
        self.schedule.check()?;
        let ranks = self.schedule.chips.len();
        for group in &self.groups {
            if group.len() != ranks {
                return Err(Error::invalid(
                    "groups",
                    format!("{} chips", group.len()),
                    format!("must have one for each of the {ranks} ranks of the schedule"),
                ));
            }
            for (rank, &chip) in group.iter().enumerate() {
                machine.check_chip(|| format!("group[{rank}]"), i128::from(chip))?;
            }
        }
        Ok(())
    }
}

/// All messages of a request over `groups`: those of [`schedule`](crate::collective::schedule), for every group. Groups that lie in the machine alike
/// run one schedule; any other gets its own.
///
/// # Errors
/// Those of [`schedule`](crate::collective::schedule), and [`Error::Unsupported`] for too many messages.
pub fn write_out(
    machine: &Machine,
    groups: &Groups,
    routing: &Routing,
    request: &Request,
    control: &Control,
) -> Result<Vec<Written>> {
    let mut shapes: Vec<(Vec<i64>, Written)> = Vec::new();
    for group in 0..groups.count() {
        control.check()?;
        let shape = shape(machine, groups, group);
        if let Some((_, written)) = shapes.iter_mut().find(|(other, _)| *other == shape) {
            written.groups.push(groups.members(machine, group));
            continue;
        }
        let first = first_of(groups, group);
        let (algorithm, schedule, pipeline) =
            unrolled(machine, &first, routing, request, control).map_err(or_link_load)?;
        let written = Written {
            algorithm,
            groups: vec![schedule.chips.clone()],
            schedule: Arc::new(schedule),
            pipeline,
        };
        if written.schedule.sends.len().saturating_mul(groups.count()) > MOST_WRITTEN {
            return Err(too_many(written.schedule.sends.len() * groups.count()));
        }
        shapes.push((shape, written));
    }
    Ok(shapes.into_iter().map(|(_, written)| written).collect())
}

pub(super) fn too_many(messages: usize) -> Error {
    Error::unsupported(
        format!(
            "writing out {messages} messages or more: at most {MOST_WRITTEN} are simulated at once"
        ),
        "use model \"link_load\", or smaller groups",
    )
}

/// The same refusal, which names the model that needs no list of messages.
pub(crate) fn or_link_load(error: Error) -> Error {
    match error {
        Error::Unsupported { what, instead } => {
            Error::unsupported(what, format!("{instead}, or use model \"link_load\""))
        }
        other => other,
    }
}

/// The same groups with one of them in front, which is the one that is written out.
fn first_of(groups: &Groups, group: usize) -> Groups {
    let mut groups = groups.clone();
    match &mut groups {
        Groups::Grid { locals, domains } => {
            let (local, domain) = (group % locals.len(), group / locals.len());
            locals.swap(0, local);
            domains.swap(0, domain);
        }
        Groups::Scattered(listed) => listed.swap(0, group),
    }
    groups
}

/// What tells groups apart that an algorithm may run in different ways: where their chips are as seen from the first,
/// and how many of their domains each site has.
fn shape(machine: &Machine, groups: &Groups, group: usize) -> Vec<i64> {
    let domain = machine.domain();
    let from_first = |locals: &[u32]| -> Vec<i64> {
        let axes = 0..domain.axes().len();
        axes.flat_map(|axis| {
            let place = move |local: u32| i64::from(domain.coordinate(local, axis));
            locals
                .iter()
                .map(move |&local| place(local) - place(locals[0]))
        })
        .collect()
    };
    match groups {
        Groups::Grid { locals, domains } => {
            let mut shape = from_first(&locals[group % locals.len()]);
            let set = &domains[group / locals.len()];
            let of_sites = set.chunk_by(|&a, &b| machine.site_of(a) == machine.site_of(b));
            shape.extend(of_sites.map(|part| part.len() as i64));
            shape
        }
        // Lists are run in the order of their ranks, wherever the chips are.
        Groups::Scattered(_) => Vec::new(),
    }
}

/// Ways of messages over the links that they share.
pub(crate) struct Wires<'a> {
    machine: &'a Machine,
    routings: Vec<Routing>,
    control: &'a Control,
    /// Resources of the links met so far, and the links.
    numbers: BTreeMap<u64, u32>,
    links: Vec<u64>,
    routes: BTreeMap<(u32, u32), Rc<[Route]>>,
}

/// The messages of one group and the ways that they take.
pub(crate) struct Wired<'a> {
    schedule: &'a Schedule,
    pipeline: Option<&'a Pipeline>,
    pub(super) ways: Vec<Vec<Way>>,
}

impl<'a> Wires<'a> {
    pub(crate) fn new(
        machine: &'a Machine,
        routing: &Routing,
        engine: Engine,
        control: &'a Control,
    ) -> Result<Self> {
        routing.check(machine)?;
        Ok(Self {
            machine,
            routings: routings(routing, engine)?,
            control,
            numbers: BTreeMap::new(),
            links: Vec::new(),
            routes: BTreeMap::new(),
        })
    }

    pub(super) fn machine(&self) -> &'a Machine {
        self.machine
    }

    /// Takes messages by another policy from here on.
    pub(super) fn reroute(&mut self, routing: &Routing, engine: Engine) -> Result<()> {
        routing.check(self.machine)?;
        let routings = routings(routing, engine)?;
        if routings != self.routings {
            self.routings = routings;
            self.routes.clear();
        }
        Ok(())
    }

    /// The link of a resource.
    pub(super) fn link(&self, resource: u32) -> u64 {
        self.links[resource as usize]
    }

    pub(super) fn num_links(&self) -> usize {
        self.links.len()
    }

    /// A graph with the links met so far as resources, and no messages.
    pub(crate) fn graph(&self) -> Graph {
        let mut graph = Graph::default();
        for &link in &self.links {
            let (bandwidth, latency) = self.machine.link_numbers(link);
            graph.resource(bandwidth, latency);
        }
        graph
    }

    /// The messages of a schedule between `chips`.
    pub(crate) fn wired<'s>(
        &mut self,
        schedule: &'s Schedule,
        pipeline: Option<&'s Pipeline>,
        chips: &[u32],
    ) -> Result<Wired<'s>> {
        let turn = |send: &Send| (send.stage, send.step, send.src);
        // Seconds that a rank takes to start what it sends in a step; what goes to one other rank goes together.
        let mut starts: BTreeMap<(u32, u32, u32), f64> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut ways: Vec<Vec<Way>> = Vec::with_capacity(schedule.sends.len());
        for send in &schedule.sends {
            self.control.check()?;
            let routes = self.routes(chips[send.src as usize], chips[send.dst as usize])?;
            if seen.insert((send.stage, send.step, send.src, send.dst)) {
                let overhead = routes.first().map_or(0.0, |route| route.overhead);
                *starts.entry(turn(send)).or_default() += overhead;
            }
            let share = 1.0 / routes.len() as f64;
            let way = |route: &Route| Way {
                path: self.path(route),
                latency: route.latency,
                share,
                delay: 0.0,
            };
            ways.push(routes.iter().map(way).collect());
        }
        for (send, ways) in schedule.sends.iter().zip(&mut ways) {
            ways.iter_mut()
                .for_each(|way| way.delay = starts[&turn(send)]);
        }
        Ok(Wired {
            schedule,
            pipeline: pipeline.filter(|pipeline| !pipeline.is_whole()),
            ways,
        })
    }

    fn routes(&mut self, from: u32, to: u32) -> Result<Rc<[Route]>> {
        // Two ranks on one chip, one of them for a dead chip, pass what they have to each other for nothing.
        let (from, to) = (stand_in(self.machine, from)?, stand_in(self.machine, to)?);
        if let Some(known) = self.routes.get(&(from, to)) {
            return Ok(Rc::clone(known));
        }
        let mut routes = Vec::with_capacity(self.routings.len());
        for routing in &self.routings {
            routes.push(route_until(self.machine, routing, from, to, self.control)?);
        }
        routes.dedup_by(|a, b| a.links == b.links);
        for &link in routes.iter().flat_map(|route| &route.links) {
            let next = self.links.len() as u32;
            if *self.numbers.entry(link).or_insert(next) == next {
                self.links.push(link);
            }
        }
        let routes: Rc<[Route]> = routes.into();
        self.routes.insert((from, to), Rc::clone(&routes));
        Ok(routes)
    }

    fn path(&self, route: &Route) -> Vec<(u32, f64)> {
        let steps = route.links.iter().zip(&route.shares);
        steps
            .map(|(link, &share)| (self.numbers[link], share))
            .collect()
    }
}

impl Wired<'_> {
    /// Adds the messages to a graph of [`Wires::graph`]; none starts before the gate `begins` opens.
    pub(crate) fn put(&self, into: &mut Graph, begins: u32, control: &Control) -> Result<()> {
        match self.pipeline {
            Some(pipeline) => pipeline.put(self.schedule, &self.ways, begins, into, control),
            None => graph(self.schedule, &self.ways, begins, into, control),
        }
    }

    /// Calls `visit` with each resource of each message, and the bytes on it.
    pub(super) fn loads(&self, mut visit: impl FnMut(u32, f64)) {
        for (send, ways) in self.schedule.sends.iter().zip(&self.ways) {
            for way in ways {
                for &(resource, share) in &way.path {
                    visit(resource, send.bytes * way.share * share);
                }
            }
        }
    }
}
