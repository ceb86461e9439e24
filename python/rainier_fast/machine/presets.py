"""Machines by name, made of the catalogue's figures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from rainier_fast.definitions.assumed import assumed
from rainier_fast.definitions.check import MAX_COUNT, as_count, as_flag
from rainier_fast.definitions.known import known
from rainier_fast.definitions.site import Site
from rainier_fast.definitions.wan import Wan
from rainier_fast.errors import invalid, unknown
from rainier_fast.machine.machine import Machine
from rainier_fast.machine.rivals import CLUSTERS, SLICES, cluster_of, slice_of
from rainier_fast.machine.shapes import domain
from rainier_fast.provenance import AssumedInt

__all__ = ["preset", "presets"]

_RAINIER: Final = "rainier"
_SITES: Final = ("indiana", "mississippi", "pennsylvania")
_ULTRASERVER: Final = "TRN2_ULTRASERVER"

_SHAPE: Final = {name: (8, 16) if name in ("tpu-v5e", "tpu-v6e") else (4, 4, 8) for name in SLICES}

_DOMAINS: Final = {
    "trn1": ("TRN1_INSTANCE", "one Trn1 instance: 16 Trainium chips, 4x4 torus"),
    "trn2": ("TRN2_INSTANCE", "one Trn2 instance: 16 Trainium2 chips, 4x4 torus"),
    "trn2-ultraserver": (
        "TRN2_ULTRASERVER",
        "one Trn2 UltraServer: 64 Trainium2 chips, 4x4x4 torus",
    ),
    "trn3-ultraserver-gen1": (
        "TRN3_ULTRASERVER_GEN1",
        "one Trn3 Gen1 UltraServer: 64 Trainium3 chips, two switched groups of 32",
    ),
    "trn3-ultraserver-gen2": (
        "TRN3_ULTRASERVER_GEN2",
        "one Trn3 Gen2 UltraServer: 144 Trainium3 chips, two switched racks of 72",
    ),
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
    ours = first | {name: line for name, (_, line) in _DOMAINS.items()}
    nodes = {name: line for name, (_, _, line) in CLUSTERS.items()}
    return ours | nodes | {name: line for name, (_, line) in SLICES.items()}


def preset(
    name: str,
    chips: int | None = None,
    shape: Sequence[int] | None = None,
    *,
    twisted: bool = False,
) -> Machine:
    """Make a machine by its name.

    Parameters
    ----------
    name
        A name of `presets()`.
    chips
        Number of chips. Of ``"rainier"``, a multiple of 64, split over its sites as the catalogue
        assumes; small machines have fewer sites. Of machines of nodes such as ``"h100"`` or
        ``"gb200-nvl72"``, any whole number of nodes, over the scale-out fabric that the catalogue
        assumes. Other presets have no such freedom.
    shape
        Chips along each axis of a TPU slice, such as ``(4, 4, 8)``; None for the whole pod.
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
        If `chips`, `shape` or `twisted` is not usable, or the preset has no such freedom.
    Unsupported
        For a twisted torus.

    Examples
    --------
    >>> preset("rainier").num_chips, preset("rainier", chips=128).num_chips
    (524288, 128)
    >>> preset("gb200-nvl72", chips=144).num_ultraservers
    2
    >>> preset("tpu-v5p", shape=(4, 4, 8)).num_links
    768
    """
    if not isinstance(name, str) or name not in presets():
        raise unknown("preset", name, presets())
    if name in SLICES:
        if chips is not None:
            raise invalid("chips", chips, f"preset {name!r} takes shape=, such as {_SHAPE[name]}")
        return slice_of(name, shape, twisted)
    if shape is not None:
        raise invalid("shape", shape, f"only TPU presets have it ({', '.join(SLICES)})")
    if as_flag("twisted", twisted):
        raise invalid("twisted", twisted, f"only TPU presets have it ({', '.join(SLICES)})")
    if name in CLUSTERS:
        return cluster_of(name, chips)
    if name == _RAINIER:
        return _rainier(chips)
    constant, _ = _DOMAINS[name]
    server = known(constant)
    if chips is not None:
        allowed = f"preset {name!r} always has {server.num_chips} chips; leave it out"
        raise invalid("chips", chips, allowed)
    alone = domain(server)
    return Machine._make(alone.sites, None, name, f"preset({name!r})")


def _rainier(chips: int | None) -> Machine:
    server = known(_ULTRASERVER)
    default = _modelled_chips()
    count = default if chips is None else as_count("chips", chips)
    unit = server.num_chips
    if count % unit or count > MAX_COUNT:
        raise invalid("chips", count, f"must be a whole number of UltraServers of {unit} chips")
    split = _split(count // unit)
    sites = tuple(Site(site, number, server) for site, number in split.items() if number)
    spelling = (
        f"preset({_RAINIER!r})" if count == default else f"preset({_RAINIER!r}, chips={count})"
    )
    return Machine._make(sites, _wan([site.name for site in sites]), _RAINIER, spelling)


@cache
def _modelled_chips() -> int:
    from rainier_fast.catalog import catalog  # read only when asked for

    return int(catalog()[_RAINIER]["chips_modelled"].number)


def _split(ultraservers: int) -> dict[str, int]:
    """Split UltraServers over the sites by largest remainder; equal remainders go to the first."""
    from rainier_fast.catalog import assumptions

    quotas = {site: ultraservers * assumptions()[f"site_share_{site}"].number for site in _SITES}
    counts = {site: int(quota) for site, quota in quotas.items()}
    by_remainder = sorted(_SITES, key=lambda site: counts[site] - quotas[site])
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
