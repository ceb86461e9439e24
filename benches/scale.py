"""Gates on how collectives grow: a million chips cost little more than four thousand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

import rainier_fast as rf
from gates import Gate, at_least, at_most

from measure import peak_growth_bytes

FEW, MANY, MOST = 4_096, 1_048_576, 16_777_216

# At a million chips, of the CPU time of an all-reduce there. Broadcast and reduce try what an
# all-reduce tries and their own trees and stars.
OTHERS = {
    "reduce_scatter": 2.0,
    "all_gather": 2.0,
    "all_to_all": 2.0,
    "send_recv": 2.0,
    "scatter": 2.0,
    "gather": 2.0,
    "barrier": 2.0,
    "broadcast": 4.0,
    "reduce": 4.0,
}


def first(machine: rf.Machine, operation: str, **options: str) -> Callable[[], object]:
    """One collective of 1 GiB, by a machine that was asked nothing before and remembers nothing."""
    more = {"shift": 1} if operation == "send_recv" else {}
    size = () if operation == "barrier" else ("1 GiB",)

    def call() -> object:
        new = machine.healthy()
        asked = new.mesh(dp=-1, tp=64) if "axis" in options else new
        return getattr(asked, operation)(*size, **more, **options)

    return call


def growth_of_collectives() -> list[Gate]:
    """CPU time by size, and of the other collectives beside an all-reduce."""
    few, many, most = (rf.preset("rainier", chips=chips) for chips in (FEW, MANY, MOST))
    values = np.random.default_rng(0).random(1_000_000)
    ours = first(many, "all_reduce")
    gates = [
        # numpy's default sort is ten times faster where a processor has the instructions for it.
        at_least(
            f"all_reduce over {MANY:,} chips, stable sort of 1e6 / ours",
            # Seen: 6.9 to 8.3.
            5,
            ours,
            lambda: np.sort(values, kind="stable"),
        ),
        at_most(f"all_reduce over {MANY:,} chips / {FEW:,}", 2.5, ours, first(few, "all_reduce")),
        at_most(f"all_reduce over {MOST:,} chips / {MANY:,}", 2.5, first(most, "all_reduce"), ours),
        at_most(
            f"all_reduce over dp of {MANY:,} chips / all of them",
            2,
            first(many, "all_reduce", axis="dp"),
            ours,
        ),
    ]
    for operation, factor in OTHERS.items():
        name = f"{operation} over {MANY:,} chips / all_reduce"
        gates.append(at_most(name, factor, first(many, operation), ours))
    return gates


# Stable sorts of 1e6 numbers that a first all-reduce by `auto` is faster than. Seen: 43, 9.5; when
# every algorithm was built: 0.14, 0.012.
TORI = {32: 15, 64: 3}


def what_auto_builds() -> list[Gate]:
    """CPU time of first calls that leave most algorithms unbuilt, and price one line for all."""
    values = np.random.default_rng(0).random(1_000_000)
    gates = []
    for side, factor in TORI.items():

        def ours(side: int = side) -> object:
            torus = rf.torus((side, side, side), bandwidth="50 GB/s", latency="1 us")
            return torus.all_reduce("1 GiB")

        name = f"all_reduce on a torus of {side}^3, stable sort of 1e6 / ours"
        gates.append(at_least(name, factor, ours, lambda: np.sort(values, kind="stable")))

    def trading() -> object:
        torus = rf.torus((32, 32, 32), bandwidth="50 GB/s", latency="1 us")
        return torus.all_to_all("1 GiB")

    # Seen: 20; when steps along an axis were listed message by message: 0.6.
    name = "all_to_all on a torus of 32^3, stable sort of 1e6 / ours"
    gates.append(at_least(name, 5, trading, lambda: np.sort(values, kind="stable")))
    trn2 = rf.preset("trn2")
    named = first(trn2, "all_reduce", algorithm="bucket")
    # Seen: 1.8; when every algorithm was built: 3.1. What the quick gate lets pass of that, it
    # finds on the tori above.
    name = "all_reduce of trn2, auto / bucket by name"
    return [*gates, at_most(name, 2.5, first(trn2, "all_reduce"), named)]


def memory_of_tori() -> list[Gate]:
    """What an all-reduce on a large torus takes."""
    setup = """
import rainier_fast as rf
rf.torus((4, 4, 4), bandwidth="50 GB/s").all_reduce("1 GiB")
torus = rf.torus((64, 64, 64), bandwidth="50 GB/s", latency="1 us")
"""
    grown = peak_growth_bytes(setup, "torus.all_reduce('1 GiB')")
    return [Gate("MB that all_reduce on a torus of 64^3 takes", grown / 1e6, "< 16", grown < 16e6)]


def memory_of_collectives() -> list[Gate]:
    """What a collective over a million chips takes above one over four thousand."""
    gates = []
    for operation in ("all_reduce", "broadcast", "all_to_all"):
        setup = f"""
import rainier_fast as rf
rf.preset('rainier', chips={FEW}).{operation}('1 GiB')
machine = rf.preset('rainier', chips={MANY})
"""
        grown = peak_growth_bytes(setup, f"machine.{operation}('1 GiB')")
        name = f"MB that {operation} over {MANY:,} chips adds"
        gates.append(Gate(name, grown / 1e6, "< 4", grown < 4e6))
    return gates


SIZES = np.geomspace(1e3, 1e11, 1_000)
SORTED = 10_000
# Most CPU times of a stable sort of so many numbers that a thousand further sizes take: as many as
# one call took when each size was a call of its own (6a0ac95, measured in one run).
FURTHER: tuple[tuple[str, dict[str, int], float], ...] = (
    ("trn2", {}, 0.88),
    # Not yet 1.92, which one call took: the orders of a bucket are weighed at each size. Seen: 3.1
    # to 4.2.
    ("trn2-ultraserver", {}, 5.0),
    ("rainier", {}, 56.0),
    ("rainier", {"chips": MANY}, 140.0),
)


def sorting(times: int = 1) -> Callable[[], object]:
    """Stable sorts, which take the same on every processor, nearly."""
    values = np.random.default_rng(0).random(SORTED)
    return lambda: [np.sort(values, kind="stable") for _ in range(times)]


def further_sizes() -> list[Gate]:
    """A thousand further sizes of what was prepared, beside a sort."""
    gates = []
    for name, options, factor in FURTHER:
        machine = rf.preset(name, **options)
        prepared = machine.plan.all_reduce("1 GiB").prepared()
        prepared.times(SIZES)  # all choices that sizes ask for are priced now
        label = f"1,000 further sizes on {machine.num_chips:,} chips / stable sort of 10,000"
        times = partial(prepared.times, SIZES)
        gates.append(at_most(label, factor, times, sorting()))
    return gates


def flat_rings() -> list[Gate]:
    """Rings through all chips, whose ranks go on by themselves, for one size and for many."""
    values = np.random.default_rng(0).random(1_000_000)

    def first_ring(name: str, chips: int | None, model: str) -> Callable[[], object]:
        machine = rf.preset(name, chips=chips)

        def call() -> object:
            new = rf.Cluster(machine.sites, machine.wan)
            return new.all_reduce("1 GiB", algorithm="ring", model=model)

        return call

    gates = [
        at_least(
            f"ring over {MANY:,} chips by {model}, stable sort of 1e6 / ours",
            # Seen: 20.
            10,
            first_ring("rainier", MANY, model),
            lambda: np.sort(values, kind="stable"),
        )
        for model in ("link_load", "fluid")
    ]
    prepared = rf.preset("rainier").plan.all_reduce("1 GiB", algorithm="ring").prepared()
    gate = at_least(
        "ring of rainier, a first call / a further size",
        # Seen: 11,000.
        3_000 / len(SIZES),
        lambda: prepared.times(SIZES),
        first_ring("rainier", None, "link_load"),
    )
    each = f"{gate.seconds / len(SIZES) * 1e6:.3g} us of CPU a size"
    gates.append(replace(gate, seen=gate.seen * len(SIZES), wanted=">= 3000", note=each))
    return gates
