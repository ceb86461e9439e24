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
    /// By step, the gate of each at which it begins what it sends there in the piece to come: not before what it sent
    /// there in the piece before has left.
    ports: Vec<Vec<u32>>,
}

impl Senders {
    pub(super) fn new(everybody: usize, steps: usize) -> Self {
        Self {
            times: vec![UNSET; everybody],
            ports: vec![Vec::new(); steps],
        }
    }

    /// The gate at which a sender begins a step that it may begin with the gate `ready`, and of whose messages the
    /// starting takes `overhead` of its time.
    fn begins(
        &mut self,
        graph: &mut Graph,
        (at, from): (usize, usize),
        ready: u32,
        overhead: f64,
    ) -> Result<u32> {
        let port = self.ports[at].get(from).copied().unwrap_or(UNSET);
        if overhead == 0.0 {
            if port == UNSET || ready == NO_GATE {
                return Ok(if port == UNSET { ready } else { port });
            }
            graph.pass(ready, port)?;
            return Ok(port);
        }
        if self.times[from] == UNSET {
            self.times[from] = graph.resource(1.0, 0.0);
        }
        let gate = if port == UNSET { graph.gate() } else { port };
        graph.work(self.times[from], ready, overhead, gate)?;
        Ok(gate)
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
    /// When the sender may begin this step of the next piece.
    after: Vec<u32>,
    /// When all that it sent has left, where some of it goes to others: what a sender sends to itself has arrived no
    /// earlier than it left.
    left: Vec<u32>,
}

impl StepGates {
    pub(super) fn new(at: usize, everybody: usize, last: bool) -> Self {
        Self {
            at,
            last,
            begins: vec![UNSET; everybody],
            next: vec![UNSET; everybody],
            after: vec![UNSET; everybody],
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
            self.begins[from] = senders.begins(graph, (self.at, from), ready, overhead)?;
            if !self.last {
                self.after[from] = graph.gate();
            }
        }
        if from != to && !self.last && self.left[from] == UNSET {
            self.left[from] = graph.gate();
        }
        Ok(())
    }

    /// What a message waits for, and what it frees.
    pub(super) fn of(&self, (from, to): (usize, usize)) -> (u32, [u32; 2]) {
        let left = match (self.last, self.left[from]) {
            (true, _) => self.next[from],
            (false, UNSET) => self.after[from],
            (false, left) => left,
        };
        (self.begins[from], [left, self.next[to]])
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
            } else if self.left[end] != UNSET {
                graph.pass(self.left[end], self.next[end])?;
                graph.pass(self.left[end], self.after[end])?;
            }
            *ready = self.next[end];
        }
        if !self.last {
            senders.ports[self.at] = self.after;
        }
        Ok(())
    }
}
