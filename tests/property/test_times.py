"""What is prepared once answers every size as a call of its own does."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rainier_fast as rf
from raising import raises

SIZES = [0, 1, 805, 2**10, 1e6, 3_333_333, "1 GiB", 2**45]
MACHINES = {
    "torus": rf.torus((4, 3, 2), "50 GB/s", "1 us", overhead="2 us"),
    "mesh": rf.torus((4, 4), "10 GB/s", wrap=False),
    "switch": rf.switch(6, "50 GB/s", "1 us"),
    "ultraserver": rf.preset("trn2-ultraserver"),
    "rainier": rf.preset("rainier", 512, sites=2),
    "damaged": rf.preset("rainier", 256).with_faults(links=[3], nics=[70]),
}
GONE = rf.preset("rainier", 256).with_faults(ultraservers=[1])
ROOTED = ("broadcast", "reduce", "gather", "scatter")


def agree(machine: Any, operation: str, sizes: list[Any], **options: Any) -> None:
    try:
        calls = [getattr(machine, operation)(size, **options) for size in sizes]
    except rf.RainierError as error:
        with pytest.raises(type(error)):
            machine.times(operation, sizes, **options)
        return
    times = machine.times(operation, sizes, **options)
    assert times.time_s.tolist() == [call.time_s for call in calls]
    assert times.algorithm == [call.algorithm for call in calls]
    assert times.size_bytes.tolist() == [call.size_bytes for call in calls]
    assert times.table["busbw_Bps"].tolist() == pytest.approx([call.busbw_Bps for call in calls])


@given(
    name=st.sampled_from(sorted(MACHINES)),
    operation=st.sampled_from([*ROOTED, "all_reduce", "all_gather", "all_to_all", "send_recv"]),
    algorithm=st.sampled_from(["auto", "auto", "bucket", "ring", "hierarchical", "symmetric"]),
    model=st.sampled_from(["link_load", "link_load", "alpha_beta"]),
    chunks=st.sampled_from([None, None, 3]),
    sizes=st.permutations(SIZES),
)
def test_every_size_is_a_call(
    name: str, operation: str, algorithm: str, model: str, chunks: int | None, sizes: list[Any]
) -> None:
    options = {"algorithm": algorithm, "model": model, "chunks": chunks}
    agree(MACHINES[name], operation, sizes, **options)


@pytest.mark.parametrize("name", ["torus", "rainier"])
def test_groups_roots_axes_and_what_runs_each_size(name: str) -> None:
    machine = MACHINES[name]
    agree(machine, "broadcast", ["1 KiB", "1 MiB"], root=machine.num_chips - 1)
    agree(machine, "all_reduce", ["1 KiB", "1 MiB"], group=[5, 1, 3])
    agree(machine, "send_recv", ["1 KiB", "1 MiB"], shift=-2)
    agree(machine, "send_recv", ["1 KiB", "1 MiB"], shift=machine.num_chips)
    agree(machine, "all_gather", ["1 KiB", "1 MiB"], model="fluid", group=range(4))
    mesh = machine.mesh({"dp": -1, "tp": 4})
    agree(mesh, "all_reduce", ["1 KiB", "1 MiB"], axis="dp")
    agree(mesh, "all_to_all", ["1 KiB", "1 MiB"], axis=("dp", "tp"))


def test_tables_of_prices_answer_too() -> None:
    agree(rf.preset("trn2"), "all_reduce", SIZES, algorithm="neuron")
    agree(rf.preset("h100"), "all_reduce", SIZES[1:], algorithm="nccl")


def test_ranks_that_are_dead_do_not_count() -> None:
    agree(GONE, "all_reduce", ["1 KiB", "1 GiB"])
    agree(GONE, "all_gather", ["1 KiB", "1 GiB"])


def test_arrays_are_taken_as_they_are() -> None:
    machine = MACHINES["torus"]
    sizes = np.geomspace(1, 1e12, 50)
    prepared = machine.plan.all_reduce(1).prepared()
    times = prepared.times(sizes)
    assert times == machine.times("all_reduce", sizes)
    assert times == pickle.loads(pickle.dumps(times))
    assert pickle.loads(pickle.dumps(prepared)).times(sizes) == times
    assert prepared.times(sizes[::-1]).time_s.tolist() == times.time_s[::-1].tolist()
    assert len(machine.times("all_reduce", []).time_s) == 0
    assert machine.times("barrier", [0]).time_s[0] == machine.barrier().time_s


def test_what_is_no_size_is_named() -> None:
    machine = MACHINES["torus"]
    with raises(rf.InvalidArgument, "sizes[1]"):
        machine.times("all_reduce", [1, -2])
    with raises(rf.InvalidArgument, "sizes[2]"):
        machine.times("all_reduce", np.array([1.0, 2.0, np.nan]))
    with raises(rf.InvalidArgument, "sizes[0]"):
        machine.times("all_reduce", np.array([np.longdouble("1e4000")]))
    with raises(rf.InvalidArgument, "sizes"):
        machine.times("all_reduce", "1 GiB")
    with raises(rf.UnknownName, "operation"):
        machine.times("all_sum", [1])
    with pytest.raises(rf.Unsupported):
        rf.preset("trn2").plan.compute("1 ms", "1 GiB").prepared()


def test_what_is_prepared_says_what_it_keeps() -> None:
    prepared = MACHINES["rainier"].plan.all_reduce("1 GiB").prepared()
    first = prepared.nbytes
    prepared.times(SIZES)
    every = prepared.nbytes
    prepared.times(SIZES)
    assert 0 < first <= every == prepared.nbytes < 4 << 20
    simulated = MACHINES["torus"].plan.all_reduce("1 GiB", model="fluid").prepared()
    assert simulated.nbytes < 10_000  # each size is run
