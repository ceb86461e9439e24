"""The same jobs by events: failures drawn one by one, and what the job does between them."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rainier_fast.errors import Unsupported
from rainier_fast.memory import reckon
from rainier_fast.operations.chain import Job

_Times = NDArray[np.float64]
_BYTES_PER_EVENT: Final = 200
_MOST_EVENTS: Final = 20_000_000


class Simulated(NamedTuple):
    """What a run of events gave."""

    goodput: float
    failures: int
    """Failures that struck, whether or not the job ran."""
    short_hours: float
    """Hours without enough units for all of the job."""


class _Units(NamedTuple):
    """Failures and repairs of units in order, and how many are down after each."""

    at: _Times
    is_failure: NDArray[np.bool_]
    down: NDArray[np.int64]
    down_first: int


def simulate(job: Job, hours: float, seed: int) -> Simulated:
    """Run a job for so many hours, from a moment at which repairs are in their steady state."""
    expected = (job.unit_rate * 2 + job.job_rate) * hours + job.unit_rate * job.repair
    if expected > _MOST_EVENTS:
        raise Unsupported(
            f"a simulation of about {expected:,.0f} events, of which at most {_MOST_EVENTS:,} are "
            "drawn; ask for fewer hours, or leave simulate out: the closed form needs no events"
        )
    nbytes = int(expected) * _BYTES_PER_EVENT
    reckon(nbytes, f"a simulation of {expected:,.0f} events", "ask for fewer hours")
    random = np.random.default_rng(seed)
    units = _units(job, hours, random)
    others = np.sort(random.uniform(0, hours, random.poisson(job.job_rate * hours)))
    failures = int(units.is_failure.sum()) + others.size
    if job.teams:
        useful, short = _teams(job, units, others, hours)
    else:
        useful, short = _together(job, units, others, hours)
    return Simulated(useful / hours / job.slowdown, failures, short)


def _units(job: Job, hours: float, random: np.random.Generator) -> _Units:
    failed = np.sort(random.uniform(0, hours, random.poisson(job.unit_rate * hours)))
    if job.repair == 0:
        none = np.zeros(failed.size, np.int64)
        return _Units(failed, np.ones(failed.size, np.bool_), none, 0)
    # Repairs that last exponential times last as long again, whenever one looks.
    first = int(random.poisson(job.unit_rate * job.repair))
    since = np.concatenate((np.zeros(first), failed))
    back = since + random.exponential(job.repair, since.size)
    back = back[back < hours]
    at = np.concatenate((failed, back))
    step = np.repeat([1, -1], [failed.size, back.size])
    order = np.argsort(at, kind="stable")
    return _Units(at[order], step[order] > 0, first + np.cumsum(step[order]), first)


def _together(job: Job, units: _Units, others: _Times, hours: float) -> tuple[float, float]:
    """Return the useful hours of a job that needs all of its units, and those that it is short."""
    before = np.concatenate(([units.down_first], units.down[:-1]))
    enough, was = units.down <= job.spares, before <= job.spares
    struck = units.at[units.is_failure & was]
    back = units.at[~units.is_failure & enough & ~was]
    going = units.at[units.is_failure & was & enough]
    # What strikes a job that waits for units changes nothing.
    have = units.down_first <= job.spares
    at = np.searchsorted(units.at, others, side="right")
    running = np.concatenate(([have], enough))[at]
    cuts = np.sort(np.concatenate((struck, others[running])))
    first = np.zeros(1 if have else 0)
    starts = np.sort(np.concatenate((first, going, back, others[running])))
    ends = np.concatenate((cuts, [hours]))[np.searchsorted(cuts, starts, side="right")]
    short = float(hours - (ends - starts).sum())
    return _work(job, starts, ends, hours), short


def _work(job: Job, starts: _Times, ends: _Times, hours: float) -> float:
    """Return the hours of work that checkpoints save, and of what still runs at the end."""
    cycle = job.interval + job.blocking
    lengths = np.maximum(ends - starts - job.restart, 0)
    last = ends == hours
    if not cycle < math.inf:
        return float(lengths[last].sum())
    if cycle == 0:
        return float(lengths.sum())
    pieces = np.floor(np.maximum(lengths - job.persist, 0) / cycle)
    useful = pieces * job.interval
    under_way = np.floor(lengths / cycle)
    unsaved = np.minimum(lengths - under_way * cycle, job.interval) + under_way * job.interval
    return float(np.where(last, unsaved, useful).sum())


def _teams(job: Job, units: _Units, others: _Times, hours: float) -> tuple[float, float]:
    """Return the useful hours of teams, each weighed by its share, and those short of some."""
    total = job.teams * job.units_per_team + job.spares
    edges = np.concatenate(([0.0], units.at, [hours]))
    down = np.concatenate(([units.down_first], units.down))
    whole = np.clip(np.floor((total - down) / job.units_per_team + 1e-9), 0, job.teams)
    share = whole / job.teams
    lengths = np.diff(edges)
    short = float(lengths[whole < job.teams].sum())
    # All teams stop from each failure of a unit until the others have gone on without it, and
    # the step on its way is lost: what a stretch between two failures leaves is whole steps.
    failed = edges[:-1][np.concatenate(([False], units.is_failure))]
    bounds = np.concatenate(([0.0], failed, [hours]))
    gaps = np.diff(bounds)
    left = np.maximum(gaps - job.rebuild, 0)
    left[0] = gaps[0]
    if job.step:
        left[:-1] = np.floor(left[:-1] / job.step) * job.step
    kept = np.divide(left, gaps, out=np.zeros_like(gaps), where=gaps > 0)
    which = np.searchsorted(failed, edges[:-1], side="right")
    running = share * lengths * kept[which]
    # What stops the whole job takes it back to its last checkpoint.
    starts = np.concatenate(([0.0], others))
    ends = np.concatenate((others, [hours]))
    saved = _work(job, starts, ends, hours) / hours
    return float(running.sum()) * saved, short
