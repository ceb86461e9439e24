"""Checks that every definition shares: integers, names, ratios, sequences of one class."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Final, TypeVar

from rainier_fast.errors import InvalidArgument, invalid, invalid_type, out_of_range
from rainier_fast.memory import listed
from rainier_fast.units import Quantity, parse_bytes

__all__ = ["MAX_COUNT", "as_count", "as_flag", "as_integer", "as_name", "as_ratio", "as_tuple_of"]

MAX_COUNT: Final = 2**32 - 1
"""Most chips, UltraServers or members of anything: the core counts them in 32 bits."""

_Item = TypeVar("_Item")


def as_integer(argument: str, value: object, low: int, high: int) -> int:
    """Return `value` as a Python integer from `low` to `high`.

    Raises
    ------
    OutOfRange
        If it is outside the range.
    InvalidType
        If it is not an integer; a bool is not one here.

    Examples
    --------
    >>> as_integer("root", 3, 0, 7)
    3
    """
    number = _index(argument, value)
    if not low <= number <= high:
        raise out_of_range(argument, number, low, high)
    return number


def as_count(argument: str, value: object, most: int = MAX_COUNT) -> int:
    """Return `value` as a Python integer from 1 to `most`.

    Raises
    ------
    InvalidArgument
        If it is outside the range.
    InvalidType
        If it is not an integer; a bool is not one here.

    Examples
    --------
    >>> as_count("size", 4)
    4
    """
    number = _index(argument, value)
    if not 1 <= number <= most:
        raise invalid(argument, number, f"must be 1 to {most:,}")
    return number


def as_name(argument: str, value: object) -> str:
    """Return `value` as a name: text that is not empty and has no line breaks.

    Raises
    ------
    InvalidArgument
        If the text is empty or has line breaks.
    InvalidType
        If it is not text.

    Examples
    --------
    >>> as_name("name", "indiana")
    'indiana'
    """
    if not isinstance(value, str):
        raise invalid_type(argument, value, "must be text")
    if not value.strip() or not value.isprintable():
        raise invalid(argument, value, "must be printable text that is not empty")
    return str(value)


def as_ratio(argument: str, value: Quantity) -> float:
    """Return `value` as a finite number above 0.

    Raises
    ------
    InvalidArgument
        If it is not finite or not above 0.
    InvalidType
        If it is not a real number.

    Examples
    --------
    >>> as_ratio("oversubscription", 2)
    2.0
    """
    allowed = "must be a finite number > 0"
    if isinstance(value, str):
        raise invalid_type(argument, value, allowed)
    try:
        ratio = parse_bytes(value, argument)
    except InvalidArgument:
        raise invalid(argument, value, allowed) from None
    if not 0 < ratio < math.inf:
        raise invalid(argument, value, allowed)
    return ratio


def as_flag(argument: str, value: object) -> bool:
    """Return `value` as a bool; numpy's bool counts, numbers do not.

    Raises
    ------
    InvalidType
        If it is neither.

    Examples
    --------
    >>> as_flag("wrap", True)
    True
    """
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return bool(value)
    raise invalid_type(argument, value, "must be True or False")


def as_tuple_of(argument: str, value: object, kind: type[_Item]) -> tuple[_Item, ...]:
    """Return the items of `value` as a tuple, each of which must be a `kind`.

    Raises
    ------
    InvalidType
        If `value` cannot be iterated over, or an item is of another class.

    Examples
    --------
    >>> as_tuple_of("sizes", [1, 2], int)
    (1, 2)
    """
    if isinstance(value, str | bytes | dict) or not isinstance(value, Iterable):
        raise invalid_type(argument, value, f"must be a sequence of {kind.__name__}")
    items = tuple(listed(argument, value))
    for index, item in enumerate(items):
        if not isinstance(item, kind):
            raise invalid_type(f"{argument}[{index}]", item, f"must be a {kind.__name__}")
    return items


def _index(argument: str, value: object) -> int:
    allowed = "must be an integer"
    if isinstance(value, bool) or getattr(getattr(value, "dtype", None), "kind", "i") not in "iu":
        raise invalid_type(argument, value, allowed)
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise invalid_type(argument, value, allowed) from None
