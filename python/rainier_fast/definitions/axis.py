"""One axis of a scale-up domain, and the tiers that a switch axis may have."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from rainier_fast.definitions.check import as_count, as_name, as_ratio, as_tuple_of
from rainier_fast.errors import as_one_of, invalid
from rainier_fast.units import Quantity, parse_bandwidth, parse_time

AXIS_KINDS: Final = ("ring", "line", "switch", "spanning_switch", "full_mesh")
"""How the members of an axis may be joined."""

_RESERVED: Final = ("site", "ultraserver")
_SWITCHES: Final = ("switch", "spanning_switch")


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier of groups in a switched fabric.

    Attributes
    ----------
    group
        Leaves below one group: UltraServers in a site's fabric, chips in a switch axis.
    oversubscription
        Bandwidth of the leaves below a group over the bandwidth of its uplinks; 1 does not block.
    latency
        Seconds that one uplink or downlink adds, as a number or text.

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.

    Examples
    --------
    >>> Tier(16, oversubscription=2, latency="0.5 us").latency_s
    5e-07
    """

    group: int
    oversubscription: float = 1.0
    latency: Quantity = "0.5 us"

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "group", as_count("group", self.group))
        put(self, "oversubscription", as_ratio("oversubscription", self.oversubscription))
        put(self, "latency", parse_time(self.latency, "latency"))

    @property
    def latency_s(self) -> float:
        """Seconds that one uplink or downlink adds."""
        return float(self.latency)

    def row(self) -> tuple[int, float, float]:
        """Return the tier as the core takes it."""
        return self.group, self.oversubscription, self.latency_s


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: how the chips that differ only in this coordinate are joined.

    Attributes
    ----------
    name
        A Python name such as ``"x"``; it becomes the coordinate's name.
    size
        Number of members.
    kind
        ``"ring"``, of two members with two cables between them; ``"line"``, a ring that is open, of
        two members one cable; ``"switch"``, a port for each member;
        ``"spanning_switch"``, a switch that joins the members of all axes below it too;
        ``"full_mesh"``, a cable for each pair.
    bandwidth
        Bytes/s of one link in one direction, as a number or text.
    latency
        Seconds that one link adds, as a number or text.
    tiers
        Further tiers of a switch that is not one crossbar.

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.

    Examples
    --------
    >>> axis = Axis("x", 4, bandwidth="128 GB/s", latency="1.5 us")
    >>> axis.bandwidth_Bps, axis.latency_s
    (128000000000.0, 1.5e-06)
    """

    name: str
    size: int
    kind: str = "ring"
    bandwidth: Quantity = "50 GB/s"
    latency: Quantity = "0 s"
    tiers: tuple[Tier, ...] = ()

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "name", as_name("name of the axis", self.name))
        if not self.name.isidentifier() or self.name in _RESERVED:
            allowed = f"must be a Python name other than {' and '.join(_RESERVED)}"
            raise invalid("name of the axis", self.name, allowed)
        put(self, "size", as_count(f"size of axis {self.name}", self.size))
        put(self, "kind", as_one_of(f"kind of axis {self.name}", self.kind, AXIS_KINDS))
        rate = parse_bandwidth(self.bandwidth, f"bandwidth of axis {self.name}")
        put(self, "bandwidth", rate)
        put(self, "latency", parse_time(self.latency, f"latency of axis {self.name}"))
        tiers = f"tiers of axis {self.name}"
        put(self, "tiers", check_tiers(tiers, self.tiers))
        if self.tiers and self.kind not in _SWITCHES:
            raise invalid(tiers, self.tiers, f"only a switch has tiers, not a {self.kind}")

    @property
    def bandwidth_Bps(self) -> float:  # noqa: N802 - B is the unit's letter
        """Bytes/s of one link in one direction."""
        return float(self.bandwidth)

    @property
    def latency_s(self) -> float:
        """Seconds that one link adds."""
        return float(self.latency)

    def row(self) -> tuple[str, int, str, float, float, list[tuple[int, float, float]]]:
        """Return the axis as the core takes it."""
        tiers = [tier.row() for tier in self.tiers]
        return self.name, self.size, self.kind, self.bandwidth_Bps, self.latency_s, tiers


def check_tiers(argument: str, tiers: object) -> tuple[Tier, ...]:
    """Return tiers as a tuple whose groups nest: each a multiple of the one below."""
    checked = as_tuple_of(argument, tiers, Tier)
    for index, (below, tier) in enumerate(pairwise(checked), start=1):
        if tier.group % below.group:
            raise invalid(
                f"{argument}[{index}].group",
                tier.group,
                f"must be a multiple of the tier below ({below.group})",
            )
    return checked
