"""One collective on several machines, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from numpy.typing import NDArray

from rainier_fast.frozen import put
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.screen import one_screen
from rainier_fast.table import Table
from rainier_fast.units import format_bytes

__all__ = ["Comparison"]

_ANSWER: Final = (
    "machine",
    "chips",
    "ranks",
    "algorithm",
    "time_s",
    "algbw_Bps",
    "busbw_Bps",
    "lower_bound_s",
    "efficiency",
    "bottleneck",
)
_MACHINE: Final = (
    "machine",
    "chips",
    "peak_bf16_flops",
    "hbm_bytes",
    "price_usd_per_chip_hour",
    "power_w_per_chip",
)


@one_screen
class Comparison(Table):
    """A table with a row for each machine; made by `rainier_fast.compare`.

    Prints as two tables, what the collective costs and what the machines are, and the reasons of
    machines that cannot do it. Blank cells are what is not known, NaN in the columns.

    Parameters
    ----------
    columns
        Names and values, in the order in which to show them.
    operation
        The collective.
    size_bytes
        Its size.
    model
        How contention was modelled.
    results
        The result of each row; None where there is a reason instead.

    Examples
    --------
    >>> from rainier_fast import compare
    >>> both = compare(["trn2", "h100"], "all_reduce", "1 GiB")
    >>> both.operation, both["ranks"].tolist(), both.results[1].algorithm
    ('all_reduce', [16, 8], 'direct')
    """

    __slots__ = ("_model", "_operation", "_results", "_size_bytes")

    _model: str
    _operation: str
    _results: tuple[CollectiveResult | None, ...]
    _size_bytes: float

    def __init__(
        self,
        columns: Mapping[str, Sequence[Any] | NDArray[Any]],
        operation: str,
        size_bytes: float,
        model: str,
        results: Sequence[CollectiveResult | None],
    ) -> None:
        super().__init__(columns)
        put(
            self,
            _operation=operation,
            _size_bytes=size_bytes,
            _model=model,
            _results=tuple(results),
        )

    @property
    def operation(self) -> str:
        """The collective."""
        return self._operation

    @property
    def size_bytes(self) -> float:
        """Its size in bytes."""
        return self._size_bytes

    @property
    def results(self) -> tuple[CollectiveResult | None, ...]:
        """The result of each row; None where there is a reason instead."""
        return self._results

    def __reduce__(self) -> tuple[Any, ...]:
        parts = (self._columns, self._operation, self._size_bytes, self._model, self._results)
        return Comparison, parts

    def __str__(self) -> str:
        parts = [self._headline(), "", str(self._part(_ANSWER)), "", str(self._part(_MACHINE))]
        reasons = [f"{name}: {reason}" for name, reason in self._reasons()]
        return "\n".join(parts + (["", *reasons] if reasons else []))

    def _repr_html_(self) -> str:
        reasons = "".join(
            f"<p>{escape(name)}: {escape(reason)}</p>" for name, reason in self._reasons()
        )
        tables = self._part(_ANSWER)._repr_html_() + self._part(_MACHINE)._repr_html_()
        return f"<p>{escape(self._headline())}</p>{tables}{reasons}"

    def _headline(self) -> str:
        size = "" if self._operation == "barrier" else f" of {format_bytes(self._size_bytes)}"
        return f"{self._operation}{size}; model {self._model}"

    def _part(self, names: tuple[str, ...]) -> Table:
        return Table({name: self._columns[name] for name in names})

    def _reasons(self) -> list[tuple[str, str]]:
        pairs = zip(self["machine"].tolist(), self["reason"].tolist(), strict=True)
        return [(name, reason) for name, reason in pairs if reason]
