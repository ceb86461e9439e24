"""A device mesh: chips under names of axes, as training frameworks lay them out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.ask.cores import as_ranks_per_chip, core_groups, cores_hint
from rainier_fast.ask.grid import from_core
from rainier_fast.ask.groups import Groups
from rainier_fast.ask.request import Request
from rainier_fast.collectives.methods import Members, stated
from rainier_fast.collectives.order import as_order, order_key, order_words
from rainier_fast.collectives.plan import MeshPlans
from rainier_fast.collectives.prepared import Timing
from rainier_fast.collectives.run import RESULT, answer
from rainier_fast.definitions.check import MAX_COUNT, as_count, as_integer, as_name, as_pairs
from rainier_fast.errors import Unsupported, as_one_of, invalid, invalid_type
from rainier_fast.frozen import frozen, put
from rainier_fast.memory import reckon
from rainier_fast.screen import one_screen
from rainier_fast.topology.base import Base
from rainier_fast.whole import whole

if TYPE_CHECKING:
    from rainier_fast.results.collective import CollectiveResult


@whole
@one_screen
@frozen("a mesh does not change; make another one")
@stated("axis", RESULT, '>>> mesh = preset("trn2").mesh(dp=4, tp=4)', ">>> mesh.{call}.groups", "4")
class DeviceMesh(Timing["CollectiveResult"]):
    """All chips of a machine as a mesh of named axes, the last one fastest. Immutable.

    Parameters
    ----------
    machine
        The machine.
    axes
        Size of each axis, slowest first; one may be -1 and takes what is left.
    order
        The chip at each place, as `Machine.mesh` takes it; None for ascending chips.
    ranks_per_chip
        1 where ranks are chips; where they are cores, how many of each chip.

    Raises
    ------
    InvalidArgument, InvalidType
        If the sizes do not multiply to the number of chips, or `order` is not usable.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> preset("trn2").mesh(dp=4, tp=4)
    preset('trn2').mesh(dp=4, tp=4)
    """

    __slots__ = ("_order", "_shape", "machine", "ranks_per_chip")

    machine: Base
    ranks_per_chip: int
    _order: _core.Order | None
    _shape: dict[str, int]

    def __init__(
        self,
        machine: Base,
        axes: Mapping[str, int],
        order: object = None,
        ranks_per_chip: int = 1,
    ) -> None:
        if not isinstance(machine, Base):
            raise invalid_type("machine", machine, "must be a machine")
        cores = as_ranks_per_chip(machine, ranks_per_chip)
        sizes = mesh_sizes(axes, machine, cores)
        if order is not None and cores > 1:
            raise Unsupported(
                f"order: got one with ranks_per_chip={cores}; an order is of chips, and ranks of a "
                "chip follow each other"
            )
        put(self, machine=machine, ranks_per_chip=cores, _shape=sizes)
        put(self, _order=as_order(order, machine, sizes))

    def __reduce__(self) -> tuple[Any, ...]:
        return DeviceMesh, (self.machine, self._shape, order_key(self._order), self.ranks_per_chip)

    def _key(self) -> tuple[Any, ...]:
        sizes = tuple(self._shape.items())
        return self.machine, sizes, order_key(self._order), self.ranks_per_chip

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}={size}" for name, size in self._shape.items())
        order = "" if self._order is None else f", order={order_words(self._order)}"
        cores = f", ranks_per_chip={self.ranks_per_chip}" if self.ranks_per_chip > 1 else ""
        return f"{self.machine!r}.mesh({sizes}{order}{cores})"

    def __str__(self) -> str:
        sizes = " x ".join(f"{name} {size:,}" for name, size in self._shape.items())
        label = self.machine.name or self.machine.ultraserver.name
        order = "" if self._order is None else ", in an order of its own"
        cores = f", {self.ranks_per_chip} ranks a chip" if self.ranks_per_chip > 1 else ""
        return f"mesh of {label}: {sizes}, last axis fastest{order}{cores}"

    @property
    def shape(self) -> dict[str, int]:
        """Size of each axis, slowest first."""
        return dict(self._shape)

    @property
    def plan(self) -> MeshPlans:
        """The collectives of the mesh as plans, for `Machine.together`."""
        return MeshPlans(self.machine, self.axis_groups)

    def chips(self, **fixed: int) -> NDArray[np.int64]:
        """Return the chips at coordinates of the mesh.

        Parameters
        ----------
        **fixed
            Coordinates along some axes; the others are free.

        Returns
        -------
        numpy.ndarray
            int64, one dimension for each free axis, in the order of the mesh.

        Raises
        ------
        UnknownName
            If there is no such axis.
        OutOfRange, InvalidType
            If a coordinate is not usable.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").mesh(dp=4, tp=4).chips(tp=1)
        array([ 1,  5,  9, 13])
        """
        for name in fixed:
            as_one_of("axis", name, self._shape)
        count = math.prod(size for name, size in self._shape.items() if name not in fixed)
        reckon(16 * count, f"a table of {count} chips", "fix the coordinate of more axes")
        total = np.zeros((), np.int64)
        for name, size in self._shape.items():
            stride = self._stride(name)
            if name in fixed:
                total = total + stride * as_integer(name, fixed[name], 0, size - 1)
            else:
                total = np.add.outer(total, stride * np.arange(size))
        order = self._order
        if order is not None:
            return np.asarray(order.chips().astype(np.int64)[total])
        return np.asarray(total // self.ranks_per_chip)

    def axis_groups(self, axis: str | Sequence[str]) -> Groups:
        """Return the groups of an axis: chips that differ in that coordinate only.

        Parameters
        ----------
        axis
            Name of an axis, or names of several, which act as one: ranks go through them in the
            order of the names, the last one fastest.

        Returns
        -------
        Groups
            As many as the other axes have coordinates; where ranks are cores, of the chips that
            they are on, each group of chips once.

        Raises
        ------
        UnknownName
            If there is no such axis.
        InvalidArgument
            If it names no axis, or one twice.
        InvalidType
            If it is neither a name nor names.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").mesh(dp=4, tp=4).axis_groups("dp").members(0)
        array([ 0,  4,  8, 12])
        >>> preset("trn2").mesh(dp=2, cp=2, tp=4).axis_groups(("dp", "tp")).members(0)
        array([ 0,  1,  2,  3,  8,  9, 10, 11])
        """
        names = tuple(as_one_of("axis", name, self._shape) for name in _names(axis))
        if len(set(names)) < len(names):
            raise invalid("axis", names, "must name each axis once")
        order = list(self._shape)
        numbers = [order.index(name) for name in names]
        machine = self.machine
        if self.ranks_per_chip > 1:
            return core_groups(machine, self._ranks(numbers), self.ranks_per_chip)
        if self._order is None and numbers == [*range(numbers[0], numbers[-1] + 1)]:
            size = math.prod(self._shape[name] for name in names)
            return Groups(machine.num_chips, size, self._stride(names[-1]))
        sizes = list(self._shape.values())
        chips = self._order or _core.Order.ascending(machine._core, sizes)
        groups = chips.groups(numbers)
        return from_core(groups, machine.num_chips, machine.ultraserver.num_chips)

    def _ranks(self, axes: list[int]) -> NDArray[np.int64]:
        """Return the ranks of all groups of some axes, one group a row."""
        sizes = list(self._shape.values())
        total = math.prod(sizes)
        reckon(64 * total, f"a table of {total:,} ranks", "use a smaller machine")
        ranks = np.arange(total).reshape(sizes)
        others = [axis for axis in range(len(sizes)) if axis not in axes]
        turned = ranks.transpose(others + axes)
        return turned.reshape(-1, math.prod(sizes[axis] for axis in axes))

    def _members(self, where: Any) -> Members:  # noqa: ANN401 - checked here
        return Members(self.machine, self.axis_groups(where))

    def _answer(self, members: Members, request: Request) -> CollectiveResult:
        return answer(members.machine, request)

    def _stride(self, axis: str) -> int:
        order = list(self._shape)
        return math.prod(self._shape[name] for name in order[order.index(axis) + 1 :])


def _names(axis: object) -> tuple[str, ...]:
    allowed = "must be the name of a mesh axis, or a sequence of names"
    if isinstance(axis, str):
        return (axis,)
    if not isinstance(axis, Sequence) or not all(isinstance(name, str) for name in axis):
        raise invalid_type("axis", axis, allowed)
    if not axis:
        raise invalid("axis", axis, allowed)
    return tuple(axis)


def mesh_sizes(axes: Mapping[str, int], machine: Base, ranks_per_chip: int = 1) -> dict[str, int]:
    """Return the size of each axis, checked; one of -1 takes what the others leave."""
    chips = ranks_per_chip * machine.num_chips
    pairs = as_pairs("axes", axes, "must map names to sizes")
    if not pairs:
        raise invalid("axes", axes, "a mesh has at least one axis, for example dp=-1")
    sizes: dict[str, int] = {}
    free = None
    for key, size in pairs:
        name = as_name("axes", key)
        number = as_integer(name, size, -1, MAX_COUNT)
        if number == -1:
            if free is not None:
                raise invalid(name, size, f"only one axis may be -1, and {free} is")
            free, sizes[name] = name, 1
        else:
            sizes[name] = as_count(name, number)
    product = math.prod(sizes.values())
    if free is not None and chips % product == 0:
        sizes[free] = chips // product
    elif free is not None or product != chips:
        relation = "divide" if free is not None else "be"
        what = "chips" if ranks_per_chip == 1 else f"ranks ({ranks_per_chip} per chip)"
        hint = cores_hint(machine, product) if ranks_per_chip == 1 else ""
        allowed = f"the product of the sizes must {relation} {chips} {what}{hint}"
        raise invalid("axes", dict(pairs), allowed)
    return sizes
