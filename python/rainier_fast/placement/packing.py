"""Which hosts a job gets: close together, whole UltraServers first, round what is not there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast.errors import InvalidArgument, invalid

Free: TypeAlias = NDArray[np.bool_]
"""Which planes of which UltraServers a job may have: a row for each UltraServer."""

Levels: TypeAlias = Sequence[NDArray[np.int64]]
"""The group of each UltraServer at each level, from sites down to the leaves of the fabric."""

_NONE: Final = -1


def pack(free: Free, hosts: int, levels: Levels, segment: int = 1) -> list[tuple[int, int]]:
    """Return the UltraServer and plane of each host of a job, in ascending order.

    Whole UltraServers come first: at each level from the group with the fewest that still has
    enough, else from those with most. What is left over goes to planes side by side, in pieces as
    large as there are, each a number of segments: at a multiple of the power of two above its size,
    close to what the job has already, of the UltraServer with the fewest free planes.
    """
    planes = free.shape[1]
    clear = np.flatnonzero(free.all(axis=1))
    whole = min(hosts // planes, clear.size)
    servers = _whole(clear, whole, levels)
    taken = free.copy()
    taken[servers] = False
    found = [(int(server), plane) for server in servers for plane in range(planes)]
    own = [set(level[servers].tolist()) for level in levels]
    left = hosts - planes * whole
    while left:
        piece = _piece(taken, left, levels, own, min(segment, planes, left))
        if piece is None:
            raise _full(free, hosts, segment)
        server, first, size = piece
        found += [(server, first + at) for at in range(size)]
        taken[server, first : first + size] = False
        for level, groups in zip(levels, own, strict=True):
            groups.add(int(level[server]))
        left -= size
    return sorted(found)


def _whole(candidates: NDArray[np.int64], count: int, levels: Levels) -> NDArray[np.int64]:
    """Return so many of the candidates, of as few groups of each level as may be."""
    if count == 0 or not levels:
        return candidates[:count]
    members = levels[0][candidates]
    groups, sizes = np.unique(members, return_counts=True)
    left = list(np.argsort(-sizes, kind="stable"))
    picked: list[NDArray[np.int64]] = []
    while count:
        fits = [at for at in left if sizes[at] >= count]
        at = min(fits, key=lambda one: (sizes[one], one)) if fits else left[0]
        left.remove(at)
        wanted = min(count, int(sizes[at]))
        picked.append(_whole(candidates[members == groups[at]], wanted, levels[1:]))
        count -= wanted
    return np.sort(np.concatenate(picked))


def _piece(
    free: Free, left: int, levels: Levels, own: list[set[int]], segment: int
) -> tuple[int, int, int] | None:
    """Return the largest piece that is there: UltraServer, first plane, planes."""
    most = min(left, free.shape[1])
    far = np.zeros(free.shape[0], np.int64)
    for level, groups in zip(levels, own, strict=True):
        far += ~np.isin(level, list(groups))
    for size in range(most - most % segment, 0, -segment):
        server, first = _part(free, size, far)
        if server != _NONE:
            return server, first, size
    return None


def _part(free: Free, size: int, far: NDArray[np.int64]) -> tuple[int, int]:
    """Return the UltraServer and first plane of so many planes side by side."""
    step = 1 << (size - 1).bit_length()
    counts = free.sum(axis=1)
    best: tuple[int, ...] | None = None
    for first in range(0, free.shape[1] - size + 1, step):
        fits = np.flatnonzero(free[:, first : first + size].all(axis=1))
        if not fits.size:
            continue
        server = int(fits[np.lexsort((fits, counts[fits], far[fits]))[0]])
        key = (int(far[server]), int(counts[server]), server, first)
        if best is None or key < best:
            best = key
    return (_NONE, 0) if best is None else (best[2], best[3])


def _full(free: Free, hosts: int, segment: int) -> InvalidArgument:
    left = f"{int(free.sum()):,} free ones in {int(free.any(axis=1).sum()):,} UltraServers"
    together = f", {segment} of a segment together" if segment > 1 else ""
    allowed = f"must fit into what is left, {left}{together}; use a larger machine or a smaller job"
    return invalid("job", f"{hosts:,} hosts", allowed)


def levels_of(sites: Sequence[tuple[int, Sequence[int]]]) -> Levels:
    """Return the levels of sites: of each how many UltraServers, and sizes of groups from below."""
    counts = [count for count, _ in sites]
    site = np.repeat(np.arange(len(sites)), counts)
    within = np.concatenate([np.arange(count) for count in counts])
    found = [site]
    for tier in reversed(range(max(len(sizes) for _, sizes in sites))):
        size = np.repeat(
            [sizes[tier] if tier < len(sizes) else 2**31 for _, sizes in sites], counts
        )
        found.append(site * (within.size + 1) + within // size)
    return found
