"""How soon long calls stop after an interrupt, whenever it comes: the law is 0.2 s.

    python benches/stops.py                   all calls, some minutes
    python benches/stops.py --only full_mesh  those whose name has a word

Each call is interrupted at several moments, by lot but the same in each run. Time is CPU time of
one thread, from the alarm to where the caller goes on; what drops of large structures take is in
it. Prints the latest stop of each call; ends with 1 where one is above the law.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

from interrupts import attempt

ADDRESSES = 2_000_000 << 10
LAW_S = 0.2
OPERATIONS = (
    *("all_reduce", "reduce_scatter", "all_gather", "all_to_all", "broadcast", "reduce"),
    *("scatter", "gather", "send_recv", "barrier"),
)
MODELS = ("fluid", "fifo")

Calls = Iterator[tuple[str, Callable[[], object]]]


def machines(rf: Any) -> dict[str, Callable[[], Any]]:
    """Machines on which calls take long."""

    def cluster(sites: int, domains: int) -> Any:
        axes = (rf.Axis("x", 4, "ring", "50 GB/s", "1 us"), rf.Axis("y", 4, "line", 1e10, 0))
        server = rf.UltraServer("odd", None, axes, rf.Nic("25 GB/s", "5 us", "1 us"))
        fabric = rf.Fabric((rf.Tier(4, 1.0, "1 us"), rf.Tier(64, 2.0, "1 us")))
        all_sites = [rf.Site(f"s{at}", domains + at % 2, server, fabric) for at in range(sites)]
        return rf.Cluster(all_sites, rf.Wan("10 GB/s", "6 ms"))

    def hurt(machine: Any, step: int) -> Any:
        return machine.with_faults(links=range(0, machine.num_links, step))

    return {
        "full_mesh(3000)": lambda: rf.full_mesh(3000, 50e9, "1 us"),
        "full_mesh(4096)": lambda: rf.full_mesh(4096, 50e9, "1 us"),
        "torus 16^3": lambda: rf.torus((16,) * 3, 50e9, "1 us"),
        "mesh 48^3": lambda: rf.torus((48,) * 3, 50e9, "1 us", wrap=False),
        "torus 64^3": lambda: rf.torus((64,) * 3, 50e9, "1 us"),
        "ring of 65536": lambda: rf.torus(65536, 50e9, "1 us"),
        "torus 3^10": lambda: rf.torus((3,) * 10, 50e9, "1 us"),
        "switch of 65536": lambda: rf.switch(65536, 50e9, "1 us", (rf.Tier(64, 1.0, "1 us"),)),
        "rainier": lambda: rf.preset("rainier"),
        "4 sites of 16384 servers": lambda: cluster(4, 16384),
        "300 sites of 40 servers": lambda: cluster(300, 40),
        "full_mesh(700) hurt": lambda: hurt(rf.full_mesh(700, 50e9, "1 us"), 997),
        "torus 16^3 hurt": lambda: hurt(rf.torus((16,) * 3, 50e9, "1 us"), 997),
        "rainier hurt": lambda: hurt(rf.preset("rainier", 65536), 9973),
    }


def calls(rf: Any, np: Any, machine: Any) -> Calls:
    """What is asked of a machine: every operation by every algorithm, and the studies."""
    rng = np.random.default_rng(1)
    count = min(4096, machine.num_chips // 2)
    scattered = np.sort(rng.choice(machine.num_chips, count, replace=False))

    def ask(name: str, **given: Any) -> Callable[[], object]:
        sizes = () if name == "barrier" else (1e9,)
        return lambda: str(getattr(machine, name)(*sizes, **given))

    for name in OPERATIONS:
        for algorithm in ("auto", *rf.algorithms(name)):
            yield f"{name} {algorithm}", ask(name, algorithm=algorithm)
        for model in MODELS:
            yield f"{name} auto {model}", ask(name, model=model)
        yield f"{name} scattered", ask(name, group=scattered)
        yield f"{name} scattered fluid", ask(name, group=scattered, model="fluid")
        yield (
            f"{name} loads",
            lambda name=name: getattr(machine, name)(
                *(() if name == "barrier" else (1e9,))
            ).link_loads(),
        )
    for name in ("all_reduce", "all_to_all", "broadcast"):
        yield (
            f"schedule of {name}",
            lambda name=name: (
                made := rf.schedule(name, machine, 1e9, group=range(min(512, machine.num_chips))),
                made.verify(),
                machine.run(made, "fluid"),
            ),
        )
    yield from studies(rf, machine)
    yield from flows(np, machine)


def studies(rf: Any, machine: Any) -> Calls:
    half = machine.num_chips // 2
    plan = machine.plan
    yield (
        "together",
        lambda: machine.together(
            [
                plan.all_reduce(1e9, group=range(half)).named("a"),
                plan.all_to_all(1e9, group=range(half, 2 * half)).named("b"),
            ]
        ),
    )
    jobs = [rf.Tenant(f"t{at}", "all_reduce", 1e9, 1) for at in range(4)]
    yield "tenants", lambda: machine.tenants(jobs, "random", "instance")
    yield "monte carlo", lambda: machine.monte_carlo("all_reduce", 1e9, draws=300, hours=1e4)
    yield "recoveries", lambda: machine.recoveries("all_reduce", 1e9)
    axes = {"dp": -1, "tp": next(tp for tp in (16, 9, 4, 3, 2, 1) if machine.num_chips % tp == 0)}
    asked = {"dp": ("all_reduce", 1e9), "tp": ("all_to_all", 1e9)}
    yield "best mapping", lambda: machine.best_mapping(axes, asked)
    mesh = machine.mesh(axes)
    yield "mesh", lambda: mesh.all_to_all(1e9, axis=("dp", "tp"))
    yield "groups", lambda: mesh.axis_groups("tp").to_array()
    for routing in ("dor", "shortest", "up_down"):
        yield f"routing report {routing}", lambda routing=routing: machine.routing_report(routing)
    dead = range(0, machine.num_chips, 3)
    yield "many faults", lambda: str(machine.with_faults(chips=dead).all_reduce(1e9))


def flows(np: Any, machine: Any) -> Calls:
    src, dst = np.random.default_rng(2).integers(0, machine.num_chips, (2, 300_000))
    for routing in ("dor", "adaptive", "valiant", "wild_first", "shortest", "up_down"):
        yield f"loads {routing}", lambda r=routing: machine.link_loads(src, dst, 1, r)
        yield f"traffic {routing}", lambda r=routing: machine.traffic("uniform", 1, r)
        yield f"unreachable {routing}", lambda r=routing: machine.unreachable(src, dst, r)
        yield f"rates {routing}", lambda r=routing: machine.max_min_rates(src, dst, r)
        for model in MODELS:
            yield (
                f"times {routing} {model}",
                lambda r=routing, m=model: machine.finish_times(src, dst, 1, routing=r, model=m),
            )


def child(name: str, only: str, tries: int, longest: float) -> None:
    """Interrupt each call on a machine at some moments, and print the latest stop."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    os.environ["RAINIER_NUM_THREADS"] = "1"
    import numpy as np

    import rainier_fast as rf

    for what, call in calls(rf, np, machines(rf)[name]()):
        if only not in f"{name} {what}":
            continue
        rng, worst, ends = random.Random(f"{name} {what}"), (-1.0, 0.0), longest
        print("BEGIN", name, what, file=sys.stderr, flush=True)
        kinds = []
        for _ in range(tries):
            # Late moments as likely as early ones.
            alarm = 0.02 * (max(ends, 0.03) / 0.02) ** rng.random()
            seen = attempt(call, alarm, rf)
            kinds.append(seen.kind)
            if seen.kind.startswith("raw"):
                print(f"{name}: {what}: {seen.kind}: {seen.text[:300]}", flush=True)
            if seen.kind != "interrupted":
                ends = min(ends, seen.seconds)
            worst = max(worst, (seen.late, alarm))
            if ends < LAW_S / 2:
                break
        print(f"{worst[0]:7.3f}  {name}: {what}, at {worst[1]:.3f} s ({kinds[-1]})", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="part of 'machine call'")
    parser.add_argument("--tries", type=int, default=5, help="interrupts of each call")
    parser.add_argument("--longest", type=float, default=5.0, help="CPU s of the last moment")
    parser.add_argument("--law", type=float, default=LAW_S, help="CPU s within which calls stop")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.only, given.tries, given.longest)
        return 0
    late = []
    names = list(machines(None))
    for name in [name for name in names if given.only.startswith(f"{name} ")] or names:
        command = [sys.executable, __file__, "--child", name, "--only", given.only]
        command += ["--tries", str(given.tries), "--longest", str(given.longest)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print(line, end="", flush=True)
                if "raw " in line or float(line.split()[0]) > given.law:
                    late.append(line)
        if process.returncode:
            late.append(f"{name}: the process ended with {process.returncode}\n")
    print(f"{len(late)} above {given.law} s:", *late, sep="\n")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
