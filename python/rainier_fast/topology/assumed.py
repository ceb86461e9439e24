"""Which of the catalogue's assumptions a machine stands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import TYPE_CHECKING

from rainier_fast.definitions.known import NEURONLINK, known
from rainier_fast.definitions.rivals import entry_of, fabric_of, link_bandwidth
from rainier_fast.definitions.site import Site, default_fabric
from rainier_fast.definitions.wan import Wan

if TYPE_CHECKING:
    from rainier_fast.catalog import Entry, Figure

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
    axes, chip = site.ultraserver.axes, site.ultraserver.chip
    if chip is None:
        return
    if any(known(name).axes == axes for name in NEURONLINK):
        yield "neuronlink_hop_latency"
    entry = entry_of(chip.name)
    if entry is None:
        return
    if all(axis.latency_s == entry["link_latency"].number for axis in axes):
        yield from _named(entry["link_latency"])
    if "launch" in entry and site.ultraserver.launch_s == entry["launch"].number:
        yield from _named(entry["launch"])
    gpu = site.ultraserver.gpu
    if "nccl_fill" in entry and gpu is not None and gpu.fill_s == entry["nccl_fill"].number:
        yield from _named(entry["nccl_fill"])
    if "local_share" in entry and axes[0].bandwidth_Bps == link_bandwidth(entry):
        yield from _named(entry["local_share"])


def _of_network(sites: Sequence[Site]) -> Iterator[str]:
    from rainier_fast.catalog import assumptions

    figures = assumptions()
    nic, chip = sites[0].ultraserver.nic, sites[0].ultraserver.chip
    entry = None if chip is None else entry_of(chip.name)
    if nic is not None and entry is not None and "nic_latency" in entry:
        yield from _of_scale_out(sites, entry)
        return
    if nic is not None and nic.latency_s == figures["efa_nic_latency"].number:
        yield from ("efa_nic_latency", "efa_end_to_end_latency")
    if nic is not None and nic.overhead_s == figures["efa_message_overhead"].number:
        yield "efa_message_overhead"
    yield from _of_default_fabric(sites)


def _of_default_fabric(sites: Sequence[Site]) -> Iterator[str]:
    if any(site.fabric == default_fabric() for site in sites):
        yield from ("fabric_tier1_ultraservers", "fabric_tier2_ultraservers")
        yield from ("fabric_tier_latency", "fabric_oversubscription")


def _of_scale_out(sites: Sequence[Site], entry: Entry) -> Iterator[str]:
    nic = sites[0].ultraserver.nic
    if nic is not None and nic.latency_s == entry["nic_latency"].number:
        yield from (*_named(entry["nic_latency"]), "rdma_end_to_end_latency")
    if nic is not None and nic.overhead_s == entry["message_overhead"].number:
        yield from _named(entry["message_overhead"])
    chip = str(entry["chip"].value)
    if any(site.fabric == fabric_of(chip, 2) for site in sites):
        for part in ("group_nodes", "oversubscription", "tier_latency"):
            yield from _named(entry[part])
    yield from _of_default_fabric(sites)


def _named(figure: Figure) -> Iterator[str]:
    """Yield the name under which the catalogue keeps an assumption."""
    from rainier_fast.catalog import assumptions

    yield from (name for name, known_figure in assumptions().items() if known_figure is figure)


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
