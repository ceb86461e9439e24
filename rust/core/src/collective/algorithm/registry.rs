//! The table of algorithms. A new algorithm is a file beside this one and a row here.

use super::job::Algorithm;
use super::job::Build::{Alternatives, Stages};
use super::{
    bruck, bucket, butterfly, by_digit, composed, direct, disjoint_trees, double_tree, flat_ring,
    grid, half_ring, halving, in_switch, least, multi_ring, neighbor_exchange, partners, pat, ring,
    sites, swing, tree, trivance, uncut,
};
use crate::operation::Operation::{self, *};
use crate::{Error, Result};

const REDUCING: &[Operation] = &[AllReduce, ReduceScatter, AllGather];

/// All algorithms that run over one placement. `hierarchical` combines them over the tiers of a machine.
pub const ALGORITHMS: &[Algorithm] = &[
    Algorithm::new(
        "ring",
        "neighbours on a ring, both directions at once; over several UltraServers one ring or one for each NIC",
        &[
            AllReduce,
            ReduceScatter,
            AllGather,
            AllToAll,
            Broadcast,
            Reduce,
        ],
        Stages(ring::both_ways),
    ).at_least(least::ring)
    .across(flat_ring::both_ways)
    .or_across(flat_ring::EACH_NIC),
    Algorithm::new(
        "ring_one_way",
        "neighbours on a ring, one direction",
        &[
            AllReduce,
            ReduceScatter,
            AllGather,
            AllToAll,
            Broadcast,
            Reduce,
        ],
        Stages(ring::one_way),
    ).at_least(least::ring_one_way)
    .across(flat_ring::one_way)
    .sites(sites::ring_one_way),
    Algorithm::new(
        "half_ring",
        "neighbours on a ring, every share by its shorter way: half the steps of ring",
        REDUCING,
        Stages(half_ring::half_ring),
    ).at_least(least::half_ring),
    Algorithm::new(
        "multi_ring",
        "two edge-disjoint Hamiltonian cycles of a k x k plane, both directions (KangaRing on 4 x 4)",
        REDUCING,
        Stages(multi_ring::multi_ring),
    ).at_least(least::multi_ring),
    Algorithm {
        takes_orders: true,
        ..Algorithm::new(
            "bucket",
            "rings along one axis after another, orders of the axes weighted to keep every axis busy",
            &[AllReduce, ReduceScatter, AllGather, AllToAll],
            Alternatives(bucket::weighted),
        ).at_least(least::bucket)
    },
    Algorithm::new(
        "bucket_equal",
        "rings along one axis after another, equal shares of the cyclic orders",
        REDUCING,
        Stages(bucket::equal),
    ).at_least(least::bucket),
    Algorithm::new(
        "halving_doubling",
        "recursive halving, then doubling, between ranks that differ in one bit",
        REDUCING,
        Stages(halving::halving_doubling),
    ).at_least(least::halving_doubling)
    .across(by_digit::halving_doubling),
    Algorithm::new(
        "recursive_doubling",
        "whole buffers between ranks that differ in one bit: fewest steps for small messages",
        &[AllReduce],
        Stages(halving::recursive_doubling),
    ).at_least(least::recursive_doubling)
    .across(by_digit::recursive_doubling),
    Algorithm::new(
        "swing",
        "exchanges that swing to either side at distances 1, 1, 3, 5, 11, ..., all axes and ways at once",
        REDUCING,
        Stages(swing::bandwidth),
    ).at_least(least::swing),
    Algorithm::new(
        "swing_latency",
        "Swing with whole buffers: half the steps, more bytes",
        &[AllReduce],
        Stages(swing::latency),
    ).at_least(least::swing_latency),
    Algorithm::new(
        "trivance",
        "exchanges with a rank on either side at once, at distances 1, 3, 9, ...",
        REDUCING,
        Stages(trivance::bandwidth),
    ).at_least(least::trivance),
    Algorithm::new(
        "trivance_latency",
        "Trivance with whole buffers: log3 p steps",
        &[AllReduce],
        Stages(trivance::latency),
    ).at_least(least::trivance_latency),
    Algorithm::new(
        "bruck",
        "distances 1, 2, 4, ... in ceil(log2 p) steps, for any number of ranks",
        &[AllReduce, ReduceScatter, AllGather, AllToAll],
        Stages(bruck::bruck),
    ).at_least(least::bruck),
    Algorithm::new(
        "pat",
        "a binomial tree from every rank, farthest step first, messages joined",
        REDUCING,
        Stages(pat::pat),
    ).at_least(least::pat),
    Algorithm::new(
        "direct",
        "every rank to every rank that needs its bytes, at once",
        &[
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
        Stages(direct::direct),
    ).at_least(least::direct)
    .across(grid::direct)
    .sites(sites::direct),
    Algorithm::new(
        "mesh",
        "every rank's whole buffer to every other in one step",
        &[AllReduce],
        Stages(direct::mesh),
    ).at_least(least::mesh)
    .across(grid::mesh)
    .sites(sites::mesh),
    Algorithm {
        offered: false,
        in_switch: true,
        ..Algorithm::new(
            "in_switch",
            "the switch adds up and copies (NVLS): only where it is named, and on GPUs whose switch does",
            REDUCING,
            Stages(in_switch::in_switch),
        )
    },
    Algorithm::new(
        "binomial_tree",
        "the ranks that have the data double with each step",
        &[AllReduce, Broadcast, Reduce, Gather, Scatter],
        Stages(tree::binomial),
    ).at_least(least::binomial)
    .across(by_digit::binomial),
    Algorithm::new(
        "double_binary_tree",
        "two pipelined binary trees, half of the data each",
        &[AllReduce, Broadcast, Reduce],
        Stages(double_tree::double_binary),
    ).at_least(least::double_binary)
    .across_by_list(double_tree::across),
    Algorithm::new(
        "disjoint_trees",
        "spanning trees from the root that share no link, pipelined, on a line, plane or box of an UltraServer",
        &[Broadcast, Reduce],
        Stages(disjoint_trees::disjoint_trees),
    ).at_least(least::disjoint_trees),
    Algorithm {
        composed: true,
        ..Algorithm::new(
            "scatter_allgather",
            "broadcast as scatter and all-gather, reduce as reduce-scatter and gather",
            &[Broadcast, Reduce],
            Alternatives(composed::scatter_allgather),
        ).at_least(least::scatter_allgather)
    },
    Algorithm {
        composed: true,
        tier_by_tier: Some(composed::symmetric_to),
        ..Algorithm::new(
            "symmetric",
            "a rooted operation as the one that every rank takes part in alike",
            &[Broadcast, Reduce, Gather, Scatter],
            Alternatives(composed::symmetric),
        ).at_least(least::symmetric)
    },
    // What MPI libraries run beside those above.
    Algorithm::new(
        "neighbor_exchange",
        "trades with the rank on one side, then on the other, p / 2 steps: only where it is named",
        &[AllGather],
        Stages(neighbor_exchange::neighbor_exchange),
    )
    .across(neighbor_exchange::across)
    .when_named(),
    Algorithm::new(
        "pairwise",
        "p - 1 steps with one partner each: only where it is named",
        &[ReduceScatter, AllToAll],
        Stages(partners::pairwise),
    )
    .across(partners::pairwise_across)
    .when_named(),
    Algorithm::new(
        "linear_sync",
        "at most 32 messages of a rank at once, then the next: only where it is named",
        &[AllToAll],
        Stages(partners::linear_sync),
    )
    .across(partners::linear_sync_across)
    .when_named(),
    Algorithm::new(
        "butterfly",
        "recursive halving in the order of ranks, then blocks to their owners: only where it is named",
        &[ReduceScatter],
        Stages(butterfly::butterfly),
    )
    .across(butterfly::across)
    .when_named(),
    Algorithm::new(
        "knomial_tree",
        "whole buffers to three more ranks at a time, ceil(log4 p) steps: only where it is named",
        &[Broadcast, Reduce],
        Stages(uncut::knomial),
    )
    .across(uncut::knomial_across)
    .when_named(),
    Algorithm::new(
        "chain",
        "whole buffers from rank to rank, uncut: only where it is named",
        &[Broadcast, Reduce],
        Stages(uncut::chain),
    )
    .across(uncut::chain_across)
    .when_named(),
];

/// The algorithm of a name, if it is one.
pub(crate) fn row(name: &str) -> Option<&'static Algorithm> {
    ALGORITHMS.iter().find(|row| row.name == name)
}

/// The algorithm of a name that has been checked or is one of ours.
pub(crate) fn find(name: &str) -> Result<&'static Algorithm> {
    row(name).ok_or_else(|| Error::Unknown {
        argument: "algorithm".to_owned(),
        value: name.to_owned(),
        known: ALGORITHMS
            .iter()
            .map(|row| row.name)
            .collect::<Vec<_>>()
            .join(", "),
    })
}
