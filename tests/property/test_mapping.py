"""`best_mapping` against trying everything, and meshes of its layouts, over fixed cases."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast.collectives.run import run

CASES, PARTS = 200, 8
OPERATIONS = ("all_reduce", "reduce_scatter", "all_gather", "all_to_all", "send_recv", "broadcast")
MIB = 2**20

Calls = dict[str, list[tuple[str, float, int]]]


def _machine(rng: random.Random) -> rf.Machine:
    """A grid, a switch, a full mesh, or a small cluster at one site or two."""
    kind = rng.choice(["torus", "torus", "switch", "mesh", "cluster", "cluster", "cluster"])
    if kind == "torus":
        shape = rng.choice([(4,), (6,), (8,), (2, 4), (4, 4), (3, 4), (4, 6), (2, 2, 4), (3, 3, 2)])
        rates = rng.choice([[64e9] * 3, [128e9, 64e9, 64e9]])[: len(shape)]
        wraps = [rng.random() < 0.7 for _ in shape]
        return rf.torus(shape, rates, rng.choice([0, 1e-6]), wraps, rng.choice([0, 2e-6]))
    if kind == "switch":
        tiers = rng.choice([(), (rf.Tier(2, 2.0),)])
        return rf.switch(rng.choice([4, 6, 8, 12]), 50e9, "1 us", tiers)
    if kind == "mesh":
        return rf.full_mesh(rng.choice([4, 6, 8]), 50e9, "1 us")
    sizes = rng.choice([(2,), (4,), (2, 2), (3,), (4, 2)])
    kinds = [rng.choice(["ring", "line", "switch", "spanning_switch"]) for _ in sizes]
    axes = tuple(
        rf.Axis(f"a{at}", size, axis, 128e9, 1e-6)
        for at, (size, axis) in enumerate(zip(sizes, kinds, strict=True))
    )
    server = rf.UltraServer("u", None, axes, rf.Nic(25e9, 7.5e-6, 1e-6), 0.5e-6)
    fabric = rng.choice([rf.Fabric(), rf.Fabric((rf.Tier(2, 1.5, "1 us"),))])
    counts = rng.choice([(1,), (2,), (4,), (2, 2), (4, 2)])
    sites = [rf.Site(f"s{at}", count, server, fabric) for at, count in enumerate(counts)]
    return rf.Cluster(sites, rf.Wan(10e9, 1e-3) if len(sites) > 1 else None)


def _primes(number: int) -> list[int]:
    return next(
        ([at, *_primes(number // at)] for at in range(2, number + 1) if number % at == 0), []
    )


def _axes(rng: random.Random, chips: int) -> dict[str, int]:
    """Sizes of 2 to 4 axes, of which some may be 1."""
    sizes = [1] * rng.choice([2, 2, 3, 3, 4])
    for prime in _primes(chips):
        sizes[rng.randrange(len(sizes))] *= prime
    return {f"m{at}": size for at, size in enumerate(sizes)}


def _traffic(rng: random.Random, axes: dict[str, int]) -> Calls:
    busy = rng.sample(sorted(axes), rng.randint(1, len(axes)))

    def call() -> tuple[str, float, int]:
        size = rng.choice([0.0, 1e3, 4.0 * MIB, 64.0 * MIB])
        return rng.choice(OPERATIONS), size, rng.choice([1, 1, 3, 80])

    return {name: [call() for _ in range(rng.choice([1, 1, 2]))] for name in sorted(busy)}


def _dimensions(machine: rf.Machine) -> list[tuple[int, str]]:
    """Members of x, y, ..., of fabric groups, and blocks that divide the sites; and their kinds."""
    counts = [site.ultraservers for site in machine.sites]
    block = math.gcd(*counts)
    groups = {tier.group for site in machine.sites for tier in site.tiers if tier.group < block}
    chain = [1, *sorted(groups - {1}), block]
    fabric = [above // below for below, above in itertools.pairwise(chain)]
    axes = [(axis.size, axis.kind) for axis in machine.ultraserver.axes]
    return [*axes, *((one, "fabric") for one in [*fabric, sum(counts) // block])]


Cut = list[tuple[int, int, bool]]


def _cuts(size: int, kind: str, sizes: list[int], done: Cut) -> Iterator[Cut]:
    """All ways to cut a dimension: (axis, factor, reflected), the fastest first."""
    if size == 1:
        yield done
    for axis, factor in itertools.product(range(len(sizes)), range(2, size + 1)):
        if size % factor or sizes[axis] % factor or (done and done[-1][0] == axis):
            continue
        left = [one // factor if at == axis else one for at, one in enumerate(sizes)]
        back = kind == "ring" and done and factor % 2 == 0
        for reflected in (False, True) if back else (False,):
            yield from _cuts(size // factor, kind, left, [*done, (axis, factor, reflected)])


def _walk(cut: Cut, axes: int) -> list[list[list[int]]]:
    """The digits of each axis at each position, going back and forth where a digit is reflected."""
    rows: list[list[list[int]]] = [[[] for _ in range(axes)]]
    for axis, factor, reflected in cut:
        rows = [
            [[*digits, value] if at == axis else digits for at, digits in enumerate(low)]
            for value in range(factor)
            for low in (reversed(rows) if reflected and value % 2 else rows)
        ]
    return rows


def _everything(machine: rf.Machine, sizes: list[int]) -> Iterator[np.ndarray]:
    """Cut every dimension in all ways, with all reflected parts: the chips of the mesh."""
    dimensions = _dimensions(machine)
    each = [list(_cuts(size, kind, sizes, [])) for size, kind in dimensions]
    for cuts in itertools.product(*each):
        had = [1] * len(sizes)
        index = np.zeros((1, len(sizes)), np.int64)  # coordinates of each chip, in ascending order
        for cut in cuts:
            along = []
            for digits in _walk(cut, len(sizes)):
                at = [0] * len(sizes)
                for axis, values in enumerate(digits):
                    factors = [factor for mine, factor, _ in cut if mine == axis]
                    step = had[axis]
                    for value, factor in zip(values, factors, strict=True):
                        at[axis] += step * value
                        step *= factor
                along.append(at)
            for axis, factor, _ in cut:
                had[axis] *= factor
            index = (np.array(along)[:, None] + index[None]).reshape(-1, len(sizes))
        if had == sizes:
            chips = np.empty(sizes, np.int64)
            chips[tuple(index.T)] = np.arange(len(index))
            yield chips


def _rows(chips: np.ndarray, axis: int) -> np.ndarray:
    """The groups of an axis, one a row, in one order whatever the others are."""
    rows = np.moveaxis(chips, axis, -1).reshape(-1, chips.shape[axis])
    return np.asarray(rows[np.argsort(rows[:, 0])])


class _Costs:
    """Seconds of collectives over all groups of an axis, each found once."""

    def __init__(self, machine: rf.Machine) -> None:
        self.machine = machine
        self.known: dict[tuple[Any, ...], float] = {}

    def __call__(self, chips: np.ndarray, axis: int, operation: str, size: float) -> float:
        rows = _rows(chips, axis)
        key = operation, size, rows.shape[1], rows.tobytes()
        if key not in self.known:
            shift = int(operation == "send_recv")
            self.known[key] = run(self.machine, operation, size, group=rows, shift=shift).time_s
        return self.known[key]


def _distinct(times: Any) -> list[float]:
    """Times that differ by more than rounding, in ascending order."""
    found: list[float] = []
    for time in sorted(times):
        if not found or time > found[-1] * (1 + 1e-9):
            found.append(time)
    return found


def _times(
    machine: rf.Machine, axes: dict[str, int], traffic: Calls, costs: _Costs
) -> dict[bytes, float]:
    """Seconds of every layout, by its chips."""
    names, times = list(axes), {}
    for chips in _everything(machine, list(axes.values())):
        if chips.tobytes() not in times:
            times[chips.tobytes()] = sum(
                count * costs(chips, names.index(name), operation, size)
                for name, calls in traffic.items()
                for operation, size, count in calls
            )
    return times


@pytest.mark.parametrize("part", range(PARTS))
def test_it_ranks_as_trying_everything_does(part: int) -> None:
    for seed in range(part, CASES, PARTS):
        rng = random.Random(seed)
        machine = _machine(rng)
        axes = _axes(rng, machine.num_chips)
        traffic = _traffic(rng, axes)
        times = _times(machine, axes, traffic, _Costs(machine))
        ranking = machine.best_mapping(axes, traffic, keep=10_000)
        assert len(ranking) == ranking.total <= len(times), seed
        # What symmetry leaves out has no time of its own, and what comes out is in order.
        mine, theirs = (_distinct(some) for some in (ranking["time_s"], times.values()))
        assert mine == pytest.approx(theirs, rel=1e-9), seed
        assert ranking["time_s"].tolist() == sorted(ranking["time_s"].tolist()), seed
        for layout in ranking.layouts:
            wanted = times[layout.chips.tobytes()]
            assert layout.time_s == pytest.approx(wanted, rel=1e-12), (seed, layout)
        keep = rng.choice([1, 2, 5])
        few = machine.best_mapping(axes, traffic, keep=keep)
        assert few["time_s"].tolist() == ranking["time_s"][:keep].tolist(), seed
        assert few["layout"].tolist() == ranking["layout"][:keep].tolist(), seed
        assert (few.total, few.tried + few.pruned) == (ranking.total, ranking.total), seed


@pytest.mark.parametrize("part", range(4))
def test_meshes_of_its_layouts_cost_what_it_says(part: int) -> None:
    for seed in range(part, 40, 4):
        rng = random.Random(1000 + seed)
        machine = _machine(rng)
        axes = _axes(rng, machine.num_chips)
        traffic = _traffic(rng, axes)
        for layout in machine.best_mapping(axes, traffic, keep=4).layouts:
            listed = machine.mesh(order=layout.chips, **axes)
            assert listed == machine.mesh(order=layout, **axes)
            for mesh in (listed, layout.mesh):
                for name, calls in traffic.items():
                    total = sum(
                        count
                        * run(
                            machine,
                            operation,
                            size,
                            group=mesh.axis_groups(name),
                            shift=int(operation == "send_recv"),
                        ).time_s
                        for operation, size, count in calls
                    )
                    assert total == pytest.approx(layout.times[name], rel=1e-12), (seed, layout)


def _rings(rng: random.Random) -> rf.Machine:
    """A torus of which some axis can be cut, or a cluster of such."""
    shape = rng.choice([(8,), (4, 2), (4, 4), (8, 2), (12,), (16,), (6, 4)])
    rates = rng.choice([[64e9] * 2, [128e9, 64e9]])[: len(shape)]
    if rng.random() < 0.7 or math.prod(shape) > 8:
        return rf.torus(shape, rates, rng.choice([1e-7, 2e-6]), overhead=rng.choice([0, 1e-6]))
    axes = tuple(rf.Axis(f"a{at}", size, "ring", 64e9, 1e-6) for at, size in enumerate(shape))
    server = rf.UltraServer("u", None, axes, rf.Nic(25e9, 7.5e-6, 1e-6), 0.5e-6)
    return rf.Cluster([rf.Site("s", 2, server, rf.Fabric())])


@pytest.mark.parametrize("part", range(4))
def test_reflected_splits_of_rings_are_those_of_trying_everything(part: int) -> None:
    better = 0
    for seed in range(part, 100, 4):
        rng = random.Random(5000 + seed)
        machine = _rings(rng)
        axes = _axes(rng, machine.num_chips)
        traffic = _traffic(rng, axes)
        costs = _Costs(machine)
        times = _times(machine, axes, traffic, costs)
        ranking = machine.best_mapping(axes, traffic, keep=10_000)
        best = machine.best_mapping(axes, traffic, keep=1).best
        assert ranking.best.time_s == best.time_s == pytest.approx(min(times.values()), rel=1e-9)
        assert _distinct(ranking["time_s"]) == pytest.approx(_distinct(times.values()), rel=1e-9)
        for layout in ranking.layouts:
            assert layout.time_s == pytest.approx(times[layout.chips.tobytes()], rel=1e-12)
        plain = [one.time_s for one in ranking.layouts if "reflected" not in one.text]
        better += best.time_s < min(plain) * (1 - 1e-9)
    assert better, "no case in which a reflected split is better"
