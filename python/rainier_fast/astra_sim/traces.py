"""Chakra's execution traces to nodes and back: et_def.proto 0.0.4 in protobuf, and JSON."""

from __future__ import annotations

import json
from typing import Any, Final

from rainier_fast import _core
from rainier_fast.astra_sim.nodes import COLLECTIVES, Node
from rainier_fast.errors import InvalidArgument, shown

VERSION: Final = "0.0.4"
_TYPES: Final = {
    "all_reduce": 0, "reduce": 1, "all_gather": 2, "gather": 3, "scatter": 4, "broadcast": 5,
    "all_to_all": 6, "reduce_scatter": 7, "reduce_scatter_block": 8, "barrier": 9,
}  # fmt: skip
BY_TYPE: Final = {number: name for name, number in _TYPES.items()}
_INT64: Final = 9
_UINT64: Final = 13
_BOOL: Final = 27
_BOOLS: Final = 28
_TEXT: Final = 29
_MOST: Final = 2**64 - 1
_MOST_SIGNED: Final = 2**63 - 1


def read_nodes(data: bytes, name: str) -> tuple[Node, ...]:
    """Return the nodes of a trace in protobuf, numbered from 0 in the order of their numbers.

    Raises
    ------
    InvalidArgument
        If it is none, with the byte at which it is wrong; if a node lacks what its kind needs.
    """
    _, _, rows, missing, circle = _core.read_chakra(data, name)
    if missing:
        raise InvalidArgument(
            f"{name}: got {missing} waits for nodes that are not there, must have all its nodes"
        )
    if circle is not None:
        raise InvalidArgument(
            f"{name}, node {circle[0]}: got a circle of nodes that wait for each other, in or "
            f"behind which are {circle[1]}; no simulator can run it"
        )
    # Numbers of nodes only order them: ranks whose traces differ by no more have the same.
    nodes = sorted(_node(row, name) for row in rows)
    places = {node.id: at for at, node in enumerate(nodes)}
    return tuple(
        node._replace(id=at, waits=tuple(places[one] for one in node.waits))
        for at, node in enumerate(nodes)
    )


def _node(row: tuple[Any, ...], name: str) -> Node:
    number, title, kind, control, data, _, micros, inputs, _, attributes, offset = row
    found = {one[0]: one[3] for one in attributes}
    where = f"{name}, byte {offset}, node {number}"

    def value(key: str, default: int | None = None) -> int:
        got = found.get(key, default)
        if type(got) is not int or not 0 <= got <= _MOST:
            raise InvalidArgument(f"{where}, {key}: got {shown(got)}, must be a whole number")
        return got

    rest: dict[str, Any] = {}
    if kind in (2, 3):
        rest = {"kind": "memory", "numbers": (value("tensor_size"),)}
    elif kind == 4:
        work: tuple[int, ...] = ()
        if "num_ops" in found and "tensor_size" in found:
            work = (value("num_ops"), value("tensor_size"))
        rest = {"kind": "compute", "numbers": work}
    elif kind in (5, 6):
        peer = value("comm_dst" if kind == 5 else "comm_src")
        numbers = (peer, value("comm_size"), value("comm_tag"))
        rest = {"kind": "send" if kind == 5 else "receive", "numbers": numbers}
    elif kind == 7:
        rest = _collective(found, where, value)
    elif kind == 1:
        rest = {"kind": "groups", "groups": _groups(inputs, where)}
    elif kind != 0:
        raise InvalidArgument(f"{where}: got kind {kind}, must be 0 to 7")
    host = found.get("is_cpu_op", False)
    if type(host) not in (bool, int):
        raise InvalidArgument(f"{where}, is_cpu_op: got {shown(host)}, must be true or false")
    waits = tuple(dict.fromkeys((*control, *data)))
    dtype = found.get("dtype", "")
    rest["dtype"] = dtype if isinstance(dtype, str) else ""
    return Node(number, waits, micros, bool(host), name=title, **rest)


def _collective(found: dict[str, Any], where: str, value: Any) -> dict[str, Any]:  # noqa: ANN401
    kind = BY_TYPE.get(value("comm_type"))
    if kind not in (*COLLECTIVES, "broadcast"):
        got = kind or found["comm_type"]
        raise InvalidArgument(
            f"{where}, comm_type: got {got}, must be one that ASTRA-sim runs: "
            f"{', '.join(COLLECTIVES)}, broadcast"
        )
    if kind == "broadcast":
        return {"kind": kind}
    involved = found.get("involved_dim")
    if involved is not None and not isinstance(involved, list):
        raise InvalidArgument(f"{where}, involved_dim: got {shown(involved)}, must be a list")
    group = str(found.get("pg_name", ""))
    if group not in ("", "0") and not group.lstrip("-").isdigit():
        raise InvalidArgument(f"{where}, pg_name: got {shown(group)}, must be a number")
    return {
        "kind": kind,
        "numbers": (value("comm_size"), value("comm_priority", 0)),
        "involved": None if involved is None else tuple(map(bool, involved)),
        "group": None if group in ("", "0") else int(group),
    }


def _groups(inputs: tuple[str, str, str] | None, where: str) -> tuple[Any, ...]:
    """Return the groups that a node of metadata names, as PyTorch's converter writes them."""
    text = inputs[0] if inputs else ""
    if len(text) < 4:
        return ()
    try:
        rows = json.loads(text[2:-2])
        return tuple((int(row["pg_name"]), tuple(row["ranks"])) for row in rows)
    except (ValueError, KeyError, TypeError, RecursionError):
        # The peer says so on its screen and goes on without.
        return ()


def write_nodes(nodes: tuple[Node, ...], rank: int) -> bytes:
    """Return the trace of a rank in protobuf."""
    rows = [_row(node, rank) for node in nodes]
    return bytes(_core.write_chakra(VERSION, [], rows))


def _row(node: Node, rank: int) -> tuple[Any, ...]:
    def size(key: str, number: int) -> tuple[str, str, int, int]:
        return key, "", _INT64 if number <= _MOST_SIGNED else _UINT64, number

    attributes: list[tuple[str, str, int, Any]] = [("is_cpu_op", "", _BOOL, node.host)]
    inputs = None
    kind = {"skip": 0, "groups": 1, "memory": 2, "compute": 4, "send": 5, "receive": 6}.get(
        node.kind, 7
    )
    if kind == 7:
        attributes.append(size("comm_type", _TYPES[node.kind]))
    if node.dtype:
        attributes.append(("dtype", "", _TEXT, node.dtype))
    if kind == 7 and node.numbers:
        attributes += [size("comm_size", node.numbers[0])]
        if node.numbers[1]:
            attributes.append(size("comm_priority", node.numbers[1]))
        if node.involved is not None:
            attributes.append(("involved_dim", "", _BOOLS, list(node.involved)))
        if node.group is not None:
            attributes.append(("pg_name", "", _TEXT, str(node.group)))
    elif kind in (5, 6):
        peer, count, tag = node.numbers
        ends = (rank, peer) if kind == 5 else (peer, rank)
        for key, number in zip(
            ("comm_src", "comm_dst", "comm_size", "comm_tag"), (*ends, count, tag), strict=True
        ):
            attributes.append(size(key, number))
    elif kind == 4 and node.numbers:
        attributes += [size("num_ops", node.numbers[0]), size("tensor_size", node.numbers[1])]
    elif kind == 2:
        attributes.append(size("tensor_size", node.numbers[0]))
    elif kind == 1:
        rows = [{"pg_name": str(name), "ranks": list(ranks)} for name, ranks in node.groups]
        inputs = (f"['{json.dumps(rows)}']", "", "")
    return (
        node.id, node.name, kind, [], list(node.waits), 0, node.micros, inputs, None, attributes, 0,
    )  # fmt: skip
