"""A day of a fleet, reckoned: who holds which UltraServers when, and what comes of it."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np

from rainier_fast.catalog import catalog
from rainier_fast.errors import Unsupported
from rainier_fast.fleet import supply
from rainier_fast.fleet.asked import Shared, objective
from rainier_fast.fleet.day import FleetDay, JobDay, ServiceDay
from rainier_fast.fleet.energy import energy
from rainier_fast.fleet.split import Floats, Ints, Needs, best_sizes, lost, needs
from rainier_fast.operations.jobs import unit_rate
from rainier_fast.operations.poisson import at_most
from rainier_fast.units import format_hours

_HOUR: Final = 3600.0
_TIMES: Final = {"loading": "loading", "compiling": "compiling", "restore": "restart"}
"""Times of a hand-over, and what stands for them in the catalogue."""


class Handover(NamedTuple):
    """Seconds for which UltraServers load before they serve, and for which a job stops."""

    early: float
    stop: float


def reckon(fleet: Shared) -> FleetDay:
    """Return the day of `Fleet.day`."""
    machine = fleet.machine
    down, spares = _down(fleet)
    usable = machine.num_ultraservers - max(spares, math.ceil(down))
    aim = supply.Objective(*objective(fleet))
    blocks = [
        supply.block(at, machine, service, layout, aim)
        for at, (service, layout, _) in enumerate(fleet.services)
    ]
    rates = [one.served.tokens_per_s for one in blocks]
    units = [one.units for one in blocks]
    demand = [day for _, _, day in fleet.services]
    need = needs(demand, rates, units, usable)
    usual = _handover(fleet, "number")
    services = [
        _service(at, block, need, np.asarray(demand[at]), usual.early)
        for at, block in enumerate(blocks)
    ]
    sizes = _sizes(fleet, need, usable)
    jobs = _jobs(sizes, need, usual)
    band = sorted(_trained(_jobs(sizes, need, _handover(fleet, end))) for end in ("low", "high"))
    trained = _trained(jobs)
    cost = None
    if fleet.prices is not None:
        asked = {name: getattr(fleet, name) for name in ("prices", "date", "region", "instance")}
        cost = machine.cost(hours=24, **asked)
    return FleetDay(
        machine,
        fleet,
        tuple(services),
        tuple(jobs),
        spares,
        down,
        at_most(down, max(spares, math.ceil(down))),
        min(band[0], trained),
        max(band[1], trained),
        cost,
        energy(fleet, services, jobs),
        tuple(_guesses(fleet)),
    )


def _down(fleet: Shared) -> tuple[float, int]:
    """Return the UltraServers in repair in the mean (Palm's theorem), and those that stand by."""
    machine, rates = fleet.machine, fleet.rates
    rate = unit_rate(rates, machine, machine.num_chips)  # type: ignore[arg-type] # checked
    down = rate * _repair(fleet)
    most = machine.num_ultraservers
    if down > most - 1:
        raise Unsupported(
            f"of {most:,} UltraServers {down:,.4g} would be in repair at all times: nothing is "
            "left; give lower rates=, or a shorter repair="
        )
    return down, math.ceil(down) if fleet.spares is None else fleet.spares


def _repair(fleet: Shared) -> float:
    """Return the mean hours of a repair."""
    if fleet.repair is not None:
        return float(fleet.repair) / _HOUR
    known = getattr(fleet.rates, "repair_hours", None)
    return catalog()["practice"]["repair"].number if known is None else float(known)


def _handover(fleet: Shared, end: str) -> Handover:
    """Return the times of a hand-over: as given, or the catalogue's value, low or high end."""
    told = {}
    for name, key in _TIMES.items():
        given = getattr(fleet, name)
        hours = getattr(catalog()["practice"][key], end)
        told[name] = float(given) if given is not None else hours * _HOUR
    early, stop = (told[name] + told["compiling"] for name in ("loading", "restore"))
    return Handover(early, stop)


def _service(at: int, block: Any, need: Needs, demand: Floats, early: float) -> ServiceDay:  # noqa: ANN401
    """Return what a service serves of its demand in each hour, in tokens."""
    rate = block.served.tokens_per_s / block.units
    held = need.held[at]
    ready = held - -(-need.late[at] // block.units) * block.units
    seconds = np.where(need.late[at] > 0, early, 0.0)  # without those that still load
    asked = demand * _HOUR
    served = np.minimum(demand, ready * rate) * seconds
    served += np.minimum(demand, held * rate) * (_HOUR - seconds)
    # What only rounding leaves is none.
    return ServiceDay(block, held, asked, np.where(served < asked * (1 - 1e-9), served, asked))


def _sizes(fleet: Shared, need: Needs, usable: int) -> list[supply.Sizes]:
    asked = supply.failing(fleet.rates, fleet.policy, fleet.checkpoint)
    quiet, found = int(need.room.max(initial=0)), []
    for at, (job, layout) in enumerate(fleet.jobs):
        cut = supply.best_layout(fleet.machine, job, quiet) if layout is None else layout
        found.append(supply.sizes(at, fleet.machine, job, cut, usable, asked))
    return found


def _jobs(sizes: list[supply.Sizes], need: Needs, times: Handover) -> list[JobDay]:
    """Return the jobs at their best sizes, each on what those before it leave."""
    room, before = need.room, need.before
    made = []
    for one in sizes:
        walk = best_sizes(room, before, one.rates, one.units, *times)
        made.append(_job(one, walk, times))
        units = one.units[walk]
        room = room - units
        before = np.maximum(before - np.minimum(np.roll(units, 1), units), 0)
    return made


def _job(one: supply.Sizes, walk: Ints, times: Handover) -> JobDay:
    units, rates = one.units[walk], one.rates[walk]
    following = np.roll(walk, -1)
    stops = np.roll(walk, 1) != walk
    leaving = np.maximum(units - one.units[following], 0)
    cost = lost(one.rates, one.units, times.early, 0.0)[walk, following]
    tokens = rates * _HOUR - stops * rates * times.stop - cost
    held = units * stops * times.stop + leaving * times.early
    return JobDay(one, walk, units, tokens, held)


def _trained(jobs: list[JobDay]) -> float:
    return float(sum(job.tokens.sum() for job in jobs))


def _guesses(fleet: Shared) -> list[str]:
    """Return what was not said, and what stands for it."""
    practice, lines = catalog()["practice"], []
    keys = _TIMES if fleet.jobs else {}
    for name, key in ({} if not fleet.services else keys).items():
        if getattr(fleet, name) is None:
            figure = practice[key]
            low, mid, high = (
                format_hours(getattr(figure, end) * _HOUR) for end in ("low", "number", "high")
            )
            lines.append(f"{name}: {mid} ({low} to {high}); {figure.source}")
    if fleet.repair is None and getattr(fleet.rates, "repair_hours", None) is None:
        figure = practice["repair"]
        lines.append(f"repair: {format_hours(figure.number * _HOUR)}; {figure.source}")
    if len(fleet.jobs) > 1:
        lines.append("places: jobs after the first are priced as if they had the first chips")
    return lines
