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


def check_whole(machine: Base, chips: NDArray[np.int64]) -> None:
    """Refuse a group that has a part of an UltraServer."""
    each = machine.ultraserver.num_chips
    _, counts = np.unique(chips // each, return_counts=True)
    if (counts != each).any():
        raise Unsupported(
            "a group of parts of UltraServers; this policy replaces or divides whole ones: "
            "name all their chips"
        )


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
    """Return the chips with damaged UltraServers replaced, ascending, and the root's place then."""
    check_whole(machine, chips)
    damaged, spares, replaced, place = _core.replace_damaged(machine._core, chips, root)
    if not damaged:
        raise Unsupported("no UltraServer of the group is damaged: nothing to replace")
    if len(spares) < len(damaged):
        left = machine.ultraserver.num_chips * (machine.num_ultraservers - 1)
        hint = f"; a group such as group=range({left}) leaves one out" if left else ""
        raise Unsupported(
            "no whole UltraServer is left outside the group to replace "
            f"{damaged[len(spares)]}{hint}"
        )
    return replaced, place
