"""`auto` against every algorithm by name, over a fixed set of random cases."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from typing import Any

import pytest

import rainier_fast as rf
from property.strategies import NAMED_ONLY
from rainier_fast.collectives.run import run

OPERATIONS = ("all_reduce", "reduce_scatter", "all_gather", "all_to_all", "broadcast", "reduce")
OPERATIONS = (*OPERATIONS, "gather", "scatter")
ROOTED = ("broadcast", "reduce", "gather", "scatter")
MOST = 1.01
"""What `auto` may lose to the best of them."""


def machine(rng: random.Random) -> rf.Machine:
    """A grid, a switch, a full mesh, or a small cluster of them at one or two sites."""
    kind = rng.choice(["torus", "torus", "switch", "mesh", "cluster", "cluster"])
    if kind == "torus":
        while True:
            shape = [rng.choice([2, 3, 4, 5, 6, 8]) for _ in range(rng.randint(1, 4))]
            if math.prod(shape) <= 64:
                break
        rates = [rng.choice([32e9, 64e9, 128e9]) for _ in shape]
        wraps = [rng.random() < 0.7 for _ in shape]
        return rf.torus(shape, rates, rng.choice([0, 1e-6]), wraps, rng.choice([0, 2e-6]))
    if kind == "switch":
        return rf.switch(rng.randint(2, 32), 50e9, "1 us", rng.choice([(), (rf.Tier(2, 2.0),)]))
    if kind == "mesh":
        return rf.full_mesh(rng.randint(2, 16), 50e9, "1 us")
    axis = rf.Axis("x", rng.randint(1, 6), rng.choice(["ring", "line", "switch"]), 128e9, 1e-6)
    server = rf.UltraServer("u", None, (axis,), rf.Nic(25e9, 7.5e-6, 1e-6), 0.5e-6)
    fabric = rng.choice([rf.Fabric(), rf.Fabric((rf.Tier(2, 1.5), rf.Tier(4, 2.0, "1 us")))])
    sites = [
        rf.Site(f"s{at}", rng.randint(1, 4), server, fabric) for at in range(rng.choice([1, 1, 2]))
    ]
    return rf.Cluster(sites, rf.Wan(1e12, 6e-3) if len(sites) > 1 else None)


def cases(seed: int, count: int) -> Iterator[tuple[rf.Machine, str, float, dict[str, Any]]]:
    """Machine, operation, size, group and root."""
    rng = random.Random(seed)
    for _ in range(count):
        one = machine(rng)
        operation = rng.choice(OPERATIONS)
        chips = one.num_chips
        kind = rng.choice(["all", "all", "some", "mesh"])
        group: Any = None
        ranks = chips
        if kind == "some":
            group = rng.sample(range(chips), rng.randint(1, min(chips, 16)))
            ranks = len(group)
        elif kind == "mesh":
            ranks = rng.choice([size for size in range(1, chips + 1) if chips % size == 0])
            group = one.mesh(outer=-1, here=ranks).axis_groups("here")
        more = {"root": rng.randrange(ranks)} if operation in ROOTED else {}
        yield one, operation, rng.choice([0, 1e3, 1e6, 1e9]), {"group": group, **more}


def named(machine: rf.Machine, operation: str, *, tuples: bool) -> Iterator[str | list[str]]:
    """Every algorithm by name; with `tuples`, all choices for the tiers of a hierarchical one."""
    names = [name for name in rf.algorithms(operation) if name not in NAMED_ONLY]
    yield from names
    if tuples:
        single = [name for name in names if name != "hierarchical"]
        for tiers in range(1, 2 + (len(machine.sites) > 1)):
            for chosen in itertools.product(single, repeat=tiers + 1):
                yield list(chosen)


@pytest.mark.parametrize(
    ("model", "count", "tuples"),
    [("link_load", 200, False), ("link_load", 24, True), ("fluid", 200, False)],
)
def test_auto_loses_to_nothing_that_can_be_named(
    model: str,
    count: int,
    tuples: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    lost = []
    compared = 0
    for machine, operation, size, more in cases(200 + count, count):
        if tuples and (machine.num_chips > 16 or len(machine.sites) > 1):
            continue
        given = {"model": model, **more}
        auto = run(machine, operation, size, **given)
        for algorithm in named(machine, operation, tuples=tuples):
            try:
                other = run(machine, operation, size, algorithm=algorithm, **given)
            except rf.Unsupported:
                continue
            compared += 1
            if auto.time_s > MOST * other.time_s:
                what = f"{auto.algorithm} {auto.time_s:.4g} s, {algorithm} {other.time_s:.4g} s"
                lost.append(f"{machine} {operation} {size:g} {more}: {what}")
    assert compared > 3 * count
    assert not lost, "\n".join(lost)
