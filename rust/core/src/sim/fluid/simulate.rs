//! Messages as fluids, from event to event: rates are fair anew whenever a flow starts or ends.

use super::clock::Clock;
use super::gates::Gates;
use super::graph::{Graph, NO_GATE, Times};
use super::shares::Shares;
use crate::Control;
use crate::error::Result;

/// Events between two looks at the cancel flag.
const STRETCH: usize = 1 << 12;

/// What can happen, and to which flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// Its last byte leaves, if its rate has not changed since.
    Sent(u32),
    /// That byte arrives.
    Arrived(u32),
    /// It begins to send.
    Starts(u32),
}

/// How far a running flow is.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// Bytes that were left at `since`, when its rate last changed.
    left: f64,
    since: f64,
    /// When it ends at this rate; NaN if it does not run.
    ends: f64,
}

/// Runs a graph with max-min fair rates, which are found anew whenever flows start or end.
///
/// A flow alone takes delay + bytes / min(capacity / weight) + latency; one without bytes or without a path leaves
/// at once. Events within a relative 1e-12 of each other are one instant, the earliest of them: symmetric flows,
/// whose times differ by rounding, end together. Sequential, and the same to the bit each time. A change costs what
/// it reaches: the links whose fair level it moves, and the flows on them.
///
/// Adds a unit to `control` for each flow that has left.
///
/// # Errors
/// Those of [`Graph::check`], [`Error::Invalid`](crate::Error::Invalid) that names flows whose gate never opens, and
/// [`Error::Cancelled`](crate::Error::Cancelled).
pub fn simulate(graph: &Graph, control: &Control) -> Result<Times> {
    graph.check()?;
    let mut run = Run::of(graph, control)?;
    let mut seen = 0usize;
    let mut reported = 0usize;
    while let Some((now, event)) = run.first() {
        run.happen(event, now);
        seen += 1;
        while let Some((time, event)) = run.clock.next() {
            if run.counts(time, event) {
                run.happen(event, now);
            }
            seen += 1;
            if seen % STRETCH == 0 {
                control.check()?;
            }
        }
        if run.shares.is_stale() {
            run.update(now, control)?;
        }
        if seen >= reported + STRETCH {
            reported = seen;
            control.check()?;
        }
        control.advance(std::mem::take(&mut run.left));
    }
    run.gates.all_open()?;
    Ok(Times::of(run.sent, run.arrived))
}

struct Run<'a> {
    graph: &'a Graph,
    gates: Gates,
    shares: Shares,
    clock: Clock<Event>,
    progress: Vec<Progress>,
    sent: Vec<f64>,
    arrived: Vec<f64>,
    /// Flows that may start now.
    ready: Vec<u32>,
    /// Flows that have left since the last report.
    left: u64,
}

impl<'a> Run<'a> {
    fn of(graph: &'a Graph, control: &Control) -> Result<Self> {
        let flows = graph.flows.len();
        let idle = Progress {
            left: 0.0,
            since: 0.0,
            ends: f64::NAN,
        };
        let mut run = Self {
            graph,
            gates: Gates::of(graph),
            shares: Shares::of(graph, control)?,
            clock: Clock::new(),
            progress: vec![idle; flows],
            sent: vec![0.0; flows],
            arrived: vec![0.0; flows],
            ready: Vec::new(),
            left: 0,
        };
        for flow in run.gates.free(graph) {
            let delay = graph.flows[flow as usize].delay;
            run.clock.at(delay, Event::Starts(flow));
        }
        Ok(run)
    }

    fn first(&mut self) -> Option<(f64, Event)> {
        let progress = &self.progress;
        self.clock
            .first(|time, event| still_true(progress, time, event))
    }

    fn counts(&self, time: f64, event: Event) -> bool {
        still_true(&self.progress, time, event)
    }

    fn happen(&mut self, event: Event, now: f64) {
        match event {
            Event::Sent(flow) => {
                self.progress[flow as usize].ends = f64::NAN;
                self.shares.stop(flow);
                self.leave(flow, now);
            }
            Event::Arrived(flow) => self.release(self.graph.flows[flow as usize].frees[1], now),
            Event::Starts(flow) => self.ready.push(flow),
        }
        // A loop and no recursion: chains of empty messages can be long.
        while let Some(flow) = self.ready.pop() {
            let row = &self.graph.flows[flow as usize];
            if row.bytes == 0.0 || row.first == row.end {
                self.leave(flow, now);
            } else {
                self.shares.start(flow);
                self.progress[flow as usize] = Progress {
                    left: row.bytes,
                    since: now,
                    ends: f64::INFINITY,
                };
            }
        }
    }

    fn leave(&mut self, flow: u32, now: f64) {
        let row = &self.graph.flows[flow as usize];
        let arrival = now + row.latency;
        self.left += 1;
        self.sent[flow as usize] = now;
        self.arrived[flow as usize] = arrival;
        self.release(row.frees[0], now);
        if row.frees[1] != NO_GATE {
            if arrival == now {
                self.release(row.frees[1], now);
            } else {
                self.clock.at(arrival, Event::Arrived(flow));
            }
        }
    }

    fn release(&mut self, gate: u32, now: f64) {
        for &flow in self.gates.release(gate) {
            let start = now + self.graph.flows[flow as usize].delay;
            if start == now {
                self.ready.push(flow);
            } else {
                self.clock.at(start, Event::Starts(flow));
            }
        }
    }

    /// New rates, and the ends of the flows that they change.
    fn update(&mut self, now: f64, control: &Control) -> Result<()> {
        self.shares.update(control)?;
        for &(flow, old) in self.shares.changed() {
            let (rate, progress) = (self.shares.rate(flow), &mut self.progress[flow as usize]);
            if progress.ends.is_nan() || rate == old {
                continue;
            }
            progress.left = (progress.left - old * (now - progress.since)).max(0.0);
            progress.since = now;
            progress.ends = now + progress.left / rate;
            self.clock.at(progress.ends, Event::Sent(flow));
        }
        self.shares.forget();
        // A flow that gets faster leaves its later ends behind.
        let progress = &self.progress;
        self.clock
            .tidy(|time, event| still_true(progress, time, event));
        Ok(())
    }
}

/// False for the end of a flow whose rate has changed since.
fn still_true(progress: &[Progress], time: f64, event: Event) -> bool {
    !matches!(event, Event::Sent(flow) if progress[flow as usize].ends != time)
}
