"""One collective, as it was asked for: checked, hashable, and it can be run again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from rainier_fast import _core
from rainier_fast.definitions.check import MAX_COUNT, as_count, as_integer
from rainier_fast.definitions.routing import (
    DimensionOrder,
    MinimalAdaptive,
    Routing,
    Valiant,
    as_routing,
    routing_row,
)
from rainier_fast.errors import invalid, invalid_type, unknown
from rainier_fast.machine.groups import Groups, as_groups
from rainier_fast.units import Quantity, parse_bytes

if TYPE_CHECKING:
    from rainier_fast.machine.machine import Machine
    from rainier_fast.results.collective import CollectiveResult

__all__ = ["MODELS", "OPERATIONS", "Algorithm", "Request", "algorithms", "run"]

OPERATIONS: Final = (
    "all_reduce",
    "reduce_scatter",
    "all_gather",
    "all_to_all",
    "broadcast",
    "reduce",
    "gather",
    "scatter",
    "send_recv",
    "barrier",
)
"""Every collective."""

MODELS: Final = ("link_load", "alpha_beta")
"""How contention may be modelled."""

Algorithm: TypeAlias = str | Sequence[str]
"""A name, ``"auto"``, or names by tier for a hierarchical schedule."""

_HIERARCHICAL: Final = (
    "an algorithm on each tier (UltraServer, site, WAN), chunks pipelined through"
)
_MOST_SHIFT: Final = 2**62


@dataclass(frozen=True, slots=True)
class Request:
    """A collective as it was asked for, with the arguments of `Machine.all_reduce` and its kin."""

    operation: str
    size: float
    groups: Groups
    routing: DimensionOrder | MinimalAdaptive | Valiant
    root: int
    shift: int
    algorithm: str | tuple[str, ...]
    model: str
    chunks: int | None

    def outcome(self, machine: Machine) -> _core.Outcome:
        """Return the core's answer on a machine."""
        names = self.algorithm if isinstance(self.algorithm, str) else list(self.algorithm)
        axes = [axis.name for axis in machine.ultraserver.axes]
        return machine._core.collective(
            self.operation,
            self.size,
            self.groups.core(machine._core),
            routing_row(self.routing, axes),
            self.root,
            self.shift,
            names,
            self.model,
            self.chunks,
        )


def run(
    machine: Machine,
    operation: str,
    size: Quantity,
    group: object = None,
    algorithm: Algorithm = "auto",
    model: str = "link_load",
    routing: Routing = "dor",
    chunks: int | None = None,
    *,
    root: int = 0,
    shift: int = 0,
) -> CollectiveResult:
    """Check the arguments of a collective, run it, and return what a user reads.

    Raises
    ------
    RainierError
        If an argument is not usable (the message names it) or a combination has no model.

    Examples
    --------
    >>> from rainier_fast import torus
    >>> run(torus((4,), bandwidth="50 GB/s"), "all_reduce", 1000).ranks
    4
    """
    from rainier_fast.results.collective import CollectiveResult

    nbytes = parse_bytes(size, "size")
    groups = as_groups(group, machine)
    if not isinstance(model, str) or model not in MODELS:
        raise unknown("model", model, MODELS)
    request = Request(
        operation,
        nbytes,
        groups,
        as_routing(routing),
        as_integer("root", root, 0, groups.ranks - 1),
        as_integer("shift", shift, -_MOST_SHIFT, _MOST_SHIFT),
        _algorithm(algorithm, operation),
        model,
        None if chunks is None else as_count("chunks", chunks, MAX_COUNT),
    )
    return CollectiveResult._of(machine, request, request.outcome(machine))


def algorithms(operation: str | None = None) -> dict[str, str]:
    """Return the algorithms that collectives may name.

    Parameters
    ----------
    operation
        Only those that do this operation, such as ``"all_reduce"``; None for all of them.

    Returns
    -------
    dict of str to str
        Names and one line each. ``"auto"``, the default, is the fastest of them
        but for ``"neuron"``, which counts more than the network and runs only when named.

    Raises
    ------
    UnknownName
        If there is no such operation.
    InvalidType
        If it is not text.

    Examples
    --------
    >>> "ring" in algorithms("all_reduce")
    True
    """
    if operation is not None and not isinstance(operation, str):
        raise invalid_type("operation", operation, "must be text or None")
    if operation is not None and operation not in OPERATIONS:
        raise unknown("operation", operation, OPERATIONS)
    # A barrier runs as an all-reduce of nothing.
    known = _core.algorithms("all_reduce" if operation == "barrier" else operation)
    rows = {name: line for name, line, _ in known}
    if operation not in ("send_recv", "barrier"):
        rows.setdefault("hierarchical", _HIERARCHICAL)
    line, does = _core.neuron_algorithm()
    if operation in (None, "barrier", *does):
        rows.setdefault("neuron", line)
    return rows


def _algorithm(algorithm: object, operation: str) -> str | tuple[str, ...]:
    allowed = "must be the name of an algorithm, 'auto', or a sequence of names, one for each tier"
    if isinstance(algorithm, str):
        names = ["auto", "hierarchical", "neuron", *(name for name, _, _ in _core.algorithms(None))]
        if algorithm not in names:
            raise unknown("algorithm", algorithm, ["auto", *algorithms(operation)])
        return algorithm
    if not isinstance(algorithm, Sequence) or isinstance(algorithm, bytes):
        raise invalid_type("algorithm", algorithm, allowed)
    for at, name in enumerate(algorithm):
        if not isinstance(name, str):
            raise invalid_type(f"algorithm[{at}]", name, "must be the name of an algorithm")
    if not algorithm:
        raise invalid("algorithm", algorithm, allowed)
    return tuple(algorithm)
