//! `algorithm="nccl"`: the tuning model of NCCL 2.30.7, for machines that say what their GPUs are.
//!
//! NCCL prices each algorithm under each protocol as latency + bytes / bandwidth, from tables and from a search of
//! the node's topology, and takes the cheapest. The same is done here, with its tables as they are. The model knows
//! a node (a domain of this machine) and a NIC and nothing else: no fabric, no contention between groups. Its trees
//! have a correction by size that falls in places, so its time does too.

mod choice;
mod cost;
mod direct;
mod graph;
mod tables;
#[cfg(test)]
mod tests;

pub(crate) use choice::run;

use super::group::Groups;
use crate::machine::Machine;
use crate::operation::Operation;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// The name that users write.
pub const NAME: &str = "nccl";

/// What it is, in a line.
pub const SUMMARY: &str =
    "what NCCL 2.30.7's own tuning model predicts and picks; GPU machines, only when named";

/// What it does.
pub const OPERATIONS: &[Operation] = &[
    Operation::AllReduce,
    Operation::ReduceScatter,
    Operation::AllGather,
    Operation::AllToAll,
    Operation::Barrier,
];

/// One communicator: a group as NCCL sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Team {
    ranks: u32,
    nodes: u32,
    /// GB/s of the NIC of each GPU; 0 where there is none.
    nic: f64,
}

impl Team {
    fn per_node(&self) -> u32 {
        self.ranks / self.nodes
    }

    /// The groups, all alike.
    fn of(machine: &Machine, groups: &Groups) -> Result<Self> {
        let nodes = match groups {
            Groups::Grid { domains, .. } => domains[0].len(),
            Groups::Scattered(lists) => {
                let mut nodes = None;
                for list in lists {
                    let mut members: BTreeMap<u32, usize> = BTreeMap::new();
                    for &chip in list {
                        *members.entry(machine.split(chip).0).or_default() += 1;
                    }
                    let even = members
                        .values()
                        .all(|&count| count * members.len() == list.len());
                    if !even || nodes.is_some_and(|known| known != members.len()) {
                        return Err(Error::unsupported(
                            "algorithm 'nccl' over groups with unequal numbers of ranks on nodes",
                            "take equally many GPUs of each UltraServer, or another algorithm",
                        ));
                    }
                    nodes = Some(members.len());
                }
                nodes.unwrap_or(1)
            }
        };
        Ok(Self {
            ranks: groups.ranks() as u32,
            nodes: nodes as u32,
            nic: machine.nic().map_or(0.0, |nic| nic.bandwidth / 1e9),
        })
    }
}
