"""Chakra's traces in JSON: a `workload_graph` of nodes, as its feeder reads them."""

from __future__ import annotations

from typing import Any, Final

from rainier_fast.astra_sim.programs import of_rows
from rainier_fast.errors import InvalidArgument, shown
from rainier_fast.program import Program

_MOST: Final = 2**63 - 1
_INT64: Final = 9
_NUMBERS: Final = (
    "num_ops", "tensor_size", "comm_type", "comm_size", "comm_src", "comm_dst", "comm_tag",
)  # fmt: skip
_TEXTS: Final = ("pg_name", "dtype")


def of_json(found: Any, name: str, rank: int | None = None) -> Program:  # noqa: ANN401
    """Return the program of a graph that was read from JSON.

    Raises
    ------
    InvalidArgument
        If a node is none, or has the number of another; it is named by its place.
    """
    graph = found.get("workload_graph") if isinstance(found, dict) else None
    if not isinstance(graph, list):
        raise InvalidArgument(f"{name}, workload_graph: got {shown(graph)}, must be a list")
    rows = [_row(node, f"{name}, workload_graph[{at}]", at) for at, node in enumerate(graph)]
    numbers = {row[0] for row in rows}
    if len(numbers) < len(rows):
        raise InvalidArgument(f"{name}, Id: got a number twice, must number its nodes")
    missing = sum(
        parent not in numbers for row in rows for parents in row[3:5] for parent in parents
    )
    return of_rows(rows, ("in JSON", missing, _circle(rows)), name, rank)


def _row(node: Any, where: str, at: int) -> tuple[Any, ...]:  # noqa: ANN401
    if not isinstance(node, dict):
        raise InvalidArgument(f"{where}: got {shown(node)}, must be an object")

    def whole(key: str, default: int | None = None) -> int:
        value = node.get(key, default)
        if type(value) is not int or not 0 <= value <= _MOST:
            raise InvalidArgument(
                f"{where}, {key}: got {shown(value)}, must be a whole number >= 0"
            )
        return value

    def waits(*keys: str) -> list[int]:
        values: Any = next((node[key] for key in keys if key in node), [])
        good = isinstance(values, list) and all(type(one) is int and one >= 0 for one in values)
        if not good:
            raise InvalidArgument(f"{where}, {keys[0]}: got {shown(values)}, must be numbers")
        return list(values)

    attributes: list[tuple[str, str, int, Any]] = [
        (key, "", _INT64, whole(key)) for key in _NUMBERS if key in node
    ]
    attributes += [(key, "", 29, str(node[key])) for key in _TEXTS if key in node]
    attributes.append(("is_cpu_op", "", 27, bool(node.get("is_cpu_op", False))))
    title = node.get("Name", "")
    if not isinstance(title, str):
        raise InvalidArgument(f"{where}, Name: got {shown(title)}, must be text")
    return (
        whole("Id"), title, whole("NodeType"), waits("ctrlDeps", "ctrl_deps"), waits("data_deps"),
        0, whole("runtime", 0), None, None, attributes, at,
    )  # fmt: skip


def _circle(rows: list[tuple[Any, ...]]) -> tuple[int, int] | None:
    """Return a node in, or behind, a circle of waits, and how many such nodes there are."""
    places = {row[0]: at for at, row in enumerate(rows)}
    children: list[list[int]] = [[] for _ in rows]
    left = [0] * len(rows)
    for at, row in enumerate(rows):
        for parent in (*row[3], *row[4]):
            if parent in places:
                children[places[parent]].append(at)
                left[at] += 1
    free = [at for at, count in enumerate(left) if count == 0]
    for at in free:
        for child in children[at]:
            left[child] -= 1
            if left[child] == 0:
                free.append(child)
    stuck = [row[0] for at, row in enumerate(rows) if left[at]]
    return (stuck[0], len(stuck)) if stuck else None
