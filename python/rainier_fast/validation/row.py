"""One line of a validation: what was published, what we say, and how far apart that is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from rainier_fast.errors import invalid


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a validation.

    Attributes
    ----------
    group, case
        What it is counted with, such as ``"H100 x 8, NCCL's model"``, and what was run.
    quantity, unit
        What was measured or derived, such as ``"time"``, and the unit of both figures.
    published, ours
        The reference and our figure.
    kind
        What kind of number ours is: `CollectiveResult.kind`.
    model, source
        The model of ours that gave ours, and where the reference is from.
    note
        What a reader must know: fitted parameters, conventions, known faults.
    error
        ``ours / published - 1``.

    Raises
    ------
    InvalidArgument
        If a figure is not finite, or the published one is 0.

    Examples
    --------
    >>> alone = ("links alone", "link_load", "closed form")
    >>> Row("ring", "4 chips", "time", "us", 100.0, 103.0, *alone).error
    0.03
    """

    group: str
    case: str
    quantity: str
    unit: str
    published: float
    ours: float
    kind: str
    model: str
    source: str
    note: str = ""
    error: float = field(init=False)

    def __post_init__(self) -> None:
        for name, value in (("published", self.published), ("ours", self.ours)):
            if not math.isfinite(value):
                raise invalid(name, value, "must be a finite number")
        if self.published == 0:
            raise invalid("published", self.published, "must not be 0: the error is a fraction")
        error = (self.ours - self.published) / self.published
        object.__setattr__(self, "error", error)


@dataclass(frozen=True, slots=True)
class TableRow(Row):
    """A line of a table that is too long to print line by line.

    Attributes
    ----------
    operation, ranks, size
        What was run, among how many, and its bytes.
    priced
        What the software's own tables say of the same choice, in the unit of `ours`.
    """

    operation: str = ""
    ranks: int = 0
    size: int = 0
    priced: float = math.nan


def mean_error(rows: Iterable[Row]) -> float:
    """Return the mean of the sizes of the errors of one row or more, as a fraction.

    Examples
    --------
    >>> line = ("ring", "4 chips", "time", "us", 100.0)
    >>> alone = ("links alone", "link_load", "closed form")
    >>> mean_error(Row(*line, ours, *alone) for ours in (98.0, 104.0))
    0.03
    """
    sizes = _sizes(rows)
    return math.fsum(sizes) / len(sizes)


def worst_error(rows: Iterable[Row]) -> float:
    """Return the largest size of an error, as a fraction."""
    return max(_sizes(rows))


def _sizes(rows: Iterable[Row]) -> list[float]:
    sizes = [abs(row.error) for row in rows]
    if not sizes:
        raise invalid("rows", "none", "must be at least one")
    return sizes
