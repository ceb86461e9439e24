"""Faults in words: where each is, and long lists cut short."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.flows.places import Places
from rainier_fast.units import format_count

_MOST_SHOWN: Final = 6
_MOST_LINES: Final = 20


def arguments(faults: _core.Faults, degraded: str = "degraded") -> str:
    """Return the arguments that make faults, long lists cut short."""
    words = [f"{name}={_elided(column)}" for name, column in _dead(faults)]
    if faults.degraded:
        words.append(f"{degraded}={_elided_factors(faults.degraded)}")
    return ", ".join(words)


def summary(faults: _core.Faults) -> str:
    """Return the counts in one line."""
    dead = [_counted(column.size, name) for name, column in _dead(faults)]
    words = [f"{', '.join(dead)} dead"] if dead else []
    if faults.degraded:
        words.append(f"{_counted(len(faults.degraded), 'links')} slower")
    return "; ".join(words) or "no faults"


def lines(faults: _core.Faults, machine: Places | None) -> list[str]:
    """Return a summary and where the first faults are, or their numbers on no known machine."""
    out = [summary(faults)]
    if machine is None:
        out += [f"  {name}: {_elided(column)}" for name, column in _dead(faults)]
        pairs = faults.degraded
        return out + ([f"  degraded: {_elided_factors(pairs)}"] if pairs else [])
    for what, _, where, factor in rows(faults, machine, _MOST_LINES):
        slower = f", at {factor:g} of its bandwidth" if factor else ""
        out.append(f"  {'NIC of ' if what == 'nic' else ''}{where}{slower}")
    if len(faults) > _MOST_LINES:
        out.append(f"  ... and {format_count(len(faults) - _MOST_LINES)} more")
    return out


def rows(faults: _core.Faults, machine: Places, most: int) -> Iterator[tuple[str, int, str, float]]:
    """Yield (what, number, where, factor) of at most so many faults."""
    words = {
        "site": (faults.sites, _site),
        "ultraserver": (faults.ultraservers, _unit),
        "link": (faults.links, _link),
        "chip": (faults.chips, _chip),
        "nic": (faults.nics, _chip),
    }
    left = most
    for what, (column, where) in words.items():
        for number in column[:left].tolist():
            yield what, number, where(machine, number), 0.0
        left -= min(left, column.size)
    for number, factor in faults.degraded[:left]:
        yield "slower link", number, _link(machine, number), factor


def _dead(faults: _core.Faults) -> list[tuple[str, NDArray[np.int64]]]:
    """Return what is dead by kind, with numbers."""
    kinds = [name for name, count in faults.counts() if count and name != "degraded"]
    return [(name, getattr(faults, name)) for name in kinds]


def _site(machine: Places, number: int) -> str:
    return f"site {machine.sites[number].name}"


def _elided(column: NDArray[np.int64]) -> str:
    if column.size <= _MOST_SHOWN:
        return str(column.tolist())
    first = ", ".join(map(str, column[:3].tolist()))
    return f"[{first}, ..., {column[-1]}: {format_count(column.size)} in all]"


def _elided_factors(pairs: list[tuple[int, float]]) -> str:
    if len(pairs) <= _MOST_SHOWN:
        return str(dict(pairs))
    first = ", ".join(f"{link}: {factor!r}" for link, factor in pairs[:3])
    return f"{{{first}, ...: {format_count(len(pairs))} in all}}"


def _counted(count: int, names: str) -> str:
    words = {"nics": "NICs", "ultraservers": "UltraServers"}.get(names, names)
    return f"{format_count(count)} {words if count != 1 else words[:-1]}"


def _unit(machine: Places, number: int) -> str:
    row = machine.coordinates(number * machine.ultraserver.num_chips)
    words = f"UltraServer {number}"
    if len(machine.sites) == 1:
        return words
    return f"{words}: {machine.sites[int(row['site'])].name} {row['ultraserver']}"


def _chip(machine: Places, number: int) -> str:
    row = machine.coordinates(number)
    words = [f"{axis} {row[axis]}" for axis in machine._axis_names()]
    if machine.num_ultraservers > 1:
        words.insert(0, f"UltraServer {row['ultraserver']}")
    if len(machine.sites) > 1:
        words.insert(0, machine.sites[int(row["site"])].name)
    return f"chip {number}: {', '.join(words)}"


def _link(machine: Places, number: int) -> str:
    link = machine.link(number)
    kind = f"{link.link_class} {link.direction}".strip()
    words = f"link {number} ({kind}): {link.source} -> {link.target}"
    chip = link.source_chip if link.source_chip is not None else link.target_chip
    if machine.num_ultraservers > 1 and chip is not None:
        words += f"; {_chip(machine, chip)}"
    return words
