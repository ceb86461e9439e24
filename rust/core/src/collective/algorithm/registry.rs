//! The table of algorithms. A new algorithm is a file beside this one and a row here.

use super::{
    Job, bruck, bucket, composed, direct, halving, in_switch, multi_ring, pat, ring, swing, tree,
    trivance,
};
use crate::collective::schedule::Stage;
use crate::operation::Operation::{self, *};
use crate::{Error, Result};

/// One algorithm: its name, what it is in a line, which operations it does.
pub struct Algorithm {
    /// The name that users write.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What it does.
    pub operations: &'static [Operation],
    /// Made of other algorithms, and so not offered to those that are.
    pub(crate) composed: bool,
    pub(crate) build: fn(&Job) -> Result<Vec<Stage>>,
}

/// The algorithm that `auto` and `hierarchical` leave out unless it is named: links allow more of it than switches do.
pub(crate) const IN_SWITCH: &str = "in_switch";

const REDUCING: &[Operation] = &[AllReduce, ReduceScatter, AllGather];

/// All algorithms that run over one placement. `hierarchical` combines them over the tiers of a machine.
pub const ALGORITHMS: &[Algorithm] = &[
    Algorithm {
        name: "ring",
        summary: "neighbours on a ring, both directions at once",
        operations: &[
            AllReduce,
            ReduceScatter,
            AllGather,
            AllToAll,
            Broadcast,
            Reduce,
        ],
        composed: false,
        build: ring::both_ways,
    },
    Algorithm {
        name: "ring_one_way",
        summary: "neighbours on a ring, one direction",
        operations: &[
            AllReduce,
            ReduceScatter,
            AllGather,
            AllToAll,
            Broadcast,
            Reduce,
        ],
        composed: false,
        build: ring::one_way,
    },
    Algorithm {
        name: "multi_ring",
        summary: "two edge-disjoint Hamiltonian cycles of a k x k plane, both directions (KangaRing on 4 x 4)",
        operations: REDUCING,
        composed: false,
        build: multi_ring::multi_ring,
    },
    Algorithm {
        name: "bucket",
        summary: "rings along one axis after another, orders of the axes weighted to keep every axis busy",
        operations: &[AllReduce, ReduceScatter, AllGather, AllToAll],
        composed: false,
        build: bucket::weighted,
    },
    Algorithm {
        name: "bucket_equal",
        summary: "rings along one axis after another, equal shares of the cyclic orders",
        operations: REDUCING,
        composed: false,
        build: bucket::equal,
    },
    Algorithm {
        name: "halving_doubling",
        summary: "recursive halving, then doubling, between ranks that differ in one bit",
        operations: REDUCING,
        composed: false,
        build: halving::halving_doubling,
    },
    Algorithm {
        name: "recursive_doubling",
        summary: "whole buffers between ranks that differ in one bit: fewest steps for small messages",
        operations: &[AllReduce],
        composed: false,
        build: halving::recursive_doubling,
    },
    Algorithm {
        name: "swing",
        summary: "exchanges that swing to either side at distances 1, 1, 3, 5, 11, ..., all axes and ways at once",
        operations: REDUCING,
        composed: false,
        build: swing::bandwidth,
    },
    Algorithm {
        name: "swing_latency",
        summary: "Swing with whole buffers: half the steps, more bytes",
        operations: &[AllReduce],
        composed: false,
        build: swing::latency,
    },
    Algorithm {
        name: "trivance",
        summary: "exchanges with a rank on either side at once, at distances 1, 3, 9, ...",
        operations: REDUCING,
        composed: false,
        build: trivance::bandwidth,
    },
    Algorithm {
        name: "trivance_latency",
        summary: "Trivance with whole buffers: log3 p steps",
        operations: &[AllReduce],
        composed: false,
        build: trivance::latency,
    },
    Algorithm {
        name: "bruck",
        summary: "distances 1, 2, 4, ... in ceil(log2 p) steps, for any number of ranks",
        operations: &[AllReduce, ReduceScatter, AllGather, AllToAll],
        composed: false,
        build: bruck::bruck,
    },
    Algorithm {
        name: "pat",
        summary: "a binomial tree from every rank, farthest step first, messages joined",
        operations: &[ReduceScatter, AllGather],
        composed: false,
        build: pat::pat,
    },
    Algorithm {
        name: "direct",
        summary: "every rank to every rank that needs its bytes, at once",
        operations: &[
            AllReduce,
            ReduceScatter,
            AllGather,
            AllToAll,
            Broadcast,
            Reduce,
            Gather,
            Scatter,
            SendRecv,
        ],
        composed: false,
        build: direct::direct,
    },
    Algorithm {
        name: "mesh",
        summary: "every rank's whole buffer to every other in one step",
        operations: &[AllReduce],
        composed: false,
        build: direct::mesh,
    },
    Algorithm {
        name: IN_SWITCH,
        summary: "the switch adds up and copies (NVLS): only where it is named, and on GPUs whose switch does",
        operations: REDUCING,
        composed: false,
        build: in_switch::in_switch,
    },
    Algorithm {
        name: "binomial_tree",
        summary: "the ranks that have the data double with each step",
        operations: &[AllReduce, Broadcast, Reduce, Gather, Scatter],
        composed: false,
        build: tree::binomial,
    },
    Algorithm {
        name: "double_binary_tree",
        summary: "two pipelined binary trees, half of the data each",
        operations: &[AllReduce, Broadcast, Reduce],
        composed: false,
        build: tree::double_binary,
    },
    Algorithm {
        name: "scatter_allgather",
        summary: "broadcast as scatter and all-gather, reduce as reduce-scatter and gather",
        operations: &[Broadcast, Reduce],
        composed: true,
        build: composed::scatter_allgather,
    },
    Algorithm {
        name: "symmetric",
        summary: "a rooted operation as the one that every rank takes part in alike",
        operations: &[Broadcast, Reduce, Gather, Scatter],
        composed: true,
        build: composed::symmetric,
    },
];

/// The algorithm of a name.
pub(crate) fn find(name: &str) -> Result<&'static Algorithm> {
    ALGORITHMS
        .iter()
        .find(|row| row.name == name)
        .ok_or_else(|| Error::Unknown {
            argument: "algorithm".to_owned(),
            value: name.to_owned(),
            known: format!(
                "auto, hierarchical, nccl, neuron, synthesized, {}",
                ALGORITHMS
                    .iter()
                    .map(|row| row.name)
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        })
}

/// Names of the algorithms that do an operation.
pub(crate) fn names(operation: Operation) -> Vec<&'static str> {
    ALGORITHMS
        .iter()
        .filter(|row| row.operations.contains(&operation))
        .map(|row| row.name)
        .collect()
}
