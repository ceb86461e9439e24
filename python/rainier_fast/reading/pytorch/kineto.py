"""Kineto traces of PyTorch's profiler: which collectives ran, how large, and how long."""

from __future__ import annotations

import json
from typing import Any, Final

from rainier_fast import _core
from rainier_fast.errors import invalid
from rainier_fast.program import Program, ProgramGroups
from rainier_fast.reading.content import Content
from rainier_fast.reading.json_file import reckon_collectives
from rainier_fast.reading.pytorch.kineto_events import Events
from rainier_fast.reading.pytorch.kineto_levels import drafts_of
from rainier_fast.reading.pytorch.process_groups import ProcessGroups, as_count, as_rank

_MOST_PART: Final = 2**26
"""Bytes of one part beside the events."""


def load(content: Content) -> Program:
    """Read a trace."""
    rows, names, count, parts = _core.kineto_events(content.data, content.short)
    reckon_collectives(content, len(rows))
    about = _parts(content, parts)
    info = about.get("distributedInfo")
    info = info if isinstance(info, dict) else {}
    world, rank = as_count(info.get("world_size")), as_rank(info.get("rank"))
    groups = ProcessGroups(world)
    groups.take(info.get("pg_config"))
    events = Events(content, rows, names)
    drafts, notes = drafts_of(events, groups)
    starts = [draft.start_ns for draft in drafts if draft.start_ns is not None]
    zero = min(starts, default=0)
    base = about.get("baseTimeNanoseconds")
    if starts:
        since = base if type(base) is int else 0
        notes.append(f"starts count from {since + zero} ns since 1970")
    if any(draft.group is None for draft in drafts):
        only = groups.only() if as_count(info.get("pg_count")) == 1 else None
        _without_group(drafts, groups, only, notes)
    steps = events.steps()
    backend = info.get("backend")
    source = f"a PyTorch Kineto trace of {count:,} events"
    if isinstance(backend, str) and len(backend) < 80:
        source += f" ({backend})"
    if steps:
        notes.append(f"{steps} steps of the profiler: counts are of all of them")
    source += f" from {content.named}" if content.named else ""
    if rank is not None and world is not None and rank >= world:
        raise content.fault("distributedInfo.rank", rank, f"must be below world_size, {world}")
    made = tuple(draft.made(zero) for draft in drafts)
    return Program(made, world, rank, source, tuple(notes))


def _without_group(
    drafts: list[Any], groups: ProcessGroups, only: ProgramGroups | None, notes: list[str]
) -> None:
    unnamed = [draft for draft in drafts if draft.group is None and not draft.group_size]
    if only is not None and unnamed:
        for draft in unnamed:
            draft.group = only
        notes.append("the trace lists one group, of all ranks: every collective is taken as of it")
    elif unnamed:
        listed = f"; it lists {groups.words()}" if groups.listed else ""
        notes.append(
            f"groups of {len(unnamed)} collectives unknown: their events name none{listed}; NCCL's "
            "record_param_comms, or a mesh, would tell"
        )


def _parts(content: Content, parts: list[tuple[str, int, int]]) -> dict[str, Any]:
    """Return the parts of a trace beside its events."""
    found = {}
    for name, start, end in parts:
        if end - start > _MOST_PART:
            allowed = f"must be at most {_MOST_PART:,} bytes"
            raise content.fault(name, f"{end - start:,} bytes at byte {start}", allowed)
        try:
            found[name] = json.loads(content.data[start:end])
        except (ValueError, RecursionError) as error:
            raise content.fault(f"{name}, byte {start}", str(error), "must be JSON") from error
    version = found.get("schemaVersion", 1)
    if version != 1:
        raise invalid(f"{content.short}, schemaVersion", version, "must be 1: it is a later format")
    return found
