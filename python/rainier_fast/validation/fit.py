"""Fits of one physical parameter to all rows of a source, and errors of rows that are left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rainier_fast.errors import invalid
from rainier_fast.validation.row import Row


@dataclass(frozen=True, slots=True)
class Fit:
    """One parameter, fitted."""

    value: float
    errors: tuple[float, ...]
    left_out: tuple[float, ...]


def fit_one(values: Sequence[float], errors: Callable[[float], Sequence[float]]) -> Fit:
    """Fit a parameter by trying values: no start, no step size, the same answer always."""
    table = [tuple(errors(value)) for value in values]
    if not table:
        raise invalid("values", "none", "must be at least one")
    count = len(table[0])
    if count < 2:
        raise invalid("errors", count, "must be of two rows or more, for one is left out")

    def best(skip: int) -> int:
        sums = [
            math.fsum(error * error for at, error in enumerate(row) if at != skip) for row in table
        ]
        return sums.index(min(sums))

    chosen = best(-1)
    return Fit(values[chosen], table[chosen], tuple(table[best(at)][at] for at in range(count)))


def left_out(rows: Sequence[Row], fit: Fit, group: str, note: str) -> list[Row]:
    """Return the rows that a fit was made to, each as the fit to all others predicts it."""
    return [
        replace(row, group=group, ours=row.published * (1 + error), note=note)
        for row, error in zip(rows, fit.left_out, strict=True)
    ]
