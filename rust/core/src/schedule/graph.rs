//! A schedule as the graph that the event-driven engines run.

use super::{Schedule, Send, Turn};
use crate::Control;
use crate::error::Result;
use crate::fluid::{Flow, Graph, NO_GATE};
use std::collections::BTreeMap;

/// How a message travels: its path over resources of the graph, seconds of latency, the part of its bytes that goes
/// this way, and seconds from when it may start to when it does.
pub(crate) struct SendRoute {
    pub(crate) path: Vec<(u32, f64)>,
    pub(crate) latency: f64,
    pub(crate) share: f64,
    pub(crate) delay: f64,
}

/// Adds the messages of `schedule` to `graph`, which has the resources of the routes; `routes` of one message are its
/// parts. Nothing starts before the gate `begins` opens. Returns the flows of the messages, part by part.
pub(crate) fn graph(
    schedule: &Schedule,
    routes: &[Vec<SendRoute>],
    begins: u32,
    graph: &mut Graph,
    control: &Control,
) -> Result<Vec<u32>> {
    let gates = Gates::new(schedule, begins, graph, control)?;
    let mut flows = Vec::with_capacity(schedule.sends.len());
    for (index, (send, routes)) in schedule.sends.iter().zip(routes).enumerate() {
        control.check()?;
        let waits = gates.waits(index, send, graph)?;
        let targets = gates.targets(index, send);
        let next = gates.next(send, send.src).unwrap_or(NO_GATE);
        for route in routes {
            let arrival = match targets[..] {
                [] => NO_GATE,
                [one] => one,
                _ => graph.gate(),
            };
            let flow = Flow {
                bytes: send.bytes * route.share,
                latency: route.latency,
                delay: route.delay,
                waits,
                frees: [next, arrival],
                ..Flow::default()
            };
            flows.push(graph.flow(flow, route.path.iter().copied())?);
            if targets.len() > 1 {
                for &target in &targets {
                    graph.pass(arrival, target)?;
                }
            }
        }
    }
    Ok(flows)
}

/// The gates of a schedule's order.
struct Gates {
    /// Opens when a stage starts.
    stages: BTreeMap<u32, u32>,
    /// Opens when a rank comes to one of its steps.
    turns: BTreeMap<Turn, u32>,
    /// The gate of the rank's next step in the lane.
    following: BTreeMap<Turn, u32>,
    /// Opens when the whole of a message that others name is there.
    named: Vec<u32>,
}

impl Gates {
    fn new(schedule: &Schedule, begins: u32, graph: &mut Graph, control: &Control) -> Result<Self> {
        let mut gates = Self {
            stages: BTreeMap::new(),
            turns: BTreeMap::new(),
            following: BTreeMap::new(),
            named: vec![NO_GATE; schedule.sends.len()],
        };
        for send in &schedule.sends {
            control.check()?;
            gates.stages.entry(send.stage).or_insert(begins);
            for rank in [send.src, send.dst] {
                gates.turns.entry(send.turn(rank)).or_insert(NO_GATE);
            }
        }
        // Every turn has a gate that opens with it; so does every stage but the first.
        for gate in gates.stages.values_mut().skip(1) {
            *gate = graph.gate();
        }
        for gate in gates.turns.values_mut() {
            *gate = graph.gate();
        }
        gates.follow(graph, control)?;
        for &other in schedule.sends.iter().flat_map(|send| &send.after) {
            let named = &mut gates.named[other as usize];
            if *named == NO_GATE {
                *named = graph.gate();
            }
        }
        Ok(gates)
    }

    /// Lets each rank's first turn in a lane open with the stage, and each other one after the one before.
    fn follow(&mut self, graph: &mut Graph, control: &Control) -> Result<()> {
        let mut before: Option<(Turn, u32)> = None;
        for (&turn, &gate) in &self.turns {
            control.check()?;
            let (stage, lane, rank, _) = turn;
            match before.filter(|&((a, b, c, _), _)| (a, b, c) == (stage, lane, rank)) {
                Some((last, last_gate)) => {
                    self.following.insert(last, gate);
                    graph.pass(last_gate, gate)?;
                }
                None => graph.pass(self.stages[&stage], gate)?,
            }
            before = Some((turn, gate));
        }
        Ok(())
    }

    /// The gate of the rank's next step in the lane of `send`.
    fn next(&self, send: &Send, rank: u32) -> Option<u32> {
        self.following.get(&send.turn(rank)).copied()
    }

    /// What a message waits for: its sender's turn, and the messages that it names.
    fn waits(&self, index: usize, send: &Send, graph: &mut Graph) -> Result<u32> {
        let mut waits = self.turns[&send.turn(send.src)];
        if !send.after.is_empty() {
            let gate = graph.gate();
            graph.pass(waits, gate)?;
            for &other in &send.after {
                graph.pass(self.named[other as usize], gate)?;
            }
            waits = gate;
        }
        if self.named[index] != NO_GATE {
            // A message is there for others when its receiver has come to its step.
            graph.pass(self.turns[&send.turn(send.dst)], self.named[index])?;
        }
        Ok(waits)
    }

    /// What waits for the whole of a message.
    fn targets(&self, index: usize, send: &Send) -> Vec<u32> {
        let mut later = self.stages.range(send.stage + 1..);
        let next_stage = later.next().map(|(_, &gate)| gate);
        let arrived = [
            self.next(send, send.dst),
            next_stage,
            Some(self.named[index]),
        ];
        let gates = arrived.into_iter().flatten();
        gates.filter(|&gate| gate != NO_GATE).collect()
    }
}
