"""Text with a table in it: which line is its header, which are its rows, and what the rest says."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from rainier_fast.errors import InvalidArgument
from rainier_fast.formats.columns import Column, column_of
from rainier_fast.formats.lines import Line
from rainier_fast.formats.records import Record, Table
from rainier_fast.formats.rows import fault, operation
from rainier_fast.formats.run import OSU, UCC, Run, Runs
from rainier_fast.formats.tools import known_by

_SEPARATORS: Final = ("|", ";", "\t", ",")

# Headers whose names hold spaces, or have no units since the tool has but one.
_JOINED: Final = (
    (re.compile(r"(?i)\b(avg|min|max|p\d+)\s+(?:tail\s+)?lat(?:ency)?\s*(?=\()"), r"\1_latency"),
    (re.compile(r"(?i)\blatency\s+\("), "latency("),
    (re.compile(r"(?i)\b(bus\s+)?bandwidth\s+\("), "bandwidth("),
)
_UCC_HEADER: Final = re.compile(r"(?i)^count\s+size\s+time,\s*(\w+)(\s+(?:bus )?bandwidth,.*)?$")


_NUMBER: Final = re.compile(r"[+-]?(?:\d[\d.,_]*|\.\d+)(?:[eE][+-]?\d+)?$")
_NOTHING: Final = re.compile(r"(?i)[+-]?(?:nan|inf(?:inity)?|n/a|-+)$")
_FAILED: Final = re.compile(r"(?i)\b(?:fail(?:ed|ure|s)?|errors?|abort(?:ed)?|timed?[ -]?out)\b")
_WRONG: Final = re.compile(r"Out of bounds values\s*:\s*[1-9]")
_NUMERIC: Final = ("size", "count", "ranks", "time", "algbw", "busbw", "nodes")


@dataclass(slots=True)
class Header:
    """Columns of a table, and how its lines are split into them."""

    names: list[str]
    columns: list[Column]
    separator: str | None
    words: str
    tool: str
    unit: str
    """Of times, where the names have none."""
    clock: int
    """One where a line ends in a date and a time of day, which its header calls timestamp."""
    full: int
    """Columns that a line has; more than `names` where in-place columns follow."""

    def is_row(self, cells: list[str]) -> bool:
        """Tell rows, sound or damaged, from other lines among them."""
        if self.separator is not None:
            return len(cells) > 1 and not all(re.fullmatch(r":?-*:?", cell) for cell in cells)
        pairs = list(zip(self.columns, cells, strict=False))
        if len(cells) in (self.full, self.full + self.clock):
            keys = [cell for column, cell in pairs if column.role in ("size", "count")]
            numbers = [_is_number(cell) for column, cell in pairs if column.role in _NUMERIC]
            if keys and all(map(_is_number, keys)) and 2 * sum(numbers) > len(numbers):
                return True
        if len(pairs) < 2 or (len(self.columns) > 2 and len(cells) < 3):
            return False
        return all(_fits(column, cell) for column, cell in pairs[:2]) and (
            sum(map(_is_number, cells)) >= 2
        )


def _fits(column: Column, cell: str) -> bool:
    if column.role in _NUMERIC:
        return _is_number(cell)
    return operation(cell) is not None if column.role == "op" else True


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.match(cell) or _NOTHING.match(cell))


@dataclass(slots=True)
class _Reader:
    """Goes through the lines once."""

    runs: Runs = field(default_factory=Runs)
    header: Header | None = None
    records: list[Record] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    writers: dict[str, int] = field(default_factory=dict)

    def line(self, line: Line) -> None:
        """Take a line as a header, a row, or words."""
        header = header_of(line, self.runs.now)
        if header is not None:
            self.header = header
            self.runs.now.tool = self.runs.now.tool or header.tool
            if header.words not in self.words:
                self.words.append(header.words)
            return
        cells = cells_of(line, None if self.header is None else self.header.separator)
        remark = line.text.lstrip().startswith("#")
        if self.header is not None and not remark and self.header.is_row(cells):
            self._row(line, cells, self.header)
            return
        self.runs.look(line)
        self._remark(line, cells)

    def _row(self, line: Line, cells: list[str], header: Header) -> None:
        if len(cells) not in (header.full, header.full + header.clock):
            got = repr(line.text.strip()[:60])
            raise fault(line.where, got, f"must have {header.full} columns")
        self.runs.now.used = True
        self.writers[line.label] = line.number
        named = dict(zip(header.names, cells, strict=False))
        self.records.append(Record(named, line.where, self.runs.now, header.unit))

    def _remark(self, line: Line, cells: list[str]) -> None:
        if _WRONG.search(line.text):
            self.notes.append(f"{line.where}: the tool found wrong results: {line.plain[:100]}")
        if not _FAILED.search(line.text) or self.header is None:
            return
        if cells and _is_number(cells[0]) and len(self.notes) < _MOST_NOTES:
            self.notes.append(f"{line.where}: {line.text.strip()[:100]!r} was left out")


_MOST_NOTES: Final = 20


def read_text(lines: Sequence[Line]) -> Table:
    """Read a table in lines: what a tool printed, columns by spaces, CSV or Markdown."""
    if not lines:
        raise InvalidArgument("table: got no lines, must have a header and rows")
    reader = _Reader()
    for line in lines:
        reader.line(line)
    if reader.header is None:
        first = lines[0].text.strip()[:60]
        raise InvalidArgument(
            f"table: got {first!r} as its first line and no header that names a size and a time, "
            "must be CSV with a header, JSON, or what nccom-test, nccl-tests, rccl-tests, OSU's or "
            "UCC's benchmarks print"
        )
    if len(reader.writers) > 1:
        labels = ", ".join(sorted(reader.writers))
        raise InvalidArgument(
            f"table: got rows written by several processes ({labels[:80]}), must be of one: each "
            "of them ran alone (nccl-tests built without MPI), or their output is mixed"
        )
    separators = {reader.header.separator}
    return Table(" and ".join(reader.words), reader.records, reader.notes, next(iter(separators)))


def header_of(line: Line, run: Run) -> Header | None:
    """Return the columns that a line names: at least a size and a time."""
    plain = line.plain
    if match := _UCC_HEADER.match(plain):
        names = ["count", "size(B)", *(f"time:{one}({match[1]})" for one in ("avg", "min", "max"))]
        if match[2]:
            names += ["busbw(GB/s)", "busbw:max", "busbw:min"]
        return _made(names, None, line, run)
    if re.match(r"[\d\-+.]", plain) or len(plain) > _MOST_HEADER:
        return None
    for pattern, joined in _JOINED:
        plain = pattern.sub(joined, plain)
    best = max(_SEPARATORS, key=plain.count)
    separators = [best, None] if best in plain else [None]
    for separator in separators:
        names = _split(plain, separator, line.where)
        if separator is None and any(name.endswith((",", ";")) for name in names):
            continue
        if _names_a_table(names, separator, line.where):
            return _made(names, separator, line, run)
    return None


_MOST_HEADER: Final = 2000


def _names_a_table(names: list[str], separator: str | None, where: str) -> bool:
    if known_by(names) is not None:
        return True
    roles = [column_of(name, where).role for name in names]
    if not {"size", "count"} & set(roles):
        return False
    if not {"time", "cputime"} & set(roles):
        # A table without a time is refused by its columns, prose is not.
        return separator is not None and "op" in roles
    # Words about sizes and times are no header: most names are columns that are known.
    known = sum(role != "" for role in roles)
    return separator is not None or 2 * known >= len(roles)


def _made(names: list[str], separator: str | None, line: Line, run: Run) -> Header:
    lowered = [name.lower().lstrip("#") for name in names]
    words = "CSV" if separator else "columns set off by spaces"
    tool = unit = ""
    if (known := known_by(names)) is not None:
        words, tool, unit = known.words, known.tool, known.unit
    elif run.tool in (OSU, UCC):
        words = f"a table of {run.tool}"
    full, kept = len(names), names
    clock = next((name for name in ("time", "cputime") if name in lowered), "")
    if clock and "algbw" in lowered and lowered.count(clock) == 2:
        # Out of place, then the same in place.
        kept = names[: lowered.index(clock, lowered.index(clock) + 1)]
        words += ", out of place"
    plain = [column_of(name, line.where) for name in kept]
    for at, column in enumerate(plain):
        if column.plain in [other.plain for other in plain[:at]] and column.role:
            same = [other for other in plain[:at] if other.plain == column.plain]
            if any(other.unit == column.unit for other in same):
                raise fault(
                    line.where, f"column {column.name!r} twice", "must name each column once"
                )
    clock_words = int(separator is None and lowered[-1] == "timestamp")
    return Header(kept, plain, separator, words, tool, unit, clock_words, full)


def cells_of(line: Line, separator: str | None) -> list[str]:
    """Return a line's cells."""
    return _split(line.text.strip() if separator is None else line.text, separator, line.where)


def _split(text: str, separator: str | None, where: str) -> list[str]:
    if separator is None:
        return text.split()
    try:
        parsed = next(csv.reader([text.strip(" \r\n")], delimiter=separator, skipinitialspace=True))
    except (csv.Error, StopIteration) as error:
        raise fault(where, repr(text[:60]), f"must be CSV: {error}") from error
    cells = [cell.strip() for cell in parsed]
    if separator == "|" and len(cells) > 2:
        cells = cells[1:-1] if not cells[0] and not cells[-1] else cells
    return cells
