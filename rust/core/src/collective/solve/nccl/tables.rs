//! The constants of NCCL's tuning model: NVIDIA/nccl v2.30.7 and, where it differs, v2.29.2, `src/graph/tuning.cc` (tuner constants, NVLS
//! efficiency, tree correction), `src/graph/search.cc` (speeds that the search tries), `src/graph/topo.h` (rate of an
//! NVLink), `src/include/device.h` (channels). Microseconds and GB/s as there; each table says its order.

use crate::machine::{Generation, Gpu, NcclVersion};

/// An algorithm of NCCL, in the order in which it tries them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Tree,
    Ring,
    CollNetDirect,
    CollNetChain,
    Nvls,
    NvlsTree,
    Pat,
}

/// How bytes are handed over, in the order in which NCCL tries them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Ll,
    Ll128,
    Simple,
}

impl Algorithm {
    pub(super) const ALL: [Self; 7] = [
        Self::Tree,
        Self::Ring,
        Self::CollNetDirect,
        Self::CollNetChain,
        Self::Nvls,
        Self::NvlsTree,
        Self::Pat,
    ];

    pub(super) fn name(self) -> &'static str {
        [
            "tree",
            "ring",
            "collnet_direct",
            "collnet_chain",
            "nvls",
            "nvls_tree",
            "pat",
        ][self as usize]
    }
}

impl Protocol {
    pub(super) const ALL: [Self; 3] = [Self::Ll, Self::Ll128, Self::Simple];

    pub(super) fn name(self) -> &'static str {
        ["ll", "ll128", "simple"][self as usize]
    }
}

/// By algorithm, then protocol.
type Latencies = [[f64; 3]; 7];

/// Microseconds of a call before its first hop.
pub(super) const BASE: Latencies = [
    [6.8, 14.0, 8.4],
    [6.6, 14.0, 8.4],
    [0.0; 3],
    [0.0; 3],
    [0.0; 3],
    [0.0; 3],
    [8.0, 8.0, 8.0],
];

/// Microseconds of a hop over NVLink.
pub(super) const NVLINK: Latencies = [
    [0.6, 1.25, 4.0],
    [0.6, 1.9, 3.4],
    [0.0, 0.0, 3.7],
    [0.0, 0.0, 2.8],
    [0.0, 0.0, 25.0],
    [0.0, 0.0, 25.0],
    [0.0, 0.0, 4.0],
];

/// Microseconds of a hop over PCI: what NCCL takes inside a node that has one GPU of the group.
pub(super) const PCI: Latencies = [
    [1.0, 1.9, 4.0],
    [1.0, 2.5, 5.7],
    [0.0, 0.0, 3.7],
    [0.0, 0.0, 2.8],
    [0.0; 3],
    [0.0; 3],
    [0.0, 0.0, 4.0],
];

/// Microseconds of a hop over the network.
pub(super) const NET: Latencies = [
    [5.0, 8.5, 14.0],
    [2.7, 4.0, 14.0],
    [0.0, 0.0, 31.0],
    [0.0, 0.0, 30.0],
    [0.0, 0.0, 18.0],
    [0.0, 0.0, 20.9],
    [0.0, 0.0, 14.0],
];

/// What depends on the generation. Triples are for 1, 2, and more nodes.
pub(super) struct Figures {
    /// GB/s of one NVLink, one direction, as NCCL counts it.
    pub(super) nvlink: f64,
    /// GB/s of the PCI link that a NIC hangs on, x16 of the generation's own gear.
    pub(super) pci: f64,
    /// GB/s of all of LL inside one node.
    pub(super) ll_one_node: f64,
    /// GB/s of a channel.
    pub(super) ring_ll128: [f64; 3],
    pub(super) tree_ll128: [f64; 3],
    pub(super) tree: [f64; 3],
    pub(super) nvls_tree: [f64; 3],
    /// Share of the links' rate that NVLS reaches; 0: there is none.
    pub(super) nvls: f64,
    /// GB/s of a channel that the search tries inside one node, and with several.
    pub(super) speeds: [&'static [f64]; 2],
    /// Compute capability is 9.0 or above.
    pub(super) modern: bool,
}

/// GB/s of all of LL over several nodes, for 2 and for more: Intel and Arm hosts, AMD hosts. NCCL reads rows that it
/// labels by GPU with the kind of host here.
pub(super) const LL_NODES: [[f64; 2]; 2] = [[39.0, 20.4], [22.5, 19.0]];

/// Most channels that the search may make, and that a communicator has.
pub(super) const MOST_SEARCHED: u32 = 32;
pub(super) const MOST_CHANNELS: u32 = 64;
/// Most GPUs that NVLS pulls from, and most GPUs of a node for CollNet.
pub(super) const MOST_NVLS: u32 = 32;
pub(super) const MOST_COLLNET: u32 = 8;

const AMPERE: Figures = Figures {
    nvlink: 20.0,
    pci: 24.0,
    ll_one_node: 87.7,
    ring_ll128: [20.0; 3],
    tree_ll128: [20.0; 3],
    tree: [24.0, 23.6, 17.8],
    nvls_tree: [24.0, 23.6, 17.8],
    nvls: 0.0,
    speeds: [
        &[
            40.0, 30.0, 20.0, 18.0, 15.0, 12.0, 10.0, 9.0, 7.0, 6.0, 5.0, 4.0, 3.0,
        ],
        &[
            48.0, 30.0, 28.0, 24.0, 20.0, 18.0, 15.0, 12.0, 10.0, 9.0, 7.0, 6.0, 5.0, 4.0, 3.0,
            2.4, 1.2, 0.24, 0.12,
        ],
    ],
    modern: false,
};

const HOPPER: Figures = Figures {
    nvlink: 20.6,
    pci: 48.0,
    ll_one_node: 141.0,
    ring_ll128: [36.7; 3],
    tree_ll128: [36.7, 36.7, 29.0],
    tree: [38.7, 41.4, 36.0],
    nvls_tree: [0.0, 57.7, 45.5],
    nvls: 0.85,
    speeds: [
        &[
            60.0, 50.0, 40.0, 30.0, 24.0, 20.0, 15.0, 12.0, 11.0, 6.0, 3.0,
        ],
        &[
            48.0, 45.0, 42.0, 40.0, 30.0, 24.0, 22.0, 20.0, 17.5, 15.0, 12.0, 6.0, 3.0, 2.4, 1.2,
            0.24, 0.12,
        ],
    ],
    modern: true,
};

const BLACKWELL: Figures = Figures {
    nvlink: 40.1,
    pci: 96.0,
    ll_one_node: 282.0,
    ring_ll128: [40.0; 3],
    tree_ll128: [55.6, 31.67, 20.0],
    tree: [70.0, 42.8, 24.0],
    nvls_tree: [0.0, 96.0, 80.0],
    nvls: 0.74,
    speeds: [
        &[
            90.0, 80.0, 70.0, 60.0, 50.0, 45.0, 40.0, 30.0, 24.0, 20.0, 19.0, 18.0,
        ],
        &[
            96.0, 86.0, 80.0, 48.0, 45.1, 42.0, 40.0, 30.0, 24.0, 22.0, 20.0, 17.5, 15.0, 12.0,
            6.0, 3.0, 2.4, 1.2, 0.24, 0.12,
        ],
    ],
    modern: true,
};

/// Those of 2.29.2, which knows fewer NICs and has other caps of LL128's rings and of NVLS trees.
const BLACKWELL_2_29: Figures = Figures {
    ring_ll128: [34.5, 34.6, 34.5],
    nvls_tree: [0.0, 96.0, 43.8],
    speeds: [
        BLACKWELL.speeds[0],
        &[
            96.0, 48.0, 45.1, 42.0, 40.0, 30.0, 24.0, 22.0, 20.0, 17.5, 15.0, 12.0, 6.0, 3.0, 2.4,
            1.2, 0.24, 0.12,
        ],
    ],
    ..BLACKWELL
};

/// The figures of a GPU's generation in its release of NCCL.
pub(super) fn figures(gpu: &Gpu) -> &'static Figures {
    match (gpu.generation, gpu.version) {
        (Generation::Ampere, _) => &AMPERE,
        (Generation::Hopper, _) => &HOPPER,
        (Generation::Blackwell, NcclVersion::V2_29_2) => &BLACKWELL_2_29,
        (Generation::Blackwell, NcclVersion::V2_30_7) => &BLACKWELL,
    }
}

/// Share of a tree's bandwidth that is left, by protocol and power of two from 64 B on.
const CORRECTION: [[f64; 24]; 3] = [
    [
        1.0, 1.0, 1.0, 1.0, 0.9, 0.8, 0.7, 0.7, 0.7, 0.7, 0.6, 0.5, 0.4, 0.4, 0.5, 0.6, 0.7, 0.8,
        0.9, 1.0, 1.0, 1.0, 1.0, 1.0,
    ],
    [
        1.0, 1.0, 1.0, 1.0, 1.0, 0.9, 0.8, 0.8, 0.8, 0.7, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.8, 0.9,
        0.9, 0.9, 0.9, 1.0, 1.0, 1.0,
    ],
    [
        0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.8, 0.7, 0.6, 0.6, 0.5, 0.5, 0.5, 0.5, 0.6, 0.7, 0.8,
        0.7, 0.7, 0.8, 0.9, 0.9, 0.9,
    ],
];

/// The share for a message of `bytes`; powers from `end` on (counted from 64 B) have no correction.
pub(super) fn correction(protocol: Protocol, bytes: f64, end: usize) -> f64 {
    let blocks = bytes as u64 >> 6;
    match blocks.checked_ilog2() {
        Some(power) if (power as usize) < end => CORRECTION[protocol as usize][power as usize],
        _ => 1.0,
    }
}
