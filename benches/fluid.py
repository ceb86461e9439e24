"""Gates on collectives by simulation: no size costs much more than the one before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

import rainier_fast as rf
from gates import Gate, at_least, at_most

from measure import few, peak_growth_bytes

# UltraServers of Indiana, of which one more costs at most so many times as much. The other two
# sites have half as many. Seen: 0.7 to 1.4; 8.5 to 100 before steps could go as one.
SERVERS = (256, 4_096)
ONE_MORE = 3.0
SIZE = "256 MiB"

# CPU seconds of ASTRA-sim's analytical backend (congestion-aware, astra-network-analytical) for a
# 1 GiB all-reduce over a healthy torus on a machine of 2 cores, by side. And the numbers that a
# stable sort orders in a thousandth of that on such a machine (0.39, 16.1 and 250 ms, measured).
ASTRA_SIM_CPU_S = {8: 0.40, 16: 16.1, 32: 248.0}
SORTED = {8: 9_000, 16: 245_000, 32: 3_000_000}
# What the choice by simulation takes at most, in times of the bucket that it finds. Seen: 1.6 to 3;
# 9 to 12 when all were built whose links alone could win.
MOST_BUCKETS = 5.0


def sites(servers: int) -> rf.Machine:
    """Project Rainier with so many UltraServers in Indiana and half as many in the others."""
    rainier = rf.preset("rainier")
    counts = (servers, servers // 2, servers // 2)
    all_sites = zip(rainier.sites, counts, strict=True)
    return rf.Cluster([replace(site, ultraservers=count) for site, count in all_sites], rainier.wan)


def simulated(machine: rf.Machine) -> Callable[[], object]:
    """An all-reduce by simulation of the best few."""
    return lambda: machine.all_reduce(SIZE, model="fluid")


def one_more_server() -> list[Gate]:
    """CPU time with one more UltraServer."""

    def made(servers: int) -> Callable[[], object]:
        return lambda: simulated(sites(servers))()

    return [
        at_most(
            f"fluid all_reduce of {servers + 1:,} UltraServers a site / {servers:,}",
            ONE_MORE,
            made(servers + 1),
            made(servers),
            few,
        )
        for servers in SERVERS
    ]


def memory_of_one_more() -> list[Gate]:
    """Peak memory with one more UltraServer, in fresh processes."""
    gates = []
    for servers in SERVERS:
        grown = []
        for count in (servers + 1, servers):
            setup = f"""
import sys; sys.path.insert(0, {str(__file__)!r}.rsplit('/', 1)[0])
from fluid import simulated, sites
import rainier_fast as rf
rf.torus((4, 4), "1 GB/s").all_reduce(1e6, model="fluid")
work = simulated(sites({count}))
"""
            grown.append(peak_growth_bytes(setup, "work()"))
        name = f"MB of fluid all_reduce, {servers + 1:,} UltraServers a site / {servers:,}"
        ratio, both = (
            grown[0] / grown[1],
            f"{grown[0] / 1e6:.0f} MB against {grown[1] / 1e6:.0f} MB",
        )
        gates.append(Gate(name, ratio, f"<= {ONE_MORE:g} times", ratio <= ONE_MORE, both))
    return gates


# What an algorithm takes on 32^3 at most, in times of a bucket there. Seen: 16 to 30, 29 to 53 and
# 19 to 35; 330, 300 and 280 when all chips were told apart.
NAMED = {"swing": 60.0, "halving_doubling": 80.0, "bruck": 60.0}


def named_on_a_torus() -> list[Gate]:
    """Algorithms that are alike on lines of a torus, beside one that is alike on all chips."""
    torus = rf.torus((32, 32, 32), bandwidth="50 GB/s", latency="0.5 us")

    def named(algorithm: str) -> Callable[[], object]:
        return lambda: torus.all_reduce("1 GiB", algorithm=algorithm, model="fluid")

    bucket = named("bucket")
    bucket()
    return [
        at_most(f"fluid {name} of 32^3 / bucket", factor, named(name), bucket, few)
        for name, factor in NAMED.items()
    ]


def fluid_all_reduce() -> list[Gate]:
    """A 1 GiB all-reduce with fair rates against a thousandth of what ASTRA-sim needs."""
    gates = []
    for side, published in ASTRA_SIM_CPU_S.items():
        torus = rf.torus((side,) * 3, bandwidth="50 GB/s", latency="0.5 us")
        values = np.random.default_rng(0).random(SORTED[side])

        def ours(torus: rf.Machine = torus) -> object:
            return torus.all_reduce("1 GiB", algorithm="bucket", model="fluid")

        def sort(values: NDArray[np.float64] = values) -> object:
            return np.sort(values, kind="stable")

        name = f"1 GiB all-reduce of {side}^3 by fluid, sort of {values.size:,} / ours"
        gate = at_least(name, 1, ours, sort)
        note = (
            f"{gate.seconds * 1e3:.3g} ms of CPU; ASTRA-sim {published:g} s: "
            f"{published / gate.seconds:,.0f} times"
        )
        gates.append(replace(gate, note=note))

        def auto(torus: rf.Machine = torus) -> object:
            return torus.all_reduce("1 GiB", model="fluid")

        name = f"1 GiB all-reduce of {side}^3 by fluid, auto / bucket"
        gate = at_most(name, MOST_BUCKETS, auto, ours)
        beside = f"{gate.note}; ASTRA-sim / ours {published / gate.seconds:,.0f}"
        gates.append(replace(gate, note=beside))
    return gates
