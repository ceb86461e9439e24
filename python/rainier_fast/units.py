"""Strings to SI numbers and back: bytes, bytes per second, seconds, watts.

Bits (``b``, ``bit``, ``bps``) and bytes (``B``, ``byte``, ``Bps``), decimal prefixes (``k`` or
``K``, ``M``, ``G``, ``T``, ``P``, ``E``) and binary ones (``Ki`` to ``Ei``) are told apart, so case
matters. A number without a unit is in SI base units.
"""

from __future__ import annotations

import math
import numbers
import operator
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Final, SupportsFloat, SupportsIndex, TypeAlias

from rainier_fast.errors import invalid, invalid_type
from rainier_fast.provenance import keep

Quantity: TypeAlias = str | SupportsFloat | SupportsIndex
"""What the parsers accept: text with or without a unit, or any real number."""

MAX_BYTES: Final = float(2**63)
_MAX_TEXT: Final = 100  # longer text is no quantity, and exact arithmetic on it would cost
_MOST_KNOWN: Final = 256  # texts that were read and may come again

# The exponent is kept short because the number is read as an exact fraction.
_NUMBER_AND_UNIT: Final = re.compile(
    r"([+-]?(?:[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)\s*(\S.*)?",
    re.ASCII,
)
_SIZE_UNIT: Final = re.compile(r"([kKMGTPE]|[KMGTPE]i)?(?:(b|bits?)|(?:B|[Bb]ytes?))")
_PER_SECOND: Final = re.compile(r"(.*?)(?:ps|\s*/\s*(?:s|sec|second))")

_PREFIXES: Final = {"": 1, "k": 1000} | {
    prefix + binary: (1024 if binary else 1000) ** power
    for power, prefix in enumerate("KMGTPE", start=1)
    for binary in ("", "i")
}
_SECONDS: Final = {
    "ps": Fraction(1, 10**12),
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "\u00b5s": Fraction(1, 10**6),  # micro sign
    "\u03bcs": Fraction(1, 10**6),  # Greek mu
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "sec": Fraction(1),
    "second": Fraction(1),
    "seconds": Fraction(1),
    "min": Fraction(60),
    "h": Fraction(3600),
}

_BYTES_FORMS: Final = (
    "must be bytes as a number or text such as '1 GiB', '64 KiB', '1.5 GB', '8 Mbit'"
)
_BANDWIDTH_FORMS: Final = (
    "must be bytes/s as a number or text such as '50 GB/s', '1 GiB/s', '200 Gbps', '12.8 Tb/s'"
)
_WATTS: Final = {"W": 1, "kW": 10**3, "MW": 10**6, "GW": 10**9}
_POWER_FORMS: Final = "must be watts as a number or text such as '500 W', '1.2 kW', '300 MW'"
_TIME_FORMS: Final = "must be seconds as a number or text such as '1.5 us', '6 ms', '200 ns', '2 s'"


def parse_bytes(value: Quantity, argument: str = "size") -> float:
    """Read a size in bytes."""
    size = _read(value, argument, _size_unit, _BYTES_FORMS)
    if not 0 <= size <= MAX_BYTES:
        raise invalid(argument, value, "must be a finite number of bytes >= 0 and <= 2**63")
    return size


def parse_bandwidth(value: Quantity, argument: str = "bandwidth") -> float:
    """Read a bandwidth in bytes per second."""
    rate = _read(value, argument, _rate_unit, _BANDWIDTH_FORMS)
    if not 0 < rate < math.inf:
        raise invalid(argument, value, "must be a finite number > 0")
    return keep(value, rate)


def parse_time(value: Quantity, argument: str = "latency") -> float:
    """Read a time in seconds."""
    seconds = _read(value, argument, _SECONDS.get, _TIME_FORMS)
    if not 0 <= seconds < math.inf:
        raise invalid(argument, value, "must be a finite number >= 0")
    return keep(value, seconds)


def parse_power(value: Quantity, argument: str = "power") -> float:
    """Read a power in watts. Text needs a unit: "300" may be megawatts or a share to its reader."""
    if isinstance(value, str) and value.strip()[-1:].isdigit():
        raise invalid(argument, value, f"{_POWER_FORMS}: text needs a unit, W, kW, MW or GW")
    power = _read(value, argument, _power_unit, _POWER_FORMS)
    if not 0 <= power < math.inf:
        raise invalid(argument, value, "must be a finite number >= 0")
    return keep(value, power)


def format_bytes(size: float) -> str:
    """Write a size with a binary prefix; whole sizes below 1 KiB are exact."""
    if not math.isfinite(size):
        return f"{size} B"
    sign, rest = _sign(size)
    if rest < 1023.5:
        return f"{sign}{rest:.4g} B"
    power = 1
    while rest / 1024**power >= 1023.5 and power < len(_BINARY_UNITS):
        power += 1  # what rounds to 1024 belongs to the next unit
    return f"{sign}{_digits(rest / 1024**power)} {_BINARY_UNITS[power - 1]}"


def format_bandwidth(rate: float) -> str:
    """Write a bandwidth in bytes per second with a decimal prefix."""
    return _decimal(rate, SCALES[: _ONE + 1], "B/s")


def format_flops(rate: float) -> str:
    """Write a rate of arithmetic with a decimal prefix."""
    return _decimal(rate, SCALES[: _ONE + 1], "FLOP/s")


def format_time(seconds: float) -> str:
    """Write a time with a decimal prefix; times above a second stay in seconds."""
    return _decimal(seconds, SCALES[_ONE:], "s")


def format_power(watts: float) -> str:
    """Write a power with a decimal prefix."""
    return _decimal(watts, SCALES[: _ONE + 1], "W")


def format_hours(seconds: float) -> str:
    """Write a long time in the unit that suits it: minutes, hours or days."""
    if not math.isfinite(seconds):
        return "never" if seconds > 0 else f"{seconds} h"
    for unit, scale in (("min", 60.0), ("h", 3600.0)):
        if seconds < 72 * scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 86400:.3g} days"


def format_count(number: SupportsIndex) -> str:
    """Write an integer with commas between groups of three digits."""
    return f"{operator.index(number):,}"


_BINARY_UNITS: Final = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
SCALES: Final = tuple(
    zip(
        (1e24, 1e21, 1e18, 1e15, 1e12, 1e9, 1e6, 1e3, 1.0, 1e-3, 1e-6, 1e-9, 1e-12),
        (*"YZEPTGMk", "", *"munp"),
        strict=True,
    )
)
"""Decimal scales and their prefixes, the largest first."""
_ONE: Final = 8  # place of no prefix


def _read(
    value: Quantity,
    argument: str,
    unit_factor: Callable[[str], Fraction | None],
    forms: str,
) -> float:
    """Turn `value` into a float of base units; infinite where it does not fit one."""
    if not isinstance(value, str):
        return as_real(value, argument, forms)
    text = str.__str__(value)  # a subclass may be equal to what it likes
    number = _number(text, unit_factor) if len(text) <= _MAX_TEXT else None
    if number is None:
        raise invalid(argument, value, forms)
    return number


@lru_cache(_MOST_KNOWN)
def _number(text: str, unit_factor: Callable[[str], Fraction | None]) -> float | None:
    """Return the number that a text is, in base units; None where it is none."""
    match = _NUMBER_AND_UNIT.fullmatch(text.strip())
    if match is None:
        return None
    digits, unit = match.groups()
    factor = Fraction(1) if unit is None else unit_factor(unit)
    if factor is None:
        return None
    try:
        return float(Fraction(digits.replace("_", "")) * factor)
    except OverflowError:
        return math.inf


def as_real(value: object, argument: str, forms: str) -> float:
    """Return a real number as a float, infinite where it is too large; `InvalidType` otherwise."""
    try:
        if _is_real(value):
            return float(value) + 0.0  # type: ignore[arg-type]  # and -0.0 becomes 0.0
    except OverflowError:
        return math.inf
    except Exception as error:  # whatever a value's own methods raise
        raise invalid_type(argument, value, forms) from error
    raise invalid_type(argument, value, forms)


def _is_real(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, numbers.Real):
        return True
    if hasattr(value, "dtype"):  # numpy.bool, numpy.complex128 and arrays have __float__ too
        kind = getattr(value.dtype, "kind", "")
        return kind in ("i", "u", "f") and getattr(value, "shape", None) == ()
    return isinstance(value, SupportsFloat | SupportsIndex)


def _power_unit(unit: str) -> Fraction | None:
    scale = _WATTS.get(unit)
    return None if scale is None else Fraction(scale)


def _size_unit(unit: str) -> Fraction | None:
    match = _SIZE_UNIT.fullmatch(unit)
    if match is None:
        return None
    prefix, bits = match.groups()
    return Fraction(_PREFIXES[prefix or ""], 8 if bits else 1)


def _rate_unit(unit: str) -> Fraction | None:
    match = _PER_SECOND.fullmatch(unit)
    return None if match is None else _size_unit(match.group(1))


def _sign(number: float) -> tuple[str, float]:
    return ("-", -float(number)) if number < 0 else ("", float(number))


def _rounded(number: float) -> float:
    """Round to three significant digits, or to a whole number from 1000 on."""
    return float(f"{number:.0f}") if number >= 999.5 else float(f"{number:.2e}")


def _digits(number: float) -> str:
    rounded = _rounded(number)
    if rounded >= 1e6:
        return f"{rounded:.3g}"
    places = 2 if rounded < 10 else 1 if rounded < 100 else 0
    return f"{rounded:.{places}f}"


def _decimal(number: float, scales: Sequence[tuple[float, str]], unit: str) -> str:
    if not math.isfinite(number) or number == 0:
        return f"{abs(number) if number == 0 else number:.0f} {unit}"
    sign, rest = _sign(number)
    rounded = float(f"{rest:.2e}")
    for scale, prefix in scales:
        if rounded >= scale:
            # Long counts of the base unit (seconds) keep their whole digits.
            return f"{sign}{_digits(rest / scale)} {prefix}{unit}"
    scale, prefix = scales[-1]
    return f"{sign}{rounded / scale:.3g} {prefix}{unit}"
