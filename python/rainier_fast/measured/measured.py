"""Measured rows beside what a machine says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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

    @property
    def error(self) -> float:
        """Predicted over measured, less one."""
        return self.predicted_s / self.measured_s - 1.0


def measure(machine: Base, rows: Sequence[Row], algorithm: str | Sequence[str]) -> list[Measured]:
    """Return what a machine says of each row."""
    names = [algorithm] * len(rows) if isinstance(algorithm, str) else list(algorithm)
    measured = []
    for row, name in zip(rows, names, strict=True):
        outcome = make_request(machine, row.op, row.size_bytes, algorithm=name).outcome(machine)
        measured.append(
            Measured(row.op, row.size_bytes, row.time_s, outcome.time, outcome.algorithm)
        )
    return measured


def columns_of_measured(rows: Sequence[Measured]) -> dict[str, list[Any]]:
    """Return what was measured and predicted as columns of a table."""
    sizes = columns_of(rows, "op", bytes="size_bytes")
    return sizes | columns_of(rows, "measured_s", "predicted_s", "error")
