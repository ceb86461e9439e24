"""What collectives over fabrics say, against their schedules message by message.

Loads, latency and floors are counted here from single routes, which know nothing of patterns.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import rainier_fast as rf
from rainier_fast.ask.request import OPERATIONS
from rainier_fast.collectives.run import run as run_request

ROOTED = ("broadcast", "reduce", "gather", "scatter")
UP, DOWN = 1 + 1e-9, 1 - 1e-9
LATENCIES = st.sampled_from([0.0, 1e-6, 1.0])


@st.composite
def fabrics(draw: st.DrawFn) -> rf.Fabric:
    """Up to three nested tiers, each with its own oversubscription and latency."""
    tiers, group = [], 1
    for _ in range(draw(st.integers(0, 3))):
        group *= draw(st.integers(2, 3))
        share = draw(st.sampled_from([1.0, 1.5, 4.0]))
        tiers.append(rf.Tier(group, share, draw(LATENCIES)))
    return rf.Fabric(tuple(tiers))


@st.composite
def machines(draw: st.DrawFn) -> rf.Machine:
    """One to three sites of UltraServers of one to four chips; nothing takes time to start."""
    size, kind = draw(st.integers(1, 4)), draw(st.sampled_from(["ring", "line", "full_mesh"]))
    axes = (rf.Axis("x", size, kind, 50e9, draw(LATENCIES)),)
    server = rf.UltraServer("u", None, axes, rf.Nic(25e9, draw(LATENCIES), 0.0), 0.0)
    sites = [
        rf.Site(f"s{at}", draw(st.integers(1, 7)), server, draw(fabrics()))
        for at in range(draw(st.integers(1, 3)))
    ]
    shape = draw(st.sampled_from(["mesh", "hub"]))
    return rf.Cluster(sites, rf.Wan(1e12, 6e-3, shape) if len(sites) > 1 else None)


@st.composite
def groups(draw: st.DrawFn, machine: rf.Machine) -> list[int]:
    """Chips in any order: the same ones of some UltraServers, or any."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    per, servers = machine.ultraserver.num_chips, machine.num_chips // machine.ultraserver.num_chips
    if draw(st.booleans()):
        some = rng.permutation(servers)[: draw(st.integers(1, servers))]
        local = rng.permutation(per)[: draw(st.integers(1, per))]
        chips = (np.sort(some)[:, None] * per + local[None]).ravel()
        return (chips if draw(st.booleans()) else rng.permutation(chips)).tolist()
    return rng.permutation(machine.num_chips)[: draw(st.integers(1, machine.num_chips))].tolist()


@st.composite
def cases(draw: st.DrawFn) -> tuple[rf.Machine, str, dict[str, Any]]:
    machine = draw(machines())
    operation = draw(st.sampled_from([*ROOTED, *OPERATIONS]))
    chips = draw(groups(machine))
    more: dict[str, Any] = {"group": chips}
    if operation in ROOTED:
        more["root"] = draw(st.integers(0, len(chips) - 1))
    if operation == "send_recv":
        more["shift"] = draw(st.integers(-3, 3))
    more["algorithm"] = draw(st.sampled_from(["auto", *rf.algorithms(operation)]))
    return machine, operation, more


class Written:
    """A schedule, counted by the routes of its messages."""

    def __init__(self, machine: rf.Machine, schedule: rf.Schedule) -> None:
        chips = schedule.chips
        self.bytes: NDArray[np.float64] = np.zeros(machine.num_links)
        self.messages: list[tuple[tuple[int, int, int], int, int, float]] = []
        routes: dict[tuple[int, int], rf.Route] = {}
        for send in schedule.sends:
            ends = chips[send.src], chips[send.dst]
            route = routes.setdefault(ends, machine.route(*ends))
            assert send.nbytes is not None
            np.add.at(self.bytes, route.links, send.nbytes * np.asarray(route.shares))
            at = send.stage, send.step, send.lane
            self.messages.append((at, send.src, send.dst, route.latency_s))

    def latencies(self) -> tuple[float, float]:
        """Seconds if ranks wait for what their lane brings, and if all wait at each step."""
        had: dict[tuple[int, int, int], float] = defaultdict(float)
        stages: dict[int, float] = defaultdict(float)
        steps: dict[tuple[int, int], float] = defaultdict(float)
        for (stage, step, lane), sent in groupby(sorted(self.messages), lambda one: one[0]):
            ends = [(dst, had[stage, lane, src] + late, late) for _, src, dst, late in sent]
            for dst, end, latency in ends:
                had[stage, lane, dst] = max(had[stage, lane, dst], end)
                stages[stage] = max(stages[stage], end)
                steps[stage, step] = max(steps[stage, step], latency)
        return sum(stages.values()), sum(steps.values())


@given(cases(), st.sampled_from([1.0, 720720.0, 1e9]), st.sampled_from(["link_load", "alpha_beta"]))
def test_a_collective_is_its_schedule(case: Any, size: float, model: str) -> None:
    machine, operation, more = case
    if more["algorithm"] in ("nccl", "neuron", "xla"):
        return
    size = 0.0 if operation == "barrier" else size
    try:
        result = run_request(machine, operation, size, model=model, chunks=1, **more)
        written = Written(machine, result.schedule())
    except rf.Unsupported:
        return
    loads = result.link_loads()
    np.testing.assert_allclose(loads.bytes, written.bytes, rtol=1e-9, atol=1e-6 * size)
    together, apart = written.latencies()
    assert together * DOWN <= result.latency_s <= apart * UP
    assert result.time_s >= (result.latency_s if model == "link_load" else together) * DOWN
    if model == "link_load":
        assert result.time_s >= loads.time_s * DOWN
    assert result.time_s >= result.lower_bound_s * DOWN


@pytest.mark.parametrize("operation", ROOTED)
@pytest.mark.parametrize("root", range(8))
def test_the_fabric_counts_wherever_the_root_is(operation: str, root: int) -> None:
    # Four UltraServers of two chips, two a group of the fabric: who crosses it waits a second.
    axis = rf.Axis("x", 2, "ring", 50e9, 0)
    server = rf.UltraServer("u", None, (axis,), rf.Nic(25e9, 0, 0), 0)
    machine = rf.Cluster([rf.Site("s", 4, server, rf.Fabric((rf.Tier(2, 1.0, "1 s"),)))])
    for model in ("link_load", "alpha_beta", "fluid"):
        result = getattr(machine, operation)(1, root=root, model=model)
        assert result.lower_bound_s >= 2
        assert result.time_s >= result.lower_bound_s
        assert result.time_s == pytest.approx(2, rel=1e-6)
