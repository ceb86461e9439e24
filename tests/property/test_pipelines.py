"""Pipelines: the core against a slow simulation, and against the bubbles that papers publish."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from property.slow_pipelines import Times, held, run, spans
from rainier_fast import _core
from rainier_fast.errors import InvalidArgument, UnknownName
from raising import raises

DRAWS = 500


def call(
    which: Any, schedule: str, counts: tuple[int, int, int], times: Times, transfer: list[float]
) -> Any:
    """Ask the core."""
    p, v, m = counts
    return which(
        schedule, p, v, m, np.array(times, float).reshape(-1, 3), np.array(transfer, float)
    )


def counts_of(draw: random.Random, schedule: str) -> tuple[int, int, int]:
    """Stages, chunks of each and microbatches that a schedule can have."""
    p = draw.randint(1, 7)
    if schedule == "interleaved":
        p = max(p, 2)
        return p, draw.randint(2, 4), p * draw.randint(1, 4)
    if schedule == "dualpipe":
        p = 2 * draw.randint(1, 4)
        return p, 1, 2 * p + 2 * draw.randint(0, 6)
    return p, 2 if schedule == "zb-v" else 1, draw.randint(1, 20)


def times_of(draw: random.Random, chunks: int) -> tuple[Times, list[float]]:
    """Chunks that are alike or not, with ways between them or without."""
    one = draw.choice([lambda: 1.0, lambda: draw.uniform(0.1, 3), lambda: draw.choice([0.0, 1, 2])])
    if draw.random() < 0.3:
        times = [(one(), one(), one())] * chunks
    else:
        times = [(one(), one(), one()) for _ in range(chunks)]
    far = draw.choice([0.0, 0.05, 2.0])
    return times, [far * draw.random() for _ in range(chunks - 1)]


@pytest.mark.parametrize("part", range(10))
def test_the_core_is_the_slow_simulation(part: int) -> None:
    draw = random.Random(part)
    for _ in range(DRAWS // 10):
        schedule = draw.choice(_core.PIPELINE_SCHEDULES)
        p, v, m = counts = counts_of(draw, schedule)
        times, transfer = times_of(draw, p * v)
        seen = run(schedule, p, v, m, times, transfer)
        rows = spans(p, seen)
        where = f"{schedule} {counts} {times} {transfer}"

        seconds, makespan, idle, in_flight = call(
            _core.simulate_pipeline, schedule, counts, times, transfer
        )
        longest = max(end - start for start, end, _ in rows)
        assert seconds == pytest.approx(longest, rel=1e-12), where
        assert makespan == pytest.approx(max(end for _, end, _ in rows), rel=1e-12), where
        busy = [work for _, _, work in rows]
        assert idle == pytest.approx([longest - work for work in busy], abs=1e-9), where
        assert in_flight.tolist() == held(schedule, p, v, m), where

        columns = call(_core.pipeline_events, schedule, counts, times, transfer)
        events = {
            ("FBW"[kind], int(chunk), int(k)): (int(stage), start, end)
            for stage, kind, chunk, k, start, end in zip(*columns, strict=True)
        }
        assert events.keys() == seen.keys(), where
        for what, (stage, start, end) in seen.items():
            assert events[what] == (stage, pytest.approx(start), pytest.approx(end)), where

        closed, floor, holds = call(_core.pipeline_forms, schedule, counts, times, transfer)
        assert floor <= longest, where
        assert holds == held(schedule, p, v, m), where
        if closed is not None:
            assert closed == pytest.approx(longest, rel=1e-12), where


def published(schedule: str, p: int, v: int, f: float, b: float, w: float) -> float:
    """Seconds of bubble of a step as papers give them; f, b and w are those of a whole stage.

    b is the gradient of inputs alone: where a paper has it with that of weights, it is b + w.
    """
    return {
        # Section 2.2.1 of arXiv 2104.04473, and 2.2.2 for the interleaved schedule.
        "gpipe": (p - 1) * (f + b + w),
        "1f1b": (p - 1) * (f + b + w),
        "interleaved": (p - 1) * (f + b + w) / v,
        # Table 2 of arXiv 2401.10241; ZB-V in section 6, where all three are equal.
        "zb-h1": (p - 1) * (f + b - w),
        "zb-h2": (p - 1) * (f + b - 2 * w),
        "zb-v": 0.0,
        # README of deepseek-ai/DualPipe: (p/2 - 1)(F&B + B - 3W), here F&B = F + B and B = b + w.
        "dualpipe": (p / 2 - 1) * ((f + b + w) + (b + w) - 3 * w),
    }[schedule]


def bubble(schedule: str, counts: tuple[int, int, int], f: float, b: float, w: float) -> float:
    """What the core finds, of equal stages."""
    p, v, m = counts
    times = [(f / v, b / v, w / v)] * (p * v)
    seconds, _, _, _ = call(_core.simulate_pipeline, schedule, counts, times, [0.0] * (p * v - 1))
    return float(seconds - m * (f + b + w))


@pytest.mark.parametrize("schedule", _core.PIPELINE_SCHEDULES)
def test_bubbles_are_those_of_the_papers(schedule: str) -> None:
    """Each form where it holds: weights no longer than what they fill, microbatches enough."""
    draw = random.Random(schedule)
    for _ in range(DRAWS):
        p, v, m = counts_of(draw, schedule)
        m = max(m, {"zb-h1": p, "zb-h2": 2 * p - 1, "zb-v": 2 * p - 1}.get(schedule, 1))
        f, b = draw.uniform(0.5, 2), draw.uniform(0.5, 2)
        w = draw.uniform(0, 2)
        if schedule == "zb-h1":
            w = min(w, f)
        if schedule == "zb-h2":
            # The other two terms of the closed form are no higher.
            w = min(w, f, (f + b) / 2)
        if schedule == "zb-v":
            b = w = f
        if schedule == "dualpipe":
            b, w = f, min(w, f)
        want = published(schedule, p, v, f, b, w)
        assert bubble(schedule, (p, v, m), f, b, w) == pytest.approx(want, abs=1e-9)


def test_where_the_orders_differ_from_published_forms() -> None:
    """What the forms leave out, as docs/models.md says it."""
    # Weights longer than forwards: neither handcrafted order reaches its form.
    assert bubble("zb-h1", (4, 1, 8), 1, 3, 2) == pytest.approx(9)
    assert published("zb-h1", 4, 1, 1, 3, 2) == 6
    assert bubble("zb-h2", (4, 1, 8), 1, 3, 2) == pytest.approx(6)
    assert published("zb-h2", 4, 1, 1, 3, 2) == 0
    # DualPipe: less where forwards are shorter than gradients of inputs, more where longer.
    assert bubble("dualpipe", (8, 1, 32), 2, 3, 1) == pytest.approx(19)
    assert published("dualpipe", 8, 1, 2, 3, 1) == 21
    assert bubble("dualpipe", (8, 1, 32), 3, 1, 1) == pytest.approx(18)
    assert published("dualpipe", 8, 1, 3, 1, 1) == 12
    # ZB-V fills everything only where all three are equal.
    assert bubble("zb-v", (4, 2, 16), 4, 4, 3) == pytest.approx(3)


def test_memory_is_that_of_the_papers() -> None:
    """Microbatches held by the first stage."""

    def first(schedule: str, p: int, v: int, m: int) -> float:
        times = [(1.0, 1.0, 1.0)] * (p * v)
        _, _, holds = call(_core.pipeline_forms, schedule, (p, v, m), times, [0.0] * (p * v - 1))
        return float(holds[0])

    assert first("gpipe", 4, 1, 8) == 8
    assert first("1f1b", 4, 1, 16) == 4
    assert first("interleaved", 4, 2, 16) == 4 * (1 + 3 / (4 * 2))
    assert first("zb-h1", 4, 1, 16) == 4
    assert first("zb-h2", 4, 1, 16) == 2 * 4 - 1
    assert first("zb-v", 4, 2, 16) == 4
    assert first("dualpipe", 4, 1, 16) == 4 + 1


def test_what_cannot_run_is_refused_by_name() -> None:
    ones: Times = [(1.0, 1.0, 1.0)] * 4

    def ask(schedule: str, p: int, v: int, m: int, times: Times = ones) -> None:
        call(_core.simulate_pipeline, schedule, (p, v, m), times, [0.0] * 3)

    with raises(UnknownName, "schedule", "2f2b"):
        ask("2f2b", 4, 1, 8)
    with raises(InvalidArgument, "microbatches", "8 or 12"):
        ask("interleaved", 4, 2, 10)
    with raises(InvalidArgument, "microbatches", "8"):
        ask("dualpipe", 4, 1, 6)
    with raises(InvalidArgument, "stages", "6"):
        ask("dualpipe", 5, 1, 20)
    with raises(InvalidArgument, "virtual_stages"):
        ask("zb-v", 4, 3, 8)
    with raises(InvalidArgument, "virtual_stages"):
        ask("1f1b", 4, 2, 8)
    with raises(InvalidArgument, "chunks"):
        ask("1f1b", 3, 1, 8)
    with raises(InvalidArgument, "chunks"):
        ask("1f1b", 4, 1, 8, [(1.0, 1.0, 1.0)] * 3 + [(1.0, float("nan"), 1.0)])
    with raises(InvalidArgument, "microbatches"):
        ask("1f1b", 4, 1, 2**32 - 1)
    with raises(InvalidArgument, "chunks", "2 columns"):
        _core.simulate_pipeline("1f1b", 4, 1, 8, np.ones((4, 2)), np.zeros(3))
