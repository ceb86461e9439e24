"""From named columns to rows: which column is what, and in which unit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rainier_fast.errors import InvalidArgument, RainierError, shown
from rainier_fast.formats.detect import Column, Sizes, bandwidth_note, size_factors
from rainier_fast.formats.rows import DTYPE_BYTES, Row, dtype_of, fault, operation
from rainier_fast.units import parse_bytes, parse_time

_SIZE: Final = ("bytes", "size", "nbytes", "message_size", "msg_size", "message")
_COUNT: Final = ("count", "elements", "elems", "num_elements", "nelems", "numel")
_TIME: Final = ("time", "latency", "duration", "time:p50", "time:avg", "p50", "avg", "mean")
_OP: Final = ("op", "operation", "collective", "coll", "op_name", "cc_op", "name")
_DTYPE: Final = ("dtype", "type", "datatype", "data_type", "nccl_dtype")
_RANKS: Final = ("ranks", "nranks", "num_gpus", "num_ranks", "workers", "nworkers", "world_size")
_UNITS: Final = {
    "s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "\u00b5s": 1e-6,
    "\u03bcs": 1e-6, "usec": 1e-6, "ns": 1e-9,
    "b": 1.0, "bytes": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9,
    "kib": 2.0**10, "mib": 2.0**20, "gib": 2.0**30,
    "elems": 0.0, "elements": 0.0,
}  # fmt: skip
_RATES: Final = {"gb/s": 1e9, "gbps": 1e9, "gib/s": 2.0**30, "mb/s": 1e6, "b/s": 1.0, "bps": 1.0}
_SUFFIX: Final = re.compile(r"^(.+?)(?:\s*[(\[]([^)\]]+)[)\]]|_([a-z\u00b5\u03bc]+))$")


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a table before anything is known of it."""

    cells: Mapping[str, Any]
    where: str
    op: str | None = None


def rows_of(
    records: Sequence[Record],
    op: str | None = None,
    size_unit: str | None = None,
    time_unit: str | None = None,
) -> tuple[list[Row], list[str], set[int]]:
    """Read records whose columns have any of the usual names."""
    notes: list[str] = []
    ranks: set[int] = set()
    sizes: list[Sizes] = []
    times: list[float] = []
    ops: list[str] = []
    dtypes: list[str | None] = []
    for record in records:
        columns = _columns(record)
        ops.append(_operation(columns, record, op))
        times.append(_time(columns, record, time_unit, notes))
        sizes.append(_sizes(columns, record))
        named = _first(columns, _DTYPE)
        dtypes.append(None if named is None else dtype_of(str(named.value)))
        if (cell := _first(columns, _RANKS)) is not None:
            ranks.add(int(_number(cell, record.where)))
    factors = size_factors(sizes, times, [record.where for record in records], size_unit, notes)
    bandwidth_note(sizes, times, factors, notes)
    rows = [
        Row(name, (size.size or 0.0) * factor, time, record.where, dtype)
        for name, size, time, factor, record, dtype in zip(
            ops, sizes, times, factors, records, dtypes, strict=True
        )
    ]
    return rows, notes, ranks


def _columns(record: Record) -> dict[str, Column]:
    """Return the cells by plain name, with the unit that the name holds."""
    found: dict[str, Column] = {}
    for key, value in record.cells.items():
        if not isinstance(key, str):
            raise fault(record.where, f"column {shown(key)}", "must be named by text")
        plain = key.strip().lstrip("#").strip().lower()
        name, unit = plain, ""
        if match := _SUFFIX.match(plain):
            word = match[2] or match[3]
            if match[2] or word in _UNITS or word in ("gbps",):
                name, unit = match[1].strip(), word.strip()
        if plain.startswith("time:") and "(" not in plain:
            name = plain
        found.setdefault(name, Column(key, value, unit))
    return found


def _first(columns: Mapping[str, Column], names: Iterable[str]) -> Column | None:
    return next((columns[name] for name in names if name in columns), None)


def _operation(columns: Mapping[str, Column], record: Record, op: str | None) -> str:
    cell = _first(columns, _OP)
    word = cell.value if cell is not None else (record.op or op)
    if word is None:
        raise fault(
            record.where,
            "no operation",
            "the table does not say which collective it is: give op=, for example op='all_reduce'",
        )
    found = operation(word)
    if found is None:
        raise fault(record.where, f"operation {shown(word)}", "must be a collective's name")
    return found


def _time(
    columns: Mapping[str, Column], record: Record, time_unit: str | None, notes: list[str]
) -> float:
    cell = _first(columns, _TIME)
    if cell is None:
        raise fault(record.where, f"columns {sorted(columns)}", "needs a time, such as time_us")
    unit = time_unit or cell.unit
    text = cell.value if isinstance(cell.value, str) and not time_unit else ""
    if re.search(r"[a-zA-Z\u00b5\u03bc]s?$", text):
        return _quantity(cell, record.where, parse_time)
    if not unit and "message_size" in columns and cell.name.strip().lower() == "latency":
        note = "latency without a unit beside message_size: read as ms (aiconfigurator's tables)"
        _say(notes, note)
        unit = "ms"
    if unit not in _UNITS or not 0 < _UNITS[unit] <= 1 or unit in ("b", "bytes"):
        raise fault(
            record.where,
            f"time column {cell.name!r}",
            "does not say its unit: name it time_s, time_us or time_ms, or give time_unit=",
        )
    _say(notes, f"times are in {unit} (column {cell.name})")
    return _number(cell, record.where) * _UNITS[unit]


def _quantity(cell: Column, where: str, parse: Callable[[Any, str], float]) -> float:
    try:
        return parse(cell.value, cell.name)
    except RainierError as error:
        raise InvalidArgument(f"table, {where}: {error}") from error


def _sizes(columns: Mapping[str, Column], record: Record) -> Sizes:
    size, count = _first(columns, _SIZE), _first(columns, _COUNT)
    dtype = _first(columns, _DTYPE)
    width = None
    if dtype is not None:
        width = DTYPE_BYTES.get(str(dtype.value).strip().lower())
        if width is None:
            allowed = f"must be one of {', '.join(DTYPE_BYTES)}"
            raise fault(record.where, f"type {shown(dtype.value)}", allowed)
    if size is None and count is None:
        raise fault(record.where, f"columns {sorted(columns)}", "needs a size, such as bytes")
    number, unit = None, ""
    if size is not None:
        unit = size.unit
        if isinstance(size.value, str) and re.search(r"[a-zA-Z]\s*$", size.value):
            number, unit = _quantity(size, record.where, parse_bytes), "bytes"
        else:
            number = _number(size, record.where)
        if unit not in ("", "elems", "elements"):
            if unit not in _UNITS:
                raise fault(record.where, f"size column {size.name!r}", "has an unknown unit")
            number, unit = number * _UNITS[unit], "bytes"
        elif size.name.strip().lower() in ("bytes", "nbytes"):
            unit = "bytes"
        elif size.name.strip().lower() == "message_size" and "latency" in columns:
            # aiconfigurator's NCCL tables count elements.
            unit = "elements"
    rate = _first(columns, ("algbw", "alg_bw", "algorithm_bandwidth"))
    return Sizes(
        size=number,
        unit=unit,
        count=None if count is None else _number(count, record.where),
        width=width,
        rate=None if rate is None else _number(rate, record.where),
        stated=None if rate is None else _RATES.get(rate.unit),
    )


def _number(cell: Column, where: str) -> float:
    value = cell.value
    if isinstance(value, bool) or value is None:
        raise fault(where, f"{cell.name} {shown(value)}", "must be a number")
    try:
        return float(re.sub("[,_]", "", value) if isinstance(value, str) else value)
    except (TypeError, ValueError):
        raise fault(where, f"{cell.name} {shown(value)}", "must be a number") from None


def _say(notes: list[str], note: str) -> None:
    if note not in notes:
        notes.append(note)
