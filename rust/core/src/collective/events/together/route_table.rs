//! Routes of messages over the links that they share.
//!
//! Messages are routed on the machine as it is given, one by one: nothing here needs a symmetry.

use super::pipeline::Pipeline;
use crate::collective::events::simulate::routings;
use crate::collective::pattern::damage::substitute;
use crate::fluid::{Graph, NO_GATE};
use crate::machine::Machine;
use crate::memory::{Taken, bytes_of};
use crate::route::{Route, Routing, route_until};
use crate::schedule::{Schedule, Send, SendRoute, graph};
use crate::sim::Engine;
use crate::{Control, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What to do about routes that do not fit.
const FEWER: &str = "use a smaller group, or \"dor\", whose routes are short";

/// Routes of messages over the links that they share.
pub(crate) struct RouteTable<'a> {
    machine: &'a Machine,
    routings: Vec<Routing>,
    control: &'a Control,
    /// Resources of the links met so far, and the links.
    numbers: BTreeMap<u64, u32>,
    links: Vec<u64>,
    routes: BTreeMap<(u32, u32), Arc<[Route]>>,
    /// Bytes of the routes that were made, as the graph has them too.
    held: u64,
    taken: Taken,
}

/// The messages of one group and the routes that they take.
pub(crate) struct RoutedSchedule<'a> {
    schedule: &'a Schedule,
    pipeline: Option<&'a Pipeline>,
    pub(super) send_routes: Vec<Vec<SendRoute>>,
}

impl<'a> RouteTable<'a> {
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
            held: 0,
            taken: control.take(0, format_args!("routes of messages"), FEWER)?,
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
    pub(crate) fn routed<'s>(
        &mut self,
        schedule: &'s Schedule,
        pipeline: Option<&'s Pipeline>,
        chips: &[u32],
    ) -> Result<RoutedSchedule<'s>> {
        let turn = |send: &Send| (send.stage, send.step, send.src);
        // Seconds that a rank takes to start what it sends in a step; what goes to one other rank goes together.
        let mut starts: BTreeMap<(u32, u32, u32), f64> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut send_routes: Vec<Vec<SendRoute>> = Vec::with_capacity(schedule.sends.len());
        for send in &schedule.sends {
            self.control.check()?;
            let routes = self.routes(chips[send.src as usize], chips[send.dst as usize])?;
            if seen.insert((send.stage, send.step, send.src, send.dst)) {
                let overhead = routes.first().map_or(0.0, |route| route.overhead);
                *starts.entry(turn(send)).or_default() += overhead;
            }
            let share = 1.0 / routes.len() as f64;
            let route = |route: &Route| SendRoute {
                path: self.path(route),
                latency: route.latency,
                share,
                delay: 0.0,
            };
            send_routes.push(routes.iter().map(route).collect());
            self.hold(routes.iter().map(|route| route.links.len() + 4).sum())?;
        }
        for (send, send_routes) in schedule.sends.iter().zip(&mut send_routes) {
            send_routes
                .iter_mut()
                .for_each(|route| route.delay = starts[&turn(send)]);
        }
        Ok(RoutedSchedule {
            schedule,
            pipeline: pipeline.filter(|pipeline| !pipeline.is_whole()),
            send_routes,
        })
    }

    fn routes(&mut self, from: u32, to: u32) -> Result<Arc<[Route]>> {
        // Two ranks on one chip, one of them for a dead chip, pass what they have to each other for nothing.
        let (from, to) = (
            substitute(self.machine, from, self.control)?,
            substitute(self.machine, to, self.control)?,
        );
        if let Some(known) = self.routes.get(&(from, to)) {
            return Ok(Arc::clone(known));
        }
        let mut routes = Vec::with_capacity(self.routings.len());
        for routing in &self.routings {
            routes.push(route_until(self.machine, routing, from, to, self.control)?);
        }
        routes.dedup_by(|a, b| a.links == b.links);
        // Links, shares, and the numbers of links.
        self.hold(routes.iter().map(|route| route.links.len()).sum::<usize>() * 3)?;
        for &link in routes.iter().flat_map(|route| &route.links) {
            let next = self.links.len() as u32;
            if *self.numbers.entry(link).or_insert(next) == next {
                self.links.push(link);
            }
        }
        let routes: Arc<[Route]> = routes.into();
        self.routes.insert((from, to), Arc::clone(&routes));
        Ok(routes)
    }

    /// Counts so many more links of routes.
    fn hold(&mut self, links: usize) -> Result<()> {
        self.held += bytes_of::<(u32, f64)>(links as u64);
        let what = format_args!("the routes of messages over {} links", self.links.len());
        self.taken.grow_to(self.held, what, FEWER)
    }

    fn path(&self, route: &Route) -> Vec<(u32, f64)> {
        let steps = route.links.iter().zip(&route.shares);
        steps
            .map(|(link, &share)| (self.numbers[link], share))
            .collect()
    }
}

impl RoutedSchedule<'_> {
    /// Adds the messages to a graph of [`RouteTable::graph`]; none starts before the gate `begins` opens.
    pub(crate) fn put(&self, into: &mut Graph, begins: u32, control: &Control) -> Result<()> {
        match self.pipeline {
            Some(pipeline) => pipeline.put(self.schedule, &self.send_routes, begins, into, control),
            None => graph(self.schedule, &self.send_routes, begins, into, control).map(|_| ()),
        }
    }

    /// The same of a schedule that goes whole, from time 0; returns the message of each of its flows by number.
    pub(crate) fn put_listed(
        &self,
        into: &mut Graph,
        control: &Control,
    ) -> Result<Vec<(u32, usize)>> {
        let flows = graph(self.schedule, &self.send_routes, NO_GATE, into, control)?;
        let parts = self.send_routes.iter().map(Vec::len).enumerate();
        let sends = parts.flat_map(|(send, parts)| std::iter::repeat_n(send, parts));
        Ok(flows.into_iter().zip(sends).collect())
    }

    /// The route of a send by fair sharing, which takes no message in parts.
    pub(crate) fn route(&self, send: usize) -> &SendRoute {
        &self.send_routes[send][0]
    }

    /// Calls `visit` with each resource of each message, and the bytes on it.
    pub(super) fn loads(&self, mut visit: impl FnMut(u32, f64)) {
        for (send, send_routes) in self.schedule.sends.iter().zip(&self.send_routes) {
            for route in send_routes {
                for &(resource, share) in &route.path {
                    visit(resource, send.bytes * route.share * share);
                }
            }
        }
    }
}
