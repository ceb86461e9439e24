"""What a collective costs: the numbers, and those that follow from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from inspect import cleandoc
from typing import Any, Self, TypeVar

from rainier_fast import _core
from rainier_fast.ask.cores import CoreGroups
from rainier_fast.ask.request import Request
from rainier_fast.ask.runtime import LINKS_ALONE, kind_of_candidates
from rainier_fast.catalog import Figure
from rainier_fast.results.link import Bottleneck
from rainier_fast.table import Table, Tables
from rainier_fast.topology.base import Base


def choice_of(outcome: _core.Outcome) -> str | tuple[str, ...]:
    """Return how to ask for the algorithms of an answer again: by a name, or one for each tier."""
    choice = outcome.choice
    return choice if isinstance(choice, str) else tuple(choice)


_Class = TypeVar("_Class", bound=type)


def says_its_fields(cls: _Class) -> _Class:
    """Give a kind of `Answer` its words on fields, before those on examples."""
    own, examples, rest = cleandoc(cls.__doc__ or "").partition("Examples\n")
    fields = cleandoc(Answer.__doc__ or "").partition("\n\n")[2]
    cls.__doc__ = f"{own}{fields}\n\n{examples}{rest}"
    return cls


@dataclass(frozen=True, repr=False)
class Answer:
    """What a collective call answers.

    Attributes
    ----------
    operation
        What was done.
    algorithm
        How: the name of the algorithm, with those of each tier where it is hierarchical.
    model
        How contention was modelled.
    ranks, groups
        Chips in each group, or cores where ranks are those, and groups that ran at once.
    size_bytes
        Bytes, as nccl-tests defines them for the operation.
    chunks
        Chunks that followed each other through the stages.
    steps
        Steps of one chunk that wait for each other, all stages together; what a call takes before
        its messages counts as one.
    time_s
        Seconds in all.
    latency_s, overhead_s
        Seconds of it that are latency, and that are starting messages.
    bus_factor
        busbw / algbw.
    lower_bound_s
        Seconds that no schedule beats on this machine.
    bottleneck
        The busiest link; None where no bytes move.
    dtype
        Type of the numbers, as it was asked for; None where that was left out.
    machine, request
        The machine, and what was asked for.
    note
        Why the algorithm chose as it did, where it has rules of its own.
    unmeasured
        The parts of a time by ``"neuron"`` that rest on no measurement: tiers, groups, operations
        or types of which no rows are known. Of others it is empty; `note` has what is known there.
    """

    operation: str
    algorithm: str
    model: str
    ranks: int
    groups: int
    size_bytes: float
    chunks: int
    steps: int
    time_s: float
    latency_s: float
    overhead_s: float
    bus_factor: float
    lower_bound_s: float
    bottleneck: Bottleneck | None
    dtype: str | None
    machine: Base
    request: Request
    note: str
    unmeasured: tuple[str, ...]
    _chosen: dict[str, Any]
    # How to ask for the same algorithms again: a name, or one for each tier.
    _choice: str | tuple[str, ...]
    _tables: Tables
    _left_out: bool
    # The table of candidates, once it was read, where bounds left some out.
    _candidates: list[Table] = field(default_factory=list, compare=False)

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def _of(cls, machine: Base, request: Request, outcome: _core.Outcome) -> Self:
        """Make a result of the core's answer, of which it keeps numbers and tables alone."""
        made = object.__new__(cls)
        worst = (facts := outcome.facts())["bottleneck"]
        facts |= {
            "bottleneck": None if worst is None else Bottleneck(**worst),
            "unmeasured": tuple(facts["unmeasured"]),
            "machine": machine,
            "request": request,
            "_chosen": facts.pop("choice"),
            "_choice": choice_of(outcome),
            "_tables": Tables(outcome.tables()),
            "_left_out": outcome.left_out,
            "_candidates": [],
        }
        if isinstance(request.groups, CoreGroups):
            facts |= request.groups.facts(request)
        vars(made).update(facts)
        return made

    @property
    def kind(self) -> str:
        """What kind of number the time is.

        ``"links alone"``: the best that a schedule takes on the links; ``"as neuron runs it"``,
        ``"as nccl runs it"`` or ``"as xla runs it"``: what that software chooses and takes.
        """
        return self.request.kind

    @property
    def choice(self) -> dict[str, Any]:
        """What was chosen, by the names that its users have for it.

        ``algorithm``: a name, or one for each tier, to ask for the same again. Of ``"neuron"`` the
        runtime's ``algorithm``; of ``"nccl"`` its ``algorithm``, ``protocol`` and ``channels``; of
        ``"xla"`` what the compiled text says: ``remains`` (the operation that is left),
        ``emitter``, ``strategy``, ``colours``, ``phases``, ``rotations`` (orders of axes, counted
        y, x, z), ``rings`` (chips, by colour and phase), ``multistep`` and ``versions``.
        """
        return deepcopy(self._chosen)

    @property
    def bounds(self) -> Table:
        """All bounds, the highest first: ``bound``, ``time_s``; always of the links alone."""
        return self._tables["bounds"]._of_kind(LINKS_ALONE)

    @property
    def stages(self) -> Table:
        """The stages, each with its pieces overlapping.

        ``stage``, ``tier``, ``steps``, ``bytes``, ``latency_s``, ``overhead_s``,
        ``serialisation_s``, ``time_s``, ``bottleneck``.
        """
        return self._tables["stages"]._of_kind(self.kind)

    @property
    def phases(self) -> Table:
        """The phases, one after another: the columns of `stages`, and ``what`` happens."""
        return self._tables["phases"]._of_kind(self.kind)

    @property
    def candidates(self) -> Table:
        """All algorithms that were considered: ``algorithm``, ``time_s``, ``reason``.

        Those that bounds rule out at once are priced when this is read. Of ``"nccl"`` times are
        those by which NCCL chooses.
        """
        return self._considered()._of_kind(kind_of_candidates(self.request.algorithm))

    def _considered(self) -> Table:
        if not self._left_out:
            return self._tables["candidates"]
        if not self._candidates:
            priced = Tables(self.request.candidates(self.machine))
            self._candidates.append(priced["candidates"])
        return self._candidates[0]

    @property
    def serialisation_s(self) -> float:
        """Seconds that bytes are on the wire: what latency and overhead leave of the time."""
        return max(self.time_s - self.latency_s - self.overhead_s, 0.0)

    @property
    def algbw_Bps(self) -> float:  # noqa: N802 - B is the unit's letter
        """Size over time, bytes/s; infinite where bytes take no time."""
        if self.time_s > 0:
            return self.size_bytes / self.time_s
        return math.inf if self.size_bytes > 0 else 0.0

    @property
    def busbw_Bps(self) -> float:  # noqa: N802 - B is the unit's letter
        """`algbw_Bps` times the bus factor of nccl-tests, bytes/s; 0 for a group of one."""
        return self.algbw_Bps * self.bus_factor if self.bus_factor > 0 else 0.0

    @property
    def efficiency(self) -> float:
        """Lower bound over time; 1 where both are 0."""
        if self.time_s > 0:
            return self.lower_bound_s / self.time_s
        return math.inf if self.lower_bound_s > 0 else 1.0

    @property
    def assumptions(self) -> Mapping[str, Figure]:
        """The catalogue's assumptions that the machine stands on."""
        return self.machine.assumptions
