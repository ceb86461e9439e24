//! Latency and bandwidth of one algorithm under one protocol: the rules of NVIDIA/nccl v2.30.7
//! `src/graph/tuning.cc` (`ncclTopoTuneModel`, `ncclTopoGetAlgoTime`) in microseconds and GB/s, as there.

use super::communicator::Communicator;
use super::graph::{Graph, communicator_channels, least, nvls, rings};
use super::tables::{
    Algorithm, BASE, Figures, LL_NODES, MOST_COLLNET, MOST_NVLS, NET, NVLINK, PCI, Protocol,
    correction, figures,
};
use crate::machine::{Cpu, Gpu};
use crate::operation::Operation;

/// What one algorithm under one protocol costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Price {
    /// Microseconds before the first hop.
    pub(super) base: f64,
    /// Microseconds of all hops.
    pub(super) hops: f64,
    /// Hops that wait for each other.
    pub(super) steps: u64,
    /// Bytes of the request per microsecond, in thousands: GB/s.
    pub(super) rate: f64,
}

impl Price {
    /// Microseconds of `bytes`.
    pub(super) fn time(&self, bytes: f64) -> f64 {
        self.base + self.hops + bytes / (1000.0 * self.rate)
    }
}

/// NCCL's view of a communicator.
pub(super) struct Model<'a> {
    pub(super) gpu: &'a Gpu,
    pub(super) communicator: Communicator,
    figures: &'static Figures,
    pub(super) rings: Graph,
    pub(super) nvls: Graph,
    channels: u32,
    /// Numbers of ranks that nodes have, each once.
    pub(super) counts: Vec<u32>,
}

impl<'a> Model<'a> {
    /// Of nodes that all have as many ranks.
    pub(super) fn new(gpu: &'a Gpu, communicator: Communicator) -> Self {
        Self::seen(gpu, communicator, &[communicator])
    }

    /// Of nodes that each see the communicator so: all take the least that any of them found.
    pub(super) fn seen(gpu: &'a Gpu, communicator: Communicator, views: &[Communicator]) -> Self {
        let rings = least(views.iter().map(|view| rings(gpu, view)));
        Self {
            gpu,
            communicator,
            figures: figures(gpu),
            rings,
            nvls: least(views.iter().map(|view| nvls(gpu, view))),
            counts: views.iter().map(|view| view.largest).collect(),
            channels: communicator_channels(gpu, &communicator, &rings),
        }
    }

    /// What it costs, or why NCCL does not do it.
    pub(super) fn price(
        &self,
        operation: Operation,
        algorithm: Algorithm,
        protocol: Protocol,
        bytes: f64,
    ) -> Result<Price, String> {
        self.eligible(operation, algorithm, protocol)?;
        let base = BASE[algorithm as usize][protocol as usize];
        let (intra, inter) = self.hop(algorithm, protocol);
        let intra = match algorithm {
            Algorithm::Ring => intra.max(self.post_overhead(protocol)),
            _ => intra,
        };
        let (hops, steps) = self.hops(operation, algorithm, intra, inter);
        let mut rate = self.rate(operation, algorithm, protocol);
        let x86 = self.gpu.cpu != Cpu::Arm;
        let corrected = match algorithm {
            Algorithm::Tree => Some(23),
            Algorithm::NvlsTree if self.figures.nvlink > 40.0 && x86 => Some(24),
            _ => None,
        };
        if let Some(end) = corrected {
            rate *= correction(protocol, bytes, end);
        }
        let slower = self.plateau(operation, algorithm, protocol, bytes);
        Ok(Price {
            base: base * slower,
            hops: hops * slower,
            steps,
            rate,
        })
    }

    /// By how much hops are slower: rings over the network keep every channel waiting from some size on.
    pub(super) fn plateau(
        &self,
        operation: Operation,
        algorithm: Algorithm,
        protocol: Protocol,
        bytes: f64,
    ) -> f64 {
        let share =
            bytes as u64 / (u64::from(self.channels) * u64::from(self.communicator.ranks)).max(1);
        let plateau = algorithm == Algorithm::Ring
            && protocol == Protocol::Simple
            && self.communicator.nodes > 1
            && operation == Operation::AllReduce
            && share >= 64;
        if plateau { 1.4 } else { 1.0 }
    }

    fn eligible(
        &self,
        operation: Operation,
        algorithm: Algorithm,
        protocol: Protocol,
    ) -> Result<(), String> {
        use Algorithm::*;
        let refuse = |why: &str| Err(why.to_owned());
        let (nodes, per_node) = (self.communicator.nodes, self.communicator.largest);
        let reduces_all = operation == Operation::AllReduce;
        self.allowed(protocol)?;
        if self.rings.channels == 0 {
            return refuse("no path between GPUs is as fast as the slowest that NCCL tries");
        }
        match algorithm {
            Ring => Ok(()),
            Tree | CollNetChain | NvlsTree if !reduces_all => {
                refuse("NCCL does all-reduce alone this way")
            }
            Tree => Ok(()),
            Pat if reduces_all => refuse("NCCL does all-gather and reduce-scatter alone this way"),
            _ if protocol != Protocol::Simple => refuse("NCCL does it by protocol simple alone"),
            Pat if !self.communicator.is_spread() => refuse("PAT takes one GPU on each node"),
            Pat => Ok(()),
            CollNetDirect | CollNetChain if !self.gpu.collnet => {
                refuse("network switches do not reduce here (collnet)")
            }
            CollNetDirect | CollNetChain if nodes == 1 => {
                refuse("CollNet joins nodes and there is one")
            }
            CollNetDirect | CollNetChain if per_node > MOST_COLLNET => {
                refuse("CollNet takes at most 8 GPUs of a node")
            }
            CollNetDirect if !reduces_all && self.communicator.nics < per_node => {
                refuse("CollNet takes a NIC for each GPU for this")
            }
            CollNetDirect | CollNetChain => Ok(()),
            Nvls | NvlsTree if self.nvls.channels < 2 => {
                refuse("no NVLink SHARP, or fewer than two channels of it")
            }
            Nvls if nodes > 1 && !self.gpu.collnet => {
                refuse("over several nodes it needs switches that reduce (collnet)")
            }
            Nvls if !reduces_all && per_node > MOST_NVLS => {
                refuse("it takes at most 32 GPUs of a node for this")
            }
            NvlsTree if nodes == 1 => refuse("it joins nodes and there is one"),
            Nvls | NvlsTree => Ok(()),
        }
    }

    /// Whether the machine lets NCCL use a protocol.
    pub(super) fn allowed(&self, protocol: Protocol) -> Result<(), String> {
        let (may, name) = match protocol {
            Protocol::Ll => (self.gpu.ll, "ll"),
            Protocol::Ll128 => (self.gpu.ll128, "ll128"),
            Protocol::Simple => (true, "simple"),
        };
        if may {
            Ok(())
        } else {
            Err(format!(
                "protocol {name} is not among the machine's protocols"
            ))
        }
    }

    /// Microseconds of a hop inside nodes, and between them.
    pub(super) fn hop(&self, algorithm: Algorithm, protocol: Protocol) -> (f64, f64) {
        let (a, p) = (algorithm as usize, protocol as usize);
        let alone = self.communicator.is_spread();
        let intra = if alone { PCI[a][p] } else { NVLINK[a][p] };
        // A GPU alone on its node hides nothing, and NCCL takes the tree's figure.
        let table = NET[if alone { Algorithm::Tree as usize } else { a }][p];
        let network = self.gpu.network_latency * 1e6;
        // Simple also flushes.
        let times = if protocol == Protocol::Simple {
            2.0
        } else {
            1.0
        };
        (intra, table + times * network)
    }

    /// Microseconds of the hops, of `intra` inside nodes and `inter` between them, and how many hops.
    pub(super) fn hops(
        &self,
        operation: Operation,
        algorithm: Algorithm,
        intra: f64,
        inter: f64,
    ) -> (f64, u64) {
        let (ranks, nodes) = (
            f64::from(self.communicator.ranks),
            f64::from(self.communicator.nodes),
        );
        let per_node = f64::from(self.communicator.per_node());
        let levels = f64::from(self.communicator.nodes.ilog2());
        let passes = if operation == Operation::AllReduce {
            2.0
        } else {
            1.0
        };
        let (hops, steps) = match algorithm {
            Algorithm::Ring => {
                let (all, between) = (passes * (ranks - 1.0), passes * (nodes - 1.0));
                ((all - between) * intra + between * inter, all)
            }
            Algorithm::Tree => {
                let inside = per_node - 1.0;
                (
                    2.0 * (inside * intra + levels * inter),
                    2.0 * (inside + levels),
                )
            }
            Algorithm::CollNetDirect => {
                let inside = (per_node - 1.0).min(1.0);
                let fan = (per_node - 1.0) * 0.4;
                (2.0 * (inside * intra + fan) + inter, 2.0 * inside + 1.0)
            }
            Algorithm::CollNetChain => {
                let inside = per_node - 1.0;
                (2.0 * inside * intra + inter, 2.0 * inside + 1.0)
            }
            Algorithm::Nvls if self.communicator.nodes > 1 => (intra + inter, 2.0),
            Algorithm::Nvls => (intra, 1.0),
            Algorithm::NvlsTree => (intra + 2.0 * levels * inter, 1.0 + 2.0 * levels),
            Algorithm::Pat => (levels * inter / 3.5 + ranks * 2.8, levels),
        };
        (hops, steps as u64)
    }

    /// Microseconds in which a host posts one message of a ring over the network.
    pub(super) fn post_overhead(&self, protocol: Protocol) -> f64 {
        if self.communicator.nodes == 1 {
            return 0.0;
        }
        let once = if self.gpu.cpu == Cpu::Amd { 2.0 } else { 1.0 };
        if protocol == Protocol::Simple {
            3.0 * once
        } else {
            once
        }
    }

    /// GB/s of the request before corrections by size.
    fn rate(&self, operation: Operation, algorithm: Algorithm, protocol: Protocol) -> f64 {
        let bus = self.bus(operation, algorithm, protocol);
        let ranks = f64::from(self.communicator.ranks);
        match (operation, algorithm) {
            (Operation::AllReduce, Algorithm::Ring | Algorithm::Nvls | Algorithm::NvlsTree) => {
                bus * ranks / (2.0 * (ranks - 1.0))
            }
            (Operation::AllReduce, _) => bus * 0.5,
            (_, Algorithm::Ring) => bus * ranks / (ranks - 1.0),
            _ => bus,
        }
    }

    /// GB/s that the channels carry together.
    pub(super) fn bus(
        &self,
        operation: Operation,
        algorithm: Algorithm,
        protocol: Protocol,
    ) -> f64 {
        let few = self.communicator.nodes <= 2;
        let rings = &self.rings;
        let channels = f64::from(rings.channels);
        let speed = if few { rings.intra } else { rings.inter };
        let bus = channels * speed;
        let tier = self.tier();
        match (algorithm, protocol) {
            (Algorithm::Ring, Protocol::Ll) => (bus * 0.5).min(self.ll_most()),
            (Algorithm::Ring, Protocol::Ll128) => {
                (bus * 0.92).min(channels * self.figures.ring_ll128[tier])
            }
            (Algorithm::Ring, Protocol::Simple) => bus,
            (Algorithm::Tree, _) => {
                let tree = (bus * 0.92).min(channels * self.figures.tree[tier]);
                let packed = if self.communicator.nodes == 1 {
                    7.0 / 9.0
                } else {
                    120.0 / 128.0
                };
                match protocol {
                    Protocol::Ll => (tree / 3.8).min(self.ll_most()),
                    Protocol::Ll128 => {
                        (tree * packed).min(channels * self.figures.tree_ll128[tier])
                    }
                    Protocol::Simple => tree,
                }
            }
            (Algorithm::Pat, _) => bus * 0.75,
            (Algorithm::Nvls | Algorithm::NvlsTree, _) => self.nvls_bus(operation, algorithm),
            (Algorithm::CollNetChain, _) => channels * rings.intra,
            (Algorithm::CollNetDirect, _) => self.collnet_bus(operation),
        }
    }

    /// GB/s of a GPU's direct sends inside its node: what rings carry there with no other node.
    pub(super) fn inside(&self, protocol: Protocol) -> f64 {
        let alone = Communicator {
            ranks: self.communicator.largest,
            nodes: 1,
            ..self.communicator
        };
        Model::new(self.gpu, alone).bus(Operation::AllToAll, Algorithm::Ring, protocol)
    }

    /// Which of a triple counts: one node, two, more.
    fn tier(&self) -> usize {
        (self.communicator.nodes as usize - 1).min(2)
    }

    fn ll_most(&self) -> f64 {
        match self.tier() {
            0 => self.figures.ll_one_node,
            tier => LL_NODES[usize::from(self.gpu.cpu == Cpu::Amd)][tier - 1],
        }
    }

    fn nvls_bus(&self, operation: Operation, algorithm: Algorithm) -> f64 {
        let per_node = self.communicator.mean_per_node();
        let channels = f64::from(self.nvls.channels);
        let tree = algorithm == Algorithm::NvlsTree;
        let inside = self.nvls.intra * self.figures.nvls * (channels - 1.0) / channels
            * match operation {
                // Two operations overlap.
                Operation::AllReduce => 2.0,
                _ => (per_node - 1.0) / per_node,
            };
        let times = if tree && self.communicator.nodes <= 2 {
            2.0
        } else {
            1.0
        };
        let mut speed = inside.min(self.nvls.inter * times);
        if tree {
            speed = speed.min(self.figures.nvls_tree[self.tier()]);
        }
        channels * speed
    }

    /// A channel for each NIC at the ring's speed.
    fn collnet_bus(&self, operation: Operation) -> f64 {
        let per_node = self.communicator.mean_per_node();
        if operation != Operation::AllReduce {
            return per_node * self.rings.intra.min(self.rings.inter * 0.9);
        }
        let channels = f64::from(self.communicator.nics);
        // GPUs without a NIC of their own count half.
        let factor = (per_node / channels + 1.0) / 2.0;
        let modern = if self.figures.modern { 0.85 } else { 1.0 };
        channels * self.rings.intra / factor * modern
    }
}
