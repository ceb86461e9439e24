"""The bucket algorithm with chunk weights of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rainier_fast.definitions.check import as_number, as_pairs
from rainier_fast.errors import invalid, invalid_type, shown
from rainier_fast.screen import one_screen

_CLOSE: Final = 1e-5
Order = tuple[str, ...]


@one_screen
@dataclass(frozen=True, slots=True, init=False)
class Bucket:
    """The algorithm ``"bucket"`` with the share of the data that each order of the axes takes.

    Use it where the name of an algorithm goes. Without weights, ``"bucket"`` finds the best ones
    by a small linear program.

    Parameters
    ----------
    weights
        Share of each order; they add up to 1. An order names the axes that the group spans, each
        once, as text of one-letter names (``"xzy"``) or a tuple of names.

    Attributes
    ----------
    orders
        The orders and their shares, as given.

    Raises
    ------
    InvalidArgument, InvalidType
        If an order names an axis twice, a share is not a number of 0 or more, or they do not add
        up to 1.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> ultraserver = preset("trn2-ultraserver").without_latency()
    >>> weighted = Bucket({"xzy": 0.367, "yxz": 0.493, "zxy": 0.140})
    >>> result = ultraserver.all_reduce(1e9, algorithm=weighted)
    >>> result.efficiency > 0.99
    True
    """

    orders: tuple[tuple[Order, float], ...]

    def __init__(self, weights: Mapping[str | Sequence[str], float]) -> None:
        pairs = as_pairs("weights", weights, "must be a dict from orders of axes to shares")
        if not pairs:
            raise invalid("weights", weights, "must have at least one order of axes")
        orders = tuple((_order(order), _share(order, share)) for order, share in pairs)
        total = sum(share for _, share in orders)
        if abs(total - 1.0) > _CLOSE:
            raise invalid("weights", total, "must add up to 1")
        object.__setattr__(self, "orders", orders)

    def __repr__(self) -> str:
        return f"Bucket({dict(self.orders)!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return Bucket, (dict(self.orders),)

    def rows(self, axes: Sequence[str]) -> list[tuple[list[int], float]]:
        """Return the orders as numbers of a machine's axes, all of which it must have."""
        known = list(axes)

        def number(name: str) -> int:
            if name not in known:
                raise invalid("weights", name, f"must name axes of the machine: {', '.join(known)}")
            return known.index(name)

        return [([number(name) for name in order], share) for order, share in self.orders]


def _order(order: object) -> Order:
    given = tuple(order) if isinstance(order, (str, tuple, list)) else ()
    if not given or not all(isinstance(name, str) for name in given):
        raise invalid_type("weights", order, "an order is text or a tuple of names of axes")
    names = tuple(map(str.__str__, given))
    if len(set(names)) < len(names):
        raise invalid("weights", order, "names an axis twice")
    return names


def _share(order: object, share: object) -> float:
    allowed = "must be a number from 0 to 1"
    return as_number(f"weights[{shown(order)}]", share, 0.0, 1.0 + _CLOSE, allowed)
