"""What power a machine takes, what energy a step, and what a site's cap leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from rainier_fast.catalog import catalog
from rainier_fast.operations.capping import LEAST_REPORTED, UNBOUND, Capped, as_caps, capped
from rainier_fast.operations.watts import Line, PerChip, per_chip
from rainier_fast.operations.work import Work, as_work
from rainier_fast.screen import Facts, Report, Told, one_screen
from rainier_fast.table import Table
from rainier_fast.topology.base import Base
from rainier_fast.units import format_count, format_power

BUSY: Final = ("matmul", "attention", "memory_bound", "recompute", "optimizer")
"""Parts of a step in which chips compute; in all others they wait."""


@one_screen
@dataclass(frozen=True, repr=False)
class Power(Report, Told):
    """The answer to `Machine.power`. Immutable; watts and joules.

    Attributes
    ----------
    machine
        What takes the power.
    chips
        Chips that take part.
    capped
        What the cap leaves; None where none was given.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> answer = rf.preset("rainier", chips=1_048_576).power()
    >>> round(answer.watts / 1e9, 2)  # about 1 GW for a million chips, as it is said of Rainier
    1.05
    """

    machine: Base
    chips: int
    capped: Capped | None
    _one: PerChip
    _work: Work | None

    __hash__ = None  # type: ignore[assignment] # of a table

    _also = (
        "watts",
        "low",
        "high",
        "watts_waiting",
        "mean_watts",
        "swing_watts",
        "parts",
        "energy_parts",
        "energy_per_step_J",
        "energy_per_token_J",
    )

    @property
    def parts(self) -> Mapping[str, float]:
        """Watts by what takes them while all chips compute; they add up to `watts`.

        ``chip``, ``host``, ``network`` and ``cooling``; ``host and network`` where only both
        together are known.
        """
        return MappingProxyType({line.part: line.watts * self.chips for line in self._lines()})

    @property
    def watts(self) -> float:
        """Watts of all of it while all chips compute."""
        return sum(self.parts.values())

    @property
    def low(self) -> float:
        """Watts with every part at the low end of its range."""
        return sum(line.low for line in self._lines()) * self.chips

    @property
    def high(self) -> float:
        """Watts with every part at the high end of its range."""
        return sum(line.high for line in self._lines()) * self.chips

    @property
    def watts_waiting(self) -> float:
        """Watts while all chips wait."""
        one = self._one
        return (one.idle.watts + one.beside) * one.pue.watts * self.chips

    @property
    def busy(self) -> float | None:
        """Share of a step in which chips compute; 1 where its parts are not known.

        Of a service whose prefill and decoding are apart, `DisaggregatedResult.busy_share`.
        """
        if self._work is None:
            return None
        if self._work.busy is not None:
            return self._work.busy
        whole = sum(seconds for _, seconds in self._work.parts)
        if not whole:
            return 1.0
        return sum(seconds for name, seconds in self._work.parts if name in BUSY) / whole

    @property
    def energy_parts(self) -> Mapping[str, float]:
        """Joules of a step by what takes them; they add up to `energy_per_step_J`. Empty without.

        Of a service, those of a second, in which its chips compute all the time; where prefill and
        decoding are apart, prefill workers wait between prompts. ``computing`` and ``waiting`` are
        the chips'; then host, network and cooling.
        """
        if self._work is None or self.busy is None:
            return MappingProxyType({})
        one, chip_seconds = self._one, self._work.seconds * self.chips
        told = {
            "computing": one.busy.watts * self.busy * chip_seconds,
            "waiting": one.idle.watts * (1 - self.busy) * chip_seconds,
            **{line.part: line.watts * chip_seconds for line in one.others},
        }
        told["cooling"] = sum(told.values()) * (one.pue.watts - 1)
        return MappingProxyType(told)

    @property
    def energy_per_step_J(self) -> float | None:  # noqa: N802 - J is the unit's letter
        """Joules of a step; None without one."""
        return self._energy if self._work is not None and self._work.is_step else None

    @property
    def _energy(self) -> float | None:
        """Joules of a step, or of a second of a service."""
        return sum(self.energy_parts.values()) if self._work is not None else None

    @property
    def energy_per_token_J(self) -> float | None:  # noqa: N802 - J is the unit's letter
        """Joules of a token; None where the step has none."""
        energy = self._energy
        if energy is None or self._work is None or not self._work.tokens:
            return None
        return energy / self._work.tokens

    @property
    def mean_watts(self) -> float | None:
        """Watts in the mean over a step; None without one."""
        energy = self._energy
        return None if energy is None or self._work is None else energy / self._work.seconds

    @property
    def swing_watts(self) -> float | None:
        """Watts between all computing and all waiting at once, each step; 0 where nothing waits.

        Of a step whose chips are in step with each other; stages of a pipeline wait at different
        times, which makes it less. 0 of a service, whose workers are not. None without a step.
        """
        if self._work is None or self.busy is None:
            return None
        if not self._work.is_step:
            return 0.0
        return self.watts - self.watts_waiting if self.busy < 1 else 0.0

    def trace(self) -> Table:
        """Return the power of a training step as it goes on.

        Returns
        -------
        Table
            A row for each stretch between events of the pipeline, then what a step does once:
            ``start_s``, ``end_s``, ``W``. Inside a piece of work, where computing and collectives
            alternate, it is the mean.

        Raises
        ------
        Unsupported
            If the answer is not of a training step, or its timeline takes too much memory.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> job = rf.Training("llama-3.1-8b", sequence=8192, batch=32)
        >>> machine = rf.preset("trn2-ultraserver")
        >>> step = machine.training_step(job, rf.Layout(tp=8, pp=2))
        >>> watts = machine.power(step).trace()["W"]
        >>> bool(watts.max() > 1.2 * watts.min())
        True
        """
        from rainier_fast.operations.trace import trace

        return trace(self._work, self._one, self.chips)

    @property
    def table(self) -> Table:
        """Watts of a chip and its share of the rest, with ranges.

        Columns: ``part``, ``W_per_chip``, ``low``, ``high``, ``source``.
        """
        rows = [*self._lines(), self._one.idle]
        return Table(
            {
                "part": [line.part for line in rows],
                "W_per_chip": [float(line.watts) for line in rows],
                "low": [float(line.low) for line in rows],
                "high": [float(line.high) for line in rows],
                "source": [line.source for line in rows],
            }
        )

    @property
    def sites(self) -> Table:
        """Power of each site beside what is published of it.

        Columns: ``site``, ``chips``, ``MW`` while all chips compute, ``published_MW`` (planned for
        the site; NaN where nothing is), ``source``.
        """
        server = self.machine.ultraserver.num_chips
        share = self.chips / self.machine.num_chips
        columns: dict[str, list[Any]] = {
            name: [] for name in ("site", "chips", "MW", "published_MW", "source")
        }
        for site in self.machine.sites:
            known = catalog().get(f"rainier-{site.name}")
            figure = None if known is None else known.figures.get("power_planned")
            chips = round(site.ultraservers * server * share)
            columns["site"].append(site.name)
            columns["chips"].append(chips)
            columns["MW"].append(chips * self._one.full / 1e6)
            columns["published_MW"].append(float("nan") if figure is None else figure.number / 1e6)
            columns["source"].append("" if figure is None else figure.source)
        return Table(columns)

    def _lines(self) -> list[Line]:
        return [self._one.busy, *self._one.others, self._one.cooling]

    def __repr__(self) -> str:
        return f"<Power {self._head()}>"

    def _head(self) -> str:
        return (
            f"{format_power(self.watts)} ({format_power(self.low)} to {format_power(self.high)}) "
            f"for {format_count(self.chips)} chips that compute, "
            f"{format_power(self.watts_waiting)} while they wait"
        )

    def _page(self) -> list[Any]:
        facts: Facts = []
        energy = self._energy
        if self.busy is not None and energy is not None:
            shares = sorted(self.energy_parts.items(), key=lambda part: -part[1])
            told = ", ".join(f"{name} {joules / energy:.1%}" for name, joules in shares if joules)
            once = "a step" if self._work is not None and self._work.is_step else "a second"
            facts.append(("energy", f"{energy / 3.6e6:,.4g} kWh {once}: {told}"))
            token = self.energy_per_token_J
            if token is not None:
                facts.append(("of a token", f"{token:.4g} J"))
            swing = f"{format_power(self.swing_watts or 0.0)} between computing and waiting"
            facts.append(("swing", swing))
        if self.capped is None:
            return (
                [self._head(), facts, "", self.table] if facts else [self._head(), "", self.table]
            )
        return [self._head(), [*facts, *_told(self.capped)], "", self.capped.table]


def _told(one: Capped) -> Facts:
    if one.best == UNBOUND:
        return [("cap", f"{UNBOUND}: every site wants less, so all chips run at full clock")]
    slow = f"all chips at {one.clock:.1%} of the clock: {one.slower:.1%} of the work"
    if one.clock == 0:
        slow = "all chips: not even idle"
    elif one.clock < LEAST_REPORTED:
        slow += f"; no pace below {LEAST_REPORTED:.0%} is reported"
    return [
        (
            "capped to",
            f"{format_count(one.chips)} chips at full clock: {one.fewer:.1%} of the work",
        ),
        ("or", slow),
        ("better", one.best),
    ]


def power(machine: Base, step: object, options: dict[str, Any]) -> Power:
    """Check the arguments of `Machine.power`, and answer."""
    work = None if step is None else as_work(step, machine, services=True)
    part = None if work is None else getattr(work.step, "machine", None)
    if isinstance(part, Base) and part.ultraserver == machine.ultraserver:
        machine = part
    one = per_chip(machine, options)
    chips = machine.num_chips if work is None else work.chips
    left = None
    if options["cap"] is not None:
        left = capped(machine, work, one, as_caps(machine, options["cap"]))
    return Power(machine, chips, left, one, work)
