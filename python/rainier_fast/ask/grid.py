"""Groups that are the same local chips in each of a set of UltraServers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.ask.groups import MOST_CHIPS, Groups
from rainier_fast.definitions.check import as_integer
from rainier_fast.errors import invalid


@dataclass(frozen=True, slots=True)
class GridGroups(Groups):
    """All groups of (local chips) x (UltraServers); made by a mesh with an order of its own."""

    local_chips: bytes = b""
    ultraservers: bytes = b""
    local_ranks: int = 1
    chips_inside: int = 1

    @classmethod
    def of(
        cls, chips_inside: int, local_chips: NDArray[np.uint32], ultraservers: NDArray[np.uint32]
    ) -> GridGroups:
        """Return the groups of two tables whose rows are groups."""
        return cls(
            num_chips=local_chips.size * ultraservers.size,
            ranks=local_chips.shape[1] * ultraservers.shape[1],
            stride=0,
            local_chips=local_chips.tobytes(),
            ultraservers=ultraservers.tobytes(),
            local_ranks=local_chips.shape[1],
            chips_inside=chips_inside,
        )

    def __post_init__(self) -> None:
        local, outer = (len(table) // 4 for table in (self.local_chips, self.ultraservers))
        chips = as_integer("num_chips", self.num_chips, 1, MOST_CHIPS)
        inside = as_integer("local_ranks", self.local_ranks, 1, chips)
        fits = (
            local * outer == chips
            and local == self.chips_inside
            and local % inside == 0
            and self.ranks % inside == 0
            and outer % max(self.ranks // inside, 1) == 0
        )
        if not fits:
            raise invalid("ranks", self.ranks, "must be those of the tables, of all chips")

    def _tables(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        local = np.frombuffer(self.local_chips, np.uint32).reshape(-1, self.local_ranks)
        outer = np.frombuffer(self.ultraservers, np.uint32)
        return local, outer.reshape(-1, self.ranks // self.local_ranks)

    def members(self, index: int) -> NDArray[np.int64]:
        """Return the chips of one group, in the order of their ranks."""
        number = as_integer("index", index, 0, self.count - 1)
        local, outer = (table.astype(np.int64) for table in self._tables())
        inside, outside = local[number % len(local)], outer[number // len(local)]
        return np.asarray(np.add.outer(self.chips_inside * outside, inside)).ravel()

    def to_array(self) -> NDArray[np.int64]:
        """Return all groups, one a row."""
        return np.stack([self.members(index) for index in range(self.count)])

    def core(self, machine: _core.Machine) -> _core.Groups:
        """Return the groups as the core takes them."""
        return _core.Groups.grid(machine, *self._tables())


def from_core(groups: _core.Groups, num_chips: int, chips_inside: int) -> Groups:
    """Return groups that the core has made."""
    tables = groups.tables()
    if tables is not None:
        return GridGroups.of(chips_inside, *tables)
    return Groups(num_chips, groups.ranks, 0, groups.lists().astype(np.int64).tobytes())
