"""Mean errors of long tables by operation, ranks and size, and each error of them, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rainier_fast.units import format_bytes
from rainier_fast.validation.row import Row, TableRow, mean_error

Lines = list[Sequence[str]]

_SHORT: Final = {
    "all_reduce": "AR",
    "all_gather": "AG",
    "reduce_scatter": "RS",
    "all_to_all": "A2A",
}
_DECADES: Final = {
    2: "< 1 KB",
    3: "1-10 KB",
    4: "10-100 KB",
    5: "0.1-1 MB",
    6: "1-10 MB",
    7: "10-100 MB",
    8: "0.1-1 GB",
}


def by_kind(groups: Mapping[str, Sequence[Row]]) -> tuple[Sequence[str], Lines]:
    """Return mean errors in percent by operation, ranks and size: names, and a line a group."""
    known = {
        name: [row for row in rows if isinstance(row, TableRow)] for name, rows in groups.items()
    }
    known = {name: rows for name, rows in known.items() if rows}
    every = [row for rows in known.values() for row in rows]
    ranks = sorted({row.ranks for row in every})
    names = ["group", "all", "own prices", *_SHORT.values()]
    names += [f"{count} ranks" for count in ranks] + list(_DECADES.values())
    lines: Lines = []
    for group, rows in known.items():
        cells = [group, _mean(rows), _percent(_priced(rows))]
        cells += [_mean([row for row in rows if row.operation == name]) for name in _SHORT]
        cells += [_mean([row for row in rows if row.ranks == count]) for count in ranks]
        cells += [_mean([row for row in rows if _decade(row.size) == at]) for at in _DECADES]
        lines.append(cells)
    return names, lines


def line_by_line(rows: Iterable[TableRow]) -> tuple[Sequence[str], Lines]:
    """Return every error of a group in whole percent: names, and a line an operation and ranks."""
    table: dict[tuple[str, int], dict[int, TableRow]] = {}
    for row in rows:
        table.setdefault((row.operation, row.ranks), {})[row.size] = row
    sizes = sorted({size for line in table.values() for size in line})
    names = ["operation, ranks", *(format_bytes(size) for size in sizes)]
    lines: Lines = [
        [
            f"{_SHORT[operation]}, {ranks}",
            *(f"{100 * line[size].error:+.0f}" if size in line else "" for size in sizes),
        ]
        for (operation, ranks), line in table.items()
    ]
    return names, lines


def _decade(size: int) -> int:
    return len(str(size)) - 1


def _mean(rows: Sequence[TableRow]) -> str:
    return _percent(mean_error(rows)) if rows else ""


def _priced(rows: Sequence[TableRow]) -> float:
    return sum(abs(row.priced / row.published - 1) for row in rows) / len(rows)


def _percent(error: float) -> str:
    return f"{100 * error:.1f}"
