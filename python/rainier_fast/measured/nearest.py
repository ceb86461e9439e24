"""The measured rows nearest to a prediction, and our error on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rainier_fast.ask.request import Request
from rainier_fast.ask.runtime import LINKS_ALONE
from rainier_fast.errors import Unsupported
from rainier_fast.table import Table
from rainier_fast.topology.base import Base
from rainier_fast.units import format_bytes, format_time

if TYPE_CHECKING:
    from rainier_fast.measured.measured import Measured

_COUNT: Final = 3


def nearest(machine: Base, request: Request, ranks: int) -> Table:
    """Return the measured rows of a result's operation that are nearest in log size."""
    rows = _rows(machine, request, ranks)
    if not rows:
        raise Unsupported(
            f"{no_measurements(request, ranks)}; give it some with "
            "rf.calibrate(machine, table), and ask for the whole machine and the algorithm "
            "that was fitted"
        )
    from rainier_fast.measured.measured import columns_of_measured

    return Table(columns_of_measured(rows))._of_kind(request.kind)


def no_measurements(request: Request, ranks: int) -> str:
    """Return that nothing was measured near a request."""
    dtype = "" if request.dtype is None else f" of {request.dtype}"
    return (
        f"no measurements of {request.operation}{dtype} over {ranks:,} chips by "
        f"{request.algorithm!r} on this machine"
    )


def nearest_in_words(machine: Base, request: Request, ranks: int) -> str:
    """Return the same in one line; of a runtime that there is nothing, of others nothing."""
    rows = _rows(machine, request, ranks)
    if not rows and request.kind != LINKS_ALONE:
        return no_measurements(request, ranks)
    return "; ".join(
        f"{format_bytes(row.size_bytes)} {format_time(row.measured_s)} (ours {row.error:+.1%})"
        for row in rows
    )


def all_rows(machine: Base, request: Request, ranks: int) -> list[Measured]:
    """Return all measured rows of what a request asks, by size, each with our time."""
    return sorted(_rows(machine, request, ranks, None), key=lambda row: row.size_bytes)


def _rows(
    machine: Base, request: Request, ranks: int, count: int | None = _COUNT
) -> list[Measured]:
    if request.size <= 0 or not isinstance(request.algorithm, str):
        return []
    # A machine that was calibrated remembers what it was fitted on.
    known: Sequence[Measured] | None = getattr(machine, "measurements", None)
    if known is None and request.algorithm == "nccl":
        return _of_nccl(machine, request, ranks, count)
    if known is None and (request.algorithm != "neuron" or ranks != machine.num_chips):
        return []
    if known is None:
        # With the readers of tables, which most results need not know.
        from rainier_fast.measured.public import measured_on

        known = measured_on(machine)
    alike = [row for row in known if _is_of(row, request, ranks)]
    return sorted(alike, key=lambda row: _distance(row.size_bytes, request))[:count]


def _is_of(row: Measured, request: Request, ranks: int) -> bool:
    """Tell whether a row was measured of what is asked: operation, ranks, type and algorithm."""
    if row.op != request.operation or row.ranks != ranks:
        return False
    if None not in (row.dtype, request.dtype) and row.dtype != request.dtype:
        return False
    # What a fit by `auto` took a row for is that algorithm's own, too.
    return request.algorithm in (row.asked, row.algorithm.split("(")[0])


def _distance(size: float, request: Request) -> tuple[float, float]:
    # Of two as far, the smaller.
    return abs(math.log(size / request.size)), size


def _of_nccl(machine: Base, request: Request, ranks: int, count: int | None) -> list[Measured]:
    """Return the measured rows of NCCL on as many ranks, beside what it takes by us."""
    from rainier_fast.measured.measured import Measured
    from rainier_fast.measured.nccl import measured_on, type_of

    if request.groups.count != 1:
        return []
    asked = request.operation, ranks, type_of(request.dtype)
    alike = [one for one in measured_on(machine) if (one.operation, one.ranks, one.dtype) == asked]
    found = []
    for one in sorted(alike, key=lambda one: _distance(one.size, request))[:count]:
        ours = request.of(one.size).outcome(machine)
        row = Measured(
            one.operation, one.size, one.us * 1e-6, ours.time, ours.algorithm, ranks, "nccl"
        )
        found.append(row)
    return found
