"""Measured tables of NCCL inside a node: one line for each system, type, operation, ranks and size.

Rows of half whose elements are an even power of two, of the first system of each generation, are
those that `nccl_fit` fits. All others are predicted.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from rainier_fast.machine.machine import Machine
from rainier_fast.machine.presets import preset
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row, TableRow

SOURCE: Final = "nccl_tables"
"""The name of the data."""

_NAMES: Final = {
    "a100": "A100",
    "h100": "H100",
    "h200": "H200",
    "b200": "B200",
    "b300": "B300",
    "gb200": "GB200",
    "gb300": "GB300",
}
_DTYPES: Final = {"half": "fp16", "int8": "int8"}
_BYTES: Final = {"half": 2, "int8": 1}


class Measured(NamedTuple):
    """One measurement."""

    system: str
    dtype: str
    ranks: int
    operation: str
    size: int
    us: float
    fitted: bool

    def run(self, machine: Machine) -> Any:  # noqa: ANN401
        """Run the same on a machine."""
        call = getattr(machine, self.operation)
        chips = range(self.ranks)
        return call(self.size, algorithm="nccl", group=chips, dtype=_DTYPES[self.dtype])


def systems() -> dict[str, dict[str, Any]]:
    """Return what the data says of each system, without its rows."""
    known = read(SOURCE)["systems"]
    return {
        name: {key: value for key, value in about.items() if key != "rows"}
        for name, about in known.items()
    }


@cache
def measured() -> tuple[Measured, ...]:
    """Return every measurement."""
    return tuple(_measured())


def _measured() -> Iterator[Measured]:
    data = read(SOURCE)
    first = data["first_power"]
    for name, about in data["systems"].items():
        for dtype, by_ranks in about["rows"].items():
            for ranks, by_operation in by_ranks.items():
                for operation, times in by_operation.items():
                    for power, us in enumerate(times, first):
                        size = 2**power
                        even = (size // _BYTES[dtype]).bit_length() % 2 == 1
                        fitted = about["fitted"] and dtype == "half" and even
                        yield Measured(name, dtype, int(ranks), operation, size, us, fitted)


def rows() -> list[Row]:
    """Return each measurement beside what the preset of its system takes."""
    about, source = systems(), str(read(SOURCE)["source"])
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
