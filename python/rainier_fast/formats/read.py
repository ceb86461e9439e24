"""A table in any of the accepted forms, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rainier_fast.definitions.check import as_items, as_name
from rainier_fast.errors import InvalidArgument, invalid, invalid_type, shown
from rainier_fast.formats.csv_text import read_csv
from rainier_fast.formats.nccl_text import HEADER as NCCL_HEADER
from rainier_fast.formats.nccl_text import read_nccl_text
from rainier_fast.formats.nccom_json import read_json
from rainier_fast.formats.nccom_text import HEADER as NCCOM_HEADER
from rainier_fast.formats.nccom_text import read_nccom_text
from rainier_fast.formats.records import Record, rows_of
from rainier_fast.formats.rows import Row, fault

_PRINTED: Final = (
    ("a table of nccom-test", NCCOM_HEADER, read_nccom_text),
    ("a table of nccl-tests, out of place", NCCL_HEADER, read_nccl_text),
)
_FORMS: Final = "must be rows (dicts), a path, text, or a pandas or polars data frame"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a table says."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    ranks: frozenset[int]


def read(
    table: object,
    op: str | None = None,
    size_unit: str | None = None,
    time_unit: str | None = None,
) -> Reading:
    r"""Read a measured table."""
    for name, value, allowed in (
        ("size_unit", size_unit, ("bytes", "elements")),
        ("time_unit", time_unit, ("s", "ms", "us", "ns")),
    ):
        if value is not None and as_name(name, value) not in allowed:
            raise invalid(name, value, f"must be one of {', '.join(allowed)}")
    form, records, ranks = _records(table)
    if not records:
        raise InvalidArgument(f"table: got no rows in {form}")
    rows, notes, named = rows_of(records, op, size_unit, time_unit)
    return Reading(tuple(rows), (f"read as {form}", *notes), frozenset(ranks | named))


def _records(table: object) -> tuple[str, list[Record], set[int]]:
    if isinstance(table, Path):
        return _of_file(table)
    if isinstance(table, str):
        if "\n" not in table.strip() and table.lstrip()[:1] not in ("[", "{"):
            return _of_file(Path(table))
        return _of_text(table)
    try:
        columns: Any = getattr(table, "columns", None)
    except Exception as error:  # whatever a value's own methods raise
        raise invalid_type("table", table, _FORMS) from error
    if columns is not None and hasattr(table, "to_dicts"):
        return _of_rows("a polars data frame", table.to_dicts())
    if columns is not None and hasattr(table, "to_dict"):
        frame: Any = table
        return _of_rows("a pandas data frame", frame.to_dict("records"))
    if isinstance(table, Iterable) and not isinstance(table, bytes | Mapping):
        return _of_rows("rows", list(as_items("table", table, _FORMS)))
    raise invalid_type("table", table, _FORMS)


def _of_rows(form: str, rows: Sequence[object]) -> tuple[str, list[Record], set[int]]:
    records = []
    for at, row in enumerate(rows):
        if isinstance(row, Row):
            row = {"op": row.op, "bytes": row.size_bytes, "time_s": row.time_s}
        if not isinstance(row, Mapping):
            raise fault(f"row {at}", shown(row), "must be a dict with op, bytes and time_s")
        records.append(Record(row, f"row {at}"))
    return form, records, set()


def _of_file(path: Path) -> tuple[str, list[Record], set[int]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        why = shown(getattr(error, "strerror", None) or error)
        raise invalid("table", str(path), f"cannot be read as a text file: {why}") from error
    form, records, ranks = _of_text(text)
    return f"{form} from {path.name}", records, ranks


def _of_text(text: str) -> tuple[str, list[Record], set[int]]:
    if text.lstrip()[:1] in ("[", "{"):
        records, ranks = read_json(text)
        return "JSON", records, ranks
    lines = [line.strip() for line in text.splitlines()]
    for form, header, reader in _PRINTED:
        if any(map(header.match, lines)):
            return form, *reader(text)
    return "CSV", read_csv(text), set()
