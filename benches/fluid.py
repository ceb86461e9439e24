"""Gates on collectives by simulation: no size costs much more than the one before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import rainier_fast as rf
from gates import Gate

from measure import cpu_seconds, peak_growth_bytes

# UltraServers of Indiana, of which one more costs at most so many times as much. The other two
# sites have half as many. Seen: 0.7 to 1.4; 8.5 to 100 before steps could go as one.
SERVERS = (256, 4_096)
ONE_MORE = 3.0
SIZE = "256 MiB"


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
    """CPU time with one more UltraServer; once each, since each takes a second."""
    gates = []
    for servers in SERVERS:
        works = [simulated(sites(count)) for count in (servers + 1, servers)]
        ours, theirs = (cpu_seconds(work) for work in works)
        gates.append(
            Gate(
                f"fluid all_reduce of {servers + 1:,} UltraServers a site / {servers:,}",
                ours / theirs,
                f"<= {ONE_MORE:g} times",
                ours <= ONE_MORE * theirs,
                f"{1e3 * ours:.0f} ms against {1e3 * theirs:.0f} ms",
            )
        )
    return gates


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


# What an algorithm takes on 32^3 at most, in times of a bucket there. Seen: 30, 29 and 19; 330, 300
# and 280 when all chips were told apart.
NAMED = {"swing": 60.0, "halving_doubling": 60.0, "bruck": 40.0}


def named_on_a_torus() -> list[Gate]:
    """Algorithms that are alike on lines of a torus, beside one that is alike on all chips."""
    torus = rf.torus((32, 32, 32), bandwidth="50 GB/s", latency="0.5 us")

    def named(algorithm: str) -> Callable[[], object]:
        return lambda: torus.all_reduce("1 GiB", algorithm=algorithm, model="fluid")

    bucket = named("bucket")
    bucket()
    theirs = min(cpu_seconds(bucket) for _ in range(3))
    gates = []
    for name, factor in NAMED.items():
        ours = cpu_seconds(named(name))
        note = f"{1e3 * ours:.0f} ms against {1e3 * theirs:.1f} ms"
        ratio = ours / theirs
        wanted = f"<= {factor:g} times"
        gates.append(Gate(f"fluid {name} of 32^3 / bucket", ratio, wanted, ratio <= factor, note))
    return gates
