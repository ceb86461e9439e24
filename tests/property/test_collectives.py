"""Laws of collectives, over every operation, algorithm and kind of machine and group."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rainier_fast as rf
from property.strategies import NAMED_ONLY, alone, clusters, grids, policies
from rainier_fast.ask.request import OPERATIONS
from rainier_fast.collectives.run import run as run_request

REDUCING = ("all_reduce", "reduce_scatter", "all_gather")
ROOTED = ("broadcast", "reduce", "gather", "scatter")
UP, DOWN = 1 + 1e-9, 1 - 1e-9
SIZES = st.sampled_from([0, 1, 1000, 1 << 20, 1e9]) | st.integers(0, 1 << 34)


def machines() -> st.SearchStrategy[rf.Machine]:
    return grids(max_chips=48) | alone() | clusters(max_chips=16)


def divisors(number: int) -> list[int]:
    return [size for size in range(1, number + 1) if number % size == 0]


@st.composite
def groups(draw: st.DrawFn, machine: rf.Machine) -> Any:
    """All chips, some in any order, or all groups of a mesh axis."""
    chips = machine.num_chips
    kind = draw(st.sampled_from(["all", "mesh", "some"]))
    if kind == "all":
        return None
    if kind == "mesh":
        return mesh_groups(draw, machine)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return rng.permutation(chips)[: draw(st.integers(1, min(chips, 24)))]


def mesh_groups(draw: st.DrawFn, machine: rf.Machine) -> rf.Groups:
    chips = machine.num_chips
    ranks = draw(st.sampled_from(divisors(chips)))
    inner = draw(st.sampled_from(divisors(chips // ranks)))
    return machine.mesh(outer=-1, here=ranks, inner=inner).axis_groups("here")


@st.composite
def cases(draw: st.DrawFn) -> tuple[rf.Machine, str, dict[str, Any]]:
    """A machine, an operation and the arguments of `run` but for size and algorithm."""
    machine = draw(machines())
    operation = draw(st.sampled_from(OPERATIONS))
    group = draw(groups(machine))
    given: dict[str, Any] = {"group": group, "routing": draw(policies(machine))}
    ranks = given["group"].ranks if isinstance(group, rf.Groups) else None
    ranks = ranks or (machine.num_chips if group is None else len(group))
    if operation in ROOTED:
        given["root"] = draw(st.integers(0, ranks - 1))
    if operation == "send_recv":
        given["shift"] = draw(st.integers(-3, 3))
    return machine, operation, given


def run(machine: rf.Machine, operation: str, size: float, **given: Any) -> rf.CollectiveResult:
    return run_request(machine, operation, 0 if operation == "barrier" else size, **given)


def each(
    machine: rf.Machine, operation: str, size: float, **given: Any
) -> dict[str, rf.CollectiveResult]:
    """The result of every algorithm that applies, but for schedules made anew for each call.

    A greedy one need not be better on a better machine; its laws are in `test_synthesized.py`.
    """
    found = {}
    for name in rf.algorithms(operation):
        if name == "synthesized":
            continue
        try:
            found[name] = run(machine, operation, size, algorithm=name, **given)
        except rf.Unsupported:
            continue
    return found


# ------------------------------------------------------------------ time


@given(cases(), SIZES, SIZES)
def test_time_never_falls_when_bytes_grow(case: Any, one: float, two: float) -> None:
    machine, operation, given = case
    small = each(machine, operation, min(one, two), **given)
    large = each(machine, operation, max(one, two), **given)
    assert small.keys() == large.keys()
    for name, result in small.items():
        assert result.time_s <= large[name].time_s * UP, name
        assert result.lower_bound_s <= large[name].lower_bound_s * UP, name


def faster(machine: rf.Machine, factors: list[float]) -> rf.Machine:
    """The same machine with every bandwidth multiplied: one factor for each axis, the NIC, WAN."""
    server = machine.ultraserver
    axes = tuple(
        dataclasses.replace(axis, bandwidth=axis.bandwidth_Bps * factor)
        for axis, factor in zip(server.axes, factors, strict=False)
    )
    nic = server.nic
    if nic is not None:
        nic = dataclasses.replace(nic, bandwidth=nic.bandwidth_Bps * factors[-2])
    server = dataclasses.replace(server, axes=axes, nic=nic)
    sites = [dataclasses.replace(site, ultraserver=server) for site in machine.sites]
    wan = machine.wan
    if wan is not None:
        wan = dataclasses.replace(wan, bandwidth=wan.bandwidth * factors[-1])
    return rf.Cluster(sites, wan)


@given(cases(), SIZES, st.data())
def test_time_never_rises_when_bandwidth_rises(case: Any, size: float, data: Any) -> None:
    machine, operation, given = case
    count = len(machine.ultraserver.axes) + 2
    factor = st.sampled_from([1.0, 1.0, 1.25, 2.0, 7.0])
    quick = faster(machine, data.draw(st.lists(factor, min_size=count, max_size=count)))
    before = each(machine, operation, size, **given)
    after = each(quick, operation, size, **given)
    assert before.keys() == after.keys()
    for name, result in before.items():
        assert after[name].time_s <= result.time_s * UP, name
        assert after[name].lower_bound_s <= result.lower_bound_s * UP, name


@given(cases(), SIZES)
def test_no_algorithm_beats_the_bound_its_loads_or_auto(case: Any, size: float) -> None:
    machine, operation, given = case
    best = run(machine, operation, size, **given)
    assert 0 <= best.efficiency <= UP
    for name, result in each(machine, operation, size, **given).items():
        assert result.time_s >= result.lower_bound_s * DOWN, (name, result.bounds)
        assert result.link_loads().time_s <= result.time_s * UP, name
        assert name in NAMED_ONLY or best.time_s <= result.time_s * UP, name
        assert result.lower_bound_s == pytest.approx(best.lower_bound_s, rel=1e-12)
        parts = result.latency_s + result.overhead_s
        assert parts <= result.time_s * UP, name
        free = run(machine, operation, size, algorithm=name, model="alpha_beta", **given)
        assert free.time_s <= result.time_s * UP, name


@given(cases(), SIZES)
def test_candidates_are_what_their_names_give(case: Any, size: float) -> None:
    machine, operation, given = case
    best = run(machine, operation, size, **given)
    found = each(machine, operation, size, **given)
    times = [row["time_s"] for row in best.candidates if row["time_s"] == row["time_s"]]
    assert best.time_s == min(times, default=best.time_s)
    for row in best.candidates:
        if row["algorithm"] in found and row["time_s"] == row["time_s"]:
            assert row["time_s"] == pytest.approx(found[row["algorithm"]].time_s, rel=1e-12)


@given(machines(), st.sampled_from(OPERATIONS), SIZES, st.data())
def test_a_group_of_one_costs_nothing(
    machine: rf.Machine, operation: str, size: float, data: Any
) -> None:
    chip = data.draw(st.integers(0, machine.num_chips - 1))
    alone = machine.mesh(dp=-1, tp=1).axis_groups("tp")
    for group in ([chip], alone):
        for name in ["auto", *each(machine, operation, size, group=group)]:
            result = run(machine, operation, size, group=group, algorithm=name)
            assert (result.time_s, result.lower_bound_s, result.latency_s) == (0, 0, 0)
            assert not result.link_loads().bytes.any()


@given(machines(), SIZES, st.data())
def test_reduce_scatter_and_all_gather_are_an_all_reduce(
    machine: rf.Machine, size: float, data: Any
) -> None:
    given = {"group": data.draw(groups(machine)), "routing": data.draw(policies(machine))}
    parts = [run(machine, name, size, **given) for name in ("reduce_scatter", "all_gather")]
    whole = run(machine, "all_reduce", size, **given)
    assert sum(part.time_s for part in parts) >= whole.time_s * DOWN


def test_both_halves_by_pat_are_an_all_reduce_too() -> None:
    machine = rf.torus((5, 5), 1e9, 0, wrap=False, overhead=2e-6)
    halves = [
        getattr(machine, name)(805, routing="adaptive") for name in ("reduce_scatter", "all_gather")
    ]
    assert [half.algorithm for half in halves] == ["pat", "pat"]
    whole = machine.all_reduce(805, routing="adaptive")
    assert sum(half.time_s for half in halves) >= whole.time_s * DOWN


def test_an_all_reduce_is_no_slower_than_its_tiers_named_one_by_one() -> None:
    axis = rf.Axis("x", 4, "switch", 50e9, "1 us")
    server = rf.UltraServer("u", None, (axis,), rf.Nic(25e9, "7.5 us", "1 us"), "0.5 us")
    fabric = rf.Fabric((rf.Tier(4, 2.0, 0),))
    machine = rf.Cluster([rf.Site("s", 6, server, fabric)])
    best = machine.all_reduce(1e9)
    others = {"hierarchical", "nccl", "neuron", "synthesized", "xla"}
    for name in set(rf.algorithms("all_reduce")) - others:
        try:
            named = machine.all_reduce(1e9, algorithm=["direct", name])
        except rf.Unsupported:
            continue
        assert best.time_s <= named.time_s * UP, name
    parts = machine.reduce_scatter(1e9).time_s + machine.all_gather(1e9).time_s
    assert parts >= best.time_s * DOWN


@pytest.mark.parametrize("size", [0, 1000, 1e6])
def test_a_faster_axis_does_not_slow_the_weighted_bucket(size: float) -> None:
    latency, wrap = (0, 0, 1e-6), (True, False, False)
    slow = rf.torus((3, 3, 3), (1e9, 1e9, 64e9), latency, wrap)
    fast = rf.torus((3, 3, 3), (2e9, 1e9, 64e9), latency, wrap)
    times = [one.all_reduce(size, algorithm="bucket").time_s for one in (slow, fast)]
    assert times[1] <= times[0] * UP


# ------------------------------------------------------------------ loads


@pytest.mark.parametrize("shape", [(4,), (5,), (3, 3), (4, 4), (6, 6), (3, 3, 3), (4, 4, 4), (2,)])
def test_a_symmetric_machine_loads_symmetric_links_alike(shape: tuple[int, ...]) -> None:
    machine = rf.torus(shape, 50e9)
    many = [machine.traffic("uniform", 1e9, policy) for policy in ("dor", "adaptive", "valiant")]
    for operation in (*REDUCING, "all_to_all"):
        many.append(run(machine, operation, 1e9, algorithm="bucket").link_loads())
        if operation != "all_to_all":
            many.append(run(machine, operation, 1e9, algorithm="bucket_equal").link_loads())
    for loads in many:
        assert loads.bytes.min() > 0
        np.testing.assert_allclose(loads.bytes, loads.bytes.mean(), rtol=1e-9)


@pytest.mark.parametrize("shape", [(4, 6), (3, 4, 5), (4, 4, 2), (2, 6)])
def test_links_of_one_axis_are_loaded_alike(shape: tuple[int, ...]) -> None:
    machine = rf.torus(shape, tuple(50e9 * (at + 1) for at in range(len(shape))))
    many = [machine.traffic("uniform", 1e9, policy) for policy in ("dor", "adaptive", "valiant")]
    for name in ("bucket", "bucket_equal"):
        many += [run(machine, what, 1e9, algorithm=name).link_loads() for what in REDUCING]
    for loads in many:
        kinds = np.array([machine.link(at).link_class for at in range(machine.num_links)])
        for kind in set(kinds.tolist()):
            of_kind = loads.bytes[kinds == kind]
            np.testing.assert_allclose(of_kind, of_kind.mean(), rtol=1e-9)


@given(machines(), st.sampled_from(OPERATIONS), SIZES)
def test_all_chips_by_number_are_all_chips(
    machine: rf.Machine, operation: str, size: float
) -> None:
    named = each(machine, operation, size, group=np.arange(machine.num_chips))
    whole = each(machine, operation, size)
    assert named.keys() == whole.keys()
    for name, result in whole.items():
        assert named[name].time_s == pytest.approx(result.time_s, rel=1e-9), name
        assert named[name].lower_bound_s == pytest.approx(result.lower_bound_s, rel=1e-9), name
        loads = named[name].link_loads().bytes
        np.testing.assert_allclose(loads, result.link_loads().bytes, rtol=1e-9, err_msg=name)


@given(machines(), st.sampled_from(OPERATIONS), st.data())
def test_groups_of_a_mesh_axis_load_links_as_each_by_itself(
    machine: rf.Machine, operation: str, data: Any
) -> None:
    size = 720720.0
    together = mesh_groups(data.draw, machine)
    chips = machine.ultraserver.num_chips
    spans = {np.unique(row // chips).size > 1 for row in together.to_array()}
    # Where some groups lie inside an UltraServer and some do not, all take the order of ranks.
    if together.count > 40 or len(spans) > 1:
        return
    given: dict[str, Any] = {"routing": data.draw(policies(machine))}
    for name, result in each(machine, operation, size, group=together, **given).items():
        if name in ("bucket", "hierarchical", "scatter_allgather", "symmetric"):
            continue  # they choose by what contends
        total = np.zeros(machine.num_links)
        slowest = 0.0
        for index in range(together.count):
            part = run(
                machine,
                operation,
                size,
                group=together.members(index),
                algorithm=name,
                **given,
            )
            total += part.link_loads().bytes
            slowest = max(slowest, part.time_s)
        np.testing.assert_allclose(
            result.link_loads().bytes, total, rtol=1e-9, atol=1e-3, err_msg=name
        )
        assert result.time_s >= slowest * DOWN, name
