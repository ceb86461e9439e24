//! `algorithm="nccl"`: what NCCL picks and takes, for machines that say what their GPUs are.
//!
//! NCCL prices each algorithm under each protocol as latency + bytes / bandwidth, from tables and from a search of
//! the node's topology, and takes the cheapest. The same is done here, with its tables as they are; what the choice
//! takes is by fitted figures where a machine has them (`timed.rs`). The model knows a node (a domain of this
//! machine) and a NIC and nothing else: no fabric, no contention between groups. Its trees have a correction by size
//! that falls in places, and a choice by prices is not one by times, so that its time falls in places too.

mod choice;
mod communicator;
mod cost;
mod direct;
mod graph;
mod tables;
#[cfg(test)]
mod tests;
mod timed;
#[cfg(test)]
mod timed_tests;
mod way;

use crate::collective::solve::Solver;
use choice::{NAME, OPERATIONS};

/// A row of the table of solvers.
pub(crate) const SOLVER: Solver = Solver {
    name: NAME,
    summary: "what NCCL picks by its own tuning model, and takes; GPU machines, only when named",
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
