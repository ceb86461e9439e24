"""One collective, as it was asked for: checked, hashable, and it can be run again."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Protocol, Unpack

from rainier_fast import _core
from rainier_fast.ask.cores import CoreGroups, cores_hint
from rainier_fast.ask.groups import Groups, as_groups
from rainier_fast.ask.options import OPERATIONS, Call, Choices, checked, refuse_unknown
from rainier_fast.ask.runtime import is_runtime, kind_of, runtime_of
from rainier_fast.definitions.check import as_integer
from rainier_fast.definitions.routing import DimensionOrder, RoutingRow
from rainier_fast.errors import OutOfRange, as_one_of
from rainier_fast.frozen import put
from rainier_fast.screen import one_screen
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity, parse_bytes

_MOST_SHIFT: Final = 2**62


class OwnSchedule(Protocol):
    """A `Schedule`, as far as running it goes."""

    @property
    def _core(self) -> _core.Schedule: ...

    @property
    def _name(self) -> str: ...


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
    _row: dict[str, Any] = field(init=False, repr=False, compare=False)
    # What the core takes of it whatever the size and the machine.

    def __post_init__(self) -> None:
        asked = {name: getattr(self, name) for name in ("operation", "root", "shift")}
        put(self, _row=self.row() | asked | {"orders": []})

    @property
    def kind(self) -> str:
        """What kind of number the answer is: ``"links alone"``, or ``"as neuron runs it"``."""
        return kind_of(self.algorithm if self.schedule_of_own is None else "")

    def of(self, size: float) -> Request:
        """Return the same of another size, in bytes."""
        made = object.__new__(Request)
        for take, fill in _SLOTS:
            fill(made, take(self))
        put(made, size=size)
        return made

    def outcome(self, machine: Base) -> _core.Outcome:
        """Return the core's answer on a machine."""
        row = self._routing_row(machine)
        if self.schedule_of_own is not None:
            own = self.schedule_of_own
            return own._core.run(machine._core, row, self.model, own._name)
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
        row = {**self._row, "size": self.size}
        if isinstance(self.groups, CoreGroups):
            scale, root, shift = self.groups.on_chips(self)
            row |= {"size": scale * self.size, "root": root, "shift": shift}
        if self.bucket is not None:
            row["orders"] = self.bucket.rows(machine._axis_names())
        return row

    def _routing_row(self, machine: Base) -> RoutingRow:
        # Names of axes are looked at where an order gives some.
        order = isinstance(self.routing, DimensionOrder) and self.routing.order is not None
        return self.routing.row(machine._axis_names() if order else ())


_SLOTS: Final = [
    (slot.__get__, slot.__set__)
    for slot in (getattr(Request, name) for name in Request.__dataclass_fields__)
]
"""How to read and to fill each field, without the checks of a frozen class."""


def make_request(machine: Base, operation: str, size: Quantity, **options: Unpack[Call]) -> Request:
    """Check the arguments of a collective."""
    nbytes = parse_bytes(size, "size")
    if is_runtime(options.get("algorithm")):
        options = {**options, "algorithm": runtime_of(machine)}
    try:
        if all(map(_is_plain, options.values())) and _is_plain(operation):
            return _checked_once(machine.num_chips, operation, *options.items()).of(nbytes)
        return _checked(machine.num_chips, operation, options).of(nbytes)
    except OutOfRange as error:
        group = options.get("group")
        ranks = len(group) if isinstance(group, Sized) and not isinstance(group, str) else 0
        hint = cores_hint(machine, ranks) if (error.argument or "").startswith("group") else ""
        raise (OutOfRange(f"{error}{hint}") if hint else error) from None


_PLAIN: Final = frozenset({str, int, type(None)})
"""Types of options of which equal ones are the same."""

_MOST_LETTERS: Final = 200
_MOST_KNOWN: Final = 256  # requests that were checked and may come again, of other sizes


def _is_plain(option: object) -> bool:
    kind = type(option)
    if kind is str and len(option) > _MOST_LETTERS:  # type: ignore[arg-type]
        return False  # not to be kept
    return kind in _PLAIN or (kind is Groups and not option.listed)  # type: ignore[attr-defined]


@lru_cache(_MOST_KNOWN)
def _checked_once(chips: int, operation: str, *options: tuple[str, Any]) -> Request:
    return _checked(chips, operation, dict(options))


def _checked(chips: int, operation: str, options: Mapping[str, Any]) -> Request:
    """Check all but the size."""
    refuse_unknown(options, Call.__annotations__)
    operation = as_one_of("operation", operation, OPERATIONS)
    groups = as_groups(options.get("group"), chips)
    shift = options.get("shift", int(operation == "send_recv"))  # to the next rank
    ranks = groups.members_of_each if isinstance(groups, CoreGroups) else groups.ranks
    request = Request(
        operation=operation,
        size=0.0,
        groups=groups,
        root=as_integer("root", options.get("root", 0), 0, ranks - 1),
        shift=as_integer("shift", shift, -_MOST_SHIFT, _MOST_SHIFT),
        **checked(operation, options),
    )
    if isinstance(groups, CoreGroups):
        groups.on_chips(request)
    return request
