"""HLO and StableHLO text: what the core's reader finds, as a Program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from rainier_fast._core import read_hlo, read_stablehlo
from rainier_fast.memory import reckon
from rainier_fast.program import Program, ProgramCollective, ProgramGroups
from rainier_fast.program.numbers import dtype_named
from rainier_fast.reading.content import Content

_ID_BYTES: Final = 64
"""Of an id while its groups are made: its number, sorted and kept, and what points to it."""


def hlo(content: Content) -> Program:
    """Read HLO text."""
    return _program("HLO", content, read_hlo(content.data, content.short))


def stablehlo(content: Content) -> Program:
    """Read StableHLO text."""
    return _program("StableHLO", content, read_stablehlo(content.data, content.short))


def _program(kind: str, content: Content, row: tuple[Any, ...]) -> Program:
    name, replicas, partitions, collectives, group_rows, notes = row
    world = None
    if replicas is not None or partitions is not None:
        world = (replicas or 1) * (partitions or 1)
    groups = [_groups(one, world) for one in group_rows]
    found = tuple(_collective(one, groups) for one in collectives)
    of = f", {replicas or 1} x {partitions or 1} replicas x partitions" if world else ""
    where = f" in {content.named}" if content.named else ""
    source = f"{kind} text of module {name or '(without a name)'}{of}{where}"
    return Program(found, world=world, source=source, notes=tuple(notes))


def _collective(row: Sequence[Any], groups: list[ProgramGroups]) -> ProgramCollective:
    name, op, original, bytes_in, bytes_out, dtype, number, count, starts, _, notes = row
    return ProgramCollective(
        name=name,
        op=op,
        bytes_in=bytes_in,
        bytes_out=bytes_out,
        dtype=None if dtype is None else dtype_named(dtype),
        groups=None if number is None else groups[number],
        count=count,
        asynchronous=starts,
        original=original,
        notes=tuple(notes),
    )


def _groups(row: Sequence[Any], world: int | None) -> ProgramGroups:
    match row:
        case ("everyone", ranks):
            return ProgramGroups.everyone(ranks)
        case ("iota", count, size, dims, perm):
            kept = [axis for axis in perm if dims[axis] > 1]
            place = {axis: at for at, axis in enumerate(sorted(kept))}
            lengths = [dims[axis] for axis in sorted(kept)]
            order = [place[axis] for axis in kept]
            return ProgramGroups.of_iota(count, size, lengths or [1], order or [0], world)
        case ("pairs", ids):
            reckon(_ID_BYTES * len(ids), "the pairs of a permute", "read a smaller program")
            return ProgramGroups.pairs(ids.reshape(-1, 2), world)
        case (_, ids, sizes):
            reckon(_ID_BYTES * len(ids), "the groups of a collective", "read a smaller program")
            ends = np.cumsum(sizes)[:-1].astype(np.int64)
            rows: list[Any] = np.split(ids, ends)
            return ProgramGroups.of_lists(rows, world)
    raise AssertionError(row)
