"""Schedules as Chakra traces: a file for each rank, and the same schedule back."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, Final

from rainier_fast import _core
from rainier_fast.ask import schedule_file
from rainier_fast.ask.messages import Block, Send
from rainier_fast.ask.schedule import Schedule
from rainier_fast.astra_sim.files import content, write_all
from rainier_fast.astra_sim.traces import VERSION
from rainier_fast.errors import InvalidArgument, invalid_type
from rainier_fast.files import kinds
from rainier_fast.files.kept import as_path
from rainier_fast.memory import reckon

_DOUBLE: Final = 3
_DOUBLES: Final = 4
_INT64: Final = 9
_INT64S: Final = 10
_BOOL: Final = 27
_TEXT: Final = 29
_MOST: Final = 2**31
_NODE_BYTES: Final = 2000
_NONE: Final = -1
_ASKED: Final = ("algorithm", "question", "machine", "shift")
"""What of a schedule no node has: by it, what an algorithm made runs as the algorithm does."""
_Attribute = tuple[str, str, int, Any]


def save_schedule(schedule: Schedule, name: str | os.PathLike[str]) -> list[Path]:
    """Write a schedule as ``name.0.et``, ``name.1.et``, ...: a send and a receive for each message.

    Each node waits for what its rank sent and received in the step before, and for the sends that
    it names. Feeders of Chakra read it; attributes that they pass over keep blocks, lanes and
    stages, so that `read_schedule` gives the same schedule back. Of the barrier between stages a
    rank waits for its own part: traces have no more.

    Parameters
    ----------
    schedule
        The schedule.
    name
        Folder and beginning of the files' names.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    InvalidArgument, InvalidType
        If it is no schedule, or a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from rainier_fast import Schedule, Send
    >>> both = [Send(0, 1, [0], step=0, reduce=True), Send(1, 0, [0], step=0, reduce=True)]
    >>> pair = Schedule("all_reduce", 64, [0, 1], both)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = save_schedule(pair, folder + "/pair")
    ...     read_schedule(folder + "/pair") == pair
    True
    """
    if not isinstance(schedule, Schedule):
        raise invalid_type("schedule", schedule, "must be a Schedule")
    count = 2 * len(schedule)
    reckon(_NODE_BYTES * count, f"{count:,} nodes", "export a smaller schedule")
    nodes = _nodes(schedule)
    head = _head(schedule)
    return write_all(
        name,
        (
            (f".{rank}.et", bytes(_core.write_chakra(VERSION, head, nodes[rank])))
            for rank in range(schedule.ranks)
        ),
    )


def _head(schedule: Schedule) -> list[_Attribute]:
    """Return what each file says of the whole."""
    blocks = schedule.blocks
    ends = [(one.source, one.target) for one in blocks]
    plain = kinds.told(schedule, "schedule")
    asked = {name: plain[name] for name in _ASKED if name in plain}
    more = [("made_by", "what an algorithm was asked, in JSON", _TEXT, json.dumps(asked))]
    return [
        *(more if asked else []),
        ("operation", "of the schedule", _TEXT, schedule.operation),
        ("size_bytes", "of the schedule", _DOUBLE, schedule.size_bytes),
        ("root", "of the schedule", _INT64, schedule.root),
        ("chips", "of each rank", _INT64S, list(schedule.chips)),
        ("block_sources", "-1: every rank", _INT64S, [_or(one) for one, _ in ends]),
        ("block_targets", "-1: every rank", _INT64S, [_or(one) for _, one in ends]),
        ("block_bytes", "of each block", _DOUBLES, [one.nbytes for one in blocks]),
    ]


def _or(rank: int | None) -> int:
    return _NONE if rank is None else rank


def _nodes(schedule: Schedule) -> list[list[tuple[Any, ...]]]:
    """Return each rank's nodes: those of a step wait for those of the step before in its lane."""
    sends, blocks = schedule.sends, schedule.blocks
    order = sorted(
        range(len(sends)), key=lambda at: (sends[at].stage, sends[at].lane, sends[at].step, at)
    )
    counts = [0] * schedule.ranks
    ends: list[dict[int, int]] = [{} for _ in sends]
    for number in order:
        for rank in (sends[number].src, sends[number].dst):
            ends[number][rank] = counts[rank]
            counts[rank] += 1
    rows: list[list[tuple[Any, ...]]] = [[] for _ in counts]
    # By rank, stage and lane: the last step and its nodes, and those of the step before.
    steps: dict[tuple[int, int, int], tuple[int, list[int], list[int]]] = {}
    stages: list[dict[int, list[int]]] = [{} for _ in rows]
    for number in order:
        one = sends[number]
        nbytes = one.nbytes
        if nbytes is None:
            nbytes = math.fsum(blocks[block].nbytes for block in one.blocks)
        for rank, peer, kind in ((one.src, one.dst, 5), (one.dst, one.src, 6)):
            key = (rank, one.stage, one.lane)
            step, now, before = steps.get(key, (one.step, [], []))
            if step != one.step:
                step, now, before = one.step, [], now
            node = ends[number][rank]
            waits = set(before or _earlier(stages[rank], one.stage)) if kind == 5 else set()
            if kind == 5:
                waits |= {ends[other][rank] for other in one.after if rank in ends[other]}
            attributes = _attributes(one, (number, kind), (rank, peer, math.ceil(nbytes)))
            label = f"{'send' if kind == 5 else 'receive'} {number}"
            rows[rank].append(
                (node, label, kind, [], sorted(waits), 0, 0, None, None, attributes, 0)
            )
            now.append(node)
            steps[key] = (step, now, before)
            stages[rank].setdefault(one.stage, []).append(node)
    return rows


def _earlier(stages: dict[int, list[int]], stage: int) -> list[int]:
    """Return a rank's nodes of the stage before, if it has any."""
    before = [one for one in stages if one < stage]
    return stages[max(before)] if before else []


def _attributes(one: Send, which: tuple[int, int], ends: tuple[int, int, int]) -> list[_Attribute]:
    (number, kind), (rank, peer, nbytes) = which, ends
    src, dst = (rank, peer) if kind == 5 else (peer, rank)
    found: list[_Attribute] = [
        ("is_cpu_op", "", _BOOL, False),
        ("comm_src", "", _INT64, src),
        ("comm_dst", "", _INT64, dst),
        ("comm_size", "whole bytes", _INT64, max(nbytes, 1)),
        ("comm_tag", "", _INT64, number),
    ]
    if kind == 6:
        return found
    if one.nbytes is not None:
        found.append(("nbytes", "", _DOUBLE, float(one.nbytes)))
    return [
        *found,
        ("blocks", "", _INT64S, list(one.blocks)),
        ("after", "numbers of sends", _INT64S, list(one.after)),
        ("step", "", _INT64, one.step),
        ("lane", "", _INT64, one.lane),
        ("stage", "", _INT64, one.stage),
        ("reduce", "", _BOOL, one.reduce),
    ]


def read_schedule(name: str | os.PathLike[str]) -> Schedule:
    """Read what `save_schedule` wrote: the same schedule, message by message.

    Parameters
    ----------
    name
        Folder and beginning of the files' names, without the number.

    Raises
    ------
    InvalidArgument, InvalidType
        If files are missing or broken, or have not what a schedule needs.

    Examples
    --------
    >>> import tempfile
    >>> from rainier_fast import schedule, torus
    >>> ring = schedule("all_reduce", torus((4,), "1 GB/s"), 1024, algorithm="ring_one_way")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = save_schedule(ring, folder + "/ring")
    ...     read_schedule(folder + "/ring").sends == ring.sends
    True
    """
    base = os.fspath(as_path(name, "name"))
    sends: dict[int, Send] = {}
    head: dict[str, Any] | None = None
    ranks = 1
    rank = 0
    while rank < ranks:
        path = f"{base}.{rank}.et"
        data = content("name", path, _MOST)
        _, attributes, rows, _, _ = _core.read_chakra(data, path)
        found = {one[0]: one[3] for one in attributes}
        if head is None:
            head = found
            ranks = len(_listed(head, "chips", path))
        elif found != head:
            raise InvalidArgument(
                f"{path}: got another schedule than {base}.0.et, must be the same"
            )
        for row in rows:
            if row[2] == 5:
                number, send = _send(row, path)
                sends[number] = send
        rank += 1
    return _made(head or {}, sends, base)


def _made(head: dict[str, Any], sends: dict[int, Send], name: str) -> Schedule:
    if sorted(sends) != list(range(len(sends))):
        raise InvalidArgument(f"{name}: got sends that are not numbered on, must have all of them")
    columns = [_listed(head, f"block_{one}", name) for one in ("sources", "targets", "bytes")]
    if len({len(column) for column in columns}) > 1:
        raise InvalidArgument(f"{name}: got blocks without an end or a size, must have all of each")
    rows = zip(*columns, strict=True)
    blocks = [
        Block(None if src == _NONE else src, None if dst == _NONE else dst, nbytes)
        for src, dst, nbytes in rows
    ]
    operation, size, root = (head.get(one) for one in ("operation", "size_bytes", "root"))
    known = isinstance(operation, str) and isinstance(size, float) and type(root) is int
    if not known:
        raise InvalidArgument(f"{name}: got no operation or size_bytes, must be of save_schedule")
    chips = _listed(head, "chips", name)
    ordered = [sends[at] for at in range(len(sends))]
    if isinstance(asked := head.get("made_by"), str):
        words = {"operation": operation, "size_bytes": size, "root": root, "chips": list(chips)}
        return _asked(asked, words, blocks, ordered, name)
    return Schedule(str(operation), float(size or 0), chips, ordered, blocks, root or 0)


def _asked(
    asked: str, words: dict[str, Any], blocks: list[Block], sends: list[Send], name: str
) -> Schedule:
    """Return the schedule that an algorithm made, if it makes the same again."""
    try:
        more = json.loads(asked)
        if not isinstance(more, dict):
            raise InvalidArgument(f"{name}, made_by: got {asked!r}, must be an object of JSON")
        rows = schedule_file.rows_of(blocks, sends)
        plain = {"format": "rainier_fast schedule", "version": 1} | words | rows | more
        made: Schedule = kinds.from_dict(plain, "schedule")
    except (json.JSONDecodeError, RecursionError) as error:
        raise InvalidArgument(f"{name}, made_by: got broken JSON ({error})") from error
    return made


def _listed(head: dict[str, Any], key: str, name: str) -> list[Any]:
    value = head.get(key)
    if not isinstance(value, list):
        raise InvalidArgument(f"{name}, {key}: got none, must be a trace of save_schedule")
    return value


def _send(row: tuple[Any, ...], name: str) -> tuple[int, Send]:
    found = {one[0]: one[3] for one in row[9]}
    try:
        one = Send(
            found["comm_src"],
            found["comm_dst"],
            tuple(found["blocks"]),
            found["step"],
            found["reduce"],
            found["lane"],
            found["stage"],
            tuple(found["after"]),
            found.get("nbytes"),
        )
        return int(found["comm_tag"]), one
    except (KeyError, TypeError) as error:
        where = f"{name}, byte {row[10]}, node {row[0]}"
        raise InvalidArgument(f"{where}: got no {error}, must be of save_schedule") from error
