"""The measured rows nearest to a prediction, and our error on them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from rainier_fast.errors import Unsupported
from rainier_fast.measure.machine import CalibratedMachine, Measured
from rainier_fast.results.table import Table
from rainier_fast.units import format_bytes, format_time

if TYPE_CHECKING:
    from rainier_fast.results.collective import CollectiveResult

__all__ = ["nearest", "nearest_in_words"]

_COUNT: Final = 3


def nearest(result: CollectiveResult) -> Table:
    """Return the measured rows of a result's operation that are nearest in log size."""
    rows = _rows(result)
    if not rows:
        raise Unsupported(
            f"no measurements of {result.operation} over {result.ranks} chips by "
            f"{result.request.algorithm!r} on this machine; give it some with "
            "rf.calibrate(machine, table), and ask for the whole machine and the algorithm "
            "that was fitted"
        )
    return Table(
        {
            "op": [row.op for row in rows],
            "bytes": [row.size_bytes for row in rows],
            "measured_s": [row.measured_s for row in rows],
            "predicted_s": [row.predicted_s for row in rows],
            "error": [row.error for row in rows],
        }
    )


def nearest_in_words(result: CollectiveResult) -> str:
    """Return the same in one line; empty where nothing was measured."""
    return "; ".join(
        f"{format_bytes(row.size_bytes)} {format_time(row.measured_s)} (ours {row.error:+.1%})"
        for row in _rows(result)
    )


def _rows(result: CollectiveResult) -> list[Measured]:
    machine = result.machine
    if result.size_bytes <= 0 or result.ranks != machine.num_chips:
        return []
    if isinstance(machine, CalibratedMachine):
        known = machine.measurements
    elif result.request.algorithm == "neuron":
        from rainier_fast.measured.public import measured_on

        known = measured_on(machine)
    else:
        return []
    neuron = result.request.algorithm == "neuron"
    alike = [
        row
        for row in known
        if row.op == result.operation and row.algorithm.startswith("neuron") == neuron
    ]
    # The nearest first; of two as far, the smaller.
    alike.sort(key=lambda row: (abs(math.log(row.size_bytes / result.size_bytes)), row.size_bytes))
    return alike[:_COUNT]
