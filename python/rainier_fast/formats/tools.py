"""Tools by the columns that their tables have, in text, CSV or JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rainier_fast.formats.run import NCCL, NCCOM


@dataclass(frozen=True, slots=True)
class Known:
    """A tool's table: known by names that it has, all of them."""

    tool: str
    words: str
    has: tuple[str, ...]
    unit: str = ""
    """Of its times, where their column names none."""


TABLES: Final = (
    Known(NCCOM, "a table of nccom-test", ("size(b)", "count(elems)")),
    Known(NCCL, "a table of nccl-tests", ("size", "count", "type", "time", "algbw"), "us"),
    Known(NCCL, "a table of nccl-tests", ("size", "count", "type", "cputime", "algbw"), "us"),
    # rccl-tests --output_file, as CSV or JSON.
    Known(NCCL, "a table of rccl-tests", ("size", "inplace", "time", "algbw", "busbw"), "us"),
)
"""Formats with names of their own; others are read by what their columns are called."""


def known_by(names: Iterable[object]) -> Known | None:
    """Return the tool whose columns these are."""
    lowered = {str(name).strip().lower().lstrip("#") for name in names}
    return next((one for one in TABLES if lowered.issuperset(one.has)), None)
