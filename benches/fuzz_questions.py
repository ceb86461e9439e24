"""What the fuzz under little memory asks: odd machines, sizes and routings, drawn by a seed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any


class Draw:
    """Random machines and arguments; `rf` and `np` are imported under the limit."""

    def __init__(self, seed: int, number: int, rf: Any, np: Any) -> None:
        self.rng = random.Random(f"{seed} {number}")
        self.rf, self.np = rf, np

    def upto(self, most: float) -> int:
        """A whole number from 1 on, small ones as likely as large ones."""
        return int(most ** self.rng.random())

    def one_of(self, *values: Any) -> Any:
        return self.rng.choice(values)

    def tiers(self) -> tuple[Any, ...]:
        groups = [self.rng.randint(2, 9) ** at for at in range(1, self.rng.randint(1, 4))]
        groups = [math.prod(groups[: at + 1]) for at in range(len(groups))]
        if self.rng.random() < 0.1:
            groups.append(self.upto(2**20) + 60)
        return tuple(self.rf.Tier(group, self.one_of(1.0, 3.7), "1 us") for group in groups)

    def axes(self, most: int) -> tuple[Any, ...]:
        found = []
        for name in "uvwxyz"[: self.rng.randint(1, 6)]:
            size = self.upto(max(1.0, most))
            most //= size
            kind = self.one_of("ring", "ring", "line", "full_mesh", "switch")
            tiers = self.tiers() if kind == "switch" and self.rng.random() < 0.3 else ()
            found.append(self.rf.Axis(name, size, kind, "50 GB/s", "1 us", tiers))
        return tuple(found)

    def cluster(self) -> Any:
        rf = self.rf
        chips = self.upto(2 ** self.one_of(4, 7, 10, 24))
        axes = self.axes(chips)
        server = rf.UltraServer("odd", None, axes, rf.Nic("25 GB/s", "5 us", "1 us"))
        count = self.upto(self.one_of(3, 20, 3000))
        share = max(1, self.upto(2**24 / chips) // count)
        fabrics = [rf.Fabric(self.tiers()) for _ in range(2)]
        sites = [rf.Site(f"s{at}", share + at % 2, server, fabrics[at % 2]) for at in range(count)]
        rates: Any = "10 GB/s"
        if self.rng.random() < 0.3 and count < 400:
            rates = [["1 GB/s"] * count] * count
            return rf.Cluster(sites, rf.Wan(rates, "6 ms"))
        return rf.Cluster(sites, rf.Wan(rates, "6 ms", self.one_of("mesh", "hub")))

    def machine(self) -> Any:
        """One that can be; now and then what cannot, for its error."""
        for _ in range(self.rng.randint(0, 8)):
            try:
                return self.machine_or_error()
            except self.rf.InvalidArgument:
                continue
        return self.machine_or_error()

    def machine_or_error(self) -> Any:
        rf = self.rf
        kind = self.one_of("torus", "torus", "mesh", "switch", "cluster", "cluster", "known")
        if kind == "torus":
            most, shape = 2 ** self.one_of(6, 12, 20, 32) - 1, []
            for _ in range(self.rng.randint(1, 6)):
                shape.append(self.upto(min(2**20, max(1, most))))
                most //= shape[-1]
            wrap = [self.rng.random() < 0.7 for _ in shape]
            made = rf.torus(shape, "50 GB/s", self.one_of(0, "1 us"), wrap)
        elif kind == "mesh":
            made = rf.full_mesh(self.upto(2 ** self.one_of(6, 12, 20)), "50 GB/s", "1 us")
        elif kind == "switch":
            made = rf.switch(self.upto(2 ** self.one_of(8, 24)), "50 GB/s", "1 us", self.tiers())
        elif kind == "cluster":
            made = self.cluster()
        else:
            name, chips = self.one_of(*rf.presets()), self.one_of(64, 192, 1 << 14, 1 << 24)
            made = rf.preset("rainier", chips) if self.rng.random() < 0.3 else rf.preset(name)
        if self.rng.random() < 0.25:
            made = self.hurt(made)
        return made

    def hurt(self, machine: Any) -> Any:
        count = self.upto(self.one_of(3, 100, 10_000))
        what = self.one_of("chips", "links", "nics", "degrade", "ultraservers", "range")
        if what == "range":
            return machine.with_faults(chips=range(self.upto(10**12)))
        if what == "ultraservers":
            return machine.with_faults(ultraservers=[machine.num_ultraservers - 1])
        most = machine.num_links if what in ("links", "degrade") else machine.num_chips
        numbers = sorted({self.rng.randrange(max(1, most)) for _ in range(count)})
        if what == "degrade":
            return machine.with_faults(degrade=dict.fromkeys(numbers, 0.5))
        return machine.with_faults(**{what: numbers})

    def routing(self) -> Any:
        names = ("dor", "adaptive", "valiant", "wild_first", "shortest", "up_down")
        return self.one_of("dor", "dor", *names)

    def flows(self, machine: Any) -> tuple[Any, Any]:
        count = self.upto(self.one_of(10, 10_000, 3_000_000))
        some = self.np.random.default_rng(self.rng.getrandbits(32))
        src, dst = some.integers(0, machine.num_chips, (2, count))
        return src, dst

    def group(self, machine: Any) -> Any:
        kind = self.rng.random()
        if kind < 0.6:
            return None
        count = min(machine.num_chips, self.upto(self.one_of(16, 4096, 2**20)))
        if kind < 0.8:
            return range(count)
        some = self.np.random.default_rng(self.rng.getrandbits(32))
        return self.np.unique(some.integers(0, machine.num_chips, count))

    def size(self) -> Any:
        return self.one_of(0, 1, "64 KiB", "1 GiB", 2**58, 1e6)

    def options(self, operation: str) -> dict[str, Any]:
        options: dict[str, Any] = {"routing": self.one_of("dor", "dor", self.routing())}
        options["algorithm"] = self.one_of("auto", *self.rf.algorithms(operation))
        options["model"] = self.one_of("link_load", "link_load", "alpha_beta", "fluid", "fifo")
        if self.rng.random() < 0.2:
            options["chunks"] = self.upto(2**20)
        return options


def ask_rates(draw: Draw) -> object:
    machine = draw.machine()
    return machine.max_min_rates(*draw.flows(machine), draw.routing())


def ask_times(draw: Draw) -> object:
    machine = draw.machine()
    given = {"routing": draw.routing(), "model": draw.one_of("fluid", "fifo")}
    return machine.finish_times(*draw.flows(machine), draw.size(), **given)


def ask_loads(draw: Draw) -> object:
    machine = draw.machine()
    loads = machine.link_loads(*draw.flows(machine), draw.size(), draw.routing(), draw.one_of(1, 3))
    return loads.by_class(), loads.top(3), loads.bottleneck, str(loads), loads.utilisation(1.0)


def ask_traffic(draw: Draw) -> object:
    machine = draw.machine()
    patterns = ("uniform", "transpose", "tornado", "bit_complement", "neighbor", "permutation")
    return machine.traffic(draw.one_of(*patterns, "shuffle"), draw.size(), draw.routing()).time_s


def ask_route(draw: Draw) -> object:
    machine = draw.machine()
    ends = [draw.rng.randrange(machine.num_chips) for _ in range(2)]
    route = machine.route(*ends, draw.routing())
    return route.hops, route.links, str(route)


def ask_places(draw: Draw) -> object:
    machine = draw.machine()
    count = min(machine.num_chips, draw.upto(2**32))
    chips = draw.one_of(range(count), draw.rng.randrange(machine.num_chips))
    return machine.coordinates(chips), repr(machine), str(machine), machine.live_chips()


def ask_links(draw: Draw) -> object:
    machine = draw.machine()
    link = machine.link(draw.rng.randrange(max(1, machine.num_links)))
    return str(link), str(machine.faults), machine.unreachable(*draw.flows(machine), draw.routing())


def ask_collective(draw: Draw) -> object:
    machine = draw.machine()
    operations = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "broadcast", "reduce")
    name = draw.one_of(*operations, "gather", "scatter", "send_recv", "barrier")
    ask = getattr(machine, name)
    options = draw.options(name)
    group = draw.group(machine)
    sizes = () if name == "barrier" else (draw.size(),)
    made = ask(*sizes, group=group, **options)
    seen: list[object] = [str(made), made.time_s]
    if draw.rng.random() < 0.2:
        seen.append(made.link_loads().time_s)
    return seen


def ask_mesh(draw: Draw) -> object:
    machine = draw.machine()
    sizes = [tp for tp in (1, 2, 4, 16, 64, 1000) if machine.num_chips % tp == 0]
    tp = draw.one_of(*sizes)
    mesh = machine.mesh(dp=machine.num_chips // tp, tp=tp)
    name = draw.one_of("all_reduce", "all_gather", "all_to_all", "broadcast")
    axis = draw.one_of("dp", "tp", ("dp", "tp"))
    made = getattr(mesh, name)(draw.size(), axis=axis, **draw.options(name))
    return str(made), mesh.chips(tp=0), mesh.axis_groups("tp").to_array()


def ask_schedule(draw: Draw) -> object:
    rf, machine = draw.rf, draw.machine()
    if draw.rng.random() < 0.3:
        chips = min(machine.num_chips, draw.upto(10**4))
        sends = [rf.Send(at, (at + 1) % chips, [0], at) for at in range(chips if chips > 1 else 0)]
        blocks = draw.upto(2**32 - 1)
        made = rf.Schedule("broadcast", draw.size(), range(chips), sends, blocks)
    else:
        name = draw.one_of("all_reduce", "all_gather", "all_to_all", "broadcast")
        options = draw.options(name)
        options.pop("model")
        made = rf.schedule(name, machine, draw.size(), group=draw.group(machine), **options)
    made.verify()
    return machine.run(made, draw.one_of("link_load", "fluid", "fifo")), len(made.sends)


def ask_together(draw: Draw) -> object:
    machine, model = draw.machine(), draw.one_of("link_load", "link_load", "fluid")
    plans = []
    for at in range(draw.rng.randint(1, 3)):
        name = draw.one_of("all_reduce", "all_gather", "all_to_all")
        ask = getattr(machine.plan, name)
        options = draw.options(name) | {"model": model}
        plans.append(ask(draw.size(), group=draw.group(machine), **options).named(f"p{at}"))
    return str(machine.together(plans))


def ask_tenants(draw: Draw) -> object:
    machine = draw.machine()
    count = draw.rng.randint(1, 4)
    many = draw.upto(machine.num_ultraservers)
    jobs = [draw.rf.Tenant(f"t{at}", "all_reduce", draw.size(), many) for at in range(count)]
    unit = draw.one_of("instance", "ultraserver")
    placement = draw.one_of("packed", "spread", "random")
    return str(machine.tenants(jobs, placement, unit, model=draw.one_of("link_load", "fluid")))


def ask_draws(draw: Draw) -> object:
    machine = draw.machine()
    many = draw.upto(draw.one_of(10, 10**6, 10**9))
    hours = draw.one_of(1.0, 1e3, 1e7)
    found = machine.monte_carlo("all_reduce", draw.size(), draws=many, hours=hours)
    return str(found), str(machine.sample_faults(hours=hours).faults)


def ask_recoveries(draw: Draw) -> object:
    machine = draw.hurt(draw.machine())
    return str(machine.recoveries("all_reduce", draw.size(), group=draw.group(machine)))


def ask_report(draw: Draw) -> object:
    return str(draw.machine().routing_report(draw.routing()))


def ask_mapping(draw: Draw) -> object:
    machine = draw.machine()
    axes = {"dp": -1, "pp": draw.one_of(1, 2, 4), "tp": draw.one_of(1, 2, 16)}
    calls = {"dp": ("all_reduce", draw.size()), "tp": ("all_gather", draw.size())}
    return str(machine.best_mapping(axes, calls))


def ask_comparison(draw: Draw) -> object:
    machines = [draw.machine() for _ in range(draw.rng.randint(1, 3))]
    return str(draw.rf.compare(machines, draw.one_of("all_reduce", "all_to_all"), draw.size()))


def ask_faults(draw: Draw) -> object:
    machine = draw.hurt(draw.machine())
    return str(machine.faults), machine.faults.to_dict(), machine.faults.table(), repr(machine)


QUESTIONS: tuple[Callable[[Draw], object], ...] = (
    *(ask_rates, ask_times, ask_loads, ask_traffic, ask_route, ask_places, ask_links),
    *(ask_collective, ask_collective, ask_collective, ask_mesh, ask_schedule, ask_together),
    *(ask_tenants, ask_draws, ask_recoveries, ask_report, ask_mapping, ask_comparison, ask_faults),
)
