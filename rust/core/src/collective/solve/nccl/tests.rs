//! Rules of the tuning model against figures worked out by hand from NVIDIA/nccl v2.30.7 `src/graph/tuning.cc`.

use super::communicator::Communicator;
use super::cost::Model;
use super::direct;
use super::tables::Algorithm::{self, *};
use super::tables::Protocol::{self, *};
use super::tables::correction;
use crate::machine::{Cpu, Generation, Gpu, NcclVersion};
use crate::operation::Operation::{self, *};

fn hopper() -> Gpu {
    Gpu::new(Generation::Hopper, 18)
}

fn communicator(ranks: u32, nodes: u32) -> Communicator {
    Communicator {
        ranks,
        nodes,
        largest: ranks / nodes,
        nics: ranks / nodes,
        nic: 50.0,
    }
}

/// Microseconds before the bytes, and GB/s.
#[track_caller]
fn check(
    gpu: &Gpu,
    communicator: Communicator,
    what: (Operation, Algorithm, Protocol, f64),
    latency: f64,
    rate: f64,
) {
    let price = Model::new(gpu, communicator)
        .price(what.0, what.1, what.2, what.3)
        .unwrap();
    let found = price.base + price.hops;
    assert!((found - latency).abs() < 1e-9, "latency {found}");
    assert!(
        (price.rate - rate).abs() < 1e-9 * rate,
        "rate {}",
        price.rate
    );
}

#[test]
fn rings_of_one_node() {
    // 12 x 30 GB/s; all-reduce takes 14 hops and brings 8/14 of what channels carry, all-gather 7 and 8/7.
    let (gpu, one) = (hopper(), communicator(8, 1));
    check(
        &gpu,
        one,
        (AllReduce, Ring, Simple, 1e9),
        8.4 + 14.0 * 3.4,
        360.0 * 8.0 / 14.0,
    );
    // 0.92 of 360 is 331.2, under 12 x 36.7.
    check(
        &gpu,
        one,
        (AllReduce, Ring, Ll128, 1e9),
        14.0 + 14.0 * 1.9,
        331.2 * 8.0 / 14.0,
    );
    // Half of 360 is over LL's 141.
    check(
        &gpu,
        one,
        (AllReduce, Ring, Ll, 1e9),
        6.6 + 14.0 * 0.6,
        141.0 * 8.0 / 14.0,
    );
    check(
        &gpu,
        one,
        (AllGather, Ring, Simple, 1e9),
        8.4 + 7.0 * 3.4,
        360.0 * 8.0 / 7.0,
    );
    check(
        &gpu,
        one,
        (ReduceScatter, Ring, Ll, 1e9),
        6.6 + 7.0 * 0.6,
        141.0 * 8.0 / 7.0,
    );
}

#[test]
fn trees_of_one_node() {
    // 0.92 of 360; half of it is the request's; 1e9 B is beyond the correction.
    let (gpu, one) = (hopper(), communicator(8, 1));
    check(
        &gpu,
        one,
        (AllReduce, Tree, Simple, 1e9),
        8.4 + 2.0 * 7.0 * 4.0,
        331.2 / 2.0,
    );
    check(
        &gpu,
        one,
        (AllReduce, Tree, Ll128, 1e9),
        14.0 + 14.0 * 1.25,
        331.2 * 7.0 / 18.0,
    );
    check(
        &gpu,
        one,
        (AllReduce, Tree, Ll, 1e9),
        6.8 + 14.0 * 0.6,
        331.2 / 3.8 / 2.0,
    );
    // 2 MiB is 2^15 blocks of 64 B: 0.6 of it.
    check(
        &gpu,
        one,
        (AllReduce, Tree, Simple, 2097152.0),
        64.4,
        0.6 * 331.2 / 2.0,
    );
}

#[test]
fn nvls_of_one_node() {
    // 8 x 40 x 0.85 x 7/8, twice for all-reduce, 7/8 of it for all-gather, which is not turned into a rate of its own.
    let (gpu, one) = (hopper(), communicator(8, 1));
    check(
        &gpu,
        one,
        (AllReduce, Nvls, Simple, 1e9),
        25.0,
        476.0 * 8.0 / 14.0,
    );
    check(
        &gpu,
        one,
        (AllGather, Nvls, Simple, 1e9),
        25.0,
        238.0 * 7.0 / 8.0,
    );
}

#[test]
fn four_nodes() {
    // 8 x 45. Hops: 62 - 6 inside at 3.4 (posting takes 3), 6 outside at 14 and twice the network's 35; over 64 B a
    // channel and rank, 1.4 times that.
    let gpu = Gpu {
        network_latency: 35e-6,
        ..hopper()
    };
    let four = communicator(32, 4);
    let ring = 8.4 + 56.0 * 3.4 + 6.0 * 84.0;
    check(
        &gpu,
        four,
        (AllReduce, Ring, Simple, 1e9),
        1.4 * ring,
        360.0 * 32.0 / 62.0,
    );
    check(
        &gpu,
        four,
        (AllReduce, Ring, Simple, 512.0),
        ring,
        360.0 * 32.0 / 62.0,
    );
    // LL over more than two nodes of Intel hosts carries 20.4.
    let ll = 6.6 + 56.0 * 1.0 + 6.0 * 37.7;
    check(
        &gpu,
        four,
        (AllReduce, Ring, Ll, 512.0),
        ll,
        20.4 * 32.0 / 62.0,
    );
    // Tree: 7 hops inside, 2 levels, both twice; 8 x 36 is less than 0.92 of 360.
    let tree = 8.4 + 2.0 * (7.0 * 4.0 + 2.0 * 84.0);
    check(
        &gpu,
        four,
        (AllReduce, Tree, Simple, 1e9),
        tree,
        288.0 / 2.0,
    );
    // NVLS tree: 4 hops outside at 20.9 + 70; 45.5 a channel is less than 48.
    let nvls = 25.0 + 4.0 * 90.9;
    check(
        &gpu,
        four,
        (AllReduce, NvlsTree, Simple, 1e9),
        nvls,
        364.0 * 32.0 / 62.0,
    );
}

#[test]
fn amd_hosts_post_slower_and_carry_other_ll() {
    let gpu = Gpu {
        cpu: Cpu::Amd,
        ..hopper()
    };
    // Posting takes 6 under Simple, more than a hop of 3.4.
    let ring = 1.4 * (8.4 + 56.0 * 6.0 + 6.0 * 14.0);
    check(
        &gpu,
        communicator(32, 4),
        (AllReduce, Ring, Simple, 1e9),
        ring,
        360.0 * 32.0 / 62.0,
    );
    check(
        &gpu,
        communicator(16, 2),
        (AllGather, Ring, Ll, 1e9),
        6.6 + 14.0 * 2.0 + 2.7,
        22.5 * 16.0 / 15.0,
    );
}

#[test]
fn two_nodes_double_what_nvls_trees_take_from_nics() {
    // min(40 x 0.85 x 7/8 x 2 = 59.5, 2 x 48, 57.7) a channel.
    let rate = 8.0 * 57.7 * 16.0 / 30.0;
    check(
        &hopper(),
        communicator(16, 2),
        (AllReduce, NvlsTree, Simple, 1e9),
        25.0 + 2.0 * 20.9,
        rate,
    );
}

#[test]
fn pat_takes_one_gpu_on_each_node() {
    // 2 x 24 x 0.75; one level of two for each doubling; a GPU alone pays the tree's network hop.
    let price = 8.0 + 3.0 * 14.0 / 3.5 + 8.0 * 2.8;
    check(
        &hopper(),
        communicator(8, 8),
        (AllGather, Pat, Simple, 1e9),
        price,
        36.0,
    );
    let crowded = Model::new(&hopper(), communicator(16, 8)).price(AllGather, Pat, Simple, 1e9);
    assert_eq!(crowded, Err("PAT takes one GPU on each node".to_owned()));
}

#[test]
fn collnet_where_switches_reduce() {
    let gpu = Gpu {
        collnet: true,
        ..hopper()
    };
    let four = communicator(32, 4);
    check(
        &gpu,
        four,
        (AllReduce, CollNetDirect, Simple, 1e9),
        2.0 * (3.7 + 2.8) + 31.0,
        153.0,
    );
    check(
        &gpu,
        four,
        (AllReduce, CollNetChain, Simple, 1e9),
        2.0 * 7.0 * 2.8 + 30.0,
        180.0,
    );
    check(
        &gpu,
        four,
        (AllGather, CollNetDirect, Simple, 1e9),
        44.0,
        8.0 * 45.0 * 0.9,
    );
    let without = Model::new(&hopper(), four).price(AllReduce, CollNetChain, Simple, 1e9);
    assert!(without.unwrap_err().contains("collnet"));
}

#[test]
fn blackwell_corrects_nvls_trees_by_size_unless_on_arm() {
    let gpu = Gpu::new(Generation::Blackwell, 18);
    let (four, rate) = (communicator(32, 4), 384.0 * 32.0 / 62.0);
    let at = |bytes| (AllReduce, NvlsTree, Simple, bytes);
    check(&gpu, four, at(67108864.0), 25.0 + 4.0 * 20.9, 0.8 * rate);
    check(&gpu, four, at(1073741824.0), 25.0 + 4.0 * 20.9, rate);
    let arm = Gpu {
        cpu: Cpu::Arm,
        ..gpu
    };
    check(&arm, four, at(67108864.0), 25.0 + 4.0 * 20.9, rate);
}

#[test]
fn correction_counts_blocks_of_64_bytes() {
    assert_eq!(correction(Ll, 63.0, 23), 1.0);
    assert_eq!(correction(Simple, 64.0, 23), 0.9);
    assert_eq!(correction(Ll, 64.0 * 4096.0, 23), 0.4);
    assert_eq!(correction(Simple, 64.0 * 8388608.0, 23), 1.0);
    assert_eq!(correction(Simple, 64.0 * 8388608.0, 24), 0.9);
}

#[test]
fn direct_sends() {
    let price = |communicator, protocol, bytes| {
        direct::price(&Model::new(&hopper(), communicator), protocol, bytes).unwrap()
    };
    let one = price(communicator(8, 1), Simple, 1e6);
    assert!((one.base + one.hops - 11.8).abs() < 1e-12);
    assert!((one.rate - 360.0 * 8.0 / 7.0).abs() < 1e-9);
    let ll = price(communicator(8, 1), Ll, 1e4);
    assert!((ll.base + ll.hops - 7.2).abs() < 1e-12);
    assert!((ll.rate - 141.0 * 8.0 / 7.0).abs() < 1e-9);
    // 24 of 32 shares leave the node at a GPU's part of 8 x 45.
    let four = price(communicator(32, 4), Simple, 1e6);
    assert!((four.rate - 45.0 * 32.0 / 24.0).abs() < 1e-9);
    assert!((four.base + four.hops - 22.4).abs() < 1e-12);
}

#[test]
fn direct_sends_go_by_ll_up_to_16_kib_a_peer() {
    let gpu = hopper();
    let model = Model::new(&gpu, communicator(8, 1));
    for (bytes, ll) in [(0.0, true), (131_072.0, true), (131_080.0, false)] {
        assert_eq!(direct::price(&model, Ll, bytes).is_ok(), ll);
        assert_eq!(direct::price(&model, Simple, bytes).is_ok(), !ll);
    }
    let gpu = Gpu { ll: false, ..gpu };
    let model = Model::new(&gpu, communicator(8, 1));
    assert!(direct::price(&model, Simple, 8.0).is_ok());
}

#[test]
fn the_release_before_has_other_caps_on_blackwell() {
    let new = Gpu::new(Generation::Blackwell, 18);
    let old = Gpu {
        version: NcclVersion::V2_29_2,
        ..new.clone()
    };
    let one = communicator(8, 1);
    for (gpu, cap) in [(&new, 16.0 * 40.0), (&old, 16.0 * 34.5)] {
        let at = (AllGather, Ring, Ll128, 1e9);
        check(gpu, one, at, 14.0 + 7.0 * 1.9, cap * 8.0 / 7.0);
    }
    let at = (AllReduce, NvlsTree, Simple, 1073741824.0);
    let rate = 8.0 * 43.8 * 32.0 / 62.0;
    check(&old, communicator(32, 4), at, 25.0 + 4.0 * 20.9, rate);
}

#[test]
fn protocols_that_the_machine_does_not_allow_are_refused_by_name() {
    let gpu = Gpu {
        ll: false,
        ll128: false,
        ..hopper()
    };
    let model = Model::new(&gpu, communicator(8, 1));
    for protocol in [Ll, Ll128] {
        let why = model.price(AllReduce, Ring, protocol, 1e6).unwrap_err();
        assert!(why.contains(protocol.name()));
    }
    assert!(model.price(AllReduce, Ring, Simple, 1e6).is_ok());
    assert!(model.price(AllReduce, NvlsTree, Simple, 1e6).is_err());
    assert!(model.price(AllGather, Tree, Simple, 1e6).is_err());
}
