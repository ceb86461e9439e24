"""Gates on collectives by simulation: no size costs much more than the next, no torus is told apart chip by chip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import rainier_fast as rf
from gates import Gate
from scale import at_most

from measure import peak_growth_bytes

# UltraServers of Indiana, of which one more costs at most so many times as much. The other two
# sites have half as many. Seen: 0.9 to 1.4; 8.5 to 100 before steps could go as one.
SERVERS = (256, 4_096)
ONE_MORE = 3.0
SIZE = "256 MiB"


def sites(servers: int) -> rf.Machine:
    """Project Rainier with so many UltraServers in Indiana and half as many in the others."""
    rainier = rf.preset("rainier")
    counts = (servers, servers // 2, servers // 2)
    all_sites = zip(rainier.sites, counts, strict=True)
    return rf.Cluster(
        [replace(site, ultraservers=count) for site, count in all_sites], rainier.wan
    )


def simulated(machine: rf.Machine) -> Callable[[], object]:
    """An all-reduce by simulation of the best few."""
    return lambda: machine.all_reduce(SIZE, model="fluid")


def one_more_server() -> list[Gate]:
    """CPU time with one more UltraServer."""
    return [
        at_most(
            f"fluid all_reduce of {servers + 1:,} UltraServers a site / {servers:,}",
            ONE_MORE,
            simulated(sites(servers + 1)),
            simulated(sites(servers)),
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
        ratio, both = grown[0] / grown[1], f"{grown[0] / 1e6:.0f} MB against {grown[1] / 1e6:.0f} MB"
        gates.append(Gate(name, ratio, f"<= {ONE_MORE:g} times", ratio <= ONE_MORE, both))
    return gates


# What the named algorithm takes on 32^3 at most, in times of a bucket there. Seen: .
NAMED = {"swing": 40.0, "halving_doubling": 40.0, "bruck": 80.0}


def named_on_a_torus() -> list[Gate]:
    """Algorithms that are alike on lines of a torus, beside one that is alike on all chips."""
    torus = rf.torus((32, 32, 32), bandwidth="50 GB/s", latency="0.5 us")

    def named(algorithm: str) -> Callable[[], object]:
        return lambda: torus.all_reduce("1 GiB", algorithm=algorithm, model="fluid")

    return [
        at_most(f"fluid {name} of 32^3 / bucket", factor, named(name), named("bucket"))
        for name, factor in NAMED.items()
    ]
