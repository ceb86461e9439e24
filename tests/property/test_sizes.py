"""Collectives in which each rank, or each pair of ranks, has a size of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rainier_fast as rf

TORUS = rf.torus((4, 4), bandwidth="1 GB/s")
NODES = rf.preset("h100", chips=24)
TRN2 = rf.preset("trn2")
SIZES = st.sampled_from([0, 1, 1000, 1 << 20, 3 << 24])
MACHINES = {"torus": TORUS, "nodes": NODES, "trn2": TRN2}


@pytest.mark.parametrize("name", MACHINES)
@given(data=st.data())
def test_every_algorithm_is_proven_and_bounded(name: str, data: st.DataObject) -> None:
    machine = MACHINES[name]
    group = sorted(
        data.draw(st.sets(st.integers(0, machine.num_chips - 1), min_size=2, max_size=9))
    )
    operation = data.draw(st.sampled_from(["all_gather", "reduce_scatter", "all_to_all"]))
    shape = (len(group),) * (1 + (operation == "all_to_all"))
    count = int(np.prod(shape))
    sizes = np.array(data.draw(st.lists(SIZES, min_size=count, max_size=count))).reshape(shape)
    times = []
    for algorithm in ("direct", "half_ring", "ring_one_way", "hierarchical", "auto"):
        try:
            found = getattr(machine, operation)(sizes, group=group, algorithm=algorithm)
        except rf.Unsupported:
            assert algorithm not in ("auto", "direct")
            continue
        found.schedule().verify()
        assert found.time_s >= found.lower_bound_s * (1 - 1e-9)
        times.append(found.time_s)
        if operation != "all_to_all":
            needed = found.size_bytes * (len(group) - 1)
            assert sum(send.nbytes for send in found.schedule().sends) == pytest.approx(needed)
    assert times[-1] == min(times)


@pytest.mark.parametrize("name", MACHINES)
def test_an_all_to_all_is_its_flows(name: str) -> None:
    machine = MACHINES[name]
    ranks = machine.num_chips
    sizes = np.random.default_rng(0).integers(1 << 10, 1 << 20, (ranks, ranks))
    np.fill_diagonal(sizes, 0)
    src, dst = (~np.eye(ranks, dtype=bool)).nonzero()
    found = machine.all_to_all(sizes)
    loads = machine.link_loads(src, dst, sizes[src, dst]).bytes
    assert np.allclose(found.link_loads().bytes, loads)
    assert found.size_bytes == sizes.sum() / ranks
    if name == "torus":  # nothing takes time there but bytes
        flows = machine.finish_times(src, dst, sizes[src, dst]).max()
        assert machine.all_to_all(sizes, model="fluid").time_s == pytest.approx(flows)
        assert found.time_s == pytest.approx(loads.max() / 1e9)


@pytest.mark.parametrize("algorithm", ["direct", "half_ring", "ring_one_way"])
@pytest.mark.parametrize("operation", ["all_gather", "reduce_scatter"])
def test_equal_sizes_cost_what_one_size_does(operation: str, algorithm: str) -> None:
    for machine in (TORUS, TRN2):
        ask: Any = getattr(machine, operation)
        one = ask(1e6 * machine.num_chips, algorithm=algorithm)
        several = ask([1e6] * machine.num_chips, algorithm=algorithm)
        assert several.time_s == pytest.approx(one.time_s)
        assert several.lower_bound_s == pytest.approx(one.lower_bound_s)


def test_an_own_schedule_of_uneven_blocks_has_bounds_of_its_own() -> None:
    # Nearly all bytes are the first rank's: all others must receive them, and it must send them.
    found = TORUS.all_gather([1e9] + [1.0] * 15)
    assert found.lower_bound_s == pytest.approx(1e9 / 4e9)
    assert TORUS.all_gather(1e9 + 15).lower_bound_s < found.lower_bound_s


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: TRN2.all_reduce([1] * 16), rf.InvalidArgument, "size"),
        (lambda: TRN2.all_gather([1] * 15), rf.InvalidArgument, "size"),
        (lambda: TRN2.all_to_all([1] * 16), rf.InvalidArgument, "size"),
        (lambda: TRN2.all_gather([-1] * 16), rf.InvalidArgument, r"size\[0\]"),
        (lambda: TRN2.all_gather(np.full(16, np.nan)), rf.InvalidArgument, "size"),
        (lambda: TRN2.all_gather(np.array(["a"] * 16)), rf.InvalidType, "size"),
        (lambda: TRN2.all_gather([1] * 16, chunks=2), rf.Unsupported, "chunks"),
        (lambda: TRN2.all_gather([1] * 16, algorithm="neuron"), rf.Unsupported, "neuron"),
        (lambda: TRN2.all_to_all(np.ones((16, 16)), algorithm="bruck"), rf.Unsupported, "bruck"),
        (lambda: rf.preset("rainier").all_gather([1] * 8192), rf.Unsupported, "ranks"),
        (lambda: TRN2.monte_carlo("all_gather", [1] * 16), rf.InvalidType, "size"),
    ],
)
def test_what_sizes_do_not_fit_is_refused(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_sizes_as_text_in_plans_and_as_schedules() -> None:
    sizes = ["1 MiB"] * 15 + ["1 KiB"]
    alone = TRN2.all_gather(sizes)
    assert TRN2.plan.all_gather(sizes).run().time_s == alone.time_s
    made = rf.schedule("all_gather", TRN2, sizes)
    assert made.algorithm == alone.algorithm
    assert made == alone.schedule()
    assert TRN2.run(made).time_s == alone.time_s
