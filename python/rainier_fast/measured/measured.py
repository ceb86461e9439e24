"""Measured rows beside what a machine says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rainier_fast.ask.groups import as_groups
from rainier_fast.ask.request import Request
from rainier_fast.definitions.routing import as_routing
from rainier_fast.formats.rows import Row
from rainier_fast.topology.base import Base

__all__ = ["Measured", "measure"]


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
    groups, routing = as_groups(None, machine), as_routing("dor")
    names = [algorithm] * len(rows) if isinstance(algorithm, str) else list(algorithm)
    measured = []
    for row, name in zip(rows, names, strict=True):
        shift = 1 if row.op == "send_recv" else 0
        request = Request(
            row.op, row.size_bytes, groups, routing, 0, shift, name, "link_load", None
        )
        outcome = request.outcome(machine)
        measured.append(
            Measured(row.op, row.size_bytes, row.time_s, outcome.time, outcome.algorithm)
        )
    return measured
