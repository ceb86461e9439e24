//! Flat rings through several domains, message by message: every rank goes on by itself.
//!
//! Where no message is ever slower for the others, whatever they do (`price/ring/`), nothing has to be simulated.

use super::message::MOST_MESSAGES;
use super::network::Network;
use crate::Result;
use crate::collective::price::cost::StageCost;
use crate::collective::program::schedule::{Part, Rings};
use crate::fluid::{Flow, Graph, NO_GATE};
use crate::route::{Route, route_until};
use crate::sim::Engine;
use std::collections::BTreeMap;
use std::ops::Range;

/// Seconds of a stage that is rings; `None` where it is not, or where its messages are too many to serve them in turn: then
/// everybody waits for everybody at each step. Fair shares of too many are those of link loads, which nothing exceeds.
pub(super) fn time(network: &mut Network, stage: &StageCost) -> Result<Option<f64>> {
    let [track] = &stage.stage.tracks[..] else {
        return Ok(None);
    };
    let Some(rings) = track.phases.first().and_then(|phase| phase.rings.as_ref()) else {
        return Ok(None);
    };
    let groups = rings.paths.len() * rings.sets.len();
    let (ranks, steps) = (rings.ranks(), rings.rounds as usize * (rings.ranks() - 1));
    let messages = groups
        .saturating_mul(rings.backward.len() * network.routings.len())
        .saturating_mul(ranks)
        .saturating_mul(steps);
    if messages > MOST_MESSAGES {
        // On no link there are ever more messages than the hops over it, so that none is slower than by link loads.
        let by_links = network.engine == Engine::Fluid;
        return Ok(by_links.then(|| stage.time(1.0)));
    }
    let mut build = Build {
        bytes: track.phases[0].parts.first().map_or(0.0, of_message),
        network,
        rings,
        graph: Graph::default(),
        links: BTreeMap::new(),
    };
    build.put(track.phases.len())?;
    Ok(Some(network.run(&build.graph)?.makespan))
}

/// Bytes of a message of a part of rings.
fn of_message(part: &Part) -> f64 {
    part.bytes * part.moves.first().map_or(1.0, |moves| moves.factor(0))
}

/// Rings in which no message is ever slower for the others: they take what they take by link loads.
pub(super) fn apart(stage: &StageCost) -> bool {
    let mut phases = stage.tracks.iter().flat_map(|track| &track.phases);
    phases.all(|phase| phase.pace.as_ref().is_some_and(|pace| pace.alone))
}

struct Build<'a, 'b> {
    network: &'a Network<'b>,
    rings: &'a Rings,
    /// Of each message.
    bytes: f64,
    graph: Graph,
    /// The resource of each link.
    links: BTreeMap<u64, u32>,
}

/// Seconds of latency of one way of a message, and (resource, part of the bytes on it) along it.
type Way = (f64, Vec<(u32, f64)>);

/// One ring: its chips in the order in which it passes them.
struct Circle {
    chips: Vec<u32>,
    backward: bool,
    /// The gate at which the rank at place 0 begins.
    first_gate: u32,
}

impl Build<'_, '_> {
    fn put(&mut self, phases: usize) -> Result<()> {
        let (ranks, round) = (self.rings.ranks(), self.rings.ranks() - 1);
        let ways = self.circles();
        for phase in 0..phases {
            for circles in &ways {
                // In the order of a schedule that is written out: who comes first matters where links serve in turn.
                for onward in [false, true] {
                    for circle in circles {
                        for place in 0..ranks {
                            // Backwards, a hop stands where the same hop forwards does.
                            let place = match circle.backward {
                                true => (2 * ranks - 2 - place) % ranks,
                                false => place,
                            };
                            if ((place + 1) % self.rings.paths[0].len() == 0) == onward {
                                self.hop(circle, place, phase * round..(phase + 1) * round)?;
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The rings of each way.
    fn circles(&mut self) -> Vec<Vec<Circle>> {
        let per_domain = self.network.context.machine.domain().chips();
        let gates = self.rings.ranks() * (self.steps() + 1);
        let mut ways = Vec::with_capacity(self.rings.backward.len());
        for &backward in &self.rings.backward {
            let mut circles = Vec::new();
            for set in self.rings.sets.iter() {
                for path in &self.rings.paths {
                    let chips = set.iter().flat_map(|domain| {
                        path.iter().map(move |local| domain * per_domain + local)
                    });
                    let mut chips: Vec<u32> = chips.collect();
                    if backward {
                        chips.reverse();
                    }
                    circles.push(Circle {
                        chips,
                        backward,
                        first_gate: self.graph.gates.len() as u32,
                    });
                    (0..gates).for_each(|_| {
                        self.graph.gate();
                    });
                }
            }
            ways.push(circles);
        }
        ways
    }

    fn steps(&self) -> usize {
        self.rings.rounds as usize * (self.rings.ranks() - 1)
    }

    /// The messages of one hop in some steps.
    fn hop(&mut self, circle: &Circle, place: usize, steps: Range<usize>) -> Result<()> {
        let ranks = circle.chips.len();
        let next = (place + 1) % ranks;
        let forward = if circle.backward {
            ranks - 1 - place
        } else {
            place
        };
        let delay = self.rings.overhead(self.network.context.machine, forward);
        let routes = self.routes(circle.chips[place], circle.chips[next])?;
        let bytes = self.bytes / routes.len() as f64;
        let turns = self.steps() as u32 + 1;
        let gate =
            |place: usize, step: usize| circle.first_gate + place as u32 * turns + step as u32;
        for step in steps {
            self.network.context.control.check()?;
            for (latency, path) in &routes {
                let flow = Flow {
                    bytes,
                    latency: *latency,
                    delay,
                    waits: if step == 0 {
                        NO_GATE
                    } else {
                        gate(place, step)
                    },
                    frees: [gate(place, step + 1), gate(next, step + 1)],
                    ..Flow::default()
                };
                self.graph.flow(flow, path.iter().copied())?;
            }
        }
        Ok(())
    }

    /// The ways of one message over resources of the graph, with the latency of each.
    fn routes(&mut self, from: u32, to: u32) -> Result<Vec<Way>> {
        let context = self.network.context;
        let mut routes: Vec<Route> = Vec::new();
        for routing in &self.network.routings {
            routes.push(route_until(
                context.machine,
                routing,
                from,
                to,
                context.control,
            )?);
        }
        routes.dedup_by(|a, b| a.links == b.links);
        let mut found = Vec::with_capacity(routes.len());
        for route in routes {
            let path = route.links.iter().zip(&route.shares);
            let path = path
                .map(|(&link, &share)| (self.resource(link), share))
                .collect();
            found.push((route.latency, path));
        }
        Ok(found)
    }

    fn resource(&mut self, link: u64) -> u32 {
        let (bandwidth, latency) = self.network.context.machine.link_numbers(link);
        let graph = &mut self.graph;
        *self
            .links
            .entry(link)
            .or_insert_with(|| graph.resource(bandwidth, latency))
    }
}
