"""Algorithms side by side over sizes, and the sizes at which one overtakes another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.results.times import Times
from rainier_fast.table import Table
from rainier_fast.units import format_bytes

_HALVINGS: Final = 24
"""How often a span of sizes is halved: to a part in 16 million of it."""

At = Callable[[NDArray[np.float64], str], NDArray[np.float64]]


def side_by_side(sizes: NDArray[np.float64], names: Sequence[str], times: Sequence[Times]) -> Table:
    """Return seconds of each algorithm at each size, and which is the fastest."""
    columns = {f"{name}_s": one.time_s for name, one in zip(names, times, strict=True)}
    best = np.argmin(np.stack([one.time_s for one in times]), axis=0)
    fastest = [names[at] for at in best.tolist()]
    return Table({"bytes": sizes, **columns, "fastest": fastest})


def crossings(names: Sequence[str], at: At, rows: Table) -> list[str]:
    """Return a line for each size at which two algorithms cross, between sizes of the table."""
    lines = []
    for one, other in combinations(names, 2):
        found = list(_between(one, other, at, rows))
        lines += found or [_never(one, other, rows)]
    return lines


def _between(one: str, other: str, at: At, rows: Table) -> Iterator[str]:
    sizes = rows["bytes"]
    first = np.sign(rows[f"{one}_s"] - rows[f"{other}_s"])
    for place in range(len(sizes) - 1):
        if first[place] * first[place + 1] < 0:
            low, high = float(sizes[place]), float(sizes[place + 1])
            for _ in range(_HALVINGS):
                middle = np.array([(low + high) / 2])
                sign = np.sign(at(middle, one)[0] - at(middle, other)[0])
                low, high = (middle[0], high) if sign == first[place] else (low, middle[0])
            slow, fast = (one, other) if first[place] > 0 else (other, one)
            size = f"{format_bytes(high)} ({high:,.0f} bytes)"
            yield f"{slow} is as fast as {fast} at {size}, and faster above"


def _never(one: str, other: str, rows: Table) -> str:
    sizes = rows["bytes"]
    span = f"from {format_bytes(float(sizes[0]))} to {format_bytes(float(sizes[-1]))}"
    gap = rows[f"{one}_s"] - rows[f"{other}_s"]
    if not np.any(gap):
        return f"{one} and {other} take the same {span}"
    fast, slow = (one, other) if gap.sum() < 0 else (other, one)
    return f"{fast} is never slower than {slow} {span}"
