"""The same question, asked of our own model."""

from __future__ import annotations

from typing import Final

from rainier_fast.astra_sim.network import Network
from rainier_fast.astra_sim.nodes import COLLECTIVES, Node
from rainier_fast.astra_sim.system import System
from rainier_fast.astra_sim.workload import Workload
from rainier_fast.errors import RainierError
from rainier_fast.results.collective import CollectiveResult

_MOST_NODES: Final = 1000
"""Collectives of one workload that are answered."""


def answers(
    network: Network, system: System, work: Workload
) -> tuple[tuple[CollectiveResult, ...], tuple[str, ...]]:
    """Return our own result for each collective, and what to know of them."""
    if len(work.traces) > 1:
        return (), ("our own model is asked where all NPUs run the same trace",)
    nodes = [node for node in work.traces[0] if node.kind in COLLECTIVES]
    if any(node.group is not None or _is_part(node) for node in nodes):
        return (), ("our own model is asked for collectives of all NPUs",)
    if not nodes or len(nodes) > _MOST_NODES:
        return (), ()
    try:
        machine = network.to_machine(endpoint_delay_ns=system.endpoint_delay_ns)
        found = []
        for node in nodes:
            # The first argument of ours is what a rank holds of an all-gather's result.
            size = node.numbers[0] * (network.npus if node.kind == "all_gather" else 1)
            found.append(getattr(machine, node.kind)(size))
    except RainierError as error:
        return (), (f"our own model has no answer: {error}",)
    notes = ("ours are one after the other, by the best schedule",) if len(nodes) > 1 else ()
    return tuple(found), notes


def _is_part(node: Node) -> bool:
    return node.involved is not None and not all(node.involved)
