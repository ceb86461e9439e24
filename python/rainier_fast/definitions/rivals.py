"""Nodes, racks and pods of other makers, made of the catalogue's figures when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rainier_fast.definitions.axis import Axis, Tier
from rainier_fast.definitions.chip import Chip
from rainier_fast.definitions.site import Fabric
from rainier_fast.definitions.slices import slice_axes
from rainier_fast.definitions.ultraserver import Nic, UltraServer

if TYPE_CHECKING:
    from rainier_fast.catalog import Entry

__all__ = ["NODES", "PODS", "entry_of", "fabric_of", "link_bandwidth", "node", "pod"]

NODES: Final = {
    "h100": "hgx-h100",
    "h200": "hgx-h200",
    "b200": "hgx-b200",
    "gb200": "gb200-nvl72",
    "gb300": "gb300-nvl72",
    "mi300x": "mi300x-platform",
    "mi355x": "mi355x-platform",
    "maia-100": "maia-100-node",
    "maia-200": "maia-200-node",
}
"""Chips that come in nodes with a NIC for each chip, and the catalogue's entry of the node."""

PODS: Final = {
    "tpu-v4": "tpu-v4-pod",
    "tpu-v5e": "tpu-v5e-pod",
    "tpu-v5p": "tpu-v5p-pod",
    "tpu-v6e": "tpu-v6e-pod",
    "tpu-ironwood": "tpu-ironwood-pod",
}
"""Chips that come in tori, and the catalogue's entry of the largest."""


def entry_of(chip: str) -> Entry | None:
    """Return the catalogue's entry of the node or pod that a chip comes in.

    Parameters
    ----------
    chip
        Its name.

    Returns
    -------
    Entry or None
        None for a chip that is not in this file.

    Examples
    --------
    >>> entry_of("gb200").name, entry_of("trainium2")
    ('gb200-nvl72', None)
    """
    from rainier_fast.catalog import catalog  # read only when asked for

    name = (NODES | PODS).get(chip)
    return None if name is None else catalog()[name]


def node(chip: str) -> UltraServer:
    """Make one node or rack.

    Parameters
    ----------
    chip
        A key of `NODES`.

    Returns
    -------
    UltraServer
        Chips on one switch or in a full mesh, each with a NIC.

    Examples
    --------
    >>> node("h100").num_chips, node("h100").nic_bandwidth_Bps
    (8, 400000000000.0)
    """
    entry = _of(chip)
    count = int(entry["chips"].number)
    axis = Axis(
        "x",
        count,
        str(entry["topology"].value),
        link_bandwidth(entry),
        entry["link_latency"].number,
    )
    nic = Nic(_nic_bandwidth(entry), entry["nic_latency"].number, entry["message_overhead"].number)
    return UltraServer(entry.name, Chip.from_catalog(chip), (axis,), nic)


def pod(chip: str, shape: tuple[int, ...] | None = None) -> UltraServer:
    """Make a slice of a pod, or the whole pod.

    Parameters
    ----------
    chip
        A key of `PODS`.
    shape
        Chips along each axis; None for the whole pod.

    Returns
    -------
    UltraServer
        A torus, open where the part has no links to close it; without NICs.

    Raises
    ------
    InvalidArgument, InvalidType
        If the part has no slice of this shape.

    Examples
    --------
    >>> [axis.kind for axis in pod("tpu-v5e", (8, 16)).axes]
    ['line', 'ring']
    """
    entry = _of(chip)
    axes = slice_axes(entry, shape)
    name = entry.name
    if shape is not None:
        name = f"{chip} slice {'x'.join(str(axis.size) for axis in axes)}"
    return UltraServer(name, Chip.from_catalog(chip), axes)


def fabric_of(chip: str, nodes: int) -> Fabric:
    """Return the fabric that is assumed to join nodes: leaf groups without a bottleneck, a spine.

    Parameters
    ----------
    chip
        A key of `NODES`.
    nodes
        How many nodes there are; one needs no fabric.

    Returns
    -------
    Fabric
        One tier below the spine.

    Examples
    --------
    >>> fabric_of("h100", 64).tiers
    (Tier(group=32, oversubscription=1.0, latency=5e-07),)
    """
    if nodes == 1:
        return Fabric()
    entry = _of(chip)
    group = int(entry["group_nodes"].number)
    tier = Tier(group, entry["oversubscription"].number, entry["tier_latency"].number)
    return Fabric((tier,))


def link_bandwidth(entry: Entry) -> float:
    """Return bytes/s, one way, of a chip's port to the switch or of its cable to a neighbour.

    Parameters
    ----------
    entry
        The catalogue's entry of a node or pod.

    Returns
    -------
    float
        As published, or a neighbour's part of the assumed share of all ports.

    Examples
    --------
    >>> link_bandwidth(entry_of("maia-200"))
    350000000000.0
    """
    if "local_share" not in entry:
        return entry["link_bandwidth"].number
    local = entry["port_bandwidth_total"].number * entry["local_share"].number
    return local / (entry["chips"].number - 1)


def _nic_bandwidth(entry: Entry) -> float:
    if "local_share" not in entry:
        return entry["nic_bandwidth_per_chip"].number
    return entry["port_bandwidth_total"].number * (1 - entry["local_share"].number)


def _of(chip: str) -> Entry:
    entry = entry_of(chip)
    if entry is None:
        raise KeyError(chip)
    return entry
