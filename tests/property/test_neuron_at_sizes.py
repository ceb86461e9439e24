"""Times of the Neuron runtime at many sizes are those of its single calls, to the bit."""

from __future__ import annotations

import random

import pytest

import rainier_fast as rf

MACHINES = {
    "trn2": rf.preset("trn2"),
    "server": rf.preset("trn2-ultraserver"),
    "site": rf.preset("rainier", chips=1024),
    "sites": rf.preset("rainier", chips=3 * 64 * 4, sites=3),
}
OPERATIONS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "send_recv")
SIZES = [1.0, 4096.0, 1e5, 3.3e5, 2.0**20, 5e6, 2.0**26, 1e8, 7.7e9, 1e12]


@pytest.mark.parametrize("name", MACHINES)
def test_times_are_those_of_calls(name: str) -> None:
    machine, rng, seen = MACHINES[name], random.Random(7), 0
    chips = machine.num_chips
    divisors = [size for size in range(2, chips + 1) if chips % size == 0]
    for _ in range(60):
        size = rng.choice(divisors)
        stride = rng.choice([one for one in [1, *divisors] if chips % (size * one) == 0])
        mesh = machine.mesh(a=chips // size // stride, b=size, c=stride)
        operation = rng.choice(OPERATIONS)
        sizes = sorted(rng.sample(SIZES, 4))
        try:
            times = mesh.times(operation, sizes, axis="b", algorithm="neuron")
        except rf.Unsupported:
            with pytest.raises(rf.Unsupported):
                getattr(mesh, operation)(sizes[0], axis="b", algorithm="neuron")
            continue
        seen += 1
        for at, one in enumerate(sizes):
            call = getattr(mesh, operation)(one, axis="b", algorithm="neuron")
            assert (times.time_s[at], times.algorithm[at]) == (call.time_s, call.algorithm)
    assert seen > 10
