"""The first chips of a machine, as a machine."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, TypeVar

import numpy as np

from rainier_fast import _core
from rainier_fast.definitions.check import as_count
from rainier_fast.definitions.wan import Wan
from rainier_fast.errors import Unsupported, invalid
from rainier_fast.faults.damaged import Damaged
from rainier_fast.faults.faults import Faults

_Machine = TypeVar("_Machine", bound=Damaged)

_MOST_KEPT: Final = 4
_NUMBERED_BY_CHIP: Final = ("chips", "nics", "ultraservers", "sites")


def part_of(machine: _Machine, chips: object) -> _Machine:
    """Return the first so many chips: whole UltraServers, one site filled before the next.

    Faults of what is left out are left out.
    """
    unit, most = machine.ultraserver.num_chips, machine.num_chips
    count = as_count("chips", chips)
    if count == most:
        return machine
    if count % unit or count > most:
        below = max(min(count, most) // unit * unit, unit)
        allowed = f"must be whole UltraServers of {unit:,} chips, at most {most:,}: {below:,} is"
        raise invalid("chips", count, allowed)
    made: _Machine = _part(type(machine).__qualname__, machine, count // unit)
    return made


# Machines of different classes may be equal. What was priced on a part is kept with it.
@lru_cache(_MOST_KEPT)
def _part(kind: str, machine: Any, ultraservers: int) -> Any:  # noqa: ANN401 - of that kind
    left, sites = ultraservers, []
    for site in machine.sites:
        taken = min(left, site.ultraservers)
        sites.append(replace(site, ultraservers=taken))
        left -= taken
        if not left:
            break
    wan = None if machine.wan is None or len(sites) == 1 else _first(machine.wan, len(sites))
    made = machine._with_core(machine._core)  # with all else that it knows
    made._define(sites, wan, machine.name)
    return made._with_core(_core.with_faults(made._core, None, _kept(machine, made)))


def refuse_dead_chips(machine: Damaged) -> None:
    """Refuse a machine with dead chips: whoever stands in for them would compute twice."""
    dead = machine.num_chips - machine.num_live_chips
    if dead:
        raise Unsupported(
            f"what runs on all {machine.num_chips:,} chips, of which {dead:,} are dead; "
            "name whole UltraServers that work by chips=, or let machine.goodput replace what fails"
        )


def _first(wan: Wan, sites: int) -> Wan:
    """Return the WAN of the first sites."""

    def cut(table: object) -> object:
        if not isinstance(table, tuple):
            return table
        rows = table[:sites]
        return tuple(row[:sites] if isinstance(row, tuple) else row for row in rows)

    return replace(wan, bandwidth=cut(wan.bandwidth), latency=cut(wan.latency))


def _kept(machine: Damaged, part: Damaged) -> _core.Faults:
    """Return the faults of a machine that are in its first part."""
    faults = machine.faults
    if not len(faults):
        return faults._core
    chips, ultraservers, sites = part.num_chips, part.num_ultraservers, len(part.sites)
    most = {"chips": chips, "nics": chips, "ultraservers": ultraservers, "sites": sites}
    named = {name: getattr(faults, name) for name in _NUMBERED_BY_CHIP}
    kept = {name: numbers[numbers < most[name]] for name, numbers in named.items()}
    links = _links(machine, part, faults.links)
    slower = faults.degraded
    degraded = {
        link: slower[link] for link in _links(machine, part, np.array(list(slower), np.int64))
    }
    return Faults(links=links, degraded=degraded, **kept)._core


def _links(machine: Damaged, part: Damaged, links: np.ndarray) -> list[int]:
    """Return those links inside UltraServers that are in the part: their numbers are the same."""
    axes = set(machine._axis_names())
    inside: list[int] = []
    for link in links.tolist():
        one = machine.link(link)
        if one.link_class not in axes:
            raise Unsupported(
                f"chips: got {part.num_chips:,} of a machine on which {one} is dead or slower; "
                "links between UltraServers have other numbers in a part: make the part first, "
                "then its faults"
            )
        chip = one.source_chip if one.source_chip is not None else one.target_chip
        if chip is not None and chip < part.num_chips:
            inside.append(link)
    return inside
