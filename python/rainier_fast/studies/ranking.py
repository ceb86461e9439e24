"""How the axes of a mesh can lie on a machine, ranked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.groups import Groups
from rainier_fast.collectives.mesh import DeviceMesh
from rainier_fast.definitions.check import as_one_of
from rainier_fast.frozen import frozen, put
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.results.table import Table
from rainier_fast.screen import one_screen
from rainier_fast.studies.layouts import Footprint, Parts, Space
from rainier_fast.units import format_time

if TYPE_CHECKING:
    from rainier_fast.machine.machine import Machine

__all__ = ["Layout", "Ranking", "ranked"]


@one_screen
@frozen("a layout does not change")
class Layout:
    """One way to lay a mesh over a machine, and what its collectives take there.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> best = preset("trn2").best_mapping({"dp": 4, "tp": 4}, {"tp": ("all_gather", 1e6)}).best
    >>> best.text, best.mesh.shape, best.chips.shape
    ('dp: y4; tp: x4', {'dp': 4, 'tp': 4}, (4, 4))
    """

    __slots__ = ("_axes", "_machine", "_order", "_parts", "_results", "_space", "_times")

    _axes: tuple[str, ...]
    _machine: Machine
    _order: Sequence[int] | None
    _parts: tuple[Parts, ...]
    _results: dict[str, Sequence[tuple[int, CollectiveResult]]]
    _space: Space
    _times: dict[str, float]

    def __init__(
        self,
        machine: Machine,
        space: Space,
        axes: Sequence[str],
        parts: tuple[Parts, ...],
        order: Sequence[int] | None,
        results: Mapping[str, Sequence[tuple[int, CollectiveResult]]],
    ) -> None:
        put(
            self,
            _machine=machine,
            _space=space,
            _axes=tuple(axes),
            _parts=parts,
            _order=order,
            _results=dict(results),
            _times={
                name: sum(count * result.time_s for count, result in rows)
                for name, rows in results.items()
            },
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layout):
            return NotImplemented
        return self._key() == other._key() and self._results == other._results

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        return self._machine, self._axes, self._parts, self._order

    @property
    def text(self) -> str:
        """What each axis has of each dimension."""
        return self._space.text(self._parts, self._axes)

    @property
    def time_s(self) -> float:
        """Seconds of all collectives, one after another."""
        return sum(self._times.values())

    @property
    def times(self) -> Mapping[str, float]:
        """Seconds by axis."""
        return MappingProxyType(self._times)

    @property
    def results(self) -> Mapping[str, tuple[CollectiveResult, ...]]:
        """The collectives of each axis, each as it runs once."""
        rows = self._results.items()
        return {name: tuple(result for _, result in some) for name, some in rows}

    @property
    def bottlenecks(self) -> Mapping[str, str]:
        """What bounds the longest collective of each axis: a class of links, or latency."""
        return {name: _bottleneck(rows) for name, rows in self._results.items()}

    @property
    def mesh(self) -> DeviceMesh | None:
        """The mesh that has this layout; None where no order of its axes has, and `chips` does."""
        if self._order is None:
            return None
        sizes = {self._axes[axis]: self._space.sizes[axis] for axis in self._order}
        return DeviceMesh(self._machine, sizes)

    @property
    def chips(self) -> NDArray[np.int64]:
        """The chip at each place of the mesh, one dimension for each axis as they were given."""
        return self._space.chips(self._parts)

    def groups(self, axis: str) -> Groups:
        """Return all groups of an axis, for ``group=`` of a collective.

        Parameters
        ----------
        axis
            Its name.

        Returns
        -------
        Groups
            Chips that differ in that coordinate only, ranks in ascending order of chips.

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
        number = self._axes.index(as_one_of("axis", axis, self._axes))
        return self._space.groups(self._space.place(self._parts, number))

    def __repr__(self) -> str:
        return f"<Layout {self.text}: {format_time(self.time_s)}>"

    def __str__(self) -> str:
        return f"{self.text}: {format_time(self.time_s)}"


@one_screen
class Ranking(Table):
    """A table with a row for each layout, the fastest first; made by `Machine.best_mapping`.

    Columns: ``layout``, ``time_s``, and for each axis that has traffic its time ``<axis>_s`` and
    what bounds it, ``<axis> bound``; ``reason`` says what makes the row slower than the first.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> ranking = preset("trn2").best_mapping({"dp": 4, "tp": 4}, {"tp": ("all_gather", "1 MiB")})
    >>> len(ranking), ranking.tried, str(ranking["tp bound"][0])
    (4, 4, 'x')
    """

    __slots__ = ("_layouts", "_total", "_tried")

    _layouts: tuple[Layout, ...]
    _total: int
    _tried: int

    def __init__(
        self,
        columns: Mapping[str, Sequence[Any] | NDArray[Any]],
        layouts: Sequence[Layout],
        total: int,
        tried: int,
    ) -> None:
        super().__init__(columns)
        put(self, _layouts=tuple(layouts), _total=total, _tried=tried)

    def __reduce__(self) -> tuple[Any, ...]:
        return Ranking, (self._columns, self._layouts, self._total, self._tried)

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """The layout of each row."""
        return self._layouts

    @property
    def best(self) -> Layout:
        """The fastest layout."""
        return self._layouts[0]

    @property
    def total(self) -> int:
        """How many layouts there are, those that symmetry makes equal counted once."""
        return self._total

    @property
    def tried(self) -> int:
        """How many of them were costed in full; bounds showed that the others are no better."""
        return self._tried

    def __str__(self) -> str:
        counted = f"{self.total:,} layouts, {self.tried:,} of them costed in full"
        return f"{counted}; best: {self.best}\n\n{super().__str__()}"


def ranked(
    machine: Machine,
    space: Space,
    axes: Sequence[str],
    calls: Mapping[str, Sequence[tuple[str, float, int]]],
    cost: Callable[[str, float, Footprint], CollectiveResult],
    found: Sequence[tuple[Parts, ...]],
    total: int,
    tried: int,
) -> Ranking:
    """Return the ranking of the layouts that were found, with their reasons."""
    meshes = space.meshes()
    layouts = []
    for parts in found:
        order, own = meshes.get(parts, (None, parts))
        results = {}
        for number, name in enumerate(axes):
            if calls[name]:
                # Just there, and not where a symmetry puts it: links have names.
                mine = space.place(own, number)
                rows = calls[name]
                results[name] = [(count, cost(call, size, mine)) for call, size, count in rows]
        layouts.append(Layout(machine, space, axes, own, order, results))
    layouts.sort(key=lambda layout: layout.time_s)
    columns: dict[str, list[Any]] = {
        "layout": [layout.text for layout in layouts],
        "time_s": [layout.time_s for layout in layouts],
    }
    for name in axes:
        if calls[name]:
            columns[f"{name}_s"] = [layout.times[name] for layout in layouts]
            columns[f"{name} bound"] = [layout.bottlenecks[name] for layout in layouts]
    columns["reason"] = [_reason(layout, layouts[0]) for layout in layouts]
    return Ranking(columns, layouts, total, tried)


def _bottleneck(rows: Sequence[tuple[int, CollectiveResult]]) -> str:
    longest = max((result for _, result in rows), key=lambda result: result.time_s)
    if longest.latency_s + longest.overhead_s > longest.time_s / 2 or longest.bottleneck is None:
        return "latency" if longest.time_s > 0 else ""
    return longest.bottleneck.link_class


def _reason(layout: Layout, best: Layout) -> str:
    if layout is best:
        worst = max(layout.times, key=lambda name: layout.times[name])
        return f"most of it is {worst}, bounded by {layout.bottlenecks[worst] or 'nothing'}"
    if layout.time_s == best.time_s:
        return "as fast as the first"
    worst = max(layout.times, key=lambda name: layout.times[name] - best.times[name])
    mine, theirs = layout.times[worst], best.times[worst]
    more = f"{mine / theirs:.2f} times as long" if theirs > 0 else format_time(mine)
    return f"{worst} takes {more}, bounded by {layout.bottlenecks[worst]}"
