"""Thresholds of Trainium's runtime, from the sizes at which rows ran by each algorithm."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from typing import Final

from rainier_fast.errors import InvalidArgument
from rainier_fast.formats.rows import Row
from rainier_fast.machine.machine import Machine
from rainier_fast.measure.calibration import Fitted
from rainier_fast.measure.fitting import fit, squares
from rainier_fast.measure.space import neuron_space, with_server
from rainier_fast.measured.measured import Measured

# A threshold moves from where the machine has it only if that takes away this share of the squares.
_WORTH_MOVING = 0.25
# And only to sizes within this factor.
_REACH = 4.0

_AT_MOST: Final = {"mesh_most": ("mesh",), "halving_most": ("mesh", "rdh")}
"""What runs up to each threshold; above it something else does."""


def thresholds(machine: Machine, rows: Sequence[Row]) -> tuple[Machine, dict[str, Fitted]]:
    """Return the machine with the thresholds that the table has, by its column or its times."""
    if any(row.algorithm for row in rows):
        return _by_column(machine, rows)
    return _by_times(machine, rows)


def check_column(measured: Sequence[Measured], rows: Sequence[Row]) -> None:
    """Refuse rows that ran by another algorithm than the fitted machine takes."""
    for row, ours in zip(rows, measured, strict=True):
        if row.algorithm and row.algorithm not in re.findall(r"\w+", ours.algorithm.lower()):
            raise InvalidArgument(
                f"table, {row.where}: got algorithm {row.algorithm[:40]!r} at {row.size_bytes:g} "
                f"bytes, must be what the machine can be fitted to run there "
                f"({ours.algorithm}); leave the column out to fit the times by ours"
            )


def _by_column(machine: Machine, rows: Sequence[Row]) -> tuple[Machine, dict[str, Fitted]]:
    """Put thresholds between sizes that ran by one algorithm and by the next."""
    server = machine.ultraserver
    neuron = server.neuron
    assert neuron is not None, "the caller looks"
    found: dict[str, Fitted] = {}
    for name, below in _AT_MOST.items():
        own = float(getattr(neuron, name))
        said = [row for row in rows if row.algorithm]
        least = max((row.size_bytes for row in said if row.algorithm in below), default=0.0)
        most = min((row.size_bytes for row in said if row.algorithm not in below), default=math.inf)
        value, source = own, "kept: the table's algorithms agree"
        if not least <= own < most:
            value = least or math.nextafter(most, 0.0)
            source = "moved to where the table's algorithms change"
        found[name] = Fitted(value, "B", own, source)
    values = {name: float(value) for name, value in found.items()}
    values["halving_most"] = max(values.values())
    changed = dataclasses.replace(neuron, **values)  # type: ignore[arg-type]
    return with_server(machine, dataclasses.replace(server, neuron=changed)), found


def _by_times(machine: Machine, rows: Sequence[Row]) -> tuple[Machine, dict[str, Fitted]]:
    """Move thresholds to measured sizes where the rows contradict those of the machine."""
    server = machine.ultraserver
    starts = server.neuron
    assert starts is not None, "the caller looks"
    sizes = sorted({row.size_bytes for row in rows})
    best = squares(fit(neuron_space(machine), rows)[1])
    sources = dict.fromkeys(("halving_most", "mesh_most"), "kept: the rows do not contradict it")
    for name in sources:
        original = float(getattr(starts, name))
        trials = []
        for size in sizes:
            neuron = machine.ultraserver.neuron
            assert neuron is not None
            if not original / _REACH <= size <= original * _REACH:
                continue
            try:
                other = dataclasses.replace(neuron, **{name: size})  # type: ignore[arg-type]
            except InvalidArgument:
                continue  # Mesh above RDH
            trial = with_server(machine, dataclasses.replace(server, neuron=other))
            trials.append((squares(fit(neuron_space(trial), rows)[1]), size, trial))
        least = min(trials, key=lambda trial: trial[:2], default=None)
        if least is not None and least[0] < (1 - _WORTH_MOVING) * best:
            best, _, machine = least
            sources[name] = "moved to the measured size that fits best"
    final = machine.ultraserver.neuron
    assert final is not None
    return machine, {
        name: Fitted(float(getattr(final, name)), "B", float(getattr(starts, name)), source)
        for name, source in sources.items()
    }
