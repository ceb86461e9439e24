"""The search over workers of their own, against serve_disaggregated tried one by one."""

from __future__ import annotations

import pytest

import rainier_fast as rf
from raising import raises

H100 = rf.preset("h100")
SMALL = rf.Serving("llama-3.1-8b", input=2048, output=256, engine="vllm")


def apart_rows(table: rf.Table) -> list[dict[str, float]]:
    return [row for row in table if row["prefill_workers"]]


def again(row: dict[str, float]) -> rf.DisaggregatedResult:
    prefill = rf.Layout(tp=int(row["prefill_tp"]), pp=int(row["prefill_pp"]))
    return H100.serve_disaggregated(
        SMALL,
        prefill,
        rf.Layout(tp=int(row["tp"]), pp=int(row["pp"])),
        workers=(int(row["prefill_workers"]), int(row["decode_workers"])),
        concurrency=row["concurrency"],
    )


def test_rows_are_what_they_say() -> None:
    table = H100.best_serving(SMALL, ttft="1 s", tpot="20 ms", disaggregated=True, price=3.0)
    rows = apart_rows(table)
    assert rows
    for row in rows:
        found = again(row)
        assert found.ttft_s == pytest.approx(row["ttft_s"])
        assert found.tpot_s == pytest.approx(row["tpot_s"])
        assert found.tokens_per_s == pytest.approx(row["tokens_per_s"])
        dollars = 3.0 * 8 / 3600 / found.tokens_per_s * 1e6
        assert row["usd_per_million_tokens"] == pytest.approx(dollars)
    met = [row["tokens_per_s"] for row in table if row["meets"]]
    assert met == sorted(met, reverse=True)


def test_others_are_as_they_were() -> None:
    plain = H100.best_serving(SMALL, ttft="1 s", tpot="20 ms", keep=1000)
    both = H100.best_serving(SMALL, ttft="1 s", tpot="20 ms", keep=1000, disaggregated=True)
    kept = [row for row in both if not row["prefill_workers"]]
    assert [row["tokens_per_s"] for row in kept] == list(plain["tokens_per_s"])
    assert "prefill_workers" not in plain.columns


@pytest.mark.parametrize(("ttft", "tpot"), [(1.0, 0.02), (0.15, 0.02), (10.0, 0.004), (9.0, 9.0)])
def test_no_split_that_was_tried_is_better(ttft: float, tpot: float) -> None:
    table = H100.best_serving(SMALL, ttft=ttft, tpot=tpot, keep=1000, disaggregated=True)
    best = max((row["tokens_per_s"] for row in apart_rows(table) if row["meets"]), default=0.0)
    others = []
    cuts = [rf.Layout(tp=tp) for tp in (1, 2, 4)]
    for first in cuts:
        for second in cuts:
            for count in range(1, (8 - second.tp) // first.tp + 1):
                split = count, (8 - count * first.tp) // second.tp
                for load in (1, 4, 16, 64, 256):
                    one = H100.serve_disaggregated(
                        SMALL, first, second, workers=split, concurrency=load * split[1]
                    )
                    if one.ttft_s <= ttft and one.tpot_s <= tpot:
                        others.append(one.tokens_per_s)
    assert best >= max(others, default=0.0) * (1 - 1e-9)


def test_no_room_for_two_workers() -> None:
    large = rf.Serving("deepseek-v3", input=512, output=64, precision="fp8", engine="vllm")
    node = rf.preset("h200")
    assert len(node.best_serving(large))
    with raises(rf.InvalidArgument, "disaggregated"):
        node.best_serving(large, disaggregated=True)
    with raises(rf.InvalidArgument, "output"):
        H100.best_serving(SMALL.with_(output=1), disaggregated=True)
