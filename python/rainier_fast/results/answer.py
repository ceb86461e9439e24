"""What a collective costs: the numbers, and those that follow from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from rainier_fast import _core
from rainier_fast.ask.request import Request
from rainier_fast.catalog import Figure
from rainier_fast.results.link import Bottleneck
from rainier_fast.table import Table
from rainier_fast.topology.base import Base

__all__ = ["Answer", "choice_of"]


def choice_of(outcome: _core.Outcome) -> str | tuple[str, ...]:
    """Return how to ask for the algorithms of an answer again: by a name, or one for each tier."""
    choice = outcome.choice
    return choice if isinstance(choice, str) else tuple(choice)


@dataclass(frozen=True, repr=False)
class Answer:
    """The fields of `CollectiveResult`, which says what they are."""

    operation: str
    algorithm: str
    model: str
    ranks: int
    groups: int
    size_bytes: float
    chunks: int
    time_s: float
    latency_s: float
    overhead_s: float
    bus_factor: float
    lower_bound_s: float
    bottleneck: Bottleneck | None
    bounds: Table
    stages: Table
    phases: Table
    candidates: Table
    machine: Base
    request: Request
    note: str = ""
    # How to ask for the same algorithms again: a name, or one for each tier.
    _choice: str | tuple[str, ...] = field(default="auto", kw_only=True)
    _outcome: _core.Outcome | None = field(default=None, compare=False)

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def _of(cls, machine: Base, request: Request, outcome: _core.Outcome) -> Self:
        """Make a result of the core's answer."""
        worst = outcome.bottleneck
        return cls(
            operation=outcome.operation,
            algorithm=outcome.algorithm,
            model=outcome.model,
            ranks=outcome.ranks,
            groups=outcome.groups,
            size_bytes=outcome.size,
            chunks=outcome.chunks,
            time_s=outcome.time,
            latency_s=outcome.latency,
            overhead_s=outcome.overhead,
            bus_factor=outcome.bus_factor,
            lower_bound_s=outcome.lower_bound,
            bottleneck=None if worst is None else Bottleneck(*worst),
            bounds=_table(("bound", "time_s"), outcome.bounds),
            stages=_table(_STAGE, outcome.stages),
            phases=_table(_PHASE, outcome.phases),
            candidates=_table(
                ("algorithm", "time_s", "reason"),
                [
                    (name, math.nan if seconds is None else seconds, reason)
                    for name, seconds, reason in outcome.candidates
                ],
            ),
            machine=machine,
            request=request,
            note=outcome.note,
            _choice=choice_of(outcome),
            _outcome=outcome,
        )

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_outcome": None}

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


_STAGE = (
    "stage",
    "tier",
    "steps",
    "bytes",
    "latency_s",
    "overhead_s",
    "serialisation_s",
    "time_s",
    "bottleneck",
)
_PHASE = (_STAGE[0], "what", *_STAGE[1:])


def _table(names: tuple[str, ...], rows: list[Any]) -> Table:
    return Table({name: [row[at] for row in rows] for at, name in enumerate(names)})
