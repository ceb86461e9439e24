"""Presets of other makers: clusters of nodes, and slices of TPU pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rainier_fast.definitions.check import MAX_COUNT, as_count, as_flag
from rainier_fast.definitions.known import known
from rainier_fast.definitions.rivals import PODS, fabric_of, pod
from rainier_fast.definitions.site import Fabric, Site
from rainier_fast.definitions.slices import as_shape, check_twistable
from rainier_fast.errors import Unsupported, invalid
from rainier_fast.machine.machine import Machine

if TYPE_CHECKING:
    from rainier_fast.definitions.ultraserver import UltraServer

__all__ = ["CLUSTERS", "SLICES", "cluster_of", "slice_of"]

CLUSTERS: Final = {
    "h100": ("H100_NODE", "h100", "HGX H100: a node of 8 GPUs on NVSwitch, or many"),
    "h200": ("H200_NODE", "h200", "HGX H200: a node of 8 GPUs on NVSwitch, or many"),
    "b200": ("B200_NODE", "b200", "HGX B200: a node of 8 GPUs on NVSwitch, or many"),
    "gb200-nvl72": ("GB200_NVL72", "gb200", "GB200 NVL72: a rack of 72 GPUs on NVSwitch, or many"),
    "gb300-nvl72": ("GB300_NVL72", "gb300", "GB300 NVL72: a rack of 72 GPUs on NVSwitch, or many"),
    "mi300x": ("MI300X_NODE", "mi300x", "MI300X: a node of 8 GPUs, each joined to each, or many"),
    "mi355x": ("MI355X_NODE", "mi355x", "MI355X: a node of 8 GPUs, each joined to each, or many"),
    "maia-100": (
        "MAIA_100_NODE",
        "maia-100",
        "Maia 100: a node of 4 chips, each joined to each, or many on Ethernet",
    ),
    "maia-200": (
        "MAIA_200_NODE",
        "maia-200",
        "Maia 200: a node of 4 chips, each joined to each, or many on Ethernet",
    ),
}
"""Preset -> name of the node's constant, chip, and a line."""

SLICES: Final = {
    "tpu-v4": ("TPU_V4_POD", "TPU v4: the pod of 4,096 chips, 16x16x16 torus, or a slice"),
    "tpu-v5e": ("TPU_V5E_POD", "TPU v5e: the pod of 256 chips, 16x16 torus, or a slice"),
    "tpu-v5p": ("TPU_V5P_POD", "TPU v5p: the pod of 8,960 chips, 16x20x28 torus, or a slice"),
    "tpu-v6e": ("TPU_V6E_POD", "TPU v6e: the pod of 256 chips, 16x16 torus, or a slice"),
    "tpu-ironwood": (
        "TPU_IRONWOOD_POD",
        "TPU7x Ironwood: the pod of 9,216 chips, 16x24x24 torus, or a slice",
    ),
}
"""Preset, which is its chip's name too -> name of the pod's constant, and a line."""


def cluster_of(name: str, chips: int | None) -> Machine:
    """Make one node, or a cluster of nodes over the scale-out fabric that is assumed."""
    constant, chip, _ = CLUSTERS[name]
    server = known(constant)
    unit = server.num_chips
    count = unit if chips is None else as_count("chips", chips)
    if count % unit or count > MAX_COUNT:
        raise invalid("chips", count, f"must be a whole number of nodes of {unit} chips")
    nodes = count // unit
    spelling = f"preset({name!r})" if nodes == 1 else f"preset({name!r}, chips={count})"
    site = Site(name, nodes, server, fabric_of(chip, nodes))
    return Machine._make((site,), None, name, spelling)


def slice_of(name: str, shape: object, twisted: object) -> Machine:
    """Make a TPU pod or a slice of one."""
    server = _server(name, shape)
    if as_flag("twisted", twisted):
        _refuse_twist(name, server)
    whole = server == known(SLICES[name][0])
    words = repr(name) if whole else f"{name!r}, shape={server.shape!r}"
    label = name if whole else server.name
    return Machine._make((Site(name, 1, server, Fabric()),), None, label, f"preset({words})")


def _server(name: str, shape: object) -> UltraServer:
    whole = known(SLICES[name][0])
    if shape is None:
        return whole
    sizes = as_shape(shape)
    return whole if sizes == whole.shape else pod(name, sizes)


def _refuse_twist(name: str, server: UltraServer) -> None:
    from rainier_fast.catalog import catalog

    check_twistable(catalog()[PODS[name]], server.shape)
    shape = server.shape
    raise Unsupported(
        f"routes on a twisted torus are not modelled; leave twisted out, for the plain torus of "
        f"the same chips: preset({name!r}, shape={shape!r})"
    )
