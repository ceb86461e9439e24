"""Which messages of a GOAL text wait for which."""

from __future__ import annotations

from collections import defaultdict
from typing import Final, NamedTuple

from rainier_fast.errors import InvalidArgument, Unsupported
from rainier_fast.formats.goal.parse import Goal, Op

_MOST_WAITS: Final = 64
_FEW: Final = 10_000


class Message(NamedTuple):
    """A send and its receive."""

    src: int
    dst: int
    nbytes: int
    after: tuple[int, ...]
    """Numbers of messages before it, which must have arrived."""
    computed: int
    """The longest computation in turn between those and it."""
    label: str


def messages(goal: Goal) -> list[Message]:
    """Return messages, each after all that it waits for.

    Raises
    ------
    InvalidArgument
        If a send has no receive, or operations wait for each other in a circle.
    """
    mates = _pairs(goal.ops)
    order = _ordered(goal.ops, mates)
    # Of each operation: messages before its start, and before its end; computation since then.
    starts: dict[int, tuple[frozenset[int], int]] = {}
    ends: dict[int, tuple[frozenset[int], int]] = {}
    numbers: dict[int, int] = {}
    made: list[Message] = []
    kept = 0
    for op in order:
        before = [ends[id(one)] for one in op.requires] + [starts[id(one)] for one in op.started]
        waits = frozenset().union(*(one[0] for one in before))
        waits = _least(waits, made)
        computed = max((one[1] for one in before), default=0)
        starts[id(op)] = waits, computed
        if op.kind == "send":
            numbers[id(op)] = len(made)
            after = tuple(sorted(waits))
            label = f"rank {op.rank} {op.label or f'line {op.line}'}"
            made.append(Message(op.rank, op.peer, op.size, after, computed, label))
            ends[id(op)] = frozenset((numbers[id(op)],)), 0
        elif op.kind == "recv":
            came = numbers[id(mates[id(op)])]
            ends[id(op)] = _least(waits | {came}, made), 0
        else:
            ends[id(op)] = waits, computed + op.size
        kept += len(ends[id(op)][0])
        if kept > _MOST_WAITS * (len(order) + _FEW):
            raise Unsupported(
                f"line {op.line}: operations wait for more than {_MOST_WAITS} messages each, which "
                "is more than is read: split the text"
            )
    return made


def _least(found: frozenset[int], made: list[Message]) -> frozenset[int]:
    """Leave out what another of them waits for anyway."""
    if len(found) < 2:
        return found
    return found - frozenset().union(*(made[one].after for one in found))


def _pairs(ops: list[Op]) -> dict[int, Op]:
    """Return each receive's send: in turn, of the same two ranks and tag."""
    sent: dict[tuple[int, int, int], list[Op]] = defaultdict(list)
    got: dict[tuple[int, int, int], list[Op]] = defaultdict(list)
    for op in ops:
        if op.kind == "send":
            sent[op.rank, op.peer, op.tag].append(op)
        elif op.kind == "recv":
            got[op.peer, op.rank, op.tag].append(op)
    mates = {}
    for key in dict.fromkeys((*sent, *got)):
        ours, theirs = sent[key], got[key]
        if len(ours) != len(theirs):
            extra = (ours if len(ours) > len(theirs) else theirs)[min(len(ours), len(theirs))]
            words = f"from rank {key[0]} to rank {key[1]} with tag {key[2]}"
            raise InvalidArgument(
                f"line {extra.line}, {extra.kind}: got {len(ours)} sends and {len(theirs)} "
                f"receives {words}, must be as many"
            )
        for one, two in zip(ours, theirs, strict=True):
            if one.size != two.size:
                raise InvalidArgument(
                    f"line {two.line}, recv: got {two.size} bytes for the {one.size} of line "
                    f"{one.line}, must be what is sent"
                )
            mates[id(two)] = one
    return mates


def _ordered(ops: list[Op], mates: dict[int, Op]) -> list[Op]:
    then: dict[int, list[Op]] = defaultdict(list)
    waiting: dict[int, int] = {}
    for op in ops:
        causes = [*op.requires, *op.started]
        if op.kind == "recv":
            causes.append(mates[id(op)])
        waiting[id(op)] = len(causes)
        for cause in causes:
            then[id(cause)].append(op)
    done = [op for op in ops if not waiting[id(op)]]
    for op in done:  # grows while it is gone over
        for other in then[id(op)]:
            waiting[id(other)] -= 1
            if not waiting[id(other)]:
                done.append(other)
    if len(done) < len(ops):
        stuck = [op for op in ops if waiting[id(op)]]
        lines = ", ".join(str(op.line) for op in stuck[:8])
        raise InvalidArgument(
            f"line {stuck[0].line}: got operations that wait for each other (lines {lines}), must "
            "not wait in a circle"
        )
    return done
