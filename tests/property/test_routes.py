"""Routes: chains, minimal, conserved, moved along with the chips, and those of the oracle."""

from __future__ import annotations

import re
from collections import defaultdict
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rainier_fast as rf
from property.strategies import (
    alone,
    clusters,
    columns,
    grids,
    machines,
    ordered,
    pairs,
    policies,
)
from rainier_fast.testing import oracle


def distance(machine: rf.Machine, src: int, dst: int) -> int:
    """Hops of a shortest way on a torus or mesh."""
    here, there = machine.coordinates(src), machine.coordinates(dst)
    total = 0
    for axis in machine.ultraserver.axes:
        ahead = abs(int(here[axis.name]) - int(there[axis.name]))
        total += min(ahead, axis.size - ahead) if axis.kind == "ring" else ahead
    return total


def ends(machine: rf.Machine, links: np.ndarray) -> list[tuple[str, str]]:
    return [(one.source, one.target) for one in map(machine.link, links.tolist())]


def same_place(one: str, two: str) -> bool:
    """Tell whether words may mean one place: a port, a NIC and a WAN link name only the whole."""
    whole = r"(fabric|s\d+|\w+ switch \d+)"
    part = r"( core| tier \d+ group \d+| above tier \d+)?"
    names = [re.fullmatch(whole + part, words) for words in (one, two)]
    if one == two or not all(names):
        return one == two
    return names[0][1] == names[1][1] or "fabric" in (one, two)


def moved(machine: rf.Machine, chip: int, steps: list[int]) -> int:
    place = machine.coordinates(chip)
    axes = machine.ultraserver.axes
    at = {a.name: (int(place[a.name]) + s) % a.size for a, s in zip(axes, steps, strict=True)}
    return int(machine.chip(**at))


def shares_by_ends(machine: rf.Machine, route: rf.Route) -> dict[tuple[object, ...], float]:
    found = {}
    for link, share in zip(map(machine.link, route.links.tolist()), route.shares, strict=True):
        found[link.link_class, link.direction, link.source_chip, link.target_chip] = float(share)
    return found


@given(st.data())
def test_every_route_is_the_oracles(data: st.DataObject) -> None:
    machine = data.draw(grids(max_chips=40) | alone() | clusters(max_chips=24))
    policy = data.draw(policies(machine))
    src, dst = data.draw(pairs(machine))
    if isinstance(policy, rf.MinimalAdaptive) and distance_inside(machine, src, dst) > 7:
        policy = rf.DimensionOrder()  # the oracle writes out every path
    route = machine.route(src, dst, policy)
    expected: dict[int, Fraction] = defaultdict(Fraction)
    found = oracle.paths(machine, src, dst, policy)
    for share, links in found:
        for link in links:
            expected[link] += share
    assert sorted(expected) == sorted(route.links.tolist())
    for link, share in zip(route.links.tolist(), route.shares.tolist(), strict=True):
        assert abs(share - expected[link]) <= 1e-12
    assert route.hops == max(len(links) for _, links in found)
    assert abs(route.mean_hops - sum(share * len(links) for share, links in found)) <= 1e-9
    if len(found) == 1:
        assert route.links.tolist() == found[0][1]  # in the order of travel
        latencies = [machine.link(link).latency_s for link in found[0][1]]
        rates = [machine.link(link).bandwidth_Bps for link in found[0][1]]
        assert abs(route.latency_s - sum(latencies)) <= 1e-12
        assert route.bandwidth_Bps == min(rates, default=np.inf)


def distance_inside(machine: rf.Machine, src: int, dst: int) -> int:
    chips = machine.ultraserver.num_chips
    return distance(machine, src, dst) if src // chips == dst // chips else 0


@given(st.data())
def test_a_single_path_chains_from_source_to_destination(data: st.DataObject) -> None:
    machine = data.draw(machines())
    policy = data.draw(ordered(machine))
    src, dst = data.draw(pairs(machine))
    route = machine.route(src, dst, policy)
    if not (route.shares == 1).all():
        return
    chain = ends(machine, route.links)
    if src == dst:
        assert chain == []
        return
    assert chain[0][0] == f"chip {src}"
    assert chain[-1][1] == f"chip {dst}"
    for (_, arrives), (leaves, _) in pairwise(chain):
        assert same_place(arrives, leaves)


@given(st.data())
def test_split_routes_conserve_what_they_carry(data: st.DataObject) -> None:
    machine = data.draw(grids())
    policy = data.draw(policies(machine))
    src, dst = data.draw(pairs(machine))
    route = machine.route(src, dst, policy)
    surplus: dict[int | None, float] = defaultdict(float)
    for number, share in zip(route.links.tolist(), route.shares.tolist(), strict=True):
        link = machine.link(number)
        assert share > 0
        surplus[link.source_chip] += share
        surplus[link.target_chip] -= share
    surplus[src] -= 1
    surplus[dst] += 1
    assert all(abs(left) <= 1e-12 for left in surplus.values())
    assert len(set(route.links.tolist())) == route.links.size


@given(st.data())
def test_minimal_policies_take_the_fewest_hops(data: st.DataObject) -> None:
    machine = data.draw(grids())
    policy = data.draw(ordered(machine) | st.just(rf.MinimalAdaptive()))
    src, dst = data.draw(pairs(machine))
    route = machine.route(src, dst, policy)
    assert route.hops == distance(machine, src, dst)
    assert abs(route.mean_hops - route.hops) <= 1e-9
    detour = machine.route(src, dst, "valiant")
    assert detour.mean_hops >= route.mean_hops - 1e-9


@pytest.mark.parametrize("wrap", [True, False])
@pytest.mark.parametrize("shape", [(2,), (3,), (4,), (5,), (6,), (3, 7), (4, 2, 3)])
def test_hops_of_valiant_are_those_of_its_longest_path(
    shape: tuple[int, ...], *, wrap: bool
) -> None:
    machine = rf.torus(shape, 1e9, "1 us", wrap)
    for src, dst in [(0, 1), (0, machine.num_chips - 1), (1, 0)]:
        legs = [
            distance(machine, src, by) + distance(machine, by, dst)
            for by in range(machine.num_chips)
        ]
        route = machine.route(src, dst, "valiant")
        assert route.hops == max(legs)
        assert route.latency_s == pytest.approx(max(legs) * 1e-6)
        assert route.mean_hops == pytest.approx(sum(legs) / len(legs))


@given(st.data())
def test_routes_move_along_with_their_ends(data: st.DataObject) -> None:
    machine = data.draw(grids(wrap=True))
    policy = data.draw(
        st.builds(rf.DimensionOrder, st.sampled_from(["split", "positive", "negative"]))
        | st.sampled_from([rf.MinimalAdaptive(), rf.Valiant()])
    )
    src, dst = data.draw(pairs(machine))
    steps = [data.draw(st.integers(0, axis.size - 1)) for axis in machine.ultraserver.axes]
    here = shares_by_ends(machine, machine.route(src, dst, policy))
    there = machine.route(moved(machine, src, steps), moved(machine, dst, steps), policy)
    expected = {
        (kind, way, moved(machine, one, steps), moved(machine, two, steps)): share
        for (kind, way, one, two), share in here.items()
    }
    found = shares_by_ends(machine, there)
    assert found.keys() == expected.keys()
    assert all(abs(found[key] - expected[key]) <= 1e-12 for key in found)


@given(st.data())
def test_loads_move_along_with_their_flows(data: st.DataObject) -> None:
    machine = data.draw(grids(wrap=True))
    src, dst, nbytes = data.draw(columns(machine))
    steps = [data.draw(st.integers(0, axis.size - 1)) for axis in machine.ultraserver.axes]
    loads = machine.link_loads(src, dst, nbytes)
    to = np.array([moved(machine, chip, steps) for chip in range(machine.num_chips)])
    other = machine.link_loads(to[src], to[dst], nbytes)
    number = {}
    links = [machine.link(at) for at in range(machine.num_links)]
    for link in links:
        number[link.link_class, link.direction, link.source_chip, link.target_chip] = link.link
    for link in links:
        key = (link.link_class, link.direction, to[link.source_chip], to[link.target_chip])
        assert other.bytes[number[key]] == loads.bytes[link.link]
