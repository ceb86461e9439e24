"""Lengths of requests: distributions, traces, and what services make of them."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

TRN2 = rf.preset("trn2")
CORES = rf.Layout(tp=8, ranks_per_chip=4)
TRACE = "arrival_s,input,output\n0,100,500\n1,4000,10\n2,100,500\n3,120,400\n"


def test_lengths_are_their_mean_where_a_number_is_asked_for() -> None:
    lengths = rf.Lengths([512, 2048], weights=[3, 1])
    assert lengths * 2 == 2 * 896.0
    assert f"{lengths:.0f}" == "896"
    assert lengths.quantile(0.75) == 512
    assert lengths.quantile(0.9) == 2048
    assert pickle.loads(pickle.dumps(lengths)) == lengths != rf.Lengths([512, 2048])
    assert len({lengths, rf.Lengths([512, 2048], weights=[6, 2])}) == 1
    with pytest.raises(AttributeError):
        lengths.values = (1.0,)


def test_distributions_have_the_quantiles_that_they_are_made_of() -> None:
    skewed = rf.Lengths.lognormal(500, 2000)
    assert skewed.quantile(0.5) == pytest.approx(500, rel=0.06)
    assert skewed.quantile(0.9) == pytest.approx(2000, rel=0.1)
    assert float(rf.Lengths.uniform(10, 20)) == 15
    assert max(rf.Lengths.lognormal(500, 2000, most=3000).values) == 3000


def test_one_length_for_all_is_the_number() -> None:
    plain = rf.Serving("llama-3.1-8b", input=1000, output=200)
    same = plain.with_(input=rf.Lengths([1000]), output=[200, 200])
    one = TRN2.serve(plain, CORES, concurrency=32)
    other = TRN2.serve(same, CORES, concurrency=32)
    assert other.ttft_s == pytest.approx(one.ttft_s, rel=1e-12)
    assert other.tpot_s == pytest.approx(one.tpot_s, rel=1e-12)
    assert other.quantiles["tpot_s"] == pytest.approx(one.quantiles["tpot_s"], rel=1e-12)


def test_columns_of_a_trace_go_together_and_others_do_not(tmp_path: Path) -> None:
    file = tmp_path / "requests.csv"
    file.write_text(TRACE)
    service = rf.Serving("llama-3.1-8b", input=file, output=file)
    assert service == rf.Serving("llama-3.1-8b", input=TRACE, output=TRACE)
    assert (service.input, service.output) == rf.Lengths.of_trace(file)
    # 4,000 in never have 500 out.
    assert service.longest == 4010
    assert len(service.lengths) == 4
    apart = service.with_(input=[100, 4000, 100, 120], output=[500, 10, 500, 400])
    assert apart.longest == 4500
    assert len(apart.lengths) == 9
    assert sum(share for *_, share in apart.lengths) == pytest.approx(1)
    assert "(input and output in the mean)" in str(service)


@pytest.mark.parametrize("suffix", ["toml", "yaml", "json"])
@pytest.mark.parametrize(
    "lengths", [rf.Lengths([3, 5, 9]), rf.Lengths([3, 5], weights=[1, 2]), TRACE]
)
def test_files_have_them(tmp_path: Path, suffix: str, lengths: object) -> None:
    service = rf.Serving("llama-3.1-8b", input=lengths, output=lengths)  # type: ignore[arg-type]
    path = tmp_path / f"service.{suffix}"
    service.save(path)
    again = rf.Serving.load(path)
    assert again == service
    assert again.lengths == service.lengths


def test_long_traces_are_thinned_and_keep_their_means() -> None:
    random = np.random.default_rng(0)
    ins = random.lognormal(6.5, 1.0, 20_000).clip(1, 30_000).round()
    outs = random.integers(10, 2000, 20_000)
    text = "input,output\n" + "\n".join(f"{a},{b}" for a, b in zip(ins, outs, strict=True))
    service = rf.Serving("llama-3.1-8b", input=text, output=text)
    rows = np.array(service.lengths)
    assert len(rows) == 1024
    assert rows[:, 0] @ rows[:, 2] == pytest.approx(service.input, rel=0.02)
    assert rows[:, 1] @ rows[:, 2] == pytest.approx(service.output, rel=0.02)


def test_each_prompt_is_padded_by_itself() -> None:
    service = rf.Serving("llama-3.1-8b", input=[130, 2000], output=64)
    served = TRN2.serve(service, CORES, concurrency=16)
    assert served.shapes["prompt"] == (256 + 2048) / 2
    alone = [
        sum(
            TRN2.serve(
                service.with_(input=one, max_model_len=4096), CORES, concurrency=16
            ).prefill_parts.values()
        )
        for one in (256, 2048)
    ]
    assert sum(served.prefill_parts.values()) == pytest.approx(sum(alone) / 2)


def test_long_answers_fill_the_cache_for_longer() -> None:
    chat = rf.Serving("llama-3.1-8b", input=1000, output=[100, 1900], engine="vllm")
    served = rf.preset("h100").serve(chat, rf.Layout(tp=8), concurrency=8)
    # Of 20 sequences that decode 19 are long ones.
    assert served.shapes["context"] == pytest.approx((1050 + 19 * 1950) / 20)


def test_objectives_may_be_about_nine_tenths_of_the_requests() -> None:
    chat = rf.Serving("qwen3-32b", input=rf.Lengths.lognormal(500, 3000), output=200, engine="vllm")
    h100 = rf.preset("h100")
    mean = h100.best_serving(chat, ttft="300 ms", keep=1000)
    tail = h100.best_serving(chat, ttft="300 ms", of="p90", keep=1000)
    assert (tail["ttft_p90_s"][tail["meets"]] <= 0.3).all()
    assert tail["tokens_per_s"][0] <= mean["tokens_per_s"][0]
    table = h100.serve_times(chat, rf.Layout(tp=8), [1, 8])
    one = h100.serve(chat, rf.Layout(tp=8), concurrency=8).quantiles
    assert [table["tpot_p50_s"][1], table["ttft_p90_s"][1]] == [one["tpot_s"][1], one["ttft_s"][2]]
    with raises(rf.RainierError, "of"):
        h100.best_serving(chat, of="p99")


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"input": []}, "input"),
        ({"input": [100, -5]}, "input[1]"),
        ({"output": [1, float("nan")]}, "output[1]"),
        ({"input": "input,output\n"}, "input"),
        ({"input": "input\n5\n"}, "input"),
        ({"input": "input,output\n5,\n"}, "input[0].output"),
        ({"output": "input,output\n5,3\n7,-1\n"}, "output[1].output"),
        ({"input": "/nowhere/at/all.csv"}, "input"),
        ({"input": [100, 200_000]}, "input"),
        ({"input": [10, 5000], "max_model_len": 4096}, "max_model_len"),
        ({"input": [10, 20], "batching": "lockstep"}, "batching"),
    ],
)
def test_what_is_no_length_is_named(changes: dict[str, object], argument: str) -> None:
    with raises(rf.RainierError, argument):
        rf.Serving(**({"model": "llama-3.1-8b", "input": 100, "output": 10} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: rf.Lengths([1, 2], weights=[1]), "weights"),
        (lambda: rf.Lengths([1, 2], weights=[1, 0]), "weights[1]"),
        (lambda: rf.Lengths.uniform(10, 5), "high"),
        (lambda: rf.Lengths.lognormal(100, 50), "p90"),
        (lambda: rf.Lengths.of_trace("input,output\n1,x\n"), "trace[0].output"),
    ],
)
def test_what_is_no_distribution_is_named(make: object, argument: str) -> None:
    with raises(rf.RainierError, argument):
        make()  # type: ignore[operator]


def test_workers_apart_have_no_lengths_that_vary() -> None:
    service = rf.Serving("llama-3.1-8b", input=[100, 900], output=64, engine="vllm")
    tp = rf.Layout(tp=2)
    with pytest.raises(rf.Unsupported, match="input"):
        rf.preset("h100").serve_disaggregated(service, tp, tp, concurrency=8)
