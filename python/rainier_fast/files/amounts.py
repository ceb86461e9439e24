"""Sizes, rates and times in files: text with a unit, or a number whose key has the unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from rainier_fast.errors import RainierError
from rainier_fast.files.place import Key, Misplaced
from rainier_fast.provenance import AssumedFloat, AssumedInt
from rainier_fast.units import Quantity, parse_bandwidth, parse_bytes, parse_time

_MOST_DIGITS: Final = 8
_DECIMAL: Final = tuple(zip((1e15, 1e12, 1e9, 1e6, 1e3, 1.0), (*"PTGMk", ""), strict=True))
_BINARY: Final = tuple((2.0 ** (10 * at), f"{'KMGTP'[at - 1]}i") for at in range(5, 0, -1))
_SHORT: Final = ((1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p"))


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that a key ends with."""

    suffix: str
    symbol: str
    scales: tuple[tuple[float, str], ...]
    parse: Callable[[Quantity, str], float]
    example: str

    def text(self, number: float) -> str | None:
        """Return a number as short text that is exactly it; None where there is none."""
        found = []
        for scale, prefix in self.scales:
            digits = f"{number / scale:.{_MOST_DIGITS}g}"
            text = f"{digits} {prefix}{self.symbol}"
            fits = float(digits) >= 1 if number else not prefix
            if fits and "e" not in digits and self._is(text, number):
                found.append(text)
        return min(found, key=len, default=None)

    def _is(self, text: str, number: float) -> bool:
        try:
            return self.parse(text, "text") == number
        except RainierError:
            return False


UNITS: Final = {
    "Bps": Unit("_Bps", "B/s", _DECIMAL, parse_bandwidth, "50 GB/s"),
    "bytes": Unit("_bytes", "B", (*_BINARY, *_DECIMAL), parse_bytes, "96 GiB"),
    "s": Unit("_s", "s", _SHORT, parse_time, "1.5 us"),
}
"""Units by the end of keys."""


def told(unit: Unit, value: Any) -> tuple[bool, Any]:  # noqa: ANN401 - a number or lists of them
    """Return whether a value can be said as text, and that text, or the plain numbers."""
    if isinstance(value, tuple | list):
        texts = [told(unit, item) for item in value]
        if all(is_text for is_text, _ in texts):
            return True, [text for _, text in texts]
        return False, plain_number(value)
    text = unit.text(float(value))
    return (True, text) if text is not None else (False, plain_number(value))


def plain_number(value: Any) -> Any:  # noqa: ANN401 - a number or lists of them
    """Return a number as Python has it, or lists of them."""
    if isinstance(value, tuple | list):
        return [plain_number(item) for item in value]
    return int(value) if isinstance(value, int) else float(value)


def assumed(value: Any, names: tuple[str, ...], unit: Unit | None, keys: tuple[Key, ...]) -> Any:  # noqa: ANN401
    """Return a value, or lists of them, that knows the assumptions it is made of."""
    if isinstance(value, list | tuple):
        return [assumed(item, names, unit, keys) for item in value]
    if unit is not None:
        try:
            return AssumedFloat(unit.parse(value, str(keys[-1])), *names)
        except RainierError as error:
            raise Misplaced(keys, str(error)) from None
    if isinstance(value, int) and not isinstance(value, bool):
        return AssumedInt(value, *names)
    if isinstance(value, float):
        return AssumedFloat(value, *names)
    raise Misplaced(keys, "only a number rests on an assumption")
