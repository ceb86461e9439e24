"""What machines cost: published prices by month, owners' sums, what is refused."""

from __future__ import annotations

import datetime
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rainier_fast as rf
from rainier_fast.catalog import catalog
from rainier_fast.catalog.prices import CONTRACTS, read_prices
from raising import raises

TRN2 = rf.preset("trn2")
H100 = rf.preset("h100")
H200 = rf.preset("h200")
RAINIER = rf.preset("rainier")


def test_every_price_is_whole() -> None:
    chips = {name for name, entry in catalog().items() if entry.kind == "chip"}
    for price in rf.prices():
        assert price.chip in chips
        assert price.contract in CONTRACTS
        assert "2025-01" <= price.first <= price.last <= "2026-12"
        assert 0.1 < price.usd_per_chip_hour < 20
        assert len(price.source) > 10


@pytest.mark.parametrize(
    ("name", "month", "usd"),
    [
        ("trn2", "2026-01", 35.7608),
        ("trn2", "2026-07", 35.7608),
        ("trn2", "2026-10", 35.7608),
        ("trn1", "2026-10", 9.532),
        ("h100", "2026-01", 31.464),
        ("h100", "2026-07", 37.76),
        ("h200", "2026-01", 41.612),
        ("h200", "2026-07", 49.928),
        ("h200", "2026-10", 63.158),
        ("b200", "2026-01", 74.88),
        ("b200", "2026-07", 98.84),
        ("b300", "2026-01", 93.6),
        ("b300", "2026-07", 112.32),
        ("gb200-nvl72", "2026-07", 761.904),
    ],
)
def test_capacity_blocks(name: str, month: str, usd: float) -> None:
    paid = rf.preset(name).cost(date=month)
    assert paid.usd_per_hour == pytest.approx(usd)
    assert paid.usd_per_chip_hour == pytest.approx(usd / rf.preset(name).num_chips)


def test_regions_are_a_range() -> None:
    july = H100.cost(date="2026-07")
    assert (july.low, july.usd_per_chip_hour, july.high) == (4.72, 4.72, 5.191)
    there = H100.cost(date="2026-02", region="us-west-1")
    assert there.usd_per_hour == 39.33


def test_whole_days_and_whole_instances_are_paid() -> None:
    assert TRN2.cost(hours=1).billed_hours == 24
    assert TRN2.cost(hours=24).billed_hours == 24
    assert TRN2.cost(hours=25).usd_total == pytest.approx(35.7608 * 48)
    assert TRN2.cost(hours=25, prices="spot", date="2026-10").billed_hours == 25
    assert TRN2.cost(hours=25, prices=2.0).usd_total == 800
    four = rf.torus((2, 2), "1 GB/s")
    assert four.cost(prices=1.0).usd_per_hour == 4
    six = H100.cost("1 s", instance="p5.48xlarge")
    assert six.usd_per_hour == 37.76
    assert TRN2.cost(instance="trn2.3xlarge").usd_per_hour == pytest.approx(16 * 2.235)


def test_a_step_and_its_tokens() -> None:
    class Step:
        time_s = 2.0
        tokens_per_s = 1e6
        chips = 64

    paid = RAINIER.cost(Step(), prices=3.6)
    assert paid.chips == 64
    assert paid.usd_per_step == pytest.approx(3.6 * 64 / 3600 * 2)
    assert paid.usd_per_million_tokens == pytest.approx(3.6 * 64 / 3600 / 1e6 * 1e6)
    half = RAINIER.cost(Step(), prices=3.6, goodput=0.5)
    assert half.usd_per_million_tokens == pytest.approx(2 * 3.6 * 64 / 3600)
    assert RAINIER.cost("2 s", prices=1.0).usd_per_million_tokens is None
    assert RAINIER.cost(prices=1.0).usd_per_step is None
    assert TRN2.cost(TRN2.all_reduce("1 GiB")).usd_per_step is not None


def test_a_service_has_tokens_and_no_step() -> None:
    class Served:
        tokens_per_s = 500.0
        chips = 8

    paid = TRN2.cost(Served(), prices=1.8)
    assert paid.usd_per_step is None
    assert paid.usd_per_million_tokens == pytest.approx(1.8 * 8 / 3600 / 500 * 1e6)
    power = TRN2.power(Served())
    assert power.energy_per_step_J is None
    assert power.energy_per_token_J == pytest.approx(power.watts / 500)
    with raises(rf.InvalidType, "step"):
        TRN2.goodput(Served())  # type: ignore[arg-type] # of no step


def test_a_training_step_as_it_is() -> None:
    machine = rf.preset("rainier", chips=256)
    job = rf.Training("llama-3.1-8b", sequence=8192, batch=64)
    step = machine.training_step(job, rf.Layout(tp=16), chips=128)
    kept = machine.goodput(step, policy="elastic")
    assert kept.chips == 128
    assert "8 replicas" in kept._plan.note
    assert kept.blocking_s < machine.goodput("1 s").blocking_s
    paid = machine.cost(step, goodput=kept)
    assert paid.usd_per_million_tokens is not None
    assert kept.tokens_per_s is not None
    assert paid.usd_per_million_tokens == pytest.approx(
        paid.usd_per_hour / 3600 / kept.tokens_per_s * 1e6
    )
    assert 0 < (machine.power(step).busy or 0) < 1
    modes = {
        name: machine.in_mode(count).training_step(job, rf.Layout(tp=16), chips=128)
        for name, count in (("pairs", 2), ("instances", 1))
    }
    note = next(row["note"] for row in kept.policies if row["policy"] == "modes")
    slower = max(modes[note.partition(",")[0]].time_s / step.time_s, 1)
    assert f"steps {slower:.3g} times as long" in note


def test_a_step_of_other_chips_is_refused() -> None:
    step = TRN2.training_step(rf.Training("llama-3.1-8b", sequence=4096, batch=8), rf.Layout(tp=16))
    for ask in (H200.cost, H200.power, H200.goodput):
        with raises(rf.InvalidArgument, "step"):
            ask(step)
    assert TRN2.cost(step).usd_per_step is not None


def test_spares_are_paid_too() -> None:
    found = RAINIER.goodput("20 s", policy="spares", spares=64)
    paid = RAINIER.cost("20 s", goodput=found)
    assert paid.chips == 524_288 + 64 * 64
    assert paid.goodput == found.goodput


@given(st.floats(0.01, 1), st.floats(0.01, 1))
def test_cost_falls_with_goodput(one: float, other: float) -> None:
    low, high = sorted((one, other))
    costs = [TRN2.cost("1 s", goodput=share).usd_per_step for share in (low, high)]
    assert costs[0] is not None
    assert costs[1] is not None
    assert costs[0] >= costs[1]


def test_what_it_costs_its_owner() -> None:
    flat = rf.Tco(capex=8760, life_years=1, power_kw=1, pue=1.14, price_per_kwh=0.08)
    # 1 kW x 1.14 x 80 USD/MWh: 0.09 USD of a chip and hour.
    assert flat.parts["energy"] == pytest.approx(0.0912)
    assert flat.parts["capital"] == 1.0
    assert flat.usd_per_chip_hour == pytest.approx(sum(flat.parts.values()))
    loan = rf.Tco(capex=1000, life_years=5, rate=0.08, power_kw=0, price_per_kwh=0)
    assert loan.capital_recovery == pytest.approx(0.2504565, rel=1e-6)  # tables of annuities
    half = rf.Tco(capex=8760, life_years=1, power_kw=0, price_per_kwh=0, utilisation=0.5, opex=876)
    assert half.usd_per_chip_hour == pytest.approx(2.2)
    assert rf.Tco(capex=0, life_years=1, power_kw=1, price_per_kwh="indiana").pue == 1.14
    assert TRN2.cost(prices=flat).usd_per_hour == pytest.approx(16 * 1.0912)


def test_the_peak_that_a_dollar_buys() -> None:
    # Capacity Blocks, matrix products of bf16: Trn2 over H100, 1.12 in January and 1.35 in July.
    def per_dollar(machine: rf.Machine, month: str) -> float:
        flops = machine.peak_flops("bf16", tensor_only=machine.runtime == "neuron")
        return flops / machine.cost(date=month).usd_per_hour

    for month, ratio in (("2026-01", 1.12), ("2026-07", 1.35)):
        assert per_dollar(TRN2, month) / per_dollar(H100, month) == pytest.approx(ratio, abs=0.006)


BAD: list[tuple[Any, dict[str, Any], type[rf.RainierError], str | None]] = [
    (TRN2, {"date": "2025-12"}, rf.InvalidArgument, "date"),
    (TRN2, {"date": "2027-01"}, rf.InvalidArgument, "date"),
    (H100, {"date": "2026-05"}, rf.InvalidArgument, "date"),
    (TRN2, {"date": "2026"}, rf.InvalidArgument, "date"),
    (TRN2, {"date": "2026-13"}, rf.InvalidArgument, "date"),
    (TRN2, {"date": None}, rf.InvalidType, "date"),
    (TRN2, {"region": "moon"}, rf.UnknownName, "region"),
    (TRN2, {"instance": "p5.48xlarge"}, rf.UnknownName, "instance"),
    (TRN2, {"prices": "2 EUR/h"}, rf.InvalidArgument, "prices"),
    (TRN2, {"prices": "2.2"}, rf.InvalidArgument, "prices"),
    (TRN2, {"prices": -1.0}, rf.InvalidArgument, "prices"),
    (TRN2, {"prices": math.nan}, rf.InvalidArgument, "prices"),
    (TRN2, {"prices": None}, rf.InvalidType, "prices"),
    (TRN2, {"prices": "on-demand"}, rf.Unsupported, None),
    (rf.preset("trn3-ultraserver-gen2"), {}, rf.Unsupported, None),
    (rf.torus((4,), "1 GB/s"), {}, rf.Unsupported, None),
    (TRN2, {"hours": 0}, rf.InvalidArgument, "hours"),
    (TRN2, {"hours": math.inf}, rf.InvalidArgument, "hours"),
    (TRN2, {"goodput": 0}, rf.InvalidArgument, "goodput"),
    (TRN2, {"goodput": 1.1}, rf.InvalidArgument, "goodput"),
    (TRN2, {"step": 0}, rf.InvalidArgument, "step"),
]


@pytest.mark.parametrize(("machine", "changed", "kind", "argument"), BAD)
def test_bad_input_is_named(
    machine: rf.Machine,
    changed: dict[str, Any],
    kind: type[rf.RainierError],
    argument: str | None,
) -> None:
    with raises(kind, argument):
        machine.cost(**changed)


def test_a_month_without_a_price_names_the_nearest() -> None:
    with raises(rf.InvalidArgument, "date", "2026-03", "31.464", "2026-07", "37.76"):
        H100.cost(date="2026-05")
    assert H200.cost(date=datetime.date(2026, 10, 9)).usd_per_hour == 63.158


@pytest.mark.parametrize(
    ("changed", "argument"),
    [
        ({"capex": -1}, "capex"),
        ({"life_years": 0}, "life_years"),
        ({"power_kw": math.nan}, "power_kw"),
        ({"price_per_kwh": "ohio"}, "price_per_kwh"),
        ({"pue": 0.9}, "pue"),
        ({"utilisation": 0}, "utilisation"),
    ],
)
def test_bad_sums_of_owners_are_named(changed: dict[str, Any], argument: str) -> None:
    good: dict[str, Any] = {"capex": 1, "life_years": 1, "power_kw": 1, "price_per_kwh": 0.1}
    with raises(rf.InvalidArgument, argument):
        rf.Tco(**good | changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"contract": "barter"},
        {"usd_per_hour": 0},
        {"source": "hearsay"},
        {"instance": "p9"},
        {"first": "2026-08"},
        {"colour": "red"},
    ],
)
def test_a_file_of_prices_that_is_not_as_it_should_be(changed: dict[str, Any]) -> None:
    row = {
        "instance": "i",
        "contract": "spot",
        "region": "most",
        "first": "2026-07",
        "last": "2026-07",
        "usd_per_hour": 1.0,
        "source": "s",
    }
    document = {"sources": {"s": "a source"}, "instances": {"i": {"chip": "h100", "chips": 8}}}
    assert read_prices(document | {"prices": [row]}, "f")[0].chips == 8
    with raises(rf.InvalidArgument, "f, prices[0]"):
        read_prices(document | {"prices": [row | changed]}, "f")


def test_it_says_itself() -> None:
    text = str(RAINIER.cost("1 s", hours=2))
    assert "nobody buys this many" in text
    assert "trn2.48xlarge, capacity-block, us-east-2" in text
    assert json.dumps(RAINIER.cost("1 s").to_dict())
    assert "as it was given" in str(TRN2.cost(prices=2.0))
    assert "capital" in str(
        TRN2.cost(prices=rf.Tco(capex=1, life_years=1, power_kw=1, price_per_kwh=1))
    )


@pytest.mark.parametrize(("price", "far"), [(2.2, False), (35.7608, True), (223, True), (0, False)])
def test_a_price_of_another_unit_is_said(price: float, far: bool) -> None:  # noqa: FBT001 - drawn
    assert ("instance" in str(TRN2.cost(prices=price))) == far


@pytest.mark.parametrize(("name", "value"), [("power_kw", 880), ("price_per_kwh", 8), ("pue", 14)])
def test_an_owner_s_figures_of_another_unit_are_refused(name: str, value: float) -> None:
    given = {"capex": 2e4, "life_years": 5, "power_kw": 0.88, "price_per_kwh": 0.05, name: value}
    with raises(rf.InvalidArgument, name):
        rf.Tco(**given)
