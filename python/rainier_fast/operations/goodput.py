"""What failures leave of a machine's time: the answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from rainier_fast.definitions.rates import RATE_SOURCES, FailureRates
from rainier_fast.errors import RainierError, invalid
from rainier_fast.faults.modes import Modes
from rainier_fast.operations.asked import MATTERS, POLICIES, Asked
from rainier_fast.operations.break_even import break_even
from rainier_fast.operations.chain import PARTS
from rainier_fast.operations.jobs import Plan, plan, with_slowdowns
from rainier_fast.operations.policies_text import in_words
from rainier_fast.operations.simulate import Simulated, simulate
from rainier_fast.screen import Facts, Pictured, Report, Told, one_screen
from rainier_fast.table import Table
from rainier_fast.topology.base import Base
from rainier_fast.units import format_count, format_hours

_HOUR: Final = 3600.0
_SHOWN: Final = ("policy", "goodput", "per_chip", "spare_chips", "mtbf_h", "break_even_mtbf_h")


@one_screen
@dataclass(frozen=True, repr=False)
class Goodput(Pictured, Report, Told):
    """The answer to `Machine.goodput`. Immutable.

    Attributes
    ----------
    machine
        Where the job runs.
    policy
        What it does about failures.
    rates
        How often parts fail.
    hours
        How long it runs.
    low, high
        Goodput with everything that was not said at the worst and the best end of its range.
    simulated
        Goodput by events, where that was asked for; else None.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> answer = rf.preset("rainier").goodput("20 s", checkpoint=rf.Checkpoint(blocking="30 s"))
    >>> round(answer.goodput, 2), round(60 * 8760 / answer.failures, 1)
    (0.28, 6.0)
    """

    machine: Base
    policy: str
    rates: FailureRates
    hours: float
    low: float
    high: float
    simulated: float | None
    _asked: Asked
    _plan: Plan

    _also = (
        "goodput",
        "parts",
        "lost",
        "chips",
        "spare_chips",
        "per_chip",
        "unit_chips",
        "mtbf_s",
        "interval_s",
        "blocking_s",
        "failures",
        "tokens_per_s",
        "policies",
        "guesses",
    )

    @property
    def goodput(self) -> float:
        """Share of what the job would do without failures, checkpoints and stragglers: 0 to 1."""
        return self._plan.chain.goodput

    @property
    def parts(self) -> Mapping[str, float]:
        """What each cause leaves; the product is the goodput.

        ``availability`` (enough units), ``scaling`` (replicas that are there), ``stragglers``
        (steps that are slower, by modes too), ``restart``, ``checkpoint``, ``lost_work``.
        """
        return MappingProxyType(dict(zip(PARTS, self._plan.chain, strict=True)))

    @property
    def lost(self) -> Mapping[str, float]:
        """What each cause takes, one after another: with the goodput they add up to 1."""
        left, taken = 1.0, {}
        for name, share in self.parts.items():
            taken[name] = left * (1 - share)
            left *= share
        return MappingProxyType(taken)

    @property
    def chips(self) -> int:
        """Chips of the job."""
        return self._plan.chips

    @property
    def spare_chips(self) -> int:
        """Chips that stand by, beside those of the job."""
        return self._plan.spare_chips

    @property
    def unit_chips(self) -> int:
        """Chips that a failure takes out until it is repaired."""
        return self._plan.unit

    @property
    def per_chip(self) -> float:
        """Goodput for each chip that is held, spares counted."""
        return self._plan.per_chip

    @property
    def mtbf_s(self) -> float:
        """Mean seconds between failures of the job; of islands, of one of them."""
        return self._plan.mtbf_hours * _HOUR

    @property
    def interval_s(self) -> float:
        """Seconds of work between checkpoints; infinite where nothing goes back to one."""
        return self._plan.job.interval * _HOUR

    @property
    def blocking_s(self) -> float:
        """Seconds for which a checkpoint holds the step up."""
        return self._plan.job.blocking * _HOUR

    @property
    def failures(self) -> float:
        """Failures to expect in these hours."""
        return self._plan.failures_per_hour * self.hours

    @property
    def tokens_per_s(self) -> float | None:
        """Tokens a second that count; None where the step has no tokens."""
        tokens = self._asked.work.tokens
        return None if tokens is None else tokens / self._asked.work.seconds * self.goodput

    @property
    def guesses(self) -> tuple[str, ...]:
        """What was not said, and what stands for it, a line each."""
        return self._asked.guesses

    @property
    def policies(self) -> Table:
        """All policies side by side, the most progress for each chip held first.

        Columns: ``policy``, ``goodput``, ``per_chip`` (for each chip held, spares counted),
        ``spare_chips``, ``mtbf_h`` (hours between failures), ``interval_h``, ``availability``,
        ``failures`` in these hours, ``break_even_mtbf_h`` (hours between failures of the job asked
        about at which both do as well as each other; NaN where none is within a thousand times),
        ``note`` (what it stands on, or why there is no answer).
        """
        machine: Any = self.machine
        asked = with_slowdowns(machine, self._asked)
        every = [self._row(policy, asked) for policy in POLICIES]
        rows = sorted(every, key=lambda row: -_known(row["per_chip"]))
        return Table({name: [row[name] for row in rows] for name in rows[0]})

    @property
    def sensitivity(self) -> Table:
        """Goodput with each thing that was not said alone at the ends of its range.

        Columns: ``what``, ``worst``, ``best``; what moves the answer most first.
        """
        machine: Any = self.machine
        used = [pair for pair in self._asked.ranges if pair[0] in MATTERS[self.policy]]
        rows = []
        for name, ends in used:
            changed: list[dict[str, Any]] = [{name: end} for end in ends]
            both = [
                plan(machine, replace(self._asked, **one), self.policy).chain.goodput
                for one in changed
            ]
            rows.append((name, min(both), max(both)))
        rows.sort(key=lambda row: row[1] - row[2])
        names = ("what", "worst", "best")
        return Table({name: [row[at] for row in rows] for at, name in enumerate(names)})

    @property
    def by_source(self) -> Table:
        """The same under each published rate: none of them is of Trainium.

        Columns: ``rates``, ``mtbf_h`` (hours between failures), ``goodput``, ``note``.
        """
        machine: Any = self.machine
        rows = []
        for name in RATE_SOURCES:
            asked = replace(self._asked, rates=FailureRates.published(name))
            one = plan(machine, asked, self.policy)
            rows.append((name, one.mtbf_hours, one.chain.goodput, one.note))
        columns = zip(("rates", "mtbf_h", "goodput", "note"), zip(*rows, strict=True), strict=True)
        return Table({name: list(column) for name, column in columns})

    def _row(self, policy: str, asked: Asked) -> dict[str, Any]:
        machine: Any = self.machine
        try:
            one = plan(machine, asked, policy)
        except RainierError as error:
            numbers = dict.fromkeys(_NUMBERS, math.nan)
            return {"policy": policy, **numbers, "note": str(error)}
        other = math.nan
        if policy != self.policy:
            factor = break_even(machine, asked, policy, self.policy)
            other = self._plan.mtbf_hours / factor
        values = (
            one.chain.goodput,
            one.per_chip,
            float(one.spare_chips),
            one.mtbf_hours,
            one.job.interval,
            one.chain.availability * one.chain.scaling,
            one.failures_per_hour * self.hours,
            other,
        )
        return {"policy": policy, **dict(zip(_NUMBERS, values, strict=True)), "note": one.note}

    def __repr__(self) -> str:
        return f"<Goodput {self._head()}>"

    def _head(self) -> str:
        where = f"{format_count(self.chips)} chips"
        often = format_hours(self.mtbf_s)
        band = f" ({self.low:.1%} to {self.high:.1%})" if self.low < self.high else ""
        return (
            f"{self.goodput:.1%} of the work of {where} gets done{band}, by {self.policy}; "
            f"{often} between failures"
        )

    def _page(self) -> list[Any]:
        lost = sorted(self.lost.items(), key=lambda pair: -pair[1])
        taken = ", ".join(f"{name} {share:.1%}" for name, share in lost if share >= 0.0005)
        facts: Facts = [
            ("lost to", taken or "nothing"),
            ("failures", f"{self.failures:,.0f} in {format_hours(self.hours * _HOUR)}"),
            ("checkpoints", self._checkpoints()),
            ("policy", f"{POLICIES[self.policy]}; {self._plan.note}"),
        ]
        facts += [("too long", line) for line in self._too_long()]
        if self.simulated is not None:
            facts.append(("by events", f"{self.simulated:.1%}"))
        table = self.policies
        facts += [("not said", line) for line in self.guesses]
        words = in_words(table, self.policy, self.mtbf_s)
        facts += [("policies" if at == 0 else "", line) for at, line in enumerate(words)]
        return [self._head(), facts, "", table._part(_SHOWN)]

    def _too_long(self) -> list[str]:
        """Return what takes longer than the job lasts between failures, in words."""
        job = self._plan.job
        if not job.rate:
            return []
        mean = format_hours(_HOUR / job.rate)
        times = {"a restart": job.restart, "work between checkpoints": job.interval}
        return [
            f"{name} takes {format_hours(hours * _HOUR)}, and the job fails every {mean}"
            for name, hours in times.items()
            if 1 / job.rate < hours < math.inf
        ]

    def _checkpoints(self) -> str:
        held = format_hours(self.blocking_s)
        if self.interval_s == math.inf:
            return f"none: nothing goes back to one; one would take {held}"
        return f"every {format_hours(self.interval_s)} of work, {held} each"


_NUMBERS: Final = (
    "goodput",
    "per_chip",
    "spare_chips",
    "mtbf_h",
    "interval_h",
    "availability",
    "failures",
    "break_even_mtbf_h",
)


def _known(number: float) -> float:
    return -1.0 if math.isnan(number) else number


def answer(machine: Modes, asked: Asked, seed: int, *, events: bool) -> Goodput:
    """Return the answer to a question, by events too where that is wanted."""
    own = plan(machine, asked, asked.policy)
    if own.job.blocking * own.job.rate >= 1:
        mean = format_hours(_HOUR / own.job.rate)
        raise invalid(
            "blocking",
            own.job.blocking * _HOUR,
            f"seconds: a checkpoint must be shorter than the {mean} between failures; save less, "
            "or take a policy under which fewer failures stop the job",
        )
    ends = [plan(machine, asked.at(end), asked.policy).chain.goodput for end in ("worst", "best")]
    ran: Simulated | None = None
    if events:
        ran = simulate(own.job, asked.hours * own.parts, seed)
    return Goodput(
        machine,
        asked.policy,
        asked.rates,
        asked.hours,
        min(*ends, own.chain.goodput),
        max(*ends, own.chain.goodput),
        None if ran is None else ran.goodput,
        asked,
        own,
    )
