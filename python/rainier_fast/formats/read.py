"""A table in any of the accepted forms, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rainier_fast.definitions.check import as_items, as_name
from rainier_fast.errors import InvalidArgument, invalid, invalid_type, shown
from rainier_fast.formats.detect import (
    check_rates,
    choose_times,
    distinct,
    one_part,
    size_factors,
    spans,
)
from rainier_fast.formats.json_text import is_json, read_json
from rainier_fast.formats.kept import MeasuredTable
from rainier_fast.formats.lines import lines_of
from rainier_fast.formats.printed import read_text
from rainier_fast.formats.records import Entry, Record, Table, entries_of, said_once
from rainier_fast.formats.rows import Row, fault

_FORMS: Final = (
    "must be rows (dicts), a path, text, a table of read(), or a pandas or polars data frame"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a table says."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    ranks: frozenset[int]
    """Numbers of ranks that rows or the lines round them name."""
    spans: tuple[tuple[int, int, str], ...] = ()
    """Least and most ranks that printed bandwidths leave open, and where."""
    cores: bool = False
    """Whether ranks are NeuronCores."""
    lnc: frozenset[int] = frozenset()
    """Logical NeuronCore configurations of the runs."""


def read(
    table: object,
    op: str | None = None,
    size_unit: str | None = None,
    time_unit: str | None = None,
    whole: int | None = None,
) -> Reading:
    r"""Read a measured table; `whole` are the ranks of a table that does not say how many."""
    for name, value, allowed in (
        ("size_unit", size_unit, ("bytes", "elements")),
        ("time_unit", time_unit, ("s", "ms", "us", "ns")),
    ):
        if value is not None and as_name(name, value) not in allowed:
            raise invalid(name, value, f"must be one of {', '.join(allowed)}")
    found = _table(table)
    if not found.records:
        left = f" ({'; '.join(found.notes)})" if found.notes else ""
        raise InvalidArgument(f"table: got no rows in {found.words}{left}")
    notes = [f"read as {found.words}", *found.notes]
    entries = entries_of(found, op, time_unit, notes)
    if not entries:
        raise InvalidArgument(f"table: got no rows with a size above 0 in {found.words}")
    runs = list({id(entry.run): entry.run for entry in entries}.values())
    for run in runs:
        run.check()
    times = choose_times(entries, notes)
    factors = size_factors(entries, times, size_unit, notes)
    sizes = [(entry.size or 0.0) * factor for entry, factor in zip(entries, factors, strict=True)]
    check_rates(entries, sizes, times, notes)
    left_open = spans(entries, sizes, times, notes)
    rows = [
        _row(entry, size, time.seconds, whole, notes)
        for entry, size, time in zip(entries, sizes, times, strict=True)
    ]
    return Reading(
        rows=tuple(rows),
        notes=said_once(notes),
        ranks=distinct(row.ranks for row in rows),
        spans=tuple(left_open),
        cores=any(run.cores for run in runs),
        lnc=distinct(run.lnc for run in runs),
    )


def _row(entry: Entry, size: float, time: float, whole: int | None, notes: list[str]) -> Row:
    if one_part(entry.run, entry.op):
        ranks = entry.ranks or whole
        if ranks is None:
            raise fault(entry.where, "sizes of one rank's part", "needs the number of ranks")
        size *= ranks
        notes.append(
            f"sizes of {entry.op} are one rank's part in {entry.run.tool}: times {ranks} ranks"
        )
    return Row(
        entry.op,
        size,
        time,
        entry.where,
        entry.dtype,
        entry.ranks,
        entry.nodes,
        entry.algorithm,
    )


def kept(text: str, name: str) -> MeasuredTable:
    """Read text and keep it; what only its caller knows of it may be missing."""
    needed: list[str] = []
    try:
        reading = read(text)
    except InvalidArgument as error:
        # Who calibrates may say the operation, and knows the ranks of the machine.
        if "got no operation" not in str(error) and "needs the number of ranks" not in str(error):
            raise
        needed.append(f"still to be said: {error}")
        op = "all_reduce" if "got no operation" in str(error) else None
        reading = read(text, op, whole=1)
    words = next(iter(reading.notes), "read as a table").removeprefix("read as ")
    source = f"{words} from {name}" if name else words
    return MeasuredTable(source, reading.rows, (*needed, *reading.notes[1:]), text)


def _table(table: object) -> Table:
    if isinstance(table, MeasuredTable):
        return _of_text(table.text)
    if isinstance(table, Path):
        return _of_file(table)
    if isinstance(table, str):
        start = table.strip("\ufeff \t\r\n")
        if "\n" not in start and "{" not in start and start[:1] != "[":
            return _of_file(Path(table))
        return _of_text(table)
    try:
        columns: Any = getattr(table, "columns", None)
    except Exception as error:  # whatever a value's own methods raise
        raise invalid_type("table", table, _FORMS) from error
    if columns is not None and hasattr(table, "to_dicts"):
        return _of_rows("a polars data frame", table.to_dicts())
    if columns is not None and hasattr(table, "to_dict"):
        names = list(map(str, columns))
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise InvalidArgument(f"table: got column {twice!r} twice, must name each column once")
        frame: Any = table
        return _of_rows("a pandas data frame", frame.to_dict("records"))
    if isinstance(table, Iterable) and not isinstance(table, bytes | Mapping):
        return _of_rows("rows", list(as_items("table", table, _FORMS)))
    raise invalid_type("table", table, _FORMS)


def _of_rows(form: str, rows: Sequence[object]) -> Table:
    records = []
    for at, row in enumerate(rows):
        if isinstance(row, Row):
            row = {
                "op": row.op,
                "bytes": row.size_bytes,
                "time_s": row.time_s,
                **({} if row.ranks is None else {"ranks": row.ranks}),
                **({} if row.dtype is None else {"dtype": row.dtype}),
            }
        if not isinstance(row, Mapping):
            raise fault(f"row {at}", shown(row), "must be a dict with op, bytes and time_s")
        records.append(Record(row, f"row {at}"))
    return Table(form, records, [])


def _of_file(path: Path) -> Table:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        why = shown(getattr(error, "strerror", None) or error)
        raise invalid("table", str(path), f"cannot be read as a text file: {why}") from error
    found = _of_text(text)
    return Table(f"{found.words} from {path.name}", found.records, found.notes, found.separator)


def _of_text(text: str) -> Table:
    lines = list(lines_of(text))
    plain = "\n".join(line.text for line in lines)
    return read_json(plain) if is_json(plain) else read_text(lines)
