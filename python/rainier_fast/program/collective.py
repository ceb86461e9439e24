"""One collective of a program: what is known of it, and what is not."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Final

from rainier_fast.errors import invalid, invalid_type, unknown
from rainier_fast.program.groups import ProgramGroups
from rainier_fast.program.words import of_bytes, of_groups

OPERATIONS: Final = (
    "all_reduce", "all_gather", "reduce_scatter", "all_to_all", "broadcast", "reduce", "gather",
    "scatter", "barrier", "collective_permute", "send", "recv", "ragged_all_to_all",
)  # fmt: skip
"""What a program's collectives may be."""

_KNOWN: Final = frozenset(OPERATIONS)
_MOST: Final = 2**63 - 1
_GREATEST: Final = sys.float_info.max
_COUNTS: Final = ("bytes_in", "bytes_out", "count", "root", "peer", "waited_by")
_NUMBERS: Final = ("start_s", "duration_s", "after_flops", "after_bytes")
_TEXTS: Final = ("dtype", "phase", "original", "role")


@dataclass(frozen=True, slots=True)
class ProgramCollective:
    """One collective as its source has it; None is what the source does not say.

    Attributes
    ----------
    name
        As the source names it.
    op
        ``all_reduce``, ``all_gather``, ``reduce_scatter``, ``all_to_all``, ``broadcast``,
        ``reduce``, ``gather``, ``scatter``, ``barrier``, ``collective_permute``, ``send``,
        ``recv`` or ``ragged_all_to_all``.
    bytes_in, bytes_out
        Bytes that one rank puts in and gets out.
    dtype
        Type of the numbers, such as ``"bf16"``; one that has no name here as it is written.
    groups
        Who takes part, as far as that is known.
    count
        How often it runs in the program; None in a loop without a trip count.
    start_s, duration_s
        Seconds, of measured traces only; starts count from the first collective of the trace.
    in_splits, out_splits
        Bytes for each peer, where these are uneven.
    root, peer
        The rank, within its group, that a broadcast, reduction, gather or scatter comes from or
        goes to, and that a send or recv has on its other side.
    phase
        ``"fwd"``, ``"bwd"``, ``"optimizer"`` or what else the source calls it.
    after_flops, after_bytes
        Computation between the collective before and this one: FLOP, and bytes of memory.
    asynchronous
        Whether it starts at one place and is waited for at another.
    waited_by
        Place, among the program's collectives, of the one before which it must be done.
    original
        What the source calls the operation, such as ``"all-gather-start"``.
    notes
        What is not known, and what would tell.
    role
        What it moves, where that is known: ``"weights"`` or ``"gradients"`` of replicas,
        ``"tensor"`` for rows between ranks that share matrices, ``"context"`` for keys and values.

    Raises
    ------
    InvalidArgument, InvalidType
        If the operation is none of those, or a number is negative or not a number.

    Examples
    --------
    >>> from rainier_fast import ProgramCollective, ProgramGroups
    >>> groups = ProgramGroups.own(start=0, stride=8, size=8)
    >>> one = ProgramCollective("ag.1", "all_gather", 1024, 8192, "bf16", groups)
    >>> print(one)
    all_gather of 1.00 KiB to 8.00 KiB bf16 over 8 ranks (0, 8, ... 56)
    """

    name: str
    op: str
    bytes_in: int | None = None
    bytes_out: int | None = None
    dtype: str | None = None
    groups: ProgramGroups | None = None
    count: int | None = 1
    start_s: float | None = None
    duration_s: float | None = None
    in_splits: tuple[int, ...] | None = None
    out_splits: tuple[int, ...] | None = None
    root: int | None = None
    peer: int | None = None
    phase: str | None = None
    after_flops: float | None = None
    after_bytes: float | None = None
    asynchronous: bool | None = None
    waited_by: int | None = None
    original: str | None = None
    notes: tuple[str, ...] = ()
    role: str | None = None

    def __post_init__(self) -> None:
        if type(self.name) is not str:
            raise invalid_type("name", self.name, "must be text")
        if type(self.op) is not str or self.op not in _KNOWN:
            raise unknown("op", self.op, OPERATIONS)
        for name in _COUNTS:
            _check_count(name, getattr(self, name))
        for name in _NUMBERS:
            _check_number(name, getattr(self, name))
        for name in _TEXTS:
            if (text := getattr(self, name)) is not None and type(text) is not str:
                raise invalid_type(name, text, "must be text or None")
        for name in ("in_splits", "out_splits"):
            if (splits := getattr(self, name)) is not None:
                _check_splits(name, splits)
        if self.groups is not None and not isinstance(self.groups, ProgramGroups):
            raise invalid_type("groups", self.groups, "must be ProgramGroups or None")
        if self.asynchronous is not None and type(self.asynchronous) is not bool:
            raise invalid_type("asynchronous", self.asynchronous, "must be True, False or None")
        if type(self.notes) is not tuple or any(type(note) is not str for note in self.notes):
            raise invalid_type("notes", self.notes, "must be a tuple of text")

    @property
    def pairs(self) -> list[tuple[int, int]] | None:
        """Return source and target of each message of a permute; None of any other, or unknown.

        Examples
        --------
        >>> ring = ProgramGroups.pairs([(0, 1), (1, 0)])
        >>> ProgramCollective("cp", "collective_permute", 8, 8, "bf16", ring).pairs
        [(0, 1), (1, 0)]
        """
        if self.groups is None or self.groups.kind != "pairs":
            return None
        return self.groups.to_pairs()

    def __str__(self) -> str:
        parts = [self.op]
        if self.op != "barrier":
            parts += [of_bytes(self.bytes_in, self.bytes_out), self.dtype or "of unknown type"]
        parts.append(of_groups(self.groups))
        parts += [
            f"{name} {rank}"
            for name, rank in (("root", self.root), ("peer", self.peer))
            if rank is not None
        ]
        if self.count != 1:
            parts.append("in a loop of unknown length" if self.count is None else f"x {self.count}")
        return " ".join(parts)


def _check_count(name: str, value: Any) -> None:  # noqa: ANN401 - anything may be given
    if value is None:
        return
    if type(value) is not int:
        raise invalid_type(name, value, "must be an integer or None")
    if not 0 <= value <= _MOST:
        raise invalid(name, value, "must be 0 to 2**63 - 1, or None")


def _check_number(name: str, value: Any) -> None:  # noqa: ANN401 - anything may be given
    if value is None:
        return
    if type(value) not in (int, float):
        raise invalid_type(name, value, "must be a number or None")
    if not 0 <= value <= _GREATEST:
        raise invalid(name, value, "must be a finite number >= 0, or None")


def _check_splits(name: str, splits: Any) -> None:  # noqa: ANN401 - anything may be given
    if type(splits) is not tuple:
        raise invalid_type(name, splits, "must be a tuple of bytes for each peer, or None")
    for at, value in enumerate(splits):
        if value is None:
            raise invalid_type(f"{name}[{at}]", value, "must be an integer")
        _check_count(f"{name}[{at}]", value)
