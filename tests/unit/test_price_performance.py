"""Dollars of the same work on several machines: ratios, ranges, reasons, what is refused."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast.operations.deciding import NOTHING, Case, Ratio, claim
from raising import raises

TRN2 = rf.preset("trn2")
H100 = rf.preset("h100")
CHAT = rf.Serving("llama-3.1-8b", input=1024, output=256)
TIGHT, LOOSE = {"tpot": "15 ms"}, {"ttft": "4 s", "tpot": "100 ms"}
FREE = rf.Tco(capex=0, life_years=1, power_kw=0, price_per_kwh=0)
JOB = rf.Training("llama-3.1-8b", sequence=8192, batch=64)


@pytest.fixture(scope="module")
def found() -> rf.PricePerformance:
    return rf.price_performance(
        ["trn2", "h100", "h200"], CHAT, slo=[TIGHT, LOOSE], date=["2026-01", "2026-07", "2026-10"]
    )


def row(table: rf.Table, machine: str, date: str, objective: str) -> dict[str, Any]:
    for one in table:
        if (one["machine"], one["date"]) == (machine, date) and objective in one["objective"]:
            return one
    raise AssertionError(machine)


def test_a_row_for_each_machine_objective_and_month(found: rf.PricePerformance) -> None:
    assert len(found) == 3 * 2 * 3
    assert set(found["machine"].tolist()) == {"trn2", "h100", "h200"}


def test_dollars_are_those_of_the_price_and_the_best_load() -> None:
    # By hand: every load of the grid on one layout, the cheapest that keeps to the objective.
    layout = rf.Layout(tp=8)
    service = CHAT.with_(engine="vllm")
    one = rf.price_performance(["h100"], service, [LOOSE], date="2026-07", layouts=layout)
    told = next(iter(one))
    best = 0.0
    for load in sorted({(4 + part) * 2**power // 4 for power in range(12) for part in range(4)}):
        served = H100.serve(service, layout, concurrency=load)
        if not served.waiting and served.ttft_s <= 4 and served.tpot_s <= 0.1:
            best = max(best, served.tokens_per_s_per_chip)
    assert told["tokens_per_s_per_chip"] == pytest.approx(best)
    assert told["usd_per_million_tokens"] == pytest.approx(4.72 / 3600 / best * 1e6)
    served = H100.serve(service, layout, concurrency=told["concurrency"])
    assert (told["ttft_s"], told["tpot_s"]) == (served.ttft_s, served.tpot_s)
    paid = H100.cost(served, date="2026-07")
    assert told["usd_per_million_tokens"] == pytest.approx(paid.usd_per_million_tokens)


def test_a_ratio_is_of_dollars_and_lies_in_its_range(found: rf.PricePerformance) -> None:
    for date in ("2026-01", "2026-07"):
        first, other = (row(found, name, date, "ttft") for name in ("trn2", "h100"))
        assert other["ratio"] == pytest.approx(
            other["usd_per_million_tokens"] / first["usd_per_million_tokens"]
        )
        assert other["ratio_low"] <= other["ratio"] <= other["ratio_high"]
        assert other["usd_low"] <= other["usd_per_million_tokens"] <= other["usd_high"]
        assert (first["ratio"], first["ratio_low"], first["ratio_high"]) == (1, 1, 1)
        assert other["measured"].count(" on h100, ") == 3
    january, july = (row(found, "h100", date, "ttft") for date in ("2026-01", "2026-07"))
    assert july["ratio"] / january["ratio"] == pytest.approx(37.76 / 31.464)


def test_a_price_says_where_and_when(found: rf.PricePerformance) -> None:
    one = row(found, "trn2", "2026-10", "ttft")
    assert (one["instance"], one["contract"]) == ("trn2.48xlarge", "capacity-block")
    assert (one["region"], one["price_months"]) == ("us-east-2", "2026-01 to 2026-12")
    assert len(one["price_source"]) > 10


def test_no_price_and_no_layout_have_reasons(found: rf.PricePerformance) -> None:
    none = row(found, "h100", "2026-10", "ttft")
    assert none["usd_per_million_tokens"] is None
    assert none["ratio"] is None
    assert none["tokens_per_s_per_chip"] > 0
    assert none["reason"].startswith("no price: date")
    assert "2026-07" in none["reason"]
    never = rf.price_performance(["trn2", "h100"], CHAT, [{"tpot": "1 us"}])
    assert [one["usd_per_million_tokens"] for one in never] == [None, None]
    assert all("passes tpot by" in one["reason"] for one in never)
    assert len(never.curve) > 0  # which is of any time
    assert "no figure" in never.claim
    large = rf.Serving("llama-3.1-405b", input=1024, output=256, precision="bf16")
    big = rf.price_performance(["trn2", "h100"], large)
    assert big["reason"][1].startswith("not run")
    assert big["reason"][1] in str(big)  # and the page says why, not only that it does not run
    odd = rf.price_performance(["trn3-ultraserver-gen2", "trn2"], CHAT)
    assert odd["reason"][0].startswith("no price")
    assert odd["reason"][1].startswith("no ratio: of trn3-ultraserver-gen2")


def test_the_same_machine_at_the_same_price_is_one() -> None:
    twice = rf.price_performance(["h100", H100], CHAT, [LOOSE])
    for name in ("ratio", "ratio_low", "ratio_high"):
        assert twice[name].tolist() == [1.0, 1.0]
    half = rf.price_performance(["h100", "trn2"], CHAT, prices={"h100": 2.0, "trn2": 1.0})
    full = rf.price_performance(["h100", "trn2"], CHAT, prices=2.0)
    assert half["ratio"][1] == pytest.approx(full["ratio"][1] / 2)
    assert half["price_source"][0] == "as it was given"


def test_engines_are_the_services_own_or_the_cheapest(found: rf.PricePerformance) -> None:
    assert row(found, "trn2", "2026-07", "ttft")["engine"] == "neuron"
    own = rf.price_performance(["h100"], CHAT.with_(engine="sglang"), [LOOSE])
    assert own["engine"].tolist() == ["sglang"]
    usd = [
        rf.price_performance(["h100"], CHAT.with_(engine=engine), [LOOSE]).columns[
            "usd_per_million_tokens"
        ][0]
        for engine in ("vllm", "sglang", "trtllm")
    ]
    assert row(found, "h100", "2026-07", "ttft")["usd_per_million_tokens"] == min(usd)
    bound = rf.price_performance(["trn2", "h100"], CHAT.with_(engine="ideal"))
    assert bound["engine"].tolist() == ["ideal", "ideal"]
    assert bound["kind"].tolist() == ["links alone"] * 2
    bucketed = CHAT.with_(context_buckets=(1280,), max_model_len=1280)
    assert rf.price_performance(["trn2", "h100"], bucketed)["reason"].tolist() == ["", ""]


def test_software_is_told_from_chips(found: rf.PricePerformance) -> None:
    bound = rf.price_performance(["trn2", "h100"], CHAT.with_(engine="ideal"), [LOOSE])
    one = row(found, "h100", "2026-07", "ttft")
    assert one["ratio_at_data_sheets"] == bound["ratio"][1]
    assert ("software" in one["decides"]) == ((bound["ratio"][1] > 1) != (one["ratio"] > 1))
    assert "no measurement" not in bound["decides"][1]


def test_a_curve_falls(found: rf.PricePerformance) -> None:
    curve = found.curve
    for name in ("trn2", "h100"):
        own = [
            one
            for one in curve
            if (one["machine"], one["date"], one["within_ttft_s"]) == (name, "2026-07", 4.0)
        ]
        times = [one["tpot_s"] for one in own]
        usd = [one["usd_per_million_tokens"] for one in own]
        assert times == sorted(times)
        assert usd == sorted(usd, reverse=True)
        assert len(own) > 3
        # What the table has is on it.
        within = [dollars for time, dollars in zip(times, usd, strict=True) if time <= 0.1]
        told = row(found, name, "2026-07", "ttft")
        assert told["usd_per_million_tokens"] == pytest.approx(min(within))


def test_it_says_itself(found: rf.PricePerformance) -> None:
    text = str(found)
    assert "as neuron runs it" in text.splitlines()[0]
    assert "no price" in text
    assert len(text.splitlines()) <= 24
    assert "1.3 to 1.4" in found.claim
    assert "over h100" in found.claim
    assert "at data sheets" in found.claim
    assert "trn2.48xlarge" in found.claim
    assert json.dumps(found.to_dict())
    assert pickle.loads(pickle.dumps(found)) == found
    assert pickle.loads(pickle.dumps(found)).claim == found.claim
    assert found._repr_html_()


def test_a_range_is_that_of_the_measured_rows() -> None:
    layout, service = rf.Layout(tp=8), CHAT.with_(engine="vllm")
    one = next(iter(rf.price_performance(["h100"], service, layouts=layout)))
    served = H100.serve(service, layout, concurrency=one["concurrency"])
    near = served.nearest_measurements
    ours = served.ttft_s + 255 * served.tpot_s
    ends = [one["tokens_per_s_per_chip"]]
    for ttft, tpot in zip(near["ttft_error"], near["tpot_error"], strict=True):
        theirs = served.ttft_s / (1 + ttft) + 255 * served.tpot_s / (1 + tpot)
        ends.append(served.tokens_per_s_per_chip * ours / theirs)
    # With so many at once the nearest rows are far off; other loads are then better.
    assert min(ends) * 0.95 <= one["tokens_low"]
    assert one["tokens_high"] == pytest.approx(max(ends), rel=0.05)
    assert one["tokens_low"] < one["tokens_high"]


def test_other_contracts_and_owners() -> None:
    own = rf.Tco(capex=20_000, life_years=5, power_kw=0.88, price_per_kwh="indiana", rate=0.08)
    found = rf.price_performance(
        ["trn2", "h100"], CHAT, prices={"trn2": own, "h100": "owner-hyperscaler"}, date="2026-04"
    )
    assert found["usd_per_chip_hour"].tolist() == [own.usd_per_chip_hour, 1.3]
    assert found["contract"].tolist() == [None, "owner-hyperscaler"]
    bare = rf.price_performance(["h100", "trn2"], CHAT, prices="rental-3-years", date="2026-04")
    assert bare["reason"][1].startswith("no price: no price of trainium2")


def test_settings_of_the_stack_are_what_the_page_says() -> None:
    service = rf.Serving("llama-3.3-70b", input=8192, output=256)
    tuned = service.with_(max_model_len=8448, cache_share=1.0)
    slo = [{"ttft": "4 s", "tpot": "25 ms"}, {"ttft": "4 s", "tpot": "50 ms"}, {"tpot": "100 ms"}]
    months = ["2026-01", "2026-07", "2026-10"]
    found = rf.price_performance(["trn2", "h100", "h200", "b200"], tuned, slo, date=months)
    ratios = [ratio for ratio in found["ratio"].tolist()[9:] if ratio is not None]
    assert min(ratios) == pytest.approx(0.147, rel=0.1)
    assert max(ratios) == pytest.approx(0.765, rel=0.1)


def test_a_machine_that_was_not_measured_is_named(found: rf.PricePerformance) -> None:
    assert "no measurement like it on h200" in row(found, "h200", "2026-07", "ttft")["decides"]


def test_a_job_has_its_best_layout() -> None:
    found = rf.price_performance(["trn2", "h100"], JOB, [{"step": "1000 s"}, {"step": "1 ms"}])
    first, never, other, _ = list(found)
    best = TRN2.best_layouts(JOB, keep=1).step(0)
    assert first["step_s"] == best.time_s
    assert first["usd_per_million_tokens"] == pytest.approx(TRN2.cost(best).usd_per_million_tokens)
    assert never["reason"].startswith("not met: no layout meets it")
    assert other["ratio"] == other["usd_per_million_tokens"] / first["usd_per_million_tokens"]
    assert "no measurement like it on trn2" in other["decides"]
    assert other["usd_low"] < other["usd_high"]


def test_a_job_on_several_numbers_of_chips_is_a_curve() -> None:
    found = rf.price_performance(
        ["h100"], JOB, [{"step": "1000 s"}], chips=[8, 16, 32], layouts=[rf.Layout(tp=8)]
    )
    assert found["chips"][0] in (8, 16, 32)
    step = [rf.preset("h100", chips=n).training_step(JOB, rf.Layout(tp=8)) for n in (8, 16, 32)]
    best = max(one.tokens_per_s_per_chip for one in step if one.fits)
    assert found["tokens_per_s_per_chip"][0] == pytest.approx(best)
    assert len(found.curve) >= 1


def test_dollars_of_the_best_serving() -> None:
    service = CHAT.with_(engine="vllm")
    table = H100.best_serving(service, tpot="50 ms", price=3.6)
    each = 3.6 / 3600 / table["tokens_per_s_per_chip"] * 1e6
    assert np.allclose(table["usd_per_million_tokens"], each)
    assert "usd_per_million_tokens" not in H100.best_serving(service, tpot="50 ms").columns
    with raises(rf.InvalidArgument, "price"):
        H100.best_serving(service, price=-1.0)


def test_the_verdict_on_the_claim() -> None:
    def words(*ratios: Ratio | None) -> str:
        cases = [
            Case("h100", ratio, Ratio(1.2, 1.2, 1.2), "objective (0 to 2)") for ratio in ratios
        ]
        text = claim("trn2", cases, "rests on nothing").splitlines()
        assert text[-2].endswith("objective" if ratios != (None,) else NOTHING)
        return text[1]

    assert "holds in all of them" in words(Ratio(1.35, 1.31, 1.4))
    assert "and more" in words(Ratio(1.5, 1.4, 1.6))
    assert "in none" in words(Ratio(0.9, 0.8, 1.1))
    assert "it may not" in words(Ratio(1.35, 1.1, 1.5))
    assert "range it may" in words(Ratio(1.1, 0.9, 1.5))
    assert "depends on the case" in words(Ratio(1.1, 0.9, 1.2), Ratio(1.4, 1.3, 1.5))
    assert "no figure" in words(None)
    assert "1 more have no ratio" in words(None, Ratio(1.35, 1.31, 1.4))


BAD: list[tuple[dict[str, Any], type[rf.RainierError], str]] = [
    ({"machines": "trn2"}, rf.InvalidType, "machines"),
    ({"machines": []}, rf.InvalidArgument, "machines"),
    ({"machines": [3]}, rf.InvalidType, "machines[0]"),
    ({"machines": ["trn9"]}, rf.UnknownName, "preset"),
    ({"service_or_job": "llama"}, rf.InvalidType, "service_or_job"),
    ({"slo": {"tpot": "1 s"}}, rf.InvalidType, "slo"),
    ({"slo": []}, rf.InvalidArgument, "slo"),
    ({"slo": "1 s"}, rf.InvalidType, "slo"),
    ({"slo": [{"step": "1 s"}]}, rf.UnknownName, "slo[0]"),
    ({"slo": [{"tpot": "1 kg"}]}, rf.InvalidArgument, "slo[0].tpot"),
    ({"slo": [{"tpot": 0}]}, rf.InvalidArgument, "slo[0].tpot"),
    ({"slo": [("1 s",)]}, rf.InvalidArgument, "slo[0]"),
    ({"slo": [TIGHT, TIGHT]}, rf.InvalidArgument, "slo[1]"),
    ({"slo": [None]}, rf.InvalidType, "slo[0]"),
    ({"prices": "barter"}, rf.UnknownName, "prices"),
    ({"prices": 0.0}, rf.InvalidArgument, "prices"),
    ({"prices": 5e-324}, rf.InvalidArgument, "prices"),
    ({"prices": FREE}, rf.InvalidArgument, "prices"),
    ({"prices": None}, rf.InvalidType, "prices"),
    ({"prices": {"trn2": 1.0}}, rf.InvalidArgument, "prices"),
    ({"prices": {"trn2": 1.0, "h100": -1}}, rf.InvalidArgument, "prices['h100']"),
    ({"prices": {"trn2": 1.0, "b200": 1.0}}, rf.UnknownName, "prices"),
    ({"date": "July"}, rf.InvalidArgument, "date"),
    ({"date": None}, rf.InvalidType, "date"),
    ({"date": ["2026-07", "x"]}, rf.InvalidArgument, "date[1]"),
    ({"region": "moon"}, rf.UnknownName, "region"),
    ({"chips": 0}, rf.InvalidArgument, "chips"),
    ({"chips": [8, -1]}, rf.InvalidArgument, "chips[1]"),
    ({"chips": "8"}, rf.InvalidType, "chips"),
    ({"chips": []}, rf.InvalidArgument, "chips"),
    ({"date": []}, rf.InvalidArgument, "date"),
    ({"layouts": []}, rf.InvalidArgument, "layouts"),
    ({"layouts": ["tp8"]}, rf.InvalidType, "layouts[0]"),
]


@pytest.mark.parametrize(("changed", "kind", "argument"), BAD)
def test_bad_input_is_named(
    changed: dict[str, Any], kind: type[rf.RainierError], argument: str
) -> None:
    good: dict[str, Any] = {"machines": ["trn2", "h100"], "service_or_job": CHAT}
    with raises(kind, argument):
        rf.price_performance(**good | changed)


def test_pairs_are_objectives_too() -> None:
    pairs, dicts = (
        rf.price_performance(["h100"], CHAT, [one]) for one in (("4 s", "100 ms"), LOOSE)
    )
    assert pairs == dicts


@pytest.mark.parametrize("which", ["served", "trained"])
def test_the_document_shows_what_is_found(which: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
    shown = text.partition(f"<!-- {which} -->\n```\n")[2].partition("\n```")[0]
    months = ["2026-01", "2026-07", "2026-10"]
    rivals = ["h100", "h200", "b200"]
    if which == "served":
        service = rf.Serving("llama-3.3-70b", input=8192, output=256)
        tight = [{"ttft": "4 s", "tpot": limit} for limit in ("25 ms", "50 ms")]
        slo = [*tight, {"tpot": "100 ms"}]
        found = rf.price_performance(["trn2", *rivals], service, slo, date=months)
    else:
        job = rf.Training("llama-3.1-70b", sequence=8192, batch=1024)
        found = rf.price_performance(["rainier", *rivals], job, date=months, chips=1024)
    # Words are the same; numbers may move a little as operators are fitted again.
    number = re.compile(r"\d+(?:\.\d+)?")
    assert number.sub("#", shown).split() == number.sub("#", str(found)).split()
    for one, two in zip(number.findall(shown), number.findall(str(found)), strict=True):
        assert float(one) == pytest.approx(float(two), rel=0.1, abs=0.02)
