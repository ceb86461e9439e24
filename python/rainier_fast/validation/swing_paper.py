"""Recursive halving and doubling as the Swing paper runs it, from the loads of each step."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from rainier_fast.machine.shapes import torus

_Chips = NDArray[np.int64]


def doubling_congestion(shape: tuple[int, ...]) -> float:
    """Return Psi x Xi of recursive halving and doubling as the paper runs it."""
    # 2 D exchanges run at once: one for each dimension to begin with, and of each a mirrored one
    # whose blocks are shifted by half, so that it is busiest where the other is idle. Our own
    # halving_doubling is one exchange over the ranks in order, which suits switches.
    machine, sides = torus(shape, 1.0), len(shape)
    rounds = shape[0].bit_length() - 1
    total = 0.0
    for step in range(rounds * sides):
        flows = list(_exchanges(shape, step))
        src = np.concatenate([one for one, _ in flows])
        dst = np.concatenate([other for _, other in flows])
        # A half of the bytes, then a quarter and so on, each over 2 D exchanges; twice, as doubling
        # takes the same steps back.
        share = 2 * 0.5 ** (step + 1) / (2 * sides)
        total += share * machine.link_loads(src, dst, 1).time_s
    return total * sides


def _exchanges(shape: tuple[int, ...], step: int) -> Iterator[tuple[_Chips, _Chips]]:
    """Yield senders and receivers of each exchange that runs in a step."""
    chips = np.arange(math.prod(shape), dtype=np.int64)
    sides = len(shape)
    reach = 1 << (step // sides)
    for first in range(sides):
        axis = (first + step) % sides
        stride = math.prod(shape[:axis])
        here = chips // stride % shape[axis]
        for shift in (0, reach):
            there = (((here + shift) % shape[axis] ^ reach) - shift) % shape[axis]
            yield chips, chips + (there - here) * stride
