"""Services: parts, memory, waiting and words, against what follows by hand."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

import rainier_fast as rf
from raising import raises

TRN2 = rf.preset("trn2")
H100 = rf.preset("h100")
TP64 = rf.Layout(tp=64, ranks_per_chip=4)
TP8 = rf.Layout(tp=8)
LLAMA = rf.Serving("llama-3.3-70b", input=8192, output=256)
GPU = rf.Serving("qwen3-32b", input=1024, output=512, engine="vllm")


@pytest.fixture(scope="module")
def llama() -> rf.ServingResult:
    return TRN2.serve(LLAMA, TP64, concurrency=8)


def test_parts_add_up_and_are_said(llama: rf.ServingResult) -> None:
    assert llama.step_s == sum(llama.parts.values())
    assert {"matmul", "attention", "tp", "layers", "head", "host"} < set(llama.parts)
    assert llama.parts["experts"] == llama.parts["ep"] == llama.parts["draft"] == 0
    assert str(llama).splitlines()[0].endswith("as neuron runs it")
    assert pickle.loads(pickle.dumps(llama)) == llama


def test_a_rate_is_what_its_requests_make(llama: rf.ServingResult) -> None:
    assert llama.tokens_per_s == llama.requests_per_s * 256
    assert llama.tokens_per_s_per_chip == llama.tokens_per_s / 16
    assert llama.tokens_per_s_per_user == 1 / llama.tpot_s


def test_memory_is_of_one_bank(llama: rf.ServingResult) -> None:
    held, model = llama.memory, rf.model("llama-3.3-70b")
    assert held["hbm_bytes"] == 24 * 2**30
    # Heads of keys and values are 8: each of 64 ranks keeps one.
    assert held["request_bytes"] == model.kv_bytes(16_384) / 8
    whole = 2 * 80 * 2 * 8192 * 128 * (1 - 8 / 64)  # of it, which all else is cut by
    assert held["weights_bytes"] == pytest.approx(2 * model.parameters / 64 + whole, rel=0.01)
    assert held["cache_bytes"] == pytest.approx(0.30 * 0.9 * held["hbm_bytes"])
    assert held["requests"] == held["cache_bytes"] // held["request_bytes"]


def test_what_does_not_fit_waits() -> None:
    served = TRN2.serve(LLAMA, TP64, concurrency=100)
    assert served.running == served.memory["requests"] < 100
    assert served.running + served.waiting == 100
    assert "wait" in str(served)


def test_shapes_are_padded_on_neuron_alone() -> None:
    odd = rf.Serving("llama-3.1-8b", input=1500, output=100)
    served = TRN2.serve(odd, TP8, concurrency=6)  # two replicas
    assert dict(served.shapes) == {"prompt": 2048.0, "batch": 4.0, "context": 2048.0}
    plain = H100.serve(odd.with_(engine="vllm"), TP8, concurrency=6)
    assert plain.shapes["prompt"] == 1500
    assert plain.shapes["context"] == 1550


@pytest.mark.parametrize("engine", ["vllm", "sglang", "trtllm"])
def test_the_bound_is_below(engine: str) -> None:
    real = H100.serve(GPU.with_(engine=engine), TP8, concurrency=16)
    bound = H100.serve(GPU.with_(engine="ideal"), TP8, concurrency=16)
    assert bound.kind == "links alone"
    assert bound.tpot_s < real.tpot_s
    assert bound.ttft_s < real.ttft_s


def test_a_step_takes_what_its_bytes_take() -> None:
    bound = H100.serve(GPU.with_(engine="ideal"), TP8, concurrency=1)
    weights = 2 * (rf.model("qwen3-32b").parameters - 151_936 * 5120)  # all but the embedding
    assert bound.step_s >= weights / 8 / 3.35e12


def test_many_loads_are_one_call() -> None:
    loads = [1, 2, 5, 8, 13, 64, 200]
    table = H100.serve_times(GPU, TP8, loads)
    one = H100.serve(GPU, TP8, concurrency=13)
    assert table["tpot_s"][4] == one.tpot_s
    assert table["ttft_s"][4] == one.ttft_s
    assert (table["tpot_s"][1:] >= table["tpot_s"][:-1]).all()


def test_a_rate_is_served_as_far_as_it_can_be() -> None:
    slow = H100.serve(GPU, TP8, rate=0.5)
    fast = H100.serve(GPU, TP8, rate=5.0)
    assert slow.requests_per_s == 0.5
    assert slow.tpot_s < fast.tpot_s
    assert slow.ttft_s < fast.ttft_s


def test_prefixes_and_guesses_help() -> None:
    plain = TRN2.serve(LLAMA, TP64, concurrency=2)
    cached = TRN2.serve(LLAMA.with_(prefix_hit=0.9), TP64, concurrency=2)
    assert cached.ttft_s < 0.7 * plain.ttft_s
    guessed = rf.Speculation(tokens=3, acceptance=(0.865, 0.725, 0.635))
    faster = TRN2.serve(LLAMA.with_(speculative=guessed), TP64, concurrency=2)
    assert plain.tpot_s / 3.225 < faster.tpot_s < plain.tpot_s


def test_experts_and_chips_of_a_generation() -> None:
    deepseek = rf.Serving("deepseek-v3", input=1024, output=512, precision="fp8", engine="sglang")
    spread = rf.preset("b200").serve(deepseek, rf.Layout(tp=1, ep=8), concurrency=64)
    shared = rf.preset("b200").serve(deepseek, TP8, concurrency=64)
    assert spread.parts["ep"] > 0 == spread.parts["tp"]
    assert shared.parts["tp"] > 0 == shared.parts["ep"]
    busier = deepseek.with_(imbalance=2.9)
    later = rf.preset("b200").serve(busier, rf.Layout(tp=1, ep=8), concurrency=64)
    assert later.tpot_s > spread.tpot_s
    h200 = rf.preset("h200").serve(GPU, TP8, concurrency=16)
    assert h200.tpot_s < H100.serve(GPU, TP8, concurrency=16).tpot_s


def test_what_was_measured_on_such_chips_is_near() -> None:
    ultraserver = rf.preset("trn2-ultraserver").serve(LLAMA, TP64, concurrency=32)
    assert set(ultraserver.nearest_measurements["machine"].tolist()) == {"trn2"}
    h200 = rf.preset("h200").serve(GPU, TP8, concurrency=8)
    with raises(rf.Unsupported, None, "no measured service"):
        _ = h200.nearest_measurements
    assert "have no measured error" in str(h200)
    assert "our error there and on 2 more" in str(ultraserver)


def test_an_engine_that_a_chip_has_not_names_those_it_has() -> None:
    with raises(rf.Unsupported, "engine", "'vllm'"):
        rf.Pace.of("b200", "neuron")


def test_the_nearest_measurements_have_our_errors(llama: rf.ServingResult) -> None:
    table = llama.nearest_measurements
    assert len(table) == 3
    assert set(table["machine"].tolist()) == {"trn2"}


def test_money_and_power_take_a_service(llama: rf.ServingResult) -> None:
    assert TRN2.cost(llama, prices="capacity-block", date="2026-07") is not None


@pytest.mark.parametrize("aims", [{"ttft": "1 s", "tpot": "20 ms"}, {"tpot": "12 ms"}, {}])
def test_the_best_service_keeps_to_its_objective(aims: dict[str, str]) -> None:
    table = H100.best_serving(GPU, **aims, keep=1000)  # type: ignore[arg-type]
    met = table["meets"]
    assert met[0]
    assert len(table) >= 4
    tokens = table["tokens_per_s_per_chip"][met]
    assert (tokens[1:] <= tokens[:-1]).all()
    one = next(iter(table))
    layout = rf.Layout(tp=one["tp"], pp=one["pp"], ep=one["ep"])
    again = H100.serve(GPU, layout, concurrency=one["concurrency"])
    assert again.tokens_per_s == pytest.approx(one["tokens_per_s"], rel=1e-9)
    assert again.tpot_s == pytest.approx(one["tpot_s"], rel=1e-9)


def test_an_objective_that_nothing_meets_has_the_nearest() -> None:
    table = H100.best_serving(GPU, tpot="100 us")
    assert not table["meets"].any()
    assert (table["off_by"][1:] >= table["off_by"][:-1]).all()
    assert set(table["limited_by"].tolist()) == {"tpot"}


def test_contexts_above_the_model_s_are_refused_unless_said() -> None:
    with raises(rf.InvalidArgument, "input", "131,072"):
        rf.Serving("llama-3.3-70b", input=200_000, output=256)
    stretched = rf.Serving("llama-3.3-70b", input=200_000, output=256, max_model_len=262_144)
    assert stretched.most_tokens == 262_144
    assert rf.Serving("qwen3-32b", input=35_000, output=256).most_tokens == 40_960
    with raises(rf.InvalidArgument, "input"):
        rf.Serving("gpt-2", input=1000, output=256)
    own = dataclasses.replace(rf.model("llama-3.3-70b"), layers=79)
    assert rf.Serving(own, input=200_000, output=256).most_tokens == 262_144
