"""Max-min fair rates against a slow reference and by their definition."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rainier_fast as rf

SHAPES = [(4,), (5,), (4, 4), (3, 4), (2, 2, 3), (4, 4, 4)]


def links_of(machine: Any, src: int, dst: int, routing: str) -> dict[int, float]:
    route = machine.route(src, dst, routing)
    return dict(zip(route.links.tolist(), route.shares.tolist(), strict=True))


def slow_rates(machine: Any, pairs: list[tuple[int, int]], routing: str) -> list[float]:
    """Progressive filling, one full link at a time, in fractions."""
    flows = [
        {link: Fraction(share) for link, share in links_of(machine, *pair, routing).items()}
        for pair in pairs
    ]
    left = {link: Fraction(machine.link(link).bandwidth_Bps) for flow in flows for link in flow}
    rates: list[Fraction | None] = [None if flow else Fraction(0) for flow in flows]
    while any(rate is None for rate in rates):
        load: dict[int, Fraction] = {}
        for flow, rate in zip(flows, rates, strict=True):
            if rate is None:
                for link, share in flow.items():
                    load[link] = load.get(link, Fraction(0)) + share
        level = min(left[link] / shares for link, shares in load.items())
        full = {link for link, shares in load.items() if left[link] / shares == level}
        for at, flow in enumerate(flows):
            if rates[at] is None and full & flow.keys():
                rates[at] = level
        for link in left:
            left[link] = Fraction(machine.link(link).bandwidth_Bps) - sum(
                (rate * flow.get(link, 0))
                for flow, rate in zip(flows, rates, strict=True)
                if rate is not None
            )
    return [float(rate) if flow else np.inf for rate, flow in zip(rates, flows, strict=True)]


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
def test_rates_are_those_of_the_slow_reference(
    case: tuple[Any, list[tuple[int, int]], str],
) -> None:
    machine, pairs, routing = case
    src, dst = np.array(pairs).T
    seen = machine.max_min_rates(src, dst, routing)
    np.testing.assert_allclose(seen, slow_rates(machine, pairs, routing), rtol=1e-9)


@given(cases())
def test_nobody_gains_without_a_poorer_one_losing(
    case: tuple[Any, list[tuple[int, int]], str],
) -> None:
    machine, pairs, routing = case
    src, dst = np.array(pairs).T
    rates = machine.max_min_rates(src, dst, routing)
    load: dict[int, float] = {}
    fastest: dict[int, float] = {}
    for pair, rate in zip(pairs, rates, strict=True):
        for link, share in links_of(machine, *pair, routing).items():
            load[link] = load.get(link, 0.0) + share * rate
            fastest[link] = max(fastest.get(link, 0.0), rate)
    full = {
        link for link, rate in load.items() if rate >= machine.link(link).bandwidth_Bps * (1 - 1e-9)
    }
    assert all(rate <= machine.link(link).bandwidth_Bps * (1 + 1e-9) for link, rate in load.items())
    for pair, rate in zip(pairs, rates, strict=True):
        mine = links_of(machine, *pair, routing)
        assert not mine or any(link in full and rate >= fastest[link] * (1 - 1e-9) for link in mine)


def test_one_message_has_the_bandwidth_of_its_route() -> None:
    cluster = rf.preset("rainier", chips=64 * 8)
    far = cluster.num_chips - 1
    for pair in [(0, 1), (0, 42), (0, far), (3, 70)]:
        rate = cluster.max_min_rates(*pair)
        assert rate == pytest.approx([cluster.route(*pair).bandwidth_Bps], rel=1e-12)


def test_bad_columns_are_named() -> None:
    torus = rf.torus((4, 4), bandwidth="1 GB/s")
    with pytest.raises(rf.OutOfRange, match=r"dst\[1\]"):
        torus.max_min_rates([0, 1], [1, 16])
    with pytest.raises(rf.InvalidArgument, match="dst"):
        torus.max_min_rates([0, 1], [1, 2, 3])
    assert torus.max_min_rates([], []).size == 0
    assert np.isinf(torus.max_min_rates(3, 3)).all()
