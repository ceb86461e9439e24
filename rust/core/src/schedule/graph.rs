//! A schedule as the graph that the event-driven engines run.

use super::Schedule;
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
/// parts. Nothing starts before the gate `begins` opens.
pub(crate) fn graph(
    schedule: &Schedule,
    routes: &[Vec<SendRoute>],
    begins: u32,
    graph: &mut Graph,
    control: &Control,
) -> Result<()> {
    // Who takes part in which step: (stage, lane, rank, step).
    let mut turns: BTreeMap<(u32, u32, u32, u32), u32> = BTreeMap::new();
    let mut stages: BTreeMap<u32, u32> = BTreeMap::new();
    for send in &schedule.sends {
        control.check()?;
        stages.entry(send.stage).or_insert(begins);
        for rank in [send.src, send.dst] {
            turns
                .entry((send.stage, send.lane, rank, send.step))
                .or_insert(NO_GATE);
        }
    }
    // Every turn has a gate that opens with it; so does every stage but the first.
    for gate in stages.values_mut().skip(1) {
        *gate = graph.gate();
    }
    turns.values_mut().for_each(|gate| *gate = graph.gate());
    let ordered: Vec<_> = turns.iter().collect();
    let mut following: BTreeMap<(u32, u32, u32, u32), u32> = BTreeMap::new();
    for (at, (turn, gate)) in ordered.iter().enumerate() {
        control.check()?;
        let (stage, lane, rank, _) = **turn;
        let first = at == 0 || {
            let before = ordered[at - 1].0;
            (before.0, before.1, before.2) != (stage, lane, rank)
        };
        if first {
            graph.pass(stages[&stage], **gate)?;
        }
        if let Some((next, next_gate)) = ordered.get(at + 1) {
            if (next.0, next.1, next.2) == (stage, lane, rank) {
                following.insert(**turn, **next_gate);
                graph.pass(**gate, **next_gate)?;
            }
        }
    }
    // What others name, and the next stage, wait for the whole message: a gate of its own where that is needed.
    let mut named = vec![NO_GATE; schedule.sends.len()];
    for send in &schedule.sends {
        for &other in &send.after {
            if named[other as usize] == NO_GATE {
                named[other as usize] = graph.gate();
            }
        }
    }
    for (index, send) in schedule.sends.iter().enumerate() {
        control.check()?;
        let turn = |rank: u32| (send.stage, send.lane, rank, send.step);
        let mut waits = turns[&turn(send.src)];
        if !send.after.is_empty() {
            let gate = graph.gate();
            graph.pass(waits, gate)?;
            for &other in &send.after {
                graph.pass(named[other as usize], gate)?;
            }
            waits = gate;
        }
        if named[index] != NO_GATE {
            // A message is there for others when its receiver has come to its step.
            graph.pass(turns[&turn(send.dst)], named[index])?;
        }
        let next_stage = stages.range(send.stage + 1..).next().map(|(_, &gate)| gate);
        let next = |rank: u32| following.get(&turn(rank)).copied();
        let arrived = [next(send.dst), next_stage, Some(named[index])];
        let targets: Vec<u32> = arrived
            .into_iter()
            .flatten()
            .filter(|&gate| gate != NO_GATE)
            .collect();
        for route in &routes[index] {
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
                frees: [next(send.src).unwrap_or(NO_GATE), arrival],
                ..Flow::default()
            };
            graph.flow(flow, route.path.iter().copied())?;
            if targets.len() > 1 {
                for &target in &targets {
                    graph.pass(arrival, target)?;
                }
            }
        }
    }
    Ok(())
}
