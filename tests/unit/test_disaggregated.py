"""Prefill and decoding on workers of their own, against what follows by hand."""

from __future__ import annotations

import dataclasses
import pickle
import random

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast.serving.apart import exposed
from raising import raises

BOX = rf.preset("trn2-ultraserver")
H100 = rf.preset("h100")
TP64 = rf.Layout(tp=64, ranks_per_chip=4)
TP2 = rf.Layout(tp=2)
LLAMA = rf.Serving("llama-3.3-70b", input=8192, output=256)
SMALL = rf.Serving("llama-3.1-8b", input=1024, output=256, engine="vllm")


def test_parts_are_those_of_a_service_whose_chips_do_both() -> None:
    one = BOX.serve_disaggregated(LLAMA, TP64, TP64, workers=(1, 1), concurrency=1)
    both = BOX.serve(LLAMA, TP64, concurrency=1)
    assert dict(one.prefill_parts) == dict(both.prefill_parts)
    assert one.tpot_s == pytest.approx(both.step_s, rel=1e-9)
    # Alone, nothing waits but for the hand-over.
    assert one.ttft_s == pytest.approx(both.ttft_s + one.handover_s, rel=1e-6)
    busy = one.ttft_s + 255 * one.tpot_s
    assert one.requests_per_s == pytest.approx(1 / busy, rel=1e-6)
    assert one.chips == 32
    assert one.idle_chips == 32
    assert one.tokens_per_s_per_chip == one.tokens_per_s / 32


def test_a_hand_over_is_its_bytes_over_the_links() -> None:
    one = BOX.serve_disaggregated(LLAMA, TP64, TP64, workers=(1, 1), concurrency=1)
    assert one.handover_bytes == 8192 * 80 * 8 * 128 * 2 * 2
    apart = rf.preset("rainier")
    far = apart.serve_disaggregated(LLAMA, TP64, TP64, workers=(4, 4), concurrency=1)
    nic = apart.ultraserver.nic
    assert nic is not None
    least = one.handover_bytes / 16 / nic.bandwidth_Bps
    assert least <= far.handover_s <= 1.01 * least + 1e-4


def test_requests_are_somewhere() -> None:
    served = H100.serve_disaggregated(SMALL, TP2, TP2, concurrency=200)
    inside = served.requests_per_s * (served.ttft_s + 255 * served.tpot_s)
    assert inside == pytest.approx(200, rel=0.01)
    assert pickle.loads(pickle.dumps(served)) == served
    assert served.bottleneck in str(served)


def test_writing_hides_what_reading_shows() -> None:
    read = BOX.serve_disaggregated(LLAMA, TP64, TP64, concurrency=16)
    write = BOX.serve_disaggregated(LLAMA, TP64, TP64, concurrency=16, handover="write")
    assert read.shown_handover_s == read.handover_s == write.handover_s > write.shown_handover_s > 0
    assert write.ttft_s < read.ttft_s
    # Two stages of four layers: 2 s of prefill, 4 s of hand-over end 4.5 s after the start.
    assert exposed(4.0, 2.0, 4, write=True) == 2.5
    assert exposed(4.0, 8.0, 4, write=True) == 1.0


@pytest.mark.parametrize("requests", [1, 8, 64, 512, 4096])
def test_the_split_that_is_found_is_the_best(requests: int) -> None:
    found = H100.serve_disaggregated(SMALL, TP2, TP2, concurrency=requests)
    each = [
        H100.serve_disaggregated(SMALL, TP2, TP2, workers=split, concurrency=requests)
        for split in ((1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (3, 1))
    ]
    assert found.tokens_per_s == pytest.approx(max(one.tokens_per_s for one in each))
    assert max(found.loads.values()) <= 1 + 1e-9


@pytest.mark.parametrize("output", [32, 128, 512, 2048])
def test_the_balanced_ratio_is_best(output: int) -> None:
    # So many requests that batches are as large as memory allows, whatever the split.
    service = SMALL.with_(output=output)
    racks = rf.Cluster(sites=[rf.Site("one", 64, H100.ultraserver)])
    found = racks.serve_disaggregated(service, TP2, TP2, concurrency=1_000_000)
    prefill, decode = found.workers
    assert prefill / decode == pytest.approx(found.balanced_ratio, rel=0.05)
    for more in (0.7, 1.3):
        other = max(min(round(prefill * more), 255), 1)
        split = (other, 256 - other)
        worse = racks.serve_disaggregated(service, TP2, TP2, workers=split, concurrency=1_000_000)
        assert worse.tokens_per_s < found.tokens_per_s


def test_slower_nics_never_help() -> None:
    draw = random.Random(1)
    server = rf.TRN2_ULTRASERVER
    assert server.nic is not None
    for _ in range(20):
        speeds = sorted(draw.uniform(1e7, 5e10) for _ in range(2))
        service = LLAMA.with_(input=draw.randint(100, 8000), output=draw.randint(16, 500))
        mode, load = draw.choice(["read", "write"]), draw.randint(1, 200)
        found = []
        for speed in speeds:
            nic = dataclasses.replace(server.nic, bandwidth=speed)
            own = dataclasses.replace(server, nic=nic)
            machine = rf.Cluster(sites=[rf.Site("one", 2, own)])
            one = machine.serve_disaggregated(
                service, TP64, TP64, workers=(4, 4), concurrency=load, handover=mode
            )
            assert 0 <= one.shown_handover_s <= one.handover_s
            found.append(one)
        slow, fast = found
        assert slow.handover_s > fast.handover_s
        assert slow.requests_per_s <= fast.requests_per_s * (1 + 1e-9)


def test_a_hand_over_may_bound() -> None:
    server = rf.TRN2_ULTRASERVER
    assert server.nic is not None
    own = dataclasses.replace(server, nic=dataclasses.replace(server.nic, bandwidth=1e7))
    machine = rf.Cluster(sites=[rf.Site("one", 2, own)])
    one = machine.serve_disaggregated(LLAMA, TP64, TP64, workers=(4, 4), concurrency=64)
    assert one.bottleneck == "hand-over"
    assert one.requests_per_s <= 4 / one.handover_s * (1 + 1e-9)


def test_rates() -> None:
    first = [
        BOX.serve_disaggregated(LLAMA, TP64, TP64, workers=(2, 2), rate=rate).ttft_s
        for rate in (0.01, 0.3, 0.8)
    ]
    assert first == sorted(first)
    with raises(rf.InvalidArgument, "rate"):
        BOX.serve_disaggregated(LLAMA, TP64, TP64, rate=100)


def test_layouts_may_differ() -> None:
    wide = rf.Layout(tp=4)
    one = H100.serve_disaggregated(SMALL, TP2, wide, concurrency=16)
    assert one.worker_chips == (2, 4)
    assert one.workers == (2, 1)
    expert = rf.Serving("deepseek-v3", input=1024, output=512, precision="fp8", engine="sglang")
    pair = rf.Cluster(sites=[rf.Site("one", 2, rf.preset("b200").ultraserver)])
    spread = pair.serve_disaggregated(
        expert, rf.Layout(tp=8), rf.Layout(tp=1, ep=8), concurrency=64
    )
    assert spread.worker_chips == (8, 8)
    assert spread.parts["ep"] > 0


def test_what_is_refused() -> None:
    def ask(argument: str, *layouts: object, **options: object) -> None:
        with raises(rf.RainierError, argument):
            H100.serve_disaggregated(
                options.pop("service", SMALL),  # type: ignore[arg-type]
                *layouts,  # type: ignore[arg-type]
                **({"concurrency": 4} | options),  # type: ignore[arg-type]
            )

    ask("prefill", 3, TP2)
    ask("decode", TP2, None)
    ask("prefill", rf.Layout(tp=8), TP2)
    ask("workers", TP2, TP2, workers=(1, 2, 3))
    ask("workers[1]", TP2, TP2, workers=(1, 0))
    ask("workers", TP2, TP2, workers=(3, 3))
    ask("handover", TP2, TP2, handover="push")
    ask("output", TP2, TP2, service=SMALL.with_(output=1))
    ask("batching", TP2, TP2, service=SMALL.with_(batching="lockstep"))
    ask("concurrency", TP2, TP2, concurrency=None)


def test_starts() -> None:
    start = LLAMA.cold_start()
    assert start.kind == "assumed"
    assert start.cold_s == (102 + 30, 708 + 900)
    assert start.restart_s == (49 + 30, 107 + 900)
    assert "compile" in str(start)
    with raises(rf.Unsupported, "engine"):
        SMALL.cold_start()
    assert np.isfinite(start.cold_s).all()


def test_a_hand_over_is_as_the_runtime_runs_it_where_that_is_known() -> None:
    ends = BOX.serve_disaggregated(LLAMA, TP64, TP64, workers=(2, 2), concurrency=4)
    assert ends.handover_kind == "as neuron runs it"
    alone = BOX.serve_disaggregated(
        LLAMA, TP64, TP64, workers=(2, 2), concurrency=4, algorithm="auto"
    )
    assert alone.handover_kind == "links alone" == alone.kind
    assert alone.handover_s <= ends.handover_s
    gpus = H100.serve_disaggregated(SMALL, TP2, TP2, concurrency=4)
    assert gpus.handover_kind == "links alone" != gpus.kind
    assert any("nccl" in line and "send_recv" in line for line in gpus.guesses)


def test_money_and_power_are_those_of_its_workers() -> None:
    served = BOX.serve_disaggregated(LLAMA, TP64, TP64, workers=(1, 2), concurrency=16)
    paid = BOX.cost(served, prices=2.0)
    assert paid.chips == 48
    assert paid.usd_per_million_tokens == pytest.approx(2 * 48 / 3600 / served.tokens_per_s * 1e6)
    assert "16 chips" in str(paid)
    power = BOX.power(served)
    busy = (served.loads["prefill"] + 2) / 3
    assert served.busy_share == pytest.approx(busy)
    assert power.energy_parts["computing"] == pytest.approx(500 * 48 * busy)
    assert power.energy_parts["waiting"] == pytest.approx(235 * 48 * (1 - busy))
    assert sum(power.energy_parts.values()) == pytest.approx(power.mean_watts)
    assert power.swing_watts == 0
    token = power.energy_per_token_J
    assert token == pytest.approx(sum(power.energy_parts.values()) / served.tokens_per_s)
