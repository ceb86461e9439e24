"""A training step on several machines, side by side."""

from __future__ import annotations

import math
from typing import Any

import pytest

import rainier_fast as rf
from raising import raises

JOB = rf.Training("llama-3.1-8b", sequence=8192, batch=64)
LAYOUT = rf.Layout(tp=8)


def test_each_row_is_the_step_of_its_machine() -> None:
    table = rf.compare(["rainier", "h100", "b200"], job=JOB, layout=LAYOUT, group_chips=64)
    assert table["chips"].tolist() == [64, 64, 64]
    for row, step in zip(table, table.steps, strict=True):
        assert step is not None
        assert (row["time_s"], row["kind"], row["fits"]) == (step.time_s, step.kind, step.fits)
        assert row["memory_bytes"] == max(step.memory["total_bytes"])
        assert row["tokens_per_s_per_chip"] == step.tokens_per_s_per_chip
        assert "dp 8" in row["layout"]
    alone = rf.preset("h100", chips=64).training_step(JOB, LAYOUT)
    assert table.steps[1] == alone
    assert table.kind == "as neuron runs it, as nccl runs it"
    assert table.kind in str(table).splitlines()[0]


def test_slices_and_parts_are_whole() -> None:
    slices = rf.compare(["tpu-v5p", "rainier"], job=JOB, layout=LAYOUT, group_chips=64)
    assert slices["chips"].tolist() == [64, 64]
    assert slices.steps[0] is not None
    assert slices.steps[0].machine.ultraserver.shape == (4, 4, 4)
    racks = rf.compare(["gb200-nvl72", "trn2"], job=JOB.with_(batch=72), layout=LAYOUT)
    assert racks["chips"].tolist() == [72, 16]


def test_a_machine_that_cannot_keeps_its_row() -> None:
    table = rf.compare(["trn2-ultraserver", "trn2"], job=JOB, layout=rf.Layout(tp=32))
    assert table["reason"][0] == ""
    assert "tp" in table["reason"][1]
    assert math.isnan(table["time_s"][1])
    assert table.steps[1] is None


@pytest.mark.parametrize(
    ("given", "kind", "argument"),
    [
        ({"job": "llama"}, rf.InvalidType, "job"),
        ({"layout": {"tp": 8}}, rf.InvalidType, "layout"),
        ({"collective": "all_reduce"}, rf.InvalidArgument, "collective"),
        ({"size": "1 GiB"}, rf.InvalidArgument, "size"),
        ({"group_chips": 0}, rf.InvalidArgument, "group_chips"),
        ({"colour": "red"}, rf.InvalidType, "compare"),
        ({"machines": "trn2"}, rf.InvalidType, "machines"),
        ({"machines": []}, rf.InvalidArgument, "machines"),
    ],
)
def test_what_is_wrong_raises(given: Any, kind: type[rf.RainierError], argument: str) -> None:
    with raises(kind, argument):
        rf.compare(**({"machines": ["trn2"], "job": JOB, "layout": LAYOUT} | given))


def test_a_layout_without_a_job_is_refused() -> None:
    with raises(rf.InvalidArgument, "layout"):
        rf.compare(["trn2"], "all_reduce", "1 MiB", layout=LAYOUT)


def test_the_best_layout_of_each_machine() -> None:
    job = rf.Training("llama-3.1-8b", sequence=8192, batch=64)
    words = {"cp": 1, "pp": [1, 2], "schedule": "1f1b"}
    both = rf.compare(["trn2", "h100"], job=job, **words)
    for name, step in zip(both["machine"], both.steps, strict=True):
        assert step is not None
        ranking = rf.preset(name).best_layouts(job, keep=1, **words)
        assert step.layout == ranking.best
        assert step.time_s == ranking["time_s"][0]
    assert both["fits"].all()
    assert (both["tokens_per_s_per_chip"] > 0).all()
    small = rf.compare(["trn2", "h100"], job=job, memory="1 GiB", **words)
    assert small.steps == (None, None)
    assert all("memory" in reason for reason in small["reason"])
    with raises(rf.InvalidType, "compare"):
        rf.compare(["trn2"], job=job, layouts=3)
