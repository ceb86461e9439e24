"""A collective of a program as requests to a machine, and what had to be guessed for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.cores import CoreGroups
from rainier_fast.ask.groups import Groups, as_groups
from rainier_fast.ask.options import OPERATIONS, DType
from rainier_fast.errors import Unsupported
from rainier_fast.program.collective import ProgramCollective
from rainier_fast.program.groups import ProgramGroups
from rainier_fast.program.ranks import Ranks
from rainier_fast.program.where import Found, Where

_TYPES: Final = frozenset(get_args(DType))
_SUMS: Final = frozenset({"all_reduce", "reduce_scatter", "reduce"})
_OF_INPUT: Final = frozenset({"all_reduce", "reduce_scatter", "all_to_all", "reduce"})
_CHAIN: Final = "a chain of messages is priced as the ring that closes it, which takes no less"
_UNLIKE: Final = "chains and rings of several lengths: the slowest counts, as if it ran alone"
_PAIR: Final = "a message alone: what other ranks send meanwhile is not in the program"
_SPLITS: Final = (
    "what other ranks send is not in the program: each of this group sends as the recorded one, to "
    "the ranks after it, and no other group sends anything"
)
_RAGGED: Final = "sizes of a ragged all-to-all are data: full buffers, evenly spread, are priced"
_EVEN: Final = "sizes by peer are priced as even ones: groups are several, or of too many ranks"
_MOST_UNEVEN: Final = 1024
"""Ranks whose sizes for each other are written out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a machine for one collective: an operation, over each of some groups."""

    op: str
    size: Any
    groups: tuple[Groups, ...]
    dtype: str | None
    root: int = 0
    shift: int = 1
    guesses: tuple[str, ...] = ()

    def options(self, groups: Groups) -> dict[str, Any]:
        """Return the options of the machine's method of that name."""
        given: dict[str, Any] = {"group": groups, "dtype": self.dtype}
        if self.op in ("broadcast", "reduce", "gather", "scatter"):
            given["root"] = self.root
        if self.op == "send_recv":
            given["shift"] = self.shift
        if not isinstance(self.size, float):
            del given["dtype"]  # sizes by rank know no types
        return given


def asked(one: ProgramCollective, where: Where, rank: int | None, axes: Mapping[str, str]) -> Asked:
    """Return what a collective asks of a machine; `Unsupported` says what is missing."""
    guesses = []
    if one.op == "collective_permute" and one.groups is not None and one.groups.kind == "pairs":
        return _permute(one, where)
    found = _groups(one, where, axes)
    if found.guess:
        guesses.append(found.guess)
    if one.op in ("send", "recv", "collective_permute"):
        return _message(one, where, rank)
    size: Any = 0.0 if one.op == "barrier" else float(_size(one, found.groups[0]))
    op = one.op
    if op == "ragged_all_to_all":
        op = "all_to_all"
        guesses.append(_RAGGED)
    elif op == "all_to_all" and _uneven(one.in_splits):
        own = _own(one, where)
        if own is None:
            guesses.append(_EVEN)
        else:
            return Asked(op, _matrix(one, rank), (own,), None, guesses=(_SPLITS,))
    assert op in OPERATIONS, op
    made = Asked(op, size, found.groups, _dtype(one, guesses), one.root or 0)
    return replace(made, guesses=tuple(guesses))


def _groups(one: ProgramCollective, where: Where, axes: Mapping[str, str]) -> Found:
    if one.groups is not None:
        return where.of(one.groups)
    axis = axes.get(one.name, axes.get(one.op))
    if axis is None:
        raise Unsupported("groups are not in the source: pass mesh= and, by operation, axes=")
    return where.of_axis(axis)


def _size(one: ProgramCollective, groups: Groups) -> int:
    """Return bytes as the machine's method of that name counts them."""
    ranks = groups.members_of_each if isinstance(groups, CoreGroups) else groups.ranks
    into, out = one.bytes_in, one.bytes_out
    if one.op in _OF_INPUT or one.op == "ragged_all_to_all":
        found = into if into is not None else out
        if one.op == "reduce_scatter" and into is None and out is not None:
            found = out * ranks
    elif one.op in ("all_gather", "gather"):
        found = None if into is None else into * ranks
        if one.op == "all_gather" and out is not None:
            found = out
    elif one.op == "scatter":
        found = None if out is None else out * ranks
        found = into if found is None else max(found, into or 0)
    else:
        found = max((size for size in (into, out) if size is not None), default=None)
    if found is None:
        raise Unsupported("bytes are not in the source: record them, as capture.torch does")
    return found


def _dtype(one: ProgramCollective, guesses: list[str]) -> str | None:
    if one.dtype is None and one.op in _SUMS:
        guesses.append("type of number not in the source: priced as none in particular")
    elif one.dtype is not None and one.dtype not in _TYPES and one.op in _SUMS:
        guesses.append(f"{one.dtype} has no figures: priced as no type in particular")
    return one.dtype if one.dtype in _TYPES else None


def _uneven(splits: tuple[int, ...] | None) -> bool:
    return splits is not None and len(set(splits)) > 1


def _own(one: ProgramCollective, where: Where) -> Groups | None:
    """Return the group of the recorded rank, if sizes by peer can be priced in it: of few chips."""
    groups, splits = one.groups, one.in_splits or ()
    if groups is None or groups.count != 1 or where.cores > 1:
        return None
    if len(splits) != groups.members or len(splits) > _MOST_UNEVEN:
        return None
    return as_groups(where.chips_of(groups.to_array()), where.machine.num_chips)


def _matrix(one: ProgramCollective, rank: int | None) -> NDArray[np.float64]:
    """Return the bytes from each rank of a group to each, if all send as the recorded one does."""
    splits = np.asarray(one.in_splits, np.float64)
    ranks = len(splits)
    own = 0
    if rank is not None and one.groups is not None:
        places = np.flatnonzero(one.groups.to_array()[:ranks] == rank)
        own = int(places[0]) if len(places) else 0
    ahead = np.roll(splits, -own)
    return np.stack([np.roll(ahead, at) for at in range(ranks)])


def _message(one: ProgramCollective, where: Where, rank: int | None) -> Asked:
    """Return a message from the recorded rank to its peer, or the other way."""
    if one.peer is None or one.groups is None or rank is None:
        raise Unsupported("who is on the other side is not in the source: it needs rank and peer")
    if one.groups.kind == "all groups" and one.groups.count > 1:
        raise Unsupported("which of several groups a message is in is not in the source")
    members = one.groups.to_array()
    if one.peer >= len(members):
        raise Unsupported(f"peer {one.peer} is not in a group of {len(members)} ranks")
    chips = where.chips_of(np.array([rank, members[one.peer]]))
    sizes = [size for size in (one.bytes_in, one.bytes_out) if size is not None]
    if not sizes:
        raise Unsupported("bytes are not in the source: record them, as capture.torch does")
    size = float(max(sizes))
    shape = _around(one, where, rank, members)
    if shape is not None:
        return replace(shape, size=size)
    if chips[0] == chips[1]:
        raise Unsupported("a message between ranks of one chip has no figure")
    groups = as_groups(np.ascontiguousarray(chips), where.machine.num_chips)
    return Asked("send_recv", size, (groups,), _dtype(one, []), guesses=(_PAIR,))


def _around(one: ProgramCollective, where: Where, rank: int, members: Ranks) -> Asked | None:
    """Return a shift that all ranks of all groups take part in, where the op says there is one."""
    if one.op != "collective_permute" or one.groups is None or one.peer is None:
        return None
    own = np.flatnonzero(members == rank)
    if not len(own):
        return None
    found = where.of(one.groups)
    shift = (one.peer - int(own[0])) % len(members)
    guesses = ["every rank of a group sends as far on as the recorded one"]
    if found.guess:
        guesses.append(found.guess)
    return Asked(
        "send_recv", 0.0, found.groups, _dtype(one, []), shift=shift, guesses=tuple(guesses)
    )


def _permute(one: ProgramCollective, where: Where) -> Asked:
    """Return a permute as rings that pass messages on, each to the next."""
    assert one.groups is not None
    sizes = [size for size in (one.bytes_in, one.bytes_out) if size is not None]
    if not sizes:
        raise Unsupported("bytes are not in the source: record them, as capture.torch does")
    rows, closed = _rings(one.groups)
    by_length: dict[int, list[list[int]]] = {}
    for row in rows:
        by_length.setdefault(len(row), []).append(row)
    guesses = [_CHAIN] * (not closed) + [_UNLIKE] * (len(by_length) > 1)
    lists = [
        groups
        for length in sorted(by_length)
        for groups in where.of(ProgramGroups.of_lists(by_length[length])).groups
    ]
    dtype = _dtype(one, [])
    return Asked("send_recv", float(max(sizes)), tuple(lists), dtype, guesses=tuple(guesses))


def _rings(pairs: ProgramGroups) -> tuple[list[list[int]], bool]:
    """Return rings of ranks in the order of their messages, and whether all of them are closed."""
    onward = dict(pairs.to_pairs())
    starts = [source for source in onward if source not in set(onward.values())]
    closed = not starts
    rows, seen = [], set[int]()
    for first in [*starts, *onward]:
        if first in seen or onward[first] == first:
            continue
        row, at = [first], onward[first]
        seen.add(first)
        while at != first:
            row.append(at)
            seen.add(at)
            if at not in onward:
                break
            at = onward[at]
        rows.append(row)
    return rows, closed
