"""Collectives against closed forms and published figures."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

import rainier_fast as rf

EXACT = 1e-12


def ultraserver() -> rf.Machine:
    return rf.preset("trn2-ultraserver").without_latency()


def site(server: rf.UltraServer, count: int) -> rf.Machine:
    return rf.Cluster([rf.Site("site", count, server)]).without_latency()


def snake(side: int) -> list[int]:
    """A Hamiltonian cycle of a side x side x side torus, one hop a step."""
    plane = [(x - y) % side + side * y for y in range(side) for x in range(side)]
    turned = [plane[len(plane) - z :] + plane[: len(plane) - z] for z in range(side)]
    return [chip + side * side * z for z in range(side) for chip in turned[z]]


# ------------------------------------------------------------------ Trn2


def test_all_reduce_bound_of_an_ultraserver() -> None:
    result = ultraserver().all_reduce(1e9)
    assert result.lower_bound_s == pytest.approx(2 * 63 / 64 * 1e9 / 640e9, rel=EXACT)
    assert result.lower_bound_s == pytest.approx(3.076e-3, abs=0.5e-6)
    for half in (ultraserver().reduce_scatter(1e9), ultraserver().all_gather(1e9)):
        assert half.lower_bound_s == pytest.approx(1.538e-3, abs=0.5e-6)


def test_bucket_weights_matter() -> None:
    machine = ultraserver()
    equal = machine.all_reduce(1e9, algorithm="bucket_equal")
    assert equal.time_s / equal.lower_bound_s == pytest.approx(5 / 3, rel=EXACT)
    assert equal.bottleneck is not None
    assert equal.bottleneck.link_class == "z"
    weighted = machine.all_reduce(1e9, algorithm="bucket")
    assert 1 <= weighted.time_s / weighted.lower_bound_s <= 1.001
    loads = weighted.link_loads()
    moved = {row["class"]: row["total_bytes"] for row in loads.by_class()}
    assert moved["x"] / moved["z"] == pytest.approx(2, rel=1e-9)
    assert moved["y"] / moved["z"] == pytest.approx(2, rel=1e-9)
    assert loads.time_s == pytest.approx(weighted.lower_bound_s, rel=1e-9)


def test_bucket_on_an_isotropic_torus_meets_the_bound_with_equal_shares() -> None:
    for side, axes in [(4, 3), (5, 2), (3, 3), (8, 1)]:
        machine = rf.torus((side,) * axes, 50e9, "1 us")
        chips, steps = side**axes, 2 * axes * (side - 1)
        result = machine.all_reduce(1e9, algorithm="bucket_equal")
        wire = 2e9 * (chips - 1) / chips / (2 * axes * 50e9)
        assert result.time_s == pytest.approx(steps * 1e-6 + wire, rel=1e-9)
        assert machine.without_latency().all_reduce(1e9).efficiency == pytest.approx(1, rel=1e-9)


def test_uniform_all_to_all_is_bound_by_z() -> None:
    for algorithm in ("auto", "direct"):
        result = ultraserver().all_to_all(1e9, algorithm=algorithm)
        assert result.algbw_Bps == pytest.approx(128e9, rel=EXACT)
        assert result.bottleneck is not None
        assert result.bottleneck.link_class == "z"
        assert result.efficiency == pytest.approx(1, rel=EXACT)
    loads = ultraserver().traffic("uniform", 1e9)
    assert 1e9 / loads.time_s == pytest.approx(128e9, rel=EXACT)
    alike = rf.torus((4, 4, 4), 128e9).all_to_all(1e9)
    assert alike.algbw_Bps == pytest.approx(256e9, rel=EXACT)


def test_halving_and_doubling_on_the_6_cube() -> None:
    machine = rf.preset("trn2-ultraserver")
    result = machine.all_reduce(1e9, algorithm="halving_doubling")
    assert sum(result.phases["steps"]) == 12
    assert len(result.phases) == 12
    # No congestion: the model without contention says the same, and each step is one hop.
    free = machine.all_reduce(1e9, algorithm="halving_doubling", model="alpha_beta")
    assert result.time_s == pytest.approx(free.time_s, rel=EXACT)
    hop = machine.route(0, 1)
    assert result.latency_s == pytest.approx(12 * hop.latency_s, rel=EXACT)
    quiet = machine.without_latency().all_reduce(1e9, algorithm="halving_doubling")
    rates = sorted([128e9] * 4 + [64e9] * 2, reverse=True)
    halves = [1e9 / 2 ** (step + 1) / rate for step, rate in enumerate(rates)]
    assert quiet.time_s == pytest.approx(2 * sum(halves), rel=EXACT)
    # Each rank sends 63/64 of the data twice, one hop each.
    assert quiet.link_loads().total_hop_bytes == pytest.approx(64 * 2e9 * 63 / 64, rel=EXACT)


def test_bound_of_an_instance_and_its_two_cycles() -> None:
    machine = rf.preset("trn2").without_latency()
    bound = 2 * 15 / 16 * 1e9 / 512e9
    assert bound == pytest.approx(3.662e-3, abs=0.5e-6)
    rings = machine.all_reduce(1e9, algorithm="multi_ring")
    assert rings.lower_bound_s == pytest.approx(bound, rel=EXACT)
    assert rings.time_s == pytest.approx(bound, rel=EXACT)
    loads = rings.link_loads().bytes
    np.testing.assert_allclose(loads, loads[0], rtol=EXACT)


@pytest.mark.parametrize("side", [3, 4, 5, 6])
def test_multi_ring_uses_four_directions(side: int) -> None:
    machine, chips = rf.torus((side, side), 50e9, "1 us"), side * side
    result = machine.all_reduce(1e9, algorithm="multi_ring")
    wire = 2 * (chips - 1) / chips * 1e9 / (4 * 50e9)
    assert result.time_s == pytest.approx(2 * (chips - 1) * 1e-6 + wire, rel=EXACT)


# ------------------------------------------------------------------ tiers


def test_hierarchy_of_ultraservers() -> None:
    machine = site(rf.TRN2_ULTRASERVER, 256)
    inside = 2 * 63 / 64 * 1e9 / 640e9
    outside = 2 * 255 / 256 * 1e9 / 64 / 25e9
    assert outside == pytest.approx(1.25e-3, rel=0.005)
    plain = machine.all_reduce(1e9, algorithm="hierarchical", chunks=1)
    assert plain.time_s == pytest.approx(inside + outside, rel=1e-3)
    tiers = dict.fromkeys(plain.phases["tier"], 0.0)
    for row in plain.phases:
        tiers[row["tier"]] += row["time_s"]
    assert tiers["site"] == pytest.approx(outside, rel=1e-9)
    piped = [
        machine.all_reduce(1e9, algorithm="hierarchical", chunks=count).time_s
        for count in (1, 2, 4, 16, 256)
    ]
    assert piped == sorted(piped, reverse=True)
    assert piped[-1] == pytest.approx(max(inside, outside), rel=0.01)
    best = machine.all_reduce(1e9, algorithm="hierarchical")
    assert best.time_s <= piped[-1]
    assert best.chunks > 1


def test_hierarchy_of_instances_and_what_the_z_axis_is_worth() -> None:
    machine = site(rf.TRN2_INSTANCE, 1024)
    plain = machine.all_reduce(1e9, algorithm="hierarchical", chunks=1)
    assert plain.time_s == pytest.approx(3.66e-3 + 5.00e-3, rel=0.005)
    taller = site(rf.TRN2_ULTRASERVER, 256).all_reduce(1e9, algorithm="hierarchical", chunks=1)
    assert plain.time_s / taller.time_s == pytest.approx(2, rel=0.02)


def test_pipelining_hides_the_inner_tier_where_the_outer_is_slower() -> None:
    server = rf.UltraServer(
        "slow out", None, rf.TRN2_ULTRASERVER.axes, rf.Nic("5 GB/s", 0), overhead=0
    )
    machine = site(server, 64)
    outside = 2 * 63 / 64 * 1e9 / 64 / 5e9
    result = machine.all_reduce(1e9, algorithm="hierarchical")
    assert outside < result.time_s <= outside * 1.01


def test_latency_of_rings_and_halving_over_many_servers() -> None:
    # 15 us an EFA step (AWS Neuron SDK docs, internode-collective-comm.rst): over 256 servers a
    # ring takes 2 x 255 steps, halving and doubling 2 x 8.
    server = rf.UltraServer("one", None, (rf.Axis("x", 1),), rf.Nic("25 GB/s", "7.5 us"))
    for count, ring, halving in [(256, 7.65e-3, 240e-6), (1024, 30.7e-3, 300e-6)]:
        machine = rf.Cluster([rf.Site("site", count, server, rf.Fabric())])
        result = machine.all_reduce(0, algorithm="ring")
        assert result.time_s == pytest.approx(2 * (count - 1) * 15e-6, rel=EXACT)
        assert result.time_s == pytest.approx(ring, rel=0.01)
        fast = machine.all_reduce(0, algorithm="halving_doubling")
        assert fast.time_s == pytest.approx(halving, rel=EXACT)


# ------------------------------------------------------------------ rings


@pytest.mark.parametrize("ranks", [2, 3, 4, 7, 64])
@pytest.mark.parametrize("size", [0, 1000, 1e9])
def test_ring_formulas(ranks: int, size: float) -> None:
    alpha, rate = 1.5e-6, 50e9
    ring = rf.torus(ranks, rate, "1.5 us", wrap=ranks > 2)  # wrapped, two chips have two cables
    steps, share = ranks - 1, size / ranks / rate
    one = {name: getattr(ring, name)(size, algorithm="ring_one_way").time_s for name in HALVES}
    assert one["all_reduce"] == pytest.approx(2 * steps * (alpha + share), rel=EXACT)
    assert one["reduce_scatter"] == pytest.approx(steps * (alpha + share), rel=EXACT)
    assert one["all_gather"] == pytest.approx(steps * (alpha + share), rel=EXACT)
    both = {name: getattr(ring, name)(size, algorithm="ring").time_s for name in HALVES}
    if ranks > 2:
        assert both["all_reduce"] == pytest.approx(2 * steps * (alpha + share / 2), rel=EXACT)
        assert both["all_gather"] == pytest.approx(steps * (alpha + share / 2), rel=EXACT)


HALVES = ("all_reduce", "reduce_scatter", "all_gather")


def test_two_chips_on_a_ring_have_two_cables() -> None:
    ring, line = rf.torus(2, 50e9), rf.torus(2, 50e9, wrap=False)
    assert line.all_reduce(1e9).time_s == pytest.approx(1e9 / 50e9, rel=EXACT)
    assert ring.all_reduce(1e9).time_s == pytest.approx(1e9 / 100e9, rel=EXACT)


@pytest.mark.parametrize(
    ("ranks", "nanoseconds"),
    [(64, 1_968_875_874), (512, 1_997_114_728), (4096, 2_007_688_410)],
)
def test_loggopsims_rings(ranks: int, nanoseconds: int) -> None:
    # LogGOPSim counts G for all bytes of a message but the first, 1 ns less at 1 GB/s: a latency of
    # 999 ns stands for its 1 us. Its chunks are whole bytes: 1e9 is rounded down to them.
    size = 10**9 // ranks * ranks
    ring = rf.torus(ranks, "1 GB/s", "999 ns")
    result = ring.all_reduce(size, algorithm="ring_one_way")
    assert result.time_s * 1e9 == pytest.approx(nanoseconds, rel=1e-12)
    # As it is, the difference is one nanosecond a step and, at 4,096 ranks, the bytes cut off.
    plain = rf.torus(ranks, "1 GB/s", "1 us").all_reduce(size, algorithm="ring_one_way")
    assert plain.time_s * 1e9 - nanoseconds == pytest.approx(2 * (ranks - 1), abs=0.01)


def test_smpis_ring_on_a_snake_through_the_torus() -> None:
    cycle = snake(4)
    assert sorted(cycle) == list(range(64))
    machine = rf.torus((4, 4, 4), "100 GB/s", "1 us")
    assert all(machine.route(a, b).hops == 1 for a, b in pairwise(cycle))
    result = machine.all_reduce(1e9, group=cycle, algorithm="ring_one_way")
    assert result.time_s == pytest.approx(0.01981353, rel=2e-6)


# ------------------------------------------------------------------ others


@pytest.mark.parametrize("ranks", [2, 8, 64])
def test_formulas_on_a_switch(ranks: int) -> None:
    alpha, rate, size = 2e-6, 50e9, 1e8
    machine = rf.switch(ranks, rate, "1 us")  # two ports a crossing
    doublings = math.log2(ranks)
    wire = size * (ranks - 1) / ranks / rate
    for name, expected in {
        "halving_doubling": 2 * doublings * alpha + 2 * wire,
        "recursive_doubling": doublings * (alpha + size / rate),
        "direct": 2 * (alpha + wire),
        "mesh": alpha + (ranks - 1) * size / rate,
        "ring_one_way": 2 * (ranks - 1) * alpha + 2 * wire,
    }.items():
        result = machine.all_reduce(size, algorithm=name)
        assert result.time_s == pytest.approx(expected, rel=EXACT), name
        assert result.lower_bound_s == pytest.approx(2 * wire, rel=EXACT)
    for name in ("all_to_all", "all_gather", "reduce_scatter"):
        result = getattr(machine, name)(size, algorithm="direct")
        assert result.time_s == pytest.approx(alpha + wire, rel=EXACT)
    tree = machine.broadcast(size, algorithm="binomial_tree")
    assert tree.time_s == pytest.approx(doublings * (alpha + size / rate), rel=EXACT)


def test_bounds_of_rooted_operations() -> None:
    machine, size, inject = ultraserver(), 1e9, 640e9
    for name in ("broadcast", "reduce"):
        assert getattr(machine, name)(size).lower_bound_s == pytest.approx(size / inject, rel=EXACT)
    for name in ("gather", "scatter"):
        result = getattr(machine, name)(size, algorithm="direct")
        assert result.lower_bound_s == pytest.approx(size * 63 / 64 / inject, rel=EXACT)
        assert result.time_s >= result.lower_bound_s
    switch = rf.switch(16, "50 GB/s")
    assert switch.broadcast(size).lower_bound_s == pytest.approx(size / 50e9, rel=EXACT)
    for name in ("gather", "scatter"):
        result = getattr(switch, name)(size, algorithm="direct")
        assert result.time_s == pytest.approx(size * 15 / 16 / 50e9, rel=EXACT)
        assert result.efficiency == pytest.approx(1, rel=EXACT)
    line = rf.torus(5, "1 GB/s", "1 us", wrap=False)
    assert line.broadcast(0).lower_bound_s == pytest.approx(4e-6, rel=EXACT)
    assert line.broadcast(0, root=2).lower_bound_s == pytest.approx(2e-6, rel=EXACT)


def test_sizes_and_bus_bandwidths_are_those_of_nccl_tests() -> None:
    machine, size, ranks = rf.switch(8, "50 GB/s"), 1e9, 8
    for name, factor in {
        "all_reduce": 2 * (ranks - 1) / ranks,
        "reduce_scatter": (ranks - 1) / ranks,
        "all_gather": (ranks - 1) / ranks,
        "all_to_all": (ranks - 1) / ranks,
        "broadcast": 1,
        "reduce": 1,
    }.items():
        result = getattr(machine, name)(size)
        assert result.algbw_Bps == pytest.approx(size / result.time_s, rel=EXACT)
        assert result.busbw_Bps == pytest.approx(result.algbw_Bps * factor, rel=EXACT), name
    for name in HALVES:  # the bus bandwidth of a schedule that meets the bound is the link's
        assert getattr(machine, name)(size, algorithm="direct").busbw_Bps == pytest.approx(50e9)


def test_send_recv_is_one_message() -> None:
    machine = rf.torus((4, 4), "50 GB/s", "1 us", overhead="2 us")
    result = machine.send_recv(1e6, shift=1)  # from 3 to 4 are two hops
    assert result.time_s == pytest.approx(2e-6 + 2 * 1e-6 + 1e6 / 50e9, rel=EXACT)
    pair = machine.send_recv(1e6, group=[0, 1], shift=1)
    assert pair.time_s == pytest.approx(machine.route(0, 1).time_s(1e6), rel=EXACT)
