"""What `Machine.goodput` was asked, checked, with the catalogue's figures for what was not said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

from rainier_fast.catalog import catalog
from rainier_fast.catalog.figure import Figure
from rainier_fast.definitions.check import as_count, as_integer, as_number, as_pairs
from rainier_fast.definitions.rates import FailureRates, as_rates
from rainier_fast.errors import Unsupported, as_one_of, invalid, invalid_type
from rainier_fast.operations.checkpoint import Checkpoint
from rainier_fast.operations.work import Work, as_work
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity, format_bandwidth, format_bytes, format_hours, parse_time

POLICIES: Final = {
    "restart": "what fails is replaced from outside at once; the job goes back to its checkpoint",
    "spares": "units stand by; one takes the place of what fails, and the job goes back",
    "elastic": "replicas with a failed unit leave until it is whole; the others go on",
    "islands": "parts train by themselves and trade what they have learnt; each fails alone",
    "modes": "UltraServers run as pairs or single instances: less fails at once, steps are slower",
}
"""What a job does about failures, and one line each."""

Policy: TypeAlias = Literal["restart", "spares", "elastic", "islands", "modes"]
MODES: Final = {"pairs": 2, "instances": 1}
"""Modes of a Trn2 UltraServer, and instances of each unit."""

_SAVED: Final = {"state", "host_link", "blocking"}
MATTERS: Final = {
    "restart": _SAVED,
    "spares": {*_SAVED, "swap", "repair"},
    "elastic": {*_SAVED, "repair", "rebuild"},
    "islands": {*_SAVED, "swap", "repair"},
    "modes": {*_SAVED, "swap", "repair"},
}
"""What of that which was not said matters to each policy."""

_HOUR: Final = 3600.0
_HOURS: Final = "must be a number of hours, above 0 and at most 1e12: 8760 are a year"
_MOST_SPARES: Final = 2**31


@dataclass(frozen=True, slots=True)
class Asked:
    """The question, all times in hours.

    What was not said has the catalogue's figure, and a place in `ranges` by its field.
    """

    work: Work
    rates: FailureRates
    checkpoint: Checkpoint
    policy: str
    unit: int
    spares: int | None
    swap: float
    repair: float
    repair_said: bool
    rebuild: float
    replicas: int | None
    islands: int | None
    slowdown: tuple[tuple[str, float], ...]
    stragglers: float
    hours: float
    blocking: float
    ranges: tuple[tuple[str, tuple[float, float]], ...]
    notes: tuple[tuple[str, str], ...]

    @property
    def guesses(self) -> tuple[str, ...]:
        """What was not said and matters to the policy, a line each."""
        used = MATTERS[self.policy]
        return tuple(f"{name}: {line}" for name, line in self.notes if name in used)

    def at(self, end: Literal["best", "worst"]) -> Asked:
        """Return the question with everything that was not said at one end of its range."""
        which = 0 if end == "best" else 1
        changed: dict[str, Any] = {name: both[which] for name, both in self.ranges}
        return replace(self, **changed)


class Gathering:
    """Checks one argument after another, and notes what was not said."""

    def __init__(self) -> None:
        self.ranges: dict[str, tuple[float, float]] = {}
        self.notes: list[tuple[str, str]] = []

    def hours(self, name: str, given: Quantity | None) -> float:
        """Return hours that were given as seconds, or the catalogue's."""
        if given is not None:
            return parse_time(given, name) / _HOUR
        figure = practice(name)
        low, high = _ends(figure)
        self.ranges[name] = (low, high)
        self._guess(name, format_hours(figure.number * _HOUR), figure)
        return figure.number

    def blocking(self, checkpoint: Checkpoint, work: Work, machine: Base) -> float:
        """Return for how many hours a checkpoint holds the step up."""
        if checkpoint.blocking is not None:
            return float(checkpoint.blocking) / _HOUR
        size = work.state
        if size is None:
            chip = machine.ultraserver.chip
            if chip is None:
                raise Unsupported(
                    "a checkpoint of chips whose memory is not known; say checkpoint="
                    "Checkpoint(blocking='30 s'), or give the UltraServer a chip"
                )
            size = float(chip.hbm_bytes)
            full = format_bytes(size)
            self.notes.append(("state", f"all of a chip's memory, {full}; a step says less"))
        if checkpoint.host_link is not None:
            return size / float(checkpoint.host_link) / _HOUR
        link = practice("host_link")
        low, high = _ends(link)
        self.ranges["blocking"] = (size / high / _HOUR, size / low / _HOUR)
        self._guess("host_link", format_bandwidth(link.number), link)
        return size / link.number / _HOUR

    def _guess(self, name: str, text: str, figure: Figure) -> None:
        self.notes.append((name, f"{text}; {figure.source}"))


def practice(name: str) -> Figure:
    """Return a figure of how machines are run."""
    return catalog()["practice"][name]


def _ends(figure: Figure) -> tuple[float, float]:
    low = figure.number if figure.low is None else figure.low
    return low, figure.number if figure.high is None else figure.high


def ask(machine: Base, step: object, options: Mapping[str, Any]) -> Asked:
    """Check the arguments of `Machine.goodput`."""
    work = as_work(step, machine)
    rates = as_rates(options["rates"])
    checkpoint = options["checkpoint"]
    if checkpoint is None:
        checkpoint = Checkpoint()
    if not isinstance(checkpoint, Checkpoint):
        raise invalid_type("checkpoint", checkpoint, "must be a Checkpoint")
    seen = Gathering()
    repair = options["repair"]
    if repair is None and rates.repair_hours is not None:
        repair = rates.repair_hours * _HOUR
    spares = options["spares"]
    said: dict[str, Any] = {
        "work": work,
        "rates": rates,
        "checkpoint": checkpoint,
        "policy": as_one_of("policy", options["policy"], POLICIES),
        "unit": _unit(options["unit"], machine, rates, work.chips),
        "spares": None if spares is None else as_integer("spares", spares, 0, _MOST_SPARES),
        "swap": seen.hours("swap", options["swap"]),
        "repair": seen.hours("repair", repair),
        "repair_said": repair is not None,
        "rebuild": _rebuild(seen, options["rebuild"], checkpoint),
        "replicas": _replicas(options["replicas"], work),
        "islands": _own_islands(options["islands"], machine, work),
        "slowdown": _slowdown(options["slowdown"]),
        "stragglers": _share("stragglers", options["stragglers"]),
        "hours": as_number("hours", options["hours"], 1e-9, 1e12, _HOURS),
        "blocking": seen.blocking(checkpoint, work, machine),
    }
    return Asked(**said, ranges=tuple(seen.ranges.items()), notes=tuple(seen.notes))


def _unit(given: object, machine: Base, rates: FailureRates, chips: int) -> int:
    """Return the chips that a failure takes out until it is repaired."""
    server = machine.ultraserver.num_chips
    if given is None:
        unit = server
    elif isinstance(given, str):
        units = {"ultraserver": server, "instance": min(rates.chips_per_host, server)}
        unit = units[as_one_of("unit", given, units)]
    else:
        unit = as_count("unit", given)
    if unit > chips or chips % unit:
        allowed = f"must divide the {chips:,} chips of the job: an UltraServer has {server}"
        raise invalid("unit", unit, allowed)
    return unit


def _islands(machine: Base, work: Work) -> int | None:
    if work.islands is not None:
        return work.islands
    part = getattr(work.step, "machine", machine)
    sites = len(part.sites if isinstance(part, Base) else machine.sites)
    return sites if sites > 1 else None


def _teams(name: str, given: object, known: int | None, chips: int) -> int | None:
    if given is None:
        return known if known is None or known > 1 else None
    count = as_count(name, given)
    if not 2 <= count <= chips:
        raise invalid(name, count, f"must be 2 to the {chips:,} chips of the job")
    return count


def _replicas(given: object, work: Work) -> int | None:
    """Return the parts that may leave: replicas of the step, or groups of as many of them."""
    count = _teams("replicas", given, work.replicas, work.chips)
    whole, what = work.chips, f"the {work.chips:,} chips"
    if work.replicas is not None:
        whole, what = work.replicas, f"the {work.replicas:,} replicas of the step"
    if given is not None and count is not None and whole % count:
        allowed = f"must divide {what}: replicas, or groups of replicas that leave together"
        raise invalid("replicas", count, f"{allowed}, are alike")
    return count


def _own_islands(given: object, machine: Base, work: Work) -> int | None:
    count = _teams("islands", given, _islands(machine, work), work.chips)
    if given is not None and work.islands is not None and count != work.islands:
        allowed = (
            f"must be the {work.islands:,} of the step's layout, or None: its time is of those"
        )
        raise invalid("islands", count, allowed)
    return count


def _rebuild(seen: Gathering, given: Quantity | None, checkpoint: Checkpoint) -> float:
    if given is not None:
        return parse_time(given, "rebuild") / _HOUR
    held = format_hours(checkpoint.restart_s)
    seen.notes.append(("rebuild", f"{held}, as long as a restart; no figure is public"))
    return checkpoint.restart_s / _HOUR


def _share(name: str, given: object) -> float:
    share = as_number(name, given, 0.0, 1.0, "must be a share of the time, 0 to below 1")
    if share == 1:
        raise invalid(name, share, "must be a share of the time, 0 to below 1")
    return share


def _slowdown(given: object) -> tuple[tuple[str, float], ...]:
    """Return how much longer steps take in each mode that was said."""
    if given is None:
        return ()
    told: dict[str, float] = {}
    for name, value in as_pairs("slowdown", given, "must map 'pairs' or 'instances' to numbers"):
        mode = as_one_of("slowdown", name, MODES)
        told[mode] = as_number(f"slowdown[{mode!r}]", value, 1.0, math.inf, "must be finite, >= 1")
    return tuple(told.items())
