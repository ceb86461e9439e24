"""Programs of Chakra's traces, and traces of programs."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from rainier_fast import _core
from rainier_fast.astra_sim.nodes import Node
from rainier_fast.astra_sim.traces import BY_TYPE, write_nodes
from rainier_fast.definitions.check import as_integer
from rainier_fast.errors import InvalidArgument, Unsupported, invalid_type, shown
from rainier_fast.memory import reckon
from rainier_fast.program import Program, ProgramCollective, ProgramGroups

_SENDS: Final = {5: ("send", "comm_dst"), 6: ("recv", "comm_src")}
_SAME: Final = ("all_reduce", "all_to_all", "broadcast", "reduce")
_KERNELS: Final = {
    "AllReduce": "all_reduce", "AllGather": "all_gather", "ReduceScatter": "reduce_scatter",
    "Broadcast": "broadcast", "Reduce": "reduce",
}  # fmt: skip
_KERNEL: Final = re.compile(
    r"nccl(?:Dev)?Kernel_(AllReduce|AllGather|ReduceScatter|Broadcast|Reduce)_"
)
_MOST_NODES: Final = 2**24
_NODE_BYTES: Final = 600


def of_chakra(data: bytes, name: str, rank: int | None = None) -> Program:
    """Return the program of a rank's trace in protobuf: collectives and messages in order.

    Raises
    ------
    InvalidArgument
        If it is none, with the byte at which it is wrong.
    """
    version, _, rows, missing, circle = _core.read_chakra(data, name)
    return of_rows(rows, (version, missing, circle), name, rank)


def of_rows(
    rows: list[tuple[Any, ...]],
    about: tuple[str, int, tuple[int, int] | None],
    name: str,
    rank: int | None,
) -> Program:
    """Return the program of nodes: `about` has version, missing waits, and a node in a circle."""
    version, missing, circle = about
    named = _named_groups(rows)
    rows.sort(key=lambda row: row[5])
    found: list[ProgramCollective] = []
    labels = 0
    flops: float | None = 0.0
    nbytes: float | None = 0.0
    for row in rows:
        attributes = {one[0]: one[3] for one in row[9]}
        if row[2] == 4:
            flops = _more(flops, attributes.get("num_ops"))
            nbytes = _more(nbytes, attributes.get("tensor_size"))
        elif row[2] in (5, 6, 7) and "comm_type" not in attributes and attributes.get("is_cpu_op"):
            labels += 1
        elif row[2] in (5, 6, 7):
            made = _collective(row, attributes, named, name)
            found.append(_between(made, flops, nbytes))
            flops, nbytes = 0.0, 0.0
    notes = [f"{len(rows) - len(found):,} of {len(rows):,} nodes are no communication"]
    if labels:
        notes.append(f"{labels:,} nodes of the host, which launch collectives, are passed over")
    if circle is not None:
        what = f"node {circle[0]} and others, {circle[1]:,} in all, wait in or behind a circle"
        notes.append(f"{what}: no simulator can run this trace")
    if missing:
        notes.append(f"{missing:,} waits are for nodes that the trace does not have")
    if any(one.groups is None for one in found):
        notes.append("groups that no metadata names are unknown: all ranks, unless a file says so")
    says = f" {version}" if version else ""
    source = f"a Chakra execution trace{says} of {len(rows):,} nodes from {name}"
    return Program(tuple(found), None, rank, source, tuple(notes))


def _more(total: float | None, more: Any) -> float | None:  # noqa: ANN401 - as the file has it
    if total is None or type(more) not in (int, float) or more < 0:
        return None
    return float(total + more)


def _between(made: dict[str, Any], flops: float | None, nbytes: float | None) -> ProgramCollective:
    known = flops is not None and nbytes is not None and flops + nbytes > 0
    return ProgramCollective(
        **made, after_flops=flops if known else None, after_bytes=nbytes if known else None
    )


def _collective(
    row: tuple[Any, ...], attributes: dict[str, Any], named: dict[str, tuple[int, ...]], name: str
) -> dict[str, Any]:
    number, title, kind, *_ = row
    where = f"{name}, byte {row[10]}, node {number}"
    size = _whole(attributes, "comm_size", where)
    made: dict[str, Any] = {"name": title or f"node {number}", "notes": ()}
    if row[6]:
        made |= {"start_s": row[5] * 1e-6, "duration_s": row[6] * 1e-6}
    if isinstance(attributes.get("dtype"), str):
        made["dtype"] = attributes["dtype"]
    if kind in _SENDS:
        op, key = _SENDS[kind]
        made |= {"op": op, "peer": _whole(attributes, key, where)}
        return made | ({"bytes_in": size} if op == "send" else {"bytes_out": size})
    code = _whole(attributes, "comm_type", where)
    kernel = _KERNEL.search(title)
    if code is None and kernel is not None:
        op, made["original"] = _KERNELS[kernel[1]], kernel[0]
        made["notes"] = ("the operation is that of its kernel's name",)
        return made | {"op": op} | _sizes(op, size, None)
    op = BY_TYPE.get(-1 if code is None else code, "")
    if op not in BY_TYPE.values():
        raise InvalidArgument(f"{where}, comm_type: got {code}, must be 0 to 9")
    op = op.removesuffix("_block")
    group = str(attributes.get("pg_name", ""))
    ranks = named.get(group)
    members = len(ranks) if ranks else None
    made |= {"op": op, "original": f"comm_type {code}"}
    if ranks:
        made["groups"] = ProgramGroups.own(ranks)
    elif group not in ("", "0"):
        made["notes"] = (f"group {shown(group)}: its ranks are in the file of groups",)
    return made | _sizes(op, size, members)


def _sizes(op: str, size: int | None, members: int | None) -> dict[str, Any]:
    if size is None or op == "barrier":
        return {}
    if op in _SAME:
        return {"bytes_in": size, "bytes_out": size}
    part = None if members is None else size // members
    whole = None if members is None else size * members
    if op in ("all_gather", "gather"):
        return {"bytes_in": size, "bytes_out": whole}
    return {"bytes_in": size, "bytes_out": part}


def _whole(attributes: dict[str, Any], key: str, where: str) -> int | None:
    value = attributes.get(key)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < 2**63:
        raise InvalidArgument(f"{where}, {key}: got {shown(value)}, must be a whole number >= 0")
    return value


def _named_groups(rows: list[tuple[Any, ...]]) -> dict[str, tuple[int, ...]]:
    """Return the ranks of groups by name, from metadata as PyTorch's converter writes it."""
    found: dict[str, tuple[int, ...]] = {}
    for row in rows:
        text = row[7][0] if row[2] in (0, 1) and row[7] else ""
        if '"pg_name"' not in text:
            continue
        try:
            for one in json.loads(text[2:-2]):
                ranks = tuple(one["ranks"])
                if ranks and all(type(rank) is int and rank >= 0 for rank in ranks):
                    found[str(one["pg_name"])] = ranks
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return found


def chakra(program: Program, rank: int | None = None) -> bytes:
    """Return the Chakra trace of one rank of a program: protobuf, as its feeders read it.

    Parameters
    ----------
    program
        The program. Loops are written out; groups are named in a node of metadata.
    rank
        Whose trace; None for the one that was recorded, or 0.

    Returns
    -------
    bytes
        What a file ``name.{rank}.et`` holds.

    Raises
    ------
    Unsupported
        If the program does not say bytes, groups or how often a loop runs, or has an operation that
        Chakra has no word for.

    Examples
    --------
    >>> from rainier_fast import Program, ProgramCollective, ProgramGroups, read
    >>> one = ProgramCollective("ar", "all_reduce", 8, 8, "bf16", ProgramGroups.everyone(4))
    >>> print(read(chakra(Program((one,), 4)))[0])
    all_reduce of 8 B bf16 over unknown ranks
    """
    if not isinstance(program, Program):
        raise invalid_type("program", program, "must be a Program")
    own = program.rank or 0 if rank is None else rank
    own = as_integer("rank", own, 0, (program.world or 2**31) - 1)
    numbers: dict[tuple[int, ...], int] = {}
    nodes = nodes_of(program, own, numbers)
    if numbers:
        names = tuple((number, ranks) for ranks, number in numbers.items())
        first = Node(len(nodes), kind="groups", groups=names, name="process_group:init")
        nodes = (*nodes, first)
    return write_nodes(nodes, own)


def nodes_of(program: Program, rank: int, numbers: dict[tuple[int, ...], int]) -> tuple[Node, ...]:
    """Return what a rank runs of a program; groups get the next number each."""
    runs = 0
    for one in program:
        if one.count is None:
            raise Unsupported(f"collective {shown(one.name)}: got a loop of unknown length; say it")
        runs += one.count
    most = min(runs, _MOST_NODES) * 3
    reckon(_NODE_BYTES * most, f"the nodes of {runs:,} collectives", "give a shorter program")
    nodes: list[Node] = []
    last: tuple[int, ...] = ()
    late: dict[int, tuple[int, ...]] = {}
    for at, one in enumerate(program):
        for _ in range(one.count or 0):
            waits = (*last, *late.pop(at, ()))
            flops, nbytes = one.after_flops, one.after_bytes
            if flops and nbytes:
                work = (round(flops), round(nbytes))
                nodes.append(Node(len(nodes), waits, kind="compute", numbers=work, name="compute"))
                waits = (len(nodes) - 1,)
            made = _written(one, rank, at, (program, numbers))
            places = tuple(range(len(nodes), len(nodes) + len(made)))
            nodes += [
                node._replace(id=place, waits=waits)
                for place, node in zip(places, made, strict=True)
            ]
            if one.asynchronous and one.waited_by is not None and one.waited_by > at:
                late[one.waited_by] = (*late.get(one.waited_by, ()), *places)
                last = waits
            else:
                last = places or waits
    return tuple(nodes)


def _written(
    one: ProgramCollective,
    rank: int,
    at: int,
    around: tuple[Program, dict[tuple[int, ...], int]],
) -> list[Node]:
    """Return a rank's nodes of one collective, none where it takes no part."""
    program, numbers = around
    name, dtype = one.name, one.dtype or ""

    def sized(value: int | None) -> int:
        if value is None:
            raise Unsupported(f"collective {shown(name)}: got unknown bytes, which traces need")
        return value

    if one.op == "collective_permute":
        if one.groups is None or one.groups.kind != "pairs":
            raise Unsupported(f"collective {shown(name)}: got a permute without its pairs")
        pairs = one.groups.to_pairs()
        sends = [("send", dst, one.bytes_in) for src, dst in pairs if src == rank != dst]
        takes = [("receive", src, one.bytes_in) for src, dst in pairs if dst == rank != src]
        return [
            Node(0, kind=kind, numbers=(peer, sized(size), at), name=name, dtype=dtype)
            for kind, peer, size in (*sends, *takes)
        ]
    if one.op in ("send", "recv"):
        if one.peer is None:
            raise Unsupported(f"collective {shown(name)}: got an unknown peer, which traces need")
        members = _members(one, rank, program)
        peer = one.peer if members is None else members[one.peer]
        kind, size = ("send", one.bytes_in) if one.op == "send" else ("receive", one.bytes_out)
        return [Node(0, kind=kind, numbers=(peer, sized(size), at), name=name, dtype=dtype)]
    if one.op not in BY_TYPE.values():
        raise Unsupported(f"collective {shown(name)}: got {one.op}, which Chakra has no word for")
    members = _members(one, rank, program)
    if members is not None and rank not in members:
        return []
    group = None if members is None else numbers.setdefault(members, len(numbers) + 1)
    size = 0 if one.op == "barrier" else sized(one.bytes_in)
    return [Node(0, kind=one.op, numbers=(size, 0), group=group, name=name, dtype=dtype)]


def _members(one: ProgramCollective, rank: int, program: Program) -> tuple[int, ...] | None:
    """Return the ranks of the group that a rank is in; None for all ranks."""
    groups = one.groups
    if groups is None or groups.kind == "everyone" or groups.size == program.world:
        return None
    if groups.kind == "own group" and rank != (program.rank or 0):
        what = f"collective {shown(one.name)}: got the group of rank {program.rank or 0} alone"
        raise Unsupported(f"{what}; give all groups, or that rank")
    for members in groups.to_lists():
        if rank in members:
            return tuple(members)
    return (2**31,)
