"""What one chip takes, with its share of host, network and cooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from rainier_fast.catalog import catalog
from rainier_fast.catalog.figure import Figure
from rainier_fast.definitions.check import as_number
from rainier_fast.errors import Unsupported, invalid
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity, parse_power

REST: Final = "host and network"
_LEAST: Final = 1.0
_MOST_PUE: Final = 5.0
_DESIGN: Final = ("tdp", "power_max")


class Line(NamedTuple):
    """Watts of one part, the range that makes sense, and who says so."""

    part: str
    watts: float
    low: float
    high: float
    source: str


@dataclass(frozen=True, slots=True)
class PerChip:
    """Watts of a chip and its share of the rest.

    Attributes
    ----------
    busy, idle
        Of the chip while it computes, and while it waits.
    others
        Of host and network, which do not rest.
    pue
        Power of the building over that of its computers.
    """

    busy: Line
    idle: Line
    others: tuple[Line, ...]
    pue: Line

    @property
    def beside(self) -> float:
        """Watts of host and network."""
        return sum(line.watts for line in self.others)

    @property
    def full(self) -> float:
        """Watts of all of it with cooling, while the chip computes."""
        return (self.busy.watts + self.beside) * self.pue.watts

    @property
    def cooling(self) -> Line:
        """What the building takes beside its computers, while chips compute."""
        watts = self.busy.watts + self.beside
        low, high = self.pue.low - 1, self.pue.high - 1
        return Line(
            "cooling", watts * (self.pue.watts - 1), watts * low, watts * high, self.pue.source
        )


def per_chip(machine: Base, options: dict[str, Any]) -> PerChip:
    """Return what a chip takes by the catalogue, and by what was said."""
    chip = machine.ultraserver.chip
    name = None if chip is None else chip.name
    busy = _busy(name, options["chip"])
    pue = _pue(options["pue"])
    others = _others(name, busy, pue, options)
    return PerChip(busy, _idle(busy, options["idle"]), others, pue)


def _said(part: str, given: Quantity) -> Line:
    watts = parse_power(given, part)
    if 0 < watts <= _LEAST:
        allowed = f"must be watts of each chip, above {_LEAST:g} or 0: no share and no kilowatts"
        raise invalid(part, given, f"{allowed}; such as '200 W'")
    return Line(part, watts, watts, watts, "as it was given")


def _busy(name: str | None, given: Quantity | None) -> Line:
    if given is not None:
        line = _said("chip", given)
        if line.watts == 0:
            raise invalid("chip", given, "must be above 0 watts")
        return line
    figures = catalog()[name].figures if name is not None and name in catalog() else {}
    for key in _DESIGN:
        if key in figures:
            return _line("chip", figures[key])
    raise Unsupported(
        f"no power of {name or 'these chips'} is published; say chip='500 W' and what stands beside"
    )


def _line(part: str, figure: Figure) -> Line:
    low = figure.number if figure.low is None else figure.low
    high = figure.number if figure.high is None else figure.high
    return Line(part, figure.number, low, high, figure.source)


def _idle(busy: Line, given: Quantity | None) -> Line:
    if given is not None:
        line = _said("idle", given)
        if line.watts > busy.watts:
            raise invalid("idle", given, f"must be at most the {busy.watts:g} W of a busy chip")
        return line
    share = catalog()["practice"]["chip_idle_share"]
    line = _line("idle", share)
    low, high = busy.watts * line.low, busy.watts * line.high
    return Line("idle", busy.watts * line.watts, low, high, share.source)


def _pue(given: object) -> Line:
    if given is None:
        return _line("pue", catalog()["practice"]["pue"])
    number = as_number("pue", given, 1.0, _MOST_PUE, "must be a number from 1 to 5, or None")
    return Line("pue", number, number, number, "as it was given")


def _others(name: str | None, busy: Line, pue: Line, options: dict[str, Any]) -> tuple[Line, ...]:
    """Return host and network: as they were given, or what the whole leaves for both."""
    said = {part: options[part] for part in ("host", "network") if options[part] is not None}
    if len(said) == 2:
        return tuple(_said(part, given) for part, given in said.items())
    known = catalog()["all-in-power"].figures
    if name is None or name not in known:
        lacking = [part for part in ("host", "network") if part not in said]
        missing = ", ".join(f"{part}=" for part in lacking)
        raise Unsupported(
            f"no power of the host and the network beside {name or 'these chips'} is published; "
            f"say {missing} in watts of each chip, such as {lacking[0]}='100 W'"
        )
    figure = known[name]
    whole = _line(REST, figure)
    lines = [_said(part, given) for part, given in said.items()]
    least = busy.watts + sum(line.watts for line in lines)
    left, low, high = (max(all_in / pue.watts - least, 0.0) for all_in in whole[1:4])
    part = next((one for one in ("network", "host") if said and one not in said), REST)
    arithmetic = f"{figure.text} all in / {pue.watts:g}, less the chip; {figure.source}"
    return (*lines, Line(part, left, low, high, arithmetic))
