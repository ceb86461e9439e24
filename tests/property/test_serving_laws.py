"""Services against reckonings by hand, and laws that hold for all of them."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest

import rainier_fast as rf

TRN2 = rf.preset("trn2")
H100 = rf.preset("h100")
ULTRASERVER = rf.preset("trn2-ultraserver")
CORES = rf.Layout(tp=64, ranks_per_chip=4)
GPU = rf.Layout(tp=8)
ENGINES = ("neuron", "vllm", "sglang", "trtllm", "ideal")


def _where(engine: str) -> tuple[rf.Machine, rf.Layout]:
    return (TRN2, CORES) if engine == "neuron" else (H100, GPU)


def _prompt(service: rf.Serving) -> tuple[rf.ServingResult, float]:
    machine, layout = _where(service.engine)
    served = machine.serve(service, layout, concurrency=1)
    return served, sum(served.prefill_parts.values())


@pytest.mark.parametrize("tokens", [1, 127, 128, 129, 4096, 8193, 20_000, 30_000])
@pytest.mark.parametrize("buckets", [(), (512, 3000), (256, 8192)])
def test_a_piece_is_padded_by_itself(tokens: int, buckets: tuple[int, ...]) -> None:
    service = rf.Serving(
        "llama-3.3-70b", input=tokens, output=16, prompt_buckets=buckets, chunk=8192
    )
    most, left, padded = (buckets[-1] if buckets else 8192), tokens, 0
    while left > 0:
        piece = min(left, most)
        shapes = buckets or [2**power for power in range(7, 14)]
        padded += next(shape for shape in shapes if shape >= piece)
        left -= piece
    assert _prompt(service)[0].shapes["prompt"] == padded


@pytest.mark.parametrize("chunk", [1024, 2048, 3000])
def test_later_pieces_attend_to_all_earlier_ones(chunk: int) -> None:
    tokens, heads = 8192, 64 // 8
    service = rf.Serving("llama-3.3-70b", input=tokens, output=16, engine="ideal", chunk=chunk)
    served, _ = _prompt(service)
    least, bytes_s, done = 0.0, 0.0, 0
    while done < tokens:
        own = min(chunk, tokens - done)
        # One by one: a query sees itself and all before it, in whichever piece.
        pairs = sum(done + at + 1 for at in range(own))
        flops = 2 * pairs * heads * (128 + 128)
        numbers = 2 * own * heads * 128 + 2 * (done + own) * 128
        least += 80 * flops / 989.5e12
        bytes_s += 80 * 2 * numbers / 3.35e12
        done += own
    assert least <= served.prefill_parts["attention"] <= 1.02 * (least + bytes_s)
    whole, _ = _prompt(service.with_(chunk=tokens))
    assert served.prefill_parts["attention"] >= whole.prefill_parts["attention"]


@pytest.mark.parametrize("imbalance", [1.0, 1.5, 2.9])
def test_experts_are_read_as_often_as_tokens_visit_them(imbalance: float) -> None:
    model = rf.model("qwen3-30b-a3b")
    service = rf.Serving(model, input=512, output=64, engine="ideal", imbalance=imbalance)
    served = H100.serve(service, rf.Layout(tp=1, ep=8), concurrency=8 * 16)
    draw, hit = np.random.default_rng(3), []
    tokens = 16 * 8  # of all replicas, whose ranks share the experts
    for _ in range(200):
        visits = np.argsort(draw.random((tokens, 128)), axis=1)[:, :8]
        hit.append(len(np.unique(visits)))
    touched, own = np.mean(hit) / 8, tokens * 8 / 8 * imbalance
    width, hidden = 768, 2048
    products = ((hidden, 2 * width), (width, hidden))
    seconds = math.fsum(
        math.hypot(2 * own * k * n / 989.5e12, 2 * (touched * k * n + own * (k + n)) / 3.35e12)
        for k, n in products
    )
    # And the router, which all ranks have.
    router = 2 * (2048 * 128 + 16 * (2048 + 128)) / 3.35e12
    assert served.parts["experts"] == pytest.approx(48 * (seconds + router), rel=0.03)


def test_a_cached_prefix_is_read_and_not_run() -> None:
    service = rf.Serving("llama-3.3-70b", input=4096, output=16, engine="ideal", prefix_hit=0.75)
    cached, _ = _prompt(service)
    fresh, _ = _prompt(service.with_(prefix_hit=0.0))
    short, _ = _prompt(service.with_(prefix_hit=0.0, input=1024, max_model_len=8192))
    for part in ("matmul", "memory_bound", "tp"):
        assert cached.prefill_parts[part] == pytest.approx(short.prefill_parts[part])
    own, before = 1024, 3072
    pairs = own * before + own * (own + 1) / 2
    share = pairs / (4096 * 4097 / 2)
    ours = cached.prefill_parts["attention"] / fresh.prefill_parts["attention"]
    assert ours == pytest.approx(share, rel=0.1)


def test_guesses_are_verified_together() -> None:
    guessed = rf.Speculation(tokens=3, acceptance=(0.8649, 0.7247, 0.6346))
    assert guessed.tokens_per_step == pytest.approx(3.224, abs=5e-4)
    service = rf.Serving("llama-3.3-70b", input=1024, output=512, speculative=guessed)
    served = TRN2.serve(service, CORES, concurrency=1)
    assert served.tpot_s == pytest.approx(served.step_s / 3.2242, rel=1e-4)
    plain = TRN2.serve(service.with_(speculative=None), CORES, concurrency=1)
    # As many weights and as much cache, four tokens in place of one, and three runs of a draft.
    assert plain.step_s < served.step_s - served.parts["draft"] < 1.3 * plain.step_s
    draw = np.random.default_rng(0)
    held = draw.random(200_000)
    steps = 1 + sum((held < share).astype(int) for share in (0.8649, 0.7247, 0.6346))
    assert steps.mean() == pytest.approx(guessed.tokens_per_step, rel=5e-3)


@pytest.mark.parametrize("engine", ["neuron", "vllm"])
def test_as_many_are_admitted_as_memory_holds(engine: str) -> None:
    machine, layout = _where(engine)
    service = rf.Serving("llama-3.3-70b", input=4000, output=96, engine=engine)
    served = machine.serve(service, layout, concurrency=4096)
    ranks, bank = (64, 24 * 2**30) if engine == "neuron" else (8, 80e9)
    bank = served.memory["hbm_bytes"] if engine == "vllm" else bank
    # A rank has one of 8 heads of keys and values whole, or as many as it has to.
    per_token = 2 * max(8 / ranks, 1) * 128 * 80 * 2
    weights = 2 * (served.service.transformer.parameters / ranks)
    tokens = 4096 if engine == "neuron" else 4000 + 96 / 2
    room = 0.9 * bank - weights
    if engine == "neuron":
        room = min(room, 0.30 * 0.9 * bank)
    assert served.running == pytest.approx(room / (tokens * per_token), rel=0.02)
    assert served.running + served.waiting == 4096


def test_no_more_run_than_the_largest_step_has_room_for() -> None:
    service = rf.Serving("llama-3.3-70b", input=400, output=96, batch_buckets=(1, 4))
    served = TRN2.serve(service, CORES, concurrency=9)
    assert (served.running, served.waiting, served.shapes["batch"]) == (4, 5, 4)
    events = TRN2.serve_events(service, CORES, concurrency=9, requests=100)
    assert float(np.nanmean(events.tpot_s)) == pytest.approx(served.tpot_s, rel=0.02)


def _pairs(count: int) -> list[tuple[str, int, int, int]]:
    draw = random.Random(5)
    return [
        (draw.choice(ENGINES), 2 ** draw.randint(6, 12), 2 ** draw.randint(4, 10), seed)
        for seed in range(count)
    ]


@pytest.mark.parametrize(("engine", "tokens", "answer", "seed"), _pairs(30))
def test_more_to_do_never_takes_less(engine: str, tokens: int, answer: int, seed: int) -> None:
    machine, layout = _where(engine)
    draw = random.Random(seed)
    service = rf.Serving(
        "llama-3.3-70b",
        input=tokens,
        output=answer,
        engine=engine,  # type: ignore[arg-type]
        max_model_len=2**15,
        chunk=draw.choice([512, 2048, 8192]),
    )
    loads = sorted({draw.randint(1, 40) for _ in range(8)})
    curve = machine.serve_times(service, layout, loads)
    assert (curve["tpot_s"][1:] >= curve["tpot_s"][:-1] * (1 - 1e-9)).all()
    # Contexts at the same load, and prompts of the first token.
    longer = [
        machine.serve(service.with_(input=tokens * more), layout, concurrency=loads[0])
        for more in (1, 1.3, 2, 3.7)
    ]
    for one, other in itertools.pairwise(longer):
        assert other.ttft_s >= one.ttft_s * (1 - 1e-9)
        assert other.tpot_s >= one.tpot_s * (1 - 1e-9)
    admitted = [
        machine.serve(service.with_(memory_share=share), layout, concurrency=4096).running
        for share in (0.6, 0.7, 0.8, 0.9, 1.0)
    ]
    assert admitted == sorted(admitted)


@pytest.mark.parametrize(
    ("engine", "tokens", "answer", "name"),
    [
        ("sglang", 8, 3, "qwen3-32b"),
        ("sglang", 8, 12, "llama-3.3-70b"),
        ("sglang", 16, 4, "qwen3-32b"),
        ("vllm", 16, 4, "llama-3.3-70b"),
    ],
)
def test_short_answers_wait_for_no_prefill_that_has_all_of_them(
    engine: str, tokens: int, answer: int, name: str
) -> None:
    service = rf.Serving(name, input=tokens, output=answer, engine=engine)  # type: ignore[arg-type]
    loads = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 64, 128, 256]
    tpot = H100.serve_times(service, GPU, loads)["tpot_s"]
    assert (tpot[1:] >= tpot[:-1] * (1 - 1e-9)).all()
    for load in (2, 4):
        events = H100.serve_events(service, GPU, concurrency=load, requests=1000)
        ours = float(tpot[loads.index(load)])
        assert ours == pytest.approx(float(np.nanmean(events.tpot_s)), rel=0.07)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("pp", [1, 4])
def test_requests_are_never_more_than_there_are(engine: str, pp: int) -> None:
    """Little's law: a rate times what a request takes is how many there are, not more."""
    machine = ULTRASERVER if engine == "neuron" else H100
    layout = rf.Layout(tp=16, pp=pp, ranks_per_chip=4) if engine == "neuron" else rf.Layout(tp=2)
    for output in (2, 16, 300):
        service = rf.Serving("llama-3.1-8b", input=4000, output=output, engine=engine)
        for load in (1, 3, 16, 100):
            served = machine.serve(service, layout.with_(pp=pp), concurrency=load)
            took = served.ttft_s + (output - 1) * served.tpot_s
            there = served.requests_per_s * took
            assert there <= load * (1 + 1e-3), (output, load)
            if load == 1:
                assert there == pytest.approx(1, rel=1e-3)


def test_one_request_keeps_one_replica_busy() -> None:
    service = rf.Serving("llama-3.3-70b", input=8192, output=256)
    one = TRN2.serve(service, CORES, concurrency=1)
    four = ULTRASERVER.serve(service, CORES, concurrency=1)
    assert four.replicas == 4 * one.replicas
    assert four.tokens_per_s == pytest.approx(one.tokens_per_s, rel=0.02)


@pytest.mark.parametrize("answers", [[1, 2], [1, 1, 1, 2], [1] * 7 + [30], [2], [3]])
@pytest.mark.parametrize("engine", ["vllm", "trtllm"])
def test_answers_of_a_token_or_two_take_a_time_above_zero(answers: list[int], engine: str) -> None:
    service = rf.Serving("llama-3.1-8b", input=1024, output=rf.Lengths(answers), engine=engine)
    table = H100.serve_times(service, GPU, [1, 2, 8, 64, 256])
    for name in ("ttft_s", "tpot_s", "tokens_per_s", "ttft_p50_s", "ttft_p90_s", "tpot_p90_s"):
        assert (np.asarray(table[name]) > 0).all(), name
    assert (np.diff(table["tokens_per_s"]) > -1e-3 * table["tokens_per_s"][:-1]).all()
    events = H100.serve_events(service, GPU, concurrency=64, requests=1500)
    # Events do not count the place of a request in the seconds around its prefill.
    assert 0.65 * events.tokens_per_s < table["tokens_per_s"][3] < 1.02 * events.tokens_per_s
    assert table["ttft_s"][3] == pytest.approx(float(events.ttft_s.mean()), rel=0.25)
    assert table["tpot_s"][3] == pytest.approx(float(np.nanmean(events.tpot_s)), rel=0.5)


@pytest.mark.parametrize("at_once", [64, 200, 512, 2048])
def test_quantiles_stay_beside_their_mean_where_many_end_together(at_once: int) -> None:
    service = rf.Serving("llama-3.1-8b", input=128, output=8, engine="vllm")
    row = next(iter(H100.serve_times(service, GPU, [at_once])))
    assert 0.5 * row["ttft_s"] < row["ttft_p50_s"] <= row["ttft_p90_s"] < 2 * row["ttft_s"]


@pytest.mark.parametrize("name", ["llama-3.3-70b", "deepseek-v3"])
def test_what_all_ranks_keep_whole_is_in_the_memory_of_each(name: str) -> None:
    service = rf.Serving(name, input=1024, output=64, precision="bf16")
    tp, layers = 64, service.transformer.layers
    whole = {  # keys and values of one head, or the short rows of latent attention
        "llama-3.3-70b": 2 * 8192 * 128 * (1 - 8 / tp),
        "deepseek-v3": 7168 * (1536 + 512 + 64) * (1 - 1 / tp),
    }[name]
    rank = ULTRASERVER.serve(service.with_(cache_share=1.0), CORES, concurrency=1).memory
    held = rank["weights_bytes"]
    more = held - 2 * service.transformer.parameters / tp
    assert more == pytest.approx(2 * layers * whole, rel=0.2)
