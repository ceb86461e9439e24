"""Ranks as a grid of named axes: the groups along some of them, and where those are one digit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.groups import Groups
from rainier_fast.memory import reckon

Ranks: TypeAlias = NDArray[np.int64]
Digit: TypeAlias = tuple[int, int]
"""Members of each group, and how far one is from the next; step 1 where a group is one rank."""


@dataclass(frozen=True, slots=True)
class View:
    """All ranks of a job over axes, the slowest first.

    `block` is the order of ranks inside each stretch of as many, where they are not counted up.
    """

    axes: tuple[tuple[str, int], ...]
    block: tuple[int, ...] = ()

    @property
    def world(self) -> int:
        """How many ranks there are."""
        return prod(size for _, size in self.axes)

    def size(self, names: Sequence[str]) -> int:
        """Return how many ranks a group along these axes has."""
        sizes = dict(self.axes)
        return prod(sizes[name] for name in names)

    def counted(self, names: Sequence[str]) -> Digit | None:
        """Return the digit that these axes are of places in the sequence, if they are one."""
        size, step, at, ended = 1, 1, 1, False
        wanted = list(names)
        for name, width in reversed(self.axes):
            if wanted and wanted[-1] == name:
                wanted.pop()
                if width > 1 and ended:
                    return None
                step = at if size == 1 else step
                size *= width
            elif width > 1:
                ended = size > 1
            at *= width
        return None if wanted else (size, step if size > 1 else 1)

    def digit(self, names: Sequence[str]) -> Digit | None:
        """Return the digit that these axes are of rank numbers, if they are one."""
        found = self.counted(names)
        if found is None or not self.block or found[0] == 1:
            return found
        size, step = found
        period = len(self.block)
        if step % period == 0:
            return found
        if period % (size * step):
            return None
        return _alike(np.array(self.block).reshape(-1, size, step).swapaxes(1, 2).reshape(-1, size))

    def first(self, names: Sequence[str], most: int) -> list[int]:
        """Return the first ranks of the first group along axes, at most so many."""
        places, step = [0], 1
        for name, width in reversed(self.axes):
            if name in names and len(places) < most:
                places = [at + step * place for place in range(min(width, most)) for at in places]
            step *= width
        return [self._rank(at) for at in places[:most]]

    def _rank(self, at: int) -> int:
        if not self.block:
            return at
        return at - at % len(self.block) + self.block[at % len(self.block)]

    def table(self, names: Sequence[str], lines: Sequence[str] = ()) -> Ranks:
        """Return the groups along axes, a row each; `lines` say how the rows follow each other."""
        reckon(24 * self.world, f"groups of {self.world:,} ranks", "ask for fewer ranks")
        place = {name: at for at, (name, _) in enumerate(self.axes)}
        rows = lines or [name for name in place if name not in names]
        order = [place[name] for name in (*rows, *names)]
        grid = self._sequence().reshape([size for _, size in self.axes]).transpose(order)
        return np.ascontiguousarray(grid.reshape(-1, self.size(names)))

    def groups(self, names: Sequence[str], lines: Sequence[str] = ()) -> Groups:
        """Return the groups along axes, listed in the stack's order."""
        found = None if self.block else self.counted(names)
        if found and self._in_order(names, lines):
            return Groups(self.world, *found)
        return listed(self.table(names, lines))

    def _in_order(self, names: Sequence[str], lines: Sequence[str]) -> bool:
        wide = [name for name, size in self.axes if size > 1]
        usual = [name for name in wide if name not in names]
        return not lines or [name for name in lines if name in wide] == usual

    def _sequence(self) -> Ranks:
        if not self.block:
            return np.arange(self.world)
        starts = np.arange(0, self.world, len(self.block))
        return np.asarray(starts[:, None] + np.array(self.block), np.int64).ravel()


def listed(table: Ranks) -> Groups:
    """Return a table, a row for each group, as groups."""
    return Groups(table.size, table.shape[1], 0, np.ascontiguousarray(table, np.int64).tobytes())


def _alike(table: NDArray[Any]) -> Digit | None:
    """Return the digit that rows are, in whatever order they stand."""
    size, step = table.shape[1], int(table[0, 1] - table[0, 0])
    if step < 1 or table.size % (size * step):
        return None
    plain = np.arange(table.size).reshape(-1, size, step).swapaxes(1, 2).reshape(-1, size)
    return (size, step) if np.array_equal(table[np.argsort(table[:, 0])], plain) else None
