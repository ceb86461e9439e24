"""Schedules of other programs: MSCCL's XML and GOAL."""

from __future__ import annotations

from typing import Final

from rainier_fast.ask import schedule_goal, schedule_msccl
from rainier_fast.ask.schedule import Schedule
from rainier_fast.formats.goal.order import Message, messages
from rainier_fast.formats.goal.parse import parse
from rainier_fast.program.collective import ProgramCollective
from rainier_fast.program.groups import ProgramGroups
from rainier_fast.program.program import Program
from rainier_fast.reading.content import Content

_UNIT: Final = "LogGOPSim counts them as nanoseconds"


def msccl(content: Content) -> Schedule:
    """Read a program of MSCCL, and prove it."""
    return schedule_msccl.of_xml(content.data)


def goal(content: Content) -> Schedule | Program:
    """Read GOAL: a schedule, where nothing is computed between messages; else a program."""
    text = content.text()
    found = parse(text)
    if found.said is not None:
        return schedule_goal.of_ours(found, text)
    sent = messages(found)
    computed = sum(op.size for op in found.ops if op.kind == "calc")
    if not computed:
        return schedule_goal.of_messages(found.ranks, sent)
    notes = (
        f"computation of {computed:,} in all, in units of the simulator ({_UNIT}): a schedule has "
        "none, so these are the messages as a program has them",
        "what waits for what is in no field of a program",
    )
    rows = tuple(_row(one) for one in sent)
    return Program(rows, found.ranks, None, f"GOAL of {found.ranks} ranks", notes)


def _row(one: Message) -> ProgramCollective:
    notes = (f"after computation of {one.computed:,}",) if one.computed else ()
    return ProgramCollective(
        one.label,
        "collective_permute",
        one.nbytes,
        one.nbytes,
        None,
        ProgramGroups.pairs([(one.src, one.dst)]),
        original="send",
        notes=notes,
    )
