"""One published number or word, and what stands behind it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rainier_fast.errors import invalid, invalid_type
from rainier_fast.screen import one_screen
from rainier_fast.units import SCALES

CONFIDENCE: Final = {
    "V": "vendor",
    "A": "analyst or press",
    "M": "third-party measurement",
    "I": "inferred here",
    "assumption": "assumed here",
}
"""What the confidence codes stand for."""

UNITS: Final = (
    *("B", "B/s", "FLOP/s", "s", "h", "W", "USD", "USD/h", "USD/kWh", "m2", "1/h", "1"),
    *("text", "date"),
)
"""Every unit that a figure may have; values of the last two are strings."""

_PREFIXED: Final = ("B/s", "FLOP/s", "W", "s")
_BINARY: Final = tuple(zip((2**40, 2**30, 2**20), ("TiB", "GiB", "MiB"), strict=True))


@dataclass(frozen=True, slots=True)
class Alternative:
    """A figure that disagrees with the chosen one, in the same unit.

    Attributes
    ----------
    value
        What it says.
    source
        Who says it.
    note
        Why it differs or was not chosen.

    Examples
    --------
    >>> Alternative(650e12, "a press report").value
    650000000000000.0
    """

    value: float | str
    source: str
    note: str = ""


@one_screen
@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its unit, its source and how far to trust it.

    Attributes
    ----------
    value
        The figure in SI units; a string where `unit` is ``"text"`` or ``"date"``.
    unit
        One of `UNITS`. Bandwidths are one way unless the note says otherwise.
    source
        Public name of the document, or the arithmetic's origin.
    confidence
        ``"V"`` vendor, ``"A"`` analyst or press, ``"M"`` measured by a third party, ``"I"``
        inferred here, or ``"assumption"``.
    note
        Arithmetic, scope or caveat.
    alternatives
        Disagreeing figures, kept beside the chosen one.
    low, high
        The range that makes sense, where one is known.

    Raises
    ------
    InvalidArgument
        If the unit or the confidence is unknown, the source is empty, the number is not finite, or
        the value is outside its range.
    InvalidType
        If the value does not suit the unit.

    Examples
    --------
    >>> figure = Figure(128e9, "B/s", "AWS Neuron SDK docs", "I", note="1,024 GB/s / 4 / 2")
    >>> figure.number, figure.text
    (128000000000.0, '128 GB/s')
    """

    value: float | str
    unit: str
    source: str
    confidence: str
    note: str = ""
    alternatives: tuple[Alternative, ...] = ()
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise invalid("unit", self.unit, f"must be one of {', '.join(UNITS)}")
        if self.confidence not in CONFIDENCE:
            raise invalid("confidence", self.confidence, f"must be one of {', '.join(CONFIDENCE)}")
        if not self.source:
            raise invalid("source", self.source, "must name where the figure comes from")
        _check_value("value", self.value, self.unit)
        for index, alternative in enumerate(self.alternatives):
            _check_value(f"alternatives[{index}].value", alternative.value, self.unit)
            if not alternative.source:
                raise invalid(f"alternatives[{index}].source", "", "must name who says so")
        self._check_range()

    def _check_range(self) -> None:
        if self.low is None and self.high is None:
            return
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        for name, end in (("low", self.low), ("high", self.high)):
            if end is not None:
                _check_value(name, end, self.unit)
        if not low <= self.number <= high:
            raise invalid("value", self.value, f"must be within its range {low:g} to {high:g}")

    @property
    def number(self) -> float:
        """The value as a number; `InvalidType` where it is text."""
        if isinstance(self.value, str):
            raise invalid_type("value", self.value, "must be a number; this figure is text")
        return self.value

    @property
    def text(self) -> str:
        """The value for reading, with every digit that was published, and its unit."""
        return _written(self.value, self.unit)

    @property
    def range_text(self) -> str:
        """The range for reading, or an empty string where none is known."""
        if self.low is None and self.high is None:
            return ""
        low, high = (
            "?" if end is None else _written(end, self.unit) for end in (self.low, self.high)
        )
        return f"{low} to {high}"

    def remarks(self, cite: Callable[[str], str] = "({})".format) -> list[str]:
        """Return note, range and alternatives, one line each; `cite` writes sources."""
        lines = [self.note] if self.note else []
        if self.range_text:
            lines.append(f"range {self.range_text}")
        for other in self.alternatives:
            note = f": {other.note}" if other.note else ""
            lines.append(f"or {_written(other.value, self.unit)} {cite(other.source)}{note}")
        return lines

    def __str__(self) -> str:
        return "\n    ".join(
            [f"{self.text} [{CONFIDENCE[self.confidence]}] {self.source}", *self.remarks()]
        )


def _check_value(name: str, value: object, unit: str) -> None:
    if unit in ("text", "date"):
        if not isinstance(value, str):
            raise invalid_type(name, value, f"must be a string, since the unit is {unit!r}")
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid_type(name, value, f"must be a number of {unit}")
    elif not math.isfinite(value):
        raise invalid(name, value, "must be finite")


def _written(value: float | str, unit: str) -> str:
    if isinstance(value, str):
        return value
    if unit == "B":
        return _written_bytes(value)
    if unit in _PREFIXED:
        for scale, prefix in SCALES[2:-1]:
            if abs(value) >= scale:
                return f"{value / scale:.6g} {prefix}{unit}"
    number = f"{int(value):,}" if value == int(value) else f"{value:.6g}"
    return number if unit == "1" else f"{number} {unit}"


def _written_bytes(value: float) -> str:
    for scale, unit in _BINARY:
        if value and value % scale == 0:
            return f"{value / scale:,.6g} {unit}"
    return f"{value / 1e9:.6g} GB" if abs(value) >= 1e9 else f"{value:,.6g} B"
