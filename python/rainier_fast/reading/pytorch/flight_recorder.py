"""PyTorch's flight recorder as JSON; a pickle is refused, since opening one runs what it says."""

from __future__ import annotations

import re
from typing import Any, Final, NoReturn

from rainier_fast.errors import Unsupported
from rainier_fast.program import Program
from rainier_fast.program.numbers import dtype_named, width_of
from rainier_fast.reading import looks
from rainier_fast.reading.content import Content
from rainier_fast.reading.json_file import parsed, reckon_collectives
from rainier_fast.reading.pytorch import operators
from rainier_fast.reading.pytorch.draft import Draft
from rainier_fast.reading.pytorch.kineto_levels import GLOO_LIE
from rainier_fast.reading.pytorch.operations import operation_of
from rainier_fast.reading.pytorch.process_groups import ProcessGroups

_VERSIONS: Final = ("1.", "2.")
_PEERS: Final = re.compile(r"(\d+)\s*(->|<-)\s*(\d+)")
_MOST_NS: Final = 2**63
_MOST_NOTES: Final = 50


def refuse_pickle(content: Content) -> NoReturn:
    """Refuse a pickle, and say how to get the same as JSON."""
    raise Unsupported(
        f"{content.short}: got a pickle, which is never opened: opening one runs what it says; in "
        "the process that recorded, write JSON: torch._C._distributed_c10d._dump_nccl_trace_json() "
        "for NCCL, _dump_fr_trace_json() for other backends"
    )


def load(content: Content) -> Program:
    """Read what the flight recorder dumped."""
    if looks.pickle(content):
        refuse_pickle(content)
    top = parsed(content)
    entries = top.get("entries") if isinstance(top, dict) else None
    if not isinstance(entries, list):
        raise content.fault("entries", entries, "must be a list of entries")
    version = top.get("version")
    if not isinstance(version, str) or not version.startswith(_VERSIONS):
        raise content.fault("version", version, "must be 1.x or 2.x of the flight recorder")
    reckon_collectives(content, len(entries))
    groups = ProcessGroups()
    configured = top.get("pg_config")
    for key, entry in configured.items() if isinstance(configured, dict) else ():
        if isinstance(entry, dict):
            groups.take([{"pg_name": entry.get("name", key), **entry}])
    notes: list[str] = []
    made: list[tuple[int, Draft]] = []
    for at, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("profiling_name"), str):
            raise content.fault(f"entries[{at}]", entry, "must be an object with a profiling_name")
        draft = _draft(entry, groups)
        if draft is None:
            name = entry["profiling_name"][:60]
            notes.append(f"entries[{at}]: {name!r} is no collective: left out")
            continue
        order = entry.get("record_id")
        made.append((order if type(order) is int else at, draft))
    drafts = [draft for _, draft in sorted(made, key=lambda one: one[0])]
    _size_gathers(drafts)
    if any(draft.original.startswith("gloo:") for draft in drafts):
        notes.append("the flight recorder of gloo leaves out send and recv")
    unnamed = sum(draft.group is None for draft in drafts)
    if unnamed:
        notes.append(f"groups of {unnamed} collectives unknown: pg_config does not list theirs")
    starts = [draft.start_ns for draft in drafts if draft.start_ns is not None]
    zero = min(starts, default=0)
    if starts:
        notes.append(f"starts count from {zero} ns since 1970")
    source = f"PyTorch's flight recorder, version {version[:20]}, of {len(entries):,} entries"
    source += f" from {content.named}" if content.named else ""
    collectives = tuple(draft.made(zero) for draft in drafts)
    return Program(collectives, None, None, source, tuple(notes[:_MOST_NOTES]))


def _draft(entry: dict[str, Any], groups: ProcessGroups) -> Draft | None:
    label = entry["profiling_name"]
    op = operation_of(label)
    if op is None:
        return None
    group, desc = _group_of(entry)
    seq = entry.get("p2p_seq_id" if entry.get("is_p2p") is True else "collective_seq_id")
    draft = Draft(op, f"{label} group={group} seq={seq}"[:200], label)
    draft.group = groups.named(group)
    if draft.group is None:
        draft.notes.append(f"group {group!r} ({desc}): its members are not in pg_config")
    _sizes(draft, entry)
    if op in ("send", "recv") and (match := _PEERS.search(label)):
        draft.peer = int(match[3])
    if op == "all_reduce" and label.startswith("gloo:"):
        draft.notes.append(GLOO_LIE)
    state = entry.get("state")
    if isinstance(state, str) and state not in ("completed", "scheduled"):
        draft.notes.append(f"state {state[:20]!r} when it was dumped")
    created, started, ended = (
        _time(entry.get(f"time_{what}_ns"))
        for what in ("created", "discovered_started", "discovered_completed")
    )
    draft.called_ns, draft.start_ns = created, started or created
    if started is not None and ended is not None and ended >= started:
        draft.duration_ns = ended - started
    spent = entry.get("duration_ms")
    if type(spent) in (int, float) and 0 < float(spent or 0) < _MOST_NS / 1e6:
        draft.duration_ns = round(float(spent or 0) * 1e6)
    return draft


def _group_of(entry: dict[str, Any]) -> tuple[str | None, str]:
    named = entry.get("process_group")
    if isinstance(named, list) and named and isinstance(named[0], str):
        return named[0], str(named[-1])[:80]
    number = entry.get("pg_id")
    return (str(number), "") if type(number) is int else (None, "")


def _sizes(draft: Draft, entry: dict[str, Any]) -> None:
    """Take elements and type; what comes out of a gather may be that of one rank."""
    types = entry.get("input_dtypes")
    given = types if isinstance(types, list) else []
    names = {dtype_named(one) for one in given if isinstance(one, str)}
    if len(names) == 1:
        draft.dtype = names.pop()
        draft.width = width_of(draft.dtype)
    into = operators.numbers_of(entry.get("input_sizes"))
    out = operators.numbers_of(entry.get("output_sizes"))
    draft.numbers_in = sum(into) if into else None
    draft.numbers_out = sum(out) if out else None
    if draft.op == "all_gather":
        size = None if draft.group is None else draft.group.size
        many = draft.numbers_in and draft.numbers_out and draft.numbers_out > draft.numbers_in
        if size is not None and draft.numbers_in is not None:
            draft.numbers_out = draft.numbers_in * size
        elif not many:
            draft.numbers_out = None


def _size_gathers(drafts: list[Draft]) -> None:
    """Give gathers whose output is that of one rank the size that others of their group tell."""
    sizes: dict[str, set[int]] = {}
    for draft in drafts:
        into, out = draft.numbers_in, draft.numbers_out
        if draft.op == "all_gather" and into and out and out % into == 0:
            sizes.setdefault(_of(draft), set()).add(out // into)
    for draft in drafts:
        told = sizes.get(_of(draft), set())
        if draft.op == "all_gather" and draft.numbers_out is None and len(told) == 1:
            draft.group_size = next(iter(told))


def _of(draft: Draft) -> str:
    return draft.name.partition(" group=")[2].partition(" seq=")[0]


def _time(value: object) -> int | None:
    return value if type(value) is int and 0 < value < _MOST_NS else None
