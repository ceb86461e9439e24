"""The way of one message."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.runtime import LINKS_ALONE
from rainier_fast.definitions.routing import RoutingRow
from rainier_fast.errors import Unsupported, as_one_of
from rainier_fast.frozen import frozen, put
from rainier_fast.results.link import link_columns, link_of
from rainier_fast.screen import Told, one_screen, preformatted
from rainier_fast.table import Table
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity, format_bandwidth, format_time, parse_bytes

SWITCHING: Final = ("cut_through", "store_and_forward")
"""How a message may cross several links."""

_MOST_SHOWN: Final = 20


@one_screen
@frozen("a route does not change")
@dataclass(frozen=True, slots=True, init=False, repr=False, eq=False)
class Route(Told):
    """The links that a message takes, and what it costs alone on the machine. Immutable.

    Attributes
    ----------
    machine
        The machine.
    src, dst
        The chips at the ends.
    links
        Link numbers, int64; in the order of travel for a single path.
    shares
        Share of the message on each link; 1 on a single path.
    hops
        Links on the longest path.
    mean_hops
        Links that a byte passes on average: the sum of the shares.
    latency_s
        Seconds that the links of the longest path add.
    bandwidth_Bps
        Bytes/s at which the message moves when alone: the least bandwidth / share; infinite from a
        chip to itself.
    overhead_s
        Seconds that the sender spends on the message.

    Examples
    --------
    >>> from rainier_fast import torus
    >>> route = torus((8,), bandwidth="50 GB/s", latency="1 us").route(0, 3)
    >>> route.hops, route.links.tolist(), route.bandwidth_Bps
    (3, [0, 1, 2], 50000000000.0)
    """

    machine: Base
    src: int
    dst: int
    routing: RoutingRow
    links: NDArray[np.int64]
    shares: NDArray[np.float64]
    mean_hops: float
    hops: int
    latency_s: float
    bandwidth_Bps: float  # noqa: N815 - B is the unit's letter
    overhead_s: float

    _untold = ("machine", "routing")

    def __init__(self, machine: Base, src: int, dst: int, routing: RoutingRow) -> None:
        links, shares, mean_hops, hops, latency, bandwidth, overhead = machine._core.route(
            src, dst, routing
        )
        links.flags.writeable = shares.flags.writeable = False
        values = (machine, src, dst, routing, links, shares)
        numbers = (mean_hops, hops, latency, bandwidth, overhead)
        names = (field.name for field in fields(self))
        put(self, **dict(zip(names, values + numbers, strict=True)))

    def __reduce__(self) -> tuple[Any, ...]:
        return Route, (self.machine, self.src, self.dst, self.routing)

    def _key(self) -> tuple[Any, ...]:
        kind, tie, order = self.routing
        return self.machine, self.src, self.dst, kind, tie, None if order is None else tuple(order)

    def time_s(self, size: Quantity, switching: str = "cut_through") -> float:
        """Return how long a message takes alone on the machine, of the links alone.

        Parameters
        ----------
        size
            Bytes, as a number or text.
        switching
            ``"cut_through"``: overhead + latency + bytes / bandwidth; ``"store_and_forward"``:
            overhead + the sum over links of latency + bytes / bandwidth, for a single path.

        Returns
        -------
        float
            Seconds.

        Raises
        ------
        InvalidArgument, InvalidType
            If a value is not usable.
        Unsupported
            If a message that is spread over several paths is to be stored and forwarded.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> torus((8,), bandwidth="1 GB/s").route(0, 3).time_s(1000, "store_and_forward")
        3e-06
        """
        nbytes = parse_bytes(size, "size")
        switching = as_one_of("switching", switching, SWITCHING)
        if switching == "cut_through":
            return self.overhead_s + self.latency_s + nbytes / self.bandwidth_Bps
        if (self.shares != 1.0).any():
            raise Unsupported(
                "store_and_forward of a message that is spread over several paths; use "
                "switching='cut_through', or routing=DimensionOrder(tie='positive')"
            )
        links = [link_of(self.machine, int(number)) for number in self.links]
        on_links = sum(link.latency_s + nbytes / link.bandwidth_Bps for link in links)
        return float(self.overhead_s + on_links)

    def to_table(self) -> Table:
        """Return the links as a table.

        Returns
        -------
        Table
            Number, class, direction, ends, share, bandwidth (bytes/s) and latency (s) of each.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> torus((8,), bandwidth="50 GB/s").route(0, 3).to_table()["class"].tolist()
        ['x', 'x', 'x']
        """
        about = link_columns(self.machine, self.links)
        speeds = {name: about.pop(name) for name in ("bandwidth_Bps", "latency_s")}
        table = Table({"link": self.links, **about, "share": self.shares, **speeds})
        return table._of_kind(LINKS_ALONE)

    def __repr__(self) -> str:
        return f"<Route {self._words()}>"

    def __str__(self) -> str:
        shown = [str(link_of(self.machine, int(number))) for number in self.links[:_MOST_SHOWN]]
        lines = [
            f"  {text}" + ("" if share == 1 else f", share {share:.4g}")
            for text, share in zip(shown, self.shares, strict=False)
        ]
        if len(self.links) > _MOST_SHOWN:
            lines.append(f"  ... {len(self.links) - _MOST_SHOWN} more links")
        return "\n".join([f"route {self._words()}", *lines])

    _repr_html_ = preformatted

    def _words(self) -> str:
        speed = format_bandwidth(self.bandwidth_Bps) if self.links.size else "no links"
        ends = f"chip {self.src} -> chip {self.dst}"
        return f"{ends}: {self.hops} hops, {format_time(self.latency_s)}, {speed}, {LINKS_ALONE}"
