"""Which of the catalogue's assumptions a machine stands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import TYPE_CHECKING

from rainier_fast.definitions.known import KNOWN, known
from rainier_fast.definitions.site import Site, default_fabric
from rainier_fast.definitions.wan import Wan

if TYPE_CHECKING:
    from rainier_fast.catalog import Figure

__all__ = ["in_force"]


def in_force(sites: Sequence[Site], wan: Wan | None) -> Mapping[str, Figure]:
    """Return the assumptions whose values the machine has.

    A value that the user changed no longer equals the catalogue's, so it drops out; a domain with
    axes that are not from the catalogue has no assumptions of the catalogue about them.

    Parameters
    ----------
    sites
        The machine's sites.
    wan
        What joins them.

    Returns
    -------
    mapping of str to Figure
        In the order of the catalogue.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> sorted(in_force(preset("trn2").sites, None))
    ['neuronlink_hop_latency']
    """
    from rainier_fast.catalog import Assumptions, assumptions  # read only when asked for

    names = set(_of_domain(sites[0]))
    if len(sites) > 1 or sites[0].ultraservers > 1:
        names |= set(_of_network(sites))
    names |= set(_of_wan(sites, wan))
    return Assumptions({name: figure for name, figure in assumptions().items() if name in names})


def _of_domain(site: Site) -> Iterator[str]:
    axes = site.ultraserver.axes
    if site.ultraserver.chip is not None and any(known(name).axes == axes for name in KNOWN):
        yield "neuronlink_hop_latency"


def _of_network(sites: Sequence[Site]) -> Iterator[str]:
    from rainier_fast.catalog import assumptions

    figures = assumptions()
    nic = sites[0].ultraserver.nic
    if nic is not None and nic.latency_s == figures["efa_nic_latency"].number:
        yield from ("efa_nic_latency", "efa_end_to_end_latency")
    if nic is not None and nic.overhead_s == figures["efa_message_overhead"].number:
        yield "efa_message_overhead"
    if any(site.fabric == default_fabric() for site in sites):
        yield from ("fabric_tier1_ultraservers", "fabric_tier2_ultraservers")
        yield from ("fabric_tier_latency", "fabric_oversubscription")


def _of_wan(sites: Sequence[Site], wan: Wan | None) -> Iterator[str]:
    from rainier_fast.catalog import assumptions

    figures = assumptions()
    if wan is None:
        return
    shape, bandwidth, latency = wan.tables(len(sites))
    if all(rate == figures["wan_bandwidth"].number for rate in bandwidth):
        yield "wan_bandwidth"
    if shape != "mesh":
        return
    for (one, first), (other, second) in permutations(enumerate(sites), 2):
        name = f"wan_latency_{first.name}_{second.name}"
        if name in figures and latency[one * len(sites) + other] == figures[name].number:
            yield name
    total = sum(site.ultraservers for site in sites)
    for site in sites:
        share = f"site_share_{site.name}"
        if share in figures and abs(figures[share].number * total - site.ultraservers) < 1:
            yield share
