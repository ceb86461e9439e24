"""Measured tables of NCCL inside a node: one line for each system, type, operation, ranks and size.

Rows of half whose elements are an even power of two, of the first system of each generation, are
those that `validation/nccl_fit.py` fits. All others are predicted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from rainier_fast.definitions.known import known
from rainier_fast.definitions.rivals import constant_of
from rainier_fast.topology.base import Base

FILE: Final = "nccl_tables.json"
"""Seven systems, 2 to 8 ranks, half and int8, 512 B to 512 MiB."""

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

    def run(self, machine: Any) -> Any:  # noqa: ANN401
        """Run the same on a machine."""
        call = getattr(machine, self.operation)
        chips = range(self.ranks)
        return call(self.size, algorithm="nccl", group=chips, dtype=_DTYPES[self.dtype])


@cache
def table() -> dict[str, Any]:
    """Return the data as it is."""
    text = resources.files("rainier_fast.measured").joinpath("data", FILE).read_text("utf-8")
    return dict(json.loads(text))


def systems() -> dict[str, dict[str, Any]]:
    """Return what the data says of each system, without its rows."""
    return {
        name: {key: value for key, value in about.items() if key != "rows"}
        for name, about in table()["systems"].items()
    }


@cache
def measured() -> tuple[Measured, ...]:
    """Return every measurement."""
    return tuple(_measured())


def _measured() -> Iterator[Measured]:
    data = table()
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


@cache
def measured_on(machine: Base) -> tuple[Measured, ...]:
    """Return the rows of the system that a machine is; none where it is no one node of these."""
    if machine.num_ultraservers != 1:
        return ()
    server = machine.ultraserver
    system = next((name for name in systems() if known(constant_of(name)) == server), None)
    return tuple(one for one in measured() if one.system == system)


def type_of(dtype: str | None) -> str | None:
    """Return the measured type of a type, None where it was not measured; half where left out."""
    return {None: "half", "fp16": "half", "bf16": "half", "int8": "int8"}.get(dtype)
