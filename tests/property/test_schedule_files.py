"""Any schedule, saved and read again, costs the same to the bit; damaged files are refused."""

from __future__ import annotations

import random
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rainier_fast as rf
from rainier_fast.ask import schedule_goal, schedule_msccl

MODELS = ("link_load", "alpha_beta", "fluid")


@st.composite
def schedules(draw: st.DrawFn) -> rf.Schedule:
    """Trees of sends: what one brings, or adds, goes on; in lanes, stages, and by name."""
    ranks = draw(st.integers(2, 6))
    order = draw(st.permutations(range(ranks)))
    blocks = draw(st.integers(1, 3))
    size = draw(st.sampled_from([12, 1e6, 7.7, 1e9 / 3]))
    adds = draw(st.booleans())
    named = draw(st.booleans())
    sends: list[rf.Send] = []
    for block in range(blocks):
        arrived: dict[int, int] = {}
        rows = []
        for at in range(1, ranks):
            source = draw(st.integers(0, at - 1))
            rows.append((order[source], order[at]))
        if adds:
            rows = [(dst, src) for src, dst in reversed(rows)]
        for number, (src, dst) in enumerate(rows):
            after = [one for one in (arrived.get(src),) if one is not None and named and not adds]
            lane = len(sends) if after else block
            sends.append(rf.Send(src, dst, [block], number, adds, lane, 0, after))
            arrived[dst] = len(sends) - 1
    chips = draw(st.permutations(range(ranks)))
    return rf.Schedule("reduce" if adds else "broadcast", size, chips, sends, blocks, order[0])


@settings(max_examples=40)
@given(schedules())
def test_schedules_of_ones_own_come_back_the_same(made: rf.Schedule) -> None:
    made.verify()
    machine = rf.torus((made.ranks,), "1 GB/s")
    for form in ("msccl", "goal", "json", "toml", "chakra"):
        read = again(made, form)
        assert read == made
        for model in MODELS:
            assert machine.run(read, model=model).time_s == machine.run(made, model=model).time_s


def again(made: rf.Schedule, form: str) -> rf.Schedule:
    """Save a schedule and read it."""
    with tempfile.TemporaryDirectory() as folder:
        if form == "chakra":
            rf.astra_sim.save_schedule(made, folder + "/one")
            return rf.astra_sim.read_schedule(folder + "/one")
        made.save(Path(folder) / "one", format=form)
        return rf.read(Path(folder) / "one")  # type: ignore[no-any-return]


ZEROS = "symmetric"
"""Sums of zeros from ranks that have nothing yet, which MSCCL has no buffer for."""


@pytest.mark.parametrize("operation", ["all_reduce", "reduce_scatter", "all_gather", "all_to_all",
                                       "broadcast", "scatter", "send_recv"])  # fmt: skip
@pytest.mark.parametrize("form", ["msccl", "goal", "json", "chakra"])
def test_what_any_algorithm_makes_costs_the_same_to_the_bit(operation: str, form: str) -> None:
    machine = rf.torus((2, 3), "10 GB/s")
    count = 0
    for algorithm in ("auto", *rf.algorithms()):
        try:
            made = rf.schedule(operation, machine, "1 MB", algorithm=algorithm)
        except rf.RainierError:
            continue
        rooted = operation in ("broadcast", "scatter")
        if form == "msccl" and rooted and ZEROS in made.algorithm:
            with pytest.raises(rf.Unsupported, match="zeros"):
                again(made, form)
            continue
        for one in (made, made.at("1.1 MB")):
            read = again(one, form)
            assert read == one
            assert machine.run(read).time_s == machine.run(one).time_s
        count += 1
    assert count


@settings(max_examples=40)
@given(schedules())
def test_bodies_alone_do_the_same(made: rf.Schedule) -> None:
    """Without our comment, MSCCL's steps prove to do the same, and GOAL has the same messages."""
    bare = re.sub(r"<!-- rainier_fast .*", "", schedule_msccl.text(made))
    read = rf.read(bare.encode())
    assert (read.operation, read.ranks, read.root) == (made.operation, made.ranks, made.root)
    bare = re.sub(r"\n//.*", "", schedule_goal.text(made))
    ends = [
        sorted((one.src, one.dst) for one in each.sends) for each in (made, rf.read(bare.encode()))
    ]
    assert ends[0] == ends[1]


def bases() -> dict[str, bytes]:
    ring = rf.torus((4,), "1 GB/s")
    ours = rf.schedule("all_reduce", ring, "1 MB", algorithm="ring")
    xml, goal = schedule_msccl.text(ours), schedule_goal.text(ours)
    return {
        "msccl": re.sub(r"<!-- rainier_fast .*", "", xml).encode(),
        "msccl ours": xml.encode(),
        "goal": re.sub(r"\n//.*", "", goal).encode(),
        "goal ours": goal.encode(),
    }


def damaged(base: bytes, dice: random.Random) -> bytes:
    data = bytearray(base)
    for _ in range(dice.choice((1, 1, 2, 5))):
        at = dice.randrange(len(data)) if data else 0
        kind = dice.randrange(6)
        if kind == 0 and data:
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            del data[at : at + dice.choice((1, 5, 60))]
        elif kind == 2:
            data[at:at] = data[at : at + dice.choice((1, 20, 200))]
        elif kind == 3:
            data[at:at] = dice.choice((b'"', b"<", b">", b"-1", b"9" * 14, b"\n", b"}", b"/*"))
        elif kind == 4:
            del data[at:]
        else:
            other = dice.randrange(len(data)) if data else 0
            data[at : at + 9], data[other : other + 9] = data[other : other + 9], data[at : at + 9]
    return bytes(data)


def refused_or_right(base: bytes, form: str, seed: int, count: int) -> dict[str, int]:
    dice = random.Random(seed)
    found: dict[str, int] = {}
    for _ in range(count):
        data = damaged(base, dice)
        try:
            read: Any = rf.read(data, format=form)
        except rf.RainierError as error:
            name = type(error).__name__
        else:
            if isinstance(read, rf.Schedule):
                read.verify()
            name = type(read).__name__
        found[name] = found.get(name, 0) + 1
    return found


@pytest.mark.parametrize("name", ["msccl", "msccl ours", "goal", "goal ours"])
def test_damaged_files_are_refused_or_proven(name: str) -> None:
    refused_or_right(bases()[name], name.split()[0], 15, 60)
