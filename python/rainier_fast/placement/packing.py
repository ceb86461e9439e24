"""Which hosts a job gets: close together, whole UltraServers first, around what is taken or broken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.errors import InvalidArgument, invalid

Free = NDArray[np.bool_]
"""Which planes of which UltraServers a job may have: a row for each UltraServer."""

_NONE: Final = -1


def pack(free: Free, hosts: int, leaves: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the UltraServer and plane of each host of a job, in ascending order.

    Whole UltraServers come first: from the leaf group with the fewest that still has enough, else
    from those with most. What is left over goes to planes side by side, at a multiple of the power
    of two above their number, of the UltraServer with the fewest free planes, in a leaf that the
    job has already where there is one. `leaves` are the leaf groups of the UltraServers, ascending.
    """
    planes = free.shape[1]
    whole, rest = divmod(hosts, planes)
    servers = _whole(free.all(axis=1), whole, leaves, hosts)
    taken = free.copy()
    taken[servers] = False
    found = [(int(server), plane) for server in servers for plane in range(planes)]
    if rest:
        server, first = _part(taken, rest, leaves, set(leaves[servers].tolist()))
        if server == _NONE:
            raise _full(free, hosts)
        found += [(server, first + at) for at in range(rest)]
    return sorted(found)


def _whole(
    clear: NDArray[np.bool_], count: int, leaves: NDArray[np.int64], hosts: int
) -> NDArray[np.int64]:
    """Return UltraServers of which nothing is taken, of as few leaf groups as may be."""
    if count == 0:
        return np.zeros(0, np.int64)
    candidates = np.flatnonzero(clear)
    if candidates.size < count:
        raise _full(clear[:, None], hosts)
    groups, sizes = np.unique(leaves[candidates], return_counts=True)
    enough = sizes >= count
    if enough.any():
        own = groups[enough][np.argmin(sizes[enough])]
        return candidates[leaves[candidates] == own][:count]
    order = np.argsort(-sizes, kind="stable")
    picked: list[NDArray[np.int64]] = []
    left = count
    for at in order:
        # The last group is the one that fits what is left best.
        fits = [one for one in order if sizes[one] >= left]
        last = bool(fits)
        group = groups[min(fits, key=lambda one: (sizes[one], one))] if last else groups[at]
        if any((leaves[one] == group).any() for one in picked):
            continue
        members = candidates[leaves[candidates] == group][:left]
        picked.append(members)
        left -= members.size
        if left == 0:
            break
    return np.sort(np.concatenate(picked))


def _part(free: Free, rest: int, leaves: NDArray[np.int64], own: set[int]) -> tuple[int, int]:
    """Return the UltraServer and first plane of so many planes side by side."""
    step = 1 << (rest - 1).bit_length()
    planes = free.shape[1]
    best, where = None, (_NONE, _NONE)
    counts = free.sum(axis=1)
    for first in range(0, planes - rest + 1, step):
        fits = np.flatnonzero(free[:, first : first + rest].all(axis=1))
        if not fits.size:
            continue
        far = np.array([leaf not in own for leaf in leaves[fits].tolist()])
        at = np.lexsort((fits, counts[fits], far))[0]
        key = (bool(far[at]), int(counts[fits[at]]), int(fits[at]), first)
        if best is None or key < best:
            best, where = key, (int(fits[at]), first)
    return where


def _full(free: Free, hosts: int) -> InvalidArgument:
    left = f"{int(free.sum()):,} free ones in {int(free.any(axis=1).sum()):,} UltraServers"
    if free.shape[1] == 1:
        left = f"{int(free.sum()):,} whole UltraServers"
    allowed = f"must fit into what is left, {left}; use a larger machine or a smaller job"
    return invalid("job", f"{hosts:,} hosts", allowed)


def leaf_groups(ultraservers: Sequence[int], groups: Sequence[int]) -> NDArray[np.int64]:
    """Return the number of the leaf group of each UltraServer, by site: how many, and group size."""
    found: list[NDArray[np.int64]] = []
    start = 0
    for count, size in zip(ultraservers, groups, strict=True):
        own = np.arange(count) // max(size, 1)
        found.append(own + start)
        start += int(own[-1]) + 1
    return np.concatenate(found)
