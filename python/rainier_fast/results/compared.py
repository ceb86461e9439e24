"""Makes a comparison of its rows: notes of what is unlike, and reasons of what is blank."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from rainier_fast.ask.runtime import LINKS_ALONE
from rainier_fast.errors import Unsupported
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.results.comparison import MEASURED, Comparison, columns_of_results
from rainier_fast.results.text import no_bottleneck
from rainier_fast.table import Table

_SAID: Final = ("note", "reason")
"""Columns that are blank where there is nothing to say."""


class Compared(NamedTuple):
    """One machine, what it answers, and what is known of it."""

    machine: str
    chips: int
    result: CollectiveResult | None
    about: Mapping[str, Any]
    unknown: Mapping[str, str]
    cut: str
    reason: str


def comparison_of(
    rows: Sequence[Compared], operation: str, size_bytes: float, model: str
) -> Comparison:
    """Return the rows as a table."""
    results = tuple(row.result for row in rows)
    measured = [_measured(row.result) for row in rows]
    columns: dict[str, list[Any]] = {
        "machine": [row.machine for row in rows],
        "chips": [row.chips for row in rows],
        **columns_of_results(results),
        **{name: [found[at] for found, _ in measured] for at, name in enumerate(MEASURED)},
        **{name: [row.about[name] for row in rows] for name in rows[0].about},
        "note": _notes(rows),
        "reason": [row.reason for row in rows],
    }
    why = [
        _why_blank(row, unmeasured, [name for name in columns if _is_blank(columns[name][at])])
        for at, (row, (_, unmeasured)) in enumerate(zip(rows, measured, strict=True))
    ]
    cells = [
        (row.machine, name, reason)
        for row, reasons in zip(rows, why, strict=True)
        for name, reason in reasons.items()
    ]
    heads = ("machine", "column", "reason")
    empty = Table({name: [cell[at] for cell in cells] for at, name in enumerate(heads)})
    return Comparison(columns, operation, size_bytes, model, results, empty)


def _is_blank(cell: object) -> bool:
    return cell == "" or cell != cell


def _why_blank(row: Compared, unmeasured: str, blank: Sequence[str]) -> dict[str, str]:
    """Return why the cells of a row are blank."""
    reasons = dict(row.unknown)
    if row.result is None:
        return {name: reasons.get(name, row.reason) for name in blank if name not in _SAID}
    reasons |= dict.fromkeys(MEASURED, unmeasured)
    reasons["bottleneck"] = no_bottleneck(row.result).removeprefix("none: ")
    return {name: reasons[name] for name in blank if name not in _SAID}


def _measured(result: CollectiveResult | None) -> tuple[tuple[float, float, float], str]:
    """Return size, seconds and our error of the measured row next to a result, or why none."""
    nothing = (math.nan,) * 3
    if result is None:
        return nothing, ""
    try:
        row = next(iter(result.nearest_measurements))
    except Unsupported as error:
        alone = f"{LINKS_ALONE} is not what is measured; ask for algorithm='runtime'"
        return nothing, alone if result.kind == LINKS_ALONE else str(error).partition(";")[0]
    return (row["bytes"], row["measured_s"], row["error"]), ""


def _notes(rows: Sequence[Compared]) -> list[str]:
    """Return what makes rows unlike the first that has an answer."""
    first = next((row for row in rows if row.result is not None), None)
    notes = []
    for row in rows:
        said = [row.cut] if row.cut and row.result is not None else []
        if first is not None and first.result is not None and row.result is not None:
            mine, theirs = row.result.ranks, first.result.ranks
            if mine != theirs:
                said.append(f"{mine:,} ranks, not {theirs:,} as {first.machine}")
        notes.append("; ".join(said))
    return notes
