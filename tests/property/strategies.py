"""What the strategies of `rainier_fast.testing` leave out: more axes, small totals, columns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

import rainier_fast as rf
from rainier_fast.definitions.routing import TIES, Routing

# What `auto` leaves out: predictions of a vendor's library, what is made for the links at hand, and
# what MPI libraries run beside the rest.
MPI = ("neighbor_exchange", "pairwise", "linear_sync", "butterfly", "knomial_tree", "chain")
NAMED_ONLY = ("nccl", "neuron", "xla", "synthesized", *MPI)
# Odd, even, and the two sizes that are special: 1 has no links, 2 has two cables between a pair.
SIZES = [1, 2, 3, 4, 5, 6, 7, 8]
FABRICS = [
    rf.Fabric(),
    rf.Fabric((rf.Tier(2),)),
    rf.Fabric((rf.Tier(2, 1.5), rf.Tier(4, 2.0, "1 us"))),
]


@st.composite
def shapes(draw: st.DrawFn, max_axes: int = 5, max_chips: int = 96) -> tuple[int, ...]:
    """Sizes of 1 to 5 axes, of which the product stays small."""
    sizes: list[int] = []
    for _ in range(draw(st.integers(1, max_axes))):
        fitting = [size for size in SIZES if size * math.prod(sizes) <= max_chips]
        sizes.append(draw(st.sampled_from(fitting)))
    return tuple(sizes)


@st.composite
def grids(
    draw: st.DrawFn, max_axes: int = 5, max_chips: int = 96, *, wrap: bool | None = None
) -> rf.Machine:
    """Tori and meshes; with `wrap` every axis is as it says, else each for itself."""
    shape = draw(shapes(max_axes, max_chips))
    per_axis: dict[str, Any] = {"min_size": len(shape), "max_size": len(shape)}
    bandwidths = draw(st.lists(st.sampled_from([1e9, 64e9, 128e9]), **per_axis))
    latencies = draw(st.lists(st.sampled_from([0.0, 1e-6, 1.5e-6]), **per_axis))
    wraps = draw(st.lists(st.booleans() if wrap is None else st.just(wrap), **per_axis))
    return rf.torus(shape, bandwidths, latencies, wraps, draw(st.sampled_from([0.0, 2e-6])))


def orders(machine: rf.Machine) -> st.SearchStrategy[Any]:
    """None, or the axes in some order, by name or number."""
    axes = machine.ultraserver.axes
    names = [axis.name for axis in axes]
    return st.none() | st.permutations(range(len(axes))) | st.permutations(names)


def ordered(machine: rf.Machine) -> st.SearchStrategy[Routing]:
    """Dimension order with every tie rule and order of the axes."""
    return st.builds(rf.DimensionOrder, st.sampled_from(TIES), orders(machine))


def policies(machine: rf.Machine) -> st.SearchStrategy[Routing]:
    """Every policy that has a meaning on a machine."""
    axes = machine.ultraserver.axes
    if all(axis.kind in ("ring", "line") for axis in axes):
        return ordered(machine) | st.sampled_from([rf.MinimalAdaptive(), rf.Valiant()])
    return ordered(machine)


@st.composite
def servers(draw: st.DrawFn, max_chips: int = 48, *, grid: bool | None = None) -> rf.UltraServer:
    """UltraServers with NICs: grids, or any mixture of kinds of axes."""
    shape = draw(shapes(3, max_chips))
    grid = draw(st.booleans()) if grid is None else grid
    kinds = ["ring", "line"] if grid else ["ring", "line", "switch", "spanning_switch", "full_mesh"]
    axes = []
    for at, size in enumerate(shape):
        kind = draw(st.sampled_from(kinds))
        tiers = draw(st.sampled_from([(), (rf.Tier(2),), (rf.Tier(1, 2.0), rf.Tier(3))]))
        rate = draw(st.sampled_from([50e9, 128e9]))
        axes.append(rf.Axis(f"a{at}", size, kind, rate, 1e-6, tiers if "switch" in kind else ()))
    return rf.UltraServer("server", None, tuple(axes), rf.Nic(25e9, 7.5e-6, 1e-6), 0.5e-6)


@st.composite
def clusters(draw: st.DrawFn, max_chips: int = 48, *, grid: bool | None = None) -> rf.Machine:
    """Clusters of one to three sites, each of its own size and fabric, WAN a mesh or a hub."""
    server = draw(servers(max_chips, grid=grid))
    counts = draw(st.lists(st.integers(1, 6), min_size=1, max_size=3))
    sites = [
        rf.Site(f"s{at}", count, server, draw(st.sampled_from(FABRICS)))
        for at, count in enumerate(counts)
    ]
    shape = draw(st.sampled_from(["mesh", "hub"]))
    return rf.Cluster(sites, rf.Wan(1e12, 6e-3, shape) if len(sites) > 1 else None)


def alone() -> st.SearchStrategy[rf.Machine]:
    """Single domains that are no grids: switches with tiers, full meshes, products of all kinds."""
    size, rate = st.integers(1, 12), st.just(50e9)
    tiers = st.sampled_from([(), (rf.Tier(2),), (rf.Tier(2, 2.0), rf.Tier(6))])
    return st.one_of(
        st.builds(rf.switch, size, rate, st.just(1e-6), tiers),
        st.builds(rf.full_mesh, size, rate, st.just(1e-6)),
        servers(grid=False).map(rf.domain),
    )


def machines() -> st.SearchStrategy[rf.Machine]:
    """Machines of every kind."""
    return grids() | alone() | clusters()


def pairs(machine: rf.Machine) -> st.SearchStrategy[tuple[int, int]]:
    """Two chips, far apart as often as not, sometimes the same one."""
    chip = st.integers(0, machine.num_chips - 1)
    ends = st.sampled_from([0, machine.num_chips - 1, machine.num_chips // 2])
    return st.tuples(chip | ends, chip | ends)


@st.composite
def columns(
    draw: st.DrawFn, machine: rf.Machine, most: int = 40
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Source, destination and whole bytes of flows; each draw spreads over all chips."""
    count = draw(st.integers(0, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    src, dst = rng.integers(0, machine.num_chips, (2, count))
    top = draw(st.sampled_from([2, 1 << 10, 1 << 20, 1 << 31]))
    return src, dst, rng.integers(0, top, count).astype(np.float64)
