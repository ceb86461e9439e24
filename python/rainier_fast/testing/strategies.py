"""Hypothesis strategies: small machines of every kind, and messages on them.

Examples
--------
>>> from hypothesis import find
>>> find(tori(), lambda machine: machine.num_chips > 1).num_chips
2
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rainier_fast.definitions.axis import Axis, Tier
from rainier_fast.definitions.routing import TIES, DimensionOrder, MinimalAdaptive, Routing, Valiant
from rainier_fast.definitions.site import Fabric, Site
from rainier_fast.definitions.ultraserver import Nic, UltraServer
from rainier_fast.definitions.wan import Wan
from rainier_fast.machine.machine import Cluster, Machine
from rainier_fast.machine.shapes import domain, torus

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_MOST_BYTES = 1 << 20


def tori(max_axes: int = 3, max_size: int = 5) -> SearchStrategy[Machine]:
    """Return a strategy for tori of at most so many axes and chips along one, wrapped or not."""
    st = _hypothesis()
    axis = st.tuples(
        st.integers(1, max_size),
        st.sampled_from([1e9, 64e9, 128e9]),
        st.sampled_from([0.0, 1e-6, 1.5e-6]),
        st.booleans(),
    )

    def build(axes: list[tuple[int, float, float, bool]]) -> Machine:
        sizes, bandwidths, latencies, wraps = zip(*axes, strict=True)
        return torus(sizes, bandwidths, latencies, wraps)

    made: SearchStrategy[Machine] = st.lists(axis, min_size=1, max_size=max_axes).map(build)
    return made


def domains() -> SearchStrategy[UltraServer]:
    """Return a strategy for UltraServers of up to 64 chips on axes of all kinds, with NICs."""
    st = _hypothesis()
    kinds = st.sampled_from(["ring", "line", "switch", "spanning_switch", "full_mesh"])
    tiers = st.sampled_from([(), (Tier(2),), (Tier(1), Tier(3, 2.0))])
    axis = st.tuples(st.integers(1, 4), kinds, tiers)

    def build(axes: list[tuple[int, str, tuple[Tier, ...]]]) -> UltraServer:
        made = [
            Axis(f"a{at}", size, kind, 64e9, 1e-6, tiers if "switch" in kind else ())
            for at, (size, kind, tiers) in enumerate(axes)
        ]
        return UltraServer("server", None, tuple(made), Nic(25e9, 7.5e-6, 1e-6))

    made: SearchStrategy[UltraServer] = st.lists(axis, min_size=1, max_size=3).map(build)
    return made


def clusters() -> SearchStrategy[Machine]:
    """Return a strategy for clusters of one to three sites and up to 15 UltraServers."""
    st = _hypothesis()
    fabrics = st.sampled_from([Fabric(), Fabric((Tier(2),)), Fabric((Tier(2), Tier(4, 2.0)))])
    site = st.tuples(st.integers(1, 5), fabrics)
    shapes = st.sampled_from(["mesh", "hub"])

    def build(parts: tuple[UltraServer, list[tuple[int, Fabric]], str]) -> Machine:
        server, rows, shape = parts
        sites = [Site(f"s{at}", count, server, fabric) for at, (count, fabric) in enumerate(rows)]
        return Cluster(sites, Wan(1e12, 6e-3, shape) if len(sites) > 1 else None)

    sites = st.lists(site, min_size=1, max_size=3)
    made: SearchStrategy[Machine] = st.tuples(domains(), sites, shapes).map(build)
    return made


def machines() -> SearchStrategy[Machine]:
    """Return a strategy for machines of every kind: tori, single UltraServers and clusters."""
    return tori() | domains().map(domain) | clusters()


def routings(machine: Machine) -> SearchStrategy[Routing]:
    """Return a strategy for dimension orders, and where links suit them the spreading policies."""
    st = _hypothesis()
    axes = machine.ultraserver.axes
    orders = st.none() | st.permutations(range(len(axes)))
    ordered: SearchStrategy[Routing] = st.builds(DimensionOrder, st.sampled_from(TIES), orders)
    if all(axis.size == 1 or axis.kind in ("ring", "line") for axis in axes):
        spread: SearchStrategy[Routing] = st.sampled_from([MinimalAdaptive(), Valiant()])
        return ordered | spread
    return ordered


def flows(machine: Machine, max_size: int = 12) -> SearchStrategy[list[tuple[int, int, int]]]:
    """Return a strategy for lists of (source chip, target chip, bytes), bytes from 0 to 1 MiB."""
    st = _hypothesis()
    chip = st.integers(0, machine.num_chips - 1)
    message = st.tuples(chip, chip, st.integers(0, _MOST_BYTES))
    made: SearchStrategy[list[tuple[int, int, int]]] = st.lists(message, max_size=max_size)
    return made


def _hypothesis() -> Any:  # noqa: ANN401 - a module
    try:
        from hypothesis import strategies
    except ImportError as error:
        raise ImportError(
            "rainier_fast.testing.strategies needs hypothesis, which is not installed; "
            "install it with: pip install hypothesis"
        ) from error
    return strategies
