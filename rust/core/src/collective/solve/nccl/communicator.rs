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
    /// NICs on each node that are near its GPUs.
    pub(super) nics: u32,
    /// GB/s of a NIC; 0 where there is none.
    pub(super) nic: f64,
}

impl Communicator {
    pub(super) fn per_node(&self) -> u32 {
        self.ranks / self.nodes
    }

    /// The groups, all alike.
    pub(super) fn of(machine: &Machine, groups: &Groups) -> Result<Self> {
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
        let (ranks, nodes) = (groups.ranks() as u32, nodes as u32);
        let chips = machine.domain().chips();
        let all = machine.gpu().and_then(|gpu| gpu.nics).unwrap_or(chips);
        let of_a_gpu = machine.nic().map_or(0.0, |nic| nic.bandwidth / 1e9);
        // GPUs of a node that share a NIC are neighbours, and so are those of a group.
        let near = (u64::from(ranks / nodes) * u64::from(all)).div_ceil(u64::from(chips));
        Ok(Self {
            ranks,
            nodes,
            nics: near as u32,
            nic: of_a_gpu * f64::from(chips) / f64::from(all),
        })
    }
}
