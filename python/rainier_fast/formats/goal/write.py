"""Messages as GOAL text: a send and a receive for each, and gates between their steps."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from rainier_fast.formats.goal.parse import SAID


class Sent(NamedTuple):
    """A message."""

    src: int
    dst: int
    nbytes: float
    turn: tuple[int, int, int]
    """Stage, lane and step."""
    after: Sequence[int]


def text_of(ranks: int, sends: Sequence[Sent], comments: Sequence[str]) -> str:
    """Return the text: whole bytes, a tag for each message of two ranks, labels by number.

    A rank's turns in a lane wait for each other by a gate, computation of nothing; stages too, of
    which a rank waits for its own part.
    """
    ends: list[list[tuple[int, bool]]] = [[] for _ in range(ranks)]
    for number, sent in enumerate(sends):
        ends[sent.src].append((number, True))
        ends[sent.dst].append((number, False))
    tags = _tags(sends)
    lines = [f"num_ranks {ranks}", ""]
    for rank in range(ranks):
        lines += [f"rank {rank} {{", *_rank(sends, ends[rank], tags), "}", ""]
    return "\n".join([*lines, *(f"// {one}" for one in comments), ""])


def said(words: str) -> str:
    """Return what `text_of` takes for a comment of ours."""
    return (SAID + words).removeprefix("// ")


def _tags(sends: Sequence[Sent]) -> list[int]:
    """Return a tag for each message, of two ranks each another: none is taken for another."""
    counts: dict[tuple[int, int], int] = defaultdict(int)
    tags = []
    for sent in sends:
        tags.append(counts[sent.src, sent.dst])
        counts[sent.src, sent.dst] += 1
    return tags


def _rank(sends: Sequence[Sent], ends: list[tuple[int, bool]], tags: list[int]) -> list[str]:
    lines = []
    turns: dict[tuple[int, int, int], list[str]] = defaultdict(list)
    here = {number: f"{'s' if out else 'r'}{number}" for number, out in ends}
    for number, out in ends:
        sent = sends[number]
        size = f"{math.ceil(sent.nbytes)}b"
        way = f"send {size} to {sent.dst}" if out else f"recv {size} from {sent.src}"
        lines.append(f"{here[number]}: {way} tag {tags[number]}")
        turns[sent.turn].append(here[number])
    gates = _gates(turns)
    lines += gates.lines
    for number, out in ends:
        if not out:
            continue
        gate = gates.of.get(sends[number].turn)
        waits = [gate] if gate else []
        waits += [here[other] for other in dict.fromkeys(sends[number].after) if other in here]
        lines += [f"{here[number]} requires {one}" for one in waits]
    return lines


class _Gates(NamedTuple):
    lines: list[str]
    of: dict[tuple[int, int, int], str]


def _gates(turns: dict[tuple[int, int, int], list[str]]) -> _Gates:
    """Return a gate for each turn but the first of its lane in the first stage."""
    lines: list[str] = []
    of: dict[tuple[int, int, int], str] = {}
    ordered = sorted(turns)
    earlier: list[str] = []
    now: list[str] = []
    before: tuple[int, int, int] | None = None
    for turn in ordered:
        if before is not None and before[0] != turn[0]:
            earlier, now = now, []
        same = before is not None and before[:2] == turn[:2]
        waits = list(earlier)
        if same and before is not None:
            waits = turns[before] + ([of[before]] if before in of else [])
        if waits:
            of[turn] = f"g{turn[0]}_{turn[1]}_{turn[2]}"
            lines.append(f"{of[turn]}: calc 0")
            lines += [f"{of[turn]} requires {one}" for one in waits]
        now += turns[turn]
        before = turn
    return _Gates(lines, of)
