"""Laws of what a dollar buys, over objectives and prices."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rainier_fast as rf
from rainier_fast.operations.objectives import Objective
from rainier_fast.operations.offers import Offer, offer, priced
from rainier_fast.operations.ways import Ways, ways_of

SERVICE = rf.Serving("llama-3.1-8b", input=1024, output=256)
MACHINES = ("trn2", "h100", "b200")


@cache
def ways(name: str) -> Ways:
    return ways_of(rf.preset(name), name, SERVICE, (None,), None)


def at(name: str, ttft: float, tpot: float, price: float) -> Offer:
    known = priced(ways(name), price, "2026-07", None)
    return offer(ways(name), Objective((ttft, tpot), ""), "2026-07", known)


TTFT, TPOT, PRICE = st.floats(0.05, 20), st.floats(0.002, 0.5), st.floats(0.1, 20)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(MACHINES), TTFT, TPOT, st.floats(1, 10), st.floats(1, 10), PRICE)
def test_dollars_fall_as_the_objective_loosens(
    name: str, ttft: float, tpot: float, later: float, slower: float, price: float
) -> None:
    one, two = at(name, ttft, tpot, price), at(name, ttft * later, tpot * slower, price)
    if one.usd is None:
        return
    assert two.usd is not None
    assert two.usd <= one.usd * (1 + 1e-12)
    assert one.usd_low is not None
    assert one.usd_high is not None
    assert one.usd_low <= one.usd <= one.usd_high
    assert one.times[0] <= ttft * (1 + 1e-9)
    assert one.times[1] <= tpot * (1 + 1e-9)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(MACHINES), TTFT, TPOT, PRICE, st.floats(0.1, 10))
def test_dollars_follow_the_price(
    name: str, ttft: float, tpot: float, price: float, factor: float
) -> None:
    one, two = at(name, ttft, tpot, price), at(name, ttft, tpot, price * factor)
    assert (one.usd is None) == (two.usd is None)
    if one.usd is not None:
        assert two.usd == pytest.approx(one.usd * factor)


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("price", [1.0, "capacity-block"])
def test_equal_machines_at_equal_prices_are_even(name: str, price: float | str) -> None:
    slo = [{"tpot": "20 ms"}, {"ttft": "1 s"}, {}]
    found = rf.price_performance([name, name], SERVICE, slo, prices=price)
    for column in ("ratio", "ratio_low", "ratio_high"):
        assert set(found[column].tolist()) <= {1.0, None}
    assert found["ratio"][2] == 1.0


def test_a_ratio_turned_round_is_its_inverse() -> None:
    one, two = (
        rf.price_performance(names, SERVICE, [{"tpot": "50 ms"}])
        for names in (["trn2", "h100"], ["h100", "trn2"])
    )
    assert one["ratio"][1] == pytest.approx(1 / two["ratio"][1])
    assert one["ratio_low"][1] == pytest.approx(1 / two["ratio_high"][1])
