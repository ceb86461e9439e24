"""Who has which UltraServers in which hour: against trying all ways, and laws."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rainier_fast.fleet.split import best_sizes, lost, needs

COUNTS = st.lists(st.integers(0, 12), min_size=2, max_size=5)
STEPS = st.lists(st.tuples(st.integers(1, 5), st.floats(0.5, 40)), min_size=1, max_size=3)
SECONDS = st.floats(0, 1800)


def sized(steps: list[tuple[int, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Return UltraServers and tokens/s that rise together from 0."""
    units, rates = zip((0, 0.0), *steps, strict=True)
    return np.cumsum(rates), np.cumsum(units)


def worth(
    walk: tuple[int, ...],
    room: np.ndarray,
    before: np.ndarray,
    rates: np.ndarray,
    units: np.ndarray,
    times: tuple[float, float],
) -> float:
    """Return the tokens of a day, hour by hour in plain loops; -inf where it does not fit."""
    early, stop = times
    total = 0.0
    for hour, now in enumerate(walk):
        last = walk[hour - 1]
        if units[now] > room[hour] or min(units[now], units[last]) > before[hour]:
            return -np.inf
        total += rates[now] * 3600
        if now != last:
            total -= rates[now] * stop
        if units[now] < units[last]:
            total -= (rates[last] - rates[now]) * early
    return total


@settings(max_examples=300)
@given(COUNTS, STEPS, SECONDS, SECONDS, st.integers(0, 6))
def test_it_is_the_best_of_all_ways(
    free: list[int], steps: list[tuple[int, float]], early: float, stop: float, less: int
) -> None:
    rates, units = sized(steps)
    room = np.asarray(free)
    before = np.maximum(np.minimum(room, np.roll(room, 1)) - less, 0)
    asked = (room, before, rates, units, (early, stop))
    found = worth(tuple(best_sizes(room, before, rates, units, early, stop)), *asked)
    ways = itertools.product(range(len(units)), repeat=len(room))
    best = max(worth(way, *asked) for way in ways)
    assert found >= best - 1e-9 * (1 + best)


@given(COUNTS, STEPS, SECONDS, SECONDS)
def test_room_never_hurts(
    free: list[int], steps: list[tuple[int, float]], early: float, stop: float
) -> None:
    rates, units = sized(steps)
    got = []
    for room in (np.asarray(free), np.asarray(free) + 1):
        before = np.minimum(room, np.roll(room, 1))
        walk = best_sizes(room, before, rates, units, early, stop)
        got.append(worth(tuple(walk), room, before, rates, units, (early, stop)))
    assert got[1] >= got[0] - 1e-9 * (1 + got[0])


@given(STEPS, SECONDS, SECONDS)
def test_staying_costs_nothing(steps: list[tuple[int, float]], early: float, stop: float) -> None:
    rates, units = sized(steps)
    cost = lost(rates, units, early, stop)
    assert (cost.diagonal() == 0).all()
    assert (cost >= 0).all()


@given(
    st.lists(
        st.lists(st.just(0.0) | st.floats(1e-3, 100), min_size=4, max_size=4),
        min_size=1,
        max_size=3,
    ),
    st.integers(1, 3),
    st.integers(0, 30),
)
def test_services_hold_what_they_need_as_far_as_there_are_units(
    demand: list[list[float]], unit: int, usable: int
) -> None:
    rates = [7.0 + at for at in range(len(demand))]
    units = [unit] * len(demand)
    need = needs(demand, rates, units, usable)
    assert (need.held % unit == 0).all()
    assert ((need.held.sum(axis=0) + need.room) == usable).all()
    assert (need.late <= need.held).all()
    for at, day in enumerate(demand):
        enough = need.held[at] / unit * rates[at] >= np.asarray(day) * (1 - 1e-9)
        assert (enough | (need.room < unit)).all()
        spare = (need.held[at] - unit) / unit * rates[at]
        assert (spare < np.asarray(day) + 1e-9).all()
    earlier = np.roll(need.held, 1, axis=1)
    both = np.maximum(need.held, earlier).sum(axis=0) - need.late.sum(axis=0)
    assert (both <= usable).all()
