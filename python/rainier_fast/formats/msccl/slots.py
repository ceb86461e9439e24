"""Messages of an algorithm as sends of a `Schedule`, which has one place for a block at each rank.

What arrives in a scratch buffer and is added later is added where it arrives; what a rank sends
meanwhile must be what it had before. That is so where the send is over by then, or where both are
in one step of a lane: what leaves in a step is what was there before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from rainier_fast.errors import Unsupported
from rainier_fast.formats.msccl.rows import Message

Value = tuple[int, int]
"""A block of the data, and the ranks whose part it has as bits."""
First = Callable[[int, int], int]
"""The ranks whose part of a block a rank has at first."""

_TWICE: Final = (
    "a rank keeps two sums of the same chunk at once, for which a Schedule has no room; the "
    "program is right, and has no price here"
)
_MOST_PAIRS: Final = 5_000_000
_MOST_ROUNDS: Final = 1000


class Carried(NamedTuple):
    """A message and what it carries."""

    src: int
    dst: int
    values: Sequence[Value]
    line: int


class _Sets:
    """Numbers of messages in sets that are joined."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))
        self.joined: set[int] = set()

    def of(self, number: int) -> int:
        parent = self._parent
        while parent[number] != number:
            parent[number] = number = parent[parent[number]]
        return number

    def join(self, one: int, two: int) -> None:
        first, second = self.of(one), self.of(two)
        self._parent[max(first, second)] = min(first, second)
        self.joined |= {one, two}


def as_messages(
    rows: Sequence[Carried], after: Sequence[tuple[int, ...]], first: First
) -> list[Message]:
    """Return the sends: each by itself after others, or, where that cannot be said, step by step.

    Raises
    ------
    Unsupported
        If a rank keeps two sums of one block at once.
    """
    levels = _levels(after, {})
    try:
        flags, lanes = _in_slots(rows, levels, first)
    except Unsupported:
        lanes = _Sets(len(rows))
        flags = []
    if flags and not any(after[one] for one in lanes.joined):
        return [
            Message(row.src, row.dst, _blocks(row), flags[at], lanes.of(at), 0, after[at])
            for at, row in enumerate(rows)
        ]
    return _stepped(rows, after, first)


def _blocks(row: Carried) -> tuple[int, ...]:
    return tuple(block for block, _ in row.values)


def _stepped(
    rows: Sequence[Carried], after: Sequence[tuple[int, ...]], first: First
) -> list[Message]:
    """Give messages that trade a block, and those before and after them, steps in one lane."""
    late = _later(rows)
    levels = _levels(after, late)
    flags, _ = _in_slots(rows, levels, first)
    parts = _Sets(len(rows))
    for number, waits in enumerate(after):
        for other in (*waits, *late.get(number, ())):
            parts.join(number, other)
    stepped = {parts.of(one) for one in late}
    made = []
    for at, row in enumerate(rows):
        lane = parts.of(at)
        place = (lane, levels[at], ()) if lane in stepped else (at, 0, after[at])
        made.append(Message(row.src, row.dst, _blocks(row), flags[at], *place))
    return made


def _later(rows: Sequence[Carried]) -> dict[int, set[int]]:
    """Return, by message, those that its receiver sends without it: they are no later than it."""
    sent: dict[Value, list[tuple[int, int]]] = defaultdict(list)
    for number, row in enumerate(rows):
        for block, ranks in row.values:
            sent[row.src, block].append((number, ranks))
    found: dict[int, set[int]] = defaultdict(set)
    pairs = 0
    for number, row in enumerate(rows):
        for block, ranks in row.values:
            others = sent.get((row.dst, block), ())
            pairs += len(others)
            if pairs > _MOST_PAIRS:
                raise Unsupported(f"line {row.line}: {_TWICE}")
            found[number].update(other for other, had in others if ranks & ~had)
    return {number: others for number, others in found.items() if others}


def _levels(after: Sequence[tuple[int, ...]], late: dict[int, set[int]]) -> list[int]:
    """Return steps: after those it waits for, which stand before it, and no sooner than `late`."""
    level = [0] * len(after)
    for _ in range(_MOST_ROUNDS):
        changed = False
        for number, waits in enumerate(after):
            least = 1 + max((level[one] for one in waits), default=-1)
            least = max(least, *(level[one] for one in late.get(number, ())), 0)
            if level[number] < least:
                level[number] = least
                changed = True
        if not changed:
            return level
        if not late:
            return level  # one pass is enough
    raise Unsupported(f"the program: {_TWICE}")


def _in_slots(
    rows: Sequence[Carried], levels: Sequence[int], first: First
) -> tuple[list[bool], _Sets]:
    """Return which messages are added where they arrive, and which must share a lane.

    Raises
    ------
    Unsupported
        If what is sent is not what is at its rank then.
    """
    slots: dict[tuple[int, int], int] = {}
    flags = [False] * len(rows)
    lanes = _Sets(len(rows))
    by_level: dict[int, list[int]] = defaultdict(list)
    for number, level in enumerate(levels):
        by_level[level].append(number)
    for level in sorted(by_level):
        readers: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number in by_level[level]:
            row = rows[number]
            for block, ranks in row.values:
                if slots.get((row.src, block), first(row.src, block)) != ranks:
                    raise Unsupported(f"line {row.line}, chunk {block}: {_TWICE}")
                readers[row.src, block].append(number)
        for number in by_level[level]:
            flags[number] = _arrive(rows[number], slots, first)
            for block, _ in rows[number].values:
                for other in readers.get((rows[number].dst, block), ()):
                    lanes.join(other, number)
    return flags, lanes


def _arrive(row: Carried, slots: dict[tuple[int, int], int], first: First) -> bool:
    kinds = set()
    for block, ranks in row.values:
        here = slots.get((row.dst, block), first(row.dst, block))
        adds = bool(here) and here & ranks != here
        if adds and here & ranks:
            raise Unsupported(f"line {row.line}, chunk {block}: {_TWICE}")
        kinds.add(adds)
        slots[row.dst, block] = here | ranks if adds else ranks
    if len(kinds) > 1:
        raise Unsupported(f"line {row.line}: {_TWICE}")
    return kinds.pop()
