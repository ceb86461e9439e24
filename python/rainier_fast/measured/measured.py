"""Measured rows beside what a machine says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rainier_fast import _core
from rainier_fast.ask.request import make_request
from rainier_fast.formats.rows import Row
from rainier_fast.table import columns_of
from rainier_fast.topology.base import Base


@dataclass(frozen=True, slots=True)
class Measured:
    """One measured row beside what the fitted machine says."""

    op: str
    size_bytes: float
    measured_s: float
    predicted_s: float
    algorithm: str
    ranks: int
    """Chips that took part."""
    asked: str
    """The algorithm by which the machine was fitted."""
    dtype: str | None = None

    @property
    def error(self) -> float:
        """Predicted over measured, less one."""
        return self.predicted_s / self.measured_s - 1.0


def measure(
    machine: Base, rows: Sequence[Row], algorithm: str | Sequence[str], asked: str = "auto"
) -> list[Measured]:
    """Return what a machine says of each row; rows that differ in size alone are priced once."""
    names = [algorithm] * len(rows) if isinstance(algorithm, str) else list(algorithm)
    alike: dict[tuple[str, str, tuple[int, ...] | None], list[int]] = {}
    for at, (row, name) in enumerate(zip(rows, names, strict=True)):
        alike.setdefault((row.op, name, row.chips), []).append(at)
    measured: dict[int, Measured] = {}
    for (op, name, chips), places in alike.items():
        sizes = [rows[at].size_bytes for at in places]
        request = make_request(machine, op, max(sizes), algorithm=name, group=chips)
        groups = request.groups.core(machine._core)
        prepared = _core.Prepared(
            machine._core, request._core_row(machine), groups, request._routing_row(machine)
        )
        seconds, numbers, ran = prepared.times(np.array(sizes, float))
        ranks = request.groups.ranks
        found = zip(places, seconds.tolist(), numbers.tolist(), strict=True)
        for at, time, number in found:
            row = rows[at]
            measured[at] = Measured(
                op, row.size_bytes, row.time_s, time, ran[number], ranks, asked, row.dtype
            )
    return [measured[at] for at in range(len(rows))]


def columns_of_measured(rows: Sequence[Measured]) -> dict[str, list[Any]]:
    """Return what was measured and predicted as columns of a table."""
    sizes = columns_of(rows, "op", bytes="size_bytes")
    return sizes | columns_of(rows, "measured_s", "predicted_s", "error")
