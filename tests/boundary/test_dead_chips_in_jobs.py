"""Layouts need all chips: machines with dead ones are refused by what runs on them."""

from collections.abc import Callable

import pytest

import rainier_fast as rf
from raising import raises

HURT = rf.preset("trn2-ultraserver").with_faults(chips=[3])
JOB = rf.Training("llama-3.1-8b", sequence=8192, batch=64)
SERVICE = rf.Serving("llama-3.1-8b", input=1024, output=128)
CORES = rf.Layout(tp=8, ranks_per_chip=4)


@pytest.mark.parametrize(
    "call",
    [
        lambda: HURT.training_step(JOB, rf.Layout(tp=8)),
        lambda: HURT.best_layouts(JOB, tp=8, cp=1, microbatch=1, n_threads=1),
        lambda: HURT.serve(SERVICE, CORES, concurrency=4),
    ],
)
def test_dead_chips_are_refused(call: Callable[[], object]) -> None:
    with raises(rf.Unsupported, None, "dead", "chips="):
        call()


def test_a_part_without_them_runs() -> None:
    pair = rf.preset("rainier", chips=128)
    hurt = pair.with_faults(chips=[100])
    whole = pair.training_step(JOB, rf.Layout(tp=8), chips=64)
    assert hurt.training_step(JOB, rf.Layout(tp=8), chips=64).time_s == whole.time_s
    with raises(rf.Unsupported, None, "dead"):
        hurt.training_step(JOB, rf.Layout(tp=8))


def test_ranks_are_cores_only_where_software_makes_them() -> None:
    for ranks in (2, 4):
        layout = rf.Layout(tp=8, ranks_per_chip=ranks)
        with raises(rf.InvalidArgument, "ranks_per_chip"):
            rf.preset("h100").training_step(JOB, layout)
        with raises(rf.InvalidArgument, "ranks_per_chip"):
            rf.preset("h100").serve(SERVICE.with_(engine="vllm"), layout, concurrency=4)
