"""Training steps: parts, memory, MFU and words, against what follows by hand."""

from __future__ import annotations

import dataclasses
import json
import pickle
from typing import Literal

import pytest

import rainier_fast as rf
from rainier_fast import _core
from rainier_fast.workload.ran import PARTS
from rainier_fast.workload.rows import layout_row, training_row
from rainier_fast.workload.running import request_of, runs_row
from raising import raises

LLAMA = "llama-3.1-8b"
SERVER = rf.preset("trn2-ultraserver")
RAINIER = rf.preset("rainier")
JOB = rf.Training(LLAMA, sequence=8192, batch=64)
LARGE = rf.Training("llama-3.1-405b", sequence=8192, batch=2048)
LAYOUT = rf.Layout(tp=16, pp=16)


@pytest.fixture(scope="module")
def large() -> rf.TrainingStep:
    return RAINIER.training_step(LARGE, LAYOUT, chips=65_536)


def test_parts_add_up(large: rf.TrainingStep) -> None:
    assert sum(large.parts.values()) == large.time_s
    assert all(seconds >= 0 for seconds in large.parts.values())
    assert {"matmul", "attention", "tp", "pp_bubble", "dp", "host"} < set(large.parts)
    assert large.parts["cp"] == large.parts["ep"] == large.parts["outer"] == 0


def test_parts_are_those_of_the_core() -> None:
    machine, layout = SERVER, rf.Layout(tp=8)
    runs = runs_row(machine, JOB, request_of(machine, None, JOB, "dor"), machine.efficiency)
    row = layout_row(layout, 64)
    told = _core.training_step(machine._core, training_row(JOB), row, runs | {"per_chip": 1})
    assert tuple(name for name, _ in told["parts"]) == PARTS
    assert told["seconds"] == machine.training_step(JOB, layout).time_s


def test_rates_follow_from_time(large: rf.TrainingStep) -> None:
    tokens = 8192 * 2048
    assert large.tokens_per_s == tokens / large.time_s
    assert large.tokens_per_s_per_chip == pytest.approx(tokens / large.time_s / 65_536)
    flops = rf.model("llama-3.1-405b").flops_per_token(8192) * tokens
    assert large.mfu == pytest.approx(flops / (65_536 * 667e12 * large.time_s))
    assert large.hfu == large.mfu  # nothing is computed again
    again = RAINIER.training_step(LARGE.with_(recompute="full"), LAYOUT, chips=65_536)
    layers = rf.model("llama-3.1-405b").flops_per_token(8192, recompute="full") * tokens
    assert again.hfu == pytest.approx(layers / (65_536 * 667e12 * again.time_s))
    assert again.time_s > large.time_s
    assert again.parts["recompute"] > 0


def test_parts_by_hand() -> None:
    step = SERVER.training_step(JOB, rf.Layout(tp=8))
    rates, layers, times = SERVER.efficiency, 32, 8  # microbatches of each of 8 replicas
    products = [  # rows, inner and outer numbers of a rank
        (8192, 4096, (4 + 2 * 1) * 128),
        (8192, 4 * 128, 4096),
        (8192, 4096, 2 * 14336 // 8),
        (8192, 14336 // 8, 4096),
    ]

    def three(rows: int, inner: int, outer: int) -> float:
        each = (rows, inner, outer), (rows, outer, inner), (inner, rows, outer)
        return sum(rates.matmul_s(*sizes) for sizes in each)

    by_layer = sum(three(*sizes) for sizes in products)
    head = three(8192, 4096, 128_256 // 8)
    assert step.parts["matmul"] == pytest.approx(times * (layers * by_layer + head))

    scores = {"sequence": 8192, "heads": 4, "head_size": 128, "kv_heads": 1}
    one_way = rates.attention_s(**scores)
    both = one_way + rates.attention_s(**scores, backward=True)
    assert step.parts["attention"] == pytest.approx(times * layers * both)

    mesh, row = SERVER.mesh(dp=8, tp=8), 8192 * 4096 * 2
    asked = {"axis": "tp", "algorithm": "runtime", "dtype": "bf16"}
    gather = mesh.all_gather(row, **asked).time_s
    scatter = mesh.reduce_scatter(row, **asked).time_s
    # Neuron hides none of two gathers and scatters each way and two gathers more; before and after
    # the layers there are three gathers, two scatters and three sums of four bytes a token.
    inside = layers * (6 * gather + 4 * scatter)
    sums = 3 * mesh.all_reduce(8192 * 4, **asked).time_s
    assert step.parts["tp"] == pytest.approx(times * (inside + 3 * gather + 2 * scatter + sums))


def test_mfu_by_convention_and_peak(large: rf.TrainingStep) -> None:
    rows = {(row["convention"], row["peak"]): row for row in large.mfus}
    first = rows["this job", "headline"]
    assert first["mfu"] == pytest.approx(large.mfu)
    assert first["peak_flops"] == 667e12
    tensor = rows["this job", "tensor engines"]
    assert tensor["mfu"] == pytest.approx(large.mfu * 667 / 632)
    full = rows["torchtitan", "headline"]
    shape = rf.model("llama-3.1-405b")
    ratio = shape.flops_per_token(8192, mask="full") / shape.flops_per_token(8192)
    assert full["mfu"] == pytest.approx(large.mfu * ratio)


def kept_of_llama(shape: rf.Transformer, tokens: float, tp: int) -> float:
    """Bytes that a layer keeps of so many tokens: without dropout, with fused attention."""
    size = shape.head_size or 0
    attention = 4 * shape.heads * size + 4 * (shape.kv_heads or 0) * size + 4 * shape.heads
    return tokens / tp * (8 * shape.hidden + attention + 6 * shape.ffn)


def test_memory_by_hand() -> None:
    shape = rf.model(LLAMA)
    for tp, dp in ((8, 8), (4, 16)):
        step = SERVER.training_step(JOB, rf.Layout(tp=tp))
        row = next(iter(step.memory))
        layers = 32 * kept_of_llama(shape, 8192, tp)
        assert row["activations_bytes"] == pytest.approx(layers, rel=0.01)
        matrices = shape.parameters / tp
        assert row["weights_bytes"] == pytest.approx(2 * matrices, rel=0.001)
        assert row["gradients_bytes"] == pytest.approx(4 * matrices, rel=0.001)
        assert row["optimizer_bytes"] == pytest.approx(12 * matrices / dp, rel=0.001)
        assert row["working_bytes"] == pytest.approx(8192 * 128_256 * (2 + 4) / tp)
        assert row["layers"] == 32


@pytest.mark.parametrize("zero", [0, 1, 2, 3])
def test_what_replicas_share(zero: int) -> None:
    step = SERVER.training_step(JOB, rf.Layout(tp=4, zero=zero))
    row = next(iter(step.memory))
    local = rf.model(LLAMA).parameters / 4
    for name, each, level in (("optimizer", 12, 1), ("gradients", 4, 2), ("weights", 2, 3)):
        share = 16 if zero >= level else 1
        assert row[f"{name}_bytes"] == pytest.approx(each * local / share, rel=0.001), name
    assert (row["gathered_bytes"] > 0) == (zero == 3)


def test_stages_and_banks(large: rf.TrainingStep) -> None:
    table = large.memory
    assert len(table) == 16
    assert sum(table["layers"]) == 126
    assert (table["hbm_bytes"] == 96 * 2**30).all()
    assert (table["bank_bytes"] == table["total_bytes"] / 4).all()
    for schedule, virtual in (("interleaved", 2), ("zb-v", 1), ("zb-h1", 1), ("gpipe", 1)):
        layout = LAYOUT.with_(pp=8, schedule=schedule, virtual=virtual)
        step = RAINIER.training_step(LARGE.with_(batch=8192), layout, chips=65_536)
        assert sum(step.memory["layers"]) == 126, schedule
    both = RAINIER.training_step(
        LARGE.with_(batch=4096), LAYOUT.with_(schedule="dualpipe"), chips=32_768
    )
    assert sum(both.memory["layers"]) == 2 * 126  # the model is there twice


def test_a_layout_that_does_not_fit_says_by_how_much() -> None:
    step = SERVER.training_step(LARGE.with_(batch=64), rf.Layout(tp=64))
    assert not step.fits
    over = max(step.memory["total_bytes"]) - 96 * 2**30
    assert over > 0
    assert "does not fit by" in str(step)
    assert step.time_s > 0
    assert not step.memory["fits"].any()


def test_words(large: rf.TrainingStep) -> None:
    text = str(large)
    first = text.splitlines()[0]
    assert large.kind in first
    assert len(text.splitlines()) <= 24
    assert large.bottleneck in text
    assert max(large.parts, key=lambda name: large.parts[name]) in large.bottleneck
    assert large.kind in large._repr_html_()
    assert large.kind in repr(large)
    assert all(isinstance(line, str) and line for line in large.guesses)
    told = json.loads(json.dumps(large.to_dict(), allow_nan=False))
    assert told["time_s"] == large.time_s
    assert told["layout"]["tp"] == 16


def test_the_bottleneck_names_links() -> None:
    thin = rf.Layout(tp=64, sequence_parallel=False)
    small = rf.Training(LLAMA, sequence=256, batch=1)
    wide = SERVER.training_step(small.with_(model=dataclasses.replace(
        rf.model(LLAMA), heads=64, kv_heads=64, head_size=64
    )), thin)  # fmt: skip
    assert wide.bottleneck.startswith("tp,")
    assert "all_reduce" in wide.bottleneck


def test_collectives_are_those_of_the_layout() -> None:
    layout = rf.Layout(tp=8, pp=2, cp=2, zero=1)
    step = SERVER.training_step(JOB, layout)
    seen = {(row["operation"], row["ranks"]) for row in step.collectives}
    assert {("all_gather", 8), ("reduce_scatter", 8), ("send_recv", 2)} <= seen
    assert {("reduce_scatter", 4), ("all_gather", 4)} <= seen  # two replicas of two
    assert set(step.collectives["kind"]) <= {step.kind, "links alone"}
    alone = SERVER.mesh(pp=2, dp=2, cp=2, tp=8).all_gather(
        2 * 8192 // 2 * 4096, axis="tp", algorithm="runtime", dtype="bf16"
    )
    row = next(row for row in step.collectives if row["ranks"] == 8)
    assert row["operation"] == "all_gather"
    assert row["time_s"] == pytest.approx(alone.time_s)


def test_overlaps_are_the_rules_of_the_software() -> None:
    neuron = SERVER.training_step(JOB, rf.Layout(tp=8)).overlaps
    assert dict(zip(neuron["collectives"], neuron["hidden"], strict=True)) == {
        "tp: rows before and after products": False,
        "tp: rows again, for gradients of weights": False,
        "dp: weights and gradients of replicas": True,
    }
    nothing = SERVER.training_step(JOB, rf.Layout(tp=8, overlap=False))
    assert not nothing.overlaps["hidden"].any()
    assert nothing.time_s >= SERVER.training_step(JOB, rf.Layout(tp=8)).time_s


def test_guesses_name_what_was_not_said() -> None:
    experts = rf.Training("mixtral-8x7b", sequence=4096, batch=64)
    step = SERVER.training_step(experts, rf.Layout(ep=8))
    assert any(line.startswith("ep:") for line in step.guesses)
    assert any(line.startswith("host:") for line in step.guesses)
    said = SERVER.training_step(experts.with_(imbalance=1.5, host="10 ms"), rf.Layout(ep=8))
    assert not any(line.startswith(("ep: all", "host:")) for line in said.guesses)
    assert said.parts["host"] == 0.01
    assert said.time_s > step.time_s + 0.009


def test_kinds() -> None:
    assert SERVER.training_step(JOB, rf.Layout(tp=8)).kind == "as neuron runs it"
    links = SERVER.training_step(JOB, rf.Layout(tp=8), algorithm="auto")
    assert links.kind == "links alone"
    assert rf.preset("h100").training_step(JOB, rf.Layout(tp=8)).kind == "as nccl runs it"


def test_parts_of_a_machine() -> None:
    step = RAINIER.training_step(JOB, rf.Layout(tp=8), chips=64)
    assert step.chips == 64
    same = rf.preset("rainier", chips=64).training_step(JOB, rf.Layout(tp=8))
    assert step.time_s == same.time_s
    large = LARGE.with_(batch=3072)
    sites = RAINIER.training_step(large, LAYOUT, chips=262_144 + 131_072).machine
    assert [site.num_chips for site in sites.sites] == [262_144, 131_072]
    assert sites.wan is not None
    whole = RAINIER.training_step(LARGE.with_(batch=4096), LAYOUT.with_(tp=8)).machine
    assert whole == RAINIER


def test_faults_of_a_part_go_with_it() -> None:
    links = [rf.LinkAt("z", ultraserver=0, x=1), rf.LinkAt("z", ultraserver=5)]
    hurt = RAINIER.with_faults(links=links, chips=[64 * 9], nics=[3])
    part = hurt.training_step(JOB, rf.Layout(tp=8), chips=128).machine
    assert part.faults.counts == {"links": 2, "nics": 1}
    assert part.healthy() == RAINIER.training_step(JOB, rf.Layout(tp=8), chips=128).machine
    with raises(rf.Unsupported, "chips"):
        RAINIER.with_faults(degrade={RAINIER.num_links - 1: 0.5}).training_step(
            JOB, rf.Layout(tp=8), chips=128
        )


def test_islands_trade_over_sites() -> None:
    alone = RAINIER.training_step(JOB.with_(batch=65_536), rf.Layout(tp=8))
    layout = rf.Layout(tp=8, islands=4, outer_every=500)
    split = RAINIER.training_step(JOB.with_(batch=65_536), layout)
    assert alone.parts["outer"] == 0 < split.parts["outer"]
    often = RAINIER.training_step(JOB.with_(batch=65_536), layout.with_(outer_every=250))
    assert often.parts["outer"] == pytest.approx(2 * split.parts["outer"])


def test_ranks_may_be_cores() -> None:
    chips = SERVER.training_step(JOB, rf.Layout(tp=8))
    cores = SERVER.training_step(JOB, rf.Layout(tp=32, ranks_per_chip=4))
    one, part = next(iter(chips.memory)), next(iter(cores.memory))
    assert part["hbm_bytes"] == one["hbm_bytes"] / 4 == 24 * 2**30
    # Eight heads of keys and values on 32 ranks: each has a whole one, in place of a quarter.
    whole = 2 * 32 * 2 * 4096 * 128 * (1 - 8 / 32)
    evenly = one["weights_bytes"] / 4 + whole
    assert part["weights_bytes"] == pytest.approx(evenly, rel=0.001)
    assert part["bank_bytes"] == part["total_bytes"]  # a stack for each of the four ranks
    # Narrower products on parts of the rates: some slower, not faster.
    assert 1 <= cores.parts["matmul"] / chips.parts["matmul"] < 1.5
    inside = SERVER.training_step(JOB, rf.Layout(tp=4, ranks_per_chip=4))
    assert "inside a chip" in set(inside.collectives["bottleneck"])
    with pytest.raises(rf.RainierError):
        SERVER.training_step(JOB, rf.Layout(tp=2, ranks_per_chip=4))


def test_what_ranks_send_to_experts_is_of_chips_or_of_cores() -> None:
    job = rf.Training("qwen3-30b-a3b", sequence=4096, batch=1024)

    def dispatch(ranks_per_chip: int, algorithm: Literal["auto", "neuron"]) -> float:
        layout = rf.Layout(ep=16 * ranks_per_chip, ranks_per_chip=ranks_per_chip)
        step = SERVER.training_step(job, layout, algorithm=algorithm)
        (row,) = (row for row in step.collectives if row["operation"] == "all_to_all")
        mesh = SERVER.mesh(dp=-1, ep=16 * ranks_per_chip, ranks_per_chip=ranks_per_chip)
        own = mesh.all_to_all(row["bytes"], axis="ep", algorithm=algorithm).time_s
        # Of neuron, whose ranks are cores, chips send a quarter from each.
        if (ranks_per_chip, algorithm) == (1, "neuron"):
            own = mesh.all_to_all(row["bytes"] / 4, axis="ep", algorithm=algorithm).time_s
        assert row["time_s"] == pytest.approx(own)
        return float(row["time_s"])

    assert dispatch(4, "auto") > 3 * dispatch(1, "auto")
    assert dispatch(4, "neuron") > 3 * dispatch(1, "neuron")


def test_a_timeline_is_the_pipeline() -> None:
    step = SERVER.training_step(JOB, rf.Layout(tp=8, pp=4))
    events = step.timeline()
    assert events.kind == step.kind
    assert len(events) == 4 * 3 * step.microbatches
    for stage in range(4):
        own = events["stage"] == stage
        starts, ends = events["start_s"][own], events["end_s"][own]
        order = starts.argsort()
        assert (ends[order][:-1] <= starts[order][1:] + 1e-12).all()  # one thing at a time
    busy = step.time_s - sum(step.parts[name] for name in ("dp", "optimizer", "outer", "host"))
    assert events["end_s"].max() >= busy * (1 - 1e-9)


def test_measured_runs_stand_beside_it() -> None:
    a100 = rf.preset("a100", chips=64)
    job = rf.Training("megatron-22b", sequence=2048, batch=64, attention="unfused", dropout=True)
    step = a100.training_step(job, rf.Layout(tp=8, zero=0))
    table = step.nearest_measurements
    times = [step.time_s, *(step.time_s / (1 + error) for error in table["error"])]
    assert step.band_s == (min(times), max(times))
    assert len(table) == 3
    assert table.kind == step.kind
    assert "megatron-22b" in set(table["model"])
    for row in table:
        assert row["error"] == pytest.approx(row["predicted_s"] / row["measured_s"] - 1)
        assert row["source"]
    with raises(rf.Unsupported, None):  # nobody has published one
        _ = SERVER.training_step(JOB, rf.Layout(tp=8)).nearest_measurements


def test_it_is_a_value(large: rf.TrainingStep) -> None:
    twin = pickle.loads(pickle.dumps(large))
    assert twin == large
    assert hash(twin) == hash(large)
    assert twin.time_s == large.time_s


def test_an_efficiency_of_ones_own_counts() -> None:
    typical = SERVER.training_step(JOB, rf.Layout(tp=8))
    best = rf.Efficiency.of("trn2", "ceiling")
    faster = SERVER.training_step(JOB, rf.Layout(tp=8), efficiency=best)
    assert faster.parts["matmul"] < typical.parts["matmul"]
    assert faster.efficiency == best
    own = rf.torus((4, 4), "100 GB/s")
    with raises(rf.Unsupported, "machine"):
        own.training_step(JOB, rf.Layout(tp=8), efficiency=best)


def test_halves_of_a_measured_all_reduce_are_guesses() -> None:
    among = SERVER.training_step(JOB, rf.Layout(tp=4, ranks_per_chip=4))
    assert any("among the cores of a chip" in guess for guess in among.guesses)
    sums = SERVER.training_step(JOB, rf.Layout(tp=4, ranks_per_chip=4, sequence_parallel=False))
    assert not any("among the cores of a chip" in guess for guess in sums.guesses)


def test_what_damage_does_to_software_is_a_guess() -> None:
    hurt = SERVER.with_faults(links=rf.LinkAt("x"))
    told = [guess for guess in hurt.training_step(JOB, rf.Layout(tp=8)).guesses if "whole" in guess]
    assert told
    assert "all_gather" in told[0]
    whole = SERVER.training_step(JOB, rf.Layout(tp=8)).guesses
    assert not any("on the whole machine" in guess for guess in whole)
