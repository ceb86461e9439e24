"""Several plans at once: what they cost each other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rainier_fast.ask.runtime import AS_GIVEN
from rainier_fast.definitions.check import as_integer
from rainier_fast.errors import as_one_of
from rainier_fast.screen import Report, Told, one_screen
from rainier_fast.table import Table, columns_of
from rainier_fast.units import format_count, format_time


@one_screen
@dataclass(frozen=True, slots=True)
class Meeting(Told):
    """Where plans meet: a link, or a part of a chip.

    Attributes
    ----------
    link_class
        What kind of link it is, as `Link.link_class` says it; ``"HBM by DMA"`` for what a chip's
        DMA engines move.
    link
        The number of one such link; None for a part of a chip.
    chip
        One such chip; None for a link.
    plans
        Names of the plans that use it.

    Examples
    --------
    >>> print(Meeting("nic egress", 12, None, ("a", "b")))
    nic egress (link 12, with a, b)
    """

    link_class: str
    link: int | None
    chip: int | None
    plans: tuple[str, ...]

    def __str__(self) -> str:
        where = f"chip {self.chip}" if self.link is None else f"link {self.link}"
        return f"{self.link_class} ({where}, with {', '.join(self.plans)})"


@one_screen
@dataclass(frozen=True, slots=True)
class PlanResult(Told):
    """One plan among others.

    Attributes
    ----------
    name
        Its name.
    what
        What it does: an operation, or ``"compute"``.
    algorithm
        By which algorithm; empty for a computation.
    start_s
        Seconds at which it starts.
    alone_s
        Seconds that it takes alone.
    time_s
        Seconds that it takes among the others, from its start.
    slowed_by
        What slows it most; None if nothing does.
    kind
        What kind of number its time alone is: `CollectiveResult.kind`; empty for a computation,
        whose time was given.

    Examples
    --------
    >>> PlanResult("a", "all_reduce", "ring", 0.0, 1.0, 2.0, None).slowdown
    2.0
    """

    name: str
    what: str
    algorithm: str
    start_s: float
    alone_s: float
    time_s: float
    slowed_by: Meeting | None
    kind: str = ""

    _also = ("finish_s", "slowdown")

    @property
    def finish_s(self) -> float:
        """Seconds at which it ends."""
        return self.start_s + self.time_s

    @property
    def slowdown(self) -> float:
        """Time among the others over time alone: 1 where nobody is in the way."""
        return self.time_s / self.alone_s if self.alone_s else 1.0

    @property
    def link_class(self) -> str:
        """The class of what slows it most; empty if nothing does."""
        return "" if self.slowed_by is None else self.slowed_by.link_class


@one_screen
@dataclass(frozen=True, repr=False)
class TogetherResult(Report, Told):
    """Plans that ran together, in the order in which they were given. Immutable.

    Attributes
    ----------
    plans
        How each fared.
    model
        How contention was modelled.
    busiest_s
        Seconds that the busiest link is busy with the bytes of all plans.
    bottleneck
        That link; None where no bytes move.
    messages
        Messages that were simulated; 0 for ``"link_load"``.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> mesh = preset("trn2").mesh(dp=4, tp=4)
    >>> gather = mesh.plan.all_gather("64 MiB", axis="tp")
    >>> reduce = mesh.plan.all_reduce("64 MiB", axis="dp")
    >>> both = mesh.machine.together([gather, reduce])
    >>> [plan.slowdown for plan in both]
    [1.0, 1.0]
    """

    plans: tuple[PlanResult, ...]
    model: str
    busiest_s: float
    bottleneck: Meeting | None
    messages: int = 0

    _also = ("kind", "makespan_s", "one_after_another_s")

    def __len__(self) -> int:
        return len(self.plans)

    def __iter__(self) -> Iterator[PlanResult]:
        return iter(self.plans)

    def __getitem__(self, which: int | str) -> PlanResult:
        if isinstance(which, str):
            names = [plan.name for plan in self.plans]
            return self.plans[names.index(as_one_of("plan", which, names))]
        return self.plans[as_integer("plan", which, -len(self), len(self) - 1)]

    @property
    def kind(self) -> str:
        """What kinds of number the times of the plans are, each once; empty where all compute."""
        return ", ".join(dict.fromkeys(plan.kind for plan in self.plans if plan.kind))

    @property
    def makespan_s(self) -> float:
        """Seconds at which the last plan ends."""
        return max((plan.finish_s for plan in self.plans), default=0.0)

    @property
    def one_after_another_s(self) -> float:
        """Seconds that the plans would take one after another."""
        return math.fsum(plan.alone_s for plan in self.plans)

    @property
    def table(self) -> Table:
        """A row for each plan."""
        times = columns_of(
            self.plans, "algorithm", "kind", "start_s", "alone_s", "time_s", "slowdown"
        )
        slowed = ["" if row.slowed_by is None else str(row.slowed_by) for row in self.plans]
        return Table(columns_of(self.plans, plan="name") | times | {"slowed by": slowed})

    def _of_kind(self) -> str:
        return f", {self.kind or AS_GIVEN}"

    def __repr__(self) -> str:
        slowest = max((plan.slowdown for plan in self.plans), default=1.0)
        return (
            f"<TogetherResult: {len(self.plans)} plans, {self.makespan_s:.6g} s"
            f"{self._of_kind()}, slowdown at most {slowest:.6g}, model {self.model}>"
        )

    def _page(self) -> list[Any]:
        simulated = f", {format_count(self.messages)} messages" if self.messages else ""
        busiest = "none: no bytes move"
        if self.bottleneck is not None:
            busiest = f"{self.bottleneck}, busy for {format_time(self.busiest_s)}"
        facts = [
            ("model", self.model + simulated),
            ("one by one", format_time(self.one_after_another_s)),
            ("busiest link", busiest),
        ]
        time = f"{format_time(self.makespan_s)}{self._of_kind()}"
        head = f"{len(self.plans)} plans together: {time}"
        return [head, facts, "", self.table]
