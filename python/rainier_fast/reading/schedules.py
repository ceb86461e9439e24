"""Schedules of other programs: MSCCL's XML and GOAL."""

from __future__ import annotations

from rainier_fast.ask import schedule_msccl
from rainier_fast.ask.schedule import Schedule
from rainier_fast.reading.content import Content


def msccl(content: Content) -> Schedule:
    """Read a program of MSCCL, and prove it."""
    return schedule_msccl.of_xml(content.data)
