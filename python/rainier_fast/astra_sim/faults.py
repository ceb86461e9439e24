"""Known faults of the peer: what its answers have that no machine has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rainier_fast.astra_sim.network import Network
from rainier_fast.astra_sim.nodes import Node
from rainier_fast.astra_sim.system import System
from rainier_fast.astra_sim.workload import Workload

_MANY: Final = 4
"""Dimensions that a collective takes where its trace does not say."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One known fault.

    Attributes
    ----------
    name
        By which `run` and the docs call it.
    about
        What it is, in one line.
    where
        File of the peer that has it.
    """

    name: str
    about: str
    where: str

    def __str__(self) -> str:
        return f"{self.name}: {self.about} ({self.where})"


_FAULTS: Final = {
    row[0]: Fault(*row)
    for row in (
        ("gib_as_gb", "bandwidth in GB/s is taken as GiB/s", "common/NetworkFunction.cpp"),
        (
            "free_concurrency",
            "chunks that run at once have a full link each",
            "congestion_unaware/basic-topology/BasicTopology.cpp",
        ),
        (
            "free_nic",
            "a direct exchange sends to all peers at once, each at the full rate of the link",
            "congestion_unaware/basic-topology/BasicTopology.cpp",
        ),
        (
            "first_dimension",
            "a message that differs in several dimensions pays for the first alone",
            "congestion_unaware/multi-dim-topology/MultiDimTopology.cpp",
        ),
        (
            "stored_at_switch",
            "a switch takes a message whole before it sends it on: its bytes count twice",
            "congestion_aware/network/Link.cpp",
        ),
        (
            "one_direction",
            "a chunk uses one direction of one dimension at a time",
            "astra-sim/system/QueueLevelHandler.cc",
        ),
        (
            "whole_in_each",
            "baseline passes all bytes along every dimension",
            "astra-sim/system/Sys.cc",
        ),
        ("full_last_chunk", "the last chunk is as large as the others", "astra-sim/system/Sys.cc"),
        (
            "least_chunk",
            "chunks smaller than the number of NPUs are made that large",
            "astra-sim/system/Sys.cc",
        ),
        (
            "four_dimensions",
            "a fifth dimension takes no part unless the trace says so",
            "astra-sim/workload/Workload.cc",
        ),
        (
            "first_reduction_free",
            "the first exchange of halving and doubling reduces for nothing",
            "astra-sim/system/astraccl/native_collectives/collective_algorithm/HalvingDoubling.cc",
        ),
        (
            "fixed_group_delay",
            "in a group of ranks the endpoint takes 10 ns whatever was asked",
            "astra-sim/system/MemBus.cc",
        ),
        (
            "group_is_ring",
            "a group of fewer ranks is a ring in their order, whatever algorithm is named",
            "astra-sim/system/CommunicatorGroup.cc",
        ),
        (
            "shared_numbers",
            "ranks that are in fewer groups number their chunks otherwise and may wait for ever",
            "astra-sim/system/Sys.cc",
        ),
    )
}


def faults() -> tuple[Fault, ...]:
    """Return the known faults that this mode repeats.

    Examples
    --------
    >>> faults()[0].name
    'gib_as_gb'
    """
    return tuple(_FAULTS.values())


def of(network: Network, system: System, work: Workload, *, aware: bool) -> tuple[Fault, ...]:
    """Return those that touch a run."""
    nodes = [node for trace in work.traces for node in trace]
    asked = [node for node in nodes if node.numbers and "_" in node.kind]
    names = ["gib_as_gb"]
    named = [one for row in system.algorithms.values() for one in row]
    if asked:
        names.append("one_direction")
        names += _of_collectives(network, system, asked, aware=aware)
        if any("halving" in one.lower() for one in named):
            names.append("first_reduction_free")
    if len(network.npus_count) > 1 and (
        any(one.startswith("one") for one in named)
        or any(node.group is not None or node.kind == "send" for node in nodes)
    ):
        names.append("first_dimension")
    if aware and "Switch" in network.topology:
        names.append("stored_at_switch")
    if any(node.group is not None for node in asked):
        names += ["fixed_group_delay", "shared_numbers"]
        if len(network.npus_count) > 1:
            names.append("group_is_ring")
    return tuple(_FAULTS[name] for name in _FAULTS if name in names)


def _of_collectives(
    network: Network, system: System, asked: list[Node], *, aware: bool
) -> list[str]:
    names = []
    if not aware and system.active_chunks > 1 and system.splits > 1:
        names.append("free_concurrency")
    direct = {one for row in system.algorithms.values() for one in row if "irect" in one}
    if not aware and direct:
        names.append("free_nic")
    if system.optimization == "baseline" and len(network.npus_count) > 1:
        names.append("whole_in_each")
    if len(network.npus_count) > _MANY and any(node.involved is None for node in asked):
        names.append("four_dimensions")
    for node in asked:
        chunk = node.numbers[0] // system.splits
        if node.kind != "all_gather" and chunk < network.npus:
            names.append("least_chunk")
        elif chunk and node.numbers[0] % chunk:
            names.append("full_last_chunk")
    return names
