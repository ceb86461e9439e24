"""Laws of synthesised schedules, on every kind of machine that they do, whole and damaged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import rainier_fast as rf
from property.strategies import alone, grids

UP, DOWN = 1 + 1e-9, 1 - 1e-9
OPERATIONS = st.sampled_from(["all_reduce", "reduce_scatter", "all_gather"])
SIZES = st.sampled_from([0, 1, 1 << 20, 1e9]) | st.integers(0, 1 << 34)


def made(
    machine: rf.Machine, operation: str, size: float, **given: Any
) -> rf.CollectiveResult | None:
    """The result; None where the machine has switches or the group needs others to relay."""
    try:
        result = getattr(machine, operation)(size, algorithm="synthesized", **given)
    except rf.Unsupported as error:
        if "switch" in str(error) or "relay" in str(error):
            return None
        raise
    assert isinstance(result, rf.CollectiveResult)
    return result


@given(grids(max_chips=16) | alone(), OPERATIONS, SIZES, st.data())
def test_it_is_proven_and_no_bound_is_beaten(
    machine: rf.Machine, operation: str, size: float, data: Any
) -> None:
    group = None
    if data.draw(st.booleans()):
        rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
        group = rng.permutation(machine.num_chips)[: data.draw(st.integers(1, machine.num_chips))]
    chunks = data.draw(st.integers(1, 5))
    result = made(machine, operation, size, group=group, chunks=chunks)
    assume(result is not None)
    assert result is not None
    assert result.time_s >= result.lower_bound_s * DOWN
    best = getattr(machine, operation)(size, group=group)
    assert result.lower_bound_s >= best.lower_bound_s * DOWN
    assert best.time_s >= result.lower_bound_s * DOWN
    loads = result.link_loads()
    assert loads.time_s <= result.time_s * UP
    halves = 2 if operation == "all_reduce" else 1
    assert loads.bytes.sum() == pytest.approx(halves * size * (result.ranks - 1), rel=1e-9)
    assert result.latency_s + result.overhead_s <= result.time_s * UP
    options = {"algorithm": "synthesized", "group": group, "chunks": chunks}
    schedule = rf.schedule(operation, machine, size, **options)
    schedule.verify()
    assert machine.run(schedule).time_s == result.time_s
    fluid = machine.run(schedule, model="fluid").time_s
    assert fluid <= result.time_s * UP
    assert fluid >= loads.time_s * DOWN


@given(grids(max_chips=16), OPERATIONS, SIZES, st.integers(-3, 6))
def test_time_scales_with_bytes_where_there_is_no_latency(
    machine: rf.Machine, operation: str, size: float, power: int
) -> None:
    quiet = machine.without_latency()
    one, other = (made(quiet, operation, size * 2.0**p, chunks=2) for p in (0, power))
    assume(one is not None and other is not None)
    assert one is not None
    assert other is not None
    assert other.time_s == one.time_s * 2.0**power


@given(grids(max_chips=16), OPERATIONS, st.integers(0, 2**32))
def test_damage_is_gone_round_or_named(machine: rf.Machine, operation: str, seed: int) -> None:
    assume(machine.num_links > 0)
    rng = np.random.default_rng(seed)
    count = rng.integers(1, max(2, machine.num_links // 5 + 1))
    dead = np.unique(rng.integers(0, machine.num_links, count)).tolist()
    slow = set(rng.integers(0, machine.num_links, 2).tolist()) - set(dead)
    hurt = machine.with_faults(links=dead, degrade=dict.fromkeys(sorted(slow), 0.5))
    try:
        result = made(hurt, operation, 1e6, chunks=2)
    except rf.Unreachable:
        return
    assume(result is not None)
    assert result is not None
    assert not result.link_loads().bytes[dead].any()
    assert result.time_s >= result.lower_bound_s * DOWN
    schedule = rf.schedule(operation, hurt, 1e6, algorithm="synthesized", chunks=2)
    schedule.verify()
    assert hurt.run(schedule, model="fluid").time_s <= result.time_s * UP
