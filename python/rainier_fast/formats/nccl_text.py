"""The tables that nccl-tests print."""

from __future__ import annotations

import re
from typing import Final

from rainier_fast.formats.records import Record
from rainier_fast.formats.rows import fault, operation

HEADER: Final = re.compile(r"^#\s*size\s+count\s+type\b.*\btime\b")
_PROGRAM: Final = re.compile(r"\b(\w+)_perf\b")
_RANK: Final = re.compile(r"^#\s*Rank\s+(\d+)\b")
_UNITS: Final = re.compile(r"^#\s*\(B\)")


def read_nccl_text(text: str) -> tuple[list[Record], set[int]]:
    r"""Read what an nccl-test printed, one table or several; the out-of-place columns count."""
    records: list[Record] = []
    header: list[str] = []
    op, highest, unit = None, -1, "us"
    for number, line in enumerate(text.splitlines(), start=1):
        plain = line.strip()
        if match := _RANK.match(plain):
            highest = max(highest, int(match[1]))
        for name in _PROGRAM.findall(plain):
            op = operation(name) or op
        if HEADER.match(plain):
            words = plain.lstrip("#").split()
            end = words.index("busbw") if "busbw" in words else words.index("time")
            header = words[: end + 1]
        elif _UNITS.match(plain):
            found = re.search(r"\((us|ms|s)\)", plain)
            unit = found[1] if found else unit
        elif plain and not plain.startswith("#") and plain.split()[0].isdigit() and header:
            words = plain.split()
            if len(words) < len(header):
                raise fault(
                    f"line {number}", repr(plain[:60]), f"must have at least {len(header)} columns"
                )
            cells: dict[str, str] = dict(zip(header, words, strict=False))
            cells[f"time({unit})"] = cells.pop("time")
            cells["size(B)"] = cells.pop("size")
            cells["algbw(GB/s)"] = cells.pop("algbw", "0")
            records.append(Record(cells, f"line {number}", op))
        elif plain and plain[0].isdigit() and not header:
            raise fault(f"line {number}", repr(plain[:60]), "comes before the header of the table")
    return records, ({highest + 1} if highest >= 0 else set())
