"""What a collective costs on a damaged machine, by each way to go on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from rainier_fast.errors import Unsupported, as_one_of
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.results.comparison import columns_of_results
from rainier_fast.screen import Report, one_screen
from rainier_fast.table import TableWith
from rainier_fast.units import format_bytes, format_time

_OF_RESULT: Final = ("algorithm", "kind", "lower_bound_s", "efficiency", "bottleneck")
_SHOWN: Final = ("policy", "time_s", "slowdown", "chips", "cost_s", *_OF_RESULT)


@one_screen
class Recoveries(Report, TableWith):
    """A table with a row for each policy, the cheapest first; made by `Machine.recoveries`.

    Attributes
    ----------
    whole
        The same collective before the damage.
    results
        The result of each row; None where there is a reason instead.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> damaged = preset("rainier", chips=256).with_faults(chips=[7])
    >>> damaged.recoveries("all_reduce", "64 MiB", policies=["detour", "spare"]).reasons[0]
    ''
    """

    _beside = ("whole", "results")
    __slots__ = _beside

    whole: CollectiveResult
    results: tuple[CollectiveResult | None, ...]

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
        base, said = whole.time_s, columns_of_results(rows)
        columns: dict[str, Sequence[Any]] = {
            "policy": [policies[at] for at in order],
            "time_s": said["time_s"],
            "slowdown": [
                math.nan if row is None else row.time_s / base if base else 1.0 for row in rows
            ],
            "chips": [chips(row) for row in rows],
            "cost_s": [cost(row) for row in rows],
            **{name: said[name] for name in _OF_RESULT},
            "reason": [reasons[at] for at in order],
        }
        return cls(columns, whole, tuple(rows))

    @property
    def policies(self) -> tuple[str, ...]:
        """Name of the policy of each row."""
        return tuple(self["policy"].tolist())

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why a policy does not apply, or empty, by row."""
        return tuple(self["reason"].tolist())

    @property
    def best(self) -> CollectiveResult:
        """The result of least ``cost_s``; `Unsupported` where no policy applies."""
        first = self.results[0] if self.results else None
        if first is None:
            raise Unsupported(f"no policy applies: {self.reasons[0] if self.reasons else 'none'}")
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
        at = self.policies.index(as_one_of("policy", policy, self.policies))
        result = self.results[at]
        if result is None:
            raise Unsupported(f"policy {policy!r} does not apply: {self.reasons[at]}")
        return result

    def _page(self) -> list[Any]:
        whole = self.whole
        size = "" if whole.operation == "barrier" else f" of {format_bytes(whole.size_bytes)}"
        head = (
            f"{whole.operation}{size}; {format_time(whole.time_s)} before the damage by "
            f"{whole.algorithm}, {whole.kind}; model {whole.model}"
        )
        notes = [f"{row['policy']}: {row['reason']}" for row in self if row["reason"]]
        return [head, "", self._part(_SHOWN), *([""] if notes else []), *notes]
