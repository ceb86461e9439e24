"""What a routing policy does in an UltraServer, damaged or not."""

from __future__ import annotations

from dataclasses import dataclass

from rainier_fast.screen import Report, Told, one_screen


@one_screen
@dataclass(frozen=True, slots=True)
class RoutingReport(Report, Told):
    """Lengths, loads and freedom from deadlock of the routes between all chips of an UltraServer.

    Attributes
    ----------
    routing
        Name of the policy.
    ultraserver
        Its number over the machine: the first of those that are damaged alike.
    alike
        How many UltraServers are damaged alike.
    pairs, cut
        Ordered pairs of different live chips, and those that no route of the policy joins.
    other_order, detours
        Pairs that dimension order sends along another order of the axes, and by the shortest way.
    wild, wild_hops
        Pairs with wild hops, and the most of one pair.
    promised
        True if the policy promises that messages cannot deadlock, with these virtual channels.
    virtual_channels
        Virtual channels of a link that the routes need: one where they have no cycle with one.
    cycle
        Links and virtual channels that wait for each other in a cycle, as (link, channel); empty
        if there is none. Found by a search through all channel dependencies.
    mean_hops, longest_hops, highest_load
        Mean and most hops of the joined pairs, and the bytes on the busiest link when each chip
        sends one byte to each other chip that it reaches.
    healthy_mean_hops, healthy_longest_hops, healthy_highest_load
        The same without damage.

    Examples
    --------
    >>> from rainier_fast import torus
    >>> (report,) = torus((4, 4), bandwidth="50 GB/s").routing_report()
    >>> report.deadlock_free, report.virtual_channels, report.highest_load
    (True, 2, 8.0)
    """

    routing: str
    ultraserver: int
    alike: int
    pairs: int
    cut: int
    other_order: int
    detours: int
    wild: int
    wild_hops: int
    promised: bool
    virtual_channels: int
    cycle: tuple[tuple[int, int], ...]
    mean_hops: float
    longest_hops: int
    highest_load: float
    healthy_mean_hops: float
    healthy_longest_hops: int
    healthy_highest_load: float

    _also = ("deadlock_free",)

    @property
    def deadlock_free(self) -> bool:
        """True if no channels wait for each other in a cycle."""
        return not self.cycle

    def _page(self) -> list[str]:
        what = f"{self.routing} in UltraServer {self.ultraserver}"
        if self.alike > 1:
            what += f" and {self.alike - 1} more damaged alike"
        promise = "promised" if self.promised else "not promised"
        channels = f"{self.virtual_channels} virtual channel"
        channels += "" if self.virtual_channels == 1 else "s"
        if self.deadlock_free:
            free = f"free of deadlock with {channels} (checked; {promise})"
        else:
            free = f"can deadlock: {len(self.cycle)} channels wait in a cycle ({promise})"
        return [
            what,
            f"  {self.pairs - self.cut} of {self.pairs} pairs joined; {self.other_order} by "
            f"another order, {self.detours} by the shortest way, {self.wild} by wild hops",
            f"  {free}",
            f"  hops: mean {self.mean_hops:.3f} (healthy {self.healthy_mean_hops:.3f}), "
            f"most {self.longest_hops} ({self.healthy_longest_hops})",
            f"  busiest link of uniform traffic: {self.highest_load:g} "
            f"({self.healthy_highest_load:g})",
        ]
