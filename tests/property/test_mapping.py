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
from rainier_fast.ask.grid import GridGroups
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


def _dimensions(machine: rf.Machine) -> list[int]:
    """Members of x, y, ..., of fabric groups, and blocks that divide the sites."""
    counts = [site.ultraservers for site in machine.sites]
    block = math.gcd(*counts)
    groups = {tier.group for site in machine.sites for tier in site.tiers if tier.group < block}
    chain = [1, *sorted(groups - {1}), block]
    fabric = [above // below for below, above in itertools.pairwise(chain)]
    return [*machine.ultraserver.shape, *fabric, sum(counts) // block]


def _everything(machine: rf.Machine, sizes: list[int]) -> Iterator[np.ndarray]:
    """Give each prime digit of the chip numbers to some axis, in all ways and all orders."""
    orders = (sorted(set(itertools.permutations(_primes(one)))) for one in _dimensions(machine))
    for order in itertools.product(*orders):
        digits = [prime for primes in order for prime in primes]
        for owners in itertools.product(range(len(sizes)), repeat=len(digits)):
            mine = [
                math.prod(d for d, o in zip(digits, owners, strict=True) if o == axis)
                for axis in range(len(sizes))
            ]
            if mine != sizes:
                continue
            places = [np.zeros(1, np.int64) for _ in sizes]
            stride = 1
            for digit, owner in zip(digits, owners, strict=True):
                places[owner] = np.add.outer(stride * np.arange(digit), places[owner]).ravel()
                stride *= digit
            total = np.zeros((), np.int64)
            for place in places:
                total = np.add.outer(total, place)
            yield total


def _rows(chips: np.ndarray, axis: int) -> np.ndarray:
    """The groups of an axis, one a row, in one order whatever the others are."""
    rows = np.sort(np.moveaxis(chips, axis, -1).reshape(-1, chips.shape[axis]), axis=1)
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
            inside = self.machine.ultraserver.num_chips
            local = {tuple(sorted(set((row % inside).tolist()))) for row in rows}
            outer = {tuple(sorted(set((row // inside).tolist()))) for row in rows}
            tables = (np.array(sorted(table), np.uint32) for table in (local, outer))
            groups = GridGroups.of(inside, *tables)
            shift = int(operation == "send_recv")
            self.known[key] = run(self.machine, operation, size, group=groups, shift=shift).time_s
        return self.known[key]


def _distinct(times: Any) -> list[float]:
    """Times that differ by more than rounding, in ascending order."""
    found: list[float] = []
    for time in sorted(times):
        if not found or time > found[-1] * (1 + 1e-9):
            found.append(time)
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_it_ranks_as_trying_everything_does(part: int) -> None:
    for seed in range(part, CASES, PARTS):
        rng = random.Random(seed)
        machine = _machine(rng)
        axes = _axes(rng, machine.num_chips)
        traffic = _traffic(rng, axes)
        names, sizes = list(axes), list(axes.values())
        costs = _Costs(machine)
        times: dict[bytes, float] = {}
        for chips in _everything(machine, sizes):
            if chips.tobytes() not in times:
                times[chips.tobytes()] = sum(
                    count * costs(chips, names.index(name), operation, size)
                    for name, calls in traffic.items()
                    for operation, size, count in calls
                )
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
