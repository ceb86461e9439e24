"""Laws of the simulated models, and where they agree with the simpler ones."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rainier_fast as rf
from property.strategies import alone, clusters, grids
from property.test_collectives import ROOTED, faster, groups
from property.test_collectives import run as run_one
from rainier_fast.ask.request import OPERATIONS
from raising import raises

UP, DOWN = 1 + 1e-9, 1 - 1e-9
SIMULATED = ("fluid", "fifo")
SIZES = st.sampled_from([0, 1, 1000, 1 << 20, 1e9, 1e18])
NOT_OURS = ("nccl", "neuron", "xla", "synthesized")
# A pipelined algorithm's schedule is that of all of its pieces together, which takes longer.
IN_PIECES = (
    "bucket",
    "bucket_equal",
    "double_binary_tree",
    "disjoint_trees",
    "symmetric",
    "scatter_allgather",
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[rf.Machine, str, str, dict[str, Any]]:
    """A machine, an operation, an algorithm and further arguments of `run`."""
    machine = draw(grids(4, max_chips=24) | alone() | clusters(max_chips=6))
    operation = draw(st.sampled_from(OPERATIONS))
    algorithm = draw(st.sampled_from([*rf.algorithms(operation), "auto"]))
    group = draw(groups(machine))
    more: dict[str, Any] = {"group": group}
    ranks = group.ranks if isinstance(group, rf.Groups) else None
    ranks = ranks or (machine.num_chips if group is None else len(group))
    if operation in ROOTED:
        more["root"] = draw(st.integers(0, ranks - 1))
    if operation == "send_recv":
        more["shift"] = draw(st.integers(-3, 3))
    return machine, operation, algorithm, more


def run(
    machine: rf.Machine, operation: str, size: float, **more: Any
) -> rf.CollectiveResult | None:
    """The result, or None where there is none."""
    if more.get("algorithm") in NOT_OURS:
        return None
    try:
        return run_one(machine, operation, size, **more)
    except rf.Unsupported:
        return None


# ------------------------------------------------------------------ floors


@given(cases(), SIZES, st.sampled_from(SIMULATED))
def test_nothing_beats_its_busiest_link_or_the_bound(case: Any, size: float, model: str) -> None:
    machine, operation, algorithm, more = case
    result = run(machine, operation, size, algorithm=algorithm, model=model, **more)
    if result is None:
        return
    loads = result.link_loads()
    links = [machine.link(link).bandwidth_Bps for link in range(machine.num_links)]
    busiest = max((loads.bytes / np.array(links)).tolist(), default=0.0)
    assert np.isfinite(result.time_s)
    assert result.time_s >= busiest * DOWN
    assert result.time_s >= result.lower_bound_s * DOWN
    assert result.latency_s + result.overhead_s <= result.time_s
    if size == 0 or operation == "barrier":
        assert result.latency_s + result.overhead_s == pytest.approx(result.time_s, rel=1e-9)


def test_every_member_of_another_domain_gets_its_own_message() -> None:
    # 3 domains of 4 chips: a NIC sends 2 x 4 of the 12 shares.
    axis = rf.Axis("x", 4, "ring", 50e9, "1 us")
    server = rf.UltraServer("u", None, (axis,), rf.Nic(25e9, "7.5 us", "1 us"), "0.5 us")
    machine = rf.Cluster([rf.Site("s", 3, server)])
    result = machine.all_to_all(12e9, algorithm="direct", model="fluid")
    assert result.time_s >= 8e9 / 25e9
    # A stored message belongs to one member; here several share one.
    with raises(rf.Unsupported, None, '"fifo"', '"fluid"'):
        machine.all_to_all(12e9, algorithm="direct", model="fifo")
    written = rf.schedule("all_to_all", machine, 12e9, algorithm="direct")
    own = rf.Schedule("all_to_all", 12e9, written.chips, written.sends, written.blocks)
    assert machine.run(own, model="fifo").time_s >= 8e9 / 25e9


def test_rings_through_domains_both_ways_share_all_nics() -> None:
    # One way a domain is left at its last chip. Both ways there are rings that are cut at each of
    # its three.
    axis = rf.Axis("x", 3, "line", 500e9, 0)
    server = rf.UltraServer("u", None, (axis,), rf.Nic(25e9, 0, 0))
    machine = rf.Cluster([rf.Site("s", 4, server)])
    one, both = (
        machine.reduce_scatter(12e9, algorithm=name, model="fluid").time_s
        for name in ("ring_one_way", "ring")
    )
    assert one == pytest.approx(11 * 1e9 / 25e9, rel=1e-9)
    assert both == pytest.approx(one / 3, rel=1e-9)


@pytest.mark.parametrize("operation", ["reduce", "broadcast", "all_reduce"])
@pytest.mark.parametrize("latency", [0, 1e-9, 1e-6, 1e-3])
def test_a_pipeline_of_many_pieces_fills_before_it_goes_on_by_its_period(
    operation: str, latency: float
) -> None:
    # Without overhead the best pieces are bytes, of which thousands leave before one has arrived.
    line = rf.torus(3, 1e9, latency, wrap=False)
    for algorithm in ("ring", "ring_one_way", "double_binary_tree", "symmetric"):
        result = run(line, operation, 1 << 20, algorithm=algorithm, model="fluid")
        if result is not None:
            assert result.time_s >= result.link_loads().time_s * DOWN, algorithm


@pytest.mark.parametrize("model", SIMULATED)
def test_a_pipeline_whose_queues_still_grow_is_not_taken_for_a_full_one(model: str) -> None:
    grid = rf.torus((4, 2), 5e9, (1e-6, 0), (False, True))
    ring = rf.torus((8, 3), (1e9, 5e9), 1e-6)
    for machine in (grid, ring):
        for operation in ("broadcast", "all_reduce", "reduce"):
            for algorithm in ("symmetric", "double_binary_tree", "ring", "bucket"):
                if algorithm in rf.algorithms(operation):
                    result = run(machine, operation, 1e9, algorithm=algorithm, model=model)
                    assert result is not None
                    assert result.time_s >= result.link_loads().time_s * DOWN, algorithm


# ------------------------------------------------------------------ one flow


@given(grids(4, max_chips=48) | alone() | clusters(max_chips=16), SIZES, st.data())
def test_one_flow_is_alpha_beta(machine: rf.Machine, size: float, data: Any) -> None:
    chips = st.integers(0, machine.num_chips - 1)
    src, dst = data.draw(chips), data.draw(chips)
    alone_s = machine.route(src, dst).time_s(size)
    assert machine.finish_times([src], [dst], size).max() == pytest.approx(alone_s, rel=1e-12)
    if src == dst:
        return
    for operation, more in (("send_recv", {"shift": 1}), ("broadcast", {"algorithm": "direct"})):
        times = [
            run_one(machine, operation, size, group=[src, dst], model=model, **more).time_s
            for model in ("alpha_beta", "fluid")
        ]
        # Two chips whose ways to each other share a link are two flows: there and back never do.
        assert times[1] == pytest.approx(times[0], rel=1e-12), operation


# ------------------------------------------------------------------ written out


@st.composite
def written(draw: st.DrawFn) -> tuple[rf.Machine, rf.Schedule, str]:
    """A schedule of an algorithm without pieces, of chips of one domain.

    Through several domains, the compact simulation lets everybody wait for everybody wherever steps
    inside domains and between them follow each other, which takes longer.
    """
    machine = draw(grids(4, max_chips=30) | alone())
    operation = draw(st.sampled_from([one for one in OPERATIONS if one != "barrier"]))
    names = set(rf.algorithms(operation)) - {*NOT_OURS, *IN_PIECES, "hierarchical"}
    if operation in ("broadcast", "reduce"):
        names -= {"ring", "ring_one_way"}
    algorithm = draw(st.sampled_from(sorted(names)))
    group = draw(groups(machine))
    if isinstance(group, rf.Groups):
        group = None
    ranks = machine.num_chips if group is None else len(group)
    root = draw(st.integers(0, ranks - 1)) if operation in ROOTED else 0
    shift = draw(st.integers(-3, 3)) if operation == "send_recv" else 0
    try:
        made = rf.schedule(
            operation,
            machine,
            draw(SIZES),
            algorithm=algorithm,
            group=group,
            root=root,
            shift=shift,
        )
    except rf.Unsupported:
        made = rf.schedule("all_gather", machine, 1000, algorithm="direct", group=group)
    return machine, made, draw(st.sampled_from(["dor", rf.DimensionOrder("positive")]))


def rewritten(made: rf.Schedule) -> rf.Schedule:
    """The same schedule as a user would write it."""
    root = made._core.root
    return rf.Schedule(made.operation, made.size_bytes, made.chips, made.sends, made.blocks, root)


@given(written())
def test_a_schedule_written_out_takes_as_long_as_the_algorithm(case: Any) -> None:
    """Fair sharing tells no two runs of one schedule apart, also on lines and scattered chips.

    What may differ: overheads, which the compact run counts as those of the busiest sender; `fifo`,
    which serves what comes at once by number; `link_load` and `alpha_beta`, which see the phases of
    the algorithm in one and levels of messages in the other.
    """
    machine, made, routing = case
    if made.operation == "send_recv" or machine.ultraserver.overhead_s > 0:
        return
    compact = machine.run(made, model="fluid", routing=routing)
    out = machine.run(rewritten(made), model="fluid", routing=routing)
    assert out.time_s == pytest.approx(compact.time_s, rel=1e-9, abs=1e-15)


@st.composite
def written_between(draw: st.DrawFn) -> tuple[rf.Machine, rf.Schedule]:
    """A schedule between UltraServers of one chip, over tiers that block or not and delay."""
    axis = rf.Axis("x", 1, "ring", 1e9, 0)
    server = rf.UltraServer("u", None, (axis,), rf.Nic(25e9, 1e-6))
    tiers, group = [], 1
    for _ in range(draw(st.integers(0, 2))):
        group *= draw(st.integers(1, 4))
        blocking = draw(st.sampled_from([0.5, 1.0, 1.0, 1.5, 3.0]))
        tiers.append(rf.Tier(group, blocking, draw(st.sampled_from([0, 1e-6]))))
    counts = draw(st.lists(st.integers(1, 12), min_size=1, max_size=2))
    sites = [
        rf.Site(f"s{at}", count, server, rf.Fabric(tuple(tiers))) for at, count in enumerate(counts)
    ]
    machine = rf.Cluster(sites, rf.Wan(1e11, 1e-5) if len(sites) > 1 else None)
    operation = draw(st.sampled_from([one for one in OPERATIONS if one != "barrier"]))
    names = set(rf.algorithms(operation)) - {*NOT_OURS, *IN_PIECES, "hierarchical"}
    if operation in ("broadcast", "reduce"):
        names -= {"ring", "ring_one_way"}
    algorithm = draw(st.sampled_from(sorted(names)))
    try:
        made = rf.schedule(operation, machine, draw(SIZES), algorithm=algorithm)
    except rf.Unsupported:
        made = rf.schedule("all_gather", machine, 1000, algorithm="ring")
    return machine, made


@given(written_between())
def test_a_schedule_between_ultraservers_takes_as_long_written_out(case: Any) -> None:
    """Classes of messages, and tiers that never hold any up, are those of messages one by one."""
    machine, made = case
    if made.operation == "send_recv":
        return
    compact = machine.run(made, model="fluid")
    out = machine.run(rewritten(made), model="fluid")
    assert out.time_s == pytest.approx(compact.time_s, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("overhead", [0, 2e-6])
@pytest.mark.parametrize("model", ["alpha_beta", "link_load", "fluid", "fifo"])
def test_a_symmetric_schedule_written_out_takes_as_long_under_every_model(
    model: str, overhead: float
) -> None:
    """All ranks alike in every step, one message a rank and way: phases and levels are the same."""
    machines = [
        rf.torus(8, 50e9, "1 us", overhead=overhead),
        rf.torus((4, 4), 50e9, 0, overhead=overhead),
    ]
    names = ("ring", "ring_one_way", "swing", "recursive_doubling", "halving_doubling", "bruck")
    for machine in machines:
        for operation in ("all_reduce", "reduce_scatter", "all_gather"):
            for algorithm in set(names) & set(rf.algorithms(operation)):
                if model == "fifo" and algorithm not in ("ring", "ring_one_way"):
                    continue
                made = rf.schedule(operation, machine, 1e6, algorithm=algorithm)
                compact, out = (
                    machine.run(one, model=model).time_s for one in (made, rewritten(made))
                )
                assert out == pytest.approx(compact, rel=1e-9), (algorithm, operation)


# ------------------------------------------------------------------ more bytes, more bandwidth


@given(cases(), SIZES, SIZES)
def test_time_never_falls_when_bytes_grow(case: Any, one: float, two: float) -> None:
    machine, operation, algorithm, more = case
    if algorithm in IN_PIECES:
        return  # their pieces change with their bytes: see below
    given = {"algorithm": algorithm, "model": "fluid", **more}
    small = run(machine, operation, min(one, two), **given)
    large = run(machine, operation, max(one, two), **given)
    if small is not None and large is not None:
        assert small.time_s <= large.time_s * UP


@given(cases(), SIZES, st.sampled_from([1.25, 2.0, 7.0]))
def test_time_falls_as_all_bandwidths_rise(case: Any, size: float, factor: float) -> None:
    """All bandwidths together: that is the same as fewer bytes."""
    machine, operation, algorithm, more = case
    if algorithm in IN_PIECES:
        return
    quick = faster(machine, [factor] * (len(machine.ultraserver.axes) + 2))
    given = {"algorithm": algorithm, "model": "fluid", **more}
    before, after = run(machine, operation, size, **given), run(quick, operation, size, **given)
    if before is not None and after is not None:
        assert after.time_s <= before.time_s * UP


def test_a_faster_axis_can_slow_a_fixed_schedule() -> None:
    """A known anomaly of fair sharing with dependencies, as of scheduling in general.

    With x twice as fast, some messages come earlier to links of y and take a fair part of them from
    messages that more depends on. Machines with all bandwidths raised alike never lose.
    """
    slow = rf.torus((3, 5), (2e9, 1e9), "1 us")
    fast = rf.torus((3, 5), (4e9, 1e9), "1 us")
    times = [one.reduce_scatter(1e6, algorithm="pat", model="fluid").time_s for one in (slow, fast)]
    assert 1.02 < times[1] / times[0] < 1.03


def test_more_bytes_can_take_less_time_where_their_pieces_are_more() -> None:
    """A known anomaly: the number of pieces is that which `link_load` finds best, for each size."""
    machine = rf.torus((3, 2, 5), (1e9, 1e9, 64e9), "1 us", (False, True, False))
    times = [
        machine.gather(size, algorithm="symmetric", model="fluid").time_s for size in (1e4, 4e4)
    ]
    assert 0.9 < times[1] / times[0] < 1
    assert machine.gather(1e4, model="fluid").time_s <= machine.gather(4e4, model="fluid").time_s


# ------------------------------------------------------------------ the same again


@settings(max_examples=25)
@given(cases(), SIZES, st.sampled_from(SIMULATED))
def test_the_same_call_gives_the_same_bits(case: Any, size: float, model: str) -> None:
    machine, operation, algorithm, more = case
    given = {"algorithm": algorithm, "model": model, **more}
    first, again = run(machine, operation, size, **given), run(machine, operation, size, **given)
    if first is None or again is None:
        return
    other = run(pickle.loads(pickle.dumps(machine)), operation, size, **given)
    for result in (again, other, pickle.loads(pickle.dumps(first))):
        assert result is not None
        assert result.time_s == first.time_s
        assert result.algorithm == first.algorithm
        np.testing.assert_array_equal(result.link_loads().bytes, first.link_loads().bytes)
