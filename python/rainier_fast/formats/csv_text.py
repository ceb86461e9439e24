"""CSV with a header line."""

from __future__ import annotations

import csv
import io

from rainier_fast.errors import InvalidArgument
from rainier_fast.formats.records import Record
from rainier_fast.formats.rows import fault


def read_csv(text: str) -> list[Record]:
    r"""Read CSV (commas, semicolons or tabs) whose first line names the columns."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1)]
    lines = [(number, line) for number, line in lines if line.strip() and line[0] != "#"]
    if not lines:
        raise InvalidArgument("table: got no lines, must have a header and rows")
    separator = max(",;\t", key=lines[0][1].count)
    if separator not in lines[0][1]:
        raise InvalidArgument(
            f"table: got {lines[0][1][:60]!r} as its first line, must be CSV with a header, JSON, "
            "or what nccom-test or nccl-tests print"
        )
    parsed = csv.reader(io.StringIO("\n".join(line for _, line in lines)), delimiter=separator)
    header = [name.strip() for name in next(parsed)]
    records = []
    for (number, line), cells in zip(lines[1:], parsed, strict=True):
        if len(cells) != len(header):
            raise fault(f"line {number}", repr(line[:60]), f"must have {len(header)} columns")
        records.append(Record(dict(zip(header, cells, strict=True)), f"line {number}"))
    return records
