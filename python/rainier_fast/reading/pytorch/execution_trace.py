"""PyTorch's execution traces: nodes with their inputs, types and parents; no times."""

from __future__ import annotations

import json
from typing import Any, Final

from rainier_fast.program import Program
from rainier_fast.reading.content import Content
from rainier_fast.reading.json_file import parsed, reckon_collectives
from rainier_fast.reading.pytorch import operators, params
from rainier_fast.reading.pytorch.draft import Draft
from rainier_fast.reading.pytorch.operations import operation_of
from rainier_fast.reading.pytorch.process_groups import ProcessGroups

_INIT: Final = "process_group:init"
_CALLERS: Final = ("c10d::", "_c10d_functional::")
_LABELS: Final = ("nccl:", "gloo:", "mpi:", "ucc:", "xccl:", "hccl:")
_PARAMS: Final = "record_param_comms"
_VERSIONS: Final = ("1.0.", "1.1.")


def load(content: Content) -> Program:
    """Read an execution trace."""
    top = parsed(content)
    nodes = top.get("nodes") if isinstance(top, dict) else None
    if not isinstance(nodes, list):
        raise content.fault("nodes", nodes, "must be a list of nodes")
    schema = top.get("schema")
    if not isinstance(schema, str) or not schema.startswith(_VERSIONS):
        allowed = "must be 1.0.x or 1.1.x (PyTorch 2.0 to 2.15)"
        raise content.fault("schema", schema, allowed)
    groups = ProcessGroups()
    kept: dict[int, dict[str, Any]] = {}
    parents: dict[int, int] = {}
    for at, node in enumerate(nodes):
        name = node.get("name") if isinstance(node, dict) else None
        if not isinstance(name, str):
            raise content.fault(f"nodes[{at}]", node, "must be an object with a name")
        number = node.get("id", at)
        if type(number) is not int:
            raise content.fault(f"nodes[{at}].id", number, "must be an integer")
        parent = node.get("ctrl_deps", node.get("parent"))
        if type(parent) is int:
            parents[number] = parent
        if _INIT in name:
            _take_groups(content, at, node, groups)
        elif name == _PARAMS or name.startswith((*_CALLERS, *_LABELS)):
            kept[number] = node
    reckon_collectives(content, len(kept))
    drafts, notes = _drafts(kept, parents, groups)
    unnamed = sum(draft.group is None and not draft.group_size for draft in drafts)
    if unnamed:
        listed = f"; it lists {groups.words()}" if groups.listed else ""
        notes.append(f"groups of {unnamed} collectives unknown: their nodes name none{listed}")
    source = f"a PyTorch execution trace, schema {schema[:40]}, of {len(nodes):,} nodes"
    source += f" from {content.named}" if content.named else ""
    made = tuple(draft.made(0) for draft in drafts)
    return Program(made, groups.world, None, source, tuple(notes))


def _drafts(
    kept: dict[int, dict[str, Any]], parents: dict[int, int], groups: ProcessGroups
) -> tuple[list[Draft], list[str]]:
    """Return one collective for each of the innermost level that tells most, and notes."""
    found: dict[int, tuple[int, Draft]] = {}
    for number, node in sorted(kept.items()):
        rank, draft = _draft(node, groups)
        if draft is not None:
            found[number] = (rank, draft)
    called = any(rank < 2 for rank, _ in found.values())
    best: dict[int, tuple[int, int]] = {}
    tops: dict[int, int | None] = {}
    for number, (rank, _) in found.items():
        if rank == 2 and called and str(kept[number]["name"]).startswith("gloo:"):
            continue  # on a thread of gloo, of an operator that is counted
        root = _outermost(number, parents, found, tops)
        if root not in best or rank < best[root][0]:
            best[root] = (rank, number)
    return [found[number][1] for _, number in sorted(best.values(), key=lambda one: one[1])], []


def _outermost(
    number: int,
    parents: dict[int, int],
    found: dict[int, tuple[int, Draft]],
    tops: dict[int, int | None],
) -> int:
    """Return the outermost collective round a node; parents that lead in a circle end there.

    `tops` keeps what was found, so that no parent is passed twice.
    """
    path: list[int] = []
    on_path: set[int] = set()
    at: int | None = number
    while at is not None and at not in tops and at not in on_path:
        path.append(at)
        on_path.add(at)
        at = parents.get(at)
    top = None if at is None or at in on_path else tops[at]
    for node in reversed(path):
        if top is None and node in found:
            top = node
        tops[node] = top
    return number if top is None else top


def _draft(node: dict[str, Any], groups: ProcessGroups) -> tuple[int, Draft | None]:
    """Return how much a node tells (0 most), and its collective."""
    name = node["name"]
    inputs = _inputs(node)
    if name == _PARAMS:
        attrs = _attrs(node)
        told = attrs if params.has_params(attrs) else _by_place(node, inputs)
        draft = None if told is None else params.draft_of(told, groups)
        return 0, draft
    if name.startswith(_CALLERS):
        return 1, operators.draft_of(name, inputs, groups)
    return 2, _of_label(name, inputs)


def _of_label(name: str, inputs: operators.Inputs) -> Draft | None:
    op = operation_of(name)
    if op is None:
        return None
    numbers = operators.numbers_of(list(inputs.dims))
    draft = Draft(op, name, name, sum(numbers) if numbers else None)
    draft.dtype, draft.width = operators.typed(inputs.types)
    if op in ("all_reduce", "broadcast", "reduce"):
        draft.numbers_out = draft.numbers_in
    return draft


def _inputs(node: dict[str, Any]) -> operators.Inputs:
    """Return the inputs of a node, as schemas before and after 1.1 have them."""
    inside = node.get("inputs")
    if isinstance(inside, dict):
        parts = [inside.get(key) for key in ("shapes", "types", "values")]
    else:
        parts = [node.get("input_shapes"), node.get("input_types"), inside]
    dims, types, values = (part if isinstance(part, list) else [] for part in parts)
    return operators.Inputs(dims, types, values)


def _attrs(node: dict[str, Any]) -> dict[str, Any]:
    rows = node.get("attrs")
    return {
        row["name"]: row.get("value")
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict) and isinstance(row.get("name"), str)
    }


def _by_place(node: dict[str, Any], inputs: operators.Inputs) -> dict[str, Any] | None:
    """Return what the inputs of older nodes say, by where they stand round the name."""
    values = list(inputs.values)
    at = next(
        (place for place, one in enumerate(values) if isinstance(one, str) and place > 1),
        None,
    )
    while at is not None and operation_of(values[at]) is None and at + 1 < len(values):
        at = next(
            (place for place in range(at + 1, len(values)) if isinstance(values[place], str)), None
        )
    if at is None or operation_of(values[at]) is None:
        return None
    after = dict(enumerate(values[at + 1 :]))
    group = values[at - 2]
    name, desc = (group[0], group[-1]) if isinstance(group, list) and group else (group, "")
    seq = values[at - 3] if at > 2 else None
    told: dict[str, Any] = {
        "collective_name": values[at],
        "rank": values[at - 1],
        "pg_name": name if isinstance(name, str | int) else None,
        "pg_desc": desc,
        "in_split_size": after.get(0, []),
        "out_split_size": after.get(1, []),
        "global_rank_start": after.get(2),
        "global_rank_stride": after.get(3),
        "pg_size": after.get(4),
        "seq": seq[0] if isinstance(seq, list) and seq else seq,
    }
    outside = node.get("outputs")
    outs = outside.get("shapes") if isinstance(outside, dict) else node.get("output_shapes")
    first = inputs.dims[0] if inputs.dims else []
    told["in_msg_nelems"] = sum(operators.numbers_of(first))
    told["out_msg_nelems"] = sum(operators.numbers_of(outs)) or told["in_msg_nelems"]
    told["dtype"] = operators.typed(inputs.types)[0]
    return told


def _take_groups(content: Content, at: int, node: dict[str, Any], groups: ProcessGroups) -> None:
    """Take the groups that a node lists as JSON within a text."""
    for value in _inputs(node).values:
        if not isinstance(value, str):
            continue
        try:
            entries = json.loads(value)
        except (ValueError, RecursionError) as error:
            where = f"nodes[{at}] ({_INIT})"
            raise content.fault(where, str(error), "must be a list of groups in JSON") from error
        groups.take(entries)
    for _, size, group in groups.listed.values():
        if group is not None and size is not None and group.line() == (0, 1, size):
            groups.world = max(groups.world or 0, size)
