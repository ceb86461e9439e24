"""A day of a fleet: what is served and trained, at what cost and energy, and what is refused."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

MACHINE = rf.preset("rainier", chips=1024)  # 16 UltraServers
SERVICE = rf.Serving("llama-3.1-8b", input=1024, output=256)
SERVED = rf.Layout(tp=8, ranks_per_chip=4)
JOB = rf.Training("llama-3.1-8b", sequence=4096, batch=256)
CUT = rf.Layout(tp=8)
SAVED = rf.Checkpoint(blocking="5 s")


def rate() -> float:
    """Return the tokens a second of an UltraServer that serves."""
    return float(fleet(demand=[1.0] * 24).day().services["tokens_per_s"][0])


def fleet(
    demand: Any = None, machine: rf.Machine = MACHINE, jobs: int = 1, **more: Any
) -> rf.Fleet:
    services = [] if demand is None else [(SERVICE, SERVED, demand)]
    given: dict[str, Any] = {"checkpoint": SAVED} | more
    return rf.Fleet(machine, services=services, jobs=[(JOB, CUT)] * jobs, **given)


RATE = rate()
SWING = rf.day_curve(9.5 * RATE, low=2.5 * RATE, peak_hour=15)
TODAY = fleet(SWING).day()


def test_whole_ultraservers_serve_what_is_asked() -> None:
    hours = TODAY.hours
    assert hours["serving"].tolist() == [math.ceil(one / RATE - 1e-9) for one in SWING]
    assert TODAY.tokens_unmet == 0
    assert TODAY.tokens_served == pytest.approx(3600 * sum(SWING))
    assert (hours["serving"] + hours["training"] + hours["idle"] == 16).all()
    assert (hours["idle"] >= TODAY.spares).all()


def test_it_trains_more_at_night() -> None:
    training = TODAY.hours["training"]
    assert training[3] > training[15] > 0
    assert TODAY.hours["trained"].min() >= 0
    assert TODAY.tokens_trained_low < TODAY.tokens_trained < TODAY.tokens_trained_high


def test_a_day_without_changes_trains_what_the_step_says() -> None:
    today = fleet([3 * RATE] * 24).day()
    size = int(today.hours["training"][0])
    step = MACHINE.training_step(JOB, CUT, chips=64 * size)
    kept = MACHINE.goodput(step, checkpoint=SAVED).goodput
    assert today.jobs["changes"][0] == 0
    assert today.tokens_trained == pytest.approx(86400 * step.tokens_per_s * kept)
    assert today.hours["handing_over"].sum() == 0
    assert today.kind == step.kind


def test_hand_overs_cost_what_they_take() -> None:
    none = fleet(SWING, loading=0, compiling=0, restore=0).day()
    long = fleet(SWING, loading="15 min", compiling="11.8 min", restore="10 min").day()
    assert long.tokens_trained < TODAY.tokens_trained < none.tokens_trained
    assert none.hours["handing_over"].sum() == 0
    assert long.tokens_served == pytest.approx(none.tokens_served)
    assert none.tokens_trained_low == none.tokens_trained_high
    assert not [line for line in none.guesses if not line.startswith("repair")]
    assert [line.partition(":")[0] for line in TODAY.guesses] == [
        "loading", "compiling", "restore", "repair",
    ]  # fmt: skip


def test_what_is_not_met_is_said() -> None:
    today = fleet([30 * RATE] * 24).day()
    usable = 16 - max(today.spares, math.ceil(today.in_repair))
    assert today.tokens_served == pytest.approx(86400 * usable * RATE)
    assert today.tokens_unmet == pytest.approx(86400 * (30 - usable) * RATE)
    assert "UNMET" in str(today)
    assert today.tokens_trained == 0
    assert "UNMET" not in str(TODAY)


def test_the_first_service_goes_first_and_late_ones_are_unmet() -> None:
    step = [14 * RATE] * 12 + [1 * RATE] * 12
    other = [0.5 * RATE] * 12 + [13.5 * RATE] * 12
    both = rf.Fleet(
        MACHINE, services=[(SERVICE, SERVED, step), (SERVICE, SERVED, other)], rates=_never()
    ).day()
    assert both.hours["serving"].tolist() == [15] * 24
    # At noon 13 UltraServers of the first go to the second: 16 - 14 others only were free before.
    unmet = both.hours["unmet"]
    assert unmet[12] > 0
    assert both.services["unmet"][0] >= 0
    assert (unmet[13:].sum(), unmet[1:12].sum()) == (0, 0)


def _never() -> rf.FailureRates:
    return rf.FailureRates()


def test_energy_and_dollars_add_up() -> None:
    uses, hours, sites = TODAY.uses, TODAY.hours, TODAY.sites
    joules = TODAY.energy_J
    assert sum(TODAY.energy_parts.values()) == pytest.approx(joules)
    for table in (uses, hours, sites):
        assert table["MWh"].sum() * 3.6e9 == pytest.approx(joules)
        assert table["usd"].sum() == pytest.approx(TODAY.usd)
    assert uses["ultraserver_hours"].sum() == pytest.approx(24 * 16)
    assert uses["share"].sum() == pytest.approx(1)
    full = MACHINE.power().watts
    least = MACHINE.power().watts_waiting
    assert least < joules / 86400 < full
    assert TODAY.usd == pytest.approx(24 * MACHINE.cost().usd_per_hour)
    assert sites["served"].sum() == pytest.approx(TODAY.tokens_served)
    assert sites["trained"].sum() == pytest.approx(TODAY.tokens_trained)


def test_sites_have_services_last_and_jobs_first() -> None:
    two = rf.preset("rainier", chips=1024, sites=2)
    sites = fleet(SWING, two).day().sites
    first, second = (sites["site"] == site.name for site in two.sites)
    assert (
        (sites["training"][first] == two.sites[0].ultraservers) | (sites["training"][second] == 0)
    ).all()
    assert (
        (sites["serving"][second] == two.sites[1].ultraservers) | (sites["serving"][first] == 0)
    ).all()
    total = sites["serving"] + sites["training"] + sites["idle"]
    for site, rows in zip(two.sites, (first, second), strict=True):
        assert (total[rows] == site.ultraservers).all()


def test_spares_and_repairs_are_taken_off() -> None:
    usual = fleet(SWING).day()
    assert usual.spares == math.ceil(usual.in_repair)
    assert 0.5 < usual.enough_spares < 1
    more = fleet(SWING, spares=5).day()
    assert more.enough_spares > usual.enough_spares
    assert more.tokens_trained <= usual.tokens_trained
    often = rf.FailureRates(ultraserver_per_hour=1.0)
    with raises(rf.Unsupported, None):
        fleet(SWING, rates=often, repair="24 h").day()


def test_policies_and_prices() -> None:
    elastic = fleet(SWING, policy="elastic").day()
    assert elastic.jobs["goodput"][0] > 0.9
    free = fleet(SWING, prices=None).day()
    assert free.usd is None
    assert np.isnan(free.hours["usd"]).all()
    own = fleet(SWING, prices=2.0).day()
    assert own.usd == pytest.approx(2 * 24 * 1024)


def test_it_finds_layouts_where_none_are_given() -> None:
    small = rf.preset("rainier", chips=256)
    job = rf.Training("llama-3.1-8b", sequence=4096, batch=64)
    services = [(SERVICE, None, [1000.0] * 24)]
    today = rf.Fleet(small, services=services, jobs=[(job, None)], ttft="2 s", tpot="50 ms").day()
    assert today.services["ttft_s"][0] <= 2
    assert today.services["tpot_s"][0] <= 0.05
    assert today.tokens_trained > 0


def test_a_second_job_has_what_the_first_leaves() -> None:
    one, two = fleet(SWING).day(), fleet(SWING, jobs=2).day()
    assert two.jobs["trained"][0] == pytest.approx(one.tokens_trained)
    assert two.tokens_trained >= one.tokens_trained
    assert any(line.startswith("places") for line in two.guesses)


def test_demand_never_helps_training_and_ultraservers_never_hurt() -> None:
    trained = [
        fleet([factor * one for one in SWING]).day().tokens_trained
        for factor in (0, 0.2, 0.5, 0.8, 1, 1.2, 1.6, 3)
    ]
    assert trained == sorted(trained, reverse=True)
    sizes = [fleet(SWING, rf.preset("rainier", chips=64 * n)).day() for n in (4, 6, 9, 14, 20)]
    for less, more in itertools.pairwise(sizes):
        assert more.tokens_served >= less.tokens_served * (1 - 1e-12)
        if not less.tokens_unmet:
            assert more.tokens_trained >= less.tokens_trained * (1 - 1e-12)


def test_its_text_fits_a_screen() -> None:
    for today in (TODAY, fleet(SWING, jobs=2).day(), fleet(None).day()):
        assert len(str(today).splitlines()) <= 24
        assert today.kind in str(today).splitlines()[0]
    told = TODAY.to_dict()
    assert len(told["hours"]["trained"]) == 24
    assert told["tokens_unmet"] == 0


@pytest.mark.parametrize(
    ("fields", "argument"),
    [
        ({"services": 3}, "services"),
        ({"services": [SERVICE]}, "services"),
        ({"services": [(SERVICE, CUT, [1.0] * 23)]}, "services"),
        ({"services": [(SERVICE, CUT, [math.nan] * 24)]}, "services"),
        ({"services": [(SERVICE, CUT, [-1.0] * 24)]}, "services"),
        ({"services": [(SERVICE, "tp8", [1.0] * 24)]}, "services"),
        ({"services": [], "jobs": []}, "services"),
        ({"jobs": [JOB]}, "jobs"),
        ({"jobs": [(JOB, 8)]}, "jobs"),
        ({"jobs": [(JOB, CUT)] * 9}, "jobs"),
        ({"ttft": 0}, "ttft"),
        ({"tpot": "fast"}, "tpot"),
        ({"rates": "mine"}, "rates"),
        ({"policy": "spares"}, "policy"),
        ({"checkpoint": 3}, "checkpoint"),
        ({"spares": 16}, "spares"),
        ({"spares": -1}, "spares"),
        ({"loading": "2 h"}, "loading"),
        ({"compiling": math.inf}, "compiling"),
        ({"restore": -1}, "restore"),
        ({"chip": "5 V"}, "chip"),
        ({"pue": 0.5}, "pue"),
        ({"machine": "rainier"}, "machine"),
        ({"machine": MACHINE.with_faults(chips=[3])}, "machine"),
    ],
)
def test_what_cannot_be_is_named(fields: dict[str, Any], argument: str) -> None:
    given = {"machine": MACHINE, "services": [(SERVICE, SERVED, SWING)]} | fields
    with raises(rf.RainierError, argument):
        rf.Fleet(**given)


@pytest.mark.parametrize(
    ("fields", "argument"),
    [
        ({"ttft": "1 us"}, "ttft"),
        ({"tpot": "1 us"}, "tpot"),
        ({"services": [(SERVICE, None, SWING)], "tpot": "1 us"}, "tpot"),
        ({"date": "1999-01"}, "date"),
        ({"prices": "gift"}, "prices"),
        ({"idle": "1 MW"}, "idle"),
        ({"jobs": [(JOB, rf.Layout(tp=8, pp=17))]}, "jobs"),
        ({"jobs": [(JOB.with_(model="llama-3.1-405b"), rf.Layout(tp=1))]}, "jobs"),
        ({"services": [(SERVICE, rf.Layout(tp=2048), SWING)]}, "services"),
    ],
)
def test_what_does_not_fit_is_named_by_the_day(fields: dict[str, Any], argument: str) -> None:
    given = {"services": [(SERVICE, SERVED, SWING)]} | fields
    with raises(rf.RainierError, argument):
        rf.Fleet(MACHINE, **given).day()


def test_chips_without_figures_ask_for_them() -> None:
    trn1 = rf.preset("trn1")
    service = [(SERVICE, rf.Layout(tp=16), [1.0] * 24)]
    with pytest.raises(rf.RainierError):
        rf.Fleet(trn1, services=service).day()


def test_curves_of_a_day() -> None:
    day = rf.day_curve(100, low=40, peak_hour=0)
    assert max(day) == day[0] == 100
    assert min(day) == day[12] == pytest.approx(40)
    for arguments, name in (((1, 2, 3), "low"), ((1, 0, 24), "peak_hour"), ((-1, 0, 3), "peak")):
        with raises(rf.RainierError, name):
            rf.day_curve(*arguments)
