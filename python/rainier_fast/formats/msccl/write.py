"""Schedules as XML of MSCCL: thread blocks, steps, and what they wait for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from xml.sax.saxutils import quoteattr

from rainier_fast.errors import Unsupported
from rainier_fast.formats.msccl.layout import Layout, Place
from rainier_fast.formats.msccl.rows import (
    MOST_BLOCKS,
    MOST_CHANNELS,
    MOST_COUNT,
    MOST_STEPS,
)


class Sent(NamedTuple):
    """A message."""

    src: int
    dst: int
    blocks: Sequence[int]
    reduce: bool
    turn: tuple[int, int, int]
    """Stage, lane and step."""
    after: Sequence[int]


_Piece = tuple[Place, Place, int]
_NOBODY: Final = -1
_MOST_NAME: Final = 63
_FENCE: Final = "-"


@dataclass(slots=True, eq=False)
class _Op:
    """One end of a message, or copies: some steps in a row."""

    block: _Block
    at: int
    """Its place in the thread block."""
    kind: str
    pieces: list[_Piece] = field(default_factory=list)
    breaks: set[int] = field(default_factory=set)
    """Pieces that do not go on where the one before ends, at this end or the other."""
    needs: list[_Op] = field(default_factory=list)
    wanted: bool = False
    last: int = 0
    """Number of its last step."""


@dataclass(slots=True, eq=False)
class _Block:
    """A thread block."""

    send: int
    recv: int
    channel: int
    number: int
    ops: list[_Op] = field(default_factory=list)
    known: dict[int, int] = field(default_factory=dict)
    """Of other thread blocks: the last place in them that it has waited for."""

    def op(self, kind: str) -> _Op:
        """Add one."""
        self.ops.append(_Op(self, len(self.ops), kind))
        return self.ops[-1]


class Writer:
    """Puts messages into thread blocks, in an order in which all of them can run."""

    def __init__(self, layout: Layout, sends: Sequence[Sent]) -> None:
        self.layout, self.sends = layout, sends
        self.blocks: list[list[_Block]] = [[] for _ in range(layout.ranks)]
        self._writer: dict[tuple[int, Place], _Op] = {}
        self._readers: dict[tuple[int, Place], list[_Op]] = defaultdict(list)
        self._sent: dict[int, _Op] = {}
        self._by_peer: dict[tuple[int, str, int, int], _Block] = {}
        self._turns = _Turns()
        self._ends: dict[tuple[int, int], _Op] = {}
        """By message and rank."""

    def write(self, events: Sequence[tuple[bool, int]]) -> None:
        """Make the steps of all messages: each is sent, then taken, in the order of `events`."""
        channels = _channels(self.sends, events)
        for arrives, number in events:
            (self._receive if arrives else self._send)(number, channels[number])
        for rank in range(self.layout.ranks):
            self._finish(rank)

    def _block(self, rank: int, end: str, peer: int, channel: int) -> _Block:
        key = rank, end, peer, channel
        if key not in self._by_peer:
            peers = (peer, _NOBODY) if end == "send" else (_NOBODY, peer)
            self._by_peer[key] = _Block(*peers, channel, len(self.blocks[rank]))
            self.blocks[rank].append(self._by_peer[key])
        return self._by_peer[key]

    def _send(self, number: int, channel: int) -> None:
        sent = self.sends[number]
        src, dst = sent.src, sent.dst
        op = self._sent[number] = self._block(src, "send", dst, channel).op("s")
        for other in self._turns.before(src, sent.turn):
            _wait(op, other)
        for earlier in sent.after:
            if (end := self._ends.get((earlier, src))) is not None:
                _wait(op, end)
        self._note(number, src, op)
        for block in sent.blocks:
            place = self.layout.now(src, block)
            if place is None:
                raise _nothing(number, src, block, "sends")
            op.pieces.append((place, self.layout.home(dst, block), self.layout.blocks[block][2]))
            self._reads(src, op, place)

    def _receive(self, number: int, channel: int) -> None:
        sent, dst = self.sends[number], self.sends[number].dst
        op = self._block(dst, "recv", sent.src, channel).op("rrc" if sent.reduce else "r")
        self._note(number, dst, op)
        mate = self._sent.pop(number)
        op.breaks = mate.breaks
        after: tuple[Place, Place] | None = None
        pieces = zip(sent.blocks, mate.pieces, strict=True)
        for at, (block, (there, home, count)) in enumerate(pieces):
            here = self.layout.now(dst, block) if sent.reduce else there
            if here is None:
                raise _nothing(number, dst, block, "adds to")
            op.pieces.append((here, home, count))
            if (there, here) != after:
                op.breaks.add(at)
            after = (there[0], there[1] + count), (here[0], here[1] + count)
            if sent.reduce:
                self._reads(dst, op, here)
            self._writes(dst, op, home)
            self.layout.settle(dst, block)

    def _note(self, number: int, rank: int, op: _Op) -> None:
        self._ends[number, rank] = op
        self._turns.note(rank, self.sends[number].turn, op)

    def _finish(self, rank: int) -> None:
        """Copy what is not yet where it must be."""
        copies: _Op | None = None
        for block, (_, _, count) in enumerate(self.layout.blocks):
            last, now = self.layout.last(rank, block), self.layout.now(rank, block)
            if last is None or now is None or last == now:
                continue
            copies = copies or self._block(rank, "copy", _NOBODY, 0).op("cpy")
            copies.pieces.append((now, last, count))
            self._reads(rank, copies, now)
            self._writes(rank, copies, last)

    def _reads(self, rank: int, op: _Op, place: Place) -> None:
        writer = self._writer.get((rank, place))
        if writer is not None:
            _wait(op, writer)
        self._readers[rank, place].append(op)

    def _writes(self, rank: int, op: _Op, place: Place) -> None:
        writer = self._writer.get((rank, place))
        for other in (*self._readers.pop((rank, place), ()), *([writer] if writer else [])):
            _wait(op, other)
        self._writer[rank, place] = op


class _Turns:
    """What each rank does step by step in its lanes, and stage by stage."""

    def __init__(self) -> None:
        self._steps: dict[tuple[int, int, int], list[tuple[int, dict[int, _Op]]]] = {}
        self._stages: dict[int, list[tuple[int, dict[int, _Op]]]] = {}

    def note(self, rank: int, turn: tuple[int, int, int], op: _Op) -> None:
        """Keep an operation as the last of its thread block in its step."""
        stage, lane, step = turn
        _keep(self._steps.setdefault((rank, stage, lane), []), step, op)
        _keep(self._stages.setdefault(rank, []), stage, op)

    def before(self, rank: int, turn: tuple[int, int, int]) -> list[_Op]:
        """Return what a rank must have done before it sends in a turn."""
        stage, lane, step = turn
        steps = self._steps.get((rank, stage, lane), [])
        found = _before(steps, step) or _before(self._stages.get(rank, []), stage)
        return list(found.values())


def _keep(rows: list[tuple[int, dict[int, _Op]]], key: int, op: _Op) -> None:
    if not rows or rows[-1][0] < key:
        rows.append((key, {}))
        del rows[:-2]
    rows[-1][1][op.block.number] = op


def _before(rows: list[tuple[int, dict[int, _Op]]], key: int) -> dict[int, _Op]:
    return next((ops for at, ops in reversed(rows) if at < key), {})


def _nothing(number: int, rank: int, block: int, does: str) -> Unsupported:
    return Unsupported(
        f"send {number} in MSCCL's XML: rank {rank} {does} block {block}, of which it has nothing "
        "yet; the schedule counts that as zeros, MSCCL has no buffer of zeros: save it as JSON"
    )


def _wait(op: _Op, other: _Op) -> None:
    """Have `op` wait for `other`, unless its thread block has done so already."""
    theirs = other.block
    if theirs is op.block or op.block.known.get(theirs.number, -1) >= other.at:
        return
    op.block.known[theirs.number] = other.at
    op.needs = [one for one in op.needs if one.block is not theirs] + [other]
    other.wanted = True


def _channels(sends: Sequence[Sent], events: Sequence[tuple[bool, int]]) -> list[int]:
    """Give each message a channel: of two ranks and a channel, what is sent first comes first."""
    arrivals = {number: at for at, (arrives, number) in enumerate(events) if arrives}
    lanes = {lane: at for at, lane in enumerate(sorted({send.turn[1] for send in sends}))}
    if len(lanes) > MOST_CHANNELS:
        lanes = dict.fromkeys(lanes, 0)
    newest: dict[tuple[int, int, int, int], int] = {}
    kinds: list[tuple[int, int]] = [(0, 0)] * len(sends)
    for arrives, number in events:
        if arrives:
            continue
        src, dst, lane = sends[number].src, sends[number].dst, sends[number].turn[1]
        extra = 0
        while newest.get((src, dst, lanes[lane], extra), -1) > arrivals[number]:
            extra += 1
        newest[src, dst, lanes[lane], extra] = arrivals[number]
        kinds[number] = (extra, lanes[lane])
    known = {kind: at for at, kind in enumerate(sorted(set(kinds)))}
    return [known[kind] for kind in kinds]


def text_of(writer: Writer, name: str, root: int | None, comments: Sequence[str]) -> str:
    """Return the whole file: no prolog, which MSCCL's own parser does not take."""
    layout = writer.layout
    in_place = int(layout.buffer is not None)
    gpus: list[str] = []
    most = 0
    for rank, blocks in enumerate(writer.blocks):
        inputs, outputs, scratch = layout.counts(rank)
        gpus.append(
            f'  <gpu id="{rank}" i_chunks="{inputs}" o_chunks="{outputs}" s_chunks="{scratch}">'
        )
        _number(blocks)
        for block in blocks:
            gpus.append(
                f'    <tb id="{block.number}" send="{block.send}" recv="{block.recv}" '
                f'chan="{block.channel}">'
            )
            gpus += _steps(block)
            gpus.append("    </tb>")
            most = max(most, block.ops[-1].last + 1)
        gpus.append("  </gpu>")
    channels = max((block.channel + 1 for rank in writer.blocks for block in rank), default=1)
    whose = "" if root is None else f' root="{root}"'
    head = (
        f'<algo name={quoteattr(name[:_MOST_NAME])} proto="Simple" nchannels="{channels}" '
        f'nchunksperloop="{max(layout.chunks, 1)}" ngpus="{layout.ranks}" coll="{layout.name}" '
        f'inplace="{in_place}" outofplace="{1 - in_place}"{whose}>'
    )
    blocks_most = max(map(len, writer.blocks))
    over = [
        f"{count} {what} (at most {limit})"
        for what, count, limit in (
            ("steps in a thread block", most, MOST_STEPS),
            ("thread blocks on a GPU", blocks_most, MOST_BLOCKS),
            ("channels", channels, MOST_CHANNELS),
        )
        if count > limit
    ]
    if over:
        comments = [f"More than MSCCL 0.7.4 runs: {', '.join(over)}", *comments]
    said = [f"<!-- {_commented(one)} -->" for one in comments]
    return "\n".join([head, *gpus, *said, "</algo>", ""])


def _commented(words: str) -> str:
    """Return words that may stand in a comment: JSON, in which no two dashes follow each other."""
    return words.replace(_FENCE * 2, "-\\u002d").replace(_FENCE * 2, "-\\u002d")


def _number(blocks: Sequence[_Block]) -> None:
    for block in blocks:
        at = -1
        for op in block.ops:
            at += max(len(op.needs) - 1, 0) + sum(1 for _ in _runs(op))
            op.last = at


def _steps(block: _Block) -> Iterator[str]:
    at = 0
    for op in block.ops:
        need: _Op | None = None
        for need in op.needs[:-1]:
            yield _step(at, "nop", (("i", -1), ("o", -1), 0), need, wanted=False)
            at += 1
        need = op.needs[-1] if op.needs else None
        for piece in _runs(op):
            yield _step(at, op.kind, piece, need, wanted=op.wanted and at == op.last)
            at += 1
            need = None


def _runs(op: _Op) -> Iterator[_Piece]:
    """Join pieces that lie behind each other at both ends, and cut those that are too long."""
    run: _Piece | None = None
    for at, (src, dst, count) in enumerate(op.pieces):
        if run is not None and at not in op.breaks and src == _end(run, 0) and dst == _end(run, 1):
            run = run[0], run[1], run[2] + count
            continue
        if run is not None:
            yield from _cut(run)
        run = src, dst, count
    if run is not None:
        yield from _cut(run)


def _end(run: _Piece, end: int) -> Place:
    """Return where a run ends, at one of its ends."""
    place = run[1] if end else run[0]
    return place[0], place[1] + run[2]


def _cut(piece: _Piece) -> Iterator[_Piece]:
    (source, first), (target, second), count = piece
    for start in range(0, count, MOST_COUNT):
        some = min(MOST_COUNT, count - start)
        yield (source, first + start), (target, second + start), some


def _step(at: int, kind: str, piece: _Piece, need: _Op | None, *, wanted: bool) -> str:
    (source, first), (target, second), count = piece
    needed = (-1, -1) if need is None else (need.block.number, need.last)
    return (
        f'      <step s="{at}" type="{kind}" srcbuf="{source}" srcoff="{first}" '
        f'dstbuf="{target}" dstoff="{second}" cnt="{count}" depid="{needed[0]}" '
        f'deps="{needed[1]}" hasdep="{int(wanted)}"/>'
    )
