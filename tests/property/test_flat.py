"""Flat algorithms over several UltraServers take what their own schedules take, written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

import rainier_fast as rf

ALIKE = ("all_reduce", "reduce_scatter", "all_gather")
ROOTED = ("broadcast", "reduce", "gather", "scatter")
FLAT = {
    "ring": ALIKE,
    "ring_one_way": ALIKE,
    "halving_doubling": ALIKE,
    "recursive_doubling": ("all_reduce",),
    "binomial_tree": ("all_reduce", *ROOTED),
    "direct": (*ALIKE, "all_to_all", *ROOTED),
    "mesh": ("all_reduce",),
}
# Of listed ranks, unlike each other: in a price by links all wait for the slowest of a step.
LISTED = {
    "neighbor_exchange": ("all_gather",),
    "pairwise": ("all_to_all", "reduce_scatter"),
    "linear_sync": ("all_to_all",),
    "butterfly": ("reduce_scatter",),
    "knomial_tree": ("broadcast", "reduce"),
    "chain": ("broadcast", "reduce"),
}
TIMES = st.sampled_from([0.0, 1e-6, 3e-6, 1e-3])


@st.composite
def clusters(draw: st.DrawFn) -> rf.Machine:
    """One or two sites of UltraServers whose links, NICs and fabrics are as unlike as they come."""
    size = draw(st.integers(2, 4))
    kind = draw(st.sampled_from(["ring", "line", "full_mesh", "switch"]))
    axes = [rf.Axis("x", size, kind, draw(st.sampled_from([5e9, 50e9])), draw(TIMES))]
    if draw(st.booleans()):
        axes.append(rf.Axis("y", 2, "ring", 20e9, draw(TIMES)))
    nic = rf.Nic(draw(st.sampled_from([5e9, 25e9])), draw(TIMES), draw(TIMES))
    server = rf.UltraServer("u", None, tuple(axes), nic, draw(TIMES))
    tiers = [rf.Tier(2, draw(st.sampled_from([1.0, 8.0])), draw(TIMES))]
    fabric = rf.Fabric(tuple(tiers[: draw(st.integers(0, 1))]))
    sites = [
        rf.Site(f"s{at}", draw(st.integers(2 - at, 3)), server, fabric)
        for at in range(draw(st.integers(1, 2)))
    ]
    wan = rf.Wan(draw(st.sampled_from([1e9, 1e12])), 6e-3)
    return rf.Cluster(sites, wan if len(sites) > 1 else None)


@st.composite
def groups(draw: st.DrawFn, machine: rf.Machine) -> list[int]:
    """Two or more of the same chips of two or more UltraServers."""
    per = machine.ultraserver.num_chips
    servers = machine.num_chips // per
    some = draw(st.sets(st.integers(0, servers - 1), min_size=2, max_size=servers))
    local = draw(st.sets(st.integers(0, per - 1), min_size=2, max_size=per))
    return [server * per + chip for server in sorted(some) for chip in sorted(local)]


def written_out(made: rf.Schedule, root: int | None = None) -> rf.Schedule:
    """The same schedule as a user would write it, who names no algorithm."""
    given = (made.operation, made.size_bytes, made.chips, made.sends, made.blocks)
    return rf.Schedule(*given) if root is None else rf.Schedule(*given, root)


@given(
    clusters(),
    st.data(),
    st.sampled_from(sorted(FLAT)),
    st.sampled_from(["link_load", "alpha_beta", "fluid"]),
    st.sampled_from([1.0, 1e3, 1e5, 1e7, 1e9]),
)
def test_a_flat_algorithm_is_its_own_schedule(
    machine: rf.Machine, data: Any, algorithm: str, model: str, size: float
) -> None:
    operation = data.draw(st.sampled_from(FLAT[algorithm]))
    # Simulated, everybody waits for everybody between the two steps of these.
    two_steps = algorithm in ("direct", "mesh") and operation == "all_reduce"
    assume(model != "fluid" or not two_steps)
    ask = {"algorithm": algorithm, "model": model, "group": data.draw(groups(machine))}
    if operation in ROOTED:
        ask["root"] = data.draw(st.integers(0, len(ask["group"]) - 1))
    try:
        result = getattr(machine, operation)(size, **ask)
    except rf.Unsupported:
        reject()
    out = machine.run(written_out(result.schedule(), ask.get("root")), model=model)
    assert out.time_s == pytest.approx(result.time_s, rel=1e-9)
    assert result.time_s >= result.lower_bound_s * (1 - 1e-9)
    assert getattr(machine, operation)(2 * size, **ask).time_s >= result.time_s * (1 - 1e-12)
    if model == "fluid" and "ring" in algorithm:
        # What is too much to be simulated is priced by links, which is never less.
        by_links = getattr(machine, operation)(size, **{**ask, "model": "link_load"})
        assert result.time_s <= by_links.time_s * (1 + 1e-9)
    if model != "fluid":
        assert machine.times(operation, [size], **ask).time_s[0] == pytest.approx(
            result.time_s, rel=1e-12
        )


@given(
    clusters(),
    st.data(),
    st.sampled_from(sorted(LISTED)),
    st.sampled_from(["link_load", "alpha_beta"]),
    st.sampled_from([1.0, 1e5, 1e9]),
)
def test_a_listed_algorithm_is_proven_and_no_faster_than_its_schedule(
    machine: rf.Machine, data: Any, algorithm: str, model: str, size: float
) -> None:
    operation = data.draw(st.sampled_from(LISTED[algorithm]))
    ask = {"algorithm": algorithm, "model": model, "group": data.draw(groups(machine))}
    if operation in ROOTED:
        ask["root"] = data.draw(st.integers(0, len(ask["group"]) - 1))
    if algorithm == "neighbor_exchange" and len(ask["group"]) % 2:
        reject()
    result = getattr(machine, operation)(size, **ask)
    made = result.schedule()
    made.verify()
    out = machine.run(written_out(made, ask.get("root")), model=model)
    assert out.time_s <= result.time_s * (1 + 1e-9)


@given(clusters(), st.data(), st.sampled_from([1e3, 1e7]))
def test_rings_of_several_groups_are_their_schedules_side_by_side(
    machine: rf.Machine, data: Any, size: float
) -> None:
    per = machine.ultraserver.num_chips
    servers = machine.num_chips // per
    width = data.draw(st.sampled_from([w for w in (2, per) if per % w == 0]))
    # Groups of some chips of all UltraServers, or of all chips of some.
    if data.draw(st.booleans()) or servers % 2:
        order = np.arange(machine.num_chips).reshape(servers, -1, width).swapaxes(0, 1).ravel()
        shape = {"side": per // width, "server": servers, "chip": width}
    else:
        order = np.arange(machine.num_chips)
        shape = {"side": servers // 2, "server": 2, "chip": per}
    mesh = machine.mesh(shape, order=order)
    ask = {"axis": ("server", "chip"), "algorithm": "ring", "model": "fluid"}
    plan = mesh.plan.all_reduce(size, **ask)
    apart = plan.run().time_s
    assert machine.together([plan], model="fluid")[0].time_s == pytest.approx(apart, rel=1e-9)


def test_a_ring_through_four_ultraservers_is_pipelined() -> None:
    # Of 510 hops 8 leave an UltraServer: 15 us on the way, 1 us to start them at each of its ends.
    rainier = rf.preset("rainier", chips=256)
    for model in ("link_load", "alpha_beta", "fluid"):
        result = rainier.all_reduce("1 KiB", algorithm="ring", model=model)
        assert result.time_s == pytest.approx(8 * 17e-6 + 502 * 1.5e-6, rel=1e-4)
