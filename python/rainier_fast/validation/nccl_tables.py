"""Measured tables of NCCL inside a node, each row beside what the preset of its system takes."""

from __future__ import annotations

from typing import Any, Final

from rainier_fast.machine.machine import Machine
from rainier_fast.machine.presets import preset
from rainier_fast.measured.nccl import Measured, measured, systems, table
from rainier_fast.validation.row import Row, TableRow

SOURCE: Final = "nccl_tables"
"""The name of the reference."""

_NAMES: Final = {
    "a100": "A100",
    "h100": "H100",
    "h200": "H200",
    "b200": "B200",
    "b300": "B300",
    "gb200": "GB200",
    "gb300": "GB300",
}


def rows() -> list[Row]:
    """Return each measurement beside what the preset of its system takes."""
    about, source = systems(), str(table()["source"])
    machines = {name: preset(known["preset"]) for name, known in about.items()}
    return [_row(one, machines[one.system], about[one.system], source) for one in measured()]


def _row(one: Measured, machine: Machine, about: dict[str, Any], source: str) -> TableRow:
    result = one.run(machine)
    return TableRow(
        group=_group(one, fitted=about["fitted"]),
        case=f"{one.operation} of {one.size} B over {one.ranks} by {result.algorithm}",
        quantity="time",
        unit="us",
        published=one.us,
        ours=result.time_s * 1e6,
        kind=result.kind,
        model=result.model,
        source=source,
        note=f"NCCL {about['nccl']}",
        operation=one.operation,
        ranks=one.ranks,
        size=one.size,
        priced=float(result.candidates["time_s"][0]) * 1e6,
    )


def _group(one: Measured, *, fitted: bool) -> str:
    which = "fitted rows" if one.fitted else "int8" if one.dtype == "int8" else "other sizes"
    if not fitted and one.dtype == "half":
        which = "nothing fitted"
    return f"NCCL on {_NAMES[one.system]}, {which}"
