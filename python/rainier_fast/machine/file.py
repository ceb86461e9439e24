"""Machines as plain rows, and back: presets with changes, tori in a line, or every part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from rainier_fast.definitions.chip import Chip
from rainier_fast.definitions.known import KNOWN, known
from rainier_fast.definitions.site import Fabric, Site
from rainier_fast.definitions.ultraserver import UltraServer
from rainier_fast.definitions.wan import Wan
from rainier_fast.errors import RainierError, unknown
from rainier_fast.faults.faults import Faults
from rainier_fast.faults.file import NAMES
from rainier_fast.files.changes import changed
from rainier_fast.files.fields import Plain, as_list, as_table, from_plain, to_plain
from rainier_fast.files.place import Misplaced
from rainier_fast.machine.machine import Cluster, Machine
from rainier_fast.machine.presets import preset
from rainier_fast.machine.shapes import domain
from rainier_fast.machine.short_file import SHAPES, in_short, of_short

KEYS: Final = ("name", "preset", *SHAPES, "ultraserver", "fabric", "sites", "wan", "faults")
"""What a file of a machine may say."""
_Made = TypeVar("_Made")
_PRESET: Final = ("name", "chips", "shape", "sites", "twisted")


def describe(machine: Machine) -> Plain:
    """Return a machine as a dict; `made` gives an equal one."""
    whole = machine.healthy()
    plain = in_short(whole)
    if plain is None:
        plain = _in_full(whole)
    if machine.is_damaged:
        plain["faults"] = _faults(machine)
    return plain


def made(plain: Plain) -> Machine:
    """Make a machine of a dict."""
    for key in plain:
        if key not in KEYS:
            raise Misplaced((key,), str(unknown("key", key, KEYS)))
    ways = [key for key in ("preset", *SHAPES) if key in plain]
    if len(ways) > 1:
        raise Misplaced((ways[1],), f"{ways[0]} says the machine already; keep one of them")
    whole = {key: value for key, value in plain.items() if key != "faults"}
    machine = of_short(whole) if ways and ways[0] != "preset" else _whole(whole)
    if (faults := plain.get("faults")) is not None:
        machine = _damaged(machine, as_table(faults, ("faults",)))
    return machine


def _in_full(machine: Machine) -> Plain:
    """Return every part of a machine; a domain by itself is an UltraServer without sites."""
    plain: Plain = {} if machine.name is None else {"name": machine.name}
    server = machine.ultraserver
    if server.nic is None and _equal(lambda: domain(server, machine.name), machine):
        return plain | {"ultraserver": to_plain(server)}
    sites = [to_plain(site) for site in machine.sites]
    for row, site in zip(sites, machine.sites, strict=True):
        row.pop("ultraserver")
        row["fabric"] = {"tiers": [to_plain(tier) for tier in site.tiers]}
    plain["ultraserver"] = to_plain(server)
    if all(row["fabric"] == sites[0]["fabric"] for row in sites):
        plain["fabric"] = sites[0]["fabric"]
        for row in sites:
            row.pop("fabric")
    plain["sites"] = sites
    return plain if machine.wan is None else plain | {"wan": to_plain(machine.wan)}


def _whole(plain: Plain) -> Machine:
    """Make a machine of a preset with changes, or of its parts."""
    if "preset" in plain:
        machine = _preset(plain["preset"])
        changes = {key: value for key, value in plain.items() if key != "preset"}
        if not changes:
            return machine
        plain = changed(_in_full(machine), changes)
    if "ultraserver" not in plain:
        ways = f"preset, {', '.join(SHAPES)} or ultraserver"
        raise Misplaced((), f"must have {ways}, which says what the machine is")
    server = _server(plain["ultraserver"])
    name = plain.get("name")
    wan = from_plain(Wan, plain["wan"], ("wan",)) if plain.get("wan") is not None else None
    if "sites" not in plain:
        for key in ("wan", "fabric"):
            if key in plain:
                raise Misplaced((key,), "joins what sites have, and there are no sites")
        return _tried(lambda: domain(server, name), ("name",))
    rows = as_list(plain["sites"], ("sites",))
    fabric = None
    if plain.get("fabric") is not None:
        fabric = from_plain(Fabric, plain["fabric"], ("fabric",))
    sites = [_site(row, at, server, fabric) for at, row in enumerate(rows)]
    return _tried(lambda: Cluster(sites, wan, name), ("sites",))


def _site(row: object, at: int, server: UltraServer, usual: Fabric | None) -> Site:
    keys = ("sites", at)
    table = dict(as_table(row, keys))
    if "ultraserver" in table:
        raise Misplaced((*keys, "ultraserver"), "all sites share the ultraserver of the machine")
    fabric = table.pop("fabric", None)
    made_of = usual if fabric is None else from_plain(Fabric, fabric, (*keys, "fabric"))
    site = from_plain(_Counted, table, keys)
    return _tried(lambda: Site(site.name, site.ultraservers, server, made_of), keys)


def _server(plain: object) -> UltraServer:
    """Make an UltraServer: by its name, like a known one with changes, or of its parts."""
    keys = ("ultraserver",)
    if isinstance(plain, str):
        plain = {"like": plain}
    table = dict(as_table(plain, keys))
    like = table.pop("like", None)
    if like is not None:
        if like not in KNOWN:
            raise Misplaced((*keys, "like"), str(unknown("like", like, KNOWN)))
        table = changed(to_plain(known(like)), table)
    if isinstance(table.get("chip"), str):
        name = table["chip"]
        table["chip"] = to_plain(_tried(lambda: Chip.from_catalog(name), (*keys, "chip")))
    return from_plain(UltraServer, table, keys)


def _preset(plain: object) -> Machine:
    keys = ("preset",)
    table = {"name": plain} if isinstance(plain, str) else as_table(plain, keys)
    for key in table:
        if key not in _PRESET:
            raise Misplaced((*keys, key), str(unknown("key", key, _PRESET)))
    if "name" not in table:
        raise Misplaced(keys, "has no name")
    return _tried(lambda: preset(**table), keys)


def _faults(machine: Machine) -> Plain:
    faults = machine.faults
    lists = {name: getattr(faults, name).tolist() for name in NAMES}
    plain: Plain = {name: numbers for name, numbers in lists.items() if numbers}
    if faults.degraded:
        plain["degraded"] = [[link, factor] for link, factor in faults.degraded.items()]
    return plain


def _damaged(machine: Machine, plain: Plain) -> Machine:
    allowed = (*NAMES, "degraded")
    keys = ("faults",)
    named: dict[str, Any] = {}
    for key, given in plain.items():
        if key not in allowed:
            raise Misplaced((*keys, key), str(unknown("key", key, allowed)))
        named[key] = as_list(given, (*keys, key))
    pairs = named.pop("degraded", [])
    for at, pair in enumerate(pairs):
        if not isinstance(pair, list) or len(pair) != 2:
            raise Misplaced((*keys, "degraded", at), "must be a link and its factor")
    parts = [*(item for items in named.values() for item in items), *(link for link, _ in pairs)]
    if all(type(part) is int for part in parts):
        return _by_number(machine, named, pairs)
    slower = ([link for link, _ in pairs], [factor for _, factor in pairs]) if pairs else None
    return _tried(lambda: machine.with_faults(**named, degrade=slower), keys)


def _by_number(machine: Machine, named: dict[str, Any], pairs: list[Any]) -> Machine:
    """Put faults on a machine whose parts are named by their numbers."""
    keys = ("faults",)
    if len({link for link, _ in pairs}) < len(pairs):
        raise Misplaced((*keys, "degraded"), "names a link twice")
    faults = _tried(lambda: Faults(**named, degraded=dict(pairs)), keys)
    return _tried(lambda: machine.with_faults(faults=faults), keys)


def _tried(make: Callable[[], _Made], keys: tuple[str | int, ...]) -> _Made:
    """Return what a function makes; its error is put at a place."""
    try:
        return make()
    except RainierError as error:
        spoken = (error.argument or "").partition("[")[0].partition(".")[0]
        at = (*keys, spoken) if spoken.isidentifier() and keys != (spoken,) else keys
        raise Misplaced(at, str(error)) from error


def _equal(make: Callable[[], Machine], machine: Machine) -> bool:
    try:
        return bool(make() == machine)
    except RainierError:
        return False


@dataclass(frozen=True, slots=True)
class _Counted:
    """What a site says beside its UltraServer and its fabric."""

    name: str
    ultraservers: int
