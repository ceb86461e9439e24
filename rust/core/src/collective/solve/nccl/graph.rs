//! How many channels NCCL makes on a node of NVSwitch and how fast it takes each to be: the search of
//! NVIDIA/nccl v2.30.7 `src/graph/search.cc`, for the one topology where its outcome is a matter of counting.
//!
//! The search tries speeds in turn and keeps the graph that carries most. A ring takes its speed from each GPU's
//! NVLinks and, over several nodes, from one NIC; NVLS takes it from every GPU for each channel and twice from the
//! channel's head. Assumed: each GPU has one NIC of its own at the machine's NIC rate, or the NICs that the machine says
//! are spread evenly over neighbouring GPUs; trees, chains and CollNet get
//! the ring's speed, and trees are found in NCCL's balanced form (so its factor 0.85 for the plain form does not
//! apply).

use super::communicator::Communicator;
use super::tables::{Figures, MOST_CHANNELS, MOST_NVLS, MOST_SEARCHED, figures};
use crate::machine::Gpu;

/// What the search found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Graph {
    /// Channels.
    pub(super) channels: u32,
    /// GB/s of a channel inside nodes.
    pub(super) intra: f64,
    /// GB/s of a channel between nodes.
    pub(super) inter: f64,
}

impl Graph {
    fn carries(&self) -> f64 {
        f64::from(self.channels) * self.inter
    }
}

const NONE: Graph = Graph {
    channels: 0,
    intra: 0.0,
    inter: 0.0,
};

/// What nodes that found these agree on: the least of each.
pub(super) fn least(found: impl Iterator<Item = Graph>) -> Graph {
    let least = |one: Graph, other: Graph| Graph {
        channels: one.channels.min(other.channels),
        intra: one.intra.min(other.intra),
        inter: one.inter.min(other.inter),
    };
    found.reduce(least).unwrap_or(NONE)
}

/// What a node offers the search, GB/s.
struct Node {
    figures: &'static Figures,
    speeds: &'static [f64],
    /// NICs near the GPUs of the team.
    nics: u32,
    /// All NVLinks of a GPU together; without limit for a GPU alone on its node.
    nvlink: f64,
    /// A NIC behind its PCI link; `None` inside one node.
    nic: Option<f64>,
}

impl Node {
    fn new(gpu: &Gpu, communicator: &Communicator) -> Self {
        let figures = figures(gpu);
        let several = communicator.nodes > 1;
        Self {
            figures,
            speeds: figures.speeds[usize::from(several)],
            nics: communicator.nics,
            nvlink: match communicator.per_node() {
                1 => f64::INFINITY,
                _ => f64::from(gpu.nvlinks) * figures.nvlink,
            },
            nic: several.then_some(communicator.nic.min(figures.pci)),
        }
    }

    /// Channels of `speed` that the NICs carry; a speed that no single path has carries none.
    fn by_nics(&self, speed: f64) -> u32 {
        match self.nic {
            Some(nic) => self.nics.saturating_mul((nic / speed) as u32),
            None if speed <= self.nvlink => MOST_CHANNELS,
            None => 0,
        }
    }

    /// Goes down the speeds, keeping what carries more, until the next is too slow to be worth a try.
    fn search(&self, channels: impl Fn(f64) -> u32, most_first: bool) -> Graph {
        let mut best = NONE;
        for &speed in self.speeds {
            if best.channels > 0 && speed / best.inter <= 0.49 {
                break;
            }
            let found = Graph {
                channels: channels(speed),
                intra: speed,
                inter: speed,
            };
            let more = most_first && found.channels > best.channels;
            if more || found.carries() > best.carries() {
                best = found;
            }
        }
        best
    }
}

/// The rings of a team. Trees and chains share their channels.
pub(super) fn rings(gpu: &Gpu, communicator: &Communicator) -> Graph {
    let node = Node::new(gpu, communicator);
    let mut graph = node.search(
        |speed| {
            let by_links = (node.nvlink / speed).min(f64::from(MOST_SEARCHED)) as u32;
            by_links.min(node.by_nics(speed))
        },
        false,
    );
    // Fast channels are split in two so that more of the GPU works on them.
    let splits =
        graph.intra >= 25.0 && !(node.figures.modern && graph.intra < 50.0 && graph.channels > 4);
    if splits {
        let channels = (2 * graph.channels).min(MOST_SEARCHED);
        let each = f64::from(channels.div_ceil(graph.channels));
        graph = Graph {
            channels,
            intra: graph.intra / each,
            inter: graph.inter / each,
        };
    }
    graph
}

/// Channels of the communicator: twice those of the search, four times where few of them are fast.
pub(super) fn communicator_channels(gpu: &Gpu, communicator: &Communicator, rings: &Graph) -> u32 {
    let doubled = (2 * rings.channels).min(MOST_CHANNELS);
    let modern = figures(gpu).modern;
    if modern && communicator.nodes > 1 && rings.intra > 45.0 && doubled < 16 {
        2 * doubled
    } else {
        doubled
    }
}

/// The NVLS graph; no channels where the generation has no NVLS.
pub(super) fn nvls(gpu: &Gpu, communicator: &Communicator) -> Graph {
    let node = Node::new(gpu, communicator);
    if node.figures.nvls == 0.0 || communicator.per_node() == 1 {
        return NONE;
    }
    let most = communicator.per_node().min(MOST_NVLS);
    // A head's own links carry its channel twice.
    let by_links = |speed: f64| ((node.nvlink / speed) as u32).saturating_sub(1);
    // Inside one node all GPUs are heads or there is no graph.
    let all = communicator.nodes == 1;
    let heads = |speed: f64| most.min(by_links(speed)).min(node.by_nics(speed));
    let mut graph = node.search(
        |speed| match heads(speed) {
            some if all && some < most => 0,
            some => some,
        },
        true,
    );
    // A second pass raises the speed between nodes alone while NICs have room; with one node nothing stops it but the
    // list of speeds, and the tuning model then takes the smaller of the two.
    for &speed in node
        .speeds
        .iter()
        .rev()
        .filter(|&&speed| speed > graph.intra)
    {
        if node.by_nics(speed) < graph.channels || graph.inter >= 2.0 * graph.intra {
            break;
        }
        graph.inter = speed;
    }
    graph
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Generation::{Ampere, Blackwell, Hopper};

    fn communicator(ranks: u32, nodes: u32, nic: f64) -> Communicator {
        let nics = ranks / nodes;
        Communicator {
            ranks,
            nodes,
            largest: ranks / nodes,
            nics,
            nic,
        }
    }

    fn graph(channels: u32, intra: f64, inter: f64) -> Graph {
        Graph {
            channels,
            intra,
            inter,
        }
    }

    #[test]
    fn an_h100_node_has_24_channels_in_rings_and_8_in_nvls() {
        // 18 x 20.6 = 370.8: 6 x 60 = 360 is the most, split into 12 x 30; twice that are the 24 channels that NCCL
        // prints on such nodes. NVLS: 9 x 40 = 360 fits, 9 x 50 does not.
        let (gpu, one) = (Gpu::new(Hopper, 18), communicator(8, 1, 0.0));
        let rings = rings(&gpu, &one);
        assert_eq!(rings, graph(12, 30.0, 30.0));
        assert_eq!(communicator_channels(&gpu, &one, &rings), 24);
        assert_eq!(nvls(&gpu, &one), graph(8, 40.0, 60.0));
    }

    #[test]
    fn nics_of_400_gbps_carry_48_less_what_nvlink_cannot() {
        // H100: 8 x 48 is more than 370.8, 8 x 45 = 360 is not. NVLS: 9 x 40 inside, 48 between nodes.
        let four = communicator(32, 4, 50.0);
        assert_eq!(rings(&Gpu::new(Hopper, 18), &four), graph(8, 45.0, 45.0));
        assert_eq!(nvls(&Gpu::new(Hopper, 18), &four), graph(8, 40.0, 48.0));
        // B200: 721.8 has room for 8 x 48.
        assert_eq!(rings(&Gpu::new(Blackwell, 18), &four), graph(8, 48.0, 48.0));
        assert_eq!(nvls(&Gpu::new(Blackwell, 18), &four), graph(8, 48.0, 48.0));
    }

    #[test]
    fn blackwell_nodes_of_8_and_72() {
        let gpu = Gpu::new(Blackwell, 18);
        // 8 x 90 = 720 of 721.8, split; 9 x 80 = 720 for NVLS.
        assert_eq!(rings(&gpu, &communicator(8, 1, 0.0)), graph(16, 45.0, 45.0));
        assert_eq!(nvls(&gpu, &communicator(8, 1, 0.0)), graph(8, 80.0, 90.0));
        // 32 heads at most: 33 x 20 = 660, 33 x 24 is too much.
        assert_eq!(nvls(&gpu, &communicator(72, 1, 0.0)), graph(32, 20.0, 40.0));
    }

    #[test]
    fn ampere_has_12_links_and_no_nvls() {
        // 6 x 40 = 240 of 240, split into 12 x 20: 24 channels, as NCCL prints on A100 nodes.
        let (gpu, one) = (Gpu::new(Ampere, 12), communicator(8, 1, 0.0));
        assert_eq!(rings(&gpu, &one), graph(12, 20.0, 20.0));
        assert_eq!(nvls(&gpu, &one).channels, 0);
    }

    #[test]
    fn one_gpu_per_node_rides_on_its_nic() {
        // 48 is one channel, split in two; fewer than 16 channels and 24 each: no further doubling.
        let (gpu, alone) = (Gpu::new(Hopper, 18), communicator(4, 4, 50.0));
        let rings = rings(&gpu, &alone);
        assert_eq!(rings, graph(2, 24.0, 24.0));
        assert_eq!(communicator_channels(&gpu, &alone, &rings), 4);
        assert_eq!(nvls(&gpu, &alone).channels, 0);
    }
    #[test]
    fn a_channel_takes_one_nic() {
        // P4d: 4 NICs of 12.5 for 8 GPUs, and one of them for a GPU alone. P5: 32 of 12.5, of which 370.8 has room
        // for 30 channels of 12.
        let shared = Communicator {
            nics: 4,
            ..communicator(32, 4, 12.5)
        };
        let p4d = Gpu::new(Ampere, 12);
        assert_eq!(rings(&p4d, &shared), graph(4, 12.0, 12.0));
        let alone = communicator(4, 4, 12.5);
        assert_eq!(rings(&p4d, &alone), graph(1, 12.0, 12.0));
        let many = Communicator {
            nics: 32,
            ..communicator(32, 4, 12.5)
        };
        assert_eq!(rings(&Gpu::new(Hopper, 18), &many), graph(30, 12.0, 12.0));
    }
}
