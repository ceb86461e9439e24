"""Where fair rates and link loads must agree: equal messages at once, all ranks alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rainier_fast as rf
from property.strategies import grids
from property.test_models import run


@given(st.data(), st.sampled_from([1.0, 1000.0, 1e9]))
def test_equal_messages_that_start_together_end_with_their_busiest_link(
    data: Any, size: float
) -> None:
    """Any equal messages at once, without latency, and not only on symmetric patterns.

    The link with the most bytes per bandwidth gives its messages the least rate of all, from the
    first instant on: they end together when it has passed its bytes, and nothing is slower.
    """
    grid = data.draw(grids(4, max_chips=64))
    server = grid.ultraserver
    shape = [axis.size for axis in server.axes]
    rates = [axis.bandwidth_Bps for axis in server.axes]
    machine = rf.torus(shape, rates, 0, [axis.kind == "ring" for axis in server.axes], 0)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    src, dst = rng.integers(0, machine.num_chips, (2, data.draw(st.integers(1, 200))))
    last = machine.finish_times(src, dst, size).max()
    assert last == pytest.approx(machine.link_loads(src, dst, size).time_s, rel=1e-9)


def patterns(side: int, axes: int) -> dict[str, Any]:
    """Sources and destinations of the textbook's patterns on a k-ary n-cube."""
    count = side**axes
    chips = np.arange(count)
    at = np.array(np.unravel_index(chips, (side,) * axes))

    def to(place: Any) -> Any:
        return np.ravel_multi_index(tuple(place % side), (side,) * axes)

    found = {
        "uniform": np.divmod(np.arange(count * count), count),
        "tornado": (chips, to(at + (side - 1) // 2)),
        "neighbour": (chips, to(at + 1)),
        "transpose": (chips, to(at[::-1])),
    }
    if side & (side - 1) == 0:
        found["bit complement"] = (chips, count - 1 - chips)
    return found


@pytest.mark.parametrize(("side", "axes"), [(4, 1), (8, 1), (3, 2), (4, 2), (5, 2), (4, 3)])
def test_the_textbook_patterns_agree(side: int, axes: int) -> None:
    torus = rf.torus((side,) * axes, 50e9, 0)
    for name, (src, dst) in patterns(side, axes).items():
        for routing in ("dor", rf.DimensionOrder("positive")):
            last = torus.finish_times(src, dst, 1e6, routing=routing).max()
            seen = torus.link_loads(src, dst, 1e6, routing=routing).time_s
            assert last == pytest.approx(seen, rel=1e-9), name


RING = {f"ring of {size}": rf.torus(size, 50e9, "1 us") for size in (2, 3, 4, 5, 8, 9)}
CUBES = {
    f"{side}-ary {axes}-cube": rf.torus((side,) * axes, 50e9, "1 us")
    for side, axes in [(2, 2), (3, 2), (4, 2), (5, 2), (2, 3), (3, 3), (4, 3)]
}
SWITCHES = {f"switch of {size}": rf.switch(size, 50e9, "1 us") for size in (2, 3, 5, 8, 9, 16)}
MESHES = {f"full mesh of {size}": rf.full_mesh(size, 50e9, "1 us") for size in (2, 3, 5, 8)}
ONE_AXIS = {**RING, **SWITCHES, **MESHES}


def power(base: int, among: dict[str, rf.Machine]) -> dict[str, rf.Machine]:
    """The machines of a power of `base` chips: nobody is left over and has to be folded in."""
    exact = [base**exponent for exponent in range(1, 8)]
    return {name: machine for name, machine in among.items() if machine.num_chips in exact}


@pytest.mark.parametrize(
    ("algorithms", "machines"),
    [
        # Every chip sends alike in every step, over the same distance.
        (("ring", "ring_one_way", "bucket_equal", "direct", "mesh"), {**ONE_AXIS, **CUBES}),
        (("multi_ring",), CUBES),
        (("pairwise", "neighbor_exchange", "linear_sync"), SWITCHES),
        # Over the same distance too, but on several axes the coordinates that carry differ.
        (("bruck", "pat", "bucket"), ONE_AXIS),
        # Every rank has a partner in every step, and every exchange has links of its own.
        (("halving_doubling", "recursive_doubling"), power(2, {**SWITCHES, **MESHES})),
        (("swing", "swing_latency"), power(2, {**ONE_AXIS, **CUBES})),
        (("trivance", "trivance_latency"), power(3, {**ONE_AXIS, **CUBES})),
    ],
)
def test_collectives_in_which_all_ranks_do_alike_agree(
    algorithms: tuple[str, ...], machines: dict[str, rf.Machine]
) -> None:
    """Where every step is the same seen from every rank, all ranks end it at one instant."""
    compared = 0
    for operation in ("all_reduce", "reduce_scatter", "all_gather", "all_to_all"):
        for algorithm in set(algorithms) & set(rf.algorithms(operation)):
            for name, machine in machines.items():
                given = {"algorithm": algorithm, "model": "link_load"}
                simple = run(machine, operation, 1e6, **given)
                fluid = run(machine, operation, 1e6, **{**given, "model": "fluid"})
                if simple is None or fluid is None:
                    continue
                compared += 1
                where = (algorithm, operation, name)
                assert fluid.time_s == pytest.approx(simple.time_s, rel=1e-9), where
    assert compared >= 2 * len(algorithms)
