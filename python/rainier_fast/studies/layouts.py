"""The ways in which the axes of a mesh can lie over the dimensions of a machine."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.grid import GridGroups
from rainier_fast.topology.base import Base

__all__ = ["Dimension", "Footprint", "Parts", "Space", "dimensions"]

Parts: TypeAlias = tuple[tuple[int, int], ...]
"""How one dimension is cut: (number of a mesh axis, factor), the fastest digit first."""

Footprint: TypeAlias = tuple[Parts, ...]
"""What one mesh axis has of each dimension: (step inside it, factor), the fastest digit first."""

_MOST_PERMUTED: Final = 7


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension of the machine."""

    name: str
    size: int
    step: int
    inside: bool
    ordered: bool
    alike: Hashable = None


def dimensions(machine: Base) -> tuple[Dimension, ...]:
    """Return the dimensions of a machine, the fastest first."""
    # Fabric groups cut the UltraServers of a site into dimensions, where they divide each other;
    # sites of unlike sizes are cut into blocks that divide all of them.
    found = []
    step = 1
    for axis in machine.ultraserver.axes:
        cabled = axis.kind in ("ring", "line")
        # Tiers of a switch, and one that spans other axes, tell its members apart.
        plain = axis.kind in ("full_mesh", "switch") and not axis.tiers
        alike = (axis.kind, axis.size, axis.bandwidth_Bps, axis.latency_s) if cabled else None
        found.append(
            Dimension(axis.name, axis.size, step, inside=True, ordered=not plain, alike=alike)
        )
        step *= axis.size
    sites = machine.sites
    block = math.gcd(*(site.ultraservers for site in sites))
    cuts = sorted({tier.group for site in sites for tier in site.tiers if tier.group < block})
    chain = [1, *cuts, block]
    nested = all(above % below == 0 for below, above in pairwise(chain))
    if not nested:
        found.append(Dimension("ultraservers", block, 1, inside=False, ordered=True))
        chain = []
    for below, above in pairwise(chain):
        name = "ultraservers" if below == 1 else f"groups of {below}"
        size = above // below
        found.append(Dimension(name, size, below, inside=False, ordered=False))
    blocks = sum(site.ultraservers for site in sites) // block
    name = "sites" if blocks == len(sites) else f"blocks of {block:,} ultraservers"
    found.append(Dimension(name, blocks, block, inside=False, ordered=True))
    return tuple(one for one in found if one.size > 1)


class Space:
    """All layouts of axes of these sizes over these dimensions."""

    # A layout is a tuple of `Parts`, one for each dimension. It stands for all that are as good: in
    # dimensions without an order axes come in one order, and of dimensions that may change places
    # the one with the smaller parts comes first.

    def __init__(self, dims: Sequence[Dimension], sizes: Sequence[int], chips_inside: int) -> None:
        self.dims = tuple(dims)
        self.sizes = tuple(sizes)
        self.chips_inside = chips_inside

    def __iter__(self) -> Iterator[Footprint]:
        return self._from(0, self.sizes, ())

    def _from(
        self, at: int, left: tuple[int, ...], done: tuple[Parts, ...]
    ) -> Iterator[tuple[Parts, ...]]:
        if at == len(self.dims):
            yield done
            return
        dim = self.dims[at]
        least = self._alike_before(at, done)
        for parts in _parts(dim.size, left, ordered=dim.ordered):
            if least is not None and parts < least:
                continue
            rest = list(left)
            for axis, factor in parts:
                rest[axis] //= factor
            yield from self._from(at + 1, tuple(rest), (*done, parts))

    def _alike_before(self, at: int, done: tuple[Parts, ...]) -> Parts | None:
        key = self.dims[at].alike
        before = [done[other] for other in range(at) if key and self.dims[other].alike == key]
        return before[-1] if before else None

    def standard(self, layout: Sequence[Parts]) -> tuple[Parts, ...]:
        """Return the layout that stands for this one."""
        out = [
            parts if dim.ordered else tuple(sorted(parts))
            for dim, parts in zip(self.dims, layout, strict=True)
        ]
        for key in {dim.alike for dim in self.dims if dim.alike is not None}:
            places = [at for at, dim in enumerate(self.dims) if dim.alike == key]
            for place, parts in zip(places, sorted(out[at] for at in places), strict=True):
                out[place] = parts
        return tuple(out)

    def place(self, layout: Sequence[Parts], axis: int) -> Footprint:
        """Return what an axis has of each dimension, just there."""
        return tuple(_steps(parts, axis) for parts in layout)

    def footprint(self, layout: Sequence[Parts], axis: int) -> Footprint:
        """Return what an axis has of each dimension; the same for axes that fare the same."""
        out = []
        for dim, parts in zip(self.dims, layout, strict=True):
            mine = _steps(parts, axis)
            out.append(mine if dim.ordered or not mine else ((1, math.prod(f for _, f in mine)),))
        for key in {dim.alike for dim in self.dims if dim.alike is not None}:
            places = [at for at, dim in enumerate(self.dims) if dim.alike == key]
            for place, mine in zip(places, sorted(out[at] for at in places), strict=True):
                out[place] = mine
        return tuple(out)

    def ranks(self, footprint: Footprint) -> tuple[int, int]:
        """Return the ranks of a group inside one UltraServer, and its UltraServers."""
        sizes = [1, 1]
        for dim, mine in zip(self.dims, footprint, strict=True):
            sizes[not dim.inside] *= math.prod(factor for _, factor in mine)
        return sizes[0], sizes[1]

    def groups(self, footprint: Footprint) -> GridGroups:
        """Return all groups of an axis that has this footprint."""
        outer = math.prod(dim.size for dim in self.dims if not dim.inside)
        local = self._table(footprint, self.chips_inside, inside=True)
        across = self._table(footprint, outer, inside=False)
        return GridGroups.of(self.chips_inside, local, across)

    def _table(self, footprint: Footprint, count: int, *, inside: bool) -> NDArray[np.uint32]:
        """Return the groups, a row each, of chips inside or of UltraServers."""
        numbers = np.arange(count)
        first = numbers.copy()
        size = 1
        for dim, mine in zip(self.dims, footprint, strict=True):
            for step, factor in mine if dim.inside == inside else ():
                stride = dim.step * step
                first -= numbers // stride % factor * stride
                size *= factor
        return np.argsort(first, kind="stable").astype(np.uint32).reshape(-1, size)

    def chips(self, layout: Sequence[Parts]) -> NDArray[np.int64]:
        """Return the chip at each place of the mesh."""
        places = [np.zeros(1, np.int64) for _ in self.sizes]
        for dim, parts in zip(self.dims, layout, strict=True):
            stride = dim.step * (1 if dim.inside else self.chips_inside)
            for axis, factor in parts:
                more = stride * np.arange(factor)
                places[axis] = np.add.outer(more, places[axis]).ravel()
                stride *= factor
        total = np.zeros((), np.int64)
        for place in places:
            total = np.add.outer(total, place)
        return np.asarray(total)

    def meshes(self) -> dict[tuple[Parts, ...], tuple[tuple[int, ...], tuple[Parts, ...]]]:
        """Return the layouts that plain meshes have."""
        # By the standard layout: the axes of the mesh, the slowest first, and its own layout.
        found: dict[tuple[Parts, ...], tuple[tuple[int, ...], tuple[Parts, ...]]] = {}
        order = tuple(range(len(self.sizes)))
        orders = permutations(order) if len(order) <= _MOST_PERMUTED else iter([order])
        for one in orders:
            natural = self._natural(one)
            if natural is not None:
                found.setdefault(self.standard(natural), (one, natural))
        return found

    def _natural(self, order: Sequence[int]) -> tuple[Parts, ...] | None:
        """Return the layout of a mesh; None where an axis ends inside a digit."""
        left = [[axis, self.sizes[axis]] for axis in reversed(order)]
        out = []
        for dim in self.dims:
            size, parts = dim.size, []
            while size > 1:
                while left[0][1] == 1:
                    left.pop(0)
                axis, most = left[0]
                factor = min(size, most)
                if size % factor or most % factor:
                    return None
                parts.append((axis, factor))
                size //= factor
                left[0][1] //= factor
            out.append(tuple(parts))
        return tuple(out)

    def text(self, layout: Sequence[Parts], names: Sequence[str]) -> str:
        """Return a layout in words."""
        words: list[list[str]] = [[] for _ in self.sizes]
        for dim, parts in zip(self.dims, layout, strict=True):
            step = 1
            for axis, factor in parts:
                part = f"{dim.name}{factor}" if dim.inside else f"{factor} {dim.name}"
                words[axis].append(part + (f" every {step}" if dim.ordered and step > 1 else ""))
                step *= factor
        return "; ".join(
            f"{name}: {', '.join(some) or '1'}" for name, some in zip(names, words, strict=True)
        )


def _parts(size: int, left: Sequence[int], *, ordered: bool) -> list[Parts]:
    """Return the ways to cut a dimension among axes that have so much left."""
    found: list[Parts] = []

    def go(size: int, left: tuple[int, ...], done: Parts) -> None:
        if size == 1:
            found.append(done)
            return
        last = done[-1][0] if done else -1
        for axis in range(len(left)):
            if axis == last or (not ordered and axis < last):
                continue
            most = math.gcd(size, left[axis])
            for factor in range(2, most + 1):
                if most % factor == 0:
                    rest = (*left[:axis], left[axis] // factor, *left[axis + 1 :])
                    go(size // factor, rest, (*done, (axis, factor)))

    go(size, tuple(left), ())
    return sorted(found)


def _steps(parts: Parts, axis: int) -> Parts:
    step, out = 1, []
    for other, factor in parts:
        if other == axis:
            out.append((step, factor))
        step *= factor
    return tuple(out)
