"""Which UltraServers of a group are whole, and which others may take the place of damaged ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.errors import Unsupported
from rainier_fast.topology.base import Base


def _damaged_servers(machine: Base) -> NDArray[np.int64]:
    # Dead ones and those with any damage inside or at their NICs.
    damaged = _core.damaged_ultraservers(machine._core)
    dead = _core.dead_ultraservers(machine._core)
    return np.union1d(damaged, dead).astype(np.int64)


def check_whole(machine: Base, chips: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the UltraServers that a group is made of."""
    each = machine.ultraserver.num_chips
    servers, counts = np.unique(chips // each, return_counts=True)
    if (counts != each).any():
        raise Unsupported(
            "a group of parts of UltraServers; this policy replaces or divides whole ones: "
            "name all their chips"
        )
    return servers


def whole_ultraservers(machine: Base, chips: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the chips of a group whose UltraServers have no damage."""
    servers = chips // machine.ultraserver.num_chips
    left = chips[~np.isin(servers, _damaged_servers(machine))]
    if left.size == chips.size:
        raise Unsupported("no UltraServer of the group is damaged: nothing to leave out")
    if left.size == 0:
        raise Unsupported("every UltraServer of the group is damaged: nothing would be left")
    return left


def with_spares(
    machine: Base, chips: NDArray[np.int64], root: int = 0
) -> tuple[NDArray[np.int64], int]:
    """Return the chips with each damaged UltraServer replaced by a whole one outside the group."""
    # One of the same site if there is one, the lowest number. Chips ascend; also the place among
    # them of what was the `root`-th of the group, or of its spare.
    used = check_whole(machine, chips)
    damaged = np.intersect1d(used, _damaged_servers(machine))
    if damaged.size == 0:
        raise Unsupported("no UltraServer of the group is damaged: nothing to replace")
    free = np.setdiff1d(
        np.arange(machine.num_ultraservers), np.union1d(used, _damaged_servers(machine))
    )
    bounds = np.cumsum([site.ultraservers for site in machine.sites])
    site_of_free = np.searchsorted(bounds, free, side="right")
    each = machine.ultraserver.num_chips
    swap = {}
    for server in damaged.tolist():
        if free.size == 0:
            others = machine.num_ultraservers - 1
            hint = (
                f"; a group such as group=range({each * others}) leaves one out" if others else ""
            )
            raise Unsupported(
                f"no whole UltraServer is left outside the group to replace {server}{hint}"
            )
        # One of the same site if there is one, the lowest number.
        same = np.flatnonzero(site_of_free == np.searchsorted(bounds, server, side="right"))
        at = int(same[0]) if same.size else 0
        swap[server] = int(free[at])
        free, site_of_free = np.delete(free, at), np.delete(site_of_free, at)
    servers, local = np.divmod(chips, each)
    table = np.arange(machine.num_ultraservers)
    table[list(swap)] = list(swap.values())
    swapped = table[servers] * each + local
    order = np.argsort(swapped, kind="stable")
    return np.asarray(swapped[order]), int(np.flatnonzero(order == root)[0])
