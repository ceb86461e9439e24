"""Checks that every definition shares: integers, names, ratios, sequences of one class."""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

import numpy as np

from rainier_fast.errors import InvalidArgument, invalid, invalid_type, out_of_range
from rainier_fast.provenance import keep
from rainier_fast.units import Quantity, as_real, parse_bytes

MAX_COUNT: Final = 2**32 - 1
"""Most chips, UltraServers or members of anything: the core counts them in 32 bits."""

_MOST_ITEMS: Final = 2**20
_MOST_LETTERS: Final = 200  # errors quote names
_Item = TypeVar("_Item")


def as_integer(argument: str, value: object, low: int, high: int) -> int:
    """Return `value` as a Python integer from `low` to `high`."""
    number = _index(argument, value)
    if not low <= number <= high:
        raise out_of_range(argument, number, low, high)
    return number


def as_count(argument: str, value: object, most: int = MAX_COUNT) -> int:
    """Return `value` as a Python integer from 1 to `most`."""
    number = _index(argument, value)
    if not 1 <= number <= most:
        raise invalid(argument, number, f"must be 1 to {most:,}")
    return keep(value, number)


def as_name(argument: str, value: object) -> str:
    """Return `value` as a name: text that is not empty and has no line breaks."""
    if not isinstance(value, str):
        raise invalid_type(argument, value, "must be text")
    text = str.__str__(value)
    if not text.strip() or not text.isprintable() or len(text) > _MOST_LETTERS:
        allowed = f"must be printable text of 1 to {_MOST_LETTERS} characters"
        raise invalid(argument, text, allowed)
    return text


def as_number(argument: str, value: object, low: float, high: float, allowed: str) -> float:
    """Return `value` as a float from `low` to `high`, both allowed."""
    number = as_real(value, argument, allowed)
    if not (low <= number <= high and math.isfinite(number)):
        raise invalid(argument, value, allowed)
    return number


def as_factor(name: str, value: object) -> float:
    """Return a factor on a link's bandwidth, above 0 and at most 1."""
    number = as_real(value, name, "must be a number above 0 and at most 1")
    if not 0 < number <= 1:
        raise invalid(name, value, "must be above 0 and at most 1; name a dead link in links")
    return number


def as_ratio(argument: str, value: Quantity) -> float:
    """Return `value` as a finite number above 0."""
    allowed = "must be a finite number > 0"
    if isinstance(value, str):
        raise invalid_type(argument, value, allowed)
    try:
        ratio = parse_bytes(value, argument)
    except InvalidArgument:
        raise invalid(argument, value, allowed) from None
    if not 0 < ratio < math.inf:
        raise invalid(argument, value, allowed)
    return keep(value, ratio)


def as_flag(argument: str, value: object) -> bool:
    """Return `value` as a bool; numpy's bool counts, numbers do not."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise invalid_type(argument, value, "must be True or False")


def as_tuple_of(argument: str, value: object, kind: type[_Item]) -> tuple[_Item, ...]:
    """Return the items of `value` as a tuple, each of which must be a `kind`."""
    items = tuple(as_items(argument, value, f"must be a sequence of {kind.__name__}"))
    for index, item in enumerate(items):
        if not isinstance(item, kind):
            raise invalid_type(f"{argument}[{index}]", item, f"must be a {kind.__name__}")
    return items


def as_several(argument: str, value: object, kind: type[_Item]) -> tuple[_Item, ...]:
    """Return the items of `value` as a tuple of at least one `kind`."""
    items = as_tuple_of(argument, value, kind)
    if not items:
        raise invalid(argument, items, f"must name at least one {kind.__name__.lower()}")
    return items


def as_items(argument: str, value: object, allowed: str) -> Sequence[Any]:
    """Return the items of anything that has some: a list, a generator, an array, no text."""
    if isinstance(value, list | tuple):
        return value
    items: Sequence[Any] | None = None
    try:
        if isinstance(value, range) and value[_MOST_ITEMS:]:
            items = value  # not even begun
        elif isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
            items = list(islice(value, _MOST_ITEMS + 1))
    except Exception as error:  # whatever a value's own methods raise
        raise invalid_type(argument, value, allowed) from error
    if items is None:
        raise invalid_type(argument, value, allowed)
    if items[_MOST_ITEMS:]:
        raise invalid(argument, value, f"must have at most {_MOST_ITEMS:,} items")
    return items


def as_pairs(argument: str, value: object, allowed: str) -> Sequence[Any]:
    """Return the pairs of a mapping."""
    try:
        if isinstance(value, Mapping):
            return list(value.items())
    except Exception as error:  # whatever a value's own methods raise
        raise invalid_type(argument, value, allowed) from error
    raise invalid_type(argument, value, allowed)


def is_masked(values: object) -> bool:
    """Tell whether an array has masked values."""
    # numpy loads `ma` when it is first asked for: who has a masked array has asked.
    ma = sys.modules.get("numpy.ma")
    return ma is not None and isinstance(values, ma.MaskedArray) and bool(ma.is_masked(values))


def _index(argument: str, value: object) -> int:
    allowed = "must be an integer"
    try:
        kind = getattr(getattr(value, "dtype", None), "kind", "i")
        if not isinstance(value, bool) and kind in "iu":
            return int(operator.index(value))  # type: ignore[arg-type]
    except Exception as error:  # whatever a value's own methods raise
        raise invalid_type(argument, value, allowed) from error
    raise invalid_type(argument, value, allowed)
