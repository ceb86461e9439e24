"""The performance gate: ratios, memory, instructions and growth. Exits 1 when one is missed.

    python benches/gate.py            everything
    python benches/gate.py --quick    a tenth of the flows, no numba
    python benches/gate.py --base REV instruction counts against another revision, built now too

No gate is an absolute time. A missed ratio is measured twice more before it counts, and the quick
gate, which runs on machines of all kinds, fails only when a ratio of CPU times is further from its
target than `gates.SLACK` (NEAR until then). Instructions, their growth and memory have no slack.
"""

import argparse
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import rainier_fast as rf
from calls import small_calls
from damage import damaged_all_reduce, drawn_faults, made_schedule
from flows import adaptive_loads, memory_of_rates, streamed_loads, unlike_messages
from fluid import fluid_all_reduce, memory_of_one_more, named_on_a_torus, one_more_server
from gates import SLACK, Gate, at_least
from layouts import layout_search
from mapping import mapped
from programs import costed
from scale import (
    flat_rings,
    further_sizes,
    growth_of_collectives,
    memory_of_collectives,
    memory_of_tori,
    what_auto_builds,
)
from starts import starts

from measure import (
    ROOT,
    callgrind_missing,
    counted_program,
    instructions,
    memory_missing,
    peak_growth_bytes,
)
from yardsticks import all_rates_anew, numba_hops, numpy_intervals, random_pairs

SIDE = 32
FULL_FLOWS = 10_000_000
# Instructions per flow of the dimension-order kernel on 32^3, scalar bytes, ties split. The floor
# is about 60: two coordinates taken apart on three axes, six to nine additions, and two random
# draws of the example itself.
MOST_INSTRUCTIONS_PER_FLOW = 270
# Instructions per flow of the fluid engine on disjoint one-hop flows in lock-step, building of the
# graph included. A flow is pushed to and popped from a heap of a thousand twice, once for its end
# and once for its arrival, and its link's level is found once.
MOST_INSTRUCTIONS_PER_LOCK_STEP_FLOW = 3000
# Instructions of a 1 GiB all-reduce by fluid over a torus, by side, the start of the process
# included. Nearly all of them write down the patterns of the schedule, chip by chip; the simulation
# is of classes of links.
MOST_INSTRUCTIONS_OF_ALL_REDUCE = {8: 3_800_000, 32: 165_000_000}
# CPU seconds of SimGrid for a random permutation of 20^3, run to the end on a machine of 2 cores;
# that of 32^3 had not ended after 300.
SIMGRID_CPU_S = 97.0
# Most CPU times of a sort of ten numbers for each flow that fair rates of a permutation may take.
MOST_SORTS = 15
# Uniform loads cost links, flows cost flows: instructions grow as the number of nodes does.
SLOPE = 1.0
SLOPE_TOLERANCE = 0.05


def link_load_ratios(flows: int, *, with_numba: bool) -> list[Gate]:
    """Random flows on 32^3 against numpy and numba, answers compared before anything is timed."""
    src, dst = random_pairs(flows, SIDE**3)
    torus = rf.torus((SIDE,) * 3, bandwidth="50 GB/s", latency="1 us")
    routing = rf.DimensionOrder(tie="positive", order=("z", "y", "x"))

    def ours() -> object:
        return torus.link_loads(src, dst, 1, routing=routing)

    loads = torus.link_loads(src, dst, 1, routing=routing).bytes
    slow = numpy_intervals(src, dst, SIDE)
    if (loads.sum(), loads.max()) != (slow.sum(), slow.max()):
        raise AssertionError("our loads and numpy's differ: nothing was timed")
    label = f"link loads of {flows:,} random flows"
    # A million flows fit numpy's caches better than ten million do: the quick gate asks for less.
    factor = 10 if flows >= FULL_FLOWS else 7
    gates = [
        at_least(f"{label}, numpy / ours", factor, ours, lambda: numpy_intervals(src, dst, SIDE))
    ]
    if with_numba:
        count = numba_hops()
        if not np.array_equal(count(src, dst, SIDE), slow):
            raise AssertionError("numba's loads and numpy's differ: nothing was timed")
        gates.append(at_least(f"{label}, numba / ours", 5, ours, lambda: count(src, dst, SIDE)))
    return gates


def mapping_ratio() -> Gate:
    """The best of 1,347,018 layouts of four axes over 65,536 chips against a sort."""
    values = np.random.default_rng(0).random(10_000_000)
    machine = rf.preset("rainier", chips=65_536)
    return at_least(
        "best_mapping of four axes, stable sort of 1e7 / ours",
        # Seen: 1.7.
        1,
        lambda: mapped(machine, 4),
        lambda: np.sort(values, kind="stable"),
    )


def permutation(side: int) -> Callable[[], NDArray[np.float64]]:
    """Finish times of a random permutation of a cube, equal sizes, run to the end."""
    torus = rf.torus((side,) * 3, bandwidth=1.0)
    src = np.arange(side**3)
    dst = np.random.default_rng(1).permutation(side**3)
    return lambda: torus.finish_times(src, dst, 1)


def finish_time_ratios() -> list[Gate]:
    """The fluid engine against sorts, and against finding all rates anew at every event."""
    rng = np.random.default_rng(0)
    small = rf.torus((4, 4, 4), bandwidth=1.0)
    pairs = np.divmod(np.arange(64 * 64), 64)
    middle = rf.torus((8, 8, 8), bandwidth=1.0)
    src, dst = np.arange(512), rng.permutation(512)

    def anew() -> object:
        return all_rates_anew(middle, src, dst)

    if not np.allclose(anew(), middle.finish_times(src, dst, 1), rtol=1e-8):
        raise AssertionError("finish times and those of all rates anew differ: nothing was timed")

    def sort(count: int) -> Callable[[], object]:
        # numpy's default sort is ten times faster where a processor has the instructions for it.
        values = rng.random(count)
        return lambda: np.sort(values, kind="stable")

    def all_pairs() -> object:
        return small.finish_times(*pairs, 1)

    def timed(gate: Gate, side: int) -> Gate:
        """Say what it took, beside SimGrid where that ends."""
        beside = f"; SimGrid 97 s: {SIMGRID_CPU_S / gate.seconds:,.0f} times" if side == 20 else ""
        return replace(gate, note=f"{gate.seconds * 1e3:.3g} ms of CPU{beside}")

    gate = at_least("permutation of 20^3, sort of 1e6 / ours", 1, permutation(20), sort(10**6))
    large = at_least("permutation of 32^3, sort of 1e7 / ours", 1, permutation(32), sort(10**7))
    return [
        timed(gate, 20),
        timed(large, 32),
        at_least("all pairs of 4^3, sort of 1e5 / ours", 1, all_pairs, sort(10**5)),
        at_least(
            "permutation of 8^3, all rates anew at each event / ours",
            5,
            lambda: middle.finish_times(src, dst, 1),
            anew,
        ),
    ]


def rates_at_size(chips: int) -> list[Gate]:
    """Fair rates of a random permutation of a whole cluster, and its run to the end, by sorts."""
    cluster = rf.preset("rainier", chips=chips, sites=3)
    src, dst = np.arange(chips), np.random.default_rng(1).permutation(chips)
    values = np.random.default_rng(0).random(round(chips / 1_048_576 * 10_000_000))

    def rates() -> object:
        return cluster.max_min_rates(src, dst)

    def shuffle() -> object:
        return cluster.finish_times(src, dst, "1 MiB")

    size = f"{values.size:.2g}"
    gates = [
        at_least(
            f"max-min rates of {chips:,} flows, sort of {size} / ours",
            1 / MOST_SORTS,
            rates,
            lambda: np.sort(values),
        ),
        # A stable sort: numpy's default is ten times faster where a processor has what it takes.
        at_least(
            f"shuffle of {chips:,} flows to its end, sort of {size} / ours",
            1 / 4,
            shuffle,
            lambda: np.sort(values, kind="stable"),
        ),
    ]
    return [replace(gate, note=f"{gate.seconds:.3g} s of CPU") for gate in gates]


def instructions_of_all_reduce(program: Path) -> list[Gate]:
    """The same all-reduce, counted."""
    gates = []
    for side, most in MOST_INSTRUCTIONS_OF_ALL_REDUCE.items():
        count = instructions(program, "collective", str(side), "fluid", "bucket", "1")
        name = f"instructions of that all-reduce, {side}^3"
        gates.append(Gate(name, count, f"<= {most:,}", count <= most))
    return gates


def lock_step(program: Path) -> list[Gate]:
    """100 steps of 1,000 disjoint flows, each step when the last one has arrived."""
    count = instructions(program, "event_flows", "lockstep", "100", "1000") / 100_000
    most = MOST_INSTRUCTIONS_PER_LOCK_STEP_FLOW
    name = "instructions per flow, fluid, lock-step"
    return [Gate(name, count, f"<= {most}", count <= most, "building the graph included")]


def memory(flows: int) -> list[Gate]:
    """Peak memory beside the inputs, in fresh processes."""
    setup = f"""
import numpy as np, rainier_fast as rf
rng = np.random.default_rng(1)
src, dst = rng.integers(0, 32768, {flows}), rng.integers(0, 32768, {flows})
torus = rf.torus((32, 32, 32), bandwidth="50 GB/s")
torus.link_loads(src[:9], dst[:9], 1)
"""
    loads = peak_growth_bytes(setup, "loads = torus.link_loads(src, dst, 1)")
    chips = 1_048_576 if flows >= FULL_FLOWS else 131_072
    rates = peak_growth_bytes(
        f"""
import numpy as np, rainier_fast as rf
cluster = rf.preset("rainier", chips={chips}, sites=3)
src, dst = np.arange({chips}), np.random.default_rng(1).permutation({chips})
""",
        "rates = cluster.max_min_rates(src, dst)",
    )
    most = 2**31 * chips / 1_048_576
    preset = peak_growth_bytes(
        "import rainier_fast as rf\nrf.preset('rainier', chips=64)",
        "cluster = rf.preset('rainier', chips=1_048_576)",
    )
    return [
        Gate(f"MB beside the inputs of {flows:,} flows", loads / 1e6, "< 64", loads < 64e6),
        Gate(
            f"MB beside the inputs of rates of {chips:,} flows",
            rates / 1e6,
            f"< {most / 1e6:.0f}",
            rates < most,
        ),
        Gate("MB that a preset of 1,048,576 chips adds", preset / 1e6, "< 16", preset < 16e6),
        Gate("bytes per chip of that preset", preset / 1_048_576, "< 16", preset < 16 * 1_048_576),
    ]


def kernel_count(program: Path, side: int, flows: int) -> int:
    """Instructions of the flows alone: a run without flows is taken off."""

    def run(count: int) -> int:
        return instructions(program, "random_flows", str(side), str(count), "dor", "1")

    return run(flows) - run(0)


def growth(program: Path) -> list[Gate]:
    """Instructions per flow, and the slope of instructions against nodes at one flow a node."""
    sides = (8, 16, 32)
    counts = [kernel_count(program, side, 32 * side**3) for side in sides]
    per_flow = counts[-1] / (32 * sides[-1] ** 3)
    slope = math.log(counts[-1] / counts[0]) / math.log(sides[-1] ** 3 / sides[0] ** 3)
    return [
        Gate(
            "instructions per flow, dimension order, 32^3",
            per_flow,
            f"<= {MOST_INSTRUCTIONS_PER_FLOW}",
            per_flow <= MOST_INSTRUCTIONS_PER_FLOW,
            "drawing the flows included",
        ),
        Gate(
            "slope of instructions against flows, 8^3 to 32^3",
            slope,
            f"{SLOPE} +- {SLOPE_TOLERANCE}",
            abs(slope - SLOPE) <= SLOPE_TOLERANCE,
        ),
    ]


COUNTS: tuple[Callable[[Path], list[Gate]], ...] = (growth, lock_step, instructions_of_all_reduce)


def against(base: str, head: Path) -> Gate:
    """Instructions of this tree's kernel over those of `base`, both built here and now."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "base"
        subprocess.run(
            ["git", "worktree", "add", "--detach", str(tree), base], check=True, cwd=ROOT
        )
        try:
            program = counted_program(tree)
            ratio = kernel_count(head, SIDE, 200_000) / kernel_count(program, SIDE, 200_000)
        finally:
            subprocess.run(
                ["git", "worktree", "remove", "--force", str(tree)], check=True, cwd=ROOT
            )
    return Gate(f"kernel instructions, this tree / {base}", ratio, "<= 1.01", ratio <= 1.01)


def main() -> int:
    """Run the gates and print one line for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the flows, no numba")
    parser.add_argument("--base", help="a revision to compare instruction counts with")
    options = parser.parse_args()
    if rf.build_info()["profile"] != "release":
        print("this is a debug build: install with `pip install .`", file=sys.stderr)
        return 1
    flows = FULL_FLOWS // 10 if options.quick else FULL_FLOWS
    gates = link_load_ratios(flows, with_numba=not options.quick)
    gates.append(mapping_ratio())
    gates.append(layout_search())
    gates.extend(growth_of_collectives())
    gates.extend(what_auto_builds())
    gates.extend(further_sizes())
    gates.extend(small_calls())
    gates.extend(costed())
    gates.extend(starts())
    gates.extend(flat_rings())
    gates.extend(finish_time_ratios())
    gates.extend(unlike_messages())
    gates.append(adaptive_loads())
    gates.extend(rates_at_size(131_072 if options.quick else 1_048_576))
    gates.extend(fluid_all_reduce())
    gates.extend(one_more_server())
    gates.extend(named_on_a_torus())
    gates.append(damaged_all_reduce())
    gates.append(drawn_faults())
    if not options.quick:
        gates.append(made_schedule())
        gates.append(streamed_loads())
    no_memory = memory_missing()
    if no_memory is None:
        gates.extend(memory(flows))
        gates.extend(memory_of_collectives())
        gates.extend(memory_of_one_more())
        gates.extend(memory_of_tori())
        gates.extend(memory_of_rates())
    missing = callgrind_missing()
    if missing is None:
        program = counted_program()
        # Counts are the same whatever else runs.
        with ThreadPoolExecutor() as pool:
            for counted in pool.map(lambda count: count(program), COUNTS):
                gates.extend(counted)
        if options.base:
            gates.append(against(options.base, program))
    elif options.base:
        print(f"--base needs instruction counts, and {missing}", file=sys.stderr)
        return 1
    slack = SLACK if options.quick else 1.0
    for gate in gates:
        print(gate.line(slack))
    if no_memory is not None:
        print(f"not measured: memory, because {no_memory}")
    if missing is not None:
        print(f"not measured: instructions and their growth, because {missing}")
    return 1 if "MISS" in {gate.verdict(slack) for gate in gates} else 0


if __name__ == "__main__":
    raise SystemExit(main())
