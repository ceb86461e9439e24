"""Laws of whole days: demand never helps training, what is asked is served or said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rainier_fast as rf

MACHINE = rf.preset("rainier", chips=640)
SERVICE = rf.Serving("llama-3.1-8b", input=1024, output=256)
SERVED = rf.Layout(tp=8, ranks_per_chip=4)
JOB = (rf.Training("llama-3.1-8b", sequence=4096, batch=192), rf.Layout(tp=8))
QUIET: dict[str, Any] = {"prices": None, "checkpoint": rf.Checkpoint(blocking="5 s")}

ONE = rf.Fleet(MACHINE, services=[(SERVICE, SERVED, [1.0] * 24)], **QUIET).day()
RATE = float(ONE.services["tokens_per_s"][0])

DEMAND = st.lists(st.just(0.0) | st.floats(1e-3, 6), min_size=24, max_size=24)


def day(*demand: list[float], **more: Any) -> rf.FleetDay:
    services = [(SERVICE, SERVED, [RATE * one for one in hours]) for hours in demand]
    return rf.Fleet(MACHINE, services=services, jobs=[JOB], **(QUIET | more)).day()


@settings(max_examples=25, deadline=None)
@given(DEMAND, DEMAND)
def test_demand_never_helps_training(first: list[float], more: list[float]) -> None:
    both = [one + other for one, other in zip(first, more, strict=True)]
    assert day(both).tokens_trained <= day(first).tokens_trained * (1 + 1e-12)


@settings(max_examples=25, deadline=None)
@given(DEMAND, DEMAND)
def test_what_is_asked_is_served_or_said(first: list[float], second: list[float]) -> None:
    today = day(first, second)
    hours = today.hours
    asked = 3600 * RATE * (np.asarray(first) + second)
    np.testing.assert_allclose(hours["served"] + hours["unmet"], asked, rtol=1e-9)
    for name in ("served", "unmet", "trained", "idle", "handing_over", "MWh"):
        assert (hours[name] >= 0).all()
    assert (hours["served"] <= 3600 * RATE * hours["serving"] * (1 + 1e-9)).all()
    assert sum(today.energy_parts.values()) == pytest.approx(today.energy_J)
    assert today.uses["ultraserver_hours"].sum() == pytest.approx(240)
    low, high = today.tokens_trained_low, today.tokens_trained_high
    assert low <= today.tokens_trained <= high


@settings(max_examples=25, deadline=None)
@given(DEMAND, st.floats(0, 700), st.floats(0, 200))
def test_longer_hand_overs_never_help(demand: list[float], one: float, more: float) -> None:
    trained = [
        day(demand, loading=longer, compiling=longer, restore=longer).tokens_trained
        for longer in (one, one + more)
    ]
    assert trained[1] <= trained[0] * (1 + 1e-12)
