"""How many chips a site's power lets run, and at what clock.

A chip that is capped loses clock as the cap falls, and what computation bounds takes as much
longer; what memory or links bound does not. Vendors report 10 to 15 % longer bf16 pre-training from
600 W instead of 700 on H100, where this gives 14 % of all-compute steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rainier_fast.definitions.check import as_pairs
from rainier_fast.errors import as_one_of, invalid
from rainier_fast.operations.watts import PerChip
from rainier_fast.operations.work import Work
from rainier_fast.table import Table
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity, parse_power

CLOCKED: Final = ("matmul", "attention", "recompute")
"""Parts of a step that a slower clock makes longer."""

_LEAST: Final = 1000.0
"""No site is smaller: less is a number of another unit."""

UNBOUND: Final = "no cap binds"

LEAST_REPORTED: Final = 600 / 700
"""The lowest cap of which a training's pace is reported, of H100's 700 W."""


@dataclass(frozen=True, slots=True)
class Capped:
    """What caps leave of a machine. Immutable.

    Attributes
    ----------
    table
        Of each site: ``site``, ``chips``, ``wanted_MW``, ``cap_MW``, ``chips_at_full_clock`` (whole
        UltraServers, the rest switched off), ``clock`` of all chips, of the full one; 0 where not
        even idle chips fit.
    chips
        Chips that run at the full clock.
    clock
        Of all chips, that of the site with least; 0 where some site cannot run all.
    fewer, slower
        Share of the work that gets done with fewer chips, and with all chips at that clock.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> left = rf.preset("rainier").power(cap="200 MW").capped
    >>> left.chips, left.best
    (462144, 'fewer chips')
    """

    table: Table
    chips: int
    clock: float
    fewer: float
    slower: float

    __hash__ = None  # type: ignore[assignment] # of a table

    @property
    def best(self) -> str:
        """What gets more done: ``"fewer chips"`` or ``"slower clock"``; or ``"no cap binds"``."""
        if self.fewer == self.slower == 1:
            return UNBOUND
        return "fewer chips" if self.fewer >= self.slower else "slower clock"


def as_caps(machine: Base, given: object) -> dict[str, float]:
    """Return watts by site: one number is the cap of each site."""
    names = [site.name for site in machine.sites]
    if not isinstance(given, Mapping):
        watts = _cap("cap", given)
        return dict.fromkeys(names, watts)
    caps: dict[str, float] = {}
    for name, value in as_pairs("cap", given, "must be watts, or map sites to watts"):
        site = as_one_of("cap", name, names)
        caps[site] = _cap(f"cap[{site!r}]", value)
    return caps


def _cap(argument: str, given: Any) -> float:  # noqa: ANN401 - checked here
    quantity: Quantity = given
    watts = parse_power(quantity, argument)
    if watts < _LEAST:
        allowed = f"must be watts of a whole site, at least {_LEAST:g}: 300 megawatts are '300 MW'"
        raise invalid(argument, given, allowed)
    return watts


def capped(machine: Base, work: Work | None, one: PerChip, caps: Mapping[str, float]) -> Capped:
    """Return what the caps of sites leave of a machine, or of a step on it."""
    share = 1.0 if work is None else work.chips / machine.num_chips
    server = machine.ultraserver.num_chips
    rows = []
    for site in machine.sites:
        chips = round(site.ultraservers * server * share)
        cap = caps.get(site.name, math.inf)
        rows.append((site.name, chips, chips * one.full, cap, *_of_site(one, chips, cap, server)))
    names = ("site", "chips", "wanted_MW", "cap_MW", "chips_at_full_clock", "clock")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    for name in ("wanted_MW", "cap_MW"):
        columns[name] = [watts / 1e6 for watts in columns[name]]
    running, clock = sum(columns["chips_at_full_clock"]), min(columns["clock"])
    total = sum(columns["chips"])
    return Capped(Table(columns), running, clock, running / total, pace(work, clock))


def _of_site(one: PerChip, chips: int, cap: float, server: int) -> tuple[int, float]:
    """Return how many chips run at the full clock, and the clock at which all of them run."""
    if cap >= chips * one.full:
        return chips, 1.0
    running = min(int(cap / one.full) // server * server, chips)
    left = cap / chips / one.pue.watts - one.beside
    return running, (left / one.busy.watts if left >= one.idle.watts else 0.0)


def pace(work: Work | None, clock: float) -> float:
    """Return the share of the work that gets done at such a clock."""
    if clock == 0:
        return 0.0
    if work is None or not sum(seconds for _, seconds in work.parts):
        return clock
    slowed = sum(seconds for name, seconds in work.parts if name in CLOCKED)
    whole = sum(seconds for _, seconds in work.parts)
    return whole / (whole - slowed + slowed / clock)
