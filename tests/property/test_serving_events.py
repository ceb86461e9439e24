"""Services request by request: their means, and what must hold for each request."""

from __future__ import annotations

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

H100 = rf.preset("h100")
TRN2 = rf.preset("trn2")
CORES = rf.Layout(tp=64, ranks_per_chip=4)
GPU = rf.Serving("llama-3.1-8b", input=1024, output=256, engine="vllm")
NEURON = rf.Serving("llama-3.1-8b", input=1024, output=256)
MODELS = ("llama-3.1-8b", "qwen3-32b", "llama-3.3-70b", "qwen3-30b-a3b")


def _cases(count: int) -> list[tuple[rf.Machine, rf.Layout, rf.Serving, int]]:
    random = np.random.default_rng(1)
    made = []
    for _ in range(count):
        engine = ("neuron", "vllm", "sglang", "trtllm")[random.integers(4)]
        machine, layout = (TRN2, CORES) if engine == "neuron" else (H100, rf.Layout(tp=8))
        name = MODELS[random.integers(3 if engine == "neuron" else 4)]
        if engine == "neuron":
            name = "llama-3.3-70b"  # 64 heads
        tokens = [int(2 ** random.uniform(*bounds)) for bounds in ((7, 12), (5, 10))]
        service = rf.Serving(name, input=tokens[0], output=tokens[1], engine=engine)
        made.append((machine, layout, service, int(2 ** random.uniform(0, 6))))
    return made


def _settled(events: rf.ServingEvents, skip: int) -> tuple[float, float]:
    """Return the mean times to the first token and between tokens, without the first requests."""
    return float(events.ttft_s[skip:].mean()), float(np.nanmean(events.tpot_s[skip:]))


def test_the_closed_form_and_the_simulation_agree_on_500_random_cases() -> None:
    """With so many requests at all times: of all of them, and once the first ones are through."""
    off, rates, settled = [], [], []
    for machine, layout, service, requests in _cases(500):
        total = max(20 * requests, 40)
        load = {"concurrency": requests, "requests": total}
        one = machine.serve_events(service, layout, **load, spread=0.5)
        mean = machine.serve(service, layout, **load)
        times = _settled(one, 0)
        off.append([times[0] / mean.ttft_s - 1, times[1] / mean.tpot_s - 1])
        rates.append(one.requests_per_s / mean.requests_per_s - 1)
        mean = machine.serve(service, layout, concurrency=requests)
        times = _settled(one, 5 * requests)
        settled.append([times[0] / mean.ttft_s - 1, times[1] / mean.tpot_s - 1])
    sizes, steady = np.abs(off), np.abs(settled)
    assert (np.median(sizes, axis=0) < 0.01).all()
    assert (np.quantile(sizes, 0.95, axis=0) < (0.06, 0.03)).all()
    assert (np.median(steady, axis=0) < 0.005).all()
    assert (np.quantile(steady, 0.95, axis=0) < (0.05, 0.03)).all()
    assert np.median(np.abs(rates)) < 0.06


def test_both_agree_on_requests_at_a_rate_as_long_as_few_wait() -> None:
    """At a third and at two thirds of the most that a replica can take."""
    off = []
    for at, (machine, layout, service, _) in enumerate(_cases(40)):
        most = machine.serve(service, layout, concurrency=64).requests_per_s
        for share in (0.3, 0.6):
            mean = machine.serve(service, layout, rate=share * most)
            one = machine.serve_events(service, layout, rate=share * most, seed=at)
            times = _settled(one, 300)
            off.append([times[0] / mean.ttft_s - 1, times[1] / mean.tpot_s - 1])
    sizes = np.abs(off)
    assert (np.median(sizes, axis=0) < (0.02, 0.03)).all()
    assert (np.quantile(sizes, 0.9, axis=0) < (0.1, 0.15)).all()


@pytest.mark.parametrize(
    ("machine", "layout", "engine"), [(TRN2, CORES, "neuron"), (H100, rf.Layout(tp=8), "vllm")]
)
@pytest.mark.parametrize("loop", ["concurrency", "rate"])
def test_quantiles_of_lengths_that_vary_are_those_of_requests_that_are_drawn(
    machine: rf.Machine, layout: rf.Layout, engine: str, loop: str
) -> None:
    prompts = rf.Lengths([200, 900, 3500], weights=[3, 4, 3])
    answers = rf.Lengths.uniform(100, 500)
    service = rf.Serving(
        "llama-3.3-70b",
        input=prompts,
        output=answers,
        engine=engine,  # type: ignore[arg-type]
    )
    most = machine.serve(service, layout, concurrency=64).requests_per_s
    amount = 16 if loop == "concurrency" else 0.4 * most
    mean = machine.serve(service, layout, **{loop: amount})
    events = machine.serve_events(service, layout, **{loop: amount}, requests=4000)  # type: ignore[arg-type]
    told, drawn = mean.quantiles, events.quantiles
    for name in ("ttft_s", "tpot_s"):
        near = 0.1 if loop == "concurrency" else 0.15
        assert told[name][:3] == pytest.approx(drawn[name][:3], rel=near)


@pytest.mark.parametrize(
    ("machine", "layout", "service"),
    [(TRN2, rf.Layout(tp=16), NEURON), (H100, rf.Layout(tp=8), GPU)],
)
def test_moments_are_in_order_and_the_same_seed_gives_the_same(
    machine: rf.Machine, layout: rf.Layout, service: rf.Serving
) -> None:
    one = machine.serve_events(service, layout, rate=2.0, requests=300, seed=7)
    assert (one.ttft_s > 0).all()
    assert (one.tpot_s > 0).all()
    assert one == machine.serve_events(service, layout, rate=2.0, requests=300, seed=7)
    assert one != machine.serve_events(service, layout, rate=2.0, requests=300, seed=8)


def test_no_token_comes_sooner_than_a_step_of_one_and_waits_grow_with_the_rate() -> None:
    least = H100.serve(GPU, rf.Layout(tp=8), concurrency=1)
    waits = []
    for rate in (0.5, 2.0, 8.0):
        one = H100.serve_events(GPU, rf.Layout(tp=8), rate=rate, requests=400)
        assert one.tpot_s.min() >= least.tpot_s * (1 - 1e-9)
        waits.append(float(one.ttft_s.mean()))
    assert waits == sorted(waits)


def test_a_trace_is_served_as_it_says() -> None:
    rows = [[0.0, 512, 64], [0.1, 2048, 1], [0.2, 100, 900]]
    layout = rf.Layout(tp=8)
    one = H100.serve_events(GPU.with_(max_model_len=4096), layout, trace=rows)
    text = "arrival_s,input,output\n" + "\n".join(",".join(map(str, row)) for row in rows)
    assert one == H100.serve_events(GPU.with_(max_model_len=4096), layout, trace=text)
    assert len(one) == 3
    assert np.isnan(one.tpot_s[1])  # one token
    assert one.simulated == "all replicas"


@pytest.mark.parametrize(
    ("trace", "argument"),
    [
        ([], "trace"),
        ([[0.0, -5, 10]], "trace[0].input"),
        ([[0.0, 5, 10], [1.0, 5]], "trace[1]"),
        ([[-1.0, 5, 10]], "trace[0].arrival_s"),
        ([[0.0, 5, float("nan")]], "trace[0].output"),
        ([[0.0, 5_000, 10]], "trace[0].input"),
        ("arrival_s,input\n0,5\n", "trace"),
        ("arrival_s,input,output\n0,,3\n", "trace[0].input"),
        ("/nowhere/at/all.csv", "trace"),
    ],
)
def test_a_trace_with_holes_is_named(trace: object, argument: str) -> None:
    with raises(rf.RainierError, argument):
        H100.serve_events(GPU, rf.Layout(tp=8), trace=trace)  # type: ignore[arg-type]


def test_lockstep_has_no_requests_one_by_one() -> None:
    with pytest.raises(rf.Unsupported):
        H100.serve_events(GPU.with_(batching="lockstep"), rf.Layout(tp=8), concurrency=4)


@pytest.mark.parametrize("output", [2, 4, 40])
@pytest.mark.parametrize("pp", [2, 4])
def test_no_answer_ends_before_its_first_token_however_many_stages(pp: int, output: int) -> None:
    machine, layout = rf.preset("trn2-ultraserver"), rf.Layout(tp=64, pp=pp, ranks_per_chip=4)
    service = rf.Serving("llama-3.3-70b", input=8000, output=output)
    replicas = 4 // pp
    for load in (1, 4, 16):
        events = machine.serve_events(service, layout, concurrency=load, requests=300, spread=0.5)
        mean = machine.serve(service, layout, concurrency=load)
        known = events.tpot_s[np.isfinite(events.tpot_s)]
        assert (known > 0).all()
        first, between = _settled(events, 100)
        there = events.requests_per_s * (first + (output - 1) * between) * min(replicas, load)
        assert there <= 1.1 * max(load, replicas)
        # Of answers of few tokens prompts wait for each other more than the mean values have it.
        rate = events.requests_per_s * min(replicas, load) / mean.requests_per_s
        assert 0.9 < rate < 1.06 if output == 40 else 0.6 < rate < 1.06
