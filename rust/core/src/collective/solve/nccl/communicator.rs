//! One communicator: a group as NCCL sees it.

use crate::collective::ask::group::Groups;
use crate::machine::Machine;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// One communicator: a group as NCCL sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Communicator {
    pub(super) ranks: u32,
    pub(super) nodes: u32,
    /// Most ranks on a node.
    pub(super) largest: u32,
    /// NICs on each node that are near its GPUs.
    pub(super) nics: u32,
    /// GB/s of a NIC; 0 where there is none.
    pub(super) nic: f64,
}

impl Communicator {
    /// Ranks of a node, rounded down where nodes have unlike numbers, as NCCL counts hops.
    pub(super) fn per_node(&self) -> u32 {
        self.ranks / self.nodes
    }

    /// The same as it counts shares.
    pub(super) fn mean_per_node(&self) -> f64 {
        f64::from(self.ranks) / f64::from(self.nodes)
    }

    /// Each rank is alone on its node.
    pub(super) fn is_spread(&self) -> bool {
        self.ranks == self.nodes
    }

    /// As a node with so many ranks sees it, in its search of its own topology.
    pub(super) fn seen_with(&self, machine: &Machine, count: u32) -> Self {
        Self {
            ranks: count * self.nodes,
            largest: count,
            nics: near(machine, count),
            ..*self
        }
    }

    /// The groups, all alike, and the numbers of ranks that nodes have, each once.
    pub(super) fn of(machine: &Machine, groups: &Groups) -> Result<(Self, Vec<u32>)> {
        let mut found: Option<Vec<u32>> = None;
        match groups {
            Groups::Grid { locals, domains } => {
                found = Some(vec![locals[0].len() as u32; domains[0].len()]);
            }
            Groups::Scattered(lists) => {
                for list in lists {
                    let mut members: BTreeMap<u32, u32> = BTreeMap::new();
                    for &chip in list {
                        *members.entry(machine.split(chip).0).or_default() += 1;
                    }
                    let mut counts: Vec<u32> = members.into_values().collect();
                    counts.sort_unstable();
                    if found.as_ref().is_some_and(|known| *known != counts) {
                        return Err(Error::unsupported(
                            "algorithm 'nccl' over groups that lie unlike on nodes",
                            "ask for one group at a time, or take another algorithm",
                        ));
                    }
                    found = Some(counts);
                }
            }
        }
        let mut counts = found.unwrap_or_else(|| vec![1]);
        let nodes = counts.len() as u32;
        counts.dedup();
        let chips = machine.domain().chips();
        let of_one = machine.nic().map_or(0.0, |nic| nic.bandwidth / 1e9);
        let team = Self {
            ranks: groups.ranks() as u32,
            nodes,
            largest: counts[counts.len() - 1],
            nics: near(machine, counts[0]),
            nic: of_one * f64::from(chips / machine.chips_of_nic()) / f64::from(all_nics(machine)),
        };
        Ok((team, counts))
    }
}

/// NICs of a node: as its GPUs say, or its own.
fn all_nics(machine: &Machine) -> u32 {
    let own = machine.gpu().and_then(|gpu| gpu.nics);
    own.unwrap_or(machine.domain().chips() / machine.chips_of_nic())
}

/// NICs near so many GPUs of a node: those that share one are neighbours, and so are those of a group.
fn near(machine: &Machine, count: u32) -> u32 {
    let all = u64::from(count) * u64::from(all_nics(machine));
    all.div_ceil(u64::from(machine.domain().chips())) as u32
}
