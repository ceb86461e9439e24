"""In which order the messages of a schedule can be sent and taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from rainier_fast.ask.messages import Send

Event = tuple[bool, int]
"""Whether a message is taken, else sent; its number."""


def events(sends: Sequence[Send]) -> list[Event]:
    """Return when each message is sent and taken: what is sent in a step was there before it.

    The schedule must have no circle, as `Schedule.verify` proves.
    """
    if not any(send.after for send in sends):
        keys = [(send.stage, send.step) for send in sends]
        found = [(*key, taken, at) for at, key in enumerate(keys) for taken in (False, True)]
        return [(taken, at) for *_, taken, at in sorted(found)]
    levels = _levels(sends)
    count = len(sends)
    order = sorted((levels[node], node >= count, node % count) for node in range(2 * count))
    return [(taken, at) for _, taken, at in order]


def _levels(sends: Sequence[Send]) -> list[int]:
    """Return the longest way to each node: sends, then receipts, then what they wait at."""
    targets, waiting = _graph(sends)
    level = [0] * len(waiting)
    ready = [node for node, left in enumerate(waiting) if not left]
    while ready:
        node = ready.pop()
        for other, late in targets[node]:
            level[other] = max(level[other], level[node] + late)
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    return level


def _graph(sends: Sequence[Send]) -> tuple[dict[int, list[tuple[int, int]]], list[int]]:
    """Return what waits for each node, and for how many each waits.

    As the core has it: a turn of a rank in its lane opens when the turn before is done, the first
    turn of a stage when all of the stage before has arrived.
    """
    count = len(sends)
    turns: dict[tuple[int, int, int, int], list[int]] = defaultdict(list)
    for at, send in enumerate(sends):
        turns[send.stage, send.lane, send.src, send.step].append(at)
        turns[send.stage, send.lane, send.dst, send.step].append(count + at)
    stages = sorted({send.stage for send in sends})
    gates = {key: 2 * count + at for at, key in enumerate(sorted(turns))}
    starts = {stage: 2 * count + len(gates) + at for at, stage in enumerate(stages)}
    following = dict(pairwise(stages))
    targets: dict[int, list[tuple[int, int]]] = defaultdict(list)
    waiting = [0] * (2 * count + len(gates) + len(starts))

    def edge(one: int, other: int, late: int) -> None:
        targets[one].append((other, late))
        waiting[other] += 1

    before: tuple[int, int, int, int] | None = None
    for key, gate in gates.items():
        edge(starts[key[0]], gate, 0)
        if before is not None and before[:3] == key[:3]:
            edge(gates[before], gate, 1)
            for end in turns[before]:
                edge(end, gate, 1)
        for end in turns[key]:
            edge(gate, end, 0)
        before = key
    for at, send in enumerate(sends):
        edge(at, count + at, 0)
        if send.stage in following:
            edge(count + at, starts[following[send.stage]], 1)
        for other in send.after:
            edge(count + other, at, 1)
    return targets, waiting
