"""The tables that nccom-test prints."""

from __future__ import annotations

import re
from typing import Final

from rainier_fast.formats.records import Record
from rainier_fast.formats.rows import fault, operation

HEADER: Final = re.compile(r"^\s*size\(B\)\s+count\(elems\)")
_RANKS: Final = re.compile(r"(?:-r|--nworkers)[ =]+(\d+)")
_IGNORED: Final = ("avg bus bandwidth", "warning", "info")


def read_nccom_text(text: str) -> tuple[list[Record], set[int]]:
    """Read what nccom-test printed: one table or several, with commands where they are kept."""
    records: list[Record] = []
    ranks: set[int] = set()
    header: list[str] | None = None
    op = None
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or line.strip().lower().startswith(_IGNORED):
            continue
        if "nccom-test" in line:
            named = [
                operation(word)
                for word in words[
                    words.index(next(word for word in words if "nccom-test" in word)) + 1 :
                ]
            ]
            op = next((name for name in named if name), None)
            ranks |= {int(count) for count in _RANKS.findall(line)}
            header = None
        elif HEADER.match(line):
            header = words
        elif header is not None and words[0].replace(",", "").isdigit():
            if len(words) != len(header):
                got = " ".join(words)[:60]
                raise fault(f"line {number}", repr(got), f"must have {len(header)} columns")
            records.append(Record(dict(zip(header, words, strict=True)), f"line {number}", op))
        elif header is not None:
            raise fault(f"line {number}", repr(line.strip()[:60]), "must be a row of the table")
    return records, ranks
