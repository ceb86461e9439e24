"""Collectives in which each rank, or each pair of ranks, has a size of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias, Unpack

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.options import Call
from rainier_fast.ask.request import Request, make_request
from rainier_fast.errors import Unsupported, invalid, invalid_type
from rainier_fast.memory import reckon
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity, parse_bytes

Sizes: TypeAlias = "Sequence[Quantity] | Sequence[Sequence[Quantity]] | NDArray[Any]"
"""Bytes of each rank, or from each rank (row) to each rank (column)."""

OPERATIONS: Final = ("all_gather", "reduce_scatter", "all_to_all")
"""What takes sizes."""
_TAKEN: Final = ("group", "algorithm", "model", "routing")
"""Options that count with sizes."""
_MOST_RANKS: Final = 4096


def make_any_request(
    machine: Base, operation: str, size: Quantity | Sizes, **options: Unpack[Call]
) -> Request:
    """Check the arguments of a collective, which may have a size for each rank."""
    several = isinstance(size, list | tuple) or (isinstance(size, np.ndarray) and size.ndim > 0)
    if not several:
        return make_request(machine, operation, size, **options)  # type: ignore[arg-type]
    return _of_sizes(machine, make_request(machine, operation, 0, **options), size, options)


def _of_sizes(machine: Base, request: Request, sizes: object, options: Call) -> Request:
    """Return the request that runs the fastest schedule of such sizes; `request` is of none."""
    from rainier_fast.ask.schedule import Schedule

    operation = request.operation
    if operation not in OPERATIONS:
        allowed = f"must be one number: {', '.join(OPERATIONS)} take a size for each rank"
        raise invalid("size", sizes, allowed)
    others = sorted(name for name in options if name not in _TAKEN)
    if others:
        raise Unsupported(
            f"{others[0]} with a size for each rank; leave it out: {', '.join(_TAKEN)} count there"
        )
    if request.groups.count > 1:
        raise Unsupported(
            f"sizes for each rank of {request.groups.count} groups at once; name one group"
        )
    if not isinstance(request.algorithm, str):
        raise invalid("algorithm", request.algorithm, "must be one name with a size for each rank")
    pairs = operation == "all_to_all"
    numbers = _numbers(sizes, request.groups.ranks, pairs=pairs)
    name, core = machine._core.vector(
        operation,
        _even(numbers, request.groups.ranks) if pairs else numbers,
        request.groups.core(machine._core),
        request.algorithm,
        request.model,
        request._routing_row(machine),
    )
    return replace(request, size=core.size, schedule_of_own=Schedule._own(core, name))


def _even(numbers: NDArray[np.float64], ranks: int) -> NDArray[np.float64]:
    """Return the same, where all that moves is alike, with as much that stays: as one size says."""
    moves = numbers[~np.eye(ranks, dtype=bool).ravel()]
    if len(moves) and (moves == moves[0]).all():
        return np.full_like(numbers, moves[0])
    return numbers


def _numbers(sizes: object, ranks: int, *, pairs: bool) -> NDArray[np.float64]:
    """Return bytes by rank, or by sender and receiver."""
    if ranks > _MOST_RANKS:
        raise Unsupported(f"sizes of {ranks} ranks; name a group of at most {_MOST_RANKS} chips")
    shape = (ranks, ranks) if pairs else (ranks,)
    allowed = f"must have the shape {shape}: " + (
        "bytes from each rank (row) to each rank (column)" if pairs else "bytes of each rank"
    )
    numbers = 1 + pairs
    reckon(64 * ranks**numbers, f"size: {ranks**numbers} sizes", "name a smaller group")
    if isinstance(sizes, np.ndarray):
        if sizes.shape != shape:
            raise invalid("size", f"the shape {sizes.shape}", allowed)
        if sizes.dtype.kind not in "iuf":
            raise invalid_type("size", sizes, "must hold numbers of bytes")
        return np.ascontiguousarray(sizes, np.float64).ravel()
    rows: list[Any] = list(sizes)  # type: ignore[call-overload]
    if len(rows) != ranks or (
        pairs
        and any(not isinstance(row, list | tuple | np.ndarray) or len(row) != ranks for row in rows)
    ):
        raise invalid("size", f"{len(rows)} entries", allowed)
    if pairs:
        cells = [
            parse_bytes(cell, f"size[{at}][{to}]")
            for at, row in enumerate(rows)
            for to, cell in enumerate(row)
        ]
    else:
        cells = [parse_bytes(cell, f"size[{at}]") for at, cell in enumerate(rows)]
    return np.array(cells, np.float64)
