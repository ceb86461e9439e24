"""A day of a fleet: the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from rainier_fast.fleet.asked import Shared
from rainier_fast.fleet.day_text import headline, page
from rainier_fast.fleet.energy import USES, Energy
from rainier_fast.fleet.split import Floats, Ints
from rainier_fast.fleet.supply import Block, Sizes
from rainier_fast.machine.machine import Machine
from rainier_fast.operations.cost import Cost
from rainier_fast.screen import Pictured, Report, Told, one_screen
from rainier_fast.table import Table

MWH: Final = 3.6e9


@dataclass(frozen=True, slots=True, eq=False)
class ServiceDay:
    """A service: its block, UltraServers held by hour, tokens asked for and served by hour."""

    block: Block
    held: Ints
    asked: Floats
    served: Floats


@dataclass(frozen=True, slots=True, eq=False)
class JobDay:
    """A job: by hour its size, UltraServers, tokens, UltraServer-seconds of hand-overs."""

    sizes: Sizes
    walk: Ints
    units: Ints
    tokens: Floats
    handing: Floats


@one_screen
@dataclass(frozen=True, repr=False, eq=False)
class FleetDay(Pictured, Report, Told):
    """The answer to `Fleet.day`. Immutable; a day that comes again and again.

    Attributes
    ----------
    machine
        All of it.
    fleet
        What was asked.
    spares
        UltraServers that stand by.
    in_repair
        UltraServers in repair in the mean. As many, or the spares where those are more, neither
        serve nor train.
    enough_spares
        Probability that no more are in repair than that.
    tokens_trained_low, tokens_trained_high
        With the times of hand-overs that were not said at both ends of their ranges.
    cost
        What the machine costs in 24 hours; None where prices were not asked for.
    guesses
        What was not said, and what stands for it, a line each.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> service = rf.Serving("llama-3.1-8b", input=1024, output=256)
    >>> layout = rf.Layout(tp=8, ranks_per_chip=4)
    >>> day = rf.day_curve(2_000_000, low=1_000_000, peak_hour=15)
    >>> fleet = rf.Fleet(rf.preset("rainier", chips=256), services=[(service, layout, day)])
    >>> today = fleet.day()  # more than four UltraServers can do is said
    >>> today.tokens_unmet > 0, today.tokens_served + today.tokens_unmet == today.tokens_asked
    (True, True)
    """

    machine: Machine
    fleet: Shared
    _services: tuple[ServiceDay, ...]
    _jobs: tuple[JobDay, ...]
    spares: int
    in_repair: float
    enough_spares: float
    tokens_trained_low: float
    tokens_trained_high: float
    cost: Cost | None
    _energy: Energy
    guesses: tuple[str, ...]

    _untold = ("machine", "fleet")
    _also = (
        "kind",
        "tokens_asked",
        "tokens_served",
        "tokens_unmet",
        "tokens_trained",
        "usd",
        "energy_J",
        "energy_parts",
        "hours",
        "uses",
        "services",
        "jobs",
        "sites",
    )

    def __eq__(self, other: object) -> bool:
        # All else follows from what was asked.
        return self.fleet == other.fleet if isinstance(other, FleetDay) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.fleet)

    @property
    def kind(self) -> str:
        """What kind of number times are: of services and of steps, `TrainingStep.kind`."""
        kinds = [one.block.served.kind for one in self._services]
        kinds += [step.kind for job in self._jobs for step in job.sizes.steps[:1]]
        return " and ".join(dict.fromkeys(kinds))

    @property
    def tokens_asked(self) -> float:
        """Tokens of answers that the demand of the day has."""
        return self.tokens_served + self.tokens_unmet

    @property
    def tokens_served(self) -> float:
        """Tokens of answers served in the day, of all services."""
        return float(self._served().sum())

    @property
    def tokens_unmet(self) -> float:
        """Tokens of answers that were asked for and not served."""
        return float(self._unmet().sum())

    @property
    def tokens_trained(self) -> float:
        """Tokens trained in the day that count, of all jobs: failures and hand-overs are off."""
        return float(self._trained().sum())

    @property
    def usd(self) -> float | None:
        """Dollars of the day: all UltraServers are paid, whatever they do; None without prices."""
        return None if self.cost is None else self.cost.usd_total

    @property
    def energy_J(self) -> float:  # noqa: N802 - J is the unit's letter
        """Joules of the day: those of all `uses`, and of all `energy_parts`."""
        return float(self._energy.joules.sum())

    @property
    def energy_parts(self) -> Mapping[str, float]:
        """Joules of the day by what takes them; they add up to `energy_J`.

        ``computing`` and ``waiting`` are the chips'; then host, network and cooling.
        """
        return MappingProxyType(dict(self._energy.parts))

    @property
    def hours(self) -> Table:
        """The day by hour.

        Columns: ``hour``; tokens ``asked``, ``served``, ``unmet`` and ``trained``; UltraServers
        ``serving``, ``training`` and ``idle`` (with spares and those in repair); ``handing_over``,
        the UltraServer-hours of it; ``MWh``; ``usd`` (NaN without prices).
        """
        serving, training = self._serving(), self._training()
        usd = float("nan") if self.usd is None else self.usd / 24
        return Table(
            {
                "hour": np.arange(24),
                "asked": self._served() + self._unmet(),
                "served": self._served(),
                "unmet": self._unmet(),
                "trained": self._trained(),
                "serving": serving,
                "training": training,
                "idle": self.machine.num_ultraservers - serving - training,
                "handing_over": self._energy.held[2] / 3600,
                "MWh": self._energy.joules.sum(axis=0) / MWH,
                "usd": np.full(24, usd),
            }
        )

    @property
    def uses(self) -> Table:
        """The day by what UltraServers do.

        Columns: ``use`` (``serving``, ``training``, ``handing over``, ``idle``), its
        ``ultraserver_hours``, their ``share``, ``MWh`` and ``usd`` (NaN without prices).
        """
        held = self._energy.held.sum(axis=1)
        share = held / held.sum()
        return Table(
            {
                "use": list(USES),
                "ultraserver_hours": held / 3600,
                "share": share,
                "MWh": self._energy.joules.sum(axis=1) / MWH,
                "usd": share * (float("nan") if self.usd is None else self.usd),
            }
        )

    @property
    def services(self) -> Table:
        """What each service has, in the order of the fleet.

        Columns: ``model``, ``tp``, ``pp``, ``ep``, ``block`` (UltraServers that serve together),
        ``concurrency`` and ``tokens_per_s`` of a block, ``ttft_s``, ``tpot_s``, ``most``
        (UltraServers in the busiest hour), tokens ``served`` and ``unmet``, ``usd_per_million``
        (of the hours held; NaN without prices or tokens), ``J_per_token``.
        """
        rows = []
        for one, joules in zip(self._services, self._energy.by_service, strict=True):
            served, tokens = one.block.served, float(one.served.sum())
            rows.append(
                {
                    "model": served.service.transformer.name,
                    "tp": served.layout.tp,
                    "pp": served.layout.pp,
                    "ep": served.layout.ep,
                    "block": one.block.units,
                    "concurrency": float(served.concurrency or 0.0),
                    "tokens_per_s": served.tokens_per_s,
                    "ttft_s": served.ttft_s,
                    "tpot_s": served.tpot_s,
                    "most": int(one.held.max()),
                    "served": tokens,
                    "unmet": float((one.asked - one.served).sum()),
                    "usd_per_million": self._per_million(float(one.held.sum()), tokens),
                    "J_per_token": joules / tokens if tokens else float("nan"),
                }
            )
        return _table(rows)._of_kind(self.kind)

    @property
    def jobs(self) -> Table:
        """What each job has, in the order of the fleet.

        Columns: ``model``, ``layout``, ``least`` and ``most`` UltraServers, ``changes`` of its size
        in the day, ``goodput`` (share of the work at its largest size that failures leave),
        ``trained`` tokens, ``usd_per_million`` (hand-overs paid; NaN without prices or tokens),
        ``J_per_token``.
        """
        rows = []
        for one, joules in zip(self._jobs, self._energy.by_job, strict=True):
            tokens, largest = float(one.tokens.sum()), int(one.walk.max())
            rows.append(
                {
                    "model": one.sizes.job.transformer.name,
                    "layout": str(one.sizes.layout),
                    "least": int(one.units.min()),
                    "most": int(one.units.max()),
                    "changes": int((one.walk != np.roll(one.walk, 1)).sum()),
                    "goodput": one.sizes.kept[largest - 1] if largest else float("nan"),
                    "trained": tokens,
                    "usd_per_million": self._per_million(float(one.units.sum()), tokens),
                    "J_per_token": joules / tokens if tokens else float("nan"),
                }
            )
        return _table(rows)

    @property
    def sites(self) -> Table:
        """The day by site and hour. Jobs have the first UltraServers, services the last.

        Columns: ``site``, ``hour``, UltraServers ``serving``, ``training`` and ``idle``, ``served``
        and ``trained`` tokens (shares of a site by its UltraServers), ``MWh``, ``usd``.
        """
        rows, first = [], 0
        serving, training = self._serving(), self._training()
        most = self.machine.num_ultraservers
        per_hour = float("nan") if self.usd is None else self.usd / 24
        joules = self._energy.joules / MWH
        for site in self.machine.sites:
            last = first + site.ultraservers
            train = np.clip(training - first, 0, site.ultraservers)
            serve = np.clip(last - (most - serving), 0, site.ultraservers)
            rest = site.ultraservers - train - serve
            idle = most - serving - training
            shares = [_share(serve, serving), _share(train, training), _share(rest, idle)]
            power = joules[0] * shares[0] + (joules[1] + joules[2]) * shares[1]
            power = power + joules[3] * shares[2]
            columns = {
                "serving": serve,
                "training": train,
                "idle": rest,
                "served": self._served() * shares[0],
                "trained": self._trained() * shares[1],
                "MWh": power,
                "usd": np.full(24, per_hour * site.ultraservers / most),
            }
            made = {name: values.tolist() for name, values in columns.items()}
            rows += [
                {"site": site.name, "hour": hour, **{name: one[hour] for name, one in made.items()}}
                for hour in range(24)
            ]
            first = last
        return _table(rows)

    def _serving(self) -> Ints:
        return sum((one.held for one in self._services), np.zeros(24, np.int64))

    def _training(self) -> Ints:
        return sum((one.units for one in self._jobs), np.zeros(24, np.int64))

    def _served(self) -> Floats:
        return sum((one.served for one in self._services), np.zeros(24))

    def _unmet(self) -> Floats:
        return sum((one.asked - one.served for one in self._services), np.zeros(24))

    def _trained(self) -> Floats:
        return sum((one.tokens for one in self._jobs), np.zeros(24))

    def _per_million(self, hours: float, tokens: float) -> float:
        if self.usd is None or not tokens:
            return float("nan")
        return self.usd * hours / (24 * self.machine.num_ultraservers) / tokens * 1e6

    def __repr__(self) -> str:
        return f"<FleetDay {self._head()}>"

    def _head(self) -> str:
        return headline(self)

    def _page(self) -> list[Any]:
        return page(self)


def _share(some: Ints, whole: Ints) -> Floats:
    shares: Floats = np.where(whole > 0, some / np.maximum(whole, 1), 0.0)
    return shares


def _table(rows: list[dict[str, Any]]) -> Table:
    if not rows:
        return Table({})
    return Table({name: [row[name] for row in rows] for name in rows[0]})
