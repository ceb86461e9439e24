"""Ranks of a program as arrays, checked."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast.definitions.check import as_integer, as_items, is_masked
from rainier_fast.errors import invalid, invalid_type, shown

MOST_RANKS: Final = 2**32 - 1
MOST_MEMBERS: Final = 2**31

Ranks: TypeAlias = NDArray[np.int64]


def as_world(world: object) -> int | None:
    """Return the ranks of a program, or None where they are not known."""
    return None if world is None else as_integer("world", world, 1, MOST_MEMBERS)


def as_ranks(argument: str, ranks: object, world: int | None) -> Ranks:
    """Return ranks as an array, each below `world`."""
    most = MOST_RANKS if world is None else world
    if isinstance(ranks, np.ndarray):
        if ranks.ndim != 1 or ranks.dtype.kind not in "iu" or is_masked(ranks):
            raise invalid_type(argument, shown(ranks), "must be one row of integers")
        if ranks.dtype.kind == "u" and len(ranks) and ranks.max() > most:
            raise invalid(argument, int(ranks.max()), f"must be ranks from 0 to {most - 1}")
        found = ranks.astype(np.int64)
    else:
        items = as_items(argument, ranks, "must be ranks")
        if any(type(rank) is not int or not 0 <= rank < most for rank in items):
            items = [as_integer(argument, rank, 0, most - 1) for rank in items]
        found = np.array(items, dtype=np.int64) if len(items) else np.empty(0, np.int64)
    if len(found) and not 0 <= int(found.min()) <= int(found.max()) < most:
        wrong = int(found.min()) if found.min() < 0 else int(found.max())
        raise invalid(argument, wrong, f"must be ranks from 0 to {most - 1}")
    return found


def refuse_repeats(argument: str, ranks: Ranks) -> None:
    """Refuse a rank that is there twice."""
    in_order = np.sort(ranks)
    again = np.flatnonzero(in_order[1:] == in_order[:-1])
    if len(again):
        raise invalid(argument, f"rank {int(in_order[again[0]])} twice", "must have each rank once")
