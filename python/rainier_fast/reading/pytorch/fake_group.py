"""What a recorder of a fake process group wrote: each collective in its own words."""

from __future__ import annotations

from typing import Any, Final

from rainier_fast.errors import RainierError
from rainier_fast.program import Program, ProgramCollective, ProgramGroups
from rainier_fast.program.numbers import dtype_named
from rainier_fast.reading.content import Content
from rainier_fast.reading.json_file import parsed, reckon_collectives
from rainier_fast.reading.pytorch.operations import operation_of
from rainier_fast.reading.pytorch.process_groups import ProcessGroups, as_count

_MOST_TEXT: Final = 500


def load(content: Content) -> Program:
    """Read such a recording."""
    top = parsed(content)
    events = top.get("events") if isinstance(top, dict) else None
    if not isinstance(events, list):
        raise content.fault("events", events, "must be a list of collectives")
    world = as_count(top.get("world_size"))
    if world is None:
        raise content.fault("world_size", top.get("world_size"), "must be a number of ranks")
    reckon_collectives(content, len(events))
    groups = ProcessGroups(world)
    made = tuple(
        _collective(content, f"events[{at}]", event, groups) for at, event in enumerate(events)
    )
    said = [str(top[key])[:_MOST_TEXT] for key in ("what", "mesh") if isinstance(top.get(key), str)]
    torch = top.get("torch")
    source = "collectives recorded on a fake process group"
    source += f" by torch {torch[:40]}" if isinstance(torch, str) else ""
    source += f" from {content.named}" if content.named else ""
    return Program(made, world, None, source, tuple(said))


def _collective(
    content: Content, where: str, event: object, groups: ProcessGroups
) -> ProgramCollective:
    if not isinstance(event, dict) or not isinstance(event.get("op"), str):
        raise content.fault(where, event, "must be an object with an op")
    name = event["op"]
    op = operation_of(name)
    if op is None:
        raise content.fault(f"{where}.op", name, "must be a collective of torch.distributed")
    notes = []
    group = _group(event.get("group"), groups)
    if group is None:
        notes.append("its group is not recorded, or not whole")
    if isinstance(axis := event.get("axis"), str):
        notes.append(f"axis {axis[:80]}")
    dtype, phase = event.get("dtype"), event.get("phase")
    try:
        return ProgramCollective(
            name,
            op,
            event.get("in_bytes"),
            event.get("out_bytes"),
            dtype_named(dtype) if isinstance(dtype, str) else None,
            group,
            phase=phase if isinstance(phase, str) else None,
            original=name,
            notes=tuple(notes),
        )
    except RainierError as error:
        raise type(error)(f"{content.short}, {where}.{error}") from error


def _group(told: Any, groups: ProcessGroups) -> ProgramGroups | None:  # noqa: ANN401 - of JSON
    if isinstance(told, dict):
        if "ranks" in told:
            told = told["ranks"]
        else:
            start, stride, size = (told.get(key) for key in ("start", "stride", "size"))
            if type(start) is not int or type(size) is not int:
                return None
            if size == 1:
                return groups.line(start, 1, 1)
            return groups.line(start, stride, size) if type(stride) is int else None
    if isinstance(told, list) and told and all(type(one) is int for one in told):
        return groups.members(told)
    return None
