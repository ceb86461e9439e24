"""The measured rows nearest to a prediction, and our error on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rainier_fast.ask.request import Request
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
            f"no measurements of {request.operation} over {ranks} chips by "
            f"{request.algorithm!r} on this machine; give it some with "
            "rf.calibrate(machine, table), and ask for the whole machine and the algorithm "
            "that was fitted"
        )
    from rainier_fast.measured.measured import columns_of_measured

    return Table(columns_of_measured(rows))


def nearest_in_words(machine: Base, request: Request, ranks: int) -> str:
    """Return the same in one line; empty where nothing was measured."""
    return "; ".join(
        f"{format_bytes(row.size_bytes)} {format_time(row.measured_s)} (ours {row.error:+.1%})"
        for row in _rows(machine, request, ranks)
    )


def _rows(machine: Base, request: Request, ranks: int) -> list[Measured]:
    if request.size <= 0 or not isinstance(request.algorithm, str):
        return []
    # A machine that was calibrated remembers what it was fitted on.
    known: Sequence[Measured] | None = getattr(machine, "measurements", None)
    if known is None and (request.algorithm != "neuron" or ranks != machine.num_chips):
        return []
    if known is None:
        # With the readers of tables, which most results need not know.
        from rainier_fast.measured.public import measured_on

        known = measured_on(machine)
    alike = [row for row in known if _is_of(row, request, ranks)]
    # The nearest first; of two as far, the smaller.
    alike.sort(key=lambda row: (abs(math.log(row.size_bytes / request.size)), row.size_bytes))
    return alike[:_COUNT]


def _is_of(row: Measured, request: Request, ranks: int) -> bool:
    """Tell whether a row was measured of what is asked: operation, ranks and algorithm."""
    if row.op != request.operation or row.ranks != ranks:
        return False
    # What a fit by `auto` took a row for is that algorithm's own, too.
    return request.algorithm in (row.asked, row.algorithm.split("(")[0])
