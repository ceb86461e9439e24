"""Max-min fair rates against a slow reference and by their definition."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rainier_fast as rf
from raising import raises

SHAPES = [(4,), (5,), (4, 4), (3, 4), (2, 2, 3), (4, 4, 4)]


Links = dict[int, float]
"""Share of a message on each of its links."""


def links_of(machine: Any, pairs: list[tuple[int, int]], routing: str) -> list[Links]:
    routes = [machine.route(src, dst, routing) for src, dst in pairs]
    return [dict(zip(way.links.tolist(), way.shares.tolist(), strict=True)) for way in routes]


def capacities(machine: Any, flows: list[Links]) -> Links:
    links = {link for flow in flows for link in flow}
    return {link: machine.link(link).bandwidth_Bps for link in links}


def slow_rates(machine: Any, paths: list[Links]) -> list[float]:
    """Progressive filling, one level at a time, in fractions."""
    left = {link: Fraction(rate) for link, rate in capacities(machine, paths).items()}
    flows = [{link: Fraction(share) for link, share in path.items()} for path in paths]
    rates = [np.inf] * len(flows)
    rising = {at for at, flow in enumerate(flows) if flow}
    while rising:
        load: dict[int, Fraction] = {}
        for at in rising:
            for link, share in flows[at].items():
                load[link] = load.get(link, Fraction(0)) + share
        levels = {link: left[link] / shares for link, shares in load.items()}
        level = min(levels.values())
        full = {link for link, its in levels.items() if its == level}
        for at in [at for at in rising if full & flows[at].keys()]:
            rates[at] = float(level)
            rising.remove(at)
            for link, share in flows[at].items():
                left[link] -= level * share
    return rates


@st.composite
def cases(draw: st.DrawFn) -> tuple[Any, list[tuple[int, int]], str]:
    shape = draw(st.sampled_from(SHAPES))
    rates = tuple(draw(st.sampled_from([1e9, 2e9, 3e9])) for _ in shape)
    wrap = tuple(draw(st.booleans()) for _ in shape)
    machine = rf.torus(shape, bandwidth=rates, wrap=wrap)
    chip = st.integers(0, machine.num_chips - 1)
    pairs = draw(st.lists(st.tuples(chip, chip), min_size=1, max_size=12))
    return machine, pairs, draw(st.sampled_from(["dor", "adaptive"]))


@given(cases())
def test_rates_are_fair(case: tuple[Any, list[tuple[int, int]], str]) -> None:
    assert_fair(*case)


def test_rates_of_a_thousand_random_flow_sets_are_fair() -> None:
    rng = np.random.default_rng(1)
    for number in range(1000):
        shape = SHAPES[number % len(SHAPES)]
        machine = rf.torus(
            shape,
            bandwidth=tuple(rng.choice([1e9, 2e9, 3e9], len(shape)).tolist()),
            wrap=tuple(rng.choice([True, False], len(shape)).tolist()),
        )
        src, dst = rng.integers(0, machine.num_chips, (2, rng.integers(2, 20)))
        pairs = list(zip(src.tolist(), dst.tolist(), strict=True))
        assert_fair(machine, pairs, "adaptive" if number % 5 == 0 else "dor")


def assert_fair(machine: Any, pairs: list[tuple[int, int]], routing: str) -> None:
    """Rates are the slow reference's, and nobody gains without a poorer one losing."""
    flows = links_of(machine, pairs, routing)
    rates = machine.max_min_rates(*np.array(pairs).T, routing)
    np.testing.assert_allclose(rates, slow_rates(machine, flows), rtol=1e-9)
    load: dict[int, float] = {}
    fastest: dict[int, float] = {}
    for flow, rate in zip(flows, rates, strict=True):
        for link, share in flow.items():
            load[link] = load.get(link, 0.0) + share * rate
            fastest[link] = max(fastest.get(link, 0.0), rate)
    capacity = capacities(machine, flows)
    full = {link for link, rate in load.items() if rate >= capacity[link] * (1 - 1e-9)}
    assert all(rate <= capacity[link] * (1 + 1e-9) for link, rate in load.items())
    for flow, rate in zip(flows, rates, strict=True):
        assert not flow or any(link in full and rate >= fastest[link] * (1 - 1e-9) for link in flow)


def test_one_message_has_the_bandwidth_of_its_route() -> None:
    cluster = rf.preset("rainier", chips=64 * 8, sites=3)
    far = cluster.num_chips - 1
    for pair in [(0, 1), (0, 42), (0, far), (3, 70)]:
        rate = cluster.max_min_rates(*pair)
        assert rate == pytest.approx([cluster.route(*pair).bandwidth_Bps], rel=1e-12)


def test_bad_columns_are_named() -> None:
    torus = rf.torus((4, 4), bandwidth="1 GB/s")
    with raises(rf.OutOfRange, "dst[1]"):
        torus.max_min_rates([0, 1], [1, 16])
    with raises(rf.InvalidArgument, "dst"):
        torus.max_min_rates([0, 1], [1, 2, 3])
    assert torus.max_min_rates([], []).size == 0
    assert np.isinf(torus.max_min_rates(3, 3)).all()
