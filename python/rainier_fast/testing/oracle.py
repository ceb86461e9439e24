"""A slow, obvious router: every path of every message, written out.

The links of a machine have numbers in this order: the cables and ports of each UltraServer in turn,
egress of each NIC, ingress of each NIC, the fabric of each site, the WAN. Inside an
UltraServer the axes follow each other. Shares are fractions, so that sums are exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import product

from rainier_fast.definitions.axis import Axis, Tier
from rainier_fast.definitions.routing import (
    DimensionOrder,
    MinimalAdaptive,
    Routing,
    Valiant,
    as_routing,
)
from rainier_fast.errors import Unsupported
from rainier_fast.machine.machine import Machine

Path = tuple[Fraction, list[int]]
"""A share of a message, and the links that it passes, in order."""


def link_loads(
    machine: Machine, flows: Iterable[tuple[int, int, float]], routing: Routing = "dor"
) -> dict[int, Fraction]:
    """Return the bytes by link that messages of (source chip, target chip, bytes) put on links.

    Examples
    --------
    >>> from rainier_fast import torus
    >>> link_loads(torus(4, bandwidth="1 GB/s"), [(0, 2, 8.0)])[0]
    Fraction(4, 1)
    """
    loads: dict[int, Fraction] = {}
    for src, dst, size in flows:
        for share, links in paths(machine, src, dst, routing):
            for link in links:
                loads[link] = loads.get(link, Fraction(0)) + share * Fraction(size)
    return loads


def paths(machine: Machine, src: int, dst: int, routing: Routing = "dor") -> list[Path]:
    """Return every path of a message with the share that takes it; shares add up to 1.

    Examples
    --------
    >>> from rainier_fast import torus
    >>> paths(torus(5, bandwidth="1 GB/s"), 0, 2)
    [(Fraction(1, 1), [0, 1])]
    """
    domain = Domain(machine.ultraserver.axes)
    if src // domain.chips != dst // domain.chips:
        return [(Fraction(1), between_domains(machine, domain, src, dst))]
    first = src // domain.chips * domain.links
    here, there = src % domain.chips, dst % domain.chips
    policy = as_routing(routing)
    if isinstance(policy, DimensionOrder):
        _, tie, order = policy.row(domain.names)
        found = domain.dimension_order(here, there, tie, order or list(range(len(domain.axes))))
    elif isinstance(policy, Valiant):
        found = domain.valiant(here, there)
    elif isinstance(policy, MinimalAdaptive):
        found = domain.adaptive(here, there)
    else:
        raise Unsupported(
            f"paths of {policy}; use dimension order, minimal adaptive or Valiant routing"
        )
    return [(share, [first + link for link in links]) for share, links in found]


class Domain:
    """One UltraServer: its chips and links are numbered from 0."""

    def __init__(self, axes: tuple[Axis, ...]) -> None:
        self.axes = axes
        self.names = [axis.name for axis in axes]
        self.sizes = [axis.size for axis in axes]
        self.strides = [math.prod(self.sizes[:at]) for at in range(len(axes))]
        self.chips = math.prod(self.sizes)
        counts = [self.count_links(at) for at in range(len(axes))]
        self.first = [sum(counts[:at]) for at in range(len(axes))]
        self.links = sum(counts)

    def coordinate(self, chip: int, at: int) -> int:
        """Return the coordinate of a chip along an axis."""
        return chip // self.strides[at] % self.sizes[at]

    def moved(self, chip: int, at: int, to: int) -> int:
        """Return the chip whose coordinate along an axis is another one."""
        return chip + (to - self.coordinate(chip, at)) * self.strides[at]

    def cables(self, at: int) -> int:
        """Return the cables of one line of a ring or line."""
        size = self.sizes[at]
        return size - 1 if self.axes[at].kind == "line" or size == 1 else size

    def leaves(self, at: int) -> int:
        """Return the chips of one switch: those of its axis, or of all axes up to it."""
        below = self.strides[at] if self.axes[at].kind == "spanning_switch" else 1
        return below * self.sizes[at]

    def count_links(self, at: int) -> int:
        """Return the links of an axis."""
        axis, size = self.axes[at], self.sizes[at]
        lines = self.chips // size
        if axis.kind in ("ring", "line"):
            return 2 * lines * self.cables(at)
        if axis.kind == "full_mesh":
            return lines * size * (size - 1)
        switches = self.chips // self.leaves(at)
        return 2 * self.chips + switches * tier_links(axis.tiers, self.leaves(at))

    def cable(self, at: int, chip: int, step: int) -> int:
        """Return the link that leaves a chip along a ring or line, by +1 or -1."""
        size, stride = self.sizes[at], self.strides[at]
        # Cable c joins positions c and c + 1; first all cables forwards, then all backwards.
        cable = self.coordinate(chip, at) if step > 0 else (self.coordinate(chip, at) - 1) % size
        row = chip // (stride * size) * self.cables(at) + cable
        backward = self.count_links(at) // 2 if step < 0 else 0
        return self.first[at] + backward + row * stride + chip % stride

    def along(self, at: int, chip: int, step: int, hops: int) -> list[int]:
        """Return the links of so many steps along a ring or line."""
        links = []
        for _ in range(hops):
            links.append(self.cable(at, chip, step))
            chip = self.moved(chip, at, (self.coordinate(chip, at) + step) % self.sizes[at])
        return links

    def ways(self, at: int, here: int, there: int) -> list[tuple[int, int]]:
        """Return the shortest ways along a ring or line: (+1 or -1, hops)."""
        start, end, size = self.coordinate(here, at), self.coordinate(there, at), self.sizes[at]
        if self.axes[at].kind == "line":
            return [(1 if end > start else -1, abs(end - start))]
        ahead, back = (end - start) % size, (start - end) % size
        shortest = min(ahead, back)
        return [way for way in ((1, ahead), (-1, back)) if way[1] == shortest]

    def tied(self, at: int, here: int, there: int, tie: str) -> list[tuple[int, int]]:
        """Return the ways that a tie rule leaves."""
        ways = self.ways(at, here, there)
        if len(ways) == 1 or tie == "split":
            return ways
        start, middle = self.coordinate(here, at), self.sizes[at] // 2
        backward = {
            "positive": False,
            "negative": True,
            "simgrid": start == middle,
            "parity": start % 2 == 1,
            "dateline": start >= middle,
        }[tie]
        return ways[1:] if backward else ways[:1]

    def dimension_order(self, src: int, dst: int, tie: str, order: list[int]) -> list[Path]:
        """Correct one axis after another."""
        found: list[Path] = [(Fraction(1), [])]
        here = src
        for at in order:
            differs = [
                self.coordinate(src, one) != self.coordinate(dst, one) for one in range(len(order))
            ]
            spanned = any(
                differs[above] and self.axes[above].kind == "spanning_switch"
                for above in range(at + 1, len(order))
            )
            if not differs[at] or spanned:
                continue
            options, there = self.one_axis(at, here, dst, tie)
            share = Fraction(1, len(options))
            found = [(part * share, links + more) for part, links in found for more in options]
            here = there
        return found

    def one_axis(self, at: int, here: int, dst: int, tie: str) -> tuple[list[list[int]], int]:
        """Return the ways to correct one axis, as lists of links, and the chip where they end."""
        axis = self.axes[at]
        there = self.moved(here, at, self.coordinate(dst, at))
        if axis.kind in ("ring", "line"):
            ways = self.tied(at, here, there, tie)
            return [self.along(at, here, step, hops) for step, hops in ways], there
        if axis.kind == "full_mesh":
            return [[self.mesh_cable(at, here, there)]], there
        if axis.kind == "spanning_switch":  # corrects the axes below it too
            block = self.leaves(at)
            there = here // block * block + dst % block
        return [self.crossing(at, here, there)], there

    def line(self, at: int, chip: int) -> int:
        """Return which line of an axis a chip lies on."""
        size, stride = self.sizes[at], self.strides[at]
        return chip // (stride * size) * stride + chip % stride

    def mesh_cable(self, at: int, here: int, there: int) -> int:
        """Return the cable of a full mesh between two chips."""
        size, start, end = self.sizes[at], self.coordinate(here, at), self.coordinate(there, at)
        others = [position for position in range(size) if position != start]
        row = self.line(at, here) * size + start
        return self.first[at] + row * (size - 1) + others.index(end)

    def crossing(self, at: int, here: int, there: int) -> list[int]:
        """Return the links from a port of a switch to another."""
        axis, leaves = self.axes[at], self.leaves(at)
        if axis.kind == "spanning_switch":
            switch, start, end = here // leaves, here % leaves, there % leaves
        else:
            switch = self.line(at, here)
            start, end = self.coordinate(here, at), self.coordinate(there, at)
        ports, bundles = self.first[at], self.first[at] + 2 * self.chips
        bundles += switch * tier_links(axis.tiers, leaves)
        crossed = [bundles + link for link in bundles_crossed(axis.tiers, leaves, start, end)]
        return [ports + here, *crossed, ports + self.chips + there]

    def adaptive(self, src: int, dst: int) -> list[Path]:
        """Enumerate all shortest paths over rings and lines, equally likely."""
        axes = range(len(self.axes))
        found = []
        for ways in product(*(self.ways(at, src, dst) for at in axes)):
            steps = [step for step, _ in ways]
            found += list(self.interleaved(src, steps, [hops for _, hops in ways]))
        return [(Fraction(1, len(found)), links) for links in found]

    def interleaved(self, here: int, steps: list[int], left: list[int]) -> Iterator[list[int]]:
        """Yield every order of the hops that are left."""
        if not any(left):
            yield []
        for at, hops in enumerate(left):
            if hops:
                to = (self.coordinate(here, at) + steps[at]) % self.sizes[at]
                fewer = [*left[:at], hops - 1, *left[at + 1 :]]
                for rest in self.interleaved(self.moved(here, at, to), steps, fewer):
                    yield [self.cable(at, here, steps[at]), *rest]

    def valiant(self, src: int, dst: int) -> list[Path]:
        """Go by every chip of the UltraServer in equal shares, in dimension order each time."""
        if src == dst:
            return [(Fraction(1), [])]
        order = list(range(len(self.axes)))
        found = []
        for middle in range(self.chips):
            for one, first in self.dimension_order(src, middle, "split", order):
                for two, second in self.dimension_order(middle, dst, "split", order):
                    found.append((one * two / self.chips, first + second))
        return found


def between_domains(machine: Machine, domain: Domain, src: int, dst: int) -> list[int]:
    """Return the links from NIC to NIC: up the fabric, over the WAN if sites differ, down."""
    sites = machine.sites
    servers = [site.ultraservers for site in sites]
    nics = sum(servers) * domain.links
    nic = machine.ultraserver.nic
    sharing = 1 if nic is None else nic.chips
    fabric = nics + 2 * machine.num_chips // sharing
    firsts = [
        fabric + sum(tier_links(site.tiers, site.ultraservers) for site in sites[:at])
        for at in range(len(sites) + 1)
    ]
    (one, start), (other, end) = (place(servers, chip // domain.chips) for chip in (src, dst))
    egress, ingress = nics + src // sharing, nics + (machine.num_chips + dst) // sharing
    if one == other:
        inside = bundles_crossed(sites[one].tiers, servers[one], start, end)
        return [egress, *(firsts[one] + link for link in inside), ingress]
    ups = bundles(sites[one].tiers, servers[one], start, down=False)
    downs = bundles(sites[other].tiers, servers[other], end, down=True)
    wan = wan_links(machine, one, other)
    return [
        egress,
        *(firsts[one] + link for link in ups),
        *(firsts[-1] + link for link in wan),
        *(firsts[other] + link for link in reversed(downs)),
        ingress,
    ]


def place(servers: list[int], server: int) -> tuple[int, int]:
    """Return the site of an UltraServer, and its number there."""
    site = 0
    while server >= servers[site]:
        server -= servers[site]
        site += 1
    return site, server


def tier_links(tiers: tuple[Tier, ...], leaves: int) -> int:
    """Return the links of all tiers: one up and one down for each group."""
    return sum(2 * math.ceil(leaves / tier.group) for tier in tiers)


def bundles(tiers: tuple[Tier, ...], leaves: int, leaf: int, *, down: bool) -> list[int]:
    """Return the bundles above a leaf, lowest tier first, counted from the first of the tiers."""
    return [
        tier_links(tiers[:at], leaves) + 2 * (leaf // tier.group) + down
        for at, tier in enumerate(tiers)
    ]


def bundles_crossed(tiers: tuple[Tier, ...], leaves: int, start: int, end: int) -> list[int]:
    """Return the bundles between two leaves: up until they share a group, and down."""
    height = 0
    while height < len(tiers) and start // tiers[height].group != end // tiers[height].group:
        height += 1
    ups = bundles(tiers, leaves, start, down=False)[:height]
    return ups + bundles(tiers, leaves, end, down=True)[:height][::-1]


def wan_links(machine: Machine, one: int, other: int) -> list[int]:
    """Return the links between two sites, counted from the first WAN link."""
    if machine.wan is not None and machine.wan.shape == "hub":
        return [2 * one, 2 * other + 1]
    count = len(machine.sites)
    others = [site for site in range(count) if site != one]
    return [one * (count - 1) + others.index(other)]
