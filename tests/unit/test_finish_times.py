"""Finish times worked by hand, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

LINE = rf.torus((4,), bandwidth=2.0, latency=0.25, wrap=False)
FIFO: dict[str, Any] = {"model": "fifo"}


@pytest.mark.parametrize(
    "machine",
    [
        rf.preset("rainier", chips=64 * 8, sites=3),
        rf.preset("trn2-ultraserver"),
        rf.switch(8, "50 GB/s", "1 us", overhead="2 us"),
        rf.torus((5, 4), ("1 GB/s", "2 GB/s"), "1 us", overhead="3 us"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("nbytes", [0, 1, 123_456_789])
def test_a_message_alone_takes_the_time_of_its_route(machine: Any, nbytes: int) -> None:
    one_way = rf.DimensionOrder("positive")
    for dst in {0, 1, 2, 7, machine.num_chips // 2, machine.num_chips - 1}:
        route = machine.route(0, dst)
        seen = machine.finish_times(0, dst, nbytes)
        assert seen == pytest.approx([route.time_s(nbytes)], rel=1e-15, abs=0)
        later = machine.finish_times(0, dst, nbytes, "1 ms")
        assert later == pytest.approx(seen + 1e-3, rel=1e-15)
        stored = machine.route(0, dst, one_way).time_s(nbytes, "store_and_forward")
        fifo = machine.finish_times(0, dst, nbytes, routing=one_way, model="fifo")
        assert fifo == pytest.approx([stored], rel=1e-14, abs=0)


def test_fluid_messages_share_what_is_there() -> None:
    # Both at 1 byte/s on the first link; when the short one is through, the other has 2 bytes/s.
    seen = LINE.finish_times([0, 0], [1, 2], [2, 6])
    assert seen.tolist() == [2.25, 4.5]
    # The second comes when half of the first is through.
    seen = LINE.finish_times([0, 0], [1, 1], 4, [0, 1])
    assert seen.tolist() == [3.25, 4.25]


def test_fifo_messages_wait_for_each_other() -> None:
    # One link: 1 s each, in order of their start, then of their place.
    assert LINE.finish_times([0, 0, 0], 1, 2, **FIFO).tolist() == [1.25, 2.25, 3.25]
    assert LINE.finish_times([0, 0, 0], 1, 2, [0.5, 0, 0.5], **FIFO).tolist() == [2.25, 1.25, 3.25]
    # Three hops of 1 s + 0.25 s; the second goes by 1 s behind.
    assert LINE.finish_times([0, 0], 3, 2, **FIFO).tolist() == [3.75, 4.75]
    # The short one comes to link 1 -> 2 first, at 0; the long one at 1.25, and waits until 2.
    assert LINE.finish_times([0, 1], [2, 2], [2, 4], **FIFO).tolist() == [3.25, 2.25]
    # No bytes: their turn comes all the same.
    assert LINE.finish_times([0, 0], 1, [4, 0], **FIFO).tolist() == [2.25, 2.25]


def test_fifo_halves_go_both_ways() -> None:
    ring = rf.torus((4,), bandwidth=2.0, latency=0.25, overhead=0.5)
    # Half of 8 bytes each way, two hops of 2 s + 0.25 s; the overhead once.
    assert ring.finish_times(0, 2, 8, **FIFO).tolist() == [5.0]
    # The other one stands behind the half that goes up: 0.5 + 2 + 1 + 0.25.
    assert ring.finish_times([0, 0], [2, 1], [8, 2], **FIFO).tolist() == [5.0, 3.75]
    # Two even axes: each half turns the same way on both.
    torus = rf.torus((4, 2), bandwidth=1.0)
    assert torus.finish_times(0, 6, 2, **FIFO).tolist() == [3.0]
    reports: list[tuple[int, int]] = []
    ring.finish_times([0] * 50, 2, 8, model="fifo", progress=lambda *at: reports.append(at))
    assert reports[-1] == (50, 50)


def test_messages_to_oneself_end_as_they_begin() -> None:
    for model in ("fluid", "fifo"):
        seen = LINE.finish_times([0, 1, 2], [0, 1, 3], 4, [0, 3, 0], model=model)
        assert seen.tolist() == [0.0, 3.0, 2.25]
        assert LINE.finish_times([], [], 4, model=model).size == 0
        assert LINE.finish_times([], [], [], [], model=model).size == 0


@pytest.mark.parametrize("routing", ["adaptive", "valiant"])
def test_spread_messages_are_not_served_one_by_one(routing: str) -> None:
    with raises(rf.Unsupported, None, '"fifo"', '"dor"', '"fluid"'):
        LINE.finish_times(0, 3, 1, routing=routing, model="fifo")


@pytest.mark.parametrize(
    ("arguments", "options", "error", "argument"),
    [
        ((0, 4, 1), {}, rf.OutOfRange, "dst"),
        (([0, 1], [1, -1], 1), {}, rf.OutOfRange, "dst[1]"),
        (([0, 1], [1, 2, 3], 1), {}, rf.InvalidArgument, "dst"),
        (([0, 1], [1, 2], [1]), {}, rf.InvalidArgument, "nbytes"),
        (([0, 1], [1, 2], [1, np.nan]), {}, rf.InvalidArgument, "nbytes[1]"),
        (([0, 1], [1, 2], 1, [0.0]), {}, rf.InvalidArgument, "start"),
        (([0, 1], [1, 2], 1, [0.0, -1]), {}, rf.InvalidArgument, "start[1]"),
        (([0, 1], [1, 2], 1, [np.inf, 0]), {}, rf.InvalidArgument, "start[0]"),
        ((0, 1, 1, [[0.0]]), {}, rf.InvalidArgument, "start"),
        ((0, 1, 1, "soon"), {}, rf.InvalidArgument, "start"),
        ((0, 1, 1, ["1 s"]), {}, rf.InvalidType, "start"),
        ((0, 1, 1), {"model": "link_load"}, rf.UnknownName, "model"),
        ((0, 1, 1), {"model": 1}, rf.UnknownName, "model"),
        ((0, 1, 1), {"routing": "left"}, rf.UnknownName, "routing"),
        ((0, 1, 1), {"progress": 1}, rf.InvalidType, "progress"),
    ],
)
def test_bad_arguments_are_named(
    arguments: Any, options: Any, error: type[rf.RainierError], argument: str
) -> None:
    with raises(error, argument):
        LINE.finish_times(*arguments, **options)


def test_progress_reports_and_its_exceptions_come_out() -> None:
    torus = rf.torus((16, 16, 16), bandwidth=1.0)
    rng = np.random.default_rng(1)
    src, dst = rng.integers(0, torus.num_chips, (2, 200_000))

    def stop(done: int, total: int) -> None:
        assert 0 <= done <= total == 200_000
        raise ArithmeticError

    for model in ("fluid", "fifo"):
        with pytest.raises(ArithmeticError):
            torus.finish_times(src, dst, 1, model=model, progress=stop)
