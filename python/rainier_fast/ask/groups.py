"""Who takes part in a collective: everyone, listed chips, or all groups of a mesh axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.ask.replica import replica_groups
from rainier_fast.definitions.check import as_integer
from rainier_fast.errors import invalid, invalid_type
from rainier_fast.frozen import put
from rainier_fast.memory import reckon
from rainier_fast.screen import one_screen
from rainier_fast.topology.arrays import chip_array

MOST_CHIPS: Final = 2**32 - 1
_MOST_LISTED: Final = 32  # what repr writes out

Group: TypeAlias = (
    "Groups | Sequence[int] | Sequence[Sequence[int]] | NDArray[np.integer[Any]] | str | None"
)
"""What ``group=`` accepts: all chips, groups of a mesh axis, the chips of one group or of several,
or replica groups as HLO writes them."""


@one_screen
@dataclass(frozen=True, slots=True)
class Groups:
    """Disjoint groups of equal size that run a collective at the same time.

    Made by `DeviceMesh.axis_groups`, and of lists by ``group=`` of a collective, which takes it.

    Attributes
    ----------
    num_chips
        Chips of the machine.
    ranks
        Chips in each group.
    stride
        Chips between two neighbours in a group; 0 for lists of chips.
    listed
        The chips of one list or several of the same length, as int64 in memory order.

    Examples
    --------
    >>> Groups(num_chips=8, ranks=2, stride=4).to_array().tolist()
    [[0, 4], [1, 5], [2, 6], [3, 7]]
    """

    num_chips: int
    ranks: int
    stride: int = 1
    listed: bytes = b""

    def __post_init__(self) -> None:
        chips = as_integer("num_chips", self.num_chips, 1, MOST_CHIPS)
        ranks = as_integer("ranks", self.ranks, 1, chips)
        put(self, num_chips=chips, ranks=ranks)
        put(self, stride=as_integer("stride", self.stride, 0, chips))
        if not isinstance(self.listed, bytes):
            raise invalid_type("listed", self.listed, "must be bytes of int64 chip numbers")
        if len(self.listed) % (8 * self.ranks):
            allowed = f"must hold {self.ranks} int64 numbers for each group"
            raise invalid("listed", len(self.listed), allowed)
        block = self.ranks * self.stride
        if not self.listed and (block == 0 or self.num_chips % block):
            raise invalid(
                "ranks, stride", (self.ranks, self.stride), f"must divide {self.num_chips} chips"
            )

    def __repr__(self) -> str:
        if not self.listed:
            return f"Groups(num_chips={self.num_chips}, ranks={self.ranks}, stride={self.stride})"
        words = f"num_chips={self.num_chips}, ranks={self.ranks}, stride={self.stride}"
        if len(self.listed) > 8 * _MOST_LISTED:
            first = ", ".join(map(str, self.members(0)[:3]))
            return f"<Groups({words}), chips {first}, ...>"
        return f"Groups({words}, listed={self.listed!r})"

    @property
    def count(self) -> int:
        """Number of groups."""
        return len(self.listed) // (8 * self.ranks) or self.num_chips // self.ranks

    def __len__(self) -> int:
        return self.count

    def members(self, index: int) -> NDArray[np.int64]:
        """Return the chips of one group, in the order of their ranks.

        Parameters
        ----------
        index
            Which group, from 0.

        Returns
        -------
        numpy.ndarray
            int64, one for each rank.

        Raises
        ------
        OutOfRange
            If there is no such group.

        Examples
        --------
        >>> Groups(num_chips=8, ranks=2, stride=4).members(1)
        array([1, 5])
        """
        number = as_integer("index", index, 0, self.count - 1)
        if self.listed:
            return np.asarray(self.to_array()[number])
        reckon(16 * self.ranks, f"a list of {self.ranks} chips", "use a smaller machine")
        first = number // self.stride * self.stride * self.ranks + number % self.stride
        return first + self.stride * np.arange(self.ranks)

    def to_array(self) -> NDArray[np.int64]:
        """Return all groups, one a row.

        Returns
        -------
        numpy.ndarray
            int64 of shape (count, ranks).

        Examples
        --------
        >>> Groups(num_chips=4, ranks=2).to_array().tolist()
        [[0, 1], [2, 3]]
        """
        if self.listed:
            return np.frombuffer(self.listed, np.int64).reshape(-1, self.ranks)
        what = f"a table of {self.num_chips} chips"
        reckon(16 * self.num_chips, what, "ask for members of single groups")
        chips = np.arange(self.num_chips).reshape(-1, self.ranks, self.stride)
        return chips.swapaxes(1, 2).reshape(-1, self.ranks)

    def core(self, machine: _core.Machine) -> _core.Groups:
        """Return the groups as the core takes them."""
        if self.listed and self.count == 1:
            return _core.Groups.of_chips(machine, self.members(0))
        if self.listed:
            return _core.Groups.of_lists(machine, self.to_array())
        if self.ranks == self.num_chips:
            return _core.Groups.all(machine)
        return _core.Groups.mesh_axis(machine, self.ranks, self.stride)


def as_groups(group: object, chips: int, name: str = "group") -> Groups:
    """Return what ``group=`` says, as `Group` lists it."""
    # Errors call it by `name`; the machine has so many chips.
    if isinstance(group, str):
        group = replica_groups(name, str.__str__(group), chips)
    if group is None:
        return Groups(chips, chips)
    if isinstance(group, Groups):
        if group.num_chips != chips:
            made = f"groups of a machine of {group.num_chips:,} chips"
            raise invalid(name, made, f"must be of this machine, which has {chips:,}")
        return group
    listed = _listed(name, group, chips)
    if listed.ndim == 0:
        raise invalid(name, group, "must have one dimension, the chips of the group, or two")
    if listed.size == 0:
        raise invalid(name, group, "must name at least one chip")
    ordered = np.sort(listed, axis=None)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if twice.size:
        raise invalid(name, int(twice[0]), "names this chip twice")
    return Groups(chips, int(listed.shape[-1]), 0, listed.tobytes())


def _listed(name: str, group: object, chips: int) -> NDArray[np.int64]:
    """Return the chips of one group, or of several, a row each."""
    rows = group if isinstance(group, list | tuple) else ()
    if not any(isinstance(row, Sequence | np.ndarray) for row in rows):
        return chip_array(name, group, chips, 2)
    groups = [chip_array(f"{name}[{at}]", row, chips) for at, row in enumerate(rows)]
    sizes = sorted({row.size if row.ndim else 0 for row in groups})
    if len(sizes) > 1 or any(row.ndim == 0 for row in groups):
        got = f"groups of {sizes[0]} and {sizes[-1]} chips"
        mend = "must be as large as each other; run others side by side as plans of `together`"
        raise invalid(name, got, mend)
    return np.stack(groups)
