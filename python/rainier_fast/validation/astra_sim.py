"""ASTRA-sim's two analytical backends: their times, ours, and ours with their conventions granted.

Known faults of theirs are named in the notes and are in no model of ours: what is granted here is
granted in this file, to show that a difference has no other reason.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from rainier_fast.ask.options import Model
from rainier_fast.ask.runtime import LINKS_ALONE
from rainier_fast.definitions.axis import Axis
from rainier_fast.definitions.routing import DimensionOrder, Routing
from rainier_fast.definitions.ultraserver import UltraServer
from rainier_fast.machine.machine import Machine
from rainier_fast.machine.shapes import domain
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

UNAWARE: Final = "ASTRA-sim, congestion unaware"
AWARE: Final = "ASTRA-sim, congestion aware"
GRANTED: Final = ", its conventions granted"
_GIB: Final = 2**30  # its "GB/s" are 2^30 bytes/s
_RINGS: Final = {"ring": "ring_one_way", "halvingDoubling": "halving_doubling"}


class _Stage(NamedTuple):
    """One phase of one chunk: where, ours, and what its reductions read and write over there."""

    dimension: int
    result: CollectiveResult
    memory_s: float


def rows() -> list[Row]:
    """Return both times of each case beside ours."""
    found: list[Row] = []
    for case in read("astra_sim")["cases"]:
        kind = _all_to_all if case["collective"] == "all_to_all" else _all_reduce
        found += kind(case)
    return sorted(found, key=lambda row: (AWARE in row.group, row.group.endswith(GRANTED)))


def machine_of(case: dict[str, Any], *, delays: bool = True) -> Machine:
    """Return the machine of a case: one axis for each of its dimensions."""
    columns = (case["topology"], case["npus_count"], case["bandwidth_GiBps"], case["latency_ns"])
    axes = tuple(
        Axis(name, size, kind.lower(), rate * _GIB, delay * 1e-9)
        for name, kind, size, rate, delay in zip("xyzw", *columns, strict=False)
    )
    overhead = case["endpoint_delay_ns"] * 1e-9 if delays else 0.0
    return domain(UltraServer(case["name"], None, axes, overhead=overhead))


def through_stages(stages: Sequence[tuple[int, float]], chunks: int, slots: int = 1) -> float:
    """Return when the last of some chunks has gone through all stages."""
    free: dict[int, list[float]] = {dimension: [0.0] * slots for dimension, _ in stages}
    waiting = [(0.0, chunk, 0) for chunk in range(chunks)]
    last = 0.0
    while waiting:
        ready, chunk, at = heapq.heappop(waiting)
        dimension, seconds = stages[at]
        done = max(ready, heapq.heappop(free[dimension])) + seconds
        heapq.heappush(free[dimension], done)
        last = max(last, done)
        if at + 1 < len(stages):
            heapq.heappush(waiting, (done, chunk, at + 1))
    return last


def _all_reduce(case: dict[str, Any]) -> Iterator[Row]:
    machine, chunks, active = machine_of(case), case["splits"], case["active_chunks"]
    stages = list(_stages(machine, case, "link_load"))
    memory = [(stage.dimension, stage.result.time_s + stage.memory_s) for stage in stages]
    plain = [(stage.dimension, stage.result.time_s) for stage in stages]
    granted = through_stages(memory, chunks, active)
    ours = _shared(stages, plain, chunks, active)
    best = machine.all_reduce(case["bytes"])
    reasons = [
        f"ours without a limit on schedules: {best.time_s * 1e9:,.0f} ns by {best.algorithm}"
    ]
    if active > 1:
        reasons.append(f"its {active} chunks at once have a full link each")
    if case["optimization"] == "baseline":
        reasons.append("its baseline passes all bytes along every dimension")
    without = through_stages(plain, chunks, active)
    reasons.append(f"its memory terms are {(granted - without) * 1e9:,.0f} ns")
    if len(stages) > 1:
        reasons.append("one direction of one dimension for each chunk at a time")
    yield _row(case, UNAWARE, ours, "link_load", reasons)
    yield _row(case, UNAWARE + GRANTED, granted, "link_load", ["memory and concurrency as it has"])
    if case["congestion_aware_ns"] is None:
        return
    served = list(_stages(machine, case, "fifo"))
    times = [(0, stage.result.time_s) for stage in served]
    yield _row(case, AWARE, _shared(stages, times, chunks, active), "fifo", [reasons[-1]])
    times = [(0, stage.result.time_s + stage.memory_s) for stage in served]
    ours = _shared(stages, times, chunks, active)
    yield _row(case, AWARE + GRANTED, ours, "fifo", ["memory as it has"])


def _stages(machine: Machine, case: dict[str, Any], model: str) -> Iterator[_Stage]:
    """Yield the phases of one chunk: reduce-scatters up, an all-reduce, all-gathers down."""
    sizes = case["npus_count"]
    size, last = case["bytes"] / case["splits"], len(sizes) - 1
    whole = case["optimization"] == "baseline"
    for dimension in range(last + 1):
        what = "all_reduce" if whole or dimension == last else "reduce_scatter"
        memory = _memory(case, dimension, size)
        yield _Stage(dimension, _phase(machine, case, what, dimension, size, model), memory)
        size = size if whole or dimension == last else size / sizes[dimension]
    for dimension in reversed(range(0 if whole else last)):
        size *= sizes[dimension]
        yield _Stage(dimension, _phase(machine, case, "all_gather", dimension, size, model), 0.0)


def _phase(
    machine: Machine, case: dict[str, Any], what: str, dimension: int, size: float, model: str
) -> CollectiveResult:
    sizes = case["npus_count"]
    mesh = machine.mesh(**{f"d{at}": sizes[at] for at in reversed(range(len(sizes)))})
    run: Callable[..., CollectiveResult] = getattr(mesh, what)
    name = _RINGS[case["algorithms"][dimension]]
    return run(size, axis=f"d{dimension}", algorithm=name, model=model)


def _memory(case: dict[str, Any], dimension: int, size: float) -> float:
    """Seconds that reductions read and write: two reads and one write of each part received."""
    members = case["npus_count"][dimension]
    parts = [size / members] * (members - 1)
    if case["algorithms"][dimension] == "halvingDoubling":
        # The first exchange's reduction is not charged there.
        parts = [size / 2**step for step in range(2, members.bit_length())]
    rate = case["local_mem_GBps"] * 1e9
    return 3 * math.fsum(part / rate for part in parts)


def _shared(
    stages: Sequence[_Stage], times: Sequence[tuple[int, float]], chunks: int, active: int
) -> float:
    """Seconds where chunks that run at once share the links that they have in common."""
    busy: dict[int, float] = {}
    for stage in stages:
        busy[stage.dimension] = busy.get(stage.dimension, 0.0) + stage.result.serialisation_s
    least = chunks * max(busy.values())
    return max(least, through_stages(times, chunks, active))


def _all_to_all(case: dict[str, Any]) -> Iterator[Row]:
    # Each call there waits twice for the endpoint, however many messages it has.
    chunks, waits = case["splits"], 2 * case["endpoint_delay_ns"] * 1e-9
    machine, size = machine_of(case, delays=False), case["bytes"] / chunks
    clockwise = DimensionOrder("positive")
    free = f"{machine.num_chips - 1} messages of a chip have a full link each"
    ties = "ours halves messages that may go either way, unless told"
    if "Switch" in case["topology"]:
        ties = "stored at the switch, as theirs"
    ways: tuple[tuple[str, Model, Routing, str], ...] = (
        (UNAWARE, "link_load", "dor", free),
        (UNAWARE + GRANTED, "alpha_beta", clockwise, "no message meets another"),
        (AWARE, "fifo", "dor", ties),
        (AWARE + GRANTED, "fifo", clockwise, "ties clockwise"),
    )
    for group, model, routing, reason in ways:
        result = machine.all_to_all(size, algorithm="direct", model=model, routing=routing)
        yield _row(case, group, chunks * (result.time_s + waits), model, [reason])


def _row(
    case: dict[str, Any], group: str, seconds: float, model: str, reasons: Sequence[str]
) -> Row:
    key = "congestion_aware_ns" if AWARE in group else "congestion_unaware_ns"
    return Row(
        group,
        case["name"],
        "time",
        "ns",
        case[key],
        seconds * 1e9,
        LINKS_ALONE,
        model,
        read("astra_sim")["source"],
        "; ".join(reasons),
    )
