"""What failures leave of the time, in closed form: a chain of shares whose product is the goodput.

Failures of a job come at a constant rate L. From one to the next it restarts for r, then works for
tau and is held up for delta, over and over; a piece counts once its copy is safe, p later. The mean
of tau x floor((X - r - p) / (tau + delta)) over an exponential X, times L, is
L tau exp(-L (r + p)) / (exp(L (tau + delta)) - 1): Daly's wall-clock formula (2004).
It is written here as the product of what each cause leaves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast.operations.poisson import at_most, probabilities

PARTS: Final = ("availability", "scaling", "stragglers", "restart", "checkpoint", "lost_work")
"""What takes time, in the order of the chain."""


_Down: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float64]]
_TRIED: Final = 17
_MOST_EXPONENT: Final = 700.0  # of a float


class Chain(NamedTuple):
    """The share that each cause leaves; their product is the goodput."""

    availability: float
    scaling: float
    stragglers: float
    restart: float
    checkpoint: float
    lost_work: float

    @property
    def goodput(self) -> float:
        """The product of all."""
        return math.prod(self)


@dataclass(frozen=True, slots=True)
class Job:
    """A job among failures, all in hours and failures per hour.

    Attributes
    ----------
    unit_rate
        Failures that take a unit out until it is repaired.
    job_rate
        Failures that take none.
    repair
        Hours until a unit works again; 0 where another one is there at once.
    restart
        Hours from a failure to the first step, what stands in counted.
    blocking, interval, persist
        Of a checkpoint; an infinite interval is none.
    spares
        Units that stand by.
    slowdown
        How much longer its steps take.
    teams
        Parts that run without the others, 0 for a job that needs all of its units.
    units_per_team
        Units of each; may be a fraction.
    rebuild, step
        Of teams: hours that all stop for when one leaves, and the step that is lost.
    """

    unit_rate: float
    job_rate: float
    repair: float
    restart: float
    blocking: float
    interval: float
    persist: float = 0.0
    spares: int = 0
    slowdown: float = 1.0
    teams: int = 0
    units_per_team: float = 0.0
    rebuild: float = 0.0
    step: float = 0.0

    @property
    def rate(self) -> float:
        """Failures of an hour that stop the job."""
        return self.job_rate if self.teams else self.unit_rate + self.job_rate

    def but(self, **changed: float) -> Job:
        """Return the same with other values."""
        return replace(self, **changed)  # type: ignore[arg-type] # spares and teams are integers


def chain(job: Job) -> Chain:
    """Return what each cause leaves of a job's time."""
    down = job.unit_rate * job.repair
    restart, checkpoint, lost = _saved(job)
    if not job.teams:
        return Chain(at_most(down, job.spares), 1.0, 1 / job.slowdown, restart, checkpoint, lost)
    # Teams: those that stay lose the step that is on its way, and stop while one leaves.
    lost *= _whole(job.unit_rate * job.step)
    restart *= math.exp(-job.unit_rate * job.rebuild)
    whole = _whole_teams(job, probabilities(down))
    return Chain(1.0, whole, 1 / job.slowdown, restart, checkpoint, lost)


def _saved(job: Job) -> tuple[float, float, float]:
    """Return what restarts, checkpoints and lost work leave."""
    cycle = job.interval + job.blocking
    checkpoint = job.interval / cycle if 0 < cycle < math.inf else 1.0
    if job.rate == 0:
        return 1.0, checkpoint, 1.0
    return (
        math.exp(-job.rate * job.restart),
        checkpoint,
        _whole(job.rate * cycle) * math.exp(-job.rate * job.persist),
    )


def _whole(failures: float) -> float:
    """Return the share of the time that is in whole pieces, of so many failures in a piece."""
    if failures > _MOST_EXPONENT:
        return 0.0
    return failures / math.expm1(failures) if failures else 1.0


def _whole_teams(job: Job, down: _Down) -> float:
    """Return the share of the teams that have all of their units, in the mean."""
    counts, weights = down
    units = job.teams * job.units_per_team + job.spares
    # A hair more: a fraction of units may be a hair below a whole number.
    whole = np.floor((units - counts) / job.units_per_team + 1e-9)
    return float((np.clip(whole, 0, job.teams) * weights).sum() / job.teams)


def best_spares(job: Job, units: float) -> int:
    """Return how many spares give most progress for each unit that is held, spares counted."""
    counts, weights = probabilities(job.unit_rate * job.repair)
    if not job.teams:
        # Fewer than the support has are of no use, unless none pays.
        held = np.cumsum(weights) * units / (units + counts)
        none = at_most(job.unit_rate * job.repair, 0)
        best = int(held.argmax())
        return int(counts[best]) if held[best] > none else 0
    most = int(counts[-1])
    first, last = 0, most
    while True:
        tried: list[int] = sorted(set(np.linspace(first, last, _TRIED).astype(int).tolist()))
        shares = [
            _whole_teams(job.but(spares=k), (counts, weights)) * units / (units + k) for k in tried
        ]
        at = int(np.argmax(shares))
        if last - first < _TRIED:
            return tried[at]
        first, last = tried[max(at - 1, 0)], tried[min(at + 1, len(tried) - 1)]
