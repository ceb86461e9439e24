"""What a stack makes of the sizes it is given: axes by name, each made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any, Final, TypeAlias

from rainier_fast.ask.groups import Groups
from rainier_fast.workload.orders.view import Digit, Ranks, View, listed

_MOST_LISTED: Final = 2**16  # ranks, for a line on screen


@dataclass(frozen=True, slots=True)
class Line:
    """Groups along some axes of a view."""

    view: View
    names: tuple[str, ...]
    lines: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Ranks in each group."""
        return self.view.size(self.names)

    @property
    def count(self) -> int:
        """How many groups there are."""
        return self.view.world // self.size

    def digit(self) -> Digit | None:
        """Return the digit of rank numbers that it is, if it is one."""
        return self.view.digit(self.names)

    def first(self, most: int) -> list[int]:
        """Return the first ranks of the first group, at most so many."""
        return self.view.first(self.names, most)

    def groups(self) -> Groups:
        """Return all its groups."""
        return self.view.groups(self.names, self.lines)


@dataclass(frozen=True, slots=True)
class Derived:
    """Groups made of the groups of other axes."""

    source: Line | Derived
    change: Callable[[Ranks], Ranks]
    size: int
    count: int

    def digit(self) -> Digit | None:
        """Return None: such groups are listed."""
        return None

    def first(self, most: int) -> list[int]:
        """Return the first ranks of the first group, none where that would list very many."""
        if self.size * self.count > _MOST_LISTED:
            return []
        return [int(rank) for rank in self.groups().members(0)[:most]]

    def groups(self) -> Groups:
        """Return all its groups."""
        return listed(self.change(self.source.groups().to_array()))


Axis: TypeAlias = Line | Derived
Maker: TypeAlias = Callable[[], Axis]


@dataclass(frozen=True, slots=True)
class Plan:
    """Axes of a job, what they are called from the fastest on, and what there is to say of it."""

    views: Mapping[str, View]
    makers: Mapping[str, Maker]
    order: tuple[str, ...]
    ranks_per_chip: int | None = None
    notes: tuple[str, ...] = ()

    def axis(self, name: str) -> Axis:
        """Return an axis by its name."""
        return self.makers[name]()

    def axes(self) -> dict[str, Axis]:
        """Return all axes by name."""
        return {name: make() for name, make in self.makers.items()}


def planned(
    stack: Mapping[str, Any],
    views: Mapping[str, View],
    order: Sequence[str] = (),
    *,
    ranks_per_chip: int | None = None,
    notes: Sequence[str] = (),
) -> Plan:
    """Return the axes that a stack's table names, over these views."""
    makers = {name: partial(line, stack, views, name) for name in stack["axes"]}
    first = next(iter(views.values()))
    fastest = order or [name for name, _ in reversed(first.axes)]
    return Plan(views, makers, tuple(fastest), ranks_per_chip, tuple(notes))


def line(stack: Mapping[str, Any], views: Mapping[str, View], spec: str | Sequence[str]) -> Line:
    """Return an axis by its name in the table, or by its view and the names of axes there."""
    view, *names = stack["axes"][spec] if isinstance(spec, str) else spec
    # A view may be in an order of the user's own; members are in rank order.
    there = [name for name, _ in views[view].axes if name in names]
    rows = stack.get("listed", {}).get(spec, ()) if isinstance(spec, str) else ()
    return Line(views[view], tuple(there), tuple(rows))


def grids(stack: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, View]:
    """Return the views that a stack's table names, all ranks in the order of their numbers."""
    return {
        name: View(tuple((axis, sizes[axis]) for axis in axes))
        for name, axes in stack["views"].items()
    }


def levels(sizes: Sequence[int]) -> list[Callable[[Ranks], Ranks]]:
    """Return how groups fall apart into levels of these sizes, neighbours on the first."""

    def level(at: int) -> Callable[[Ranks], Ranks]:
        below, above = prod(sizes[:at]), prod(sizes[at + 1 :])

        def split(table: Ranks) -> Ranks:
            parts = table.reshape(-1, above, sizes[at], below).swapaxes(2, 3)
            return parts.reshape(-1, sizes[at])

        return split

    return [level(at) for at in range(len(sizes))]
