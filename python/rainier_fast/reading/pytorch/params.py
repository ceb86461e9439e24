"""`record_param_comms`: what PyTorch tells of each collective of NCCL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rainier_fast.program.numbers import dtype_named, width_of
from rainier_fast.reading.pytorch.draft import Draft
from rainier_fast.reading.pytorch.operations import operation_of
from rainier_fast.reading.pytorch.process_groups import ProcessGroups, as_count, as_rank

# Keys of Kineto's args, and of the attributes of execution traces from 1.1.1 on.
_KEYS: Final = {
    "name": ("Collective name", "collective_name"),
    "dtype": ("dtype",),
    "into": ("In msg nelems", "in_msg_nelems"),
    "out": ("Out msg nelems", "out_msg_nelems"),
    "in_splits": ("In split size", "in_split_size"),
    "out_splits": ("Out split size", "out_split_size"),
    "start": ("Global rank start", "global_rank_start"),
    "stride": ("Global rank stride", "global_rank_stride"),
    "size": ("Group size", "pg_size"),
    "group": ("Process Group Name", "pg_name", "Process Group ID"),
    "desc": ("Process Group Description", "pg_desc"),
    "ranks": ("Process Group Ranks", "pg_ranks"),
    "rank": ("Rank", "rank"),
    "seq": ("Seq", "seq"),
    "waits": ("Is asynchronized op", "is_asynchronized_op"),
}
_FIELDS: Final = {key: field for field, keys in _KEYS.items() for key in reversed(keys)}
_ROOTED: Final = ("broadcast", "reduce", "gather", "scatter")


def has_params(args: Mapping[str, Any]) -> bool:
    """Whether args name a collective."""
    return any(isinstance(args.get(key), str) for key in _KEYS["name"])


def draft_of(args: Mapping[str, Any], groups: ProcessGroups) -> Draft | None:
    """Return the collective that args tell; None where they tell none, such as of a wait."""
    found: dict[str, Any] = dict.fromkeys(_KEYS)
    for key, value in args.items():
        if key in _FIELDS:
            found[_FIELDS[key]] = value
    name = found["name"]
    op = operation_of(name) if isinstance(name, str) else None
    if op is None:
        return None
    draft = Draft(op, _title(found), str(name))
    if isinstance(found["dtype"], str):
        draft.dtype = dtype_named(found["dtype"])
        draft.width = width_of(draft.dtype)
    draft.numbers_in, draft.numbers_out = _elements(found["into"]), _elements(found["out"])
    if op == "recv":
        draft.numbers_in = max(draft.numbers_in or 0, draft.numbers_out or 0)
    if op == "all_to_all":
        draft.in_splits, draft.out_splits = found["in_splits"] or "[]", found["out_splits"] or "[]"
    draft.group_size = as_count(found["size"])
    _set_group(draft, found, groups)
    rank = as_rank(found["rank"])
    if rank is not None and (draft.group_size is None or rank < draft.group_size):
        # Of these, the rank that is recorded is the other side.
        if op in _ROOTED:
            draft.root = rank
        elif op in ("send", "recv"):
            draft.peer = rank
    waits = found["waits"]
    draft.asynchronous = (
        waits if isinstance(waits, bool) else {"true": True, "false": False}.get(str(waits).lower())
    )
    return draft


def _title(found: Mapping[str, Any]) -> str:
    words = [str(found["name"])]
    if found["group"] is not None:
        words.append(f"group={found['group']}")
    if found["seq"] is not None:
        words.append(f"seq={found['seq']}")
    return " ".join(words)[:200]


def _set_group(draft: Draft, found: Mapping[str, Any], groups: ProcessGroups) -> None:
    """Take the group from start and stride, from whole lists, or from the listed groups."""
    start, stride, size = as_rank(found["start"]), found["stride"], draft.group_size
    if size == 1:
        stride = 1
    whole = groups.whole(found["ranks"])
    if whole is not None and size in (None, whole.size):
        draft.group = whole
    elif start is not None and type(stride) is int and stride > 0 and size is not None:
        draft.group = groups.line(start, stride, size)
    name = None if found["group"] is None else str(found["group"])
    if draft.group is None:
        listed = groups.named(name)
        if listed is not None and size in (None, listed.size):
            draft.group = listed
    if draft.group is None:
        of = f" of {size} ranks" if size else ""
        draft.notes.append(
            f"group {name!r}{of}: its members are in no event; a list of groups "
            "(distributedInfo.pg_config, process_group:init) that has this one would tell"
        )


def _elements(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None
