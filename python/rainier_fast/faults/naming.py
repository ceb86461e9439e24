"""From the names that people give to parts of a machine, to the numbers that the core takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, SupportsFloat, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.definitions.check import as_factor, as_integer, as_items, as_pairs
from rainier_fast.definitions.places import ChipAt, LinkAt
from rainier_fast.errors import RainierError, as_one_of, invalid, invalid_type, shown
from rainier_fast.flows.places import Places
from rainier_fast.results.link import Link
from rainier_fast.topology.arrays import as_integers, check_below

_Integers: TypeAlias = NDArray[np.integer[Any]]
_Chip: TypeAlias = int | ChipAt | Mapping[str, Any] | tuple[int, ...]
_Link: TypeAlias = int | LinkAt | Link | Mapping[str, Any]
_UltraServer: TypeAlias = int | tuple[int | str, int]

ChipNames: TypeAlias = int | ChipAt | Mapping[str, Any] | Iterable[_Chip] | NDArray[Any]
"""Chips: numbers, `ChipAt`, dicts of coordinates, or rows of `Machine.coordinates`."""

LinkNames: TypeAlias = int | LinkAt | Link | Mapping[str, Any] | Iterable[_Link] | _Integers
"""Links: numbers, `LinkAt`, dicts of its words, or what `Machine.link` gives."""

UltraServerNames: TypeAlias = int | Iterable[_UltraServer] | _Integers
"""UltraServers: numbers over the machine, or (site, number in it)."""

SiteNames: TypeAlias = int | str | Iterable[int | str] | _Integers
"""Sites: names or numbers."""

Degraded: TypeAlias = Mapping[Any, float] | tuple[LinkNames, Any]
"""Slower links: factors by link, or a pair of links and factors."""

_CHIPS: Final = (
    "must be chips: numbers, ChipAt(...), dicts such as {'site': 0, 'x': 1}, or tuples "
    "(site, ultraserver, x, ...)"
)
_LINKS: Final = (
    "must be links: numbers, LinkAt(...), dicts such as {'axis': 'z', 'x': 1}, or results of "
    "machine.link"
)
_UNITS: Final = "must be UltraServers: numbers over the machine, or tuples (site, number in it)"
_SINGLE: Final = (str, Mapping, Link, LinkAt, ChipAt, int, np.generic, np.ndarray)
_SITES: Final = "must be sites: names or numbers"
_SLOW: Final = "must be a mapping of links to factors, or a pair (links, factors)"


def fault_row(
    machine: Places,
    links: LinkNames,
    chips: ChipNames,
    nics: ChipNames,
    ultraservers: UltraServerNames,
    sites: SiteNames,
    slower: tuple[NDArray[np.uint64], NDArray[np.float64]],
) -> _core._FaultRow:
    """Return the numbers of all that is named, as the core takes them."""
    return (
        links_of(machine, "links", links),
        chips_of(machine, "chips", chips),
        chips_of(machine, "nics", nics),
        ultraservers_of(machine, "ultraservers", ultraservers),
        sites_of(machine, "sites", sites),
        *slower,
    )


def chips_of(machine: Places, argument: str, given: ChipNames) -> NDArray[np.uint32]:
    """Return the numbers of chips that are named in any of the ways."""
    if isinstance(given, np.ndarray) and given.dtype.names:
        words = {name: given[name] for name in given.dtype.names}
        given = np.atleast_1d(machine.chip(**words))

    def one(name: str, item: object) -> list[int]:
        if isinstance(item, tuple) and not hasattr(item, "dtype"):
            return [_chip_of_row(machine, name, item)]
        if isinstance(item, ChipAt):
            return [_chip(machine, name, item.to_dict())]
        if isinstance(item, Mapping):
            return [_chip(machine, name, dict(as_pairs(name, item, _CHIPS)))]
        return [_number(name, item, machine.num_chips, _CHIPS)]

    numbers = _all(argument, given, machine.num_chips, one, _CHIPS)
    return numbers.astype(np.uint32)


def links_of(machine: Places, argument: str, given: LinkNames) -> NDArray[np.uint64]:
    """Return the numbers of links that are named in any of the ways; a cable is two."""
    one = partial(_links, machine)
    return _all(argument, given, machine.num_links, one, _LINKS).astype(np.uint64)


def ultraservers_of(machine: Places, argument: str, given: object) -> NDArray[np.uint32]:
    """Return numbers of UltraServers over the machine."""
    counts = [site.ultraservers for site in machine.sites]

    def one(name: str, item: object) -> list[int]:
        if not isinstance(item, tuple):
            return [_number(name, item, machine.num_ultraservers, _UNITS)]
        if len(item) != 2:
            raise invalid(name, item, _UNITS)
        site = _site(machine, f"{name}[0]", item[0])
        return [sum(counts[:site]) + as_integer(f"{name}[1]", item[1], 0, counts[site] - 1)]

    return _all(argument, given, machine.num_ultraservers, one, _UNITS).astype(np.uint32)


def sites_of(machine: Places, argument: str, given: object) -> NDArray[np.uint32]:
    """Return numbers of sites."""

    def one(name: str, item: object) -> list[int]:
        return [_site(machine, name, item)]

    return _all(argument, given, len(machine.sites), one, _SITES).astype(np.uint32)


def degraded_of(
    machine: Places, argument: str, given: object
) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """Return numbers of slower links and the factor of each."""
    if isinstance(given, Mapping):
        links: list[int] = []
        factors: list[float] = []
        for name, factor in as_pairs(argument, given, _SLOW):
            here = _links(machine, f"{argument} key", name)
            links += here
            factors += [as_factor(f"{argument}[{shown(name)}]", factor)] * len(here)
        return np.array(links, np.uint64), np.array(factors, np.float64)
    if not isinstance(given, tuple) or len(given) != 2:
        raise invalid_type(argument, given, _SLOW)
    numbers = links_of(machine, f"{argument}[0]", given[0])
    one_for_all = isinstance(given[1], SupportsFloat) and not isinstance(given[1], Iterable)
    slower = [given[1]] if one_for_all else as_items(f"{argument}[1]", given[1], _SLOW)
    values = list(slower) * (numbers.size if one_for_all else 1)
    if len(values) != numbers.size:
        allowed = f"must have one for each of {numbers.size} links"
        raise invalid(f"{argument}[1]", f"{len(values)} factors", allowed)
    checked = [as_factor(f"{argument}[1][{at}]", value) for at, value in enumerate(values)]
    return numbers, np.array(checked, np.float64)


def _all(
    argument: str,
    given: object,
    limit: int,
    one: Callable[[str, object], list[int]],
    allowed: str,
) -> NDArray[Any]:
    """Read one name or many: arrays and lists of integers at once, all else name by name."""
    if isinstance(given, np.ndarray) or _plain(given):
        array = np.atleast_1d(as_integers(argument, given, limit - 1))
        check_below(argument, array, limit)
        return array
    if isinstance(given, _SINGLE):
        return np.array(one(argument, given), np.int64)
    numbers: list[int] = []
    for at, item in enumerate(as_items(argument, given, allowed)):
        numbers += one(f"{argument}[{at}]", item)
    return np.array(numbers, np.int64)


def _plain(given: object) -> bool:
    if isinstance(given, range):
        return True
    if not isinstance(given, list | tuple):
        return False
    return all(type(item) is int for item in given)


def _number(name: str, item: object, limit: int, allowed: str) -> int:
    try:
        return as_integer(name, item, 0, limit - 1)
    except TypeError:
        raise invalid_type(name, item, allowed) from None


def _site(machine: Places, name: str, item: object) -> int:
    if isinstance(item, str):
        sites = [site.name for site in machine.sites]
        return sites.index(as_one_of(name, item, sites))
    return _number(name, item, len(machine.sites), _SITES)


def _chip(machine: Places, name: str, words: dict[str, Any]) -> int:
    if not all(isinstance(word, str) for word in words):
        raise invalid_type(name, words, _CHIPS)
    try:
        number = machine.chip(**words)
    except RainierError as error:
        raise type(error)(f"{name}: {error}") from None
    if not isinstance(number, int):
        raise invalid_type(name, words, "must name one chip: give one number for each coordinate")
    return number


def _chip_of_row(machine: Places, name: str, row: tuple[Any, ...]) -> int:
    names = ["site", "ultraserver", *machine._axis_names()]
    if len(row) != len(names):
        raise invalid(name, row, f"must be ({', '.join(names)})")
    return _chip(machine, name, dict(zip(names, row, strict=True)))


def _links(machine: Places, name: str, item: object) -> list[int]:
    if isinstance(item, Link):
        return [_number(name, item.link, machine.num_links, _LINKS)]
    if isinstance(item, Mapping):
        words: dict[Any, Any] = dict(as_pairs(name, item, _LINKS))
        if "axis" not in words or not all(isinstance(word, str) for word in words):
            raise invalid_type(name, item, _LINKS)
        item = LinkAt(**words)
    if not isinstance(item, LinkAt):
        return [_number(name, item, machine.num_links, _LINKS)]
    chip = _chip(machine, name, item.chip.to_dict())
    try:
        to = item.to
        if isinstance(to, str):
            to = _site(machine, "to", to)
        if to is not None:
            to = as_integer("to", to, 0, machine.num_chips - 1)
        return _core.links_named(machine._core, chip, item.axis, item.direction, to)
    except RainierError as error:
        raise type(error)(f"{name}: {error}") from None
