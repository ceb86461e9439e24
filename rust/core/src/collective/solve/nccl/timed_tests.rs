//! Times by fitted figures, worked out by hand and by passing a ring's chunks on.

use super::communicator::Communicator;
use super::cost::Model;
use super::direct;
use super::tables::Algorithm;
use super::tables::Protocol::*;
use super::timed::{NVLS_BUFFERS, SEND_BUFFERS, Time, time};
use super::way::Way;
use crate::machine::NcclTiming;
use crate::machine::{Generation, Gpu};
use crate::operation::Operation::{self, *};

const TIMING: NcclTiming = NcclTiming {
    ll_start: 5e-6,
    ll_hop: 1e-6,
    ll_threads: 0.2,
    ll_rate: 1.5,
    start: 20e-6,
    hop: 8e-6,
    rate: 0.9,
    copy: 1e12,
    send_ll_start: 7e-6,
    send_start: 11e-6,
    send_rate: 16e9,
    nvls_start: 40e-6,
};

fn gpu() -> Gpu {
    Gpu {
        timing: Some(TIMING),
        ..Gpu::new(Generation::Hopper, 18)
    }
}

/// The time of a way over `ranks` on so many nodes.
fn timed(ranks: u32, nodes: u32, operation: Operation, way: Way, bytes: f64) -> Time {
    let (gpu, communicator) = (
        gpu(),
        Communicator {
            ranks,
            nodes,
            largest: ranks / nodes,
            nics: ranks / nodes,
            nic: 50.0,
        },
    );
    let model = Model::new(&gpu, communicator);
    let price = match way {
        Way::Collective(algorithm, protocol) => model.price(operation, algorithm, protocol, bytes),
        Way::Direct(protocol) => direct::price(&model, protocol, bytes),
    };
    time(&model, operation, way, &price.unwrap(), bytes)
}

#[track_caller]
fn check(found: Time, start: f64, hops: f64, copies: f64, bytes: f64) {
    for (found, meant) in [
        (found.start, start),
        (found.hops, hops),
        (found.copies, copies),
        (found.bytes, bytes),
    ] {
        assert!(
            (found - meant).abs() <= 1e-9 * meant.max(1.0),
            "{found} {meant}"
        );
    }
}

#[test]
fn rings_of_one_node() {
    let ring = |protocol| Way::Collective(Algorithm::Ring, protocol);
    // 1 KiB a rank: a quarter of the threads of LL; 14 steps at 141 x 1.5, and its own share.
    let share = 1024.0 / 211_500.0;
    check(
        timed(8, 1, AllReduce, ring(Ll), 8192.0),
        5.25,
        14.7,
        share,
        14.0 * share,
    );
    // 331.2 x 0.9 and a hop of LL.
    let share = 1e6 / 8.0;
    check(
        timed(8, 1, AllGather, ring(Ll128), 1e6),
        20.0,
        7.0,
        share / 1e6,
        7.0 * share / 298_080.0,
    );
    // 360 x 0.9: a chunk takes 2.5 us, of which half hides as much of the hop.
    let chunk = 2.5;
    let bytes = 8.0 * chunk * 324_000.0;
    check(
        timed(8, 1, ReduceScatter, ring(Simple), bytes),
        20.0,
        7.0 * (8.0 - chunk / 2.0),
        bytes / 8.0 / 1e6,
        7.0 * chunk,
    );
    // Chunks of 20 us hide all of it.
    let bytes = 8.0 * 20.0 * 324_000.0;
    check(
        timed(8, 1, AllReduce, ring(Simple), bytes),
        20.0,
        0.0,
        bytes / 8.0 / 1e6,
        14.0 * 20.0,
    );
}

#[test]
fn a_ring_in_halves_takes_what_passing_them_on_takes() {
    for (hop, chunk) in [
        (8.0_f64, 1.0_f64),
        (8.0, 16.0),
        (3.0, 10.0),
        (0.0, 2.0),
        (5.0, 0.0),
    ] {
        let (steps, half) = (14, chunk / 2.0);
        // When each half leaves a rank: after the half before it, and once it has come from the neighbour.
        let mut left = [half, chunk];
        for _ in 1..steps {
            let first = left[1].max(left[0] + hop) + half;
            left = [first, first.max(left[1] + hop) + half];
        }
        let formula = f64::from(steps) * (half + half.max(hop));
        assert!((left[1] + hop - formula).abs() <= half.max(hop) + 1e-9);
    }
}

#[test]
fn nvls_trees_and_direct_sends() {
    let nvls = Way::Collective(Algorithm::Nvls, Simple);
    // 476 x 8/14 x 0.9; copies end at 32 MiB.
    let rate = 476_000.0 * 8.0 / 14.0 * 0.9;
    check(
        timed(8, 1, AllReduce, nvls, 1e7),
        40.0,
        0.0,
        10.0,
        1e7 / rate,
    );
    assert_eq!(timed(8, 1, AllReduce, nvls, 1e9).copies, NVLS_BUFFERS / 1e6);
    // Seven peers, each a third of a hop; 8 KiB to each over one channel.
    check(
        timed(8, 1, AllToAll, Way::Direct(Ll), 65536.0),
        7.0,
        7.0 / 3.0,
        0.0,
        8192.0 / 16_000.0,
    );
    let simple = Way::Direct(Simple);
    check(
        timed(8, 1, AllToAll, simple, 8.0 * 32768.0),
        11.0,
        7.0 / 3.0,
        0.0,
        32768.0 / 16_000.0,
    );
    // All channels are slower than one for much: own share and 16 MiB of the rest are copied.
    check(
        timed(8, 1, AllToAll, simple, 1e9),
        11.0,
        7.0 / 3.0,
        (1.25e8 + SEND_BUFFERS) / 1e6,
        7.0 * 1.25e8 / 324_000.0,
    );
}

#[test]
fn between_nodes_hops_and_rates_are_those_of_nccl() {
    let ring = Way::Collective(Algorithm::Ring, Simple);
    let found = timed(32, 4, AllReduce, ring, 1e9);
    // 56 hops inside, which half a chunk hides, and 6 of 14 us outside; 1.4 times that.
    let chunk = 1e9 / 32.0 / 360_000.0;
    assert!(chunk > 16.0);
    check(
        found,
        1.4 * 20.0,
        1.4 * 6.0 * 14.0,
        1e9 / 32.0 / 1e6,
        62.0 * chunk,
    );
}
