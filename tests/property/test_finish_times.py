"""Finish times against a slow reference in fractions, and laws of both models."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rainier_fast as rf

Flow = tuple[int, int, int, int]
"""From, to, bytes, start in seconds."""

SHAPES = [(4,), (5,), (4, 4), (2, 2, 3)]


def slow_rates(flows: list[dict[int, Fraction]], capacity: dict[int, Fraction]) -> list[Fraction]:
    """Progressive filling, one level at a time; every flow has links."""
    rates: list[Fraction | None] = [None] * len(flows)
    while None in rates:
        levels = {}
        for link in capacity:
            riders = [at for at, flow in enumerate(flows) if link in flow]
            used = sum(((rates[at] or 0) * flows[at][link] for at in riders), Fraction(0))
            shares = sum((flows[at][link] for at in riders if rates[at] is None), Fraction(0))
            if shares:
                levels[link] = (capacity[link] - used) / shares
        level = min(levels.values())
        full = {link for link, its in levels.items() if its == level}
        for at, flow in enumerate(flows):
            if rates[at] is None and full & flow.keys():
                rates[at] = level
    return [rate for rate in rates if rate is not None]


def slow_times(machine: Any, flows: list[Flow], routing: str) -> list[float]:
    """Every rate found anew at every start and end, in fractions."""
    routes = [machine.route(src, dst, routing) for src, dst, _, _ in flows]
    paths = [
        {
            link: Fraction(share)
            for link, share in zip(route.links.tolist(), route.shares.tolist(), strict=True)
        }
        for route in routes
    ]
    capacity = {link: Fraction(machine.link(link).bandwidth_Bps) for path in paths for link in path}
    begins = [
        Fraction(flow[3]) + Fraction(route.overhead_s)
        for flow, route in zip(flows, routes, strict=True)
    ]
    left = [Fraction(flow[2] if path else 0) for flow, path in zip(flows, paths, strict=True)]
    ends = [begin if not size else None for begin, size in zip(begins, left, strict=True)]
    now = Fraction(0)
    while None in ends:
        running = [at for at, end in enumerate(ends) if end is None and begins[at] <= now]
        rates = slow_rates([paths[at] for at in running], capacity) if running else []
        stops = [now + left[at] / rate for at, rate in zip(running, rates, strict=True)]
        following = min(stops + [begin for begin in begins if begin > now])
        for at, rate, stop in zip(running, rates, stops, strict=True):
            left[at] -= rate * (following - now)
            if stop == following:
                ends[at] = following
        now = following
    return [
        float(end) + route.latency_s
        for end, route in zip(ends, routes, strict=True)
        if end is not None
    ]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Any, list[Flow], str]:
    shape = draw(st.sampled_from(SHAPES))
    machine = rf.torus(
        shape,
        bandwidth=tuple(draw(st.sampled_from([1.0, 2.0, 3.0])) for _ in shape),
        latency=draw(st.sampled_from([0.0, 0.25])),
        wrap=tuple(draw(st.booleans()) for _ in shape),
        overhead=draw(st.sampled_from([0.0, 0.5])),
    )
    chip = st.integers(0, machine.num_chips - 1)
    flow = st.tuples(chip, chip, st.integers(0, 5), st.integers(0, 4))
    return (
        machine,
        draw(st.lists(flow, min_size=1, max_size=12)),
        draw(st.sampled_from(["dor", "adaptive", "valiant"])),
    )


def finish_times(machine: Any, flows: list[Flow], routing: Any, model: str = "fluid") -> Any:
    src, dst, nbytes, start = np.array(flows).T
    return machine.finish_times(src, dst, nbytes, start, routing, model)


@given(cases())
def test_fluid_times_are_those_of_the_slow_reference(case: tuple[Any, list[Flow], str]) -> None:
    machine, flows, routing = case
    seen = finish_times(machine, flows, routing)
    np.testing.assert_allclose(seen, slow_times(machine, flows, routing), rtol=1e-9)


@given(cases())
def test_nobody_is_faster_than_alone(case: tuple[Any, list[Flow], str]) -> None:
    machine, flows, routing = case
    alone = [
        start + machine.route(src, dst, routing).time_s(nbytes) for src, dst, nbytes, start in flows
    ]
    assert (finish_times(machine, flows, routing) >= np.array(alone) * (1 - 1e-12)).all()
    dor = rf.DimensionOrder("positive")
    stored = [
        start + machine.route(src, dst, dor).time_s(nbytes, "store_and_forward")
        for src, dst, nbytes, start in flows
    ]
    seen = finish_times(machine, flows, dor, "fifo")
    assert (seen >= np.array(stored) * (1 - 1e-12)).all()


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_messages_makes_no_difference_to_the_fluid(
    case: tuple[Any, list[Flow], str], random: Any
) -> None:
    machine, flows, routing = case
    order = list(range(len(flows)))
    random.shuffle(order)
    seen = finish_times(machine, [flows[at] for at in order], routing)
    np.testing.assert_allclose(seen, finish_times(machine, flows, routing)[order], rtol=1e-9)


@given(cases())
def test_bytes_and_seconds_scale_together(case: tuple[Any, list[Flow], str]) -> None:
    machine, flows, _ = case
    src, dst, nbytes, start = np.array(flows).T
    free = rf.torus(
        tuple(axis.size for axis in machine.ultraserver.axes),
        bandwidth=tuple(axis.bandwidth_Bps for axis in machine.ultraserver.axes),
    )
    for model in ("fluid", "fifo"):
        one = free.finish_times(src, dst, nbytes, start, model=model)
        four = free.finish_times(src, dst, 4 * nbytes, 4 * start, model=model)
        np.testing.assert_allclose(four, 4 * one, rtol=1e-12)


@pytest.mark.parametrize("model", ["fluid", "fifo"])
def test_the_same_bits_every_time(model: str) -> None:
    torus = rf.torus((6, 6, 6), bandwidth="50 GB/s", latency="1 us")
    rng = np.random.default_rng(3)
    src, dst = rng.integers(0, torus.num_chips, (2, 2000))
    nbytes, start = rng.random((2, 2000))
    first = torus.finish_times(src, dst, nbytes * 1e6, start * 1e-5, model=model)
    again = torus.finish_times(src, dst, nbytes * 1e6, start * 1e-5, model=model)
    assert first.tobytes() == again.tobytes()
    assert len(np.unique(first)) > 1900
