"""The measured rows nearest to a prediction, and our error on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Protocol, runtime_checkable

from rainier_fast.ask.request import Request
from rainier_fast.errors import Unsupported
from rainier_fast.measured.measured import Measured
from rainier_fast.measured.public import measured_on
from rainier_fast.table import Table
from rainier_fast.topology.base import Base
from rainier_fast.units import format_bytes, format_time

__all__ = ["nearest", "nearest_in_words"]

_COUNT: Final = 3


@runtime_checkable
class Calibrated(Protocol):
    """A machine that remembers what it was fitted on."""

    @property
    def measurements(self) -> Sequence[Measured]: ...


class Predicted(Protocol):
    """The result of a collective, as far as it can be compared."""

    @property
    def machine(self) -> Base: ...
    @property
    def request(self) -> Request: ...
    @property
    def operation(self) -> str: ...
    @property
    def size_bytes(self) -> float: ...
    @property
    def ranks(self) -> int: ...


def nearest(result: Predicted) -> Table:
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


def nearest_in_words(result: Predicted) -> str:
    """Return the same in one line; empty where nothing was measured."""
    return "; ".join(
        f"{format_bytes(row.size_bytes)} {format_time(row.measured_s)} (ours {row.error:+.1%})"
        for row in _rows(result)
    )


def _rows(result: Predicted) -> list[Measured]:
    machine = result.machine
    if result.size_bytes <= 0 or result.ranks != machine.num_chips:
        return []
    if isinstance(machine, Calibrated):
        known = machine.measurements
    elif result.request.algorithm == "neuron":
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
