"""One collective, as it was asked for: checked, hashable, and it can be run again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol, Unpack

from rainier_fast import _core
from rainier_fast.ask.groups import Groups, as_groups
from rainier_fast.ask.options import OPERATIONS, Call, Choices, checked, refuse_unknown
from rainier_fast.definitions.check import as_integer
from rainier_fast.definitions.routing import RoutingRow
from rainier_fast.errors import as_one_of
from rainier_fast.screen import one_screen
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity, parse_bytes

_MOST_SHIFT: Final = 2**62


class OwnSchedule(Protocol):
    """A `Schedule`, as far as running it goes."""

    @property
    def _core(self) -> _core.Schedule: ...


@one_screen
@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Choices):
    """A collective as it was asked for, with the arguments of `Machine.all_reduce` and its kin."""

    operation: str
    size: float
    groups: Groups
    root: int
    shift: int
    schedule_of_own: OwnSchedule | None = None
    """A schedule that is run in place of an algorithm's."""

    def outcome(self, machine: Base) -> _core.Outcome:
        """Return the core's answer on a machine."""
        row = self._routing_row(machine)
        if self.schedule_of_own is not None:
            return self.schedule_of_own._core.run(machine._core, row, self.model)
        groups = self.groups.core(machine._core)
        return machine._core.collective(self._core_row(machine), groups, row)

    def candidates(self, machine: Base) -> _core.Tables:
        """Return the core's table of all that it considers for the answer on a machine."""
        groups = self.groups.core(machine._core)
        return machine._core.candidates(self._core_row(machine), groups, self._routing_row(machine))

    def schedule(self, machine: Base) -> tuple[str, _core.Schedule]:
        """Return the name of the algorithm and the core's schedule on a machine."""
        groups = self.groups.core(machine._core)
        return machine._core.schedule(self._core_row(machine), groups, self._routing_row(machine))

    def _core_row(self, machine: Base) -> dict[str, Any]:
        return self.row() | {
            "operation": self.operation,
            "size": self.size,
            "root": self.root,
            "shift": self.shift,
            "orders": [] if self.bucket is None else self.bucket.rows(machine._axis_names()),
        }

    def _routing_row(self, machine: Base) -> RoutingRow:
        return machine._routing(self.routing)


def make_request(machine: Base, operation: str, size: Quantity, **options: Unpack[Call]) -> Request:
    """Check the arguments of a collective."""
    refuse_unknown(options, Call.__annotations__)
    operation = as_one_of("operation", operation, OPERATIONS)
    nbytes = parse_bytes(size, "size")
    groups = as_groups(options.get("group"), machine)
    shift = options.get("shift", int(operation == "send_recv"))  # to the next rank
    return Request(
        operation=operation,
        size=nbytes,
        groups=groups,
        root=as_integer("root", options.get("root", 0), 0, groups.ranks - 1),
        shift=as_integer("shift", shift, -_MOST_SHIFT, _MOST_SHIFT),
        **checked(operation, options),
    )
