"""Schedules as GOAL text, and back."""

from __future__ import annotations

import json
from typing import Final

from rainier_fast.ask.messages import Block, Send
from rainier_fast.ask.schedule import Schedule
from rainier_fast.errors import InvalidArgument, Unsupported
from rainier_fast.files import kinds
from rainier_fast.formats.goal.order import Message
from rainier_fast.formats.goal.parse import Goal
from rainier_fast.formats.goal.write import Sent, said, text_of
from rainier_fast.memory import reckon

_SEND_BYTES: Final = 2048
_KEPT: Final = (
    "The next line is the schedule as rainier_fast has it, blocks, stages and parts of bytes too; "
    "without it, the lines above are read as messages of any other text of GOAL"
)


def text(schedule: Schedule) -> str:
    """Return a schedule as GOAL."""
    sends = schedule.sends
    reckon(_SEND_BYTES * len(sends), f"GOAL of {len(sends):,} sends", "export a smaller schedule")
    rows = [
        Sent(one.src, one.dst, one.nbytes or 0.0, (one.stage, one.lane, one.step), one.after)
        for one in sends
    ]
    plain = json.dumps(kinds.told(schedule, "schedule"), separators=(",", ":"))
    return text_of(schedule.ranks, rows, [_KEPT, said(plain)])


def of_ours(goal: Goal, whole: str) -> Schedule:
    """Return the schedule that a comment of ours has, to the bit.

    Raises
    ------
    InvalidArgument
        If it is broken, or the lines say another one.
    """
    try:
        schedule: Schedule = kinds.from_dict(json.loads(goal.said or ""), "schedule")
    except (ValueError, RecursionError) as error:
        raise InvalidArgument(f"the comment of rainier_fast: got {error}") from error
    if text(schedule) != whole.replace("\r\n", "\n"):
        raise InvalidArgument(
            "the lines: got other messages than those of the schedule in the comment of "
            "rainier_fast, must be the same; take that comment out, and the lines count"
        )
    return schedule


def of_messages(ranks: int, sent: list[Message]) -> Schedule:
    """Return messages as a schedule: each has a block of its own, which it brings where it goes.

    Raises
    ------
    InvalidSchedule
        If messages wait for each other in a circle.
    """
    if not sent:
        raise Unsupported("the text has no messages, so that it has nothing to cost")
    blocks = [Block(one.src, one.dst, float(one.nbytes)) for one in sent]
    sends = [
        Send(one.src, one.dst, (at,), 0, lane=at, after=one.after) for at, one in enumerate(sent)
    ]
    size = sum(block.nbytes for block in blocks) / ranks
    schedule = Schedule("all_to_all", size, range(ranks), sends, blocks)
    schedule.verify()
    return Schedule._own(schedule._core, "goal")
