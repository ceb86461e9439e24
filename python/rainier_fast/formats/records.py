"""From named cells to rows: what each row says, in SI units, and whether its columns agree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from rainier_fast.errors import InvalidArgument, RainierError, shown
from rainier_fast.formats.columns import (
    BYTES,
    ELEMENTS,
    RATES,
    SECONDS,
    Column,
    Marks,
    column_of,
    marks_of,
)
from rainier_fast.formats.rows import (
    DTYPE_BYTES,
    dtype_of,
    fault,
    has_no_model,
    known_operation,
    operation,
)
from rainier_fast.formats.run import Run
from rainier_fast.units import parse_bytes, parse_time


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a table before anything is known of it."""

    cells: Mapping[str, Any]
    where: str
    run: Run = field(default_factory=Run)
    unit: str = ""
    """Of times whose column says none, where the tool has but one."""


@dataclass(frozen=True, slots=True)
class Table:
    """What a reader of one form found."""

    words: str
    records: list[Record]
    notes: list[str]
    separator: str | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """A printed bandwidth: what it may have been before it was rounded, in its own unit."""

    middle: float
    """As it is printed."""
    low: float
    high: float
    stated: float | None


_MOST_HALF: Final = 0.1  # what rounding takes of a time that is of use


@dataclass(frozen=True, slots=True)
class Time:
    """A time as it is printed, and what it may have been before it was rounded."""

    seconds: float
    low: float
    high: float
    words: str

    @classmethod
    def of(cls, value: object, number: float, unit: str, words: str) -> Time:
        """Make a time of a cell."""
        half, scale = min(_half(value), _MOST_HALF * number), SECONDS[unit]
        return cls(number * scale, max(number - half, 0.0) * scale, (number + half) * scale, words)


@dataclass(slots=True)
class Entry:
    """What one row says, column by column."""

    where: str
    run: Run
    op: str
    times: dict[str, Time]
    """By statistic."""
    size: float | None = None
    unit: str = ""
    exact: bool = True
    """Whether the size is in whole bytes as it is written."""
    count: float | None = None
    width: int | None = None
    dtype: str | None = None
    algbw: Rate | None = None
    busbw: Rate | None = None
    ranks: int | None = None
    nodes: int | None = None
    algorithm: str | None = None


Cells = dict[str, list[tuple[Column, Any]]]


def entries_of(
    table: Table, op: str | None, time_unit: str | None, notes: list[str]
) -> list[Entry]:
    """Read records whose columns have any of the usual names."""
    sorted_cells = [_by_role(record) for record in table.records]
    marks = _marks(sorted_cells, table.separator)
    kept = _out_of_place(table.records, sorted_cells, notes)
    entries, empty = [], 0
    for record, cells in kept:
        entry = _Row(record, cells, marks, notes).read(op, time_unit)
        if entry is None:
            empty += 1
        else:
            entries.append(entry)
    if empty:
        notes.append(f"{empty} rows of size 0 left out: they measure a call, not a collective")
    return entries


def _by_role(record: Record) -> Cells:
    found: Cells = {}
    for key, value in record.cells.items():
        column = _column(key) if isinstance(key, str) else column_of(key, record.where)
        if column.role:
            found.setdefault(column.role, []).append((column, value))
    return found


@lru_cache(1024)
def _column(key: str) -> Column:
    return column_of(key, "")


def _marks(rows: Sequence[Cells], separator: str | None) -> Marks:
    whole: list[str] = []
    others: list[str] = []
    for cells in rows:
        for role in ("size", "count", "ranks", "nodes", "time", "algbw", "busbw"):
            for column, value in cells.get(role, ()):
                if isinstance(value, str):
                    must = role in ("count", "ranks", "nodes") or (
                        role == "size" and column.unit in ("", "b", "bytes", *ELEMENTS)
                    )
                    (whole if must else others).append(value.strip())
    return marks_of(whole, others, separator)


_IN_PLACE: Final = {"0": False, "1": True, "false": False, "true": True}


def _out_of_place(
    records: Sequence[Record], rows: Sequence[Cells], notes: list[str]
) -> list[tuple[Record, Cells]]:
    """Leave out rows in place where the same is there out of place, as in printed tables."""
    pairs, flags = list(zip(records, rows, strict=True)), []
    for record, cells in pairs:
        flag = record.run.in_place
        for column, value in cells.get("in_place", ()):
            said = _IN_PLACE.get(_word(value))
            if said is None:
                raise fault(record.where, f"{column.name} {shown(value)}", "must be 0 or 1")
            flag = said
        flags.append(flag)
    if all(flags):
        notes.append("all rows are in place")
        return pairs
    if any(flags):
        notes.append(f"{sum(flags)} rows in place left out: those out of place count")
    return [pair for pair, flag in zip(pairs, flags, strict=True) if not flag]


@dataclass(frozen=True, slots=True)
class _Row:
    """Reads one row."""

    record: Record
    cells: Cells
    marks: Marks
    notes: list[str]

    def read(self, op: str | None, time_unit: str | None) -> Entry | None:
        """Return what it says; None where its size is 0."""
        run, where = self.record.run, self.record.where
        entry = Entry(where, run, self._operation(op), {})
        entry.ranks = self._counted("ranks", "each")
        entry.nodes = self._counted("nodes")
        self._width(entry)
        self._size(entry)
        if (entry.count if entry.size is None else entry.size) == 0:
            return None
        entry.times = self._times(time_unit)
        entry.algbw, entry.busbw = self._rate("algbw"), self._rate("busbw")
        for _, value in self.cells.get("algorithm", ()):
            if isinstance(value, str) and value.strip():
                entry.algorithm = value.strip().lower()
        return entry

    def _fault(self, got: str, allowed: str) -> InvalidArgument:
        return fault(self.record.where, got, allowed)

    def _operation(self, given: str | None) -> str:
        """Return the operation; all that name one must agree."""
        where, found = self.record.where, {}
        if self.record.run.op is not None:
            found["its command or title"] = self.record.run.op
        vague = []
        for column, value in self.cells.get("op", ()):
            if isinstance(value, str) and not value.strip():
                continue
            if column.plain in ("name", "experiment_name") and not (
                operation(value) or has_no_model(value)
            ):
                vague.append(value)
                continue
            found[f"column {column.name}"] = known_operation(value, where)
        if given is not None:
            found["op="] = known_operation(given, where)
        if not found and vague:
            known_operation(vague[0], where)
        if not found:
            raise self._fault(
                "no operation",
                "the table does not say which collective it is: give op=, for example "
                "op='all_reduce'",
            )
        if len(set(found.values())) > 1:
            words = ", ".join(f"{name} by {source}" for source, name in found.items())
            raise self._fault(f"two operations ({words})", "must agree")
        return next(iter(found.values()))

    def _counted(self, role: str, times: str = "") -> int | None:
        """Return a number of ranks or nodes; columns and the run must agree."""
        found: dict[str, int] = {}
        for column, value in self.cells.get(role, ()):
            number = self.marks.number(value, column.name, self.record.where)
            if not 1 <= number < 2**32 or number % 1:
                raise self._fault(f"{column.name} {shown(value)}", "must be a whole number >= 1")
            found[column.name] = int(number)
        for column, value in self.cells.get(times, ()):
            number = self.marks.number(value, column.name, self.record.where)
            if not 1 <= number < 2**16 or number % 1:
                raise self._fault(f"{column.name} {shown(value)}", "must be a whole number >= 1")
            found = {name: count * int(number) for name, count in found.items()}
        if (said := self.record.run.sole(role)) is not None:
            found["the lines round the table"] = said
        if len(set(found.values())) > 1:
            words = ", ".join(f"{count} by {name}" for name, count in found.items())
            raise self._fault(f"{role} that disagree ({words})", "must be of one run")
        return next(iter(found.values()), None)

    def _times(self, time_unit: str | None) -> dict[str, Time]:
        """Return times by statistic."""
        columns = self.cells.get("time", [])
        if not columns and "cputime" in self.cells:
            raise self._fault(
                "times of the CPU's calls (cputime)",
                "must be of the collective: measure without the option for CPU times (-C)",
            )
        if not columns:
            names = sorted(map(str, self.record.cells))
            raise self._fault(f"columns {shown(names)}", "needs a time, such as time_us")
        found: dict[str, Time] = {}
        for column, value in columns:
            time = self._time(column, value, time_unit)
            before = found.setdefault(column.statistic, time)
            _close(self.record.where, column.name, before.seconds, time.seconds)
        return found

    def _time(self, column: Column, value: object, time_unit: str | None) -> Time:
        unit = time_unit or column.unit or self.record.unit
        text = value if isinstance(value, str) and not time_unit else ""
        if re.search(r"[a-zA-Z\u00b5\u03bc]\s*$", text):
            seconds = _quantity(text, column, self.record.where, parse_time)
            return Time(seconds, seconds * 0.99, seconds * 1.01, f"times are in {column.name}")
        sized = any(size.plain == "message_size" for size, _ in self.cells.get("size", ()))
        if not unit and sized and column.plain == "latency":
            self._say("latency without a unit beside message_size: read as ms (aiconfigurator)")
            unit = "ms"
        if unit not in SECONDS:
            raise self._fault(
                f"time column {column.name!r}",
                "does not say its unit: name it time_s, time_us or time_ms, or give time_unit=",
            )
        number = self.marks.number(value, column.name, self.record.where)
        return Time.of(value, number, unit, f"times are in {unit} (column {column.name})")

    def _width(self, entry: Entry) -> None:
        for _, value in self.cells.get("dtype", ()):
            entry.width = DTYPE_BYTES.get(_word(value))
            if entry.width is None:
                allowed = f"must be one of {', '.join(DTYPE_BYTES)}"
                raise self._fault(f"type {shown(value)}", allowed)
            entry.dtype = dtype_of(_word(value))
        if entry.width is None:
            said = (entry.run.dtype or "").strip().lower()
            entry.width = DTYPE_BYTES.get(said)
            entry.dtype = None if entry.width is None else dtype_of(said)

    def _size(self, entry: Entry) -> None:
        where = self.record.where
        for column, value in self.cells.get("count", ()):
            count = self.marks.number(value, column.name, where)
            if entry.count is not None:
                _close(where, column.name, entry.count, count)
            entry.count = count
        found: list[tuple[float, str, bool]] = []
        for column, value in self.cells.get("size", ()):
            found.append(self._bytes(column, value))
            if len(found) > 1 and found[-1][1] == found[0][1]:
                _close(where, column.name, found[0][0], found[-1][0])
        if not found and entry.count is None:
            names = sorted(map(str, self.record.cells))
            raise self._fault(f"columns {shown(names)}", "needs a size, such as bytes")
        if found:
            # What says its unit comes first.
            entry.size, entry.unit, entry.exact = max(found, key=lambda one: one[1] == "bytes")

    def _bytes(self, column: Column, value: object) -> tuple[float, str, bool]:
        where, unit = self.record.where, column.unit
        if isinstance(value, str) and re.search(r"[a-zA-Z]\s*$", value):
            return _quantity(value, column, where, parse_bytes), "bytes", False
        number = self.marks.number(value, column.name, where)
        if unit and unit not in ELEMENTS:
            if unit not in BYTES:
                raise fault(where, f"size column {column.name!r}", "has an unknown unit")
            return number * BYTES[unit], "bytes", BYTES[unit] == 1.0
        if column.plain in ("bytes", "nbytes"):
            return number, "bytes", True
        timed = any(time.plain == "latency" for time, _ in self.cells.get("time", ()))
        if column.plain == "message_size" and timed:
            # aiconfigurator's NCCL tables count elements.
            return number, "elements", True
        return number, "elements" if unit else "", True

    def _rate(self, role: str) -> Rate | None:
        for column, value in self.cells.get(role, ()):
            if value is None or (isinstance(value, str) and not value.strip()):
                continue
            number = self.marks.number(value, column.name, self.record.where)
            if not 0 <= number < float("inf"):
                raise self._fault(f"{column.name} {shown(value)}", "must be a finite number >= 0")
            half = _half(value)
            low, high = max(number - half, 0.0), number + half
            return Rate(number, low, high, RATES.get(column.unit))
        return None

    def _say(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def _word(value: object) -> str:
    """Return a cell as a word."""
    try:
        return str(value).strip().lower()
    except Exception:  # whatever a value's own methods raise
        return shown(value)


def _half(value: object) -> float:
    """Return half of the last digit that is written: what rounding may have taken."""
    text = str(value).strip().lower()
    number, _, power = text.partition("e")
    digits = re.split(r"[.,]", number)
    places = len(digits[-1]) if len(digits) > 1 else 0
    try:
        return 0.5 * 10.0 ** (int(power or 0) - min(places, 30))
    except (ValueError, OverflowError):
        return 0.5


def _quantity(value: str, column: Column, where: str, parse: Callable[[str, str], float]) -> float:
    try:
        return parse(value, column.name)
    except RainierError as error:
        raise InvalidArgument(f"table, {where}: {error}") from error


def _close(where: str, name: str, before: float, now: float) -> None:
    """Refuse columns that say the same thing differently."""
    if abs(now - before) > 0.01 * max(abs(before), abs(now)):
        got = f"{name} {now:g} beside {before:g} of another column"
        raise fault(where, got, "must agree: both say the same of the row")


def said_once(notes: Iterable[str]) -> tuple[str, ...]:
    """Return notes without repeats."""
    return tuple(dict.fromkeys(notes))
