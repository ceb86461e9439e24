"""Which hours have how many UltraServers: what services need, and the best sizes of a job.

A job's sizes over a day that comes again and again are a closed walk, one step an hour, and what a
change costs depends on the two sizes alone: dynamic programming finds the best of all walks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Needs(NamedTuple):
    """What services hold.

    Attributes
    ----------
    held
        UltraServers by service and hour.
    late
        Of those, how many stand ready only after they loaded: no others were free before.
    room
        UltraServers that are left in each hour.
    before
        UltraServers that are left while those of an hour load, at the end of the hour before.
    """

    held: Ints
    late: Ints
    room: Ints
    before: Ints


def needs(
    demand: Sequence[Sequence[float]], rates: Sequence[float], units: Sequence[int], usable: int
) -> Needs:
    """Return what services need to meet their demand, the first of them first, in whole blocks."""
    wanted = [
        np.ceil(np.asarray(day) / rate * (1 - 1e-12)).astype(np.int64) * unit
        for day, rate, unit in zip(demand, rates, units, strict=True)
    ]
    hours = len(demand[0]) if demand else 24
    held = np.zeros((len(wanted), hours), np.int64)
    left = np.full(hours, usable, np.int64)
    for at, (want, unit) in enumerate(zip(wanted, units, strict=True)):
        held[at] = np.minimum(want, left // unit * unit)
        left = left - held[at]
    earlier = np.roll(held, 1, axis=1)
    before = usable - np.maximum(earlier, held).sum(axis=0)
    late = np.zeros_like(held)
    over = np.maximum(-before, 0)
    for at in reversed(range(len(wanted))):  # the last service waits first
        late[at] = np.minimum(np.maximum(held[at] - earlier[at], 0), over)
        over = over - late[at]
    return Needs(held, late, left, np.maximum(before, 0))


def lost(rates: Floats, units: Ints, early: float, stop: float) -> Floats:
    """Return the tokens that going from one size to another costs, by both.

    All of the job stops for `stop` seconds; UltraServers that leave go `early` seconds before.
    """
    changes = units[:, None] != units[None, :]
    leaving = np.where(units[:, None] > units[None, :], rates[:, None] - rates[None, :], 0.0)
    cost: Floats = changes * rates[None, :] * stop + leaving * early
    return cost


def best_sizes(
    room: Ints, before: Ints, rates: Floats, units: Ints, early: float, stop: float
) -> Ints:
    """Return which size a job has in each hour, so that it gets most tokens in a day.

    `rates` (tokens/s) and `units` (UltraServers) rise together from 0; of walks that are equally
    good the one with smaller sizes.
    """
    cost = lost(rates, units, early, stop)
    common = np.minimum(units[:, None], units[None, :])
    value = np.where(units[None, :] <= room[:, None], rates[None, :] * 3600.0, -np.inf)
    count, hours = len(units), len(room)
    reached = np.where(np.eye(count, dtype=bool), value[0], -np.inf)
    came = np.zeros((hours, count, count), np.int64)
    for hour in range(1, hours):
        step = np.where(common <= before[hour], -cost, -np.inf)
        total = reached[:, :, None] + step[None, :, :]
        came[hour] = total.argmax(axis=1)
        reached = total.max(axis=1) + value[hour]
    closing = np.where(common <= before[0], -cost, -np.inf)
    ends = reached + closing.T
    first, last = np.unravel_index(int(ends.argmax()), ends.shape)
    walk = [int(last)]
    for hour in range(hours - 1, 0, -1):
        walk.append(int(came[hour, first, walk[-1]]))
    return np.asarray(walk[::-1])
