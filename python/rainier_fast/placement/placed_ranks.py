"""Ranks with their chips, hosts and devices: what follows from these columns."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast.definitions.check import as_integer
from rainier_fast.errors import Unsupported, as_one_of
from rainier_fast.memory import reckon
from rainier_fast.table import Table

Axes: TypeAlias = tuple[tuple[str, int, int], ...]
"""Of each axis: name, ranks in a group, and how far one is from the next."""

ROW_BYTES: Final = 200
"""Bytes of a row of the table, or of a line of a file, in Python."""


class PlacedRanks:
    """The columns of a placement."""

    __slots__ = ()

    chips: NDArray[np.int64]
    ranks_per_chip: int
    hosts: tuple[str, ...]
    host: NDArray[np.int64]
    device: NDArray[np.int64]
    axes: Axes

    def __len__(self) -> int:
        return int(self.chips.size)

    @property
    def local_rank(self) -> NDArray[np.int64]:
        """The number of each rank among those of its host, which is what launchers give it."""
        order = np.argsort(self.host, kind="stable")
        counts = np.bincount(self.host, minlength=len(self.hosts))
        starts = np.cumsum(counts) - counts
        local = np.empty(len(self), np.int64)
        local[order] = np.arange(len(self)) - np.repeat(starts, counts)
        return local

    @property
    def ranks_per_host(self) -> int | None:
        """How many ranks each host has; None where they differ."""
        counts = np.bincount(self.host, minlength=len(self.hosts))
        return int(counts[0]) if (counts == counts[0]).all() else None

    @property
    def is_by_host(self) -> bool:
        """Whether ranks go on from host to host, so that an order of hosts says it all."""
        each = self.ranks_per_host
        if each is None:
            return False
        return bool((self.host == np.arange(len(self)) // each).all())

    @property
    def is_by_device(self) -> bool:
        """Whether each rank's device has the number of its local rank."""
        return bool((self.device == self.local_rank).all())

    def where(self, rank: int) -> tuple[str, int]:
        """Return the host of a rank, and its device there.

        Parameters
        ----------
        rank
            The rank.

        Returns
        -------
        tuple
            Name of the host, number of the device.

        Raises
        ------
        OutOfRange
            If there is no such rank.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").place(16).where(3)
        ('host0', 3)
        """
        at = as_integer("rank", rank, 0, len(self) - 1)
        return self.hosts[int(self.host[at])], int(self.device[at])

    def groups(self, axis: str) -> NDArray[np.int64]:
        """Return the chips of all groups of an axis, for ``group=`` of a collective.

        Parameters
        ----------
        axis
            Its name in `axes`.

        Returns
        -------
        numpy.ndarray
            int64, a row for each group, in rank order.

        Raises
        ------
        UnknownName
            If the job has no such axis.
        Unsupported
            If several ranks share a chip.

        Examples
        --------
        >>> from rainier_fast import Layout, preset
        >>> trn2 = preset("trn2")
        >>> placed = trn2.place(Layout(tp=4, dp=4))
        >>> placed.groups("dp")[0].tolist()
        [0, 4, 8, 12]
        >>> trn2.all_reduce("1 MiB", group=placed.groups("dp")).groups
        4
        """
        known = {name: (size, step) for name, size, step in self.axes}
        size, step = known[as_one_of("axis", axis, known)]
        if self.ranks_per_chip > 1:
            raise Unsupported(
                f"groups of {axis}: {self.ranks_per_chip} ranks share a chip; use a mesh with "
                "ranks_per_chip"
            )
        grid = np.arange(len(self)).reshape(-1, size, step).swapaxes(1, 2).reshape(-1, size)
        return self.chips[grid]

    def table(self) -> Table:
        """Return a row for each rank.

        Returns
        -------
        Table
            ``rank``, ``host``, ``local_rank``, ``device``, ``chip``, and the coordinate of each
            axis.

        Raises
        ------
        Unsupported
            If it would take more memory than a call may.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> print(preset("trn2").place(2).table())
        rank  host   local_rank  device  chip
           0  host0           0       0     0
           1  host0           1       1     1
        """
        reckon(ROW_BYTES * len(self), f"a table of {len(self):,} ranks", "place a smaller job")
        ranks = np.arange(len(self))
        names = np.array(self.hosts)
        columns: dict[str, Any] = {
            "rank": ranks,
            "host": names[self.host],
            "local_rank": self.local_rank,
            "device": self.device,
            "chip": self.chips,
        }
        for name, size, step in self.axes:
            columns[name if name not in columns else f"axis {name}"] = ranks // step % size
        return Table(columns)
