//! `algorithm="nccl"`: the tuning model of NCCL 2.30.7, for machines that say what their GPUs are.
//!
//! NCCL prices each algorithm under each protocol as latency + bytes / bandwidth, from tables and from a search of
//! the node's topology, and takes the cheapest. The same is done here, with its tables as they are. The model knows
//! a node (a domain of this machine) and a NIC and nothing else: no fabric, no contention between groups. Its trees
//! have a correction by size that falls in places, so its time does too.

mod choice;
mod communicator;
mod cost;
mod direct;
mod graph;
mod tables;
#[cfg(test)]
mod tests;

use crate::collective::solve::Solver;
use choice::{NAME, OPERATIONS};

/// A row of the table of solvers.
pub(crate) const SOLVER: Solver = Solver {
    name: NAME,
    summary: "what NCCL 2.30.7's own tuning model predicts and picks; GPU machines, only when named",
    operations: OPERATIONS,
    takes_chunks: false,
    on_damage: false,
    is_bounded: false,
    run: choice::run,
    time: None,
    prepare: None,
    schedule: Err((
        "the schedule of nccl, which is a table of prices",
        "name an algorithm that has one, such as \"ring\" or \"double_binary_tree\"",
    )),
};
