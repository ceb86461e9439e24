//! One step of a piece of a track as gates: when everybody who takes part begins it, has sent, and is through with it.

use crate::Result;
use crate::fluid::{Graph, NO_GATE};

/// No gate or resource yet.
const UNSET: u32 = NO_GATE - 1;

/// Everybody who takes part in a track, as senders of its pieces.
#[derive(Default)]
pub(super) struct Senders {
    /// The time of each as a resource, as far as it has been asked for.
    times: Vec<u32>,
    /// By step, the gate of each that opens when what it sent there in the piece before has left.
    ports: Vec<Vec<u32>>,
}

impl Senders {
    pub(super) fn new(everybody: usize, steps: usize) -> Self {
        Self {
            times: vec![UNSET; everybody],
            ports: vec![Vec::new(); steps],
        }
    }

    /// The gate at which a sender has started its messages of a step, which takes `overhead` of its time.
    fn started(
        &mut self,
        graph: &mut Graph,
        from: usize,
        ready: u32,
        overhead: f64,
    ) -> Result<u32> {
        if overhead == 0.0 {
            return Ok(ready);
        }
        if self.times[from] == UNSET {
            self.times[from] = graph.resource(1.0, 0.0);
        }
        graph.worked(self.times[from], ready, overhead)
    }
}

/// The gates of one step.
pub(super) struct StepGates {
    /// Which step of the track it is.
    at: usize,
    /// No piece comes after this one.
    last: bool,
    begins: Vec<u32>,
    next: Vec<u32>,
    left: Vec<u32>,
}

impl StepGates {
    pub(super) fn new(at: usize, everybody: usize, last: bool) -> Self {
        Self {
            at,
            last,
            begins: vec![UNSET; everybody],
            next: vec![UNSET; everybody],
            left: vec![UNSET; everybody],
        }
    }

    /// Makes the gates of a message's ends; its sender, who may begin with the gate `ready`, takes `overhead` of its
    /// time to start what it sends.
    pub(super) fn open(
        &mut self,
        graph: &mut Graph,
        senders: &mut Senders,
        (from, to): (usize, usize),
        ready: u32,
        overhead: f64,
    ) -> Result<()> {
        for end in [from, to] {
            if self.next[end] == UNSET {
                self.next[end] = graph.gate();
            }
        }
        if self.begins[from] == UNSET {
            let port = senders.ports[self.at].get(from).copied();
            let started = senders.started(graph, from, ready, overhead)?;
            self.begins[from] = graph.both(started, port.unwrap_or(NO_GATE))?;
            self.left[from] = match self.last {
                true => self.next[from],
                false => graph.gate(),
            };
        }
        Ok(())
    }

    /// What a message waits for, and what it frees.
    pub(super) fn of(&self, (from, to): (usize, usize)) -> (u32, [u32; 2]) {
        (self.begins[from], [self.left[from], self.next[to]])
    }

    /// Closes the step when its messages are in the graph: `ready` is when everybody is through with the steps so far.
    pub(super) fn close(
        self,
        graph: &mut Graph,
        senders: &mut Senders,
        ready: &mut [u32],
    ) -> Result<()> {
        for (end, ready) in ready.iter_mut().enumerate() {
            if self.next[end] == UNSET {
                continue;
            }
            if self.begins[end] == UNSET {
                // Who only receives is through with this step no earlier than with the steps before.
                if *ready != NO_GATE {
                    graph.pass(*ready, self.next[end])?;
                }
            } else if !self.last {
                graph.pass(self.left[end], self.next[end])?;
            }
            *ready = self.next[end];
        }
        if !self.last {
            let gates = self.left.into_iter();
            senders.ports[self.at] = gates
                .map(|gate| if gate == UNSET { NO_GATE } else { gate })
                .collect();
        }
        Ok(())
    }
}
