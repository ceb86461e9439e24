"""What an UltraServer serves, and what a job of so many trains."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from rainier_fast.definitions.rates import Rates
from rainier_fast.errors import InvalidArgument, Unsupported, invalid
from rainier_fast.fleet.split import Floats, Ints
from rainier_fast.machine.machine import Machine
from rainier_fast.operations.checkpoint import Checkpoint
from rainier_fast.serving.result import ServingResult
from rainier_fast.serving.serving import Serving
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.step import TrainingStep
from rainier_fast.workload.training import Training

_MOST_BLOCK: Final = 8
_LOADS: Final = [1 << power for power in range(13)]
_MOST_SIZES: Final = 64


class Objective(NamedTuple):
    """Mean seconds to the first token and between tokens; infinite for any."""

    ttft: float
    tpot: float


@dataclass(frozen=True, slots=True)
class Block:
    """The UltraServers that serve together, at the load that suits the objective."""

    units: int
    served: ServingResult


def block(
    at: int, machine: Machine, service: Serving, layout: Layout | None, aim: Objective
) -> Block:
    """Return the block of a service: the smallest that holds it, at its best load."""
    if layout is None:
        return _found(at, machine, service, aim)
    server = machine.ultraserver.num_chips
    ranks = server * layout.ranks_per_chip
    units = math.lcm(layout.tp * layout.pp, ranks) // ranks
    _fits(at, units, machine)
    chips = units * server
    replicas = chips * layout.ranks_per_chip // (layout.tp * layout.pp)
    told = machine.serve_times(service, layout, [one * replicas for one in _LOADS], chips=chips)
    passed = np.maximum(told["ttft_s"] / aim.ttft, told["tpot_s"] / aim.tpot)
    usable = told["waiting"] == 0
    within = usable & (passed <= 1)
    if not within.any():
        best = int(np.where(usable, passed, np.inf).argmin())
        _missed(at, aim, float(told["ttft_s"][best]), float(told["tpot_s"][best]))
    best = int(np.where(within, told["tokens_per_s"], -1.0).argmax())
    load = float(told["concurrency"][best])
    return Block(units, machine.serve(service, layout, concurrency=load, chips=chips))


def _found(at: int, machine: Machine, service: Serving, aim: Objective) -> Block:
    """Return the best block of 1, 2, 4 or 8 UltraServers, the first that holds the service."""
    server, units = machine.ultraserver.num_chips, 1
    asked = {name: value for name, value in aim._asdict().items() if value != math.inf}
    while True:
        _fits(at, units, machine)
        try:
            table = machine.best_serving(service, keep=1, chips=units * server, **asked)
            break
        except InvalidArgument as error:
            if error.argument != "service" or units == _MOST_BLOCK:
                raise
            units *= 2
    row = next(iter(table))
    if not row["meets"]:
        _missed(at, aim, row["ttft_s"], row["tpot_s"])
    names = ("tp", "pp", "ep", "ranks_per_chip")
    layout = Layout(**{name: row[name] for name in names})
    load = float(row["concurrency"])
    return Block(units, machine.serve(service, layout, concurrency=load, chips=units * server))


def _fits(at: int, units: int, machine: Machine) -> None:
    if units > machine.num_ultraservers:
        allowed = f"UltraServers a block: the machine has only {machine.num_ultraservers:,}"
        raise invalid(f"services[{at}]", units, allowed)


def _missed(at: int, aim: Objective, ttft: float, tpot: float) -> None:
    name = "ttft" if ttft / aim.ttft >= tpot / aim.tpot else "tpot"
    raise invalid(
        name,
        getattr(aim, name),
        f"seconds: services[{at}] cannot meet it on whole UltraServers; the nearest has "
        f"{ttft:.4g} s to the first token and {tpot:.4g} s between tokens",
    )


@dataclass(frozen=True, slots=True)
class Sizes:
    """A job at all sizes that are worth having, from none at all.

    Attributes
    ----------
    job
        What it trains.
    layout
        How it is cut; replicas are what differs.
    units
        UltraServers.
    rates
        Tokens a second that count, after failures.
    steps, kept
        The step of each size but the first, and the share of its work that counts.
    """

    job: Training
    layout: Layout
    units: Ints
    rates: Floats
    steps: tuple[TrainingStep, ...]
    kept: tuple[float, ...]


def sizes(
    at: int, machine: Machine, job: Training, layout: Layout, most: int, failing: dict[str, Any]
) -> Sizes:
    """Return a job at every number of replicas that divides its batch and fills UltraServers."""
    server = machine.ultraserver.num_chips
    ranks = server * layout.ranks_per_chip
    alone = layout.tp * layout.pp * layout.cp * layout.islands
    found: list[tuple[int, float, TrainingStep, float]] = []
    why = f"no number of replicas fills whole UltraServers, at most {most:,}, and divides the batch"
    for replicas in _divisors(job.batch):
        count, rest = divmod(replicas * alone, ranks)
        if rest or not 1 <= count <= most:
            continue
        try:
            step = machine.training_step(job, layout.with_(dp=replicas), chips=count * server)
            if not step.fits:
                why = f"{replicas:,} replicas do not fit the memory"
                continue
            kept = machine.goodput(step, **failing).goodput
        except (InvalidArgument, Unsupported) as error:
            why = str(error)
            continue
        rate = float(step.tokens_per_s) * kept
        if not found or rate > found[-1][1]:
            found.append((count, rate, step, kept))
    if not found:
        raise invalid(f"jobs[{at}]", str(layout), f"must run at one size at least; {why}")
    found = found[-_MOST_SIZES:]
    counts, rates, steps, kepts = zip(*found, strict=True)
    return Sizes(
        job,
        layout,
        np.asarray((0, *counts), np.int64),
        np.asarray((0.0, *rates)),
        steps,
        kepts,
    )


def best_layout(machine: Machine, job: Training, room: int) -> Layout:
    """Return the layout that is fastest on as many UltraServers, a power of two, as there are."""
    units = 1 << (max(room, 1).bit_length() - 1)
    chips = units * machine.ultraserver.num_chips
    return machine.best_layouts(job, chips=chips, keep=1).best


def failing(rates: Rates, policy: str, checkpoint: Checkpoint | None) -> dict[str, Any]:
    """Return what `Machine.goodput` is asked beside the step.

    What stands by in the fleet takes the place of what fails: no job waits for a repair, and a
    replica that left is back once it has restarted.
    """
    asked: dict[str, Any] = {"rates": rates, "policy": policy, "checkpoint": checkpoint}
    if policy == "restart":
        return asked
    return {**asked, "repair": (Checkpoint() if checkpoint is None else checkpoint).restart_s}


def _divisors(number: int) -> list[int]:
    low = [one for one in range(1, math.isqrt(number) + 1) if number % one == 0]
    return sorted({*low, *(number // one for one in low)})
