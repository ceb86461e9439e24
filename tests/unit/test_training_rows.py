"""Jobs and layouts: what follows from their fields, and the rows that the core takes."""

from __future__ import annotations

import dataclasses
import json

import pytest

import rainier_fast as rf
from rainier_fast.workload.layout import ORDERS, SCHEDULES, Layout
from rainier_fast.workload.rows import attended, layout_row, model_row, training_row
from rainier_fast.workload.stored import table
from rainier_fast.workload.training import Training
from raising import raises

LLAMA = "llama-3.1-8b"


def job(model: str = LLAMA, **fields: object) -> Training:
    return Training(model, **{"sequence": 4096, "batch": 64, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", rf.models())
def test_numbers_of_the_row_are_those_of_the_model(name: str) -> None:
    model, row = rf.model(name), model_row(rf.model(name))
    numbers, count = row["numbers"], (row["experts"] or {"count": 0})["count"]
    layers, sparse = len(row["sparse"]), sum(row["sparse"])
    assert (layers, sparse) == (model.layers, model.sparse_layers)
    assert sum(row["windowed"]) == model.windowed_layers
    total = layers * (numbers["attention"] + numbers["every"])
    total += (layers - sparse) * numbers["mlp"]
    total += sparse * (numbers["router"] + count * numbers["expert"] + numbers["shared"])
    assert total + numbers["embedding"] + numbers["head"] == model.parameters
    last = (
        numbers["router"] + count * numbers["expert"] + numbers["shared"]
        if sparse
        else numbers["mlp"]
    )
    each = numbers["attention"] + numbers["every"] + last + numbers["mtp_extra"]
    assert model.mtp * each == model.mtp_parameters
    assert (numbers["head"] == 0) == model.tied
    json.dumps(training_row(job(name, sequence=1024)))


def test_bytes_follow_from_precision_and_optimizer() -> None:
    seen = {
        (precision, optimizer): sum(job(precision=precision, optimizer=optimizer).stored[:3])
        for precision in table("precisions")
        for optimizer in table("optimizers")
        if precision in table("optimizers")[optimizer].get("precisions", [precision])
    }
    assert seen["bf16", "adamw"] == 18  # Megatron's table of the distributed optimizer
    assert seen["fp16", "adamw"] == 20
    assert seen["fp32", "adamw"] == 16
    assert seen["bf16", "adamw-bf16"] == 8
    assert seen["bf16", "muon"] == 14
    assert seen["bf16", "adamw-8bit"] == 12
    assert seen["fp8", "adamw"] == seen["mxfp8", "adamw"] == 18
    for precision, optimizer in seen:
        assert all(job(precision=precision, optimizer=optimizer).sources.values())


def test_bytes_that_are_given_count() -> None:
    own = job("mixtral-8x7b", gradient_bytes=2, activation_bytes=1, optimizer_bytes=0)
    assert tuple(own.stored) == (2, 2, 0, 1, 1)
    assert own.with_(gradient_bytes=None).stored.gradient == 4
    assert own.with_(dispatch="fp8", activation_bytes=None).stored[3:] == (2, 1)


def test_attended_tokens_are_those_of_the_kernel() -> None:
    assert attended(job()) == (2048.5, 2048.5)
    assert attended(job(attention="unfused")) == (4096, 4096)
    assert attended(job(mask="full")) == (4096, 4096)
    windowed = job("gpt-oss-20b")
    full, near = attended(windowed)
    assert full == 2048.5
    assert near == pytest.approx(sum(min(at, 128) for at in range(1, 4097)) / 4096)


def test_flops_of_a_step_count_what_is_trained() -> None:
    plain, further = job(), job("deepseek-v3")
    assert plain.flops == plain.tokens * rf.model(LLAMA).flops_per_token(4096)
    assert further.flops == further.tokens * rf.model("deepseek-v3").flops_per_token(4096, mtp=True)
    assert job(mask="full").flops > plain.flops


def test_a_job_by_the_name_of_its_model_is_the_same() -> None:
    assert job() == Training(rf.model(LLAMA), sequence=4096, batch=64, host="0 s")
    assert hash(job()) == hash(job())
    assert dataclasses.replace(job(), batch=1).batch == 1
    assert eval(repr(Layout(tp=4, split=[2, 3], pp=2)), {"Layout": Layout}).split == (2, 3)


@pytest.mark.parametrize(
    ("fields", "argument"),
    [
        ({"model": "llama-9"}, "model"),
        ({"sequence": 0}, "sequence"),
        ({"batch": -1}, "batch"),
        ({"precision": "int8"}, "precision"),
        ({"optimizer": "lion"}, "optimizer"),
        ({"optimizer": "adamw-bf16", "precision": "fp32"}, "optimizer"),
        ({"recompute": "some"}, "recompute"),
        ({"mask": "sliding"}, "mask"),
        ({"attention": "paged"}, "attention"),
        ({"imbalance": 0.9}, "imbalance"),
        ({"imbalance": 1.5}, "imbalance"),  # no experts
        ({"model": "mixtral-8x7b", "imbalance": 9}, "imbalance"),
        ({"imbalance": float("nan")}, "imbalance"),
        ({"host": "-1 s"}, "host"),
        ({"weight_bytes": 0}, "weight_bytes"),
        ({"gradient_bytes": float("nan")}, "gradient_bytes"),
        ({"optimizer_bytes": 1e9}, "optimizer_bytes"),
        ({"activation_bytes": -2}, "activation_bytes"),
        ({"dispatch": "fp8"}, "dispatch"),  # no experts
        ({"model": "mixtral-8x7b", "dispatch": "fp4"}, "dispatch"),
        ({"model": "gpt-2", "sequence": 2048}, "sequence"),
    ],
)
def test_a_job_refuses(fields: dict[str, object], argument: str) -> None:
    with raises(rf.InvalidArgument, argument):
        job(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fields", [{"model": 3}, {"dropout": 1}, {"sequence": 2.0}, {"batch": "2"}]
)
def test_a_job_refuses_other_types(fields: dict[str, object]) -> None:
    with raises(rf.InvalidType, next(iter(fields))):
        job(**fields)  # type: ignore[arg-type]


def test_what_is_left_out_follows() -> None:
    plain = Layout(tp=8, pp=4)
    assert (plain.has_sequence_parallel, plain.expert_tp, plain.runs) == (True, 8, "1f1b")
    assert plain.with_(ep=4).expert_tp == 1
    assert plain.with_(virtual=3).runs == "interleaved"
    assert plain.with_(schedule="zb-v").chunks == 2
    assert not Layout().has_sequence_parallel
    assert (plain.ranks, plain.with_(dp=2).ranks) == (None, 64)


def test_rows_of_layouts() -> None:
    row = layout_row(Layout(tp=8, pp=4, cp=2), 1024)
    assert (row["dp"], row["etp"], row["shard"], row["split"]) == (16, 8, 0, [])
    assert row["order"] == ["tp", "cp", "dp", "pp"]
    assert layout_row(Layout(order="vllm"), 4)["order"] == ["tp", "cp", "pp", "dp"]
    assert layout_row(Layout(order="pp-dp-cp-tp", dp=3), 4)["dp"] == 3  # the core refuses it
    assert layout_row(Layout(islands=4, tp=2), 64)["dp"] == 8
    for schedule in SCHEDULES:
        some = Layout(pp=4, schedule=schedule, virtual=2 if schedule == "interleaved" else 1)
        row = layout_row(some, 8)
        assert row["virtual_stages"] == (2 if schedule in ("interleaved", "zb-v") else 1)


@pytest.mark.parametrize(
    ("fields", "argument"),
    [
        ({"tp": 0}, "tp"),
        ({"pp": -1}, "pp"),
        ({"dp": 0}, "dp"),
        ({"dp": -2}, "dp"),
        ({"ep": 2**40}, "ep"),
        ({"etp": 0}, "etp"),
        ({"zero": 4}, "zero"),
        ({"zero": 0, "shard": 4}, "shard"),
        ({"microbatch": 0}, "microbatch"),
        ({"schedule": "2f2b"}, "schedule"),
        ({"virtual": 2}, "virtual"),
        ({"pp": 4, "schedule": "interleaved"}, "virtual"),
        ({"pp": 4, "schedule": "gpipe", "virtual": 2}, "virtual"),
        ({"pp": 4, "schedule": "zb-v", "virtual": 3}, "virtual"),
        ({"sequence_parallel": True}, "sequence_parallel"),
        ({"context": "star"}, "context"),
        ({"order": "horovod"}, "order"),
        ({"order": "tp-dp"}, "order"),
        ({"order": "tp-tp-dp-pp"}, "order"),
        ({"pp": 2, "split": [1, 2, 3]}, "split"),
        ({"pp": 2, "split": [1, 0]}, "split"),
        ({"islands": 0}, "islands"),
        ({"outer_every": 8}, "outer_every"),
        ({"ranks_per_chip": 100}, "ranks_per_chip"),
    ],
)
def test_a_layout_refuses(fields: dict[str, object], argument: str) -> None:
    with raises(rf.InvalidArgument, argument):
        Layout(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "argument"),
    [
        ({"tp": 128}, "tp"),  # more than the machine
        ({"pp": 96, "tp": 2}, "pp"),
        ({"islands": 65}, "islands"),
        ({"tp": 24}, "tp"),
        ({"tp": 16, "pp": 8}, "tp"),
        ({"dp": 2**31, "tp": 2}, "dp"),
    ],
)
def test_a_layout_that_is_no_part_of_the_chips(fields: dict[str, object], argument: str) -> None:
    with raises(rf.InvalidArgument, argument):
        layout_row(Layout(**fields), 64 if "dp" not in fields else 1)  # type: ignore[arg-type]


def test_a_field_that_is_not_there() -> None:
    with raises(rf.UnknownName, "name of a field"):
        job().with_(steps=3)
    with raises(rf.UnknownName, "name of a field"):
        Layout().with_(gp=3)


def test_orders_are_of_all_axes() -> None:
    assert all(sorted(order) == ["cp", "dp", "pp", "tp"] for order in ORDERS.values())
