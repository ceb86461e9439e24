"""Broadcast and reduce over spanning trees that share no link: times by hand, and proofs."""

from __future__ import annotations

import itertools
import random

import pytest

import rainier_fast as rf
from raising import raises

GIB = 2**30
ROOTED = ("broadcast", "reduce")


@pytest.mark.parametrize("operation", ROOTED)
@pytest.mark.parametrize(
    ("machine", "bandwidth", "hops"),
    [
        # All links of the root at once; then round one ring after another.
        (rf.torus((4, 4), 50e9), 4 * 50e9, 6),
        (rf.torus((3, 4, 5), 50e9), 6 * 50e9, 9),
        # A corner has two links, and no way is longer than to the opposite one.
        (rf.torus((4, 4), 50e9, wrap=False), 2 * 50e9, 6),
        (rf.switch(8, 400e9), 400e9, 2),
        (rf.full_mesh(8, 50e9), 7 * 50e9, 2),
    ],
    ids=["4x4", "3x4x5", "mesh", "switch", "full mesh"],
)
def test_trees_keep_all_links_of_the_poorest_chip_busy(
    operation: str, machine: rf.Machine, bandwidth: float, hops: int
) -> None:
    for model in ("link_load", "fluid"):
        result = getattr(machine, operation)(GIB, algorithm="disjoint_trees", model=model)
        # In a mebi of pieces, each of which follows the one before.
        assert result.time_s == pytest.approx(GIB / bandwidth, rel=20 / 2**20)
        assert result.steps == hops
        assert result.lower_bound_s == pytest.approx(GIB / bandwidth, rel=1e-12)


@pytest.mark.parametrize("operation", ROOTED)
@pytest.mark.parametrize(
    ("machine", "links"),
    [
        (rf.preset("trn2-ultraserver"), 4 * 128e9 + 2 * 64e9),
        (rf.torus((4, 4, 4), 50e9, wrap=(True, True, False)), 5 * 50e9),
        # Three links lead on to the ring at the end, 400 GB/s to each of its chips.
        (rf.torus((4, 3), (100e9, 150e9), wrap=(False, True)), 3 * 100e9),
    ],
    ids=["ultraserver", "ring and line", "cut"],
)
def test_unlike_axes_are_packed(operation: str, machine: rf.Machine, links: float) -> None:
    bare = machine.without_latency()
    result = getattr(bare, operation)(GIB, algorithm="disjoint_trees")
    assert result.time_s == pytest.approx(GIB / links, rel=1e-4)
    getattr(machine, operation)(GIB, algorithm="disjoint_trees").schedule().verify()


def test_auto_takes_them_where_they_are_fastest() -> None:
    ultraserver = rf.preset("trn2-ultraserver")
    for operation in ROOTED:
        for model in ("link_load", "fluid"):
            result = getattr(ultraserver, operation)(GIB, model=model)
            assert result.algorithm == "disjoint_trees"
            assert result.lower_bound_s / result.time_s > 0.98
        assert getattr(ultraserver, operation)(4096).algorithm != "disjoint_trees"


def test_groups_and_roots_are_proven() -> None:
    chance = random.Random(7)
    torus = rf.torus((4, 4, 2), 50e9, 1e-6, wrap=(True, False, True))
    groups = [list(range(16)), [0, 1, 2, 3], [1, 5, 9, 13], [0, 1, 4, 5, 16, 17, 20, 21]]
    for group, operation in itertools.product(groups, ROOTED):
        mixed = chance.sample(group, len(group))
        for chips in (group, mixed):
            root = chance.randrange(len(chips))
            result = getattr(torus, operation)(
                1e8, group=chips, root=root, algorithm="disjoint_trees"
            )
            assert result.lower_bound_s <= result.time_s
            result.schedule().verify()


def test_what_has_no_such_trees_is_refused_by_name() -> None:
    torus = rf.torus((4, 4), 50e9)
    with raises(rf.Unsupported, None, "fill no box", "scatter_allgather"):
        torus.broadcast(GIB, group=[0, 1, 2, 5], algorithm="disjoint_trees")
    with raises(rf.Unsupported, None, "damaged", "scatter_allgather"):
        torus.with_faults(chips=[5]).broadcast(GIB, algorithm="disjoint_trees")
    with raises(rf.Unsupported, None, "a switch and other axes", "scatter_allgather"):
        rf.preset("trn3-ultraserver-gen1").broadcast(GIB, algorithm="disjoint_trees")


def test_rooted_bounds_know_the_links_of_the_root_and_never_exceed_a_time() -> None:
    chance = random.Random(11)
    for _ in range(60):
        shape = [chance.randint(2, 5) for _ in range(chance.randint(1, 3))]
        wrap = [chance.random() < 0.3 for _ in shape]
        rates = [chance.choice([1e9, 2e9, 5e9]) for _ in shape]
        mesh = rf.torus(shape, rates, chance.choice([0, 1e-6]), wrap=wrap)
        root, size = chance.randrange(mesh.num_chips), chance.choice([1, 1e6, 1e9])
        ports = []
        for chip in range(mesh.num_chips):
            found, rest = 0.0, chip
            for length, wraps, rate in zip(shape, wrap, rates, strict=True):
                rest, at = divmod(rest, length)
                found += rate * (2 if wraps else (at > 0) + (at + 1 < length))
            ports.append(found)
        poorest = min(ports[:root] + ports[root + 1 :])
        for operation in (*ROOTED, "scatter", "gather"):
            result = getattr(mesh, operation)(size, root=root)
            others = size if operation in ROOTED else size / mesh.num_chips
            own = size if operation in ROOTED else size - others
            bounds = {row["bound"]: row["time_s"] for row in result.bounds}
            must = max(own / ports[root], others / poorest)
            assert bounds["injection"] == pytest.approx(must, rel=1e-12)
            times = [row["time_s"] for row in result.candidates if row["time_s"] is not None]
            assert result.lower_bound_s <= min(times) * (1 + 1e-12)
