"""Link loads: the sum over routes, whatever the threads, order, dtype or layout."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import rainier_fast as rf
from property.strategies import alone, clusters, columns, grids, machines, ordered, policies
from rainier_fast.definitions.routing import TIES
from rainier_fast.testing import oracle

THREADS = (1, 2, 7)


def brute(
    machine: rf.Machine,
    flows: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
    routing: Any,
) -> NDArray[np.float64]:
    """Route every flow by itself and add up; exact for shares of powers of two."""
    total = np.zeros(machine.num_links)
    known: dict[tuple[int, int], rf.Route] = {}
    for src, dst, size in zip(*(column.tolist() for column in flows), strict=True):
        if (src, dst) not in known:
            known[src, dst] = machine.route(src, dst, routing)
        route = known[src, dst]
        np.add.at(total, route.links, route.shares * size)
    return total


def bits(loads: rf.LinkLoads) -> NDArray[np.uint64]:
    return np.ascontiguousarray(loads.bytes).view(np.uint64)


@settings(max_examples=100)
@given(st.data())
def test_dimension_order_adds_up_exactly(data: st.DataObject) -> None:
    machine = data.draw(machines())
    policy = data.draw(ordered(machine))
    flows = data.draw(columns(machine))
    loads = machine.link_loads(*flows, policy)
    assert np.array_equal(loads.bytes, brute(machine, flows, policy))


@given(st.data())
def test_spread_policies_add_up(data: st.DataObject) -> None:
    machine = data.draw(grids(max_chips=64) | clusters(max_chips=24, grid=True))
    policy = data.draw(st.sampled_from([rf.MinimalAdaptive(), rf.Valiant()]))
    flows = data.draw(columns(machine, 20))
    loads = machine.link_loads(*flows, policy)
    expected = brute(machine, flows, policy)
    np.testing.assert_allclose(loads.bytes, expected, rtol=1e-9, atol=flows[2].sum() * 1e-12)


@pytest.mark.parametrize("routing", [*map(rf.DimensionOrder, TIES), "adaptive", "valiant"], ids=str)
@pytest.mark.parametrize("axes", [1, 2, 3, 4, 5])
def test_every_policy_on_every_number_of_axes(axes: int, routing: Any) -> None:
    # Hypothesis may miss one: here each meets odd, even, 2 and 1, wrapped and not.
    rng = np.random.default_rng(axes)
    for sizes in [(4, 3, 2, 1, 2), (5, 2, 1, 4, 2), (2, 4, 3, 2, 1), (6, 1, 5, 2, 1)]:
        for _ in range(2):
            machine = rf.torus(sizes[:axes], 1e9, wrap=rng.integers(0, 2, axes).astype(bool))
            src, dst = rng.integers(0, machine.num_chips, (2, 12))
            flows = (src, dst, rng.integers(0, 1 << 20, 12).astype(float))
            if isinstance(routing, rf.DimensionOrder):
                routing = rf.DimensionOrder(routing.tie, rng.permutation(axes).tolist())
            loads = machine.link_loads(*flows, routing)
            expected = brute(machine, flows, routing)
            np.testing.assert_allclose(loads.bytes, expected, rtol=1e-9, atol=1e-6)


@given(st.data())
def test_loads_are_the_oracles(data: st.DataObject) -> None:
    machine = data.draw(grids(max_axes=3, max_chips=18) | alone() | clusters(max_chips=12))
    policy = data.draw(policies(machine))
    flows = data.draw(columns(machine, 8))
    rows = list(zip(*(column.tolist() for column in flows), strict=True))
    expected = oracle.link_loads(machine, rows, policy)
    loads = machine.link_loads(*flows, policy)
    exact = isinstance(policy, rf.DimensionOrder)
    for link, found in enumerate(loads.bytes.tolist()):
        right = expected.get(link, Fraction(0))
        assert found == right if exact else abs(found - right) <= 1e-9 * right


@given(st.data())
def test_loads_sum_to_bytes_times_hops(data: st.DataObject) -> None:
    machine = data.draw(machines())
    policy = data.draw(policies(machine))
    src, dst, nbytes = data.draw(columns(machine))
    loads = machine.link_loads(src, dst, nbytes, policy)
    hops = [machine.route(s, d, policy).mean_hops for s, d in zip(src, dst, strict=True)]
    assert loads.total_hop_bytes == pytest.approx(float(np.dot(nbytes, hops)), rel=1e-12)
    assert loads.time_s == pytest.approx(
        (loads.bytes / machine._core.link_bandwidths()).max(initial=0.0), rel=1e-15
    )


@given(st.data())
def test_loads_of_two_batches_add_up_and_order_does_not_matter(data: st.DataObject) -> None:
    machine = data.draw(machines())
    policy = data.draw(ordered(machine))
    src, dst, nbytes = data.draw(columns(machine))
    whole = machine.link_loads(src, dst, nbytes, policy)
    cut = data.draw(st.integers(0, src.size))
    first = machine.link_loads(src[:cut], dst[:cut], nbytes[:cut], policy)
    second = machine.link_loads(src[cut:], dst[cut:], nbytes[cut:], policy)
    assert np.array_equal(first.bytes + second.bytes, whole.bytes)
    turned = machine.link_loads(src[::-1], dst[::-1], nbytes[::-1], policy)
    assert np.array_equal(bits(turned), bits(whole))


@given(st.data())
def test_uniform_traffic_is_all_pairs(data: st.DataObject) -> None:
    machine = data.draw(grids(max_chips=48) | alone() | clusters(max_chips=12))
    policy = data.draw(policies(machine))
    chips = machine.num_chips
    src, dst = np.divmod(np.arange(chips * chips), chips)
    expected = machine.link_loads(src, dst, 720.0, policy)
    found = machine.traffic("uniform", 720.0 * chips, policy)
    np.testing.assert_allclose(found.bytes, expected.bytes, rtol=1e-12)


# ------------------------------------------------------------------ bits

BIG: dict[str, rf.Machine] = {
    "torus": rf.torus((16, 8, 6), 1e9),
    "mesh": rf.torus((5, 4, 2, 3), 1e9, wrap=(True, False, True, False)),
    "cluster": rf.preset("rainier", chips=6144, sites=3),
    "trn3": rf.domain(rf.TRN3_ULTRASERVER_GEN2),
}


@pytest.mark.parametrize("name", BIG)
def test_threads_do_not_change_a_bit(name: str) -> None:
    machine = BIG[name]
    rng = np.random.default_rng(7)
    count = 300_000
    src, dst = rng.integers(0, machine.num_chips, (2, count))
    nbytes = 10.0 ** rng.uniform(-15, 15, count)
    one, *others = (machine.link_loads(src, dst, nbytes, n_threads=n) for n in THREADS)
    for other in others:
        assert np.array_equal(bits(one), bits(other))
    turned = rng.permutation(count)
    again = machine.link_loads(src[turned], dst[turned], nbytes[turned], n_threads=2)
    assert np.array_equal(bits(one), bits(again))
    hops = rng.integers(0, count, 300)
    mean = [machine.route(int(src[at]), int(dst[at])).mean_hops for at in hops]
    some = machine.link_loads(src[hops], dst[hops], nbytes[hops]).total_hop_bytes
    assert some == pytest.approx(float(np.dot(mean, nbytes[hops])), rel=1e-9)


@pytest.mark.parametrize("routing", ["adaptive", "valiant"])
def test_threads_do_not_change_a_bit_of_spread_loads(routing: str) -> None:
    machine = rf.torus((4, 4, 3), 1e9, wrap=(True, False, True))
    rng = np.random.default_rng(8)
    count = 70_000
    src, dst = rng.integers(0, machine.num_chips, (2, count))
    nbytes = 10.0 ** rng.uniform(-15, 15, count)
    one, *others = (machine.link_loads(src, dst, nbytes, routing, n_threads=n) for n in THREADS)
    for other in others:
        assert np.array_equal(bits(one), bits(other))


@given(st.data())
def test_sizes_thirty_orders_apart_lose_nothing_that_shows(data: st.DataObject) -> None:
    machine = data.draw(grids(max_chips=24))
    src, dst, _ = data.draw(columns(machine, 30))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    nbytes = 10.0 ** rng.uniform(-15, 15, src.size)
    policy = data.draw(ordered(machine))
    loads = machine.link_loads(src, dst, nbytes, policy)
    expected = oracle.link_loads(
        machine, list(zip(src.tolist(), dst.tolist(), nbytes.tolist(), strict=True)), policy
    )
    grain = nbytes.max(initial=0.0) * 2.0**-60
    for link, found in enumerate(loads.bytes.tolist()):
        right = float(expected.get(link, Fraction(0)))
        assert found == pytest.approx(right, rel=1e-12, abs=grain)


@given(st.data())
def test_one_size_is_the_same_size_many_times(data: st.DataObject) -> None:
    machine = data.draw(machines())
    policy = data.draw(policies(machine))
    src, dst, _ = data.draw(columns(machine))
    size = data.draw(st.sampled_from([0.0, 1.0, 3.0, 1048576.0, 2.0**62, 2.0**53 + 2]))
    one = machine.link_loads(src, dst, size, policy)
    many = machine.link_loads(src, dst, np.full(src.size, size), policy)
    if isinstance(policy, rf.DimensionOrder):
        assert np.array_equal(one.bytes, many.bytes)
    np.testing.assert_allclose(one.bytes, many.bytes, rtol=1e-12)
    assert one.total_hop_bytes == pytest.approx(many.total_hop_bytes, rel=1e-12)


@pytest.mark.parametrize("tie", TIES)
def test_many_flows_of_one_size_are_the_oracles(tie: str) -> None:
    """Enough of them to be counted by segment, some so often that a counter is full."""
    machine = rf.torus((4, 3, 2), bandwidth="50 GB/s")
    rng = np.random.default_rng(11)
    src, dst = rng.integers(0, machine.num_chips, (2, 20_000))
    src[:1_000], dst[:1_000] = 1, 22
    policy = rf.DimensionOrder(tie=tie)
    pairs, often = np.unique(src * 24 + dst, return_counts=True)
    counts = zip(pairs.tolist(), often.tolist(), strict=True)
    rows = [(pair // 24, pair % 24, 3.0 * count) for pair, count in counts]
    expected = oracle.link_loads(machine, rows, policy)
    for threads in THREADS:
        loads = machine.link_loads(src, dst, 3.0, policy, n_threads=threads)
        right = [expected.get(link, Fraction(0)) for link in range(machine.num_links)]
        assert loads.bytes.tolist() == right


SEGMENTS = {
    "powers of two": rf.torus((2, 4, 8), bandwidth=1.0),
    "others": rf.torus((4, 5, 6), bandwidth=1.0, wrap=(False, True, True)),
    "long": rf.torus((200,), bandwidth=1.0),
    "UltraServers": rf.preset("rainier", chips=192),
    "trn3": rf.domain(rf.TRN3_ULTRASERVER_GEN2),
}


@pytest.mark.parametrize("name", SEGMENTS)
def test_segments_counted_as_one_are_their_ends(name: str) -> None:
    """Flows of one size are counted by segment, flows with sizes of their own by their ends."""
    machine = SEGMENTS[name]
    rng = np.random.default_rng(5)
    src, dst = rng.integers(0, machine.num_chips, (2, 150_000))
    src[:3_000], dst[:3_000] = 1, machine.num_chips - 1
    axes = tuple(axis.name for axis in machine.ultraserver.axes)
    orders = {axes, axes[::-1]} if name != "trn3" else {None}
    for tie, order in product(TIES, orders):
        policy = rf.DimensionOrder(tie=tie, order=order)
        ends = machine.link_loads(src, dst, np.full(src.size, 3.0), policy)
        for threads in THREADS:
            loads = machine.link_loads(src, dst, 3.0, policy, n_threads=threads)
            assert np.array_equal(bits(loads), bits(ends))


def layouts(values: NDArray[np.int64]) -> dict[str, Any]:
    """The same numbers in every type and layout that holds them."""
    wide = np.zeros((values.size, 3), np.int64)
    wide[:, 1] = values
    raw = bytearray(8 * values.size + 1)
    odd = np.frombuffer(raw, np.int64, values.size, 1)
    odd[:] = values
    found: dict[str, Any] = {
        "list": values.tolist(),
        "tuple": tuple(values.tolist()),
        "column": wide[:, 1],
        "reversed": values[::-1].copy()[::-1],
        "unaligned": odd,
        "read-only": np.frombuffer(values.tobytes(), np.int64),
        "memoryview": memoryview(values),
    }
    for name in ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]:
        for order in "<>":
            found[order + name] = values.astype(order + name)
    return found


@settings(max_examples=15)
@given(st.data())
def test_types_and_layouts_do_not_matter(data: st.DataObject) -> None:
    machine = data.draw(grids(max_chips=96))  # below 128, so that a signed byte holds each chip
    src, dst, nbytes = data.draw(columns(machine))
    nbytes = np.minimum(nbytes, 100)
    right = bits(machine.link_loads(src, dst, nbytes))
    sources, targets, sizes = layouts(src), layouts(dst), layouts(nbytes.astype(np.int64))
    for name in sources:
        assert np.array_equal(bits(machine.link_loads(sources[name], dst, nbytes)), right), name
        assert np.array_equal(bits(machine.link_loads(src, targets[name], nbytes)), right), name
        assert np.array_equal(bits(machine.link_loads(src, dst, sizes[name])), right), name
    mixed = machine.link_loads(sources["<i4"], targets[">u2"], nbytes.astype(">f8"))
    assert np.array_equal(bits(mixed), right)
    for kind in ["<f2", ">f4", "<f4", ">f8"]:
        assert np.array_equal(bits(machine.link_loads(src, dst, nbytes.astype(kind))), right), kind
