"""A collective on many machines with faults drawn at random."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.request import Request
from rainier_fast.definitions.check import as_number
from rainier_fast.definitions.rates import FailureRates
from rainier_fast.errors import InvalidType
from rainier_fast.frozen import put
from rainier_fast.screen import Facts, Pictured, Report, Told, one_screen
from rainier_fast.table import Table
from rainier_fast.topology.base import Base
from rainier_fast.units import format_bytes, format_count, format_time

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped, unused-ignore]

_KINDS = ("links", "chips", "nics", "ultraservers")


class Trial(NamedTuple):
    """What is drawn and run; pickles small, for workers of any executor."""

    machine: Base
    request: Request
    otherwise: Request | None
    policy: str
    rates: FailureRates
    hours: float
    seed: int


class Drawn(NamedTuple):
    """What some draws gave."""

    times_s: NDArray[np.float64]
    faults: NDArray[np.uint32]
    live: NDArray[np.uint32]
    unanswered: list[tuple[int, str]]
    otherwise: list[int]


@one_screen
@dataclass(frozen=True, init=False, repr=False, eq=False)
class MonteCarlo(Pictured, Report, Told):
    """Times of a collective on draws of faults. Immutable; made by `Machine.monte_carlo`.

    Attributes
    ----------
    machine
        The machine before any draw.
    operation, size_bytes, algorithm, kind, model
        What ran, and what kind of number the times are; the algorithm is the same in all draws but
        those of `chosen_anew`.
    policy
        How a draw was dealt with.
    rates, hours, seed
        What was drawn.
    healthy_s
        Seconds before any draw.
    times_s
        float64, seconds of each draw; infinite where there is no answer.
    chosen_anew
        Draws on which that algorithm does not run, so that ``"auto"`` chose another one.
    no_answer
        Why, by the number of the draw: something that takes part cannot be reached, or is dead.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> found = preset("trn2-ultraserver").monte_carlo("all_reduce", "1 GiB", draws=9)
    >>> found.draws, found.times_s.shape, found.answered
    (9, (9,), 9)
    """

    machine: Base
    operation: str
    size_bytes: float
    algorithm: str
    kind: str
    model: str
    policy: str
    rates: FailureRates
    hours: float
    seed: int
    healthy_s: float
    times_s: NDArray[np.float64]
    no_answer: dict[int, str]
    chosen_anew: tuple[int, ...]
    _faults: NDArray[np.uint32]
    _live: NDArray[np.uint32]

    _untold = ("machine", "times_s")
    _also = ("draws", "answered", "mean_s", "p50_s", "p90_s", "p99_s", "max_s", "mean_faults")

    def __init__(self) -> None:
        raise InvalidType("use Machine.monte_carlo(...)")

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, ({field.name: getattr(self, field.name) for field in fields(self)},)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MonteCarlo):
            return NotImplemented
        return self.to_dict() == other.to_dict() and self.table() == other.table()

    __hash__ = None  # type: ignore[assignment]

    @property
    def draws(self) -> int:
        """How many."""
        return int(self.times_s.size)

    @property
    def answered(self) -> int:
        """Draws that have an answer."""
        return self.draws - len(self.no_answer)

    @property
    def faults(self) -> NDArray[np.int64]:
        """How many faults were drawn, of each draw; a cable counts as its two links."""
        counts: NDArray[np.int64] = self._faults.sum(axis=1, dtype=np.int64)
        return counts

    @property
    def mean_faults(self) -> float:
        """How many faults were drawn in the mean."""
        return float(self.faults.mean())

    @property
    def live_chips(self) -> NDArray[np.int64]:
        """Chips that work and are not left out, of each draw."""
        return self._live.astype(np.int64)

    @cached_property
    def _sorted(self) -> NDArray[np.float64]:
        return np.sort(self.times_s)

    def quantile_s(self, share: float) -> float:
        """Return the time that such a share of the draws does not exceed.

        Parameters
        ----------
        share
            From above 0 to 1.

        Returns
        -------
        float
            Seconds of one of the draws (the nearest rank); infinite where too few have an answer.

        Raises
        ------
        InvalidArgument, InvalidType
            If the share is outside, or no number.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> found = preset("trn2").monte_carlo("all_reduce", "1 GiB", draws=9)
        >>> found.quantile_s(1.0) == found.max_s
        True
        """
        least = math.ulp(0.0)
        wanted = as_number("share", share, least, 1.0, "must be above 0 and at most 1")
        return float(self._sorted[max(math.ceil(wanted * self.draws) - 1, 0)])

    @property
    def p50_s(self) -> float:
        """Half of the draws take no longer."""
        return self.quantile_s(0.5)

    @property
    def p90_s(self) -> float:
        """Nine of ten draws take no longer."""
        return self.quantile_s(0.9)

    @property
    def p99_s(self) -> float:
        """99 of 100 draws take no longer."""
        return self.quantile_s(0.99)

    @property
    def mean_s(self) -> float:
        """The mean of the draws that have an answer; NaN where none has."""
        good = self.times_s[np.isfinite(self.times_s)]
        return float(good.mean()) if good.size else math.nan

    @property
    def max_s(self) -> float:
        """The longest; infinite where a draw has no answer."""
        return float(self._sorted[-1])

    @property
    def slowdown(self) -> NDArray[np.float64]:
        """Time over the time before any draw, of each draw; NaN where that takes no time."""
        if self.healthy_s == 0:
            return np.full(self.draws, math.nan)
        return self.times_s / self.healthy_s

    def table(self) -> Table:
        """Return a row for each draw: time, faults of each kind, chips that work, why no answer.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> found = preset("trn2").monte_carlo("all_reduce", "1 GiB", draws=9)
        >>> list(found.table().columns)[:4]
        ['draw', 'time_s', 'slowdown', 'links']
        """
        reasons = [self.no_answer.get(draw, "") for draw in range(self.draws)]
        kinds = {name: self._faults[:, at].astype(np.int64) for at, name in enumerate(_KINDS)}
        return Table(
            {
                "draw": np.arange(self.draws),
                "time_s": self.times_s,
                "slowdown": self.slowdown,
                **kinds,
                "live_chips": self.live_chips,
                "no_answer": reasons,
            }
        )._of_kind(self.kind)

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a pandas data frame.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> found = preset("trn2").monte_carlo("all_reduce", "1 GiB", draws=9)
        >>> found.to_pandas().shape  # doctest: +SKIP
        (9, 9)
        """
        return self.table().to_pandas()

    def __repr__(self) -> str:
        return (
            f"<MonteCarlo of {format_count(self.draws)} draws: {self.operation} "
            f"p50 {_time(self.p50_s)}, p99 {_time(self.p99_s)}, {self.kind}>"
        )

    def _page(self) -> list[Any]:
        what = f"{self.operation} of {format_bytes(self.size_bytes)}"
        return [f"{what}, faults drawn at random: {self.kind}", self._facts()]

    def _anew(self) -> str:
        if not self.chosen_anew:
            return "the same in all draws"
        return f"chosen anew in {format_count(len(self.chosen_anew))} draws that it does not fit"

    def _facts(self) -> Facts:
        def beside(seconds: float) -> str:
            if self.healthy_s == 0 or not math.isfinite(seconds):
                return _time(seconds)
            return f"{_time(seconds)}, {seconds / self.healthy_s:.3g} times as long"

        drawn = f"{format_count(self.draws)}, seed {self.seed}, {self.hours:g} h of failures"
        faults = self.faults
        rows = [
            ("draws", drawn),
            (
                "faults",
                f"{self.mean_faults:.4g} in the mean, {faults.min()} to {faults.max()}; "
                f"{format_count(int(self._live.min()))} of {format_count(self.machine.num_chips)} "
                "chips are left at least",
            ),
            ("policy", self.policy),
            ("algorithm", f"{self.algorithm}, by {self.model}; {self._anew()}"),
            ("no faults", _time(self.healthy_s)),
            *((name, beside(getattr(self, f"{name}_s"))) for name in ("mean", "p50", "p90", "p99")),
        ]
        if self.no_answer:
            draw, why = next(iter(self.no_answer.items()))
            words = f"{format_count(len(self.no_answer))} draws; the first, draw {draw}: {why}"
            rows.append(("no answer", words))
        return rows


def times_of(trial: Trial, hours: float, healthy_s: float, drawn: Drawn) -> MonteCarlo:
    """Return what a user reads of what was drawn."""
    request, times = trial.request, np.array(drawn.times_s)
    times[[draw for draw, _ in drawn.unanswered]] = math.inf
    names = request.algorithm
    values = {
        "machine": trial.machine,
        "operation": request.operation,
        "size_bytes": request.size,
        "algorithm": names if isinstance(names, str) else f"hierarchical({', '.join(names)})",
        "kind": request.kind,
        "model": request.model,
        "policy": trial.policy,
        "rates": trial.rates,
        "hours": hours,
        "seed": trial.seed,
        "healthy_s": healthy_s,
        "times_s": times,
        "no_answer": dict(drawn.unanswered),
        "chosen_anew": tuple(drawn.otherwise),
        "_faults": drawn.faults,
        "_live": drawn.live,
    }
    return _made(values)


def _made(values: dict[str, Any]) -> MonteCarlo:
    made = object.__new__(MonteCarlo)
    put(made, **values)
    for array in (made.times_s, made._faults, made._live):
        array.flags.writeable = False
    return made


def _time(seconds: float) -> str:
    return format_time(seconds) if math.isfinite(seconds) else "no answer"
