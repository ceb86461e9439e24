"""Which axes of a mesh belong on which dimensions of a machine."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.request import MODELS, OPERATIONS, Algorithm, run
from rainier_fast.collectives.mesh import mesh_sizes
from rainier_fast.definitions.check import MAX_COUNT, as_count, as_one_of, as_pairs
from rainier_fast.errors import Unsupported, invalid, invalid_type, unknown
from rainier_fast.studies.layouts import Footprint, Parts, Space, dimensions
from rainier_fast.studies.soonest import soonest
from rainier_fast.topology.arrays import as_progress
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity, parse_bytes

if TYPE_CHECKING:
    from rainier_fast.results.collective import CollectiveResult
    from rainier_fast.studies.ranking import Ranking

__all__ = ["Calls", "Mappings"]

Calls: TypeAlias = tuple[str, Quantity] | tuple[str, Quantity, int]
"""A collective, its size, and how often it runs (once if left out)."""

_MOST_LAYOUTS: Final = 1 << 20
_STRETCH: Final = 256


class Mappings(Base):
    """The search for the best way to lay a mesh over the machine."""

    __slots__ = ()

    def best_mapping(
        self,
        axes: Mapping[str, int],
        traffic: Mapping[str, Calls | Sequence[Calls]],
        *,
        keep: int = 10,
        algorithm: Algorithm = "auto",
        model: str = "link_load",
        progress: Callable[[int, int], object] | None = None,
    ) -> Ranking:
        """Rank the ways to lay the axes of a mesh over x, y, z, UltraServers and sites.

        A layout gives the factors of each dimension of the machine to axes. Each collective is
        costed with all groups of its axis at once; those of one axis, and those of different axes,
        follow each other, so that the time of a layout is their sum. Layouts that a symmetry of the
        machine makes equal are tried once: rings of the same kind change places, and so do
        UltraServers of a fabric group. Layouts that cannot be among the best by what their links
        must carry are left out.

        Parameters
        ----------
        axes
            Size of each axis; one may be -1 and takes what is left.
        traffic
            For axes by name, ``(collective, size)`` or ``(collective, size, count)``, or a list of
            these. Axes that are not named are free. A send_recv goes to the next rank, rooted
            operations have rank 0 as root.
        keep
            How many layouts are ranked; the best so many are exact.
        algorithm, model
            As in `all_reduce`, for every collective.
        progress
            Called with layouts looked at and their number.

        Returns
        -------
        Ranking
            A table with a row for each layout, the fastest first; ``.best`` is the first, with the
            mesh or the chips that it means.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName
            If an argument is not usable; the message names it.
        Unsupported
            If the machine is damaged, there are more than 1,048,576 layouts, or no layout has a
            model of the algorithm.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> machine = preset("trn2-ultraserver")
        >>> ranking = machine.best_mapping(
        ...     {"dp": -1, "tp": 16}, {"tp": ("all_reduce", 1e8, 80), "dp": ("all_reduce", 1e8)}
        ... )
        >>> ranking.best.text, ranking.best.mesh
        ('dp: z4; tp: x4, y4', preset('trn2-ultraserver').mesh(dp=4, tp=16))
        """
        machine = self._whole
        sizes = mesh_sizes(axes, machine.num_chips)
        calls = _calls(traffic, sizes)
        model = as_one_of("model", model, MODELS)
        notify = as_progress(progress)
        count = as_count("keep", keep, MAX_COUNT)
        if machine.faults:
            raise Unsupported(
                "best_mapping of a damaged machine, whose dimensions are not alike everywhere; "
                "map machine.healthy() and run the mesh on the damaged machine"
            )
        space = Space(dimensions(machine), list(sizes.values()), machine.ultraserver.num_chips)
        layouts = _all(space)

        def cost(operation: str, size: float, footprint: Footprint) -> CollectiveResult:
            shift = 1 if operation == "send_recv" else 0
            groups = space.groups(footprint)
            return run(machine, operation, size, groups, algorithm, model, shift=shift)

        # Prices by table or in switches need not obey what links and ranks must do.
        by_table = ("nccl", "neuron", "in_switch")
        priced = isinstance(algorithm, str) and str.__str__(algorithm) in by_table
        trusted = model != "alpha_beta" and not priced
        least = soonest(machine, space) if trusted else _nothing
        search = _Search(layouts, space, list(calls.values()), least, cost)
        found = search.best(count, notify)
        from rainier_fast.studies.ranking import ranked

        tried = search.tried()
        names = list(sizes)
        return ranked(machine, space, names, calls, cost, found, len(layouts), tried)


def _nothing(operation: str, size: float, footprint: Footprint) -> float:
    return 0.0


def _all(space: Space) -> list[tuple[Parts, ...]]:
    found = []
    for layout in space:
        found.append(layout)
        if len(found) > _MOST_LAYOUTS:
            raise Unsupported(
                f"axes: more than {_MOST_LAYOUTS:,} layouts; name fewer axes, or larger ones that "
                "are split afterwards"
            )
    return found


def _calls(traffic: object, sizes: Mapping[str, int]) -> dict[str, list[tuple[str, float, int]]]:
    """Return the collectives of every axis; none for those that are not named."""
    pairs = as_pairs("traffic", traffic, "must map names of axes to collectives")
    if not pairs:
        raise invalid("traffic", traffic, "must name at least one axis")
    found: dict[str, list[tuple[str, float, int]]] = {name: [] for name in sizes}
    for key, given in pairs:
        name = as_one_of("axis of traffic", key, sizes)
        several = isinstance(given, Sequence) and not isinstance(given, str)
        if not several or not given:
            raise invalid_type(f"traffic[{name!r}]", given, _ALLOWED)
        rows = [given] if isinstance(given[0], str) else given
        found[name] = [_call(f"traffic[{name!r}]", row) for row in rows]
    return found


_ALLOWED: Final = "must be (collective, size) or (collective, size, count), or a list of these"


def _call(argument: str, row: Any) -> tuple[str, float, int]:  # noqa: ANN401 - checked here
    if isinstance(row, str) or not isinstance(row, Sequence) or len(row) not in (2, 3):
        raise invalid_type(argument, row, _ALLOWED)
    if not isinstance(row[0], str) or row[0] not in OPERATIONS:
        raise unknown(f"collective of {argument}", row[0], OPERATIONS)
    count = as_count(f"count of {argument}", row[2], MAX_COUNT) if len(row) == 3 else 1
    return row[0], parse_bytes(row[1], f"size of {argument}"), count


class _Search:
    """Layouts by footprints, of which each is costed at most once for a collective."""

    def __init__(
        self,
        layouts: Sequence[tuple[Parts, ...]],
        space: Space,
        calls: Sequence[Sequence[tuple[str, float, int]]],
        least: Callable[[str, float, Footprint], float],
        cost: Callable[[str, float, Footprint], CollectiveResult],
    ) -> None:
        self.layouts = layouts
        self.calls = calls
        self.cost = cost
        self.costs: dict[tuple[str, float, Footprint], CollectiveResult] = {}
        self.refusal: Unsupported | None = None
        self.footprints: list[list[Footprint]] = []
        # By layout and axis, the number of the footprint; by axis and footprint, what is known.
        self.numbers = np.zeros((len(layouts), len(calls)), np.int64)
        self.known: list[NDArray[np.float64]] = []
        self.exact: list[NDArray[np.bool_]] = []
        for axis, rows in enumerate(calls):
            numbers: dict[Footprint, int] = {}
            for at, layout in enumerate(layouts if rows else ()):
                footprint = space.footprint(layout, axis)
                self.numbers[at, axis] = numbers.setdefault(footprint, len(numbers))
            self.footprints.append(list(numbers))
            bounds = [
                sum(count * least(operation, size, one) for operation, size, count in rows)
                for one in numbers
            ]
            self.known.append(np.array(bounds if rows else [0.0]))
            self.exact.append(np.full(len(self.known[-1]), not rows))

    def best(
        self, count: int, notify: Callable[[int, int], object] | None
    ) -> list[tuple[Parts, ...]]:
        """Return the best layouts, the fastest first."""
        bounds = sum(known[self.numbers[:, axis]] for axis, known in enumerate(self.known))
        order = np.argsort(bounds, kind="stable")
        found: list[tuple[float, int]] = []
        for looked, at in enumerate(order.tolist()):
            if notify is not None and looked % _STRETCH == 0:
                notify(looked, len(order))
            worst = -found[0][0] if len(found) == count else math.inf
            time = self._time(at, worst)
            if time < worst:
                # Of equal times the layout that comes first stays.
                (heapq.heapreplace if len(found) == count else heapq.heappush)(found, (-time, -at))
        if notify is not None:
            notify(len(order), len(order))
        if not found and self.refusal is not None:
            raise self.refusal
        return [self.layouts[-at] for _, at in sorted(found, reverse=True)]

    def tried(self) -> int:
        """Return how many layouts are known exactly."""
        known = [exact[self.numbers[:, axis]] for axis, exact in enumerate(self.exact)]
        return int(np.count_nonzero(np.logical_and.reduce(known)))

    def _time(self, at: int, worst: float) -> float:
        """Return the time of a layout; what is known of it once that is `worst` or more."""
        numbers = self.numbers[at]
        total = sum(float(known[numbers[axis]]) for axis, known in enumerate(self.known))
        for axis, rows in enumerate(self.calls):
            number = numbers[axis]
            if total >= worst or self.exact[axis][number]:
                continue
            footprint = self.footprints[axis][number]
            seconds = sum(count * self._one(op, size, footprint) for op, size, count in rows)
            self.known[axis][number], self.exact[axis][number] = seconds, True
            total = sum(float(known[numbers[axis]]) for axis, known in enumerate(self.known))
        return total

    def _one(self, operation: str, size: float, footprint: Footprint) -> float:
        key = operation, size, footprint
        if key not in self.costs:
            try:
                self.costs[key] = self.cost(operation, size, footprint)
            except Unsupported as error:
                self.refusal = self.refusal or error
                return math.inf
        return self.costs[key].time_s
