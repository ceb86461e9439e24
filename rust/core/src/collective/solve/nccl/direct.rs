//! All-to-all as NCCL runs it: every rank sends to every other at once. The tuning model has no rule for it, so this
//! is ours, from its constants: base and one hop of a ring under the same protocol; bytes to other ranks at what a
//! ring's channels carry, with the caps of its protocol, inside a node, and at the NICs' share of it between nodes,
//! both at once. NCCL sends by LL or Simple only, and goes by the bytes for one peer (`src/enqueue.cc`).

use super::cost::{Model, Price};
use super::tables::{Algorithm, BASE, Protocol};
use crate::operation::Operation;

/// The protocols of direct sends.
pub(super) const PROTOCOLS: [Protocol; 2] = [Protocol::Ll, Protocol::Simple];

/// Most bytes to one peer that NCCL sends by LL.
const MOST_LL: f64 = 16384.0;

/// What direct sends of `bytes` from each rank cost, or why NCCL does not do them so.
pub(super) fn price(model: &Model, protocol: Protocol, bytes: f64) -> Result<Price, String> {
    model.allowed(protocol)?;
    let share = bytes / f64::from(model.communicator.ranks);
    if protocol == Protocol::Ll && share > MOST_LL {
        return Err("NCCL sends at most 16 KiB to a peer by LL".to_owned());
    }
    if protocol == Protocol::Simple && share <= MOST_LL && model.allowed(Protocol::Ll).is_ok() {
        return Err("NCCL sends up to 16 KiB to a peer by LL".to_owned());
    }
    if model.rings.channels == 0 {
        return Err("no path between GPUs is as fast as the slowest that NCCL tries".to_owned());
    }
    let communicator = &model.communicator;
    let ranks = f64::from(communicator.ranks);
    let (intra, inter) = model.hop(Algorithm::Ring, protocol);
    let hop = if communicator.nodes == 1 {
        intra
    } else {
        inter
    };
    let bus = model.bus(Operation::AllToAll, Algorithm::Ring, protocol);
    // Share of its bytes that a rank sends inside its node, and to others. A ring that leaves the node brings each
    // GPU the share of its one NIC.
    let single = model.inside(protocol);
    let of_node = |&count: &u32| {
        let count = f64::from(count);
        let (inside, outside) = ((count - 1.0) / ranks, (ranks - count) / ranks);
        if communicator.nodes == 1 {
            inside / bus
        } else {
            (inside / single).max(outside / (bus / count))
        }
    };
    let slowest = model.counts.iter().map(of_node).fold(0.0, f64::max);
    Ok(Price {
        base: BASE[Algorithm::Ring as usize][protocol as usize],
        hops: hop,
        steps: 1,
        rate: 1.0 / slowest,
    })
}
