//! Messages as wholes: every link serves them one after the other, first come, first served, and stores each before
//! it goes on.
//!
//! This is what the congestion-aware backend of ASTRA-sim's analytical network model does (astra-sim/
//! astra-network-analytical, `congestion_aware/network/Link.cpp` and `Chunk.cpp`), which cuts every delay to whole
//! nanoseconds; here nothing is cut.

#[cfg(test)]
mod tests;

use crate::Control;
use crate::error::Result;
use crate::fluid::{Clock, Gates, Graph, NO_GATE, Times};

/// Events between two looks at the cancel flag.
const STRETCH: usize = 1 << 12;

/// What can happen, and to which flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// Its first resource has served it.
    Sent(u32),
    /// It arrives at its destination.
    Arrived(u32),
    /// It comes to a resource, having passed so many.
    Comes(u32, u32),
}

/// Runs a graph in which each resource serves whole messages, first come, first served.
///
/// A message holds a resource for bytes x weight / capacity, and reaches the next one, or its destination, the
/// resource's latency after that; meanwhile the resource serves others. Of messages that come within a relative 1e-12
/// of the same time, which is rounding, the one with the lower number goes first (a message that has just passed a
/// resource in no time at all comes after those that were there). `sent` is when the first resource
/// has served it. [`Flow::latency`](crate::fluid::Flow::latency) is not read: the latencies of the resources are.
///
/// Sequential and the same to the bit each time; O(log flows) for each step of a path. Adds a unit to `control` for
/// each flow that has arrived.
///
/// # Errors
/// As [`fluid::simulate`](crate::fluid::simulate).
pub fn simulate(graph: &Graph, control: &Control) -> Result<Times> {
    simulate_counting(graph, control, &|_| true)
}

/// [`simulate`] that adds a unit to `control` only for flows that count.
pub(crate) fn simulate_counting(
    graph: &Graph,
    control: &Control,
    counts: &dyn Fn(u32) -> bool,
) -> Result<Times> {
    graph.check()?;
    let flows = graph.flows.len();
    let mut run = Run {
        graph,
        gates: Gates::of(graph),
        clock: Clock::new(),
        free: vec![0.0; graph.capacity.len()],
        sent: vec![0.0; flows],
        arrived: vec![0.0; flows],
        counts,
        done: 0,
    };
    for flow in run.gates.free(graph) {
        let delay = graph.flows[flow as usize].delay;
        run.clock.at(delay, Event::Comes(flow, 0));
    }
    let mut coming = Vec::new();
    let mut seen = 0usize;
    while let Some((time, event)) = run.clock.first(|_, _| true) {
        let mut next = Some((time, event));
        while let Some((time, event)) = next {
            match event {
                Event::Sent(flow) => run.release(graph.flows[flow as usize].frees[0], time),
                Event::Arrived(flow) => run.release(graph.flows[flow as usize].frees[1], time),
                Event::Comes(flow, _) if graph.path(&graph.flows[flow as usize]).is_empty() => {
                    run.leave(flow, time);
                    run.arrive(flow, time);
                }
                Event::Comes(flow, hop) => coming.push((flow, hop, time)),
            }
            seen += 1;
            if seen % STRETCH == 0 {
                control.check()?;
                control.advance(std::mem::take(&mut run.done));
            }
            next = run.clock.next();
        }
        // All that come at this instant are known: the order is theirs, not that of rounding.
        coming.sort_unstable_by_key(|&(flow, hop, _)| (flow, hop));
        for (at, (flow, hop, time)) in coming.drain(..).enumerate() {
            if at % STRETCH == STRETCH - 1 {
                control.check()?;
            }
            run.serve(flow, hop, time);
        }
    }
    control.advance(run.done);
    run.gates.all_open()?;
    Ok(Times::of(run.sent, run.arrived))
}

struct Run<'a> {
    graph: &'a Graph,
    gates: Gates,
    clock: Clock<Event>,
    /// When each resource has served all that came so far.
    free: Vec<f64>,
    sent: Vec<f64>,
    arrived: Vec<f64>,
    counts: &'a dyn Fn(u32) -> bool,
    /// Flows that count and have arrived since the last report.
    done: u64,
}

impl Run<'_> {
    fn serve(&mut self, flow: u32, hop: u32, time: f64) {
        let row = &self.graph.flows[flow as usize];
        let path = self.graph.path(row);
        let (resource, weight) = path[hop as usize];
        let resource = resource as usize;
        let served =
            time.max(self.free[resource]) + row.bytes * weight / self.graph.capacity[resource];
        self.free[resource] = served;
        if hop == 0 {
            self.leave(flow, served);
        }
        let there = served + self.graph.latency[resource];
        if hop as usize + 1 == path.len() {
            self.arrive(flow, there);
        } else {
            self.clock.at(there, Event::Comes(flow, hop + 1));
        }
    }

    fn leave(&mut self, flow: u32, time: f64) {
        self.sent[flow as usize] = time;
        if self.graph.flows[flow as usize].frees[0] != NO_GATE {
            self.clock.at(time, Event::Sent(flow));
        }
    }

    fn arrive(&mut self, flow: u32, time: f64) {
        self.arrived[flow as usize] = time;
        self.done += u64::from((self.counts)(flow));
        if self.graph.flows[flow as usize].frees[1] != NO_GATE {
            self.clock.at(time, Event::Arrived(flow));
        }
    }

    fn release(&mut self, gate: u32, time: f64) {
        for &flow in self.gates.release(gate) {
            let delay = self.graph.flows[flow as usize].delay;
            self.clock.at(time + delay, Event::Comes(flow, 0));
        }
    }
}
