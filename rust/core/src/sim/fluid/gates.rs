//! Gates while a graph runs: which are open, and who waits.

use super::graph::{Graph, NO_GATE};
use crate::error::{Error, Result};

/// Flows that an error names.
const NAMED: usize = 8;

pub(crate) struct Gates {
    /// Releases that are still to come.
    missing: Vec<u32>,
    /// Flows that wait for each gate, from `first[gate]` to `first[gate + 1]`, ascending.
    first: Vec<u32>,
    waiting: Vec<u32>,
}

impl Gates {
    pub(crate) fn of(graph: &Graph) -> Self {
        let gates = graph.gates.len();
        let mut first = vec![0u32; gates + 1];
        for flow in graph.flows.iter().filter(|flow| flow.waits != NO_GATE) {
            first[flow.waits as usize + 1] += 1;
        }
        for gate in 0..gates {
            first[gate + 1] += first[gate];
        }
        let mut next = first.clone();
        let mut waiting = vec![0; first[gates] as usize];
        for (index, flow) in graph.flows.iter().enumerate() {
            if flow.waits != NO_GATE {
                waiting[next[flow.waits as usize] as usize] = index as u32;
                next[flow.waits as usize] += 1;
            }
        }
        Self {
            missing: graph.gates.clone(),
            first,
            waiting,
        }
    }

    /// Flows that wait for nothing: without a gate, or with one that is open from the start; ascending.
    pub(crate) fn free(&self, graph: &Graph) -> Vec<u32> {
        let open = |gate: u32| gate == NO_GATE || self.missing[gate as usize] == 0;
        let flows = graph.flows.iter().enumerate();
        flows
            .filter(|(_, flow)| open(flow.waits))
            .map(|(index, _)| index as u32)
            .collect()
    }

    /// Releases a gate once (none for [`NO_GATE`]) and returns the flows that this sets free.
    pub(crate) fn release(&mut self, gate: u32) -> &[u32] {
        if gate == NO_GATE {
            return &[];
        }
        let gate = gate as usize;
        // `Graph::check` has counted the releases.
        self.missing[gate] -= 1;
        if self.missing[gate] > 0 {
            return &[];
        }
        &self.waiting[self.first[gate] as usize..self.first[gate + 1] as usize]
    }

    /// Fails if a gate that flows wait for has not opened when nothing moves any more.
    pub(crate) fn all_open(&self) -> Result<()> {
        let stuck = |&gate: &usize| self.missing[gate] > 0;
        let mut flows: Vec<u32> = (0..self.missing.len())
            .filter(stuck)
            .flat_map(|gate| {
                &self.waiting[self.first[gate] as usize..self.first[gate + 1] as usize]
            })
            .copied()
            .collect();
        if flows.is_empty() {
            return Ok(());
        }
        flows.sort_unstable();
        let names: Vec<String> = flows.iter().take(NAMED).map(u32::to_string).collect();
        let more = match flows.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Err(Error::invalid(
            "graph",
            format!("a deadlock: flows {}{more} wait for ever", names.join(", ")),
            "every gate must get its releases from flows that do not wait for it",
        ))
    }
}
