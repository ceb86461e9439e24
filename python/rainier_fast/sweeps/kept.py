"""Finished sweeps as files: Parquet, CSV or JSON lines, with a header that says what was swept."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from rainier_fast.errors import InvalidArgument, RainierError, invalid
from rainier_fast.files.kept import replacing
from rainier_fast.sweeps.cells import Cell

if TYPE_CHECKING:
    from types import ModuleType

FORMAT: Final = "rainier_fast sweep"
SUFFIXES: Final = (".parquet", ".csv", ".jsonl")
_COMMENT: Final = "# "
_KEY: Final = b"rainier_fast"
_ROWS: Final = 65_536
_ERRORS: Final = frozenset({"error_type", "error"})

Header = dict[str, Any]
"""``function``, ``space``, ``axes`` and ``columns``: pairs of a name and a type."""
Columns = dict[str, list[Cell]]


class Kept(NamedTuple):
    """A finished sweep as it was read."""

    header: Header
    columns: Columns


def pyarrow() -> ModuleType:
    """Return the library of Parquet, or say how to get it."""
    try:
        import pyarrow  # type: ignore[import-untyped, unused-ignore]
    except ImportError as error:
        raise RainierError(
            "a sweep into .parquet needs pyarrow, which is not installed; install it with: "
            "pip install 'rainier_fast[sweep]', or name a .csv or .jsonl"
        ) from error
    made: ModuleType = pyarrow
    return made


def begins(data: bytes) -> bool:
    """Tell whether bytes are a finished sweep."""
    if data[:4] == b"PAR1":
        return FORMAT.encode() in data[-(1 << 22) :] or FORMAT.encode() in data
    head = data[:99].removeprefix(b"\xef\xbb\xbf").removeprefix(_COMMENT.encode())
    return head.startswith(f'{{"format": "{FORMAT}"'.encode())


def write(path: Path, header: Header, blocks: Iterator[Columns]) -> None:
    """Write a finished sweep beside the file, then put it in its place."""
    writer: Callable[[IO[bytes], Header, Iterator[Columns]], None]
    writer = {".parquet": _parquet, ".csv": _csv, ".jsonl": _jsonl}[path.suffix.casefold()]
    with replacing(path) as file:
        writer(file, {"format": FORMAT, "version": 1} | header, _even(blocks))


def _even(blocks: Iterator[Columns]) -> Iterator[Columns]:
    """Yield rows in blocks of one size, whatever sizes they came in: files are the same bytes."""
    held: Columns = {}
    for block in blocks:
        for name, values in block.items():
            held.setdefault(name, []).extend(values)
        while _length(held) >= _ROWS:
            yield {name: values[:_ROWS] for name, values in held.items()}
            held = {name: values[_ROWS:] for name, values in held.items()}
    if _length(held):
        yield held


def _length(columns: Columns) -> int:
    return max(map(len, columns.values()), default=0)


def _parquet(file: IO[bytes], header: Header, blocks: Iterator[Columns]) -> None:
    pa = pyarrow()
    from pyarrow import parquet  # type: ignore[import-untyped, unused-ignore]

    types = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "str": pa.string()}
    named = [(name, types[kind]) for name, kind in header["columns"]]
    schema = pa.schema(named, metadata={_KEY: json.dumps(header).encode()})
    with parquet.ParquetWriter(file, schema) as writer:
        for block in blocks:
            writer.write_table(pa.table(block, schema=schema))


def _csv(file: IO[bytes], header: Header, blocks: Iterator[Columns]) -> None:
    file.write(f"{_COMMENT}{json.dumps(header)}\n".encode())
    names = [name for name, _ in header["columns"]]
    for at, block in enumerate(blocks):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if at == 0:
            writer.writerow(names)
        writer.writerows(zip(*(block[name] for name in names), strict=True))
        file.write(text.getvalue().encode())


def _jsonl(file: IO[bytes], header: Header, blocks: Iterator[Columns]) -> None:
    file.write(json.dumps(header).encode() + b"\n")
    names = [json.dumps(name) for name, _ in header["columns"]]
    for block in blocks:
        texts = [[*map(_TEXT[kind], block[name])] for name, kind in header["columns"]]
        lines = (
            "{" + ", ".join(f"{name}: {cell}" for name, cell in zip(names, row, strict=True)) + "}"
            for row in zip(*texts, strict=True)
        )
        file.write(("\n".join(lines) + "\n").encode())


def _number(value: Cell) -> str:
    if value is None or value != value:
        return "null"
    assert not isinstance(value, str)
    if math.isinf(value):
        return "1e999" if value > 0 else "-1e999"  # JSON has no word for infinity
    return repr(value)


def _words(value: Cell) -> str:
    return "null" if value is None else _quoted(str(value))


_quoted = json.encoder.encode_basestring_ascii
_TEXT: Final[dict[str, Callable[[Cell], str]]] = {
    "bool": json.dumps, "int": _number, "float": _number, "str": _words,
}  # fmt: skip


def header_of(path: Path) -> Header:
    """Return the header of a finished sweep; an error for any other file."""
    if path.suffix.casefold() == ".parquet":
        return _read_parquet(path, str(path), rows=False).header
    with path.open("rb") as file:
        line = file.readline(1 << 26)
    return _header(line.decode("utf-8-sig", "replace").removeprefix(_COMMENT), str(path))


def read(source: Path | bytes, name: str) -> Kept:
    """Read a finished sweep; an error names the file."""
    data = source.read_bytes() if isinstance(source, Path) else source
    if data[:4] == b"PAR1":
        return _read_parquet(io.BytesIO(data), name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _fault(name, "is no text in UTF-8") from error
    first, _, rest = text.partition("\n")
    header = _header(first.removeprefix(_COMMENT), name)
    try:
        rows = _csv_rows(header, rest) if first.startswith(_COMMENT) else _jsonl_rows(header, rest)
        columns = dict(zip([one for one, _ in header["columns"]], rows, strict=True))
    except (ValueError, KeyError, TypeError, RecursionError, csv.Error) as error:
        raise _fault(name, f"has rows that are none of its columns ({error})") from error
    return _counted(Kept(header, columns), name)


def _header(text: str, name: str) -> Header:
    try:
        header = json.loads(text)
        good = header["format"] == FORMAT and all(
            isinstance(header[key], kind)
            for key, kind in {"function": str, "space": dict, "axes": list, "columns": list}.items()
        )
        names = [name for name, kind in header["columns"] if kind in _READ]
        good = good and len(names) == len(header["columns"]) and set(names) >= _ERRORS
    except (ValueError, KeyError, TypeError, RecursionError):
        good = False
    if not good:
        raise _fault(name, "is no sweep of ours, and is left alone: name another file")
    if header.get("version") != 1:
        raise _fault(name, f"has version {header.get('version')}, this program reads 1: upgrade")
    return header  # type: ignore[no-any-return]


def _read_parquet(source: Any, name: str, *, rows: bool = True) -> Kept:  # noqa: ANN401 - a file
    pa = pyarrow()
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(source) as file:
            header = _header((file.schema_arrow.metadata or {}).get(_KEY, b"").decode(), name)
            columns = file.read().to_pydict() if rows else {}
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        raise _fault(name, f"is no whole Parquet file ({str(error)[:120]})") from error
    return _counted(Kept(header, columns), name) if rows else Kept(header, columns)


def _counted(kept: Kept, name: str) -> Kept:
    points, found = kept.header["space"].get("points"), _length(kept.columns)
    if found != points:
        raise _fault(name, f"has {found:,} rows, and its header says {points}: it is cut short")
    return kept


def _csv_rows(header: Header, text: str) -> list[list[Cell]]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    names = [name for name, _ in header["columns"]]
    if next(rows, []) != names:
        raise ValueError("other names than its header says")
    lists = list(map(list, zip(*rows, strict=True))) or [[] for _ in names]
    return [
        [_READ[kind](cell) if cell else None for cell in cells]
        for (_, kind), cells in zip(header["columns"], lists, strict=True)
    ]


def _bool(text: str) -> bool:
    return {"True": True, "False": False}[text]


_READ: Final[dict[str, Callable[[str], Cell]]] = {
    "bool": _bool, "int": int, "float": float, "str": str,
}  # fmt: skip
_FITTING: Final = {"bool": (bool,), "int": (int,), "float": (float, int), "str": (str,)}


def _jsonl_rows(header: Header, text: str) -> list[list[Cell]]:
    rows = [json.loads(line) for line in text.split("\n") if line]
    found: list[list[Cell]] = []
    for name, kind in header["columns"]:
        values: Sequence[Cell] = [row[name] for row in rows]
        for at, one in enumerate(values):
            if one is not None and type(one) not in _FITTING[kind]:
                raise ValueError(f"row {at}, column {name}: no {kind}")
        found.append([float(one) if kind == "float" and one is not None else one
                      for one in values])  # fmt: skip
    return found


def _fault(name: str, what: str) -> InvalidArgument:
    return invalid("into", name, what)
