"""What a collective of one mesh axis cannot beat, from where the axis lies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rainier_fast.studies.layouts import Footprint, Space

if TYPE_CHECKING:
    from rainier_fast.machine.machine import Machine

__all__ = ["soonest"]


def soonest(machine: Machine, space: Space) -> Callable[[str, float, Footprint], float]:
    """Return a function that gives least seconds by collective, size and footprint."""
    # All groups run at once, so that every chip has its own links to itself on average. Routes are
    # minimal: they stay in the dimensions in which members of a group differ, and a step to a
    # member that is s chips away takes s links. Only average bytes count: what ranks must send
    # together in an all-reduce (Patarasuk and Yuan 2009), each in the others.
    rates = {axis.name: (axis.kind, axis.bandwidth_Bps) for axis in machine.ultraserver.axes}
    nic = machine.ultraserver.nic
    outside = 0.0 if nic is None else nic.bandwidth_Bps
    switched = any(axis.kind == "spanning_switch" for axis in machine.ultraserver.axes)

    def inside(footprint: Footprint) -> float:
        """Bytes/s that a chip sends to others of its group in its UltraServer."""
        total = 0.0
        for dim, mine in zip(space.dims, footprint, strict=True):
            if dim.inside and mine:
                kind, bandwidth = rates[dim.name]
                links = {"ring": 2, "line": 2, "full_mesh": dim.size - 1}.get(kind, 1)
                step = min(step for step, _ in mine)
                total += links * bandwidth / (step if kind in ("ring", "line") else 1)
        return total

    def least(operation: str, size: float, footprint: Footprint) -> float:
        local, outer = space.ranks(footprint)
        ranks = local * outer
        times = {"all_reduce": 2, "all_gather": 1, "reduce_scatter": 1, "all_to_all": 1}
        if ranks == 1 or operation not in times:
            return 0.0
        moved = times[operation] * size * (ranks - 1) / ranks
        within = inside(footprint)
        # A switch that spans axes carries what would go over theirs.
        rate = (within if outer == 1 else within + outside) if not switched else 0.0
        found = moved / rate if rate > 0 else 0.0
        if outer > 1:
            crossing = {
                "all_reduce": 2 * size * (outer - 1) / outer / local,
                "all_to_all": size * (ranks - local) / ranks,
            }.get(operation, size * (ranks - local) / ranks / local)
            found = max(found, crossing / outside)
        return found

    return least
