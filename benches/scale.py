"""Gates on how collectives grow: a million chips cost little more than four thousand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import rainier_fast as rf
from gates import Gate, at_least

from measure import cpu_seconds, peak_growth_bytes

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
        asked = new.mesh(dp=-1, tp=64) if options else new
        return getattr(asked, operation)(*size, **more, **options)

    return call


def at_most(
    name: str, factor: float, ours: Callable[[], object], theirs: Callable[[], object]
) -> Gate:
    """Gate on how many times as much CPU time ours takes; both sides are printed."""
    gate = at_least(name, 1 / factor, ours, theirs)
    times = [1e3 * min(cpu_seconds(work) for _ in range(3)) for work in (ours, theirs)]
    both = f"{times[0]:.1f} ms against {times[1]:.1f} ms; {gate.note}"
    return Gate(name, 1 / gate.seen, f"<= {factor:g} times", gate.passed, both)


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
# CPU times of so many further sizes that a call of its own takes at least. Seen: 1,400, 1,100, 260.
FURTHER = {"trn2": 500, "trn2-ultraserver": 250, "rainier": 120}


def further_sizes() -> list[Gate]:
    """A first call of a collective beside one of many sizes of what was prepared."""
    gates = []
    for name, factor in FURTHER.items():
        machine = rf.preset(name)
        prepared = machine.plan.all_reduce("1 GiB").prepared()
        prepared.times(SIZES)  # all choices that sizes ask for are priced now
        gate = at_least(
            f"all_reduce of {name}, a first call / a further size",
            factor / len(SIZES),
            lambda prepared=prepared: prepared.times(SIZES),  # type: ignore[misc]
            first(machine, "all_reduce"),
        )
        each = f"{gate.seconds / len(SIZES) * 1e6:.3g} us of CPU a size"
        gates.append(Gate(gate.name, gate.seen * len(SIZES), f">= {factor}", gate.passed, each))
    return gates


# Most CPU times of a stable sort of so many numbers that a call takes whose like was asked for
# before at another size.
SORTED_OF_A_CALL = 10_000
OF_A_CALL = (
    ("trn2", {"algorithm": "bucket"}, 0.15),
    ("trn2", {}, 0.15),
    ("trn2-ultraserver", {}, 0.2),
    ("rainier", {"algorithm": "ring"}, 0.5),
)
CALLS = 200


def small_calls() -> list[Gate]:
    """Calls that differ from earlier ones in size alone, beside a sort of numpy."""
    gates = []
    values = np.random.default_rng(0).random(SORTED_OF_A_CALL)
    sizes = (2.0 ** np.linspace(10, 36, CALLS)).tolist()

    def sort() -> None:
        for _ in range(CALLS):
            np.sort(values, kind="stable")

    for name, options, factor in OF_A_CALL:
        machine = rf.preset(name)

        def ours(machine: rf.Machine = machine, options: dict[str, str] = options) -> None:
            for size in sizes:
                machine.all_reduce(size, **options)  # type: ignore[arg-type]

        words = ", ".join(options.values()) or "auto"
        label = f"all_reduce of {name} by {words} at another size / stable sort of 10,000"
        gates.append(at_most(label, factor, ours, sort))
    return gates
