"""A torus of nodes as Slurm's topology/torus3d has it: who is where, and what a job may get.

Read in the plug-in's source (Slurm 26.05, topology/torus3d): nodes fill a region x fastest, then y,
then z; a placement's anchors are multiples of its shape, or of its spacing, counted round each axis
until they come back to 0; an anchor counts where all its places have nodes. Of the anchors whose
nodes are idle, a job gets the one that spoils the fewest idle anchors of the next larger size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import gcd, prod
from typing import Final, TypeAlias

from rainier_fast.definitions.check import as_integer, as_items
from rainier_fast.errors import InvalidArgument, invalid, invalid_type, unknown
from rainier_fast.memory import reckon
from rainier_fast.screen import one_screen

Triple: TypeAlias = tuple[int, int, int]
"""x, y, z."""

MOST_SIDE: Final = 2**16 - 1
_ANCHOR_BYTES: Final = 200
"""Bytes of an anchor's mask and list entry, beside a bit for each node of the torus."""


@dataclass(frozen=True, slots=True)
class Region:
    """Part of a torus: where it begins, how large it is, and its nodes, x fastest."""

    anchor: Triple
    dims: Triple
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape that jobs may have, and how far apart its anchors are; None for as far as it is."""

    dims: Triple
    spacing: Triple | None = None

    @property
    def size(self) -> int:
        """Nodes of a job of this shape."""
        return prod(self.dims)


@one_screen
@dataclass(frozen=True)
class Torus:
    """A torus of nodes, as ``topology.yaml`` of Slurm 26.05 describes it. Immutable.

    Attributes
    ----------
    name
        Its name.
    dims
        Nodes along x, y and z.
    regions
        Which nodes are where; places that no region has are empty.
    shapes
        The placements that jobs may have, as the file lists them.
    whole
        Whether the file names all nodes at once, without regions.

    Raises
    ------
    InvalidArgument
        If regions leave the torus, overlap or have another number of nodes than places.

    Examples
    --------
    >>> torus = Torus("pod", (2, 2, 1), (Region((0, 0, 0), (2, 2, 1), ("a", "b", "c", "d")),))
    >>> torus.coordinate("c"), torus.blocks((2, 1, 1))
    ((0, 1, 0), [('a', 'b'), ('c', 'd')])
    """

    name: str
    dims: Triple
    regions: tuple[Region, ...]
    shapes: tuple[Shape, ...] = ()
    whole: bool = False

    def __post_init__(self) -> None:
        as_triple("dims", self.dims, 1)
        for at, shape in enumerate(self.shapes):
            if any(side > most for side, most in zip(shape.dims, self.dims, strict=True)):
                allowed = f"must be at most the torus's {self.dims}"
                raise invalid(f"placements[{at}].dims", shape.dims, allowed)
        _ = self._at

    @cached_property
    def _at(self) -> Mapping[str, Triple]:
        """Where each node is."""
        found: dict[str, Triple] = {}
        taken: set[Triple] = set()
        for number, region in enumerate(self.regions):
            where = f"regions[{number}]"
            ends = [a + d for a, d in zip(region.anchor, region.dims, strict=True)]
            if any(end > most for end, most in zip(ends, self.dims, strict=True)):
                allowed = f"must end inside the torus's {self.dims}"
                raise invalid(f"{where}.dims", region.dims, allowed)
            if len(region.nodes) != prod(region.dims):
                allowed = f"must be {prod(region.dims):,}, one for each place"
                raise invalid(f"{where}.nodes", f"{len(region.nodes):,} nodes", allowed)
            for node, (z, y, x) in zip(
                region.nodes, product(*map(range, reversed(region.dims))), strict=True
            ):
                place = (region.anchor[0] + x, region.anchor[1] + y, region.anchor[2] + z)
                if place in taken:
                    raise invalid(f"{where}.nodes", node, f"must not be where another is: {place}")
                if node in found:
                    raise invalid(f"{where}.nodes", node, f"must be once, and is at {found[node]}")
                taken.add(place)
                found[node] = place
        return found

    @cached_property
    def _node(self) -> Mapping[Triple, str]:
        return {place: node for node, place in self._at.items()}

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """All nodes, x fastest, then y, then z."""
        return tuple(sorted(self._at, key=lambda node: self._at[node][::-1]))

    def coordinate(self, node: str) -> Triple:
        """Return where a node is.

        Parameters
        ----------
        node
            Its name.

        Returns
        -------
        tuple of int
            x, y, z.

        Raises
        ------
        UnknownName
            If the torus has no such node.

        Examples
        --------
        >>> Torus("a", (2, 1, 1), (Region((1, 0, 0), (1, 1, 1), ("n",)),)).coordinate("n")
        (1, 0, 0)
        """
        if node not in self._at:
            raise unknown("node", node, self._at)
        return self._at[node]

    def node(self, x: int, y: int, z: int) -> str | None:
        """Return the node at a place, None where there is none."""
        return self._node.get((x, y, z))

    def blocks(self, dims: Sequence[int], spacing: Sequence[int] | None = None) -> list[Block]:
        """Return the nodes of every anchor of a shape all of whose places have nodes.

        Parameters
        ----------
        dims
            Nodes along x, y and z.
        spacing
            How far apart anchors are; None for as far as `dims`.

        Returns
        -------
        list of tuple of str
            x fastest, both anchors and the nodes of one.

        Raises
        ------
        InvalidArgument, InvalidType, OutOfRange
            If a shape does not fit into the torus.

        Examples
        --------
        >>> torus = Torus("a", (4, 1, 1), (Region((0, 0, 0), (4, 1, 1), ("a", "b", "c", "d")),))
        >>> torus.blocks((2, 1, 1))
        [('a', 'b'), ('c', 'd')]
        """
        shape = as_triple("dims", dims, 1)
        apart = shape if spacing is None else as_triple("spacing", spacing, 1)
        for name, triple in (("dims", shape), ("spacing", apart)):
            if any(side > most for side, most in zip(triple, self.dims, strict=True)):
                raise invalid(name, triple, f"must be at most the torus's {self.dims}")
        sides = zip(self.dims, apart, strict=True)
        anchors = prod(side // gcd(side, step) for side, step in sides)
        cost = (_ANCHOR_BYTES + 8 * prod(shape)) * anchors
        reckon(cost, f"blocks of {anchors:,} anchors", "use a smaller torus or a larger spacing")
        found = []
        for anchor in self._anchors(apart):
            cells = [self._node.get(place) for place in self._places(anchor, shape)]
            whole = tuple(cell for cell in cells if cell is not None)
            if len(whole) == len(cells):
                found.append(whole)
        return found

    def _anchors(self, apart: Triple) -> Iterator[Triple]:
        along = [positions(side, step) for side, step in zip(self.dims, apart, strict=True)]
        for z, y, x in product(*reversed(along)):
            yield x, y, z

    def _places(self, anchor: Triple, shape: Triple) -> Iterator[Triple]:
        for z, y, x in product(*map(range, reversed(shape))):
            yield (
                (anchor[0] + x) % self.dims[0],
                (anchor[1] + y) % self.dims[1],
                (anchor[2] + z) % self.dims[2],
            )

    @cached_property
    def _masks(self) -> list[tuple[int, list[int]]]:
        """Sizes and anchors of all shapes, the smallest first, nodes as bits.

        Anchors are in the plug-in's order, z fastest, which decides between equals.
        """
        number = {node: at for at, node in enumerate(self.nodes)}
        found = []
        for shape in sorted(self.shapes, key=lambda one: one.size):
            apart = shape.spacing or shape.dims
            along = [positions(side, step) for side, step in zip(self.dims, apart, strict=True)]
            anchors = prod(map(len, along))
            cost = anchors * (_ANCHOR_BYTES + len(number) // 8)
            reckon(cost, f"{anchors:,} anchors", "use a smaller torus or larger shapes")
            masks = []
            for x, y, z in product(*along):
                cells = [self._node.get(place) for place in self._places((x, y, z), shape.dims)]
                bits = {number[cell] for cell in cells if cell is not None}
                if len(bits) == shape.size:
                    masks.append(sum(1 << bit for bit in bits))
            found.append((shape.size, masks))
        return found

    def choose(
        self, count: int, idle: Iterable[str] | None = None, segment: int | None = None
    ) -> tuple[str, ...] | None:
        """Return the nodes that a job gets by the rule of topology/torus3d.

        Parameters
        ----------
        count
            Nodes of the job.
        idle
            Nodes that no job has; None for all.
        segment
            Nodes that must be a block of their own, as ``--segment``; None for all together.

        Returns
        -------
        tuple of str or None
            x fastest; None where no anchor is idle.

        Raises
        ------
        InvalidArgument
            If no placement has so many nodes, or segments do not divide the job.

        Examples
        --------
        >>> region = Region((0, 0, 0), (4, 1, 1), ("a", "b", "c", "d"))
        >>> shapes = Shape((1, 1, 1)), Shape((2, 1, 1)), Shape((4, 1, 1))
        >>> torus = Torus("pod", (4, 1, 1), (region,), shapes)
        >>> torus.choose(1, idle=["b", "c", "d"]), torus.choose(4, segment=2)
        (('b',), ('a', 'b', 'c', 'd'))
        """
        size = as_integer("count", count, 1, len(self.nodes))
        part = (
            size if segment is None or segment > size else as_integer("segment", segment, 1, size)
        )
        if size % part:
            raise invalid("segment", segment, f"must divide the job's {size:,} nodes")
        if part not in {known for known, _ in self._masks}:
            sizes = ", ".join(str(known) for known, _ in self._masks) or "none"
            name = "count" if part == size else "segment"
            raise invalid(name, part, f"must be the size of a placement ({sizes})")
        free = self._bits(idle)
        got = 0
        for _ in range(size // part):
            best = self._best(part, free)
            if best is None:
                return None
            free, got = free & ~best, got | best
        return tuple(node for at, node in enumerate(self.nodes) if got >> at & 1)

    def _bits(self, idle: Iterable[str] | None) -> int:
        if idle is None:
            return (1 << len(self.nodes)) - 1
        number = {node: at for at, node in enumerate(self.nodes)}
        bits = 0
        for node in as_items("idle", idle, "must be names of nodes"):
            if node not in number:
                raise unknown("idle", node, number)
            bits |= 1 << number[node]
        return bits

    def _best(self, size: int, free: int) -> int | None:
        for at, (known, masks) in enumerate(self._masks):
            if known != size:
                continue
            larger = next((more for most, more in self._masks[at + 1 :] if most > size), [])
            whole = [mask for mask in larger if mask & ~free == 0]
            best, least = None, -1
            for mask in masks:
                if mask & ~free:
                    continue
                cost = sum(1 for one in whole if one & mask)
                if best is None or cost < least:
                    best, least = mask, cost
            if best is not None:
                return best
        return None


Block: TypeAlias = tuple[str, ...]
"""Names of the nodes of an anchor."""


def positions(side: int, step: int) -> list[int]:
    """Return where anchors are along an axis: steps round it, until they come back to 0."""
    found, at = [0], step % side
    while at:
        found.append(at)
        at = (at + step) % side
    return found


def as_triple(argument: str, value: object, low: int) -> Triple:
    """Return three integers, of a sequence or of x, y and z."""
    if isinstance(value, Mapping):
        value = [value.get(axis) for axis in "xyz"]
    items = as_items(argument, value, "must be three integers: x, y, z")
    if len(items) != 3:
        raise invalid(argument, items, "must be three integers: x, y, z")
    for item in items:
        if isinstance(item, bool) or not isinstance(item, int):
            raise invalid_type(argument, items, "must be three integers: x, y, z")
    x, y, z = (as_integer(argument, item, low, MOST_SIDE) for item in items)
    return x, y, z


def check_apart(toruses: Sequence[Torus]) -> InvalidArgument | None:
    """Return the error where two toruses have one name or share a node, None where none does."""
    owner: dict[str, str] = {}
    names: set[str] = set()
    for torus in toruses:
        if torus.name in names:
            return invalid("toruses", torus.name, "must have a name each")
        names.add(torus.name)
        for node in torus.nodes:
            if node in owner:
                allowed = f"must be in one torus, and is in {owner[node]} too"
                return invalid("toruses", f"{node} in {torus.name}", allowed)
            owner[node] = torus.name
    return None
