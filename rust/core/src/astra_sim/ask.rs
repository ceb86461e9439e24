//! What a run of ASTRA-sim is of: its network, system, memory and workload files, as numbers.

use std::sync::Arc;

/// How the members of a dimension are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Both neighbours; messages go the shorter way round.
    Ring,
    /// All behind one switch: two hops.
    Switch,
    /// A link for each pair.
    FullyConnected,
}

/// One dimension of the network file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dimension {
    /// How members are joined.
    pub shape: Shape,
    /// Members.
    pub size: u32,
    /// As the file has it: "GB/s", which are 2^30 bytes per second.
    pub bandwidth: f64,
    /// Nanoseconds per hop.
    pub latency: f64,
}

/// The collectives that are simulated there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Com {
    /// All-reduce.
    AllReduce,
    /// All-gather.
    AllGather,
    /// Reduce-scatter.
    ReduceScatter,
    /// All-to-all.
    AllToAll,
}

/// An algorithm, named in the system file for each dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From neighbour to neighbour.
    Ring,
    /// To each peer, at most so many at once.
    Direct(Option<u32>),
    /// Halving and doubling.
    Halving,
    /// Two binary trees, in turns.
    Tree,
}

/// An algorithm, and whether it takes all dimensions for one ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Implementation {
    /// The algorithm.
    pub way: Way,
    /// Named `one...`: all NPUs are one ring.
    pub one: bool,
}

/// Which of several collectives goes first where they wait for the same dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// The newest.
    Lifo,
    /// The oldest.
    Fifo,
    /// By the priority in the workload.
    Explicit,
}

/// The system file, and what the command line adds.
#[derive(Debug, Clone, PartialEq)]
pub struct System {
    /// Order of collectives.
    pub policy: Policy,
    /// Nanoseconds between a member and its network.
    pub endpoint_delay: u64,
    /// Chunks at once in a dimension.
    pub active_chunks: u32,
    /// Parts of a collective.
    pub splits: u32,
    /// Whole collectives in each dimension, instead of reduce-scatters up and all-gathers down.
    pub baseline: bool,
    /// Bytes per second, if stated.
    pub memory_bandwidth: Option<f64>,
    /// FLOP/s where computation takes what a roofline says.
    pub roofline: Option<f64>,
    /// Nothing is simulated: each node takes what its trace says.
    pub replay: bool,
    /// By all-reduce, all-gather, reduce-scatter, all-to-all: algorithms by dimension.
    pub implementations: [Vec<Implementation>; 4],
    /// Queues of a dimension.
    pub queues: u32,
    /// A handshake of 8 KiB before each message.
    pub rendezvous: bool,
    /// Links are shared, first come, first served; one dimension only.
    pub aware: bool,
}

/// Memory beside that of the NPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// None.
    None,
    /// Each NPU has its own.
    Own(Access),
    /// So many NPUs share one, one access at a time.
    Shared(Access, u32),
}

/// What an access takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Nanoseconds.
    pub latency: u64,
    /// Bytes per nanosecond.
    pub bandwidth: u64,
}

/// What a node of a trace does.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Nothing.
    Skip,
    /// Names groups of ranks.
    Groups(Vec<(i64, Arc<[u32]>)>),
    /// Loads from, or stores to, remote memory.
    Memory(u64),
    /// Computes: operations and bytes, where stated.
    Compute(Option<(u64, u64)>),
    /// Sends (peer, bytes, tag).
    Send(u32, u64, u32),
    /// Receives (peer, bytes, tag).
    Receive(u32, u64, u32),
    /// A collective.
    Collective(Collective),
    /// A broadcast, which takes what its trace says.
    Broadcast,
}

/// A collective of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collective {
    /// Which.
    pub com: Com,
    /// Its bytes, as the trace has them.
    pub bytes: u64,
    /// Dimensions that take part, where the trace says.
    pub involved: Option<Vec<bool>>,
    /// Group of ranks; none: all.
    pub group: Option<i64>,
    /// For `EXPLICIT` order.
    pub priority: u32,
}

/// A node of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its number.
    pub id: u64,
    /// Numbers of nodes that it waits for.
    pub waits: Vec<u64>,
    /// Microseconds that it took when traced.
    pub micros: u64,
    /// Runs on the host.
    pub host: bool,
    /// What it does.
    pub kind: Kind,
}

/// All that is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Dimensions, the first of which is the fastest.
    pub network: Vec<Dimension>,
    /// How collectives are run.
    pub system: System,
    /// Remote memory.
    pub memory: Memory,
    /// Different traces.
    pub traces: Vec<Vec<Node>>,
    /// By rank, which of them it runs.
    pub trace_of: Vec<u32>,
    /// Groups of ranks, by name.
    pub groups: Vec<(i64, Arc<[u32]>)>,
}

impl Com {
    /// Place in `System::implementations`.
    pub(super) fn place(self) -> usize {
        match self {
            Self::AllReduce => 0,
            Self::AllGather => 1,
            Self::ReduceScatter => 2,
            Self::AllToAll => 3,
        }
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        ["all-reduce", "all-gather", "reduce-scatter", "all-to-all"][self.place()]
    }
}

impl Question {
    /// NPUs of the network.
    pub(super) fn npus(&self) -> u32 {
        self.network
            .iter()
            .fold(1u32, |all, row| all.saturating_mul(row.size))
    }
}
