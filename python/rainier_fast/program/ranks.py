"""Ranks of a program as arrays, checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast.definitions.check import as_integer
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
    if not isinstance(ranks, np.ndarray):
        if not isinstance(ranks, Iterable) or isinstance(ranks, str | bytes):
            raise invalid_type(argument, ranks, "must be ranks")
        ranks = list(ranks)
        if any(type(rank) is not int for rank in ranks):
            ranks = [as_integer(argument, rank, 0, most - 1) for rank in ranks]
    try:
        found = np.asarray(ranks, dtype=np.int64) if len(ranks) else np.empty(0, np.int64)
    except (OverflowError, ValueError, TypeError):
        raise invalid(argument, ranks, f"must be ranks from 0 to {most - 1}") from None
    if isinstance(ranks, np.ndarray) and (ranks.ndim != 1 or ranks.dtype.kind not in "iu"):
        raise invalid_type(argument, shown(ranks), "must be one row of integers")
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
