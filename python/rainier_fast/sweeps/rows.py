"""What a function answered at points, as records: stretches of alike rows, and of errors."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, TypeAlias

from rainier_fast.errors import shown
from rainier_fast.sweeps.cells import Cell, cell_of
from rainier_fast.sweeps.space import OURS

Record: TypeAlias = dict[str, Any]
"""``first`` and ``n``, with ``columns`` by name or ``errors`` as pairs of type and text."""
Row: TypeAlias = dict[str, Cell]

VALUE: Final = "value"
"""The column of a function that returns one value."""
RESULT: Final = "result_"
"""What stands before a column of a result that has the name of an axis."""

_LETTERS: Final = 500


class Rows:
    """Rows in the order of their numbers, put together to records."""

    def __init__(self, first: int, axes: Collection[str]) -> None:
        self.records: list[Record] = []
        self._axes = axes
        self._at = first
        self._names: tuple[str, ...] | None = None
        self._lists: list[list[Cell]] = []

    def add(self, result: object, point: Mapping[str, Any]) -> None:
        """Add what a function returned at the next point, or the exception that it raised."""
        if not isinstance(result, BaseException):
            try:
                row = row_of(result, point, self._axes)
            except (TypeError, ValueError) as error:
                result = TypeError(f"fn returned {shown(result)}: {error}")
            except Exception as error:  # whatever a value's own methods raise
                result = error
            else:
                self._add_row(row)
                return
        self.add_error(type(result).__qualname__, _line(result))

    def _add_row(self, row: Row) -> None:
        names = tuple(row)
        if names != self._names:
            self._names, self._lists = names, [[] for _ in names]
            columns = dict(zip(names, self._lists, strict=True))
            self.records.append({"first": self._at, "n": 0, "columns": columns})
        for values, value in zip(self._lists, row.values(), strict=True):
            values.append(value)
        self._next()

    def add_error(self, kind: str, text: str) -> None:
        """Add a point that has no answer."""
        if self._names is not None or not self.records:
            self._names = None
            self.records.append({"first": self._at, "n": 0, "errors": []})
        self.records[-1]["errors"].append([kind, text])
        self._next()

    def whole(self) -> list[Record]:
        """Return the records; where Ctrl-C came in between, without the row that it cut."""
        for record in self.records:
            lists = record["columns"].values() if "columns" in record else [record["errors"]]
            record["n"] = n = min(map(len, lists), default=record["n"])
            for values in lists:
                del values[n:]
        return [record for record in self.records if record["n"]]

    def _next(self) -> None:
        self.records[-1]["n"] += 1
        self._at += 1


def row_of(result: object, point: Mapping[str, Any], axes: Collection[str]) -> Row:
    """Return what a function returned as a row without the columns of the point."""
    if isinstance(result, Mapping):
        return _of_mapping(result, point, axes)
    told = _told(result)
    if told is None:
        return {VALUE: cell_of(result)}
    row: Row = {}
    for name, value in told.items():
        try:
            row[RESULT + name if name in axes else name] = cell_of(value)
        except TypeError:
            continue  # tables, links and the like are no cells: docs/sweeps.md says so
    if not row:
        raise TypeError("it has no numbers or text: return a dict of columns")
    return row


def _of_mapping(result: Mapping[Any, Any], point: Mapping[str, Any], axes: Collection[str]) -> Row:
    row: Row = {}
    for name, value in result.items():
        if type(name) is not str:
            raise TypeError(f"column {shown(name)} has a name that is no text")
        if name in OURS:
            raise TypeError(f"column {name!r} is one of every sweep: give it another name")
        if name in axes:
            if value is point.get(name) or value == point.get(name):
                continue
            raise ValueError(f"column {name!r} is an axis, whose value here is another")
        try:
            row[name] = cell_of(value)
        except TypeError as error:
            raise TypeError(f"column {name!r}: {error}") from None
    return row


def _told(result: object) -> Mapping[str, Any] | None:
    """Return what an object says of itself, by name; None for a single value."""
    tell = getattr(result, "to_dict", None)
    if callable(tell):
        told = tell()
        return told if isinstance(told, Mapping) else None
    if is_dataclass(result) and not isinstance(result, type):
        return {one.name: getattr(result, one.name) for one in fields(result)}
    named = getattr(result, "_asdict", None)
    if callable(named):
        made: Mapping[str, Any] = named()
        return made
    return None


def kinds_of(columns: Mapping[str, Iterable[Cell]]) -> dict[str, set[str]]:
    """Return which types the values of columns have, beside None."""
    found: dict[str, set[str]] = {}
    for name, values in columns.items():
        kinds = {one.__name__ for one in set(map(type, values)) if one is not type(None)}
        if "int" in kinds and not all(
            -(2**63) <= one < 2**63 for one in values if type(one) is int
        ):
            kinds.add("long")
        found[name] = kinds
    return found


def kind_of(kinds: set[str]) -> str:
    """Return the one type of a column: float for integers beside floats, text for a mixture."""
    if kinds and kinds <= {"int", "float"}:
        return "int" if kinds == {"int"} else "float"
    return kinds.copy().pop() if len(kinds) == 1 else "str"


def _line(error: BaseException) -> str:
    try:
        text = " ".join(str(error).split())
    except Exception:  # whatever its own methods raise
        text = f"<{type(error).__name__}>"
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 3]}..."
