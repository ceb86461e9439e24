"""How cost grows: python benches/curves.py [--output scaling.svg] [--quick].

CPU time of chips, UltraServers by fluid, faults, flows and axes, the best of three first calls on
machines made anew, and the peak memory that chips add. Prints tables; draws them where an output
is named, for which matplotlib is needed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import rainier_fast as rf
from mapping import mapped

from measure import cpu_seconds, peak_growth_bytes

CHIPS = tuple(4**power for power in range(3, 13))
SERVERS = (256, 257, 512, 513, 1024, 1025, 2048, 2049, 4096, 4097)
FAULTS = (0, 1, 10, 100, 1_000, 10_000)
FLOWS = tuple(4**power for power in range(9))
AXES = (1, 2, 3, 4, 5)
OPERATIONS = ("all_reduce", "all_gather", "all_to_all", "broadcast")

Work = Callable[[], object]


@dataclass
class Curve:
    """Milliseconds of CPU, or megabytes, at each count."""

    name: str
    x: list[int] = field(default_factory=list)
    y: list[float] = field(default_factory=list)

    def add(self, x: int, y: float) -> None:
        """Append a point."""
        self.x.append(x)
        self.y.append(y)


def least_ms(make: Callable[[], Work], rounds: int = 3) -> float:
    """CPU time of the best first call; what it is called on is made anew each time."""
    return 1e3 * min(cpu_seconds(make()) for _ in range(rounds))


def curve(name: str, counts: Iterable[int], make: Callable[[int], Work]) -> Curve:
    """One first call at each count, once before all others for what a process loads once."""
    counts = list(counts)
    make(counts[0])()
    found = Curve(name)
    for count in counts:
        found.add(count, least_ms(partial(make, count)))
    return found


def of_chips(counts: Iterable[int]) -> Iterator[Curve]:
    """Collectives of the Rainier preset."""

    def make(operation: str, chips: int) -> Work:
        machine = rf.preset("rainier", chips=chips)
        return lambda: getattr(machine, operation)("1 GiB")

    for operation in OPERATIONS:
        yield curve(operation, counts, partial(make, operation))


def memory_of_chips(counts: Iterable[int]) -> Iterator[Curve]:
    """Megabytes that an all-reduce adds to a process that has done one over 64 chips."""
    found = Curve("all_reduce, MB")
    for chips in counts:
        setup = (
            "import rainier_fast as rf; rf.preset('rainier', chips=64).all_reduce('1 GiB'); "
            f"machine = rf.preset('rainier', chips={chips})"
        )
        found.add(chips, peak_growth_bytes(setup, "machine.all_reduce('1 GiB')") / 1e6)
    yield found


def of_servers(counts: Iterable[int]) -> Iterator[Curve]:
    """Fair rates over a first site of so many UltraServers and two of half as many."""
    base = rf.preset("rainier")

    def make(count: int) -> Work:
        each = (count, count // 2, count // 2)
        sites = [
            rf.Site(site.name, servers, site.ultraserver, site.fabric)
            for site, servers in zip(base.sites, each, strict=True)
        ]
        machine = rf.Cluster(sites, base.wan)
        return lambda: machine.all_reduce("1 GiB", model="fluid")

    yield curve("all_reduce, fluid", counts, make)


def of_faults(counts: Iterable[int]) -> Iterator[Curve]:
    """An all-reduce of the Rainier preset with so many dead links, in as many UltraServers."""
    whole = rf.preset("rainier")
    links = np.random.default_rng(1).choice(whole.num_ultraservers * 384, 10_000, replace=False)

    def make(count: int) -> Work:
        hurt = whole.with_faults(links=links[:count]) if count else rf.preset("rainier")
        return lambda: hurt.all_reduce("1 GiB")

    yield curve("all_reduce, dead links", counts, make)


def of_flows(counts: Iterable[int]) -> Iterator[Curve]:
    """Flows between random chips of a torus of 32 x 32 x 32, of sizes that all differ."""
    torus = rf.torus((32, 32, 32), bandwidth="50 GB/s", latency="1 us")
    rng = np.random.default_rng(2)
    ends = rng.integers(0, torus.num_chips, (2, max(counts)))
    sizes = rng.uniform(1e6, 1e8, max(counts))
    server = rf.preset("rainier").ultraserver
    two = rf.Cluster([rf.Site(name, 1024, server) for name in "ab"], rf.Wan(1e12, 6e-3))

    def over_wan(count: int) -> Work:
        half = two.num_chips // 2
        src, dst = ends[0, :count] % half, ends[1, :count] % half + half
        return lambda: two.finish_times(src, dst, sizes[:count])

    yield curve(
        "link_loads",
        counts,
        lambda n: lambda: torus.link_loads(ends[0, :n], ends[1, :n], sizes[:n]),
    )
    yield curve(
        "max_min_rates", counts, lambda n: lambda: torus.max_min_rates(ends[0, :n], ends[1, :n])
    )
    yield curve("finish_times over a WAN", counts, over_wan)


def of_axes(counts: Iterable[int]) -> Iterator[Curve]:
    """The best mapping of a mesh of so many axes over 16,384 chips."""

    def make(count: int) -> Work:
        machine = rf.preset("rainier", chips=16_384)
        return lambda: mapped(machine, count)

    yield curve("best_mapping", counts, make)


class Panel(NamedTuple):
    """What is counted, what grows with it, and how that is measured."""

    counted: str
    unit: str
    measure: Callable[[Iterable[int]], Iterator[Curve]]
    counts: tuple[int, ...]


PANELS = (
    Panel("chips", "ms of CPU", of_chips, CHIPS),
    Panel("chips", "MB at most", memory_of_chips, CHIPS),
    Panel("UltraServers of the first site", "ms of CPU", of_servers, SERVERS),
    Panel("dead links", "ms of CPU", of_faults, FAULTS),
    Panel("flows", "ms of CPU", of_flows, FLOWS),
    Panel("axes of a mesh", "ms of CPU", of_axes, AXES),
)


def table(panel: Panel, curves: list[Curve]) -> str:
    """The curves of a panel in columns."""
    heads = " ".join(f"{one.name:>24}" for one in curves)
    rows = [f"{panel.counted:>32} {heads}   {panel.unit}"]
    for at, count in enumerate(curves[0].x):
        rows.append(f"{count:>32,} " + " ".join(f"{one.y[at]:>24.3g}" for one in curves))
    return "\n".join(rows) + "\n"


def draw(panels: list[tuple[Panel, list[Curve]]], output: str) -> None:
    """All panels in one picture, both axes by powers."""
    from matplotlib import pyplot as plt  # type: ignore[import-not-found,unused-ignore]

    plt.rcParams.update({"svg.hashsalt": "scaling", "svg.fonttype": "none"})
    figure, axes = plt.subplots(2, 3, figsize=(13, 7), layout="constrained")
    marks = "osD^v"
    for axis, (panel, curves) in zip(axes.flat, panels, strict=True):
        for one, mark in zip(curves, marks, strict=False):
            axis.plot(one.x, one.y, marker=mark, markersize=4, label=one.name)
        few = panel.measure is of_axes
        axis.set_xscale("linear" if few else "symlog" if 0 in curves[0].x else "log")
        axis.set_yscale("log")
        axis.set(xlabel=panel.counted, ylabel=panel.unit)
        axis.grid(visible=True, alpha=0.3)
        axis.legend(fontsize=8)
    metadata: dict[str, Any] = {"Date": None}
    figure.savefig(output, metadata=metadata)


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--output", help="an .svg, .pdf or .png file to draw into")
    parser.add_argument("--quick", action="store_true", help="every third count alone")
    arguments = parser.parse_args()
    measured = []
    for panel in PANELS:
        counts = panel.counts[::3] if arguments.quick else panel.counts
        curves = list(panel.measure(counts))
        measured.append((panel, curves))
        print(table(panel, curves), flush=True)
    if arguments.output:
        draw(measured, arguments.output)


if __name__ == "__main__":
    main()
