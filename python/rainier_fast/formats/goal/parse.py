"""GOAL text to rows, as txt2bin of LogGOPSim reads it: a line for each thing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from rainier_fast.errors import InvalidArgument, Unsupported, shown
from rainier_fast.memory import reckon

SAID: Final = "// rainier_fast "
_NUMBER: Final = r"[0-9]{1,18}"
_OP: Final = re.compile(
    r"(?:(?P<label>[A-Za-z]\w*)[ \t]*:[ \t]*)?"
    rf"(?:calc[ \t]+(?P<calc>{_NUMBER})"
    rf"|(?P<kind>send|recv)[ \t]+(?P<size>{_NUMBER})[ \t]*b[ \t]+(?P<way>to|from)"
    rf"[ \t]+(?P<peer>-1|{_NUMBER})(?:[ \t]+tag[ \t]+(?P<tag>-1|{_NUMBER}))?)"
    rf"(?:[ \t]+cpu[ \t]+(?P<cpu>{_NUMBER}))?(?:[ \t]+nic[ \t]+(?P<nic>{_NUMBER}))?\Z"
)
_WAIT: Final = re.compile(r"([A-Za-z]\w*)[ \t]+(i?requires)[ \t]+([A-Za-z]\w*)\Z")
_RANK: Final = re.compile(rf"rank[ \t]+({_NUMBER})[ \t]*\{{")
_RANKS: Final = re.compile(rf"num_ranks[ \t]+({_NUMBER})\Z")
_COMMENT: Final = re.compile(r"//|/\*")
_ROW_BYTES: Final = 60
"""What a byte of text takes as rows, at most: the least line has some 10 bytes."""
_SHOWN: Final = 80


@dataclass(slots=True)
class Op:
    """A send, a receive or computation."""

    rank: int
    kind: str
    """``send``, ``recv`` or ``calc``."""
    size: int
    """Bytes, or what is computed, in units of the simulator (LogGOPSim: ns)."""
    peer: int = -1
    tag: int = 0
    label: str = ""
    line: int = 0
    requires: list[Op] = field(default_factory=list)
    """Done before it starts."""
    started: list[Op] = field(default_factory=list)
    """Started before it starts."""


@dataclass(slots=True)
class Goal:
    """A whole text."""

    ranks: int
    ops: list[Op]
    said: str | None = None
    """What a comment of ours says of it."""


def parse(text: str) -> Goal:
    """Read a text.

    Raises
    ------
    InvalidArgument
        Where it is no GOAL; it names the line.
    Unsupported
        If a receive takes from any rank, or with any tag.
    """
    reckon(_ROW_BYTES * len(text), f"rows of {len(text):,} bytes of GOAL", "read a smaller file")
    return _Reader().read(text)


class _Reader:
    def __init__(self) -> None:
        self.ranks: int | None = None
        self.rank: int | None = None
        self.begun = 0
        self.seen: set[int] = set()
        self.ops: list[Op] = []
        self.labels: dict[str, Op] = {}
        self.waits: list[tuple[int, str, str, str]] = []

    def read(self, text: str) -> Goal:
        said = None
        number = 0
        for number, line in _lines(text):
            if line.startswith(SAID):
                said = line.removeprefix(SAID)
            elif line:
                self._line(number, line)
        if self.ranks is None:
            raise InvalidArgument(f"line {number}: got no num_ranks, must have it")
        if self.rank is not None:
            raise _fault(number, "the end", f"in rank {self.rank}, begun in line {self.begun}",
                         "must close it with }")  # fmt: skip
        if len(self.seen) < self.ranks:
            least = next(rank for rank in range(self.ranks) if rank not in self.seen)
            raise _fault(number, "rank", f"none of number {least}", f"must have all {self.ranks}")
        self._check_ends()
        return Goal(self.ranks, self.ops, said)

    def _line(self, number: int, line: str) -> None:
        while line:
            if self.rank is None:
                line = self._outside(number, line)
            elif line == "}":
                self._close()
                line = ""
            else:
                self._inside(number, line)
                line = ""

    def _outside(self, number: int, line: str) -> str:
        if (found := _RANKS.match(line)) is not None and self.ranks is None:
            self.ranks = int(found[1])
            if self.ranks < 1:
                raise _fault(number, "num_ranks", self.ranks, "must be at least 1")
            return ""
        found = _RANK.match(line)
        if found is None:
            raise _fault(number, "line", _cut(line), "must be num_ranks N, once, or rank N {")
        if self.ranks is None:
            raise _fault(number, "rank", "one before num_ranks", "must come after it")
        self.rank, self.begun = int(found[1]), number
        if self.rank >= self.ranks or self.rank in self.seen:
            allowed = f"must be a new one below {self.ranks}"
            raise _fault(number, "rank", self.rank, allowed)
        self.seen.add(self.rank)
        return line[found.end() :].strip()

    def _inside(self, number: int, line: str) -> None:
        assert self.rank is not None, "the caller looks"
        if (found := _WAIT.match(line)) is not None:
            self.waits.append((number, found[1], found[2], found[3]))
            return
        match = _OP.match(line)
        if match is None or (match["kind"], match["way"]) not in _WAYS:
            allowed = (
                'must be such as "l1: send 8b to 1 tag 0", "l2: recv 8b from 1 tag 0", '
                '"l3: calc 5", "l3 requires l2" or "}"'
            )
            raise _fault(number, "line", _cut(line), allowed)
        if match["peer"] == "-1" or match["tag"] == "-1":
            raise Unsupported(
                f"line {number}: takes from any rank or with any tag (-1); which message that is "
                "only a run tells: write the rank and the tag"
            )
        label = match["label"] or ""
        if match["calc"] is not None:
            op = Op(self.rank, "calc", int(match["calc"]), label=label, line=number)
        else:
            ends = int(match["peer"]), int(match["tag"] or 0)
            op = Op(self.rank, match["kind"], int(match["size"]), *ends, label, number)
        if label:
            if label in self.labels:
                raise _fault(number, "label", label, "must be new in its rank")
            self.labels[label] = op
        self.ops.append(op)

    def _close(self) -> None:
        for number, one, kind, other in self.waits:
            for label in (one, other):
                if label not in self.labels:
                    raise _fault(number, "label", label, f"must be one of rank {self.rank}")
            op = self.labels[one]
            (op.requires if kind == "requires" else op.started).append(self.labels[other])
        self.waits, self.labels, self.rank = [], {}, None

    def _check_ends(self) -> None:
        for op in self.ops:
            if op.kind != "calc" and (op.peer >= (self.ranks or 0) or op.peer == op.rank):
                allowed = f"must be another rank below {self.ranks}"
                raise _fault(op.line, "rank", op.peer, allowed)


_WAYS: Final = ((None, None), ("send", "to"), ("recv", "from"))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Return lines with their numbers, without comments but those of ours."""
    within = 0
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip(" \t\r")
        if within:
            _, end, line = line.partition("*/")
            within = 0 if end else within
            line = line.strip()
        if line.startswith(SAID):
            yield number, line
            continue
        if "/" in line and not within:
            line, within = _uncommented(line, number)
        yield number, "" if within and not line else line
    if within:
        raise _fault(within, "comment", "no end of it", "must end with */")


def _uncommented(line: str, number: int) -> tuple[str, int]:
    """Return a line without its comments, and its number where the last of them goes on."""
    kept: list[str] = []
    at = 0
    while (found := _COMMENT.search(line, at)) is not None:
        kept.append(line[at : found.start()])
        if found[0] == "//":
            return "".join(kept).strip(), 0
        end = line.find("*/", found.end())
        if end < 0:
            return "".join(kept).strip(), number
        at = end + 2
    return "".join([*kept, line[at:]]).strip(), 0


def _cut(line: str) -> str:
    return shown(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}...")


def _fault(line: int, what: str, got: object, allowed: str) -> InvalidArgument:
    words = got if isinstance(got, str) else shown(got)
    return InvalidArgument(f"line {line}, {what}: got {words}, {allowed}")
