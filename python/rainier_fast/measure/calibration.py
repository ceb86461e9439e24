"""What a calibration found: the machine, its parameters, and how far it is from the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np

from rainier_fast.ask.runtime import kind_of
from rainier_fast.files.saved import Saved
from rainier_fast.frozen import frozen, put
from rainier_fast.measure.machine import CalibratedMachine
from rainier_fast.measured.measured import Measured, columns_of_measured
from rainier_fast.screen import preformatted
from rainier_fast.table import TableOfKind, columns_of
from rainier_fast.units import format_bytes, format_time

_MOST_ROWS: Final = 64  # rows are the evidence, so that more are shown than of other tables


@frozen("a fitted number does not change")
class Fitted(float):
    """A fitted number that knows its unit and where it came from.

    Attributes
    ----------
    unit
        Its unit.
    start
        Where the fit began.
    source
        What the start is, or how the value was found.

    Examples
    --------
    >>> step = Fitted(2.9e-6, "s", 1.5e-6, "the machine's own value")
    >>> print(step)
    2.90 us (start 1.50 us: the machine's own value)
    """

    unit: str
    start: float
    source: str

    def __new__(cls, value: float, unit: str, start: float, source: str) -> Fitted:
        """Make a number with its history."""
        number = super().__new__(cls, value)
        put(number, unit=unit, start=start, source=source)
        return number

    def __getnewargs__(self) -> tuple[Any, ...]:
        return float(self), self.unit, self.start, self.source

    @property
    def value(self) -> float:
        """The number alone."""
        return float(self)

    def __str__(self) -> str:
        value, start = _text(float(self), self.unit), _text(self.start, self.unit)
        return f"{value} (start {start}: {self.source})"

    def __repr__(self) -> str:
        return f"Fitted({float(self)!r}, {self.unit!r}, {self.start!r}, {self.source!r})"


class Errors(TableOfKind):
    """Rows with measured and predicted times; ``error`` is predicted / measured - 1.

    Examples
    --------
    >>> errors = Errors({"error": [-0.5, 0.25]}, "links alone")
    >>> errors.mean, errors.worst
    (0.375, 0.5)
    """

    @property
    def mean(self) -> float:
        """Mean of the absolute errors, as a fraction."""
        return float(np.mean(np.abs(self["error"])))

    @property
    def worst(self) -> float:
        """Largest absolute error, as a fraction."""
        return float(np.max(np.abs(self["error"])))

    @classmethod
    def of(cls, rows: Sequence[Measured]) -> Errors:
        """Make the table of measured rows."""
        kinds = dict.fromkeys(kind_of(row.algorithm.partition("(")[0]) for row in rows)
        columns = columns_of_measured(rows) | columns_of(rows, "ranks", "algorithm")
        return cls(columns, ", ".join(kinds))


@dataclass(frozen=True, repr=False)
class Calibration(Saved):
    """A fitted machine and the evidence. Pickles.

    Attributes
    ----------
    machine
        The machine with the fitted parameters; its results have `nearest_measurements`.
    parameters
        Fitted values by name, each with unit, start and source.
    residuals
        Every row with measured and predicted seconds and the error as a fraction.
    leave_one_out
        The same rows, each size predicted by a fit on the other sizes. Which algorithm ran at a
        size (by the thresholds, or as `auto` picked) is taken as known there.
    notes
        What was detected in the table, and what the fit did.

    Examples
    --------
    >>> from rainier_fast import calibrate, preset
    >>> rows = [{"op": "allr", "bytes": 2e6 * at, "time_us": 50 + 20 * at} for at in range(1, 7)]
    >>> fit = calibrate(preset("trn2"), rows)
    >>> sorted(fit.parameters)[:2]
    ['call', 'halving_most']
    """

    _saved_as = "calibration"

    machine: CalibratedMachine
    parameters: Mapping[str, Fitted]
    residuals: Errors
    leave_one_out: Errors
    notes: tuple[str, ...]

    __hash__ = None  # type: ignore[assignment]

    @property
    def kind(self) -> str:
        """What kind of number the predicted times are: `CollectiveResult.kind`."""
        return self.residuals.kind

    def __repr__(self) -> str:
        return (
            f"<Calibration of {self.machine.name or self.machine.ultraserver.name}: "
            f"{len(self.residuals)} rows, mean error {self.residuals.mean:.1%}, "
            f"leave-one-size-out {self.leave_one_out.mean:.1%}, {self.kind}>"
        )

    def __str__(self) -> str:
        fitted, out = self.residuals, self.leave_one_out
        width = max(map(len, self.parameters))
        lines = [
            f"calibration of {self.machine.name or self.machine.ultraserver.name} "
            f"on {len(fitted)} rows, {self.kind}",
            f"  fitted              mean error {fitted.mean:.1%}, worst {fitted.worst:.1%}",
            f"  leave one size out  mean error {out.mean:.1%}, worst {out.worst:.1%}",
            "",
            *(f"  {name.ljust(width)}  {value}" for name, value in self.parameters.items()),
            "",
            "op              size       measured   predicted  error    left out  algorithm",
        ]
        left = out["error"].tolist()
        for row, error in islice(zip(fitted, left, strict=True), _MOST_ROWS):
            lines.append(
                f"{row['op']:<14}  {format_bytes(row['bytes']):<9}  "
                f"{format_time(row['measured_s']):<9}  {format_time(row['predicted_s']):<9}  "
                f"{row['error']:>+7.1%}  {error:>+8.1%}  {row['algorithm']}"
            )
        if len(fitted) > _MOST_ROWS:
            lines.append(f"... and {len(fitted) - _MOST_ROWS} more rows in .residuals")
        return "\n".join([*lines, "", *(f"note: {note}" for note in self.notes)])

    _repr_html_ = preformatted


def _text(value: float, unit: str) -> str:
    if unit == "s":
        return format_time(value)
    return format_bytes(value) if unit == "B" else f"{value:.4g}"
