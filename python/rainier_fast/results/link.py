"""What one link is, and the busiest link of a result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rainier_fast.screen import Told
from rainier_fast.topology.base import Base
from rainier_fast.units import format_bandwidth, format_bytes, format_time


@dataclass(frozen=True, slots=True)
class Link(Told):
    """A directed link.

    Attributes
    ----------
    link
        Its number.
    link_class
        What kind it is: an axis such as ``"x"``, ``"nic egress"``, ``"fabric tier 1 up"``,
        ``"wan"``, ...
    direction
        ``"+"`` or ``"-"`` along a ring or line, ``"up"`` or ``"down"`` at a switch, else empty.
    source, target
        Its ends, in words.
    source_chip, target_chip
        The chips at its ends, None where there is no chip.
    bandwidth_Bps
        Bytes/s; less where the link is degraded. A dead link has that of a live one.
    latency_s
        Seconds.
    dead
        Whether it carries nothing.
    factor
        The factor on its bandwidth: 1 where it is not degraded.

    Examples
    --------
    >>> print(Link(0, "x", "+", "chip 0", "chip 1", 0, 1, 50e9, 1e-6))
    link 0 (x +): chip 0 -> chip 1, 50.0 GB/s, 1.00 us
    """

    link: int
    link_class: str
    direction: str
    source: str
    target: str
    source_chip: int | None
    target_chip: int | None
    bandwidth_Bps: float  # noqa: N815 - B is the unit's letter
    latency_s: float
    dead: bool = False
    factor: float = 1.0

    def __str__(self) -> str:
        kind = f"{self.link_class} {self.direction}".strip()
        speed = f"{format_bandwidth(self.bandwidth_Bps)}, {format_time(self.latency_s)}"
        if self.factor != 1:
            speed += f", degraded to {self.factor:g} of its bandwidth"
        if self.dead:
            speed += ", dead"
        return f"link {self.link} ({kind}): {self.source} -> {self.target}, {speed}"


@dataclass(frozen=True, slots=True)
class Bottleneck(Told):
    """The busiest link; many others may be as busy.

    Attributes
    ----------
    link_class
        What kind of link it is.
    link
        Number of one link that has this load.
    bytes
        Bytes that it carries.
    utilisation
        The share of the time that it is busy.

    Examples
    --------
    >>> print(Bottleneck("nic egress", 7, 1e9, 0.5))
    nic egress, busy for 50.0% of the time (954 MiB on link 7)
    """

    link_class: str
    link: int
    bytes: float
    utilisation: float

    def __str__(self) -> str:
        size = format_bytes(self.bytes)
        busy = f"busy for {self.utilisation:.1%} of the time"
        return f"{self.link_class}, {busy} ({size} on link {self.link})"


def link_of(machine: Base, link: int) -> Link:
    """Return what a link of a machine is."""
    return Link(link, *machine._core.link(link))


def link_columns(machine: Base, links: Iterable[int]) -> dict[str, list[Any]]:
    """Return what links are, by the names of `Link.to_dict`."""
    rows = [link_of(machine, int(link)).to_dict() for link in links]
    names = ("class", "direction", "from", "to", "bandwidth_Bps", "latency_s")
    return {name: [row[name] for row in rows] for name in names}
