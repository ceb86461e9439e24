"""Bytes and ranks of collectives in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rainier_fast.units import format_bytes

_FEW: Final = 4


def of_bytes(bytes_in: int | None, bytes_out: int | None) -> str:
    """Return the bytes of a rank in words."""
    if bytes_in is None and bytes_out is None:
        return "of unknown bytes"
    sizes = (bytes_in, bytes_out)
    first, last = ("unknown" if size is None else format_bytes(size) for size in sizes)
    return f"of {first}" if first == last else f"of {first} to {last}"


def of_groups(groups: object) -> str:
    """Return the groups in words."""
    return "over unknown ranks" if groups is None else f"over {groups}"


def of_ranks(ranks: Sequence[int]) -> str:
    """Return ranks as text: all of few, the first and last of many."""
    if len(ranks) <= _FEW:
        return ", ".join(map(str, ranks))
    return f"{ranks[0]}, {ranks[1]}, ... {ranks[-1]}"
