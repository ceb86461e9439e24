"""The best layouts are those of trying every one: no pruning changes the answer."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest

import rainier_fast as rf

CASES = 200
SERVER = rf.preset("trn2-ultraserver")
PAIR = rf.preset("rainier", chips=128)
NODE = rf.preset("trn2")
DENSE = rf.Transformer(layers=6, hidden=512, heads=8, kv_heads=4, ffn=1536, vocab=8_000)
TIED = dataclasses.replace(DENSE, layers=5, tied=True)
SPARSE = dataclasses.replace(
    DENSE, ffn=768, experts=rf.Experts(count=8, per_token=2, width=512, dense_first=2)
)
FIELDS = ("tp", "pp", "cp", "ep", "etp", "zero", "microbatch", "virtual", "schedule")
SCHEDULES = ("1f1b", "interleaved", "gpipe", "zb-h1", "zb-h2", "zb-v", "dualpipe")


@dataclasses.dataclass(frozen=True)
class Case:
    machine: rf.Machine
    job: rf.Training
    options: dict[str, Any]
    memory: float


def cases() -> Iterator[Case]:
    """Yield small searches, drawn with a seed."""
    rng = random.Random(99)
    for _ in range(CASES):
        machine = rng.choice([SERVER, NODE, PAIR])
        model = rng.choice([DENSE, TIED, SPARSE])
        job = rf.Training(
            model,
            sequence=rng.choice([512, 2048]),
            batch=rng.choice([16, 64, 96]),
            recompute=rng.choice(["none", "full"]),
        )
        options: dict[str, Any] = {
            "tp": rng.sample([1, 2, 4, 8], 2),
            "pp": rng.sample([1, 2, 3, 4], 2),
            "cp": rng.choice([1, [1, 2]]),
            "ep": rng.choice([1, [1, 4]]) if model.experts else 1,
            "etp": rng.choice([1, [1, 2]]) if model.experts else None,
            "zero": rng.sample([0, 1, 2, 3], 2),
            "microbatch": rng.choice([1, [1, 2]]),
            "virtual": [1, 2, 3],
            "schedule": rng.sample(SCHEDULES, 3),
        }
        if rng.random() < 0.2:
            options["order"] = rng.choice(["vllm", "torchtitan", "tp-cp-pp-dp"])
        yield Case(machine, job, options, rng.choice([96e9, 3e8, 1e8]))


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def every_layout(case: Case) -> Iterator[rf.Layout]:
    """Yield all layouts of a case that can be made, each once."""
    chips, seen = case.machine.num_chips, set()
    schedules = list(case.options["schedule"])
    if "1f1b" in schedules and "interleaved" not in schedules:
        schedules.append("interleaved")
    lists = {name: as_list(case.options[name]) for name in FIELDS} | {"schedule": schedules}
    for values in itertools.product(*lists.values(), [True, False]):
        fields = dict(zip([*lists, "sequence_parallel"], values, strict=True))
        if fields["schedule"] == "zb-v" and fields["pp"] > 1 and fields["virtual"] != 2:
            continue
        if fields["schedule"] == "1f1b" and fields["virtual"] > 1:
            continue  # interleaved by another name
        if fields["pp"] == 1:
            fields["schedule"] = "1f1b"
        try:
            layout = rf.Layout(**fields, order=case.options.get("order", "megatron"))
        except rf.RainierError:
            continue
        ranks = layout.tp * layout.cp * layout.pp
        if chips % ranks == 0 and layout not in seen:
            seen.add(layout)
            yield layout.with_(dp=chips // ranks)


def brute(case: Case) -> tuple[list[rf.TrainingStep], int, int]:
    """Return the steps that fit, how many layouts divide, and how many of them do not fit."""
    fit, divide = [], 0
    for layout in every_layout(case):
        try:
            step = case.machine.training_step(case.job, layout)
        except rf.RainierError:
            continue
        divide += 1
        if step.memory["total_bytes"].max() <= case.memory:
            fit.append(step)
    return fit, divide, divide - len(fit)


def front(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points that no other beats, the fastest first."""
    found: list[tuple[float, float]] = []
    for point in sorted(set(points)):
        if not found or point[1] < found[-1][1]:
            found.append(point)
    return found


@pytest.mark.parametrize("case", list(cases()))
def test_equals_trying_every_layout(case: Case) -> None:
    fit, divide, full = brute(case)
    if not fit:
        with pytest.raises(rf.RainierError) as caught:
            case.machine.best_layouts(case.job, memory=case.memory, keep=5, **case.options)
        assert isinstance(caught.value, rf.InvalidArgument | rf.Unsupported)
        assert divide == 0 or caught.value.argument == "memory"
        return
    ranking = case.machine.best_layouts(case.job, memory=case.memory, keep=5, **case.options)
    best = sorted(step.time_s for step in fit)[:5]
    assert ranking["time_s"].tolist() == best
    assert ranking.searched == divide
    assert ranking.pruned["does not fit"] == full
    assert sum(ranking.pruned.values()) == ranking.total
    for row, layout in enumerate(ranking.layouts):
        step = case.machine.training_step(case.job, layout)
        assert step.time_s == ranking["time_s"][row]
        assert step.memory["total_bytes"].max() == ranking["memory_bytes"][row]
        assert step.parts == {part: ranking[f"{part}_s"][row] for part in step.parts}
    points = [(step.time_s, float(step.memory["total_bytes"].max())) for step in fit]
    seen = zip(ranking.pareto["time_s"], ranking.pareto["memory_bytes"], strict=True)
    assert list(seen) == front(points)
