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
    """One measured row beside what the fitted machine says.

    Attributes
    ----------
    op, size_bytes, measured_s
        The row.
    predicted_s
        Seconds by the fitted machine.
    algorithm
        What ran in the model.

    Examples
    --------
    >>> Measured("all_reduce", 1e6, 2e-6, 3e-6, "ring").error
    0.5
    """

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
    """Return what a machine says of each row.

    Parameters
    ----------
    machine
        Any machine; each row runs over all of its chips.
    rows
        The measurements.
    algorithm
        What runs; one for all rows, or one for each.

    Returns
    -------
    list of Measured
        In the order of the rows.

    Raises
    ------
    InvalidArgument, Unsupported
        As the collective does, with the row.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> row = Row("all_reduce", 2.0**20, 51.9e-6, "row 0")
    >>> 40e-6 < measure(preset("trn2"), [row], "neuron")[0].predicted_s < 60e-6
    True
    """
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
