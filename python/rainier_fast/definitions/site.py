"""A site: many UltraServers and the fabric that joins their NICs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from rainier_fast.catalog.load import assumed
from rainier_fast.definitions.axis import Tier, check_tiers
from rainier_fast.definitions.check import as_count, as_name
from rainier_fast.definitions.ultraserver import UltraServer
from rainier_fast.errors import invalid_type
from rainier_fast.provenance import AssumedInt
from rainier_fast.screen import one_screen


@one_screen
@dataclass(frozen=True, slots=True)
class Fabric:
    """Tiers of switch groups over the UltraServers of a site; the last groups meet in a core.

    Attributes
    ----------
    tiers
        Lowest first; none for a single switch that joins the site.

    Raises
    ------
    InvalidArgument, InvalidType
        If groups do not nest or are not tiers.

    Examples
    --------
    >>> Fabric([Tier(16), Tier(256, oversubscription=2)]).tiers[1].group
    256
    """

    tiers: tuple[Tier, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "tiers", check_tiers("tiers", self.tiers))


@one_screen
@dataclass(frozen=True, slots=True)
class Site:
    """A site.

    Attributes
    ----------
    name
        Its name.
    ultraservers
        How many UltraServers it has.
    ultraserver
        What each of them is.
    fabric
        What joins their NICs; None stands for the tiers that the catalogue assumes.

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.

    Examples
    --------
    >>> from rainier_fast import TRN2_ULTRASERVER
    >>> Site("indiana", 4096, TRN2_ULTRASERVER).num_chips
    262144
    """

    name: str
    ultraservers: int
    ultraserver: UltraServer
    fabric: Fabric | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "name", as_name("name of the site", self.name))
        put(self, "ultraservers", as_count(f"ultraservers of site {self.name}", self.ultraservers))
        if not isinstance(self.ultraserver, UltraServer):
            raise invalid_type("ultraserver", self.ultraserver, "must be an UltraServer")
        if self.fabric is None:
            put(self, "fabric", default_fabric())
        elif not isinstance(self.fabric, Fabric):
            raise invalid_type("fabric", self.fabric, "must be a Fabric or None")

    @property
    def num_chips(self) -> int:
        """Chips of the site."""
        return self.ultraservers * self.ultraserver.num_chips

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """Tiers of the fabric, lowest first."""
        return () if self.fabric is None else self.fabric.tiers

    def row(self) -> tuple[str, int, list[tuple[int, float, float]]]:
        """Return the site as the core takes it."""
        return self.name, self.ultraservers, [tier.row() for tier in self.tiers]


@cache
def default_fabric() -> Fabric:
    """Return the fabric of a site that says no other, from the catalogue's assumptions."""
    ratio, latency = assumed("fabric_oversubscription"), assumed("fabric_tier_latency")
    groups = (assumed(f"fabric_tier{tier}_ultraservers") for tier in (1, 2))
    return Fabric(
        tuple(Tier(AssumedInt(int(group), *group.names), ratio, latency) for group in groups)
    )
