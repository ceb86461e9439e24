"""Energy of a fleet's day: who takes it, and in what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from rainier_fast.fleet.split import Floats
from rainier_fast.operations.watts import PerChip, per_chip

USES: Final = ("serving", "training", "handing over", "idle")
_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Energy:
    """UltraServer-seconds by use and hour, the share of them in which chips compute, and watts.

    Attributes
    ----------
    held
        UltraServer-seconds, shape (uses, hours): they add up to the whole fleet's.
    computing
        Of those, what chips compute in.
    one
        Watts of a chip.
    chips
        Of an UltraServer.
    by_service, by_job
        Joules of a day, in the order of the fleet.
    """

    held: Floats
    computing: Floats
    one: PerChip
    chips: int
    by_service: tuple[float, ...]
    by_job: tuple[float, ...]

    @property
    def joules(self) -> Floats:
        """Joules by use and hour."""
        joules: Floats = _joules(self.one, self.chips, self.held, self.computing)
        return joules

    @property
    def parts(self) -> Mapping[str, float]:
        """Joules by what takes them, which add up to all of it."""
        computing = float(self.computing.sum()) * self.chips
        waiting = float(self.held.sum()) * self.chips - computing
        told = {
            "computing": self.one.busy.watts * computing,
            "waiting": self.one.idle.watts * waiting,
        }
        for line in self.one.others:
            told[line.part] = line.watts * (computing + waiting)
        told["cooling"] = sum(told.values()) * (self.one.pue.watts - 1)
        return told


def _joules(one: PerChip, chips: int, held: Any, computing: Any) -> Any:  # noqa: ANN401
    watts = computing * one.busy.watts + (held - computing) * one.idle.watts + held * one.beside
    return watts * chips * one.pue.watts


def energy(fleet: Any, services: Sequence[Any], jobs: Sequence[Any]) -> Energy:  # noqa: ANN401
    """Return the energy of a day of services and jobs."""
    machine = fleet.machine
    names = ("chip", "idle", "host", "network", "pue")
    options = {name: getattr(fleet, name) for name in names}
    one, chips = per_chip(machine, options), machine.ultraserver.num_chips
    held, computing = np.zeros((len(USES), 24)), np.zeros((len(USES), 24))
    by_service, by_job = [], []
    for service in services:
        mine = service.held * _HOUR
        busy = service.served / service.block.served.tokens_per_s * service.block.units
        held[0] += mine
        computing[0] += busy
        by_service.append(float(_joules(one, chips, mine, busy).sum()))
    for job in jobs:
        working = job.units * _HOUR - job.handing
        shares = [0.0, *(machine.power(step, **options).busy or 0.0 for step in job.sizes.steps)]
        busy = working * np.asarray(shares)[job.walk]
        held[1] += working
        held[2] += job.handing
        computing[1] += busy
        by_job.append(float((_joules(one, chips, working + job.handing, busy)).sum()))
    held[3] = machine.num_ultraservers * _HOUR - held[:3].sum(axis=0)
    return Energy(held, computing, one, chips, tuple(by_service), tuple(by_job))
