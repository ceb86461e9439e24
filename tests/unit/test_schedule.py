"""Schedules in Python: made by algorithms, made by hand, proven, run."""

from __future__ import annotations

import pickle
import time
from typing import Any

import pytest

import rainier_fast as rf
from rainier_fast import Block, Schedule, Send
from raising import raises

RING = rf.torus(4, "1 GB/s")
THERE, BACK = Send(0, 1, [0], step=0, reduce=True), Send(1, 0, [0], step=0, reduce=True)
PAIR = Schedule("all_reduce", 1e6, [0, 1], [THERE, BACK])


def own(made: Schedule) -> Schedule:
    return Schedule(made.operation, made.size_bytes, made.chips, made.sends, made.blocks)


def test_it_tells_what_it_is_made_of() -> None:
    made = rf.schedule("all_gather", RING, 4000, algorithm="ring_one_way")
    assert (made.operation, made.size_bytes, made.algorithm) == ("all_gather", 4000, "ring_one_way")
    assert (made.ranks, made.chips, len(made)) == (4, [0, 1, 2, 3], 12)
    assert made.blocks == [Block(rank, None, 1000) for rank in range(4)]
    first = made.sends[0]
    assert (first.src, first.dst, first.blocks, first.nbytes) == (0, 1, (0,), 1000)
    assert (
        repr(made) == "<Schedule of all_gather by ring_one_way over 4 ranks: 12 sends of 4 blocks>"
    )


@pytest.mark.parametrize(
    ("operation", "count", "wanted"),
    [
        ("all_reduce", 2, [(None, None)] * 2),
        ("reduce_scatter", 4, [(None, 0), (None, 0), (None, 1), (None, 1)]),
        ("reduce", 1, [(None, 1)]),
        ("all_gather", 2, [(0, None), (1, None)]),
        ("broadcast", 2, [(1, None)] * 2),
        ("scatter", 2, [(1, 0), (1, 1)]),
        ("gather", 2, [(0, 1), (1, 1)]),
        ("all_to_all", 4, [(0, 0), (0, 1), (1, 0), (1, 1)]),
    ],
)
def test_a_number_of_blocks_means_what_the_operation_needs(
    operation: str, count: int, wanted: list[tuple[int | None, int | None]]
) -> None:
    rooted = operation in ("reduce", "broadcast", "scatter", "gather")
    made = Schedule(operation, 800, [2, 3], [], blocks=count, root=int(rooted))
    assert [(block.source, block.target) for block in made.blocks] == wanted
    total = 1600 if operation == "all_to_all" else 800
    assert sum(block.nbytes for block in made.blocks) == total


def test_bytes_of_a_send_are_those_of_its_blocks_unless_it_says_so() -> None:
    sends = [Send(0, 1, [0, 1], 0), Send(1, 0, [2], 0, nbytes=7)]
    made = Schedule("all_gather", "1 KB", [0, 1], sends, blocks=4)
    assert [send.nbytes for send in made.sends] == [500, 7]


@pytest.mark.parametrize("operation", ["all_reduce", "all_gather", "all_to_all", "broadcast"])
def test_what_algorithms_make_is_proven_and_runs_by_hand_too(operation: str) -> None:
    for algorithm in rf.algorithms(operation):
        try:
            made = rf.schedule(operation, RING, 1 << 20, algorithm=algorithm)
        except rf.Unsupported:
            continue
        made.verify()
        own(made).verify()
        for model in ("alpha_beta", "link_load", "fluid", "fifo"):
            result = RING.run(own(made), model=model)
            assert (result.algorithm, result.model) == ("schedule", model)
            assert result.time_s >= result.lower_bound_s * (1 - 1e-9)


@pytest.mark.parametrize("model", ["alpha_beta", "link_load", "fluid", "fifo"])
def test_where_it_was_made_it_runs_as_the_algorithm(model: str) -> None:
    made = rf.schedule("all_reduce", RING, 1 << 20, algorithm="bucket")
    named = RING.all_reduce(1 << 20, algorithm="bucket", model=model)
    assert RING.run(made, model=model).time_s == named.time_s


def test_it_runs_on_another_machine() -> None:
    made = rf.schedule("all_reduce", RING, 1e6, algorithm="ring_one_way")
    fast = rf.torus(4, "2 GB/s")
    there, here = fast.run(made, model="fluid"), RING.run(made, model="fluid")
    assert there.time_s == pytest.approx(here.time_s / 2)
    with raises(rf.RainierError, "chips[2]"):
        rf.torus(2, "1 GB/s").run(made)


def test_one_of_scattered_chips_runs_on_another_machine() -> None:
    # Ranks are reordered where their order means nothing; there is still no root.
    made = rf.schedule("all_reduce", RING, 1e6, algorithm="ring", group=[3, 1, 2])
    assert rf.switch(4, "1 GB/s").run(made, model="fluid").time_s > 0
    own(made).verify()


def test_one_rank_has_nothing_to_send() -> None:
    made = rf.schedule("all_reduce", RING, 1e6, group=[2])
    assert len(made) == 0
    made.verify()
    assert RING.run(made, model="fluid").time_s == 0
    assert rf.switch(3, 1e9).run(made).time_s == 0
    assert RING.run(pickle.loads(pickle.dumps(made))).time_s == 0


@pytest.mark.parametrize(
    "made", [PAIR, rf.schedule("reduce", RING, 1e6, algorithm="binomial_tree", root=2)]
)
def test_it_comes_back_from_a_pickle(made: Schedule) -> None:
    back = pickle.loads(pickle.dumps(made))
    assert (back.sends, back.blocks, back.chips) == (made.sends, made.blocks, made.chips)
    assert repr(back) == repr(made)
    for model in ("link_load", "fluid"):
        assert RING.run(back, model=model).time_s == RING.run(made, model=model).time_s


def test_it_does_not_change() -> None:
    with pytest.raises(AttributeError):
        PAIR.algorithm = "mine"  # type: ignore[misc]
    PAIR.sends.clear()
    PAIR.chips.append(7)
    assert (len(PAIR.sends), PAIR.chips) == (2, [0, 1])
    with pytest.raises(AttributeError):
        THERE.src = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("sends", "things"),
    [
        ([THERE], ["rank 0, block 0", "rank 1"]),
        ([THERE, THERE, BACK], ["rank 1, block 0", "send 1", "rank 0"]),
        (
            [THERE, Send(1, 0, [0], 1, reduce=True)],
            ["rank 0, block 0", "send 1"],
        ),
        (
            [
                Send(0, 1, [0], 0, reduce=True, after=[1]),
                Send(1, 0, [0], 0, reduce=True, after=[0]),
            ],
            ["deadlock", "send 0", "send 1"],
        ),
        ([Send(0, 1, [0], 0, reduce=True, after=[0]), BACK], ["deadlock", "send 0"]),
    ],
)
def test_what_is_wrong_is_named(sends: list[Send], things: list[str]) -> None:
    with raises(rf.InvalidSchedule, None, *things):
        Schedule("all_reduce", 1e6, [0, 1], sends).verify()


def test_prices_are_no_schedule() -> None:
    with raises(rf.Unsupported, None, "nccl"):
        rf.schedule("all_reduce", RING, 1e6, algorithm="nccl")


def race(**changes: Any) -> Schedule:
    """Rank 1 passes on, in a lane of its own, what ranks 0 and 2 bring to it."""
    last = {"lane": 1, "after": [0, 1], **changes}
    sends = [
        Send(0, 1, [0], 0, reduce=True),
        Send(2, 1, [0], 0, reduce=True),
        Send(1, 3, [0], 0, reduce=True, **last),
    ]
    return Schedule("reduce", 1e6, [0, 1, 2, 3], sends, root=3)


def test_waiting_for_one_of_two_is_a_race() -> None:
    race().verify()
    with raises(rf.InvalidSchedule, None, "rank 1, block 0", "send 2", "send 0"):
        race(after=[1]).verify()
    with raises(rf.InvalidSchedule, None, "rank 1, block 0", "send 2", "send 1"):
        race(after=[0]).verify()


def test_what_has_left_has_not_arrived() -> None:
    # Send 2 waits for send 1, which leaves after send 0 did and says nothing of its arrival.
    sends = [
        Send(0, 1, [0], 0),
        Send(0, 2, [0], 1),
        Send(1, 3, [0], 0, lane=1, after=[1]),
    ]
    with raises(rf.InvalidSchedule, None, "rank 1, block 0", "send 2", "send 0"):
        Schedule("broadcast", 1e6, [0, 1, 2, 3], sends).verify()


def test_waiting_through_others_counts() -> None:
    # Send 3 waits for send 0 through a message of another rank in between.
    sends = [
        Send(0, 1, [0], 0),
        Send(1, 2, [1], 0, lane=1, after=[0]),
        Send(2, 1, [1], 1, lane=1),
        Send(1, 3, [0], 2, lane=1),
        Send(0, 2, [0], 1),
        *(Send(0, rank, [1], 5) for rank in (1, 2, 3)),
    ]
    made = Schedule("broadcast", 1e6, [0, 1, 2, 3], sends, blocks=2)
    with raises(rf.InvalidSchedule, None, "rank 1, block 1"):
        made.verify()  # rank 1 sends block 1 before it has it
    fine = [Send(0, rank, [1], 0, stage=0) for rank in (1, 2, 3)]
    later = [
        Send(0, 1, [0], 0, stage=1),
        Send(1, 2, [1], 0, lane=1, stage=1, after=[3]),
        Send(2, 1, [1], 1, lane=1, stage=1),
        Send(1, 3, [0], 2, lane=1, stage=1),
        Send(0, 2, [0], 1, stage=1),
    ]
    Schedule("broadcast", 1e6, [0, 1, 2, 3], [*fine, *later], blocks=2).verify()


def test_what_may_be_overwritten_before_it_leaves_is_a_race() -> None:
    # Rank 1 sends its own part in a lane in which it waits for rank 3; meanwhile rank 0 adds to it.
    sends = [
        Send(3, 1, [1], 0, reduce=True),
        Send(1, 2, [0], 1, reduce=True),
        Send(2, 0, [2], 0, reduce=True, lane=1),
        Send(0, 1, [0], 1, reduce=True, lane=1),
    ]
    with raises(rf.InvalidSchedule, None, "rank 1, block 0", "send 3", "send 1"):
        Schedule("all_reduce", 1e6, [0, 1, 2, 3], sends, blocks=3).verify()


def test_a_message_that_others_wait_for_is_there_when_its_receiver_came_to_its_step() -> None:
    # Rank 1 takes send 1 after send 0, which is slow: send 2 waits for both.
    sends = [
        Send(0, 1, [0], 0, nbytes=1e9),
        Send(2, 1, [1], 1, nbytes=0),
        Send(1, 3, [0], 0, lane=1, after=[1], nbytes=0),
    ]
    blocks = [Block(0, 3, 1e9), Block(2, 1, 0)]
    made = Schedule("all_to_all", 1e9, [0, 1, 2, 3], sends, blocks)
    made.verify()
    assert rf.switch(4, "1 GB/s", 0).run(made, model="fluid").time_s == pytest.approx(1.0)


def test_a_result_says_that_its_schedule_was_given() -> None:
    there = rf.Send(0, 1, [0], step=0, reduce=True)
    back = rf.Send(1, 0, [0], step=1)
    given = rf.Schedule("all_reduce", 8, [0, 1], [there, back])
    result = rf.torus(2, 1e9).run(given)
    assert "schedule that was given" in result.why
    assert result.algorithm == "schedule"


@pytest.mark.parametrize("model", ["alpha_beta", "fluid", "link_load"])
def test_the_schedule_of_a_result_is_that_of_its_algorithm(model: str) -> None:
    trn2 = rf.preset("trn2")
    cluster = rf.Cluster(sites=[rf.Site("one", 2, rf.TRN2_INSTANCE)])
    for result in (
        trn2.broadcast(1, root=6, model=model),
        trn2.all_reduce("1 MiB", model=model),
        cluster.all_reduce("1 MiB", model=model),
    ):
        made = result.schedule()
        made.verify()
        assert made.algorithm == result.algorithm


@pytest.mark.alone
def test_many_stages_cost_what_many_sends_cost() -> None:
    machine = rf.preset("rainier", chips=128, sites=1)

    def seconds(stages: int) -> float:
        sends = [Send(at % 128, (at + 1) % 128, [0], 0, stage=at) for at in range(stages)]
        schedule = Schedule("broadcast", "1 MiB", range(128), sends)
        taken = []
        for _ in range(3):
            start = time.process_time()
            machine.run(schedule)
            taken.append(time.process_time() - start)
        return min(taken)

    # Four times as many: 16 times as long when each stage looked at the sends of all.
    assert seconds(16_000) < 9 * seconds(4_000)


def test_nothing_is_added_to_what_a_rank_does_not_have() -> None:
    def gathered(*, reduce: bool) -> rf.Schedule:
        sends = [rf.Send(0, 1, [0], step=0, reduce=reduce), rf.Send(1, 0, [1], step=0)]
        return rf.Schedule("all_gather", 1e6, chips=[0, 1], blocks=2, sends=sends)

    gathered(reduce=False).verify()
    with raises(rf.InvalidSchedule, None, "rank 1, block 0"):
        gathered(reduce=True).verify()
