"""Traces of requests: files and rows of when they come and how long they are."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from rainier_fast.definitions.check import as_items, as_number
from rainier_fast.errors import invalid, invalid_type

MOST: Final = 200_000
"""Rows that a trace may have."""
_MOST_NUMBER: Final = 2.0**40
_COLUMNS: Final = ("arrival_s", "input", "output")


def read_trace(trace: object, most: float) -> list[list[float]]:
    """Return lines of arrival, input and output, by arrival: of a CSV file, its text, or rows."""
    if isinstance(trace, str | Path):
        rows: Sequence[object] = columns("trace", trace, _COLUMNS)
    elif isinstance(trace, np.ndarray):
        rows = trace.tolist()
    else:
        rows = list(as_items("trace", trace, "must be rows of arrival_s, input, output"))
    if not 1 <= len(rows) <= MOST:
        raise invalid("trace", len(rows), f"must have 1 to {MOST:,} rows")
    lines = [_line(at, row, most) for at, row in enumerate(rows)]
    return sorted(lines, key=lambda line: line[0])


def _line(at: int, row: object, most: float) -> list[float]:
    if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != len(_COLUMNS):
        raise invalid_type(f"trace[{at}]", row, "must be arrival_s, input and output")
    low = (0.0, 1.0, 1.0)
    words = ("seconds, 0 or more", "1 or more tokens", "1 or more tokens")
    line = [
        as_number(f"trace[{at}].{name}", value, least, _MOST_NUMBER, f"must be {said}")
        for name, value, least, said in zip(_COLUMNS, row, low, words, strict=True)
    ]
    if line[1] + line[2] > most:
        allowed = f"must fit max_model_len, {most:,} tokens, with its output"
        raise invalid(f"trace[{at}].input", line[1], allowed)
    return line


def columns(argument: str, trace: str | Path, names: Sequence[str]) -> list[list[float]]:
    """Return the columns of these names of a CSV file, or of its text, a list a row."""
    if not isinstance(trace, str | Path):
        raise invalid_type(argument, trace, "must be a path, or the text of a CSV file")
    text = trace if isinstance(trace, str) and "\n" in trace else _read(argument, Path(trace))
    found = list(csv.DictReader(io.StringIO(text)))
    if not found or not set(names) <= set(found[0]):
        raise invalid(argument, text[:80], f"must have columns {', '.join(names)} and rows")
    return [
        [_number(f"{argument}[{at}].{name}", row[name]) for name in names]
        for at, row in enumerate(found)
    ]


def _number(argument: str, text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        raise invalid(argument, text, "must be a number; a row has none") from None


def _read(argument: str, path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise invalid(argument, str(path), f"must be a file that can be read: {reason}") from None
