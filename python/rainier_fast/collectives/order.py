"""The chips of a mesh in an order of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.definitions.check import as_items, as_name
from rainier_fast.errors import invalid
from rainier_fast.topology.arrays import as_integers
from rainier_fast.topology.base import Base

_MOST_SHOWN: Final = 16


@runtime_checkable
class Laid(Protocol):
    """What says where the axes of a mesh lie on a machine: a layout of `best_mapping`."""

    def _order_on(self, machine: Base, sizes: Mapping[str, int]) -> _core.Order:
        """Return the chips of a mesh of these axes."""


Order: TypeAlias = Laid | Sequence[Any] | NDArray[np.integer[Any]]
"""Which chip is at each place of a mesh."""

Devices: TypeAlias = Sequence[Any] | NDArray[np.integer[Any]]
"""The chips of a mesh, a dimension for each axis."""


def as_order(order: object, machine: Base, sizes: Mapping[str, int]) -> _core.Order | None:
    """Return what ``order=`` says, None for ascending chips."""
    if order is None:
        return None
    if hasattr(type(order), "_order_on") and isinstance(order, Laid):  # by its class alone
        found = order._order_on(machine, sizes)
    elif isinstance(order, _Sums):
        found = _core.Order.of_sums(machine._core, [list(axis) for axis in order])
    else:
        array = as_integers("order", order, machine.num_chips - 1, len(sizes))
        shapes = [(machine.num_chips,), tuple(sizes.values())]
        if array.shape not in shapes:
            allowed = f"must have the shape {shapes[0]} or {shapes[1]}"
            raise invalid("order", f"an array of shape {array.shape}", allowed)
        # Numbers above those of int64 are no chips, whatever they become.
        chips = np.minimum(array, machine.num_chips).astype(np.int64).ravel()
        found = _core.Order.of_chips(machine._core, list(sizes.values()), chips)
    return None if _ascends(found, list(sizes.values())) else found


def laid_by(
    machine: Base, devices: object, names: object
) -> tuple[dict[str, int], NDArray[np.integer[Any]]]:
    """Return the size of each axis and the chips of a mesh that an array says."""
    called = (names,) if isinstance(names, str) else names
    words = as_items("names", called, "must be the names of the dimensions of devices=")
    words = [as_name(f"names[{at}]", word) for at, word in enumerate(words)]
    if len(set(words)) < len(words):
        raise invalid("names", words, "must be different")
    chips = as_integers("devices", devices, machine.num_chips - 1, max(len(words), 1))
    if chips.ndim != len(words) or not words:
        got = f"{len(words)} for an array of {chips.ndim} dimensions"
        raise invalid("names", got, "must name each dimension of devices=, an array")
    if chips.size != machine.num_chips:
        got = f"{chips.size} chips in devices="
        raise invalid("devices", got, f"must name each of the {machine.num_chips} chips once")
    return dict(zip(words, chips.shape, strict=True)), chips


def _ascends(order: _core.Order, sizes: list[int]) -> bool:
    stride, sums = 1, order.sums
    if sums is None:
        return False
    for size, axis in zip(reversed(sizes), reversed(sums), strict=True):
        if axis != [stride * at for at in range(size)]:
            return False
        stride *= size
    return True


class _Sums(tuple[tuple[int, ...], ...]):
    """An order whose chips are sums of a number for each coordinate, by axis."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpacked, tuple(np.array(axis, np.uint32).tobytes() for axis in self)


def _unpacked(*axes: bytes) -> _Sums:
    return _Sums(tuple(np.frombuffer(axis, np.uint32).tolist()) for axis in axes)


def order_key(order: _core.Order | None) -> object:
    """Return what makes the order again, and is equal for equal orders."""
    if order is None:
        return None
    sums = order.sums
    return tuple(order.chips().tolist()) if sums is None else _Sums(map(tuple, sums))


def order_words(order: _core.Order) -> str:
    """Return the first chips of an order."""
    chips = order.chips()
    shown = ", ".join(map(str, chips[:_MOST_SHOWN].tolist()))
    return f"[{shown}{', ...' if len(chips) > _MOST_SHOWN else ''}]"
