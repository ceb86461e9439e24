"""One collective on several machines, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from rainier_fast.results.collective import CollectiveResult
from rainier_fast.screen import Paged, Pictured, Report, one_screen
from rainier_fast.table import Table, TableWith
from rainier_fast.units import format_bytes

_NUMBERS: Final = ("time_s", "algbw_Bps", "busbw_Bps", "lower_bound_s", "efficiency")
_WORDS: Final = {"algorithm": "", "kind": "", "model": ""}
_OF_RESULT: Final = {"ranks": 0, **_WORDS, **dict.fromkeys(_NUMBERS, math.nan)}
"""Columns that results have, and what stands there without one."""


def kinds(results: Sequence[CollectiveResult | None]) -> str:
    """Return the kinds of number that results are, each once; words where there are no results."""
    found = dict.fromkeys(one.kind for one in results if one is not None)
    return ", ".join(found) or "no answers"


def columns_of_results(results: Sequence[CollectiveResult | None]) -> dict[str, list[Any]]:
    """Return what results say, as columns of a table."""
    columns: dict[str, list[Any]] = {
        name: [missing if one is None else getattr(one, name) for one in results]
        for name, missing in _OF_RESULT.items()
    }
    worst = [None if one is None else one.bottleneck for one in results]
    return columns | {"bottleneck": ["" if one is None else one.link_class for one in worst]}


MEASURED: Final = ("measured_bytes", "measured_s", "measured_error")

_ANSWER: Final = (
    *("machine", "chips", "ranks", "algorithm", "kind", *_NUMBERS, "bottleneck"),
    *MEASURED,
)
_MACHINE: Final = (
    "machine",
    "chips",
    "peak_bf16_flops",
    "hbm_bytes",
    "price_usd_per_chip_hour",
    "price_contract",
    "price_region",
    "price_date",
    "power_w_per_chip",
)
_SAID: Final = ("note", "reason")


@one_screen
class Comparison(Pictured, Paged, Report, TableWith):
    """A table with a row for each machine; made by `rainier_fast.compare`.

    Prints as two tables, what the collective costs and what the machines are, with the notes of
    rows that are unlike, the reasons of machines that cannot do it and those of blank cells, which
    are what is not known: NaN or empty text in the columns.

    Attributes
    ----------
    operation
        The collective.
    size_bytes
        Its size.
    model
        How contention was modelled.
    results
        The result of each row; None where there is a reason instead.
    empty
        Why cells are blank: ``machine``, ``column``, ``reason``.

    Examples
    --------
    >>> from rainier_fast import compare
    >>> both = compare(["trn2", "h100"], "all_reduce", "1 GiB")
    >>> both.operation, both["ranks"].tolist(), both.results[1].algorithm
    ('all_reduce', [16, 8], 'direct')
    """

    _beside = ("operation", "size_bytes", "model", "results", "empty")
    __slots__ = _beside

    operation: str
    size_bytes: float
    model: str
    results: tuple[CollectiveResult | None, ...]
    empty: Table

    def _page(self) -> list[Any]:
        size = "" if self.operation == "barrier" else f" of {format_bytes(self.size_bytes)}"
        lines = [f"{row['machine']}: {row[said]}" for said in _SAID for row in self if row[said]]
        lines += self._blanks()
        tables = ["", self._part(_ANSWER), "", self._part(_MACHINE)]
        head = f"{self.operation}{size}; {kinds(self.results)}; model {self.model}"
        ranks = dict.fromkeys(one.ranks for one in self.results if one is not None)
        if len(ranks) > 1:
            head += f"; unlike counts of ranks, {' and '.join(f'{count:,}' for count in ranks)}"
        return [head, *tables, *([""] if lines else []), *lines]

    def _blanks(self) -> list[str]:
        """Return a line for each reason of blank cells, but of machines that have no answer."""
        said = set(self["reason"].tolist())
        columns: dict[tuple[str, str], list[str]] = {}
        for row in self.empty:
            if row["reason"] not in said:
                columns.setdefault((row["reason"], row["machine"]), []).append(row["column"])
        machines: dict[tuple[str, str], list[str]] = {}
        for (reason, machine), names in columns.items():
            machines.setdefault((reason, ", ".join(names)), []).append(machine)
        return [
            f"{', '.join(dict.fromkeys(some))}: no {names}: {reason}"
            for (reason, names), some in machines.items()
        ]
