"""What we measure ourselves against: the same answers by numpy, a numba loop, or the long way.

The first two count dimension-order link loads on a k x k x k torus, one byte a flow, ties of even
rings towards higher coordinates, axis 0 of the shape slowest and corrected first (C order). A load
array is indexed [axis, direction, node that the link leaves].
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import rainier_fast as rf

Loads = NDArray[np.int64]


def random_pairs(
    flows: int, nodes: int, seed: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Uniform random source and destination of each flow."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, nodes, flows), rng.integers(0, nodes, flows)


def numpy_intervals(src: NDArray[np.int64], dst: NDArray[np.int64], side: int) -> Loads:
    """Interval ends by `np.bincount`, then one cumulative sum per ring."""
    nodes = side**3
    loads = np.zeros((3, 2, nodes), np.int64)
    strides = (side * side, side, 1)
    here = src.copy()
    for axis, stride in enumerate(strides):
        at, to = (here // stride) % side, (dst // stride) % side
        ahead = (to - at) % side
        forward = ahead <= side // 2
        line = here - at * stride
        row = line // (stride * side) * stride + line % stride
        for direction in (0, 1):
            chosen = forward & (ahead > 0) if direction == 0 else ~forward
            start = (at if direction == 0 else to)[chosen]
            hops = (ahead if direction == 0 else side - ahead)[chosen]
            base = row[chosen] * (side + 1)
            end = start + hops
            wraps = end > side
            width = side * side * (side + 1)
            ends = np.bincount(base + start, minlength=width)
            ends -= np.bincount(base + np.where(wraps, side, end), minlength=width)
            ends += np.bincount(base[wraps], minlength=width)
            ends -= np.bincount(base[wraps] + end[wraps] - side, minlength=width)
            segments = np.cumsum(ends.reshape(-1, side + 1), axis=1)[:, :side]
            rows = np.arange(side * side)
            first = rows // stride * stride * side + rows % stride
            node = first[:, None] + np.arange(side)[None, :] * stride
            if direction == 1:  # segment p is left by node p + 1
                node = first[:, None] + (np.arange(side)[None, :] + 1) % side * stride
            loads[axis, direction, node] = segments
        here += (to - at) * stride
    return loads


def numba_hops() -> Callable[[NDArray[np.int64], NDArray[np.int64], int], Loads]:
    """Hop by hop in a compiled loop. Needs numba (the `bench` extra)."""
    from numba import njit  # type: ignore[import-not-found,import-untyped,unused-ignore]

    @njit(cache=False)  # type: ignore[untyped-decorator,unused-ignore]
    def count(src: NDArray[np.int64], dst: NDArray[np.int64], side: int) -> Loads:
        nodes = side * side * side
        loads = np.zeros((3, 2, nodes), np.int64)
        for flow in range(src.size):
            here, target = src[flow], dst[flow]
            stride = side * side
            for axis in range(3):
                at, to = (here // stride) % side, (target // stride) % side
                ahead = (to - at) % side
                if ahead <= side // 2:
                    for _ in range(ahead):
                        loads[axis, 0, here] += 1
                        at += 1
                        here += stride
                        if at == side:
                            at = 0
                            here -= stride * side
                else:
                    for _ in range(side - ahead):
                        loads[axis, 1, here] += 1
                        at -= 1
                        here -= stride
                        if at < 0:
                            at = side - 1
                            here += stride * side
                stride //= side
        return loads

    return count  # type: ignore[no-any-return,unused-ignore]


def all_rates_anew(
    machine: rf.Machine, src: NDArray[np.int64], dst: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Finish times of one byte each over links of a byte/s, all rates found at every event."""
    left, done, now = np.ones(src.size), np.zeros(src.size), 0.0
    running = np.flatnonzero(src != dst)
    while running.size:
        rates = machine.max_min_rates(src[running], dst[running])
        step = (left[running] / rates).min()
        now += step
        left[running] -= step * rates
        ended = left[running] <= 1e-9
        done[running[ended]] = now
        running = running[~ended]
    return done
