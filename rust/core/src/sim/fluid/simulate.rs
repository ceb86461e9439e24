//! Messages as fluids, from event to event: rates are fair anew whenever a flow starts or ends.

use super::clock::Clock;
use super::crowd::NO_CROWD;
use super::gates::Gates;
use super::graph::{Graph, NO_GATE, Times};
use super::shares::{CROWD, Shares};
use super::virtual_clock::VirtualClock;
use crate::Control;
use crate::error::Result;

/// Events between two looks at the cancel flag.
const STRETCH: usize = 1 << 12;

/// What can happen, and to which flow or crowd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// Its last byte leaves, if its rate has not changed since.
    Sent(u32),
    /// The last byte of a flow of a crowd leaves, if the clock of the crowd has not changed since.
    Due(u32),
    /// That byte arrives.
    Arrived(u32),
    /// It begins to send.
    Starts(u32),
}

/// How far a running flow is.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// Bytes that were left at `since`, when its rate last changed; in a crowd, the reading of its clock at the end.
    left: f64,
    since: f64,
    /// When it ends at this rate; NaN if it does not run, infinite in a crowd.
    ends: f64,
    /// The crowd that holds it back, or [`NO_CROWD`].
    crowd: u32,
}

/// Runs a graph with max-min fair rates, which are found anew whenever flows start or end.
///
/// A flow alone takes delay + bytes / min(capacity / weight) + latency; one without bytes or without a path leaves
/// at once. Events within a relative 1e-12 of each other are one instant, the earliest of them: symmetric flows,
/// whose times differ by rounding, end together. Sequential, and the same to the bit each time. A change costs what
/// it reaches: the links whose fair level it moves, and the few flows on each of them; many flows that one link holds
/// back are told by their clock.
///
/// Adds a unit to `control` for each flow that has left.
///
/// # Errors
/// Those of [`Graph::check`], [`Error::Invalid`](crate::Error::Invalid) that names flows whose gate never opens, and
/// [`Error::Cancelled`](crate::Error::Cancelled).
pub fn simulate(graph: &Graph, control: &Control) -> Result<Times> {
    simulate_crowds(graph, CROWD, control)
}

/// [`simulate`] with crowds from so many flows on a link on, and until so few.
pub(super) fn simulate_crowds(graph: &Graph, crowd: [u32; 2], control: &Control) -> Result<Times> {
    graph.check()?;
    let mut run = Run::of(graph, control)?;
    run.shares.crowding.from_until = crowd;
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
        run.aim(now);
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
    clocks: Vec<VirtualClock>,
    /// Crowds whose next end is to be found.
    unaimed: Vec<u32>,
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
            crowd: NO_CROWD,
        };
        let mut run = Self {
            graph,
            gates: Gates::of(graph),
            shares: Shares::of(graph, control)?,
            clock: Clock::new(),
            clocks: Vec::new(),
            unaimed: Vec::new(),
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
        let (progress, clocks) = (&self.progress, &self.clocks);
        self.clock
            .first(|time, event| still_true(progress, clocks, time, event))
    }

    fn counts(&self, time: f64, event: Event) -> bool {
        still_true(&self.progress, &self.clocks, time, event)
    }

    fn happen(&mut self, event: Event, now: f64) {
        match event {
            Event::Sent(flow) => {
                self.progress[flow as usize].ends = f64::NAN;
                self.shares.stop(flow);
                self.leave(flow, now);
            }
            Event::Due(crowd) => self.end_of_crowd(crowd, now),
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
                    crowd: NO_CROWD,
                };
            }
        }
    }

    /// The flows of a crowd that end in this instant leave.
    fn end_of_crowd(&mut self, crowd: u32, now: f64) {
        let end = self.clock.end();
        self.clocks[crowd as usize].next = f64::NAN;
        self.unaimed.push(crowd);
        loop {
            let progress = &self.progress;
            let is_due = |flow: u32, end: f64| is_due(progress, crowd, flow, end);
            let Some(flow) = self.clocks[crowd as usize].due(end, is_due) else {
                break;
            };
            let progress = &mut self.progress[flow as usize];
            (progress.ends, progress.crowd) = (f64::NAN, NO_CROWD);
            self.shares.stop(flow);
            self.leave(flow, now);
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
        for &crowd in self.shares.changed_crowds() {
            while self.clocks.len() <= crowd as usize {
                self.clocks.push(VirtualClock::new());
            }
            self.clocks[crowd as usize].set(now, self.shares.level(crowd));
            self.unaimed.push(crowd);
        }
        for &(flow, old) in self.shares.changed() {
            let progress = &mut self.progress[flow as usize];
            let (rate, crowd) = (self.shares.rate(flow), self.shares.held_by(flow));
            let still = match crowd {
                NO_CROWD => rate == old,
                _ => true,
            };
            if progress.ends.is_nan() || crowd == progress.crowd && still {
                continue;
            }
            let left = match progress.crowd {
                NO_CROWD => (progress.left - old * (now - progress.since)).max(0.0),
                before => {
                    self.unaimed.push(before);
                    self.clocks[before as usize].part(progress.left, now)
                }
            };
            *progress = match crowd {
                NO_CROWD => Progress {
                    left,
                    since: now,
                    ends: now + left / rate,
                    crowd,
                },
                joined => Progress {
                    left: self.clocks[joined as usize].join(flow, left, now),
                    since: now,
                    ends: f64::INFINITY,
                    crowd,
                },
            };
            match crowd {
                NO_CROWD => self.clock.at(progress.ends, Event::Sent(flow)),
                joined => self.unaimed.push(joined),
            }
        }
        self.shares.forget();
        // A flow that gets faster leaves its later ends behind.
        let (progress, clocks) = (&self.progress, &self.clocks);
        self.clock
            .tidy(|time, event| still_true(progress, clocks, time, event));
        Ok(())
    }

    /// Finds when the next flow of each crowd ends whose clock or flows have changed.
    fn aim(&mut self, now: f64) {
        if self.unaimed.is_empty() {
            return;
        }
        self.unaimed.sort_unstable();
        self.unaimed.dedup();
        for crowd in self.unaimed.drain(..) {
            let progress = &self.progress;
            let is_due = |flow: u32, end: f64| is_due(progress, crowd, flow, end);
            if let Some(next) = self.clocks[crowd as usize].aim(now, is_due) {
                self.clock.at(next, Event::Due(crowd));
            }
        }
    }
}

/// True if a flow of a crowd ends at this reading of its clock: it has not left it since.
fn is_due(progress: &[Progress], crowd: u32, flow: u32, end: f64) -> bool {
    let progress = &progress[flow as usize];
    progress.crowd == crowd && progress.left == end
}

/// False for ends that came from rates which have changed since.
fn still_true(progress: &[Progress], clocks: &[VirtualClock], time: f64, event: Event) -> bool {
    match event {
        Event::Sent(flow) => progress[flow as usize].ends == time,
        Event::Due(crowd) => clocks[crowd as usize].next == time,
        Event::Arrived(_) | Event::Starts(_) => true,
    }
}
