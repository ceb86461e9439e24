"""Programs on a mesh whose axes are in another order: ranks at other places of the machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rainier_fast.collectives.mesh import DeviceMesh
from rainier_fast.program.groups import ProgramGroups
from rainier_fast.program.program import Program
from rainier_fast.program.where import Found, Where


@dataclass(frozen=True, slots=True)
class Reordered(Where):
    """Ranks as a mesh has them whose axes, by their strides in the program, are laid out anew."""

    strides: tuple[int, ...] = ()
    """Where each axis starts, slowest first, as the program counts ranks."""
    lengths: tuple[int, ...] = ()
    laid: DeviceMesh | None = None

    def _axis(self, size: int, stride: int) -> Found:
        return self._over(((stride, size),))

    def _iota(
        self, count: int, size: int, dims: tuple[int, ...], perm: tuple[int, ...]
    ) -> Found | None:
        return self._over(_spans(size, dims, perm) or ())

    def _over(self, spans: Sequence[tuple[int, int]]) -> Found:
        assert self.laid is not None
        names = [
            _name(stride)
            for start, size in spans
            for stride in self.strides
            if start <= stride < start * size
        ]
        return Found((self.laid.axis_groups(names),))


def orders(program: Program, where: Where) -> Iterator[tuple[str, Where]]:
    """Return what the same ranks are with each axis of the program fastest, and its words."""
    if where.slots is not None or where.mesh is not None:
        return
    spans: set[tuple[int, int]] = set()
    for groups in {one.groups for one in program.collectives if one.groups is not None}:
        found = _spans_of(groups, where.world)
        if found is None:
            return
        spans.update(span for span in found if span[1] > 1)
    cuts = sorted({1, where.world} | {end for at, size in spans for end in (at, at * size)})
    if any(high % low for low, high in pairwise(cuts)) or len(cuts) < 3:
        return
    lengths = {low: high // low for low, high in pairwise(cuts)}
    strides = sorted(lengths, reverse=True)
    for first in strides[:-1]:
        order = [stride for stride in strides if stride != first] + [first]
        sizes = {_name(stride): lengths[stride] for stride in order}
        mesh = DeviceMesh(where.machine, sizes, None, where.cores)
        words = f"the {lengths[first]:,} ranks that are {first:,} apart side by side"
        yield (
            words,
            Reordered(
                where.machine,
                where.world,
                where.cores,
                strides=tuple(strides),
                lengths=tuple(lengths[stride] for stride in strides),
                laid=mesh,
            ),
        )


def _spans_of(groups: ProgramGroups, world: int) -> Sequence[tuple[int, int]] | None:
    """Return the axes of groups, each where it starts and its size; None where they are none."""
    if groups.kind == "everyone":
        return ((1, groups.size or 1),) if groups.size == world else None
    if (line := groups.line()) is not None and groups.kind == "own group":
        start, stride, size = line
        block = stride * size
        return ((stride, size),) if world % block == 0 and start % block < stride else None
    if groups.form[0] == "iota" and groups.members == world:
        return _spans(*groups.form[2:])
    return None


def _spans(
    size: int, dims: tuple[int, ...], perm: tuple[int, ...]
) -> Sequence[tuple[int, int]] | None:
    """Return the axes that groups of `size` go through; None where one is cut."""
    spans: list[tuple[int, int]] = []
    left = size
    for axis in reversed(perm):
        if left == 1:
            break
        if left % dims[axis]:
            return None
        stride = 1
        for length in dims[axis + 1 :]:
            stride *= length
        spans.insert(0, (stride, dims[axis]))
        left //= dims[axis]
    return spans


def _name(stride: int) -> str:
    return f"every {stride}"
