"""Each policy as a job among failures, for `chain` and `simulate`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from rainier_fast.definitions.rates import FailureRates
from rainier_fast.errors import RainierError, Unsupported
from rainier_fast.faults.modes import Modes
from rainier_fast.operations.asked import MODES, Asked
from rainier_fast.operations.chain import Chain, Job, best_spares, chain
from rainier_fast.operations.poisson import MOST_MEAN, at_most

_HOUR: Final = 3600.0
_VENDOR_PLANES: Final = 4
_ENOUGH: Final = 0.5


class _Stepping(Protocol):
    def training_step(self, job: Any, layout: Any, *, chips: int | None) -> Any: ...  # noqa: ANN401


@dataclass(frozen=True, slots=True)
class Plan:
    """A job as one policy runs it.

    Attributes
    ----------
    policy
        Its name.
    job
        What `chain` and `simulate` take; of islands, one of them.
    chips, spare_chips
        Of the job, and beside it.
    parts
        Jobs like this one: islands.
    unit
        Chips that a failure takes out.
    note
        What it stands on, in words.
    """

    policy: str
    job: Job
    chips: int
    spare_chips: int
    parts: int
    unit: int
    note: str

    @property
    def chain(self) -> Chain:
        """What each cause leaves."""
        return chain(self.job)

    @property
    def per_chip(self) -> float:
        """Goodput for each chip that is held, spares counted."""
        return self.chain.goodput * self.chips / (self.chips + self.spare_chips)

    @property
    def failures_per_hour(self) -> float:
        """Failures of an hour, of all islands."""
        return (self.job.unit_rate + self.job.job_rate) * self.parts

    @property
    def mtbf_hours(self) -> float:
        """Mean hours between failures that stop the job, or one of the islands."""
        rate = self.job.unit_rate + self.job.job_rate
        return 1 / rate if rate else float("inf")


def plan(machine: Modes, asked: Asked, policy: str) -> Plan:
    """Return the job of a policy; `Unsupported` where something that it needs was not said."""
    return _PLANS[policy](machine, asked)


def unit_rate(rates: FailureRates, machine: Modes, chips: int) -> float:
    """Return the failures of an hour of so many chips of a machine."""
    return rates.failures_per_hour(machine) * (chips / machine.num_chips)


def _job(machine: Modes, asked: Asked, **own: Any) -> Job:  # noqa: ANN401 - fields of a job
    """Return the job, its checkpoints at the best interval; `own` are fields that differ."""
    made: dict[str, Any] = {
        "unit_rate": unit_rate(asked.rates, machine, asked.work.chips),
        "job_rate": asked.rates.job_per_hour,
        "repair": asked.repair,
        "restart": asked.checkpoint.restart_s / _HOUR + asked.swap,
        "blocking": asked.blocking,
        "interval": 0.0,
        "persist": asked.checkpoint.persist_s / _HOUR,
        "slowdown": 1 / (1 - asked.stragglers),
    }
    job = Job(**{**made, **own})
    _check(job)
    mean = _HOUR / job.rate if job.rate else float("inf")
    interval = asked.checkpoint.interval_for(asked.blocking * _HOUR, mean)
    return job.but(interval=max(interval, asked.work.seconds) / _HOUR)


def _check(job: Job) -> None:
    down = job.unit_rate * job.repair
    if not (job.rate < MOST_MEAN and down < MOST_MEAN):
        raise Unsupported(
            f"{job.rate:g} failures an hour, {down:g} units under repair at once; nothing of that "
            f"size runs: give lower rates, or a shorter repair (each up to {MOST_MEAN:g})"
        )


def _restart(machine: Modes, asked: Asked) -> Plan:
    repair = asked.repair if asked.repair_said else 0.0
    restart = asked.checkpoint.restart_s / _HOUR
    job = _job(machine, asked, repair=repair, restart=restart)
    note = "waits for repairs" if repair else "replacements are there at once, and are not counted"
    return Plan("restart", job, asked.work.chips, 0, 1, asked.unit, note)


def _with_spares(asked: Asked, job: Job, units: float, *, unit: int, parts: int = 1) -> int:
    """Return the spares of each of several alike jobs, as said or as many as pay.

    Those that were said are units of `asked`; what runs in smaller units has as many chips more.
    """
    if asked.spares is None:
        return best_spares(job, units)
    return asked.spares * asked.unit // unit // parts


def _noted(asked: Asked, job: Job, spares: int, unit: int) -> str:
    chosen = "as many as pay: " if asked.spares is None else ""
    text = f"{chosen}{spares:,} spare unit{'s' * (spares != 1)} of {unit} chips"
    down = job.unit_rate * job.repair
    if asked.spares is None or at_most(down, spares) >= _ENOUGH:
        return text
    return f"{text}, too few for the {down:,.3g} in repair at once"


def _spares(machine: Modes, asked: Asked) -> Plan:
    chips, unit = asked.work.chips, asked.unit
    job = _job(machine, asked)
    spares = _with_spares(asked, job, chips / unit, unit=unit)
    note = _noted(asked, job, spares, unit)
    return Plan("spares", job.but(spares=spares), chips, spares * unit, 1, unit, note)


def _elastic(machine: Modes, asked: Asked) -> Plan:
    chips, unit, replicas = asked.work.chips, asked.unit, asked.replicas
    if replicas is None:
        raise Unsupported("how many replicas there are is not known; say replicas=")
    job = _job(
        machine,
        asked,
        restart=asked.checkpoint.restart_s / _HOUR,
        teams=replicas,
        units_per_team=chips / unit / replicas,
        rebuild=asked.rebuild,
        step=asked.work.seconds / _HOUR,
    )
    spares = _with_spares(asked, job, chips / unit, unit=unit)
    note = f"{replicas:,} replicas, {_noted(asked, job, spares, unit)}"
    return Plan("elastic", job.but(spares=spares), chips, spares * unit, 1, unit, note)


def _islands(machine: Modes, asked: Asked) -> Plan:
    chips, unit, islands = asked.work.chips, asked.unit, asked.islands
    if islands is None:
        raise Unsupported("how many islands there are is not known; say islands=")
    rate = unit_rate(asked.rates, machine, chips) / islands
    job = _job(machine, asked, unit_rate=rate)
    spares = _with_spares(asked, job, chips / unit / islands, unit=unit, parts=islands)
    note = f"{islands:,} islands, each with {_noted(asked, job, spares, unit)}"
    held = spares * unit * islands
    return Plan("islands", job.but(spares=spares), chips, held, islands, unit, note)


def _modes(machine: Modes, asked: Asked) -> Plan:
    server = machine.ultraserver
    planes = server.axes[-1].size
    if planes != _VENDOR_PLANES or server.nic is None or len(server.axes) < 2:
        raise Unsupported("the vendor's modes are those of UltraServers of 4 instances")
    plans, reasons = [], []
    for name, instances in MODES.items():
        try:
            plans.append(_in_mode(machine, asked, name, instances))
        except RainierError as error:
            reasons.append(str(error))
    if not plans:
        raise Unsupported(reasons[0])
    return max(plans, key=lambda one: one.per_chip)


def _in_mode(machine: Modes, asked: Asked, name: str, instances: int) -> Plan:
    mode = machine.in_mode(instances)
    unit, chips = mode.ultraserver.num_chips, asked.work.chips
    slower = mode_slowdown(machine, asked, name)
    rate = unit_rate(asked.rates, mode, chips)
    straggling = 1 / (1 - asked.stragglers)
    job = _job(mode, asked, unit_rate=rate, slowdown=straggling * slower)
    spares = _with_spares(asked, job, chips / unit, unit=unit)
    note = f"{name}, steps {slower:.3g} times as long, {_noted(asked, job, spares, unit)}"
    return Plan("modes", job.but(spares=spares), chips, spares * unit, 1, unit, note)


def mode_slowdown(machine: Modes, asked: Asked, name: str) -> float:
    """Return how much longer a step takes where UltraServers run as smaller units."""
    said = dict(asked.slowdown)
    if name in said:
        return said[name]
    step: Any = asked.work.step
    job, layout = getattr(step, "training", None), getattr(step, "layout", None)
    mode: Any = machine.in_mode(MODES[name])
    if job is None or layout is None or not hasattr(mode, "training_step"):
        raise Unsupported(
            f"how much slower steps are as {name} is not known; give a training step, or say "
            f"slowdown={{{name!r}: 1.1}}"
        )
    stepping: _Stepping = mode
    slow = stepping.training_step(job, layout, chips=asked.work.chips)
    return max(float(slow.time_s) / asked.work.seconds, 1.0)


def with_slowdowns(machine: Modes, asked: Asked) -> Asked:
    """Return the question with what steps take in each mode, where that can be known."""
    known = []
    for name in MODES:
        with suppress(RainierError):
            known.append((name, mode_slowdown(machine, asked, name)))
    return replace(asked, slowdown=tuple(known))


_PLANS: Final[dict[str, Callable[[Modes, Asked], Plan]]] = {
    "restart": _restart,
    "spares": _spares,
    "elastic": _elastic,
    "islands": _islands,
    "modes": _modes,
}
