"""Schedules as XML of MSCCL, and back."""

from __future__ import annotations

import json
from typing import Any, Final

from rainier_fast.ask.messages import Send
from rainier_fast.ask.schedule import Schedule
from rainier_fast.ask.schedule_events import events
from rainier_fast.errors import InvalidArgument, Unsupported
from rainier_fast.files import kinds
from rainier_fast.files.place import Misplaced
from rainier_fast.formats.msccl.data import Data
from rainier_fast.formats.msccl.layout import Layout, chunks_of
from rainier_fast.formats.msccl.parse import SAID, parse
from rainier_fast.formats.msccl.rows import Algorithm
from rainier_fast.formats.msccl.run import messages
from rainier_fast.formats.msccl.write import Sent, Writer, text_of
from rainier_fast.memory import reckon

_MOST_PARTS: Final = 64
_ROOTED: Final = ("broadcast", "reduce", "scatter", "gather")
_SEND_BYTES: Final = 4096
_CLOSE: Final = 1e-9
_KEPT: Final = (
    "The next line is the schedule as rainier_fast has it; without it, the steps are read as those "
    "of any other program of MSCCL"
)


def text(schedule: Schedule) -> str:
    """Return a schedule as XML.

    Raises
    ------
    Unsupported
        If MSCCL cannot say it: blocks that are no multiples of one chunk, messages that have other
        bytes than their blocks.
    InvalidSchedule
        If it is wrong.
    """
    schedule.verify()
    sends, blocks = schedule.sends, schedule.blocks
    reckon(_SEND_BYTES * len(sends), f"XML of {len(sends):,} sends", "export a smaller schedule")
    sizes = [block.nbytes for block in blocks]
    _check_bytes(sends, sizes)
    counts = chunks_of(sizes, _MOST_PARTS)
    rows = [(one.source, one.target, count) for one, count in zip(blocks, counts, strict=True)]
    layout = Layout(schedule.operation, schedule.ranks, schedule._core.root, rows)
    rows_sent = [
        Sent(one.src, one.dst, one.blocks, one.reduce, (one.stage, one.lane, one.step), one.after)
        for one in sends
    ]
    writer = Writer(layout, rows_sent)
    writer.write(events(sends))
    said = json.dumps(kinds.told(schedule, "schedule"), separators=(",", ":"))
    name = f"{schedule.operation}_{schedule.algorithm}"
    root = schedule._core.root if schedule.operation in _ROOTED else None
    return text_of(writer, name, root, [_KEPT, SAID + said])


def _check_bytes(sends: list[Send], sizes: list[float]) -> None:
    for number, send in enumerate(sends):
        whole = sum(sizes[block] for block in send.blocks)
        nbytes = whole if send.nbytes is None else send.nbytes
        if abs(nbytes - whole) > _CLOSE * whole:
            raise Unsupported(
                f"send {number} of {nbytes:g} bytes, whose blocks have {whole:g}, in MSCCL's XML: "
                "its messages are chunks; save the schedule as JSON"
            )


def of_xml(data: bytes) -> Schedule:
    """Return the schedule of an XML: ours as it was, to the bit; others by what their steps do.

    An XML of others has neither size nor chips: its chunks are read as one byte each, its GPUs as
    chips 0, 1, ...; `Schedule.at` asks for others.

    Raises
    ------
    InvalidArgument, InvalidSchedule, Unsupported
        If it is broken, wrong, or has no room in a schedule; the message names the line.
    """
    algorithm = parse(data)
    if algorithm.said is not None:
        return _ours(algorithm, data)
    if algorithm.collective == "custom":
        raise Unsupported(
            'coll="custom": the XML does not say what each rank must end with; one that '
            "Schedule.save wrote says it in a comment"
        )
    run = Data(algorithm)
    sent = messages(algorithm, run)
    sends = [
        Send(one.src, one.dst, one.blocks, one.step, one.reduce, one.lane, 0, one.after)
        for one in sent
    ]
    ranks = len(algorithm.gpus)
    size = float(algorithm.chunks)
    schedule = Schedule(run.operation, size, range(ranks), sends, run.blocks, run.root)
    schedule.verify()
    return Schedule._own(schedule._core, algorithm.name or "msccl")


def _ours(algorithm: Algorithm, data: bytes) -> Schedule:
    plain: Any
    try:
        plain = json.loads(algorithm.said or "")
        schedule = kinds.from_dict(plain, "schedule")
    except (ValueError, RecursionError, Misplaced) as error:
        raise InvalidArgument(f"the comment of rainier_fast: got {error}") from error
    if not isinstance(schedule, Schedule):
        raise InvalidArgument("the comment of rainier_fast: got no schedule, must have one")
    if text(schedule).encode() != data.replace(b"\r\n", b"\n"):
        raise InvalidArgument(
            "<algo>: got other steps than those of the schedule in the comment of rainier_fast, "
            "must be the same; take that comment out, and the steps count"
        )
    return schedule
