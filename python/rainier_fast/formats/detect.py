"""Elements or bytes, GB or GiB: what sizes, times and printed rates say together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rainier_fast.formats.rows import fault

_GIB: Final = 2.0**30
_GB: Final = 1e9
# A printed rate of two decimals decides between GB and GiB (7 % apart) from about 1 GB/s.
_LEAST_RATE: Final = 0.5
_CLOSE: Final = 0.03


@dataclass(frozen=True, slots=True)
class Column:
    """A cell with the name of its column and the unit that the name holds."""

    name: str
    value: Any
    unit: str


@dataclass(frozen=True, slots=True)
class Sizes:
    """What one row says of its size."""

    size: float | None
    unit: str
    count: float | None
    width: int | None
    rate: float | None
    stated: float | None


def size_factors(
    sizes: list[Sizes],
    times: Sequence[float],
    where: Sequence[str],
    size_unit: str | None,
    notes: list[str],
) -> list[float]:
    """Return the bytes of one unit of each row's size; fills in sizes from counts."""
    factors = []
    for at, row in enumerate(sizes):
        if row.size is None:
            sizes[at] = row = replace(row, size=row.count, unit="elements")
        unit = size_unit or row.unit or _by_count(row) or _by_rate(row, times[at]) or "bytes"
        if unit == "elements" and row.width is None:
            raise fault(where[at], "a size in elements", "needs the type of the elements (dtype)")
        factors.append(float(row.width or 1) if unit == "elements" else 1.0)
        note = f"sizes are in {unit}"
        if unit == "elements":
            note += f" of {row.width} bytes, turned into bytes"
        if note not in notes:
            notes.append(note)
        _check(row, times[at], factors[-1], where[at])
    return factors


def bandwidth_note(
    sizes: Sequence[Sizes], times: Sequence[float], factors: Sequence[float], notes: list[str]
) -> None:
    """Say whether a printed bandwidth is in GB/s or in GiB/s, whatever its column is called."""
    votes = [
        _unit_of_rate(row, time, factor)
        for row, time, factor in zip(sizes, times, factors, strict=True)
    ]
    found = {vote for vote in votes if vote}
    if not found:
        return
    if len(found) > 1:
        notes.append("printed bandwidths mix GB/s and GiB/s: only sizes and times were used")
        return
    unit = found.pop()
    words = f"printed bandwidths are {unit}/s ({'2**30' if unit == 'GiB' else '10**9'} bytes)"
    stated = {row.stated for row in sizes}
    if unit == "GiB" and _GB in stated:
        words += ", although the column says GB/s"
    notes.append(words)


def _by_count(row: Sizes) -> str:
    """Bytes where size = count x width (x ranks, for an all-gather of nccl-tests)."""
    if row.size is None or row.count is None or not row.width or row.width == 1:
        return ""
    least = row.count * row.width
    if least and row.size >= least and (row.size / least) % 1 == 0:
        return "bytes"
    return "elements" if row.size == row.count else ""


def _by_rate(row: Sizes, time: float) -> str:
    """Which of bytes and elements the printed rate agrees with."""
    if row.rate is None or row.rate < _LEAST_RATE or not row.width or row.width == 1:
        return ""
    near = {
        name: min(_apart(row, time, factor, unit) for unit in (_GB, _GIB))
        for name, factor in (("bytes", 1.0), ("elements", float(row.width)))
    }
    best = min(near, key=lambda name: near[name])
    return best if near[best] < _CLOSE else ""


def _apart(row: Sizes, time: float, factor: float, unit: float) -> float:
    assert row.rate is not None
    assert row.size is not None
    return abs(math.log(row.rate * unit * time / (row.size * factor)))


def _unit_of_rate(row: Sizes, time: float, factor: float) -> str:
    if row.rate is None or row.rate < _LEAST_RATE or not row.size or time <= 0:
        return ""
    gb, gib = _apart(row, time, factor, _GB), _apart(row, time, factor, _GIB)
    return "" if min(gb, gib) > _CLOSE else ("GB" if gb < gib else "GiB")


def _check(row: Sizes, time: float, factor: float, where: str) -> None:
    if row.rate is None or row.rate < _LEAST_RATE or not row.size or time <= 0:
        return
    if row.stated not in (None, _GB, _GIB):
        return
    if min(_apart(row, time, factor, unit) for unit in (_GB, _GIB)) > 2 * _CLOSE:
        raise fault(
            where,
            f"size {row.size:g}, time {time:g} s and bandwidth {row.rate:g}",
            "must agree: size / time is the algorithm bandwidth in GB/s or GiB/s; "
            "give size_unit= or time_unit= if a column is not what it seems",
        )
