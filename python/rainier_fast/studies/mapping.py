"""Which axes of a mesh belong on which dimensions of a machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias, Unpack

from rainier_fast import _core
from rainier_fast.ask.options import OPERATIONS, OPTIONS, Options, refuse_unknown
from rainier_fast.ask.request import make_request
from rainier_fast.collectives.mesh import mesh_sizes
from rainier_fast.definitions.check import MAX_COUNT, as_count, as_pairs
from rainier_fast.errors import Unsupported, as_one_of, invalid, invalid_type
from rainier_fast.topology.arrays import as_progress, as_threads
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity, parse_bytes

if TYPE_CHECKING:
    from rainier_fast.studies.ranking import Ranking

Calls: TypeAlias = tuple[str, Quantity] | tuple[str, Quantity, int]
"""A collective, its size, and how often it runs (once if left out)."""


class Mappings(Base):
    """The search for the best way to lay a mesh over the machine."""

    def best_mapping(
        self,
        axes: Mapping[str, int],
        traffic: Mapping[str, Calls | Sequence[Calls]],
        *,
        keep: int = 10,
        progress: Callable[[int, int], object] | None = None,
        **options: Unpack[Options],
    ) -> Ranking:
        """Rank the ways to lay the axes of a mesh over x, y, z, UltraServers and sites.

        A layout gives the factors of each dimension of the machine to axes; of a ring, upper
        factors may be reflected, so that pairs of an axis are neighbours. Each collective is
        costed with all groups of its axis at once; those of one axis, and those of different axes,
        follow each other, so that the time of a layout is their sum. Members of a fabric group or
        of a switch have no order in it; equal rings do not change places, since algorithms take
        them in turn. Layouts are searched by branch and bound: those whose collectives cannot be
        among the best by their lower bounds are left out.

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
        progress
            Called with layouts and their number: those of the share of the wanted ranks that are
            certain, all of them in the end.
        **options
            ``algorithm``, ``model`` and the like, as in `all_reduce`, for every collective.

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
            If the machine is damaged, an axis of it can be cut in more than 262,144 ways, or no
            layout has a model of the algorithm.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> machine = preset("trn2-ultraserver")
        >>> ranking = machine.best_mapping(
        ...     {"dp": -1, "tp": 16}, {"tp": ("all_reduce", 1e8, 80), "dp": ("all_reduce", 1e8)}
        ... )
        >>> ranking.best.text, ranking.best.mesh
        ('dp: z4; tp: x4, y4', preset('trn2-ultraserver').mesh(dp=4, tp=16))
        >>> second = machine.mesh(dp=-1, tp=16, order=ranking.layouts[1])
        >>> bool(80 * second.all_reduce(1e8, axis="tp").time_s == ranking["tp_s"][1])
        True
        """
        from rainier_fast.studies.ranking import Call, MeshLayout, ranked

        sizes = mesh_sizes(axes, self)
        calls = _calls(traffic, sizes)
        count = as_count("keep", keep, MAX_COUNT)
        refuse_unknown(options, OPTIONS)
        asked = make_request(self, "barrier", 0, **options)
        if self.is_damaged:
            raise Unsupported(
                "best_mapping of a damaged machine, whose dimensions are not alike everywhere; "
                "map machine.healthy() and run the mesh on the damaged machine"
            )
        rows, total, tried, priced = _core.best_mapping(
            self._core,
            list(sizes.values()),
            list(calls.values()),
            count,
            asked._core_row(self),
            asked._routing_row(self),
            as_threads(None),
            as_progress(progress),
        )
        named = [(name, *call) for name, some in calls.items() for call in some]
        layouts = []
        for cuts, order, parts in rows:
            priced_calls = (part for axis in parts for part in axis)
            some = (Call(*call, *part) for call, part in zip(named, priced_calls, strict=True))
            digits = tuple(tuple(cut) for cut in cuts)
            axes_of = None if order is None else tuple(order)
            given = (tuple(sizes.items()), digits, axes_of, tuple(some), asked)
            layouts.append(MeshLayout(self, *given))
        return ranked(layouts, total, tried, priced)


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
    operation = as_one_of(f"collective of {argument}", row[0], OPERATIONS)
    count = as_count(f"count of {argument}", row[2], MAX_COUNT) if len(row) == 3 else 1
    return operation, parse_bytes(row[1], f"size of {argument}"), count
