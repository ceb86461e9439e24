//! What NCCL's choice takes. Its tables are made to choose, and small messages take longer than they say, so that
//! fitted figures (`machine/nccl_timing.rs`) give the time inside a node where a machine has them; they never change
//! the choice. Between nodes NCCL's own figures stay: hops over the network, rates of NICs, trees.
//!
//! A ring by Simple moves a chunk in two halves: a rank passes one on while the other arrives, so that half a chunk's
//! transfer hides as much of a hop. What no transfer hides are copies: of a rank's own share, and of what first fills
//! the buffers.

use super::cost::{Model, Price};
use super::tables::{Algorithm, Protocol};
use super::way::Way;
use crate::machine::NcclTiming;
use crate::operation::Operation;

/// Bytes of a rank's share at which all threads of a block take part in LL: 512 threads of 8 bytes.
const LL_THREADS_BYTES: f64 = 4096.0;
/// Bytes to a peer that go over one channel inside a node.
const ONE_CHANNEL: f64 = 65536.0;
/// Bytes that first fill the buffers of NVLS, and those of direct sends.
pub(super) const NVLS_BUFFERS: f64 = 33_554_432.0;
pub(super) const SEND_BUFFERS: f64 = 16_777_216.0;
/// Hops of LL that one more peer takes: a third.
const PEER_HOPS: f64 = 1.0 / 3.0;
/// B/us in GB/s.
const PER_US: f64 = 1000.0;

/// The parts of a time, microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Time {
    pub(super) start: f64,
    /// Of all hops, as far as no transfer hides them.
    pub(super) hops: f64,
    /// Hops that wait for each other.
    pub(super) steps: u64,
    pub(super) copies: f64,
    pub(super) bytes: f64,
}

impl Time {
    /// Bytes over rates alone.
    pub(super) fn silent(self) -> Self {
        Self {
            start: 0.0,
            hops: 0.0,
            ..self
        }
    }

    /// What NCCL's own tables say.
    pub(super) fn of_price(price: &Price, bytes: f64) -> Self {
        Self {
            start: price.base,
            hops: price.hops,
            steps: price.steps,
            copies: 0.0,
            bytes: bytes / (PER_US * price.rate),
        }
    }
}

/// The time of a choice: by fitted figures where the machine has them.
pub(super) fn time(
    model: &Model,
    operation: Operation,
    way: Way,
    price: &Price,
    bytes: f64,
) -> Time {
    let plain = Time::of_price(price, bytes);
    let Some(timing) = &model.gpu.timing else {
        return plain;
    };
    let timed = Timed {
        model,
        timing,
        operation,
        bytes,
        plain,
    };
    match way {
        Way::Direct(protocol) => timed.direct(protocol),
        Way::Collective(Algorithm::Ring, protocol) => timed.ring(protocol),
        Way::Collective(Algorithm::Tree, protocol) => timed.tree(protocol),
        Way::Collective(algorithm @ (Algorithm::Nvls | Algorithm::NvlsTree), _) => {
            timed.nvls(algorithm)
        }
        Way::Collective(..) => plain,
    }
}

struct Timed<'a> {
    model: &'a Model<'a>,
    timing: &'a NcclTiming,
    operation: Operation,
    bytes: f64,
    /// What NCCL's own tables say.
    plain: Time,
}

impl Timed<'_> {
    fn ranks(&self) -> f64 {
        f64::from(self.model.communicator.ranks)
    }

    fn share(&self) -> f64 {
        self.bytes / self.ranks()
    }

    fn one_node(&self) -> bool {
        self.model.communicator.nodes == 1
    }

    /// Seconds of a copy as microseconds.
    fn copy(&self, bytes: f64) -> f64 {
        1e6 * bytes / self.timing.copy
    }

    /// A rate of the links inside a node over what tables have; NICs are what limits several.
    fn over(&self, rate: f64) -> f64 {
        if self.one_node() { rate } else { 1.0 }
    }

    /// Microseconds of start and of a hop inside a node.
    fn start_and_hop(&self, protocol: Protocol) -> (f64, f64) {
        let timing = self.timing;
        match protocol {
            Protocol::Ll => {
                let threads = (self.share() / LL_THREADS_BYTES).min(1.0);
                let grown = 1e6 * (1.0 + timing.ll_threads * threads);
                (timing.ll_start * grown, timing.ll_hop * grown)
            }
            Protocol::Ll128 => (1e6 * timing.start, 1e6 * timing.ll_hop),
            Protocol::Simple => (1e6 * timing.start, 1e6 * timing.hop),
        }
    }

    fn ring(&self, protocol: Protocol) -> Time {
        let (start, intra) = self.start_and_hop(protocol);
        let intra = intra.max(self.model.post_overhead(protocol));
        let (_, inter) = self.model.hop(Algorithm::Ring, protocol);
        let rate = match protocol {
            Protocol::Ll => self.timing.ll_rate,
            _ => self.timing.rate,
        };
        let bytes = self.plain.bytes / self.over(rate);
        let chunk = bytes / self.plain.steps.max(1) as f64;
        let intra = match protocol {
            Protocol::Simple => (intra - chunk / 2.0).max(0.0),
            _ => intra,
        };
        let (hops, steps) = self
            .model
            .hops(self.operation, Algorithm::Ring, intra, inter);
        let slower = self
            .model
            .plateau(self.operation, Algorithm::Ring, protocol, self.bytes);
        Time {
            start: start * slower,
            hops: hops * slower,
            steps,
            copies: match protocol {
                Protocol::Ll => chunk,
                _ => self.copy(self.share()),
            },
            bytes,
        }
    }

    fn tree(&self, protocol: Protocol) -> Time {
        let (start, intra) = self.start_and_hop(protocol);
        let (_, inter) = self.model.hop(Algorithm::Tree, protocol);
        let (hops, _) = self
            .model
            .hops(self.operation, Algorithm::Tree, intra, inter);
        Time {
            start,
            hops,
            ..self.plain
        }
    }

    fn nvls(&self, algorithm: Algorithm) -> Time {
        let (_, inter) = self.model.hop(algorithm, Protocol::Simple);
        let (hops, steps) = self.model.hops(self.operation, algorithm, 0.0, inter);
        Time {
            start: 1e6 * self.timing.nvls_start,
            hops,
            steps,
            copies: self.copy(self.bytes.min(NVLS_BUFFERS)),
            bytes: self.plain.bytes / self.over(self.timing.rate),
        }
    }

    fn direct(&self, protocol: Protocol) -> Time {
        let timing = self.timing;
        let (share, others) = (self.share(), self.ranks() - 1.0);
        let channel = 1e6 * share.min(ONE_CHANNEL) / timing.send_rate;
        let start = match protocol {
            Protocol::Simple => timing.send_start,
            _ => timing.send_ll_start,
        };
        let inside = f64::from(self.model.communicator.largest) - 1.0;
        let mut hops = PEER_HOPS * 1e6 * timing.ll_hop * inside;
        if !self.one_node() {
            hops += self.plain.hops;
        }
        let time = Time {
            start: 1e6 * start,
            hops,
            steps: 1,
            copies: 0.0,
            bytes: channel,
        };
        let sent = self.plain.bytes / self.over(timing.rate);
        let copies = self.copy(share + (others * share).min(SEND_BUFFERS));
        // Whichever is slower: the one channel of a small message, or all channels together.
        if protocol == Protocol::Simple && sent + copies > channel {
            Time {
                copies,
                bytes: sent,
                ..time
            }
        } else {
            time
        }
    }
}
