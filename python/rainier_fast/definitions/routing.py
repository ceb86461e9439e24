"""Routing policies: which of the shortest (or longer) paths a message takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

from rainier_fast.definitions.check import as_integer, as_items
from rainier_fast.errors import as_one_of, invalid, invalid_type, unknown

TIES: Final = ("split", "positive", "negative", "simgrid", "parity", "dateline")
"""Which way a message goes where both ways round a ring are equally long."""

RoutingRow: TypeAlias = tuple[str, str, list[int] | None]


@dataclass(frozen=True, slots=True)
class DimensionOrder:
    """One axis after another.

    Where a dead link is in the way, a ring is taken the other way round; then other orders of the
    axes are tried, 24 at most, and last the shortest route over live links. Pairs that are turned
    aside so take virtual channels of their own where those of the others would close a cycle.

    Attributes
    ----------
    tie
        Half way round an even ring: ``"split"`` sends half each way, ``"positive"`` and
        ``"negative"`` all one way, ``"simgrid"`` positive but from the middle coordinate negative,
        ``"parity"`` positive from even coordinates and negative from odd ones (as OpenSM's LASH on
        rings of 4), ``"dateline"`` never over the cable that closes the ring (as torus-2QoS). On
        rings of 4 those last three need one virtual channel, the others two.
    order
        Axes in the order of travel, by name or number; None for the order of the machine.

    Raises
    ------
    UnknownName, InvalidArgument, InvalidType
        If a value is not usable; the message names it.

    Examples
    --------
    >>> DimensionOrder(tie="positive", order=("y", "x"))
    DimensionOrder(tie='positive', order=('y', 'x'))
    """

    tie: str = "split"
    order: Sequence[str | int] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "tie", as_one_of("tie", self.tie, TIES))
        if self.order is None:
            return
        allowed = "must be a sequence of axis names or numbers"
        steps = tuple(
            str.__str__(step) if isinstance(step, str) else as_integer(f"order[{at}]", step, 0, 15)
            for at, step in enumerate(as_items("order", self.order, allowed))
        )
        object.__setattr__(self, "order", steps)

    def row(self, axes: Sequence[str]) -> RoutingRow:
        """Return the policy as the core takes it, for a machine with these axes."""
        if self.order is None:
            return "dor", self.tie, None
        numbers: list[int] = []
        for at, step in enumerate(self.order):
            if isinstance(step, str) and step not in axes:
                raise unknown(f"order[{at}]", step, axes)
            number = axes.index(step) if isinstance(step, str) else step
            numbers.append(as_integer(f"order[{at}]", number, 0, len(axes) - 1))
        if sorted(numbers) != list(range(len(axes))):
            raise invalid("order", self.order, f"must name each of {', '.join(axes)} once")
        return "dor", self.tie, numbers


class _Named:
    """A policy that is no more than its name."""

    __slots__ = ()

    _name: ClassVar[str]

    def row(self, axes: Sequence[str]) -> RoutingRow:
        """Return the policy as the core takes it."""
        return self._name, "", None


@dataclass(frozen=True, slots=True)
class MinimalAdaptive(_Named):
    """Spread evenly over all shortest paths: what ideal adaptive routing tends to.

    Examples
    --------
    >>> MinimalAdaptive()
    MinimalAdaptive()
    """

    _name: ClassVar[str] = "adaptive"


@dataclass(frozen=True, slots=True)
class Valiant(_Named):
    """By way of every intermediate chip in equal shares, in dimension order each time.

    Examples
    --------
    >>> Valiant()
    Valiant()
    """

    _name: ClassVar[str] = "valiant"


@dataclass(frozen=True, slots=True)
class WildFirst(_Named):
    """As few hops away from the target as dead links ask for, then dimension order.

    The wild hops come first: none where dimension order (rings either way round) lives, one as
    TPU v4 does around a broken link [1]_, more only where no single one works. Of equally few, the
    shortest route counts, then the hop along the lowest axis, ``+`` before ``-``. Free of deadlock
    with a virtual channel for each wild hop and two more. On a healthy machine it is ``"dor"``.

    References
    ----------
    .. [1] Zu et al., "Resiliency at Scale: Managing Google's TPUv4 Machine Learning
       Supercomputer", NSDI 2024.

    Examples
    --------
    >>> WildFirst()
    WildFirst()
    """

    _name: ClassVar[str] = "wild_first"


@dataclass(frozen=True, slots=True)
class Shortest(_Named):
    """Over the fewest live links.

    Of several shortest routes the one that takes the lowest axis first, ``+`` before ``-``, counts.
    Not promised to be free of deadlock. On a healthy torus it is dimension order whose ties go
    towards higher coordinates.

    Examples
    --------
    >>> Shortest()
    Shortest()
    """

    _name: ClassVar[str] = "shortest"


@dataclass(frozen=True, slots=True)
class UpDown(_Named):
    """Up a breadth-first tree from the lowest live chip, then down: Autonet's routing.

    After [1]_.

    A link is up if it leads to a lower (level, number); a message takes a shortest route that never
    goes up after it went down. Of several, those of all pairs are spread by counting, as
    `Balanced` does. It uses only cables that live in both directions, and is free of deadlock with
    one virtual channel, whatever is broken. For UltraServers of at most 4,096 chips.

    References
    ----------
    .. [1] Schroeder et al., "Autonet: A High-Speed, Self-Configuring Local Area Network Using
       Point-to-Point Links", IEEE JSAC 9(8), 1991.

    Examples
    --------
    >>> UpDown()
    UpDown()
    """

    _name: ClassVar[str] = "up_down"


@dataclass(frozen=True, slots=True)
class Balanced(_Named):
    """Over the fewest live links, spread so that the busiest link of uniform traffic has little.

    One route a pair, as forwarding tables by target give it. It starts from dimension order with
    ties by ``"parity"`` and changes hops while that lowers the sum of the fourth powers of the
    loads, as subnet managers count routes on links [1]_ but several times over. Free of deadlock
    where each pair has a virtual channel of its own choice: `Machine.routing_report` says how many
    that takes. For UltraServers of at most 4,096 chips; all routes of one are found at once.

    References
    ----------
    .. [1] Domke, Hoefler and Nagel, "Deadlock-Free Oblivious Routing for Arbitrary Topologies",
       IPDPS 2011 (DFSSSP).

    Examples
    --------
    >>> Balanced()
    Balanced()
    """

    _name: ClassVar[str] = "balanced"


Policy: TypeAlias = (
    DimensionOrder | MinimalAdaptive | Valiant | WildFirst | Shortest | UpDown | Balanced
)
"""A routing policy."""

Routing: TypeAlias = str | Policy
"""What ``routing=`` accepts: a policy or the name of one."""

ROUTINGS: Final[dict[str, Policy]] = {
    "dor": DimensionOrder(),
    **{
        one._name: one()
        for one in (MinimalAdaptive, Valiant, WildFirst, Shortest, UpDown, Balanced)
    },
}
"""Policies by name."""


def as_routing(routing: Routing) -> Policy:
    """Return the policy that `routing` is or names."""
    if isinstance(routing, Policy):
        return routing
    if not isinstance(routing, str):
        raise invalid_type("routing", routing, "must be a routing policy or the name of one")
    return ROUTINGS[as_one_of("routing", routing, ROUTINGS)]


def routing_row(routing: Routing, axes: Sequence[str]) -> RoutingRow:
    """Return `routing` as the core takes it, for a machine with these axes."""
    return as_routing(routing).row(axes)
