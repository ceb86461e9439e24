"""Fits a space's parameters to rows, and predicts each size by a fit on the others."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from rainier_fast.errors import Unsupported
from rainier_fast.formats.rows import Row
from rainier_fast.least_squares import Vector, least_squares
from rainier_fast.machine.machine import Machine
from rainier_fast.measure.calibration import Errors
from rainier_fast.measure.space import Space
from rainier_fast.measured.measured import Measured, measure

# Choices of algorithms that are tried.
_ROUNDS: Final = 6
_NUDGE: Final = 1.1


def fit(
    space: Space, rows: Sequence[Row], known: Sequence[str] | None = None
) -> tuple[Vector, list[Measured]]:
    """Return the values that suit the rows best, and the rows with what the machine then says."""
    # `known` are the algorithms of the rows, where the caller knows them.
    names = [parameter.name for parameter in space.parameters]
    start = np.array([parameter.start for parameter in space.parameters])
    low = [parameter.low for parameter in space.parameters]
    high = [parameter.high for parameter in space.parameters]
    measured_log = np.log([row.time_s for row in rows])

    def machine(values: Vector) -> Machine:
        return space.build(dict(zip(names, map(float, values), strict=True)))

    def fitted(point: Vector, picked: Sequence[str]) -> Vector:
        def errors(point: Vector) -> Vector:
            predicted = measure(machine(point), rows, picked, space.algorithm)
            return np.log([row.predicted_s for row in predicted]) - measured_log

        return least_squares(errors, point.tolist(), low, high)[0]

    if space.algorithm != "auto":
        known = [space.algorithm] * len(rows)
    if known is not None:
        values = fitted(start, known)
        return values, measure(machine(values), rows, known, space.algorithm)
    # What `auto` picks depends on the values. It is held fixed while they are fitted, then picked
    # again, until the choice is one that was tried; the best of them counts.
    values, tried = start, []
    measured = measure(space.machine, rows, "auto")
    best = (math.inf, start, measured)
    for _ in range(_ROUNDS):
        picked = [by_name(row) for row in measured]
        if picked in tried:
            break
        tried.append(picked)
        values = fitted(values, picked)
        measured = measure(machine(values), rows, "auto")
        best = min(best, (squares(measured), values, measured), key=lambda found: found[0])
    return best[1], best[2]


def by_name(row: Measured) -> str:
    """Return the algorithm that ran, as it is asked for."""
    return row.algorithm.split("(")[0]


def squares(measured: Sequence[Measured]) -> float:
    """Return the sum of squares of relative errors."""
    return sum(math.log(row.predicted_s / row.measured_s) ** 2 for row in measured)


def leave_one_out(
    space: Space, rows: Sequence[Row], ran: Sequence[str], notes: list[str]
) -> Errors:
    """Predict each size by a fit on the others."""
    out: dict[int, Measured] = {}
    sizes = sorted({row.size_bytes for row in rows})
    for size in sizes:
        rest = [row for row in rows if row.size_bytes != size]
        held = [at for at, row in enumerate(rows) if row.size_bytes == size]
        if len(rest) < len(space.parameters):
            raise Unsupported(
                f"leaving out {size:g} bytes leaves {len(rest)} rows for "
                f"{len(space.parameters)} parameters; measure more sizes"
            )
        values, _ = fit(space, rest, [ran[at] for at in range(len(rows)) if at not in held])
        names = [parameter.name for parameter in space.parameters]
        machine = space.build(dict(zip(names, map(float, values), strict=True)))
        left, names_left = [rows[at] for at in held], [ran[at] for at in held]
        predicted = measure(machine, left, names_left, space.algorithm)
        out |= dict(zip(held, predicted, strict=True))
    notes.append(f"left out one after another: {len(sizes)} sizes, algorithms taken as known")
    return Errors.of([out[at] for at in range(len(rows))])


def that_matter(space: Space, rows: Sequence[Row]) -> Space:
    """Return the space without parameters that no row depends on."""
    names = [space.algorithm] * len(rows)
    start = {parameter.name: parameter.start for parameter in space.parameters}

    def seconds(values: dict[str, float]) -> list[float]:
        found = measure(space.build(values), rows, names, space.algorithm)
        return [row.predicted_s for row in found]

    before = seconds(start)
    kept = tuple(
        parameter
        for parameter in space.parameters
        if seconds(start | {parameter.name: parameter.start * _NUDGE}) != before
    )
    return dataclasses.replace(space, parameters=kept)
