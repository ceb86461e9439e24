"""Schedules of one's own: every bad value is refused by a RainierError that names it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

import rainier_fast as rf
from rainier_fast import Block, Schedule, Send
from raising import raises

NAN, INF, HUGE = math.nan, math.inf, 2**70
RING = rf.torus(4, "1 GB/s")
NOT_INTEGERS: list[Any] = [None, "3", 3.0, 1j, True, [3], object(), b"3"]
NOT_RANKS: list[Any] = [*NOT_INTEGERS, -1, 2, HUGE]
NOT_STEPS: list[Any] = [*NOT_INTEGERS, -1, 2**32, HUGE]
NOT_SIZES: list[Any] = ["", "many", [], 1j, True, -1, NAN, INF, "1 parsec", HUGE, 10**400]


def made(**changes: Any) -> Schedule:
    given: dict[str, Any] = {
        "operation": "all_reduce",
        "size": 8,
        "chips": [0, 1],
        "sends": [Send(0, 1, [0], 0, reduce=True), Send(1, 0, [0], 0, reduce=True)],
    }
    return Schedule(**(given | changes))


def sent(**changes: Any) -> Schedule:
    first = {"src": 0, "dst": 1, "blocks": [0], "step": 0, "reduce": True} | changes
    return made(sends=[Send(**first), Send(1, 0, [0], 0, reduce=True)])


def blocked(**changes: Any) -> Schedule:
    return made(blocks=[Block(**({"source": None, "target": None, "nbytes": 8} | changes))])


Case = tuple[Callable[[Any], object], str, list[Any]]
CASES: dict[str, Case] = {
    "operation": (
        lambda x: made(operation=x),
        "operation",
        [None, "", "sum", 3, "send_recv", "barrier"],
    ),
    "size": (lambda x: made(size=x), "size", [None, *NOT_SIZES]),
    "chips": (lambda x: made(chips=[0, x]), "chips[1]", [*NOT_INTEGERS, -1, HUGE]),
    "no chips": (lambda x: made(chips=x), "chips", [[]]),
    "a chip twice": (lambda x: made(chips=x), "chips", [[1, 1]]),
    "root": (lambda x: made(operation="reduce", root=x), "root", NOT_RANKS),
    "blocks": (lambda x: made(blocks=x), "blocks", [0, -1, HUGE, True, [None], [3]]),
    "shares": (
        lambda x: made(operation=x, blocks=3),
        "blocks",
        ["reduce_scatter", "all_gather", "gather", "scatter", "all_to_all"],
    ),
    "block.source": (lambda x: blocked(source=x), "blocks[0].source", NOT_RANKS[1:]),
    "block.target": (lambda x: blocked(target=x), "blocks[0].target", NOT_RANKS[1:]),
    "block.nbytes": (lambda x: blocked(nbytes=x), "blocks[0].nbytes", [None, *NOT_SIZES]),
    "a send": (lambda x: made(sends=[x]), "sends[0]", [None, 3, (0, 1, [0], 0), "send"]),
    "send.src": (lambda x: sent(src=x), "send", NOT_RANKS),
    "send.dst": (lambda x: sent(dst=x), "send", [*NOT_RANKS, 0]),
    "send.blocks": (lambda x: sent(blocks=[x]), "sends[0].blocks[0]", [*NOT_INTEGERS, -1, 1, HUGE]),
    "send.step": (lambda x: sent(step=x), "sends[0].step", NOT_STEPS),
    "send.lane": (lambda x: sent(lane=x), "sends[0].lane", NOT_STEPS),
    "send.stage": (lambda x: sent(stage=x), "sends[0].stage", NOT_STEPS),
    "send.after": (lambda x: sent(after=[x]), "send", [*NOT_INTEGERS, -1, 2, HUGE]),
    "send.reduce": (lambda x: sent(reduce=x), "sends[0].reduce", [None, 1, "yes", []]),
    "send.nbytes": (lambda x: sent(nbytes=x), "sends[0].nbytes", NOT_SIZES),
    "chips is a list": (lambda x: made(chips=x), "chips", [None, 3, object()]),
    "sends is a list": (lambda x: made(sends=x), "sends", [None, 3, object()]),
    "send.blocks is a list": (lambda x: sent(blocks=x), "sends[0].blocks", [None, 3, object()]),
    "send.after is a list": (lambda x: sent(after=x), "sends[0].after", [None, 3, object()]),
    "blocks is a list": (lambda x: made(blocks=x), "blocks", [None, 3.0, object(), "2"]),
    "run": (lambda x: RING.run(x), "schedule", [None, 3, "ring", RING]),
    "run.model": (lambda x: RING.run(made(), model=x), "model", [None, "", "magic", 3]),
    "run.routing": (lambda x: RING.run(made(), routing=x), "routing", ["", "quickest", 3]),
    "schedule.algorithm": (
        lambda x: rf.schedule("all_reduce", RING, 8, algorithm=x),
        "algorithm",
        [None, "", "nothing", 3, []],
    ),
    "schedule.operation": (lambda x: rf.schedule(x, RING, 8), "operation", [None, "", "sum", 3]),
    "schedule.size": (lambda x: rf.schedule("all_reduce", RING, x), "size", [None, *NOT_SIZES]),
}
EACH = [
    pytest.param(call, named, value, id=f"{name}={value!r:.20}-{at}")
    for name, (call, named, values) in CASES.items()
    for at, value in enumerate(values)
]


@pytest.mark.parametrize(("call", "named", "value"), EACH)
def test_bad_input_is_refused_by_name(
    call: Callable[[Any], object], named: str, value: Any
) -> None:
    with pytest.raises(rf.RainierError) as caught:
        call(value)
    message = str(caught.value)
    assert named in message
    assert len(message) < 600


@pytest.mark.parametrize("model", ["link_load", "alpha_beta", "fluid", "fifo"])
def test_a_circle_is_refused_before_it_runs(model: str) -> None:
    circle = [
        Send(0, 1, [0], 0, reduce=True, after=[1]),
        Send(1, 0, [0], 0, reduce=True, after=[0]),
    ]
    for schedule in (made(sends=circle), sent(after=[0])):
        with raises(rf.InvalidSchedule, None, "deadlock", "send 0"):
            schedule.verify()
        with raises(rf.InvalidSchedule, None, "deadlock", "send 0"):
            RING.run(schedule, model=model)


@pytest.mark.parametrize("model", ["link_load", "alpha_beta", "fluid", "fifo"])
@pytest.mark.parametrize("size", [0, 1, 1e18])
def test_odd_sizes_have_finite_times(model: str, size: float) -> None:
    assert math.isfinite(RING.run(made(size=size), model=model).time_s)
