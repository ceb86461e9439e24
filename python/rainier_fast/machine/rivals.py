"""Presets of other makers: clusters of nodes, and slices of TPU pods."""

from __future__ import annotations

from typing import Final

from rainier_fast.catalog import catalog
from rainier_fast.definitions.check import MAX_COUNT, as_count, as_flag
from rainier_fast.definitions.known import known
from rainier_fast.definitions.rivals import PODS, constant_of, fabric_of, pod
from rainier_fast.definitions.site import Fabric, Site
from rainier_fast.definitions.slices import as_shape, check_twistable, rule_of, shape_of
from rainier_fast.definitions.ultraserver import UltraServer
from rainier_fast.errors import Unsupported, invalid
from rainier_fast.machine.machine import Machine

_GPUS: Final = "GPUs on NVSwitch, or many"
_JOINED: Final = "each joined to each, or many"

CLUSTERS: Final = {
    "a100": ("a100", f"DGX A100: a node of 8 {_GPUS}"),
    "a100-4nic": ("a100-4nic", f"HGX A100: a node of 8 {_GPUS}, two GPUs to a NIC of 200 Gb/s"),
    "p4d": ("a100-40gb", f"p4d.24xlarge: a node of 8 {_GPUS}, two GPUs to a NIC"),
    "h100": ("h100", f"HGX H100: a node of 8 {_GPUS}"),
    "h100-96gb": ("h100-96gb", "Grand Teton: a node of 8 H100 of 96 GB at 500 W, or many"),
    "h200": ("h200", f"HGX H200: a node of 8 {_GPUS}"),
    "b200": ("b200", f"HGX B200: a node of 8 {_GPUS}"),
    "b300": ("b300", f"HGX B300: a node of 8 {_GPUS}"),
    "gb200-nvl72": ("gb200", f"GB200 NVL72: a rack of 72 {_GPUS}"),
    "gb300-nvl72": ("gb300", f"GB300 NVL72: a rack of 72 {_GPUS}"),
    "mi300x": ("mi300x", f"MI300X: a node of 8 GPUs, {_JOINED}"),
    "mi355x": ("mi355x", f"MI355X: a node of 8 GPUs, {_JOINED}"),
    "maia-100": ("maia-100", f"Maia 100: a node of 4 chips, {_JOINED} on Ethernet"),
    "maia-200": ("maia-200", f"Maia 200: a node of 4 chips, {_JOINED} on Ethernet"),
}
"""Preset -> chip, and a line."""

SLICES: Final = {
    "tpu-v4": "TPU v4: the pod of 4,096 chips, 16x16x16 torus, or a slice",
    "tpu-v5e": "TPU v5e: the pod of 256 chips, 16x16 torus, or a slice",
    "tpu-v5p": "TPU v5p: the pod of 8,960 chips, 16x20x28 torus, or a slice",
    "tpu-v6e": "TPU v6e: the pod of 256 chips, 16x16 torus, or a slice",
    "tpu-ironwood": "TPU7x Ironwood: the pod of 9,216 chips, 16x24x24 torus, or a slice",
}
"""Preset, which is its chip's name too -> a line."""


def cluster_of(name: str, chips: int | None) -> Machine:
    """Make one node, or a cluster of nodes over the scale-out fabric that is assumed."""
    chip, _ = CLUSTERS[name]
    server = known(constant_of(chip))
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
    whole = server == known(constant_of(name))
    words = repr(name) if whole else f"{name!r}, shape={server.shape!r}"
    label = name if whole else server.name
    return Machine._make((Site(name, 1, server, Fabric()),), None, label, f"preset({words})")


def shape_instead(name: str, chips: int) -> str:
    """Return how to ask for so many chips of a pod: the shape of such a slice, or that none is."""
    entry = catalog()[PODS[name]]
    shape = shape_of(entry, chips)
    if shape is None:
        return f"preset {name!r} takes shape=, and none has so many chips: {rule_of(entry, chips)}"
    return f"preset {name!r} takes shape=, such as {shape} for so many chips"


def _server(name: str, shape: object) -> UltraServer:
    whole = known(constant_of(name))
    if shape is None:
        return whole
    sizes = as_shape(shape)
    return whole if sizes == whole.shape else pod(name, sizes)


def _refuse_twist(name: str, server: UltraServer) -> None:
    check_twistable(catalog()[PODS[name]], server.shape)
    shape = server.shape
    raise Unsupported(
        f"routes on a twisted torus are not modelled; leave twisted out, for the plain torus of "
        f"the same chips: preset({name!r}, shape={shape!r})"
    )
