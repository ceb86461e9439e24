"""One collective, as it was asked for: checked, hashable, and it can be run again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from rainier_fast import _core
from rainier_fast.ask.groups import Groups, as_groups
from rainier_fast.definitions.bucket import Bucket
from rainier_fast.definitions.check import (
    MAX_COUNT,
    as_count,
    as_integer,
    as_items,
    as_name,
    as_one_of,
)
from rainier_fast.definitions.routing import Policy, Routing, RoutingRow, as_routing, routing_row
from rainier_fast.errors import invalid, invalid_type, unknown
from rainier_fast.screen import one_screen
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity, parse_bytes

__all__ = ["MODELS", "OPERATIONS", "Algorithm", "Request", "algorithms", "make_request"]

OPERATIONS: Final = _core.OPERATIONS
"""Every collective."""

MODELS: Final = _core.MODELS
"""How contention may be modelled."""

Algorithm: TypeAlias = str | Bucket | Sequence[str | Bucket]
"""A name, ``"auto"``, a `Bucket`, or these by tier for a hierarchical schedule."""

_MOST_SHIFT: Final = 2**62


class OwnSchedule(Protocol):
    """A `Schedule`, as far as running it goes."""

    @property
    def _core(self) -> _core.Schedule: ...


@one_screen
@dataclass(frozen=True, slots=True)
class Request:
    """A collective as it was asked for, with the arguments of `Machine.all_reduce` and its kin."""

    operation: str
    size: float
    groups: Groups
    routing: Policy
    root: int
    shift: int
    algorithm: str | tuple[str, ...]
    model: str
    chunks: int | None
    bucket: Bucket | None = None
    schedule_of_own: OwnSchedule | None = None
    """A schedule that is run in place of an algorithm's."""

    def outcome(self, machine: Base) -> _core.Outcome:
        """Return the core's answer on a machine."""
        row = self._routing_row(machine)
        if self.schedule_of_own is not None:
            return self.schedule_of_own._core.play(machine._core, row, self.model)
        groups = self.groups.core(machine._core)
        return machine._core.collective(self._core_row(machine), groups, row, self.model)

    def schedule(self, machine: Base) -> tuple[str, _core.Schedule]:
        """Return the name of the algorithm and the core's schedule on a machine."""
        groups = self.groups.core(machine._core)
        return machine._core.schedule(self._core_row(machine), groups, self._routing_row(machine))

    def _core_row(self, machine: Base) -> _core._RequestRow:
        return (
            self.operation,
            self.size,
            self.root,
            self.shift,
            self._names(),
            self.chunks,
            self._orders(machine),
        )

    def _names(self) -> str | list[str]:
        return self.algorithm if isinstance(self.algorithm, str) else list(self.algorithm)

    def _orders(self, machine: Base) -> list[tuple[list[int], float]]:
        return [] if self.bucket is None else self.bucket.rows(_axes(machine))

    def _routing_row(self, machine: Base) -> RoutingRow:
        return routing_row(self.routing, _axes(machine))


def _axes(machine: Base) -> list[str]:
    return [axis.name for axis in machine.ultraserver.axes]


def make_request(
    machine: Base,
    operation: str,
    size: Quantity,
    group: object,
    algorithm: Algorithm,
    model: str,
    routing: Routing,
    chunks: int | None,
    root: int,
    shift: int,
) -> Request:
    """Check the arguments of a collective."""
    operation = as_one_of("operation", operation, OPERATIONS)
    nbytes = parse_bytes(size, "size")
    groups = as_groups(group, machine)
    model = as_one_of("model", model, MODELS)
    names, bucket = _algorithm(algorithm, operation)
    return Request(
        operation,
        nbytes,
        groups,
        as_routing(routing),
        as_integer("root", root, 0, groups.ranks - 1),
        as_integer("shift", shift, -_MOST_SHIFT, _MOST_SHIFT),
        names,
        model,
        None if chunks is None else as_count("chunks", chunks, MAX_COUNT),
        bucket,
    )


def algorithms(operation: str | None = None) -> dict[str, str]:
    """Return the algorithms that collectives may name.

    Parameters
    ----------
    operation
        Only those that do this operation, such as ``"all_reduce"``; None for all of them.

    Returns
    -------
    dict of str to str
        Names and one line each. ``"auto"``, the default, is the fastest of them but ``"nccl"``,
        ``"neuron"`` and ``"synthesized"``, which run only when named.

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
    if operation is not None:
        operation = as_one_of("operation", operation, OPERATIONS)
    return {name: line for name, line, _ in _core.algorithms(operation)}


def _algorithm(algorithm: object, operation: str) -> tuple[str | tuple[str, ...], Bucket | None]:
    """Return names, and the weights of a bucket if there are any."""
    allowed = "must be the name of an algorithm, 'auto', or a sequence of names, one for each tier"
    if isinstance(algorithm, Bucket):
        return "bucket", algorithm
    if isinstance(algorithm, str):
        named = str.__str__(algorithm)
        if named not in ("auto", *algorithms()):
            raise unknown("algorithm", named, ["auto", *algorithms(operation)])
        return named, None
    by_tier = as_items("algorithm", algorithm, allowed)
    for at, name in enumerate(by_tier):
        if not isinstance(name, (str, Bucket)):
            raise invalid_type(f"algorithm[{at}]", name, "must be the name of an algorithm")
    if not by_tier:
        raise invalid("algorithm", algorithm, allowed)
    buckets = {name for name in by_tier if isinstance(name, Bucket)}
    if len(buckets) > 1:
        raise invalid("algorithm", algorithm, "may give weights of one Bucket only")
    names = [
        as_name("algorithm", "bucket" if isinstance(name, Bucket) else name) for name in by_tier
    ]
    return tuple(names), next(iter(buckets), None)
