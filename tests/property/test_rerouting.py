"""Routes round damage against slow searches written from the rules."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import rainier_fast as rf
from property.strategies import grids
from rainier_fast.testing.oracle import Domain
from raising import raises
from slow_channels import Routes, channels, has_circle

Steps = list[tuple[int, float]]
POLICIES = ("dor", "wild_first", "shortest", "up_down", "balanced")


@st.composite
def damaged(draw: st.DrawFn, *, rings: bool = False) -> rf.Machine:
    """Tori and meshes of 2 to 4 axes, up to a fifth of the links gone, some with a dead chip."""
    whole = draw(grids(4, 64, wrap=True if rings else None))
    most = whole.num_links // 5
    count = draw(st.integers(0, most))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    links = random.choice(whole.num_links, count, replace=False) if count else []
    chips = [0] if whole.num_chips > 1 and draw(st.integers(0, 5)) == 0 else []
    return whole.with_faults(links=links, chips=chips)


class Slow:
    """What the rules say, step by step, on one UltraServer of rings and lines."""

    def __init__(self, machine: rf.Machine) -> None:
        self.domain = Domain(machine.ultraserver.axes)
        self.dead_chips = set(machine.faults.chips.tolist())
        self.dead = set(machine.faults.links.tolist())
        self.out: dict[int, list[tuple[int, int, int, int]]] = defaultdict(list)
        every = []
        for chip in range(self.domain.chips):
            for at, size in enumerate(self.domain.sizes):
                for step in (1, -1):
                    to = self.domain.coordinate(chip, at) + step
                    line = self.domain.axes[at].kind == "line"
                    if size == 1 or (line and not 0 <= to < size):
                        continue
                    there = self.domain.moved(chip, at, to % size)
                    every.append((chip, at, step, there, self.domain.cable(at, chip, step)))
        self.dead |= {link for chip, _, _, there, link in every if {chip, there} & self.dead_chips}
        for chip, at, step, there, link in every:
            if link not in self.dead:
                self.out[chip].append((there, link, at, step))
        self.back = {
            link: self.domain.cable(at, there, -step) for _, at, step, there, link in every
        }
        self.ends = {link: (chip, there) for chip, _, _, there, link in every}

    def shortest(self, src: int) -> dict[int, list[int]]:
        """Links of the first shortest path to each chip that can be reached."""
        ways: dict[int, list[int]] = {src: []}
        level = [src]
        while level:
            following = []
            for here in level:
                for there, link, _, _ in self.out[here]:
                    if there not in ways:
                        ways[there] = [*ways[here], link]
                        following.append(there)
            level = following
        return ways

    def leg(self, here: int, dst: int, at: int, tie: str) -> tuple[int, Steps] | None:
        """One axis by a live way, or None."""
        size = self.domain.sizes[at]
        a, b = self.domain.coordinate(here, at), self.domain.coordinate(dst, at)
        ways = {1: (b - a) % size, -1: (a - b) % size}
        if self.domain.axes[at].kind == "line":
            wanted, others = [1 if b > a else -1], []
            ways = {1: b - a, -1: a - b}
        elif ways[1] != ways[-1]:
            wanted = [min(ways, key=lambda step: ways[step])]
            others = [-wanted[0]]
        elif tie == "split":
            wanted, others = [1, -1], []
        else:
            up = {"positive": True, "negative": False, "parity": a % 2 == 0, "dateline": a < b}
            wanted, others = ([1], [-1]) if up[tie] else ([-1], [1])
        live = {}
        for step in (*wanted, *others):
            links, chip = [], here
            for _ in range(ways[step]):
                links.append(self.domain.cable(at, chip, step))
                to = (self.domain.coordinate(chip, at) + step) % size
                chip = self.domain.moved(chip, at, to)
            if not set(links) & self.dead:
                live[step] = links
        chosen = [step for step in wanted if step in live] or [s for s in others if s in live]
        if not chosen:
            return None
        steps = [(link, 1 / len(chosen)) for step in chosen for link in live[step]]
        return self.domain.moved(here, at, b), steps

    def ordered(self, src: int, dst: int, order: Any, tie: str = "split") -> Steps | None:
        """Dimension order by one order of the axes, or None."""
        here, steps = src, []
        for at in order:
            if self.domain.coordinate(here, at) != self.domain.coordinate(dst, at):
                found = self.leg(here, dst, at, tie)
                if found is None:
                    return None
                here, more = found
                steps += more
        return steps

    def dor(self, src: int, dst: int, tie: str = "split") -> Steps | None:
        """Dimension order with detours."""
        domain = self.domain
        apart = [
            at
            for at in range(len(domain.axes))
            if domain.coordinate(src, at) != domain.coordinate(dst, at)
        ]
        for order in itertools.islice(itertools.permutations(apart), 24):
            steps = self.ordered(src, dst, order, tie)
            if steps is not None:
                return steps
        links = self.shortest(src).get(dst)
        return None if links is None else [(link, 1.0) for link in links]

    def wild_first(self, src: int, dst: int) -> tuple[int, float] | None:
        """Fewest wild hops and then fewest links, or None."""
        level, seen, wild = {src}, {src}, 0
        order = range(len(self.domain.axes))
        while level:
            ways = [self.ordered(chip, dst, order) for chip in level]
            lengths = [sum(share for _, share in way) for way in ways if way is not None]
            if lengths:
                return wild, wild + min(lengths)
            level = {there for here in level for there, *_ in self.out[here]} - seen
            seen |= level
            wild += 1
        return None

    def up_down(self, src: int) -> tuple[dict[int, int], dict[int, int]]:
        """Levels, and the length of the shortest legal way to each chip."""
        both = {
            chip: [there for there, link, *_ in self.out[chip] if self.back[link] not in self.dead]
            for chip in range(self.domain.chips)
        }
        levels: dict[int, int] = {}
        for root in range(self.domain.chips):
            level = [root] if root not in levels else []
            depth = 0
            while level:
                levels |= dict.fromkeys(level, depth)
                level = sorted({t for h in level for t in both[h] if t not in levels})
                depth += 1
        length = {(src, False): 0}
        states = [(src, False)]
        for here, fell in states:
            for there in both[here]:
                down = (levels[there], there) > (levels[here], here)
                state = (there, down)
                if (down or not fell) and state not in length:
                    length[state] = length[here, fell] + 1
                    states.append(state)
        ends = {chip for chip, _ in length}
        return levels, {
            chip: min(length[s] for s in ((chip, False), (chip, True)) if s in length)
            for chip in ends
        }


def pairs_of(machine: rf.Machine, data: st.DataObject) -> list[tuple[int, int]]:
    live = [chip for chip in range(machine.num_chips) if chip not in machine.faults.chips]
    some = st.tuples(st.sampled_from(live), st.sampled_from(live))
    return data.draw(st.lists(some, min_size=1, max_size=12))


def steps_of(route: rf.Route) -> Steps:
    return list(zip(route.links.tolist(), route.shares.tolist(), strict=True))


@settings(deadline=None)
@given(damaged(), st.data())
def test_dimension_order_goes_round_as_the_rules_say(
    machine: rf.Machine, data: st.DataObject
) -> None:
    slow = Slow(machine)
    for src, dst in pairs_of(machine, data):
        for tie in ("split", "positive", "negative", "parity", "dateline"):
            expected = slow.dor(src, dst, tie)
            policy = rf.DimensionOrder(tie)
            assert machine.unreachable(src, dst, policy).tolist() == [expected is None]
            if expected is not None:
                assert steps_of(machine.route(src, dst, policy)) == expected


@settings(deadline=None)
@given(damaged(), st.data())
def test_shortest_ways_are_the_first_of_the_shortest(
    machine: rf.Machine, data: st.DataObject
) -> None:
    slow = Slow(machine)
    for src, dst in pairs_of(machine, data):
        expected = slow.shortest(src).get(dst)
        assert machine.unreachable(src, dst, "shortest").tolist() == [expected is None]
        if expected is not None:
            assert machine.route(src, dst, "shortest").links.tolist() == expected


@settings(deadline=None)
@given(damaged(), st.data())
def test_balanced_ways_are_shortest_and_a_forwarding_table(
    machine: rf.Machine, data: st.DataObject
) -> None:
    slow = Slow(machine)
    for src, dst in pairs_of(machine, data):
        expected = slow.shortest(src).get(dst)
        assert machine.unreachable(src, dst, "balanced").tolist() == [expected is None]
        if expected is not None:
            links = machine.route(src, dst, "balanced").links.tolist()
            assert len(links) == len(expected)
            assert not set(links) & slow.dead
            # From each chip on its way the route to the same target is the rest of it.
            for at, link in enumerate(links):
                here = slow.ends[link][0]
                assert machine.route(here, dst, "balanced").links.tolist() == links[at:]


@settings(deadline=None)
@given(damaged(), st.data())
def test_wild_first_has_as_few_wild_hops_and_links_as_can_be(
    machine: rf.Machine, data: st.DataObject
) -> None:
    slow = Slow(machine)
    for src, dst in pairs_of(machine, data):
        expected = slow.wild_first(src, dst)
        assert machine.unreachable(src, dst, "wild_first").tolist() == [expected is None]
        if expected is not None:
            wild, length = expected
            steps = steps_of(machine.route(src, dst, "wild_first"))
            assert sum(share for _, share in steps) == length
            # Its wild hops are links in a row, and the rest is dimension order from there.
            here = src
            for link, _ in steps[:wild]:
                assert slow.ends[link][0] == here
                here = slow.ends[link][1]
            order = range(len(slow.domain.axes))
            assert slow.ordered(here, dst, order) == steps[wild:]


@settings(deadline=None)
@given(damaged(), st.data())
def test_up_down_never_goes_up_again(machine: rf.Machine, data: st.DataObject) -> None:
    slow = Slow(machine)
    for src, dst in pairs_of(machine, data):
        levels, lengths = slow.up_down(src)
        assert machine.unreachable(src, dst, "up_down").tolist() == [dst not in lengths]
        if dst in lengths:
            links = machine.route(src, dst, "up_down").links.tolist()
            assert len(links) == lengths[dst]
            ranks = [(levels[src], src)]
            for link in links:
                assert slow.ends[link][0] == ranks[-1][1]
                assert not {link, slow.back[link]} & slow.dead
                ranks.append((levels[slow.ends[link][1]], slow.ends[link][1]))
            falls = [after > before for before, after in itertools.pairwise(ranks)]
            assert falls == sorted(falls)


@settings(deadline=None)
@given(damaged(), st.sampled_from(POLICIES), st.data())
def test_loads_are_the_sum_over_routes(
    machine: rf.Machine, policy: str, data: st.DataObject
) -> None:
    flows = np.array(pairs_of(machine, data))
    kept = flows[~machine.unreachable(flows[:, 0], flows[:, 1], policy)]
    if len(kept) < len(flows):
        cut = machine.unreachable(flows[:, 0], flows[:, 1], policy)
        src, dst = flows[cut][0]
        with raises(rf.Unreachable, None, f"chip {dst} ", f"chip {src}: "):
            machine.link_loads(flows[:, 0], flows[:, 1], 1, policy)
    sizes = np.arange(1.0, len(kept) + 1)
    expected = np.zeros(machine.num_links)
    for (src, dst), size in zip(kept.tolist(), sizes, strict=True):
        route = machine.route(src, dst, policy)
        np.add.at(expected, route.links, route.shares * size)
    for threads in (1, 3):
        loads = machine.link_loads(kept[:, 0], kept[:, 1], sizes, policy, n_threads=threads)
        assert loads.bytes.tolist() == expected.tolist()


@settings(deadline=None, max_examples=60)
@given(
    damaged(),
    st.sampled_from(["dor", rf.DimensionOrder("parity"), "shortest", "up_down", "balanced"]),
)
def test_reports_are_what_a_slow_search_finds(machine: rf.Machine, policy: Any) -> None:
    if machine.num_chips > 24:
        return
    (report,) = machine.routing_report(policy, ultraserver=0)
    routes = Routes(machine, policy)
    if policy in ("shortest", "up_down"):
        waits = routes.together(routes.paths, dateline=policy == "shortest")
        assert report.deadlock_free == (not has_circle(waits))
        assert report.deadlock_free or not report.promised
    else:
        assert report.deadlock_free
        assert report.virtual_channels == channels(routes, ordered=policy != "balanced")
    live = machine.num_chips - len(machine.faults.chips)
    assert report.pairs == live * (live - 1)
    assert report.pairs - report.cut == len(routes.paths)
    if routes.hops:
        assert report.longest_hops == max(routes.hops)
        assert np.isclose(report.mean_hops, np.mean(routes.hops), rtol=1e-12)
        assert report.highest_load == max(routes.load.values())
