"""The points of a sweep: their order and numbers, and what a file keeps of the space."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import numpy as np

from rainier_fast.errors import RainierError, invalid, invalid_type, shown
from rainier_fast.memory import reckon
from rainier_fast.sweeps.cells import Cell, digest_of, hashed, label_of

OURS: Final = ("error_type", "error")
"""Columns of a sweep that are neither axes nor of the function."""

_MOST_LISTED: Final = 4096
_MOST_POINTS: Final = 2**40
_MOST_LETTERS: Final = 200
_BLOCK: Final = 8192
_A_POINT: Final = 600
"""Bytes that a point of a list takes."""
_ALLOWED: Final = (
    "must be a dict of axes, such as {'size': ['1 MiB', '1 GiB'], 'ranks': [16, 64]}, or points as "
    "dicts in an order of their own"
)

Described = dict[str, Any]


class Space:
    """Points by number: what both kinds of spaces have."""

    names: tuple[str, ...]
    """Axes, in the order of the columns."""
    size: int

    def points(self, first: int, end: int) -> list[dict[str, Any]]:
        """Return the points of some numbers."""
        raise NotImplementedError

    def cells(self, first: int, end: int) -> dict[str, list[Cell]]:
        """Return them as columns."""
        raise NotImplementedError

    def described(self) -> Described:
        """Return what a file keeps, by which the space is known again."""
        raise NotImplementedError


class Product(Space):
    """All combinations of the values of axes; the last axis is the fastest."""

    def __init__(self, axes: Mapping[str, Sequence[Any]]) -> None:
        self.names = tuple(axes)
        self.values = [list(values) for values in axes.values()]
        self.size = math.prod(map(len, self.values))
        if self.size > _MOST_POINTS:
            raise invalid("space", self.size, f"must have at most {_MOST_POINTS:,} points")
        self.labels = [[label_of(one) for one in values] for values in self.values]
        self._steps = [math.prod(map(len, self.values[at + 1 :])) for at in range(len(axes))]
        self._digests = [
            [digest_of(one, f"space[{shown(name)}]") for one in values]
            for name, values in zip(self.names, self.values, strict=True)
        ]
        for name, digests in zip(self.names, self._digests, strict=True):
            places = {digest: at for at, digest in enumerate(digests)}
            if len(places) < len(digests):
                again = next(at for at, one in enumerate(digests) if places[one] != at)
                value = self.values[self.names.index(name)][again]
                raise invalid(f"space[{shown(name)}]", value, "must be there once")

    def _at(self, axis: int, first: int, end: int) -> list[int]:
        numbers = np.arange(first, end, dtype=np.int64)
        return (numbers // self._steps[axis] % len(self.values[axis])).tolist()

    def points(self, first: int, end: int) -> list[dict[str, Any]]:
        """Return the points of some numbers."""
        columns = [
            [values[place] for place in self._at(axis, first, end)]
            for axis, values in enumerate(self.values)
        ]
        return [dict(zip(self.names, row, strict=True)) for row in zip(*columns, strict=True)]

    def cells(self, first: int, end: int) -> dict[str, list[Cell]]:
        """Return them as columns."""
        return {
            name: [self.labels[axis][place] for place in self._at(axis, first, end)]
            for axis, name in enumerate(self.names)
        }

    def described(self) -> Described:
        """Return its axes with their lengths, hashes and, of short ones, values."""
        axes = []
        for name, labels, digests in zip(self.names, self.labels, self._digests, strict=True):
            axis: Described = {"name": name, "length": len(labels)}
            axis["hash"] = hashed("".join(digests).encode(), 16)
            if len(labels) <= _MOST_LISTED:
                axis |= {"values": labels, "digests": digests}
            axes.append(axis)
        return {"kind": "product", "points": self.size, "axes": axes}

    def prefix(self, axis: int, length: int) -> str:
        """Return the hash of the first values of an axis."""
        return hashed("".join(self._digests[axis][:length]).encode(), 16)

    def digests(self, axis: int) -> list[str]:
        """Return the digest of each value of an axis."""
        return self._digests[axis]


class Listed(Space):
    """Points in an order of their own; those without some axis have None there."""

    def __init__(self, points: Sequence[Mapping[str, Any]]) -> None:
        self._points = points
        self.size = len(points)
        self.names = tuple(dict.fromkeys(name for point in points for name in point))
        _check_names(self.names)

    def points(self, first: int, end: int) -> list[dict[str, Any]]:
        """Return the points of some numbers."""
        return [dict(one) for one in self._points[first:end]]

    def cells(self, first: int, end: int) -> dict[str, list[Cell]]:
        """Return them as columns."""
        rows = self._points[first:end]
        return {name: [label_of(row.get(name)) for row in rows] for name in self.names}

    def prefix(self, length: int) -> str:
        """Return the hash of the first points."""
        known: dict[int, str] = {}  # by identity: all values live as long as the points

        def digest(value: object, at: int, name: str) -> str:
            if isinstance(value, str | int | float) or value is None:
                return json.dumps(value)
            if id(value) not in known:
                known[id(value)] = digest_of(value, f"space[{at}][{shown(name)}]")
            return known[id(value)]

        state = ""
        for start in range(0, length, _MOST_LISTED):
            lines = [
                json.dumps({name: digest(value, at, name) for name, value in point.items()},
                           sort_keys=True)
                for at, point in enumerate(self._points[start : min(start + _MOST_LISTED, length)],
                                           start)
            ]  # fmt: skip
            state = hashed("\n".join([state, *lines]).encode(), 16)
        return state

    def described(self) -> Described:
        """Return its names, its length and its hash."""
        return {
            "kind": "list",
            "points": self.size,
            "names": list(self.names),
            "hash": self.prefix(self.size),
        }


def space_of(given: object) -> Space:
    """Return the space that was given as a dict of axes, or as points."""
    if isinstance(given, Space):
        return given
    if isinstance(given, Mapping):
        if not given:
            raise invalid("space", given, "must have an axis at least")
        _check_names(given)
        return Product({name: _values(name, values) for name, values in given.items()})
    if isinstance(given, str | bytes | set | frozenset) or not isinstance(given, Iterable):
        raise invalid_type("space", given, _ALLOWED)
    points = _all("space", given, "sweep a product of axes")
    for at, point in enumerate(points):
        if not isinstance(point, Mapping):
            raise invalid_type(f"space[{at}]", point, "must be a point as a dict")
    if not points:
        raise invalid("space", given, "must have a point at least")
    return Listed(points)


def _all(where: str, given: Iterable[Any], instead: str) -> list[Any]:
    """Return all items, as long as memory lasts; an error where they cannot be read."""
    items: list[Any] = []
    try:
        source = iter(given)
        while block := list(islice(source, _BLOCK)):
            items += block
            reckon(_A_POINT * len(items), f"{len(items):,} items of {where}", instead)
    except RainierError:
        raise
    except Exception as error:  # whatever a value's own methods raise
        raise invalid_type(where, given, f"cannot be read to its end: {error!r}") from error
    return items


def _check_names(names: Iterable[object]) -> None:
    for name in names:
        if not isinstance(name, str):
            raise invalid_type("space", name, "must have axes with names that are text")
        if not name.strip() or not name.isprintable() or len(name) > _MOST_LETTERS:
            allowed = f"must have axes with printable names of 1 to {_MOST_LETTERS} characters"
            raise invalid("space", name, allowed)
        if name in OURS:
            raise invalid("space", name, "is a column of every sweep: name the axis otherwise")


def _values(name: str, given: object) -> Sequence[Any]:
    """Return the values of an axis; one value stands for itself."""
    where = f"space[{shown(name)}]"
    if isinstance(given, set | frozenset):
        raise invalid_type(where, given, "must have an order: a list, not a set")
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        return [given]
    if isinstance(given, np.ndarray) and given.ndim == 1:
        values: list[Any] = given.tolist()
    elif hasattr(type(given), "to_dict"):
        return [given]  # a table, a layout: an object of its own
    else:
        values = _all(where, given, "give it fewer values")
    if not values:
        raise invalid(where, given, "must have a value at least")
    return values
