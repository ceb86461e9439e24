"""Nodes, racks and pods of other makers, made of the catalogue's figures when asked for."""

from __future__ import annotations

from typing import Final

from rainier_fast.catalog import Entry, catalog
from rainier_fast.catalog.load import number_of
from rainier_fast.definitions.axis import Axis, Tier
from rainier_fast.definitions.chip import Chip
from rainier_fast.definitions.gpu import Gpu
from rainier_fast.definitions.nccl import NcclTiming, entry_of
from rainier_fast.definitions.site import Fabric
from rainier_fast.definitions.slices import slice_axes
from rainier_fast.definitions.tpu import Tpu
from rainier_fast.definitions.ultraserver import Nic, UltraServer
from rainier_fast.provenance import AssumedFloat, AssumedInt, names_in

NODES: Final = {
    "a100": "dgx-a100",
    "a100-4nic": "hgx-a100-4nic",
    "a100-40gb": "p4d.24xlarge",
    "h100": "hgx-h100",
    "h100-96gb": "grand-teton-h100",
    "h200": "hgx-h200",
    "b200": "hgx-b200",
    "b300": "hgx-b300",
    "gb200": "gb200-nvl72",
    "gb300": "gb300-nvl72",
    "mi300x": "mi300x-platform",
    "mi355x": "mi355x-platform",
    "maia-100": "maia-100-node",
    "maia-200": "maia-200-node",
}
"""Chips that come in nodes with NICs, or names of nodes, and the catalogue's entry of the node."""

PODS: Final = {
    chip: f"{chip}-pod" for chip in ("tpu-v4", "tpu-v5e", "tpu-v5p", "tpu-v6e", "tpu-ironwood")
}
"""Chips that come in tori, and the catalogue's entry of the largest."""


def constant_of(chip: str) -> str:
    """Return the name of the constant for the node, rack or pod that a chip comes in."""
    kinds = {"nvl72": "NVL72", "xlarge": "INSTANCE"}
    ends = [kind for end, kind in kinds.items() if NODES.get(chip, "").endswith(end)]
    kind = "POD" if chip in PODS else (*ends, "NODE")[0]
    return f"{chip}_{kind}".replace("-", "_").upper()


def node(chip: str) -> UltraServer:
    """Make one node or rack."""
    entry = _of(chip)
    count = int(entry["chips"].number)
    axis = Axis(
        "x",
        count,
        str(entry["topology"].value),
        link_bandwidth(entry),
        number_of(entry["link_latency"]),
    )
    sharing = sharing_of(entry)
    nic = Nic(
        _nic_bandwidth(entry) * sharing if sharing > 1 else _nic_bandwidth(entry),
        number_of(entry["nic_latency"], "rdma_end_to_end_latency"),
        number_of(entry["message_overhead"]),
        sharing,
    )
    part = Chip.from_catalog(str(entry["chip"].value))
    return UltraServer(entry.name, part, (axis,), nic, gpu=gpu_of(entry))


def sharing_of(entry: Entry) -> int:
    """Return how many chips share a NIC of a node or instance."""
    chips = int(entry["chips"].number)
    return max(1, chips // int(entry["nics"].number)) if "nics" in entry else 1


def gpu_of(entry: Entry) -> Gpu | None:
    """Return what NCCL asks of a node: the maker's machine on InfiniBand or RoCE."""
    # Network plugins that report a latency or refuse protocols, as AWS's does, are not in it.
    if "gpu_generation" not in entry:
        return None
    generation = str(entry["gpu_generation"].value)
    # The release is the one that the figures were measured with.
    version = str(catalog()[entry_of(generation)]["version"].value)
    timing = NcclTiming.from_catalog(generation)
    return Gpu(generation, cpu=str(entry["host_cpu"].value), version=version, timing=timing)


def pod(chip: str, shape: tuple[int, ...] | None = None) -> UltraServer:
    """Make a slice of a pod, or the whole pod."""
    entry = _of(chip)
    axes = slice_axes(entry, shape)
    name = entry.name
    if shape is not None:
        name = f"{chip} slice {'x'.join(str(axis.size) for axis in axes)}"
    tpu = Tpu(
        str(entry["xla_part"].value),
        number_of(entry["link_efficiency"]),
        number_of(entry["exposed_launch"]),
    )
    launch = number_of(entry["launch"])
    return UltraServer(name, Chip.from_catalog(chip), axes, launch=launch, tpu=tpu)


def fabric_of(chip: str, nodes: int) -> Fabric:
    """Return the fabric assumed to join nodes: leaf groups without a bottleneck, a spine."""
    if nodes == 1:
        return Fabric()
    entry = _of(chip)
    group = AssumedInt(int(entry["group_nodes"].number), *names_in(number_of(entry["group_nodes"])))
    ratio, latency = number_of(entry["oversubscription"]), number_of(entry["tier_latency"])
    return Fabric((Tier(group, ratio, latency),))


def link_bandwidth(entry: Entry) -> float:
    """Return bytes/s, one way, of a chip's port to the switch or of its cable to a neighbour."""
    if "local_share" not in entry:
        return entry["link_bandwidth"].number
    share = number_of(entry["local_share"])
    local = entry["port_bandwidth_total"].number * share / (entry["chips"].number - 1)
    return AssumedFloat(local, *names_in(share))


def _nic_bandwidth(entry: Entry) -> float:
    if "local_share" not in entry:
        return entry["nic_bandwidth_per_chip"].number
    share = number_of(entry["local_share"])
    rest = entry["port_bandwidth_total"].number * (1 - share)
    return AssumedFloat(rest, *names_in(share))


def _of(chip: str) -> Entry:
    """Return the catalogue's entry of the node or pod that a chip comes in."""
    return catalog()[(NODES | PODS)[chip]]
