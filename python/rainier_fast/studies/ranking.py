"""How the axes of a mesh can lie on a machine, ranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.ask.grid import from_core
from rainier_fast.ask.groups import Groups
from rainier_fast.ask.request import Request
from rainier_fast.collectives.mesh import DeviceMesh
from rainier_fast.collectives.run import run
from rainier_fast.errors import as_one_of, invalid
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.screen import Report, one_screen
from rainier_fast.table import Table, TableWith, columns_of
from rainier_fast.topology.base import Base
from rainier_fast.units import format_time

Cuts: TypeAlias = tuple[tuple[tuple[int, int, bool], ...], ...]
"""By dimension of the machine: (number of a mesh axis, factor, reflected), the fastest first."""


@dataclass(frozen=True, slots=True)
class Call:
    """A collective of an axis of a mesh, and what it takes in one layout each time it runs."""

    axis: str
    operation: str
    size: float
    count: int
    seconds: float
    algorithm: str
    bottleneck: str

    @property
    def time_s(self) -> float:
        """Seconds of all its runs."""
        return self.count * self.seconds


@one_screen
@dataclass(frozen=True, slots=True, repr=False)
class MeshLayout:
    """One way to lay a mesh over a machine, and what its collectives take there.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> best = preset("trn2").best_mapping({"dp": 4, "tp": 4}, {"tp": ("all_gather", 1e6)}).best
    >>> best.text, best.mesh.shape, best.chips.shape
    ('dp: x4; tp: y4', {'tp': 4, 'dp': 4}, (4, 4))
    """

    _machine: Base
    _axes: tuple[tuple[str, int], ...]
    _cuts: Cuts
    _order: tuple[int, ...] | None
    _calls: tuple[Call, ...]
    _asked: Request

    @property
    def text(self) -> str:
        """What each axis has of each dimension.

        ``y2`` are neighbours, ``y2 every 2`` every second chip. Where an upper part of a ring is
        ``reflected``, its odd coordinates run through what is below backwards, as a snake goes
        back and forth: ``y2 every 2 reflected`` joins rows 0 and 3, and 1 and 2.
        """
        words: list[list[str]] = [[] for _ in self._axes]
        dimensions = _core.mapping_dimensions(self._machine._core)
        for (name, _, _, inside, ordered), cut in zip(dimensions, self._cuts, strict=True):
            step = 1
            for axis, factor, reflected in cut:
                part = f"{name}{factor}" if inside else f"{factor} {name}"
                part += f" every {step}" if ordered and step > 1 else ""
                words[axis].append(part + " reflected" * reflected)
                step *= factor
        each = zip(self._axes, words, strict=True)
        return "; ".join(f"{name}: {', '.join(some) or '1'}" for (name, _), some in each)

    @property
    def time_s(self) -> float:
        """Seconds of all collectives, one after another."""
        return sum(self.times.values())

    @property
    def kind(self) -> str:
        """What kind of number the times are: `CollectiveResult.kind`."""
        return self._asked.kind

    @property
    def times(self) -> Mapping[str, float]:
        """Seconds by axis."""
        times = {
            name: sum(call.time_s for call in calls) for name, calls in self._by_axis().items()
        }
        return MappingProxyType(times)

    @property
    def collectives(self) -> Table:
        """A row for each collective.

        Columns: ``axis``, ``operation``, ``bytes``, ``count``, ``algorithm``, ``seconds`` of one
        run, ``time_s`` of all, ``share`` of the time of the layout, and ``bottleneck``, a class of
        links or latency.
        """
        return self._collectives()._of_kind(self.kind)

    def _collectives(self) -> Table:
        whole = self.time_s or 1.0
        what = columns_of(self._calls, "axis", "operation", bytes="size")
        taken = columns_of(self._calls, "count", "algorithm", "seconds", "time_s")
        shares = {"share": [call.time_s / whole for call in self._calls]}
        return Table(what | taken | shares | columns_of(self._calls, "bottleneck"))

    @property
    def results(self) -> Mapping[str, tuple[CollectiveResult, ...]]:
        """The collectives of each axis, each as it runs once; run again when asked for."""
        return {
            name: tuple(self._run(call) for call in calls)
            for name, calls in self._by_axis().items()
        }

    def _run(self, call: Call) -> CollectiveResult:
        groups, options = self.groups(call.axis), self._asked._spelled()
        return run(self._machine, call.operation, call.size, group=groups, **options)

    @property
    def bottlenecks(self) -> Mapping[str, str]:
        """What bounds the collectives of each axis that take most, counted as often as they run.

        A class of links, or latency.
        """
        return {name: _longest(calls).bottleneck for name, calls in self._by_axis().items()}

    @property
    def bottleneck(self) -> str:
        """The collective that takes most, counted as often as it runs, and what bounds it."""
        call, whole = _longest(self._calls), self.time_s
        share = call.time_s / whole if whole > 0 else 0.0
        bound = call.bottleneck or "nothing"
        return f"{call.axis} {call.operation}, {share:.0%} of the time, bounded by {bound}"

    @property
    def mesh(self) -> DeviceMesh:
        """The mesh that has this layout: of axes in another order, or of an order of its own."""
        if self._order is None:
            return DeviceMesh(self._machine, dict(self._axes), self)
        return DeviceMesh(self._machine, dict(self._axes[axis] for axis in self._order))

    @property
    def chips(self) -> NDArray[np.int64]:
        """The chip at each place of the mesh, one dimension for each axis as they were given."""
        sizes = [size for _, size in self._axes]
        return self._placed().chips().astype(np.int64).reshape(sizes)

    def groups(self, axis: str) -> Groups:
        """Return all groups of an axis, for ``group=`` of a collective.

        Parameters
        ----------
        axis
            Its name.

        Returns
        -------
        Groups
            Chips that differ in that coordinate only; ranks ascend, but where a part is reflected.

        Raises
        ------
        UnknownName
            If there is no such axis.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> best = preset("trn2").best_mapping({"dp": 4, "tp": 4}, {"tp": ("all_gather", 1)}).best
        >>> best.groups("tp").ranks
        4
        """
        names = [name for name, _ in self._axes]
        number = names.index(as_one_of("axis", axis, names))
        groups = self._placed().groups([number])
        return from_core(groups, self._machine.num_chips, self._machine.ultraserver.num_chips)

    def _order_on(self, machine: Base, sizes: Mapping[str, int]) -> _core.Order:
        """Return the chips of a mesh of these axes, in any order, on a machine like this one."""
        if dict(sizes) != dict(self._axes):
            allowed = f"must be a layout of axes {dict(sizes)}"
            raise invalid("order", f"a layout of axes {dict(self._axes)}", allowed)
        if _core.mapping_dimensions(machine._core) != _core.mapping_dimensions(self._machine._core):
            raise invalid("order", "a layout of another machine", "must be of this machine")
        names = [name for name, _ in self._axes]
        numbers = {names.index(name): at for at, name in enumerate(sizes)}
        cuts = [
            [(numbers[axis], factor, reflected) for axis, factor, reflected in cut]
            for cut in self._cuts
        ]
        return _core.Order.of_layout(machine._core, list(sizes.values()), cuts)

    def _placed(self) -> _core.Order:
        return self._order_on(self._machine, dict(self._axes))

    def _by_axis(self) -> dict[str, list[Call]]:
        found: dict[str, list[Call]] = {}
        for call in self._calls:
            found.setdefault(call.axis, []).append(call)
        return found

    def __repr__(self) -> str:
        return f"<MeshLayout {self}>"

    def __str__(self) -> str:
        return f"{self.text}: {format_time(self.time_s)}, {self.kind}"


@one_screen
class Ranking(Report, TableWith):
    """A table with a row for each layout, the fastest first; made by `Machine.best_mapping`.

    Columns: ``layout``, ``time_s``, and for each axis that has traffic its time ``<axis>_s`` and
    what bounds it, ``<axis> bound``; ``reason`` says what makes the row slower than the first.

    Attributes
    ----------
    layouts
        The layout of each row.
    total
        How many layouts there are; members of a switch or of a fabric group have no order in it.
    tried
        How many of them were compared by the times of all their collectives.
    priced
        How many collectives were priced, each once for all layouts in which it runs alike.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> ranking = preset("trn2").best_mapping({"dp": 4, "tp": 4}, {"tp": ("all_gather", "1 MiB")})
    >>> len(ranking), ranking.tried + ranking.pruned, str(ranking["tp bound"][0])
    (10, 18, 'y')
    """

    _beside = ("layouts", "total", "tried", "priced")
    __slots__ = _beside

    layouts: tuple[MeshLayout, ...]
    total: int
    tried: int
    priced: int

    @property
    def best(self) -> MeshLayout:
        """The fastest layout."""
        return self.layouts[0]

    @property
    def kind(self) -> str:
        """What kind of number the times are: `CollectiveResult.kind`."""
        return self.best.kind

    @property
    def pruned(self) -> int:
        """How many layouts bounds ruled out."""
        return self.total - self.tried

    def _page(self) -> list[Any]:
        counted = (
            f"{self.total:,} layouts, {self.tried:,} of them costed in full, {self.pruned:,} ruled "
            f"out by bounds; {self.priced:,} collectives priced, {self.kind}"
        )
        best = [f"best: {self.best}", f"most of it: {self.best.bottleneck}"]
        return [counted, *best, self.best._collectives(), "", self._part(self.columns)]


def ranked(layouts: Sequence[MeshLayout], total: int, tried: int, priced: int) -> Ranking:
    """Return the ranking of the layouts that were found, with their reasons."""
    columns: dict[str, list[Any]] = {
        "layout": [layout.text for layout in layouts],
        "time_s": [layout.time_s for layout in layouts],
    }
    for name in layouts[0].times:
        columns[f"{name}_s"] = [layout.times[name] for layout in layouts]
        columns[f"{name} bound"] = [layout.bottlenecks[name] for layout in layouts]
    columns["reason"] = [_reason(layout, layouts[0]) for layout in layouts]
    return Ranking(columns, tuple(layouts), total, tried, priced)


def _longest(calls: Sequence[Call]) -> Call:
    return max(calls, key=lambda call: call.time_s)


def _reason(layout: MeshLayout, best: MeshLayout) -> str:
    if layout is best:
        return f"most of it is {best.bottleneck}"
    if layout.time_s == best.time_s:
        return "as fast as the first"
    worst = max(layout.times, key=lambda name: layout.times[name] - best.times[name])
    mine, theirs = layout.times[worst], best.times[worst]
    more = f"{mine / theirs:.2f} times as long" if theirs > 0 else format_time(mine)
    return f"{worst} takes {more}, bounded by {layout.bottlenecks[worst]}"
