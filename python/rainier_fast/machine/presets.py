"""Machines by name, made of the catalogue's figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rainier_fast.catalog import assumptions, catalog
from rainier_fast.catalog.load import assumed
from rainier_fast.definitions.check import MAX_COUNT, as_count, as_flag, as_integer
from rainier_fast.definitions.known import KNOWN, known
from rainier_fast.definitions.site import Site
from rainier_fast.definitions.wan import Wan
from rainier_fast.errors import as_one_of, invalid
from rainier_fast.machine.machine import Machine
from rainier_fast.machine.rivals import CLUSTERS, SLICES, cluster_of, shape_instead, slice_of
from rainier_fast.machine.shapes import domain
from rainier_fast.provenance import AssumedInt, keep

_RAINIER: Final = "rainier"
_SITES: Final = ("indiana", "mississippi", "pennsylvania")
_ULTRASERVER: Final = "TRN2_ULTRASERVER"

_SWITCHED: Final = "Trainium3 chips, two switched"
_DOMAINS: Final = {
    "trn1": "one Trn1 instance: 16 Trainium chips, 4x4 torus",
    "trn2": "one Trn2 instance: 16 Trainium2 chips, 4x4 torus",
    "trn2-ultraserver": "one Trn2 UltraServer: 64 Trainium2 chips, 4x4x4 torus",
    "trn3-ultraserver-gen1": f"one Trn3 Gen1 UltraServer: 64 {_SWITCHED} groups of 32",
    "trn3-ultraserver-gen2": f"one Trn3 Gen2 UltraServer: 144 {_SWITCHED} racks of 72",
}


def presets() -> dict[str, str]:
    """Return the machines that `preset` knows.

    Returns
    -------
    dict of str to str
        Names and one line each.

    Examples
    --------
    >>> "rainier" in presets()
    True
    """
    first = {_RAINIER: "Project Rainier: 524,288 Trainium2 chips, 8,192 UltraServers, 3 sites"}
    return first | _DOMAINS | {name: line for name, (_, line) in CLUSTERS.items()} | SLICES


def preset(
    name: str,
    chips: int | None = None,
    shape: Sequence[int] | None = None,
    *,
    sites: int | None = None,
    twisted: bool = False,
) -> Machine:
    """Make a machine by its name.

    Parameters
    ----------
    name
        A name of `presets()`.
    chips
        Number of chips. Of ``"rainier"``, a multiple of 64, which fill one site before the next:
        Indiana's 262,144, then 131,072 in Mississippi and in Pennsylvania (shares that the
        catalogue assumes; no size of a site is published). Above 524,288, each site grows by its
        share. Of machines of nodes such as ``"h100"`` or ``"gb200-nvl72"``, any whole number of
        nodes, over the scale-out fabric that the catalogue assumes. Other presets have no such
        freedom.
    shape
        Chips along each axis of a TPU slice, such as ``(4, 4, 8)``; None for the whole pod.
    sites
        Of ``"rainier"``, over how many sites to spread the chips, 1 to 3, in proportion to those
        shares; None to fill one before the next.
    twisted
        Whether a TPU slice is a twisted torus, which is not modelled yet.

    Returns
    -------
    Machine
        The same definition each time.

    Raises
    ------
    UnknownName
        If there is no such preset.
    InvalidArgument, InvalidType
        If `chips`, `shape`, `sites` or `twisted` is not usable, or the preset has no such freedom.
    Unsupported
        For a twisted torus.

    Examples
    --------
    >>> preset("rainier").num_chips, preset("rainier", chips=128).num_chips
    (524288, 128)
    >>> [[site.num_chips for site in preset("rainier", 16_384, sites=n).sites] for n in (None, 3)]
    [[16384], [8192, 4096, 4096]]
    >>> preset("gb200-nvl72", chips=144).num_ultraservers
    2
    >>> preset("tpu-v5p", shape=(4, 4, 8)).num_links
    768
    """
    name = as_one_of("preset", name, presets(), _aliases)
    if sites is not None and name != _RAINIER:
        raise invalid("sites", sites, f"only preset {_RAINIER!r} has sites to spread over")
    if name in SLICES:
        if chips is not None:
            raise invalid("chips", chips, shape_instead(name, as_count("chips", chips)))
        return slice_of(name, shape, twisted)
    if shape is not None:
        raise invalid("shape", shape, f"only TPU presets have it ({', '.join(SLICES)})")
    if as_flag("twisted", twisted):
        raise invalid("twisted", twisted, f"only TPU presets have it ({', '.join(SLICES)})")
    if name in CLUSTERS:
        return cluster_of(name, chips)
    if name == _RAINIER:
        return _rainier(chips, sites)
    constant = name.replace("-", "_").upper()
    server = known(constant if constant in KNOWN else f"{constant}_INSTANCE")
    if chips is not None:
        allowed = f"preset {name!r} always has {server.num_chips} chips; leave it out"
        raise invalid("chips", chips, allowed)
    alone = domain(server)
    return Machine._make(alone.sites, None, name, f"preset({name!r})")


def sized() -> frozenset[str]:
    """Return the presets that may have any whole number of UltraServers or nodes."""
    return frozenset((_RAINIER, *CLUSTERS))


def _rainier(chips: int | None, sites: int | None) -> Machine:
    server = known(_ULTRASERVER)
    default = int(catalog()[_RAINIER]["chips_modelled"].number)
    count = default if chips is None else as_count("chips", chips)
    unit = server.num_chips
    if count % unit or count > MAX_COUNT:
        raise invalid("chips", count, f"must be a whole number of UltraServers of {unit} chips")
    units = count // unit
    words = [repr(_RAINIER)] + ([] if count == default else [f"chips={count}"])
    if sites is None:
        split = _filled(units, _spread(default // unit, _SITES))
    else:
        number = as_integer("sites", sites, 1, len(_SITES))
        if units < number:
            allowed = f"needs chips={unit * number:,} at least, an UltraServer of {unit} a site"
            raise invalid("sites", f"{number} for chips={count}", allowed)
        split = _spread(units, _SITES[:number])
        words.append(f"sites={number}")
    made = tuple(Site(site, size, server) for site, size in split.items() if size)
    wan = _wan([site.name for site in made])
    return Machine._make(made, wan, _RAINIER, f"preset({', '.join(words)})")


def _aliases() -> dict[str, str]:
    """Return other words for presets: those of the catalogue's entries of the same name or part."""
    known, words = presets(), catalog().aliases()
    return {
        word: name if name in known else name.removesuffix("-pod") for word, name in words.items()
    }


def _filled(ultraservers: int, capacities: dict[str, int]) -> dict[str, int]:
    """Fill one site before the next; what is more than all of them hold, by shares."""
    if ultraservers > sum(capacities.values()):
        return _spread(ultraservers, _SITES)
    counts = {}
    for site, capacity in capacities.items():
        counts[site] = keep(capacity, min(ultraservers, capacity))
        ultraservers -= counts[site]
    return counts


def _spread(ultraservers: int, sites: Sequence[str]) -> dict[str, int]:
    """Spread UltraServers by largest remainder; equal remainders go to the first."""
    shares = {site: assumptions()[f"site_share_{site}"].number for site in sites}
    whole = sum(shares.values())
    quotas = {site: ultraservers * share / whole for site, share in shares.items()}
    counts = {site: int(quota) for site, quota in quotas.items()}
    by_remainder = sorted(sites, key=lambda site: counts[site] - quotas[site])
    for site in by_remainder[: ultraservers - sum(counts.values())]:
        counts[site] += 1
    return {site: AssumedInt(count, f"site_share_{site}") for site, count in counts.items()}


def _wan(sites: list[str]) -> Wan | None:
    if len(sites) == 1:
        return None

    def latency(one: str, other: str) -> float:
        first, second = sorted((one, other))
        return assumed(f"wan_latency_{first}_{second}") if one != other else 0.0

    table = [[latency(one, other) for other in sites] for one in sites]
    return Wan(assumed("wan_bandwidth"), table)
