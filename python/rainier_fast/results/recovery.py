"""What a collective costs on a damaged machine, by each way to go on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, Final, TypeVar

from numpy.typing import NDArray

from rainier_fast.definitions.check import as_one_of
from rainier_fast.errors import Unsupported
from rainier_fast.frozen import put
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.screen import one_screen
from rainier_fast.table import Table
from rainier_fast.units import format_bytes, format_time

__all__ = ["Recoveries"]

T = TypeVar("T")

_SHOWN: Final = (
    "policy",
    "time_s",
    "slowdown",
    "chips",
    "cost_s",
    "algorithm",
    "lower_bound_s",
    "efficiency",
    "bottleneck",
)


@one_screen
class Recoveries(Table):
    """A table with a row for each policy, the cheapest first; made by `Machine.recoveries`.

    Parameters
    ----------
    columns
        Names and values, in the order in which to show them.
    whole
        The same collective before the damage.
    policies
        Name of the policy of each row.
    results
        The result of each row; None where there is a reason instead.
    reasons
        Why a policy does not apply, or empty.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> damaged = preset("rainier", chips=256).with_faults(chips=[7])
    >>> damaged.recoveries("all_reduce", "64 MiB", policies=["detour", "spare"]).reasons[0]
    ''
    """

    __slots__ = ("_policies", "_reasons", "_results", "_whole")

    _policies: tuple[str, ...]
    _reasons: tuple[str, ...]
    _results: tuple[CollectiveResult | None, ...]
    _whole: CollectiveResult

    def __init__(
        self,
        columns: Mapping[str, Sequence[Any] | NDArray[Any]],
        whole: CollectiveResult,
        policies: Sequence[str],
        results: Sequence[CollectiveResult | None],
        reasons: Sequence[str],
    ) -> None:
        super().__init__(columns)
        put(
            self,
            _whole=whole,
            _policies=tuple(policies),
            _results=tuple(results),
            _reasons=tuple(reasons),
        )

    @classmethod
    def _of(
        cls,
        whole: CollectiveResult,
        policies: Sequence[str],
        results: Sequence[CollectiveResult | None],
        reasons: Sequence[str],
    ) -> Recoveries:
        """Make the table, the row of least cost first, those without an answer last."""
        before = whole.ranks * whole.groups

        def chips(result: CollectiveResult | None) -> int:
            return 0 if result is None else result.ranks * result.groups

        def cost(result: CollectiveResult | None) -> float:
            return math.nan if result is None else result.time_s * before / chips(result)

        order = sorted(
            range(len(policies)),
            key=lambda at: (results[at] is None, cost(results[at]), at),
        )
        rows = [results[at] for at in order]
        base = whole.time_s

        def each(of: Callable[[CollectiveResult], T], missing: T) -> list[T]:
            return [missing if row is None else of(row) for row in rows]

        columns: dict[str, Sequence[Any]] = {
            "policy": [policies[at] for at in order],
            "time_s": each(lambda row: row.time_s, math.nan),
            "slowdown": each(lambda row: row.time_s / base if base else 1.0, math.nan),
            "chips": [chips(row) for row in rows],
            "cost_s": [cost(row) for row in rows],
            "algorithm": each(lambda row: row.algorithm, ""),
            "lower_bound_s": each(lambda row: row.lower_bound_s, math.nan),
            "efficiency": each(lambda row: row.efficiency, math.nan),
            "bottleneck": each(
                lambda row: "" if row.bottleneck is None else row.bottleneck.link_class, ""
            ),
            "reason": [reasons[at] for at in order],
        }
        named = [policies[at] for at in order]
        return cls(columns, whole, named, rows, [reasons[at] for at in order])

    @property
    def whole(self) -> CollectiveResult:
        """The same collective before the damage."""
        return self._whole

    @property
    def policies(self) -> tuple[str, ...]:
        """Name of the policy of each row."""
        return self._policies

    @property
    def results(self) -> tuple[CollectiveResult | None, ...]:
        """The result of each row; None where there is a reason instead."""
        return self._results

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why a policy does not apply, or empty, by row."""
        return self._reasons

    @property
    def best(self) -> CollectiveResult:
        """The result of least ``cost_s``; `Unsupported` where no policy applies."""
        first = self._results[0] if self._results else None
        if first is None:
            raise Unsupported(f"no policy applies: {self._reasons[0] if self._reasons else 'none'}")
        return first

    def of(self, policy: str) -> CollectiveResult:
        """Return the result of one policy.

        Parameters
        ----------
        policy
            Its name.

        Returns
        -------
        CollectiveResult
            As the collective gives it.

        Raises
        ------
        Unsupported
            If the policy does not apply.
        UnknownName
            If it was not asked for.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> damaged = preset("trn2").with_faults(chips=[3])
        >>> damaged.recoveries("all_reduce", "1 MiB").of("drop_rank").ranks
        15
        """
        at = self._policies.index(as_one_of("policy", policy, self._policies))
        result = self._results[at]
        if result is None:
            raise Unsupported(f"policy {policy!r} does not apply: {self._reasons[at]}")
        return result

    def __reduce__(self) -> tuple[Any, ...]:
        parts = self._columns, self._whole, self._policies, self._results, self._reasons
        return Recoveries, parts

    def __str__(self) -> str:
        table = Table({name: self._columns[name] for name in _SHOWN})
        notes = [f"{name}: {reason}" for name, reason in self._refused()]
        return "\n".join([self._headline(), "", str(table), *([""] if notes else []), *notes])

    def _repr_html_(self) -> str:
        table = Table({name: self._columns[name] for name in _SHOWN})
        notes = "".join(
            f"<p>{escape(name)}: {escape(reason)}</p>" for name, reason in self._refused()
        )
        return f"<p>{escape(self._headline())}</p>{table._repr_html_()}{notes}"

    def _headline(self) -> str:
        whole = self._whole
        size = "" if whole.operation == "barrier" else f" of {format_bytes(whole.size_bytes)}"
        return (
            f"{whole.operation}{size}; {format_time(whole.time_s)} before the damage by "
            f"{whole.algorithm}; model {whole.model}"
        )

    def _refused(self) -> list[tuple[str, str]]:
        return [
            (name, reason)
            for name, reason in zip(self._policies, self._reasons, strict=True)
            if reason
        ]
