"""The file of a sweep that runs: a line for each stretch of points, which survives a kill.

A line is the CRC-32 of a record and the record as JSON. What a kill cut short has no line break, or
another sum: it is dropped. The first line, the header, was put there whole.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from rainier_fast.errors import invalid
from rainier_fast.files.kept import replacing
from rainier_fast.sweeps.rows import Record, kinds_of

FORMAT: Final = "rainier_fast sweep journal"
_BEGINS: Final = f' {{"format": "{FORMAT}"'.encode()
_SYNC_S: Final = 1.0
_MOST_SEEN: Final = 64

Header = dict[str, Any]


class Entry(NamedTuple):
    """Where a record is, and what it holds."""

    first: int
    n: int
    offset: int
    length: int
    failed: bool


class Journal:
    """A journal that this process writes, and no other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[int, Entry] = {}
        """By the number of the first point."""
        self.kinds: dict[str, set[str]] = {}
        """Types of the values of columns, of all records together."""
        self.columns: tuple[int, tuple[str, ...]] | None = None
        """The columns of the first point that has an answer, and its number."""
        self.seen: set[frozenset[str]] = set()
        """Which columns answers had, up to some number of ways."""
        self.header: Header = {}
        self.done = 0
        self._file = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        try:
            _lock(self._file, path)
            self._end = self._read()
        except BaseException:
            os.close(self._file)
            raise
        self._synced = monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def _read(self) -> int:
        """Read what is whole, cut off what a kill left, and return where it ends."""
        end = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                record = unframed(line)
                if record is None:
                    if any(unframed(later) is not None for later in file):
                        where = f"is damaged at line {number}, and not at its end: remove it"
                        raise invalid("into", str(self.path), where)
                    break
                if number == 1:
                    self.header = _checked(record, self.path)
                else:
                    self._note(record, end, len(line))
                end += len(line)
        if end == 0:
            raise invalid("into", str(self.path), "is no journal of a sweep: name another file")
        os.ftruncate(self._file, end)
        return end

    def _note(self, record: Record, offset: int, length: int) -> None:
        first, n = record["first"], record["n"]
        columns = record.get("columns")
        self.entries[first] = Entry(first, n, offset, length, columns is None)
        self.done += n
        if columns is not None:
            for name, kinds in kinds_of(columns).items():
                self.kinds.setdefault(name, set()).update(kinds)
            if len(self.seen) < _MOST_SEEN:
                self.seen.add(frozenset(columns))
            if self.columns is None or first < self.columns[0]:
                self.columns = first, tuple(columns)
        for name, kinds in kinds_of(record["points"]).items():
            self.kinds.setdefault(name, set()).update(kinds)

    def append(self, record: Record) -> None:
        """Write a record whole; what cannot be written leaves nothing behind."""
        if record["first"] in self.entries:
            return  # Ctrl-C came between this and what noted it
        line = framed(record)
        try:
            self._write(line)
        except KeyboardInterrupt:
            os.ftruncate(self._file, self._end)
            self._write(line)
            self._kept(record, len(line))
            raise
        except OSError:
            os.ftruncate(self._file, self._end)
            raise
        self._kept(record, len(line))
        if monotonic() - self._synced > _SYNC_S:
            self.sync()

    def _write(self, line: bytes) -> None:
        os.lseek(self._file, self._end, os.SEEK_SET)
        left = memoryview(line)
        while left:
            left = left[os.write(self._file, left) :]

    def _kept(self, record: Record, length: int) -> None:
        self._note(record, self._end, length)
        self._end += length

    def sync(self) -> None:
        """Wait until what was written is on the disk."""
        os.fsync(self._file)
        self._synced = monotonic()

    def missing(self, size: int) -> Iterator[tuple[int, int]]:
        """Yield stretches of points that are not there, first and end."""
        at = 0
        for first in sorted(self.entries):
            if first > at:
                yield at, first
            at = first + self.entries[first].n
        if at < size:
            yield at, size

    def records(self) -> Iterator[Record]:
        """Yield all records in the order of their points."""
        with self.path.open("rb") as file:
            for first in sorted(self.entries):
                entry = self.entries[first]
                file.seek(entry.offset)
                record = unframed(file.read(entry.length))
                if record is None:
                    raise invalid("into", str(self.path), "changed while it was read: start anew")
                yield record


def create(path: Path, header: Header, records: Iterator[Record]) -> None:
    """Write a new journal, whole or not at all."""
    with replacing(path) as file:
        file.write(framed({"format": FORMAT} | header))
        for record in records:
            file.write(framed(record))


def framed(record: Record) -> bytes:
    """Return a record as a line with its sum."""
    data = json.dumps(record).encode()
    return b"%08x %s\n" % (zlib.crc32(data), data)


def unframed(line: bytes) -> Record | None:
    """Return the record of a line; None of what is no whole line."""
    if len(line) < 10 or line[8:9] != b" " or line[-1:] != b"\n":
        return None
    data = line[9:-1]
    try:
        if int(line[:8], 16) != zlib.crc32(data):
            return None
        record = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def begins(data: bytes) -> bool:
    """Tell whether a file begins as a journal does."""
    return data[8 : 8 + len(_BEGINS)] == _BEGINS


def _checked(header: Header, path: Path) -> Header:
    if header.get("format") != FORMAT:
        raise invalid("into", str(path), "is no journal of a sweep: name another file")
    return {name: value for name, value in header.items() if name != "format"}


def _lock(file: int, path: Path) -> None:
    """Refuse a journal that another process writes."""
    allowed = "is written by another sweep that runs: wait for it, or name another file"
    take: Callable[[], None]
    if sys.platform == "win32":
        import msvcrt

        def take() -> None:
            os.lseek(file, 2**40, os.SEEK_SET)  # beyond the end: reading is free
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        def take() -> None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    try:
        take()
    except OSError as error:
        raise invalid("into", str(path), allowed) from error
