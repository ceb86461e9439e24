"""Jobs, layouts and machines that do not fit each other: which argument is named."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import rainier_fast as rf
from raising import raises

SERVER = rf.preset("trn2-ultraserver")
JOB = rf.Training("llama-3.1-8b", sequence=8192, batch=64)
EXPERTS = rf.Training("deepseek-v3", sequence=4096, batch=64)


@pytest.mark.parametrize(
    ("job", "layout", "argument"),
    [
        (JOB, {"tp": 3}, "tp"),
        (JOB, {"tp": 64}, "tp"),  # 32 heads
        (JOB, {"tp": 128}, "tp"),  # more than the machine
        (JOB, {"pp": 64}, "pp"),  # 32 layers
        (JOB, {"pp": 16, "virtual": 4}, "pp"),
        (JOB, {"dp": 3}, "dp"),
        (JOB, {"dp": 128}, "dp"),
        (JOB, {"microbatch": 3}, "batch"),
        (JOB.with_(batch=32), {}, "batch"),  # fewer than replicas
        (JOB.with_(sequence=8), {"cp": 16}, "cp"),
        (JOB.with_(sequence=100), {"cp": 8}, "cp"),
        (JOB.with_(sequence=4), {"tp": 8}, "tp"),  # rows of a sequence
        (JOB, {"ep": 4}, "ep"),  # no experts
        (JOB, {"pp": 2, "split": [3, 4]}, "split"),
        (JOB, {"tp": 2, "shard": 5}, "shard"),
        (EXPERTS, {"ep": 3}, "ep"),
        (EXPERTS, {"ep": 128}, "ep"),  # more than the ranks
        (EXPERTS, {"tp": 4, "ep": 4, "sequence_parallel": False}, "sequence_parallel"),
        (EXPERTS, {"ep": 2, "etp": 3}, "etp"),
        (JOB, {"tp": 64, "ranks_per_chip": 4}, "tp"),
        (JOB, {"tp": 8, "ranks_per_chip": 3}, "ranks_per_chip"),
    ],
)
def test_what_does_not_fit_is_named(
    job: rf.Training, layout: dict[str, Any], argument: str
) -> None:
    with raises(rf.InvalidArgument, argument):
        SERVER.training_step(job, rf.Layout(**layout))


@pytest.mark.parametrize(
    ("changed", "kind", "argument"),
    [
        ({"job": "llama-3.1-8b"}, rf.InvalidType, "job"),
        ({"job": None}, rf.InvalidType, "job"),
        ({"layout": {"tp": 8}}, rf.InvalidType, "layout"),
        ({"layout": None}, rf.InvalidType, "layout"),
        ({"chips": 0}, rf.InvalidArgument, "chips"),
        ({"chips": 128}, rf.InvalidArgument, "chips"),
        ({"chips": 17}, rf.InvalidArgument, "chips"),
        ({"chips": "64"}, rf.InvalidType, "chips"),
        ({"algorithm": "ring"}, rf.UnknownName, "algorithm"),
        ({"algorithm": 3}, rf.UnknownName, "algorithm"),
        ({"efficiency": 0.4}, rf.InvalidType, "efficiency"),
        ({"efficiency": float("nan")}, rf.InvalidType, "efficiency"),
        ({"routing": "south"}, rf.UnknownName, "routing"),
    ],
)
def test_arguments(changed: dict[str, Any], kind: type[rf.RainierError], argument: str) -> None:
    with raises(kind, argument):
        SERVER.training_step(**({"job": JOB, "layout": rf.Layout(tp=8)} | changed))


def test_schedules_that_do_not_divide_name_what_users_gave() -> None:
    for layout, arguments in (
        (rf.Layout(pp=3, schedule="dualpipe", tp=1), ("pp", "dp")),
        (rf.Layout(pp=4, virtual=2, dp=16), ("batch", "microbatch", "virtual", "pp")),
    ):
        with pytest.raises(rf.InvalidArgument) as caught:
            SERVER.training_step(JOB.with_(batch=16 * 3), layout)
        assert str(caught.value.argument).startswith(arguments), str(caught.value)


def test_a_machine_without_chips_is_refused() -> None:
    with raises(rf.Unsupported, "machine"):
        rf.torus((4, 4), "100 GB/s").training_step(JOB, rf.Layout(tp=8))


def test_a_runtime_that_the_machine_has_not() -> None:
    with raises(rf.Unsupported, "algorithm"):
        SERVER.training_step(JOB, rf.Layout(tp=8), algorithm="xla")


def test_sizes_without_sense_end_at_once() -> None:
    huge = dataclasses.replace(
        rf.model("llama-3.1-8b"), layers=65_536, hidden=2**24, heads=2**17, kv_heads=2**17,
        head_size=2**7, ffn=2**24, vocab=2**28,
    )  # fmt: skip
    job = rf.Training(huge, sequence=2**31, batch=2**16)
    step = SERVER.training_step(job, rf.Layout(tp=64))
    assert not step.fits
    assert step.time_s > 0
