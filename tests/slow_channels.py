"""Slow, obvious channels of routes: who waits for whom, and how many channels leave no circle."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

import rainier_fast as rf

Waits = list[tuple[Any, Any]]


class Routes:
    """All routes of a policy, as paths of links; a split message has several."""

    def __init__(self, machine: rf.Machine, policy: Any) -> None:
        dead = set(machine.faults.chips.tolist())
        live = [chip for chip in range(machine.num_chips) if chip not in dead]
        pairs = np.array(list(itertools.permutations(live, 2)), dtype=np.int64).reshape(-1, 2)
        cut = machine.unreachable(pairs[:, 0], pairs[:, 1], policy)
        sizes = [axis.size for axis in machine.ultraserver.axes]
        places = list(itertools.product(*map(range, sizes[::-1])))
        places = [place[::-1] for place in places]
        names = [axis.name for axis in machine.ultraserver.axes]
        links = [machine.link(link) for link in range(machine.num_links)]
        self.axis = [names.index(link.link_class) for link in links]
        self.ends = [(link.source_chip, link.target_chip) for link in links]
        # The cable between the last position and the first, of rings.
        self.closes = [
            axis.kind == "ring" and place[at] == axis.size - 1
            for link, at in zip(links, self.axis, strict=True)
            for axis in [machine.ultraserver.axes[at]]
            for place in [places[link.source_chip if link.direction == "+" else link.target_chip]]
        ]
        self.load: dict[int, float] = defaultdict(float)
        self.hops: list[float] = []
        self.paths: dict[tuple[int, int], list[list[int]]] = {}
        for src, dst in pairs[~cut].tolist():
            route = machine.route(src, dst, policy)
            links = route.links.tolist()
            for link, share in zip(links, route.shares.tolist(), strict=True):
                self.load[link] += share
            self.hops.append(route.hops)
            self.paths[src, dst] = self._from(src, dst, links)

    def _from(self, here: int, dst: int, links: list[int]) -> list[list[int]]:
        if here == dst:
            return [[]]
        return [
            [link, *rest]
            for link in links
            if self.ends[link][0] == here
            for rest in self._from(self.ends[link][1], dst, links)
        ]

    def in_order(self, path: list[int]) -> bool:
        axes = [axis for axis, _ in itertools.groupby(self.axis[link] for link in path)]
        return axes == sorted(set(axes))

    def waits(self, pair: tuple[int, int], *, dateline: bool) -> Waits:
        """Links that wait for links; with a dateline each with the channel that it takes."""
        found: Waits = []
        for path in self.paths[pair]:
            channels: list[Any] = []
            axis, second = -1, False
            for link in path:
                second &= self.axis[link] == axis
                axis = self.axis[link]
                channels.append((link, second and dateline))
                second |= self.closes[link]
            found += itertools.pairwise(channels)
        return found

    def together(self, pairs: Iterable[tuple[int, int]], *, dateline: bool) -> Layer:
        """Return what waits for what on the channels of the rules."""
        layer = Layer()
        for pair in pairs:
            for before, after in self.waits(pair, dateline=dateline):
                layer.setdefault(before, set()).add(after)
        return layer


def has_circle(next_of: dict[Any, set[Any]]) -> bool:
    """Take away channels that wait for nothing, until none is left or a circle stays."""
    left = {channel: set(after) for channel, after in next_of.items()}
    while left:
        free = [channel for channel, after in left.items() if not after & left.keys()]
        if not free:
            return True
        for channel in free:
            del left[channel]
    return False


class Layer(dict[Any, set[Any]]):
    """Channels and those that they wait for."""

    def reaches(self, start: Any, end: Any) -> bool:
        seen, queue = {start}, [start]
        for here in queue:
            queue += (new := self.get(here, set()) - seen)
            seen |= new
        return end in seen

    def take(self, waits: Waits) -> bool:
        added = []
        for before, after in waits:
            if after in self.get(before, ()):
                continue
            if self.reaches(after, before):
                for one, other in added:
                    self[one].remove(other)
                return False
            self.setdefault(before, set()).add(after)
            added.append((before, after))
        return True


def further(routes: Routes, pairs: list[tuple[int, int]], base: Layer | None, *, line: bool) -> int:
    """Count the layers that pairs need beside those of the rules, first come, first served."""
    layers: list[Layer] = []
    for pair in pairs:
        if base is not None and base.take(routes.waits(pair, dateline=line)):
            continue
        waits = routes.waits(pair, dateline=False)
        if not any(layer.take(waits) for layer in layers):
            layers.append(Layer())
            assert layers[-1].take(waits)
    assert not any(map(has_circle, layers))
    assert base is None or not has_circle(base)
    return len(layers)


def channels(routes: Routes, *, ordered: bool) -> int:
    """Channels that the report should say, for dimension order or balanced routes."""
    pairs = list(routes.paths)
    apart = [pair for pair in pairs if not (ordered and routes.in_order(routes.paths[pair][0]))]
    ruled = [pair for pair in pairs if pair not in set(apart)]
    line = has_circle(routes.together(ruled, dateline=False))
    assert not has_circle(routes.together(ruled, dateline=line))
    counts = [
        further(
            routes,
            sorted(apart, key=lambda pair: pair[::way]),
            routes.together(ruled, dateline=line) if ruled else None,
            line=line,
        )
        for way in (1, -1)
    ]
    return (1 + line if ruled else 0) + min(counts)
