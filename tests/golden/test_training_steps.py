"""Measured training steps beside ours: what errs by how much, and what is not run."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import rainier_fast as rf
from rainier_fast.validation import Row, mean_error, training, worst_error
from rainier_fast.validation.training_cases import MEMORY, SOURCES, Case, case, cases
from rainier_fast.validation.vtrain import main, summary

KEPT = "rows kept from fits"
SEEN = "rows that fits may see"
HEADER = (
    "# GPUs,global batch,micro batch,hidden size,attention heads,# layers,sequence length,"
    "tensor parallelism,data parallelism,pipeline parallelism,iteration time (ms)\n"
)


@cache
def groups() -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in training.rows():
        found.setdefault(row.group, []).append(row)
    return found


def one_of(source: str, **fields: object) -> Case:
    return next(
        one
        for one in cases(source)
        if all(one.get(name) == value for name, value in fields.items())
    )


def test_every_row_is_run_or_says_why_not() -> None:
    known = [one for source in SOURCES for one in cases(source)]
    left = training.left()
    assert len(training.rows()) + len(left) == len(known)
    whys = [one.why for one in left]
    assert all(whys)
    assert sum("precision" in why for why in whys) >= 4
    assert {one.case.get("not_run") for one in left if "not_run" in one.case.fields} <= set(whys)
    assert len(left) < 20


def test_fits_and_what_is_kept_from_them_stand_apart() -> None:
    for group, rows in groups().items():
        assert group.endswith((SEEN, KEPT))
        assert all(row.unit == "s" and row.ours > 0 for row in rows)
        assert all(row.kind.startswith("as ") for row in rows)
    seen = sum(len(rows) for group, rows in groups().items() if group.endswith(SEEN))
    assert seen == sum(row["fit"] for source in SOURCES for row in cases(source)) - sum(
        one.case["fit"] for one in training.left()
    )


@pytest.mark.parametrize(
    ("group", "mean", "worst"),
    [
        (f"vTrain, A100, {KEPT}", 0.10, 0.10),
        (f"Megatron-LM 2021, A100, {KEPT}", 0.10, 0.20),
        (f"Megatron-LM 2022, A100, {KEPT}", 0.08, 0.12),
        (f"Megatron-Bridge, h100, {KEPT}", 0.12, 0.20),
        (f"MegaScale's baseline, A100, {KEPT}", 0.15, 0.25),
        (f"Llama 3 405B, H100, {KEPT}", 0.25, 0.35),
    ],
)
def test_rows_that_nothing_is_fitted_to(group: str, mean: float, worst: float) -> None:
    rows = groups()[group]
    assert mean_error(rows) < mean
    assert worst_error(rows) < worst


def test_a_row_is_run_as_its_fields_say() -> None:
    one = one_of("korthikanti", model="megatron-175b", recompute="selective")
    job, layout = training.job(one), training.layout(one)
    assert (job.attention, job.dropout, job.recompute) == ("unfused", True, "selective")
    assert (layout.tp, layout.pp, layout.dp, layout.virtual) == (8, 8, 1, 3)
    assert layout.sequence_parallel is True
    step = training.run(one)
    assert step.chips == one.chips == 64
    assert training.compare(one).ours == step.time_s
    assert "assumed" not in training.compare(one).note
    torch = one_of("torchtitan", chips=8, precision="bf16", compiled=True)
    assert training.layout(torch).order == "torchtitan"
    assert training.run(torch).efficiency.chip == "h100-96gb"


def test_embedding_and_head_may_stand_for_a_layer() -> None:
    one = one_of("megatron_bridge", model="qwen3-235b-a22b", machine="gb200-nvl72")
    split = training.layout(one).split
    assert split == (3, *[4] * 22, 3)
    assert sum(split) == one.model.layers == 94
    # Where that leaves a chunk without layers, or what they are is no whole number, they share.
    few = case({**one.fields, "virtual": 12}, {})
    assert training.layout(few).split is None
    deep = one_of("megatron_bridge", model="deepseek-v3", machine="gb200-nvl72")
    assert training.layout(deep).split is None


def test_memory_of_the_papers_closed_forms() -> None:
    rows = [row for row in training.memory_rows() if row.group.startswith("Memory: closed forms")]
    assert len(rows) == 16
    held = [row for row in rows if row.quantity == "activations"]
    assert worst_error(held) < 1e-3
    # States of the paper leave out the embedding.
    assert all(0 < row.error < 0.09 for row in rows if row.quantity == "states")
    assert len(cases(MEMORY)) == 24


def test_errors_of_a_file_of_points(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "points.csv"
    path.write_text(HEADER + "512,1536,2,12288,96,96,2048,8,8,8,55109.6\n" * 4, "utf-8")
    text = summary(path)
    assert [line.split(":")[0] for line in text.splitlines()] == [
        f"vTrain, A100, {SEEN}",
        f"vTrain, A100, {KEPT}",
    ]
    assert "2 points, mean error " in text
    assert main([str(path)]) == 0
    assert capsys.readouterr().out == text + "\n"


def test_what_is_run_finds_these_rows_again() -> None:
    job = rf.Training("llama-3.1-405b", sequence=8192, batch=1536, precision="fp8")
    layout = rf.Layout(tp=8, pp=8, cp=2, virtual=2)
    table = rf.preset("h100", chips=1024).training_step(job, layout).nearest_measurements
    assert "llama-3.1-405b" in table["model"].tolist()


def test_fsdp_waits_below_the_critical_batch_of_the_scaling_book() -> None:
    machine = rf.preset("tpu-v5p", shape=(16, 16, 16))
    waits = {}
    for tokens in (256, 512, 1024, 2048):
        job = rf.Training("llama-2-13b", sequence=tokens, batch=4096)
        step = machine.training_step(job, rf.Layout(zero=3), algorithm="auto")
        waits[tokens] = step.parts["dp"] / step.time_s
    # 850 tokens a chip by its closed form, of three axes.
    assert waits[256] > waits[512] > 0.15
    assert 0.03 > waits[1024] > waits[2048]
