"""Laws of dollars, energy and policies on random cases."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rainier_fast as rf
from rainier_fast.operations.asked import POLICIES

TRN2 = rf.preset("trn2")
RAINIER = rf.preset("rainier", chips=8192)


class Step:
    """A step with parts."""

    def __init__(self, parts: dict[str, float], tokens: float) -> None:
        self.parts = parts
        self.time_s = sum(parts.values())
        self.tokens_per_s = tokens


parts = st.dictionaries(
    st.sampled_from(["matmul", "attention", "optimizer", "tp", "dp", "pp_bubble", "host", "outer"]),
    st.floats(1e-6, 1e3),
    min_size=1,
)


@given(parts, st.floats(1e-3, 1e9), st.floats(0.01, 1.0), st.floats(0.01, 1.0), st.floats(0, 99))
def test_what_counts_costs_less_where_more_counts(
    parts: dict[str, float], tokens: float, share: float, other: float, price: float
) -> None:
    step = Step(parts, tokens)
    low, high = sorted((share, other))
    dear, cheap = (TRN2.cost(step, prices=price, goodput=one) for one in (low, high))
    for name in ("usd_per_step", "usd_per_million_tokens"):
        assert getattr(cheap, name) <= getattr(dear, name) * (1 + 1e-12)
    assert cheap.usd_per_hour == dear.usd_per_hour


@given(
    parts,
    st.floats(50, 2000),
    st.floats(0, 1),
    st.floats(2, 1000),
    st.floats(2, 1000),
    st.floats(1, 3),
)
def test_parts_of_power_and_energy_add_up(
    parts: dict[str, float], chip: float, rest: float, host: float, network: float, pue: float
) -> None:
    idle = max(chip * rest, 2.0)
    step = Step(parts, 1e3)
    power = TRN2.power(step, chip=chip, idle=idle, host=host, network=network, pue=pue)
    assert sum(power.parts.values()) == pytest.approx(power.watts)
    assert power.watts == pytest.approx(16 * (chip + host + network) * pue)
    energy = power.energy_per_step_J
    assert energy is not None
    assert sum(power.energy_parts.values()) == pytest.approx(energy)
    assert power.watts_waiting * step.time_s <= energy * (1 + 1e-9)
    assert energy <= power.watts * step.time_s * (1 + 1e-9)
    token = power.energy_per_token_J
    assert token == pytest.approx(energy / step.time_s / 1e3)


@settings(max_examples=15)
@given(st.floats(-7, -3), st.floats(0, 300), st.floats(60, 3600))
def test_five_policies_stand_side_by_side(rate: float, blocking: float, restart: float) -> None:
    saved = rf.Checkpoint(blocking=blocking, restart=restart)
    rates = rf.FailureRates(chip_per_hour=10**rate)
    try:
        found = RAINIER.goodput(
            "10 s", rates=rates, replicas=64, islands=4, slowdown={"pairs": 1.1}, checkpoint=saved
        )
    except rf.RainierError:
        return
    table = found.policies
    assert set(table["policy"]) == set(POLICIES)
    per_chip = [one for one in table["per_chip"] if not math.isnan(one)]
    assert per_chip == sorted(per_chip, reverse=True)
    text = str(found)
    assert all(policy in text for policy in POLICIES)
    assert "break_even_mtbf_h" in text
