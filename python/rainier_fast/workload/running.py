"""Asks the core for a training step, whose options it checks."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from rainier_fast import _core
from rainier_fast.ask.cores import as_ranks_per_chip
from rainier_fast.ask.options import RUNTIME, DType
from rainier_fast.ask.request import Request, make_request
from rainier_fast.definitions.chip import Chip
from rainier_fast.definitions.efficiency import Efficiency
from rainier_fast.definitions.routing import Routing
from rainier_fast.definitions.ultraserver import RUNTIMES
from rainier_fast.errors import Unsupported, as_one_of, invalid, invalid_type
from rainier_fast.faults.damaged import Damaged
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.overlap import overlap_row
from rainier_fast.workload.peaks import chip_of, peak_type
from rainier_fast.workload.ran import Ran
from rainier_fast.workload.rows import layout_row, training_row
from rainier_fast.workload.stacked import scattered
from rainier_fast.workload.training import Training

_ALGORITHMS: Final = ("auto", RUNTIME, *RUNTIMES.values())
_MOST_KNOWN: Final = 16  # chips whose rates were read
_DTYPES: Final[dict[str, DType]] = {
    "bf16": "bf16",
    "fp16": "fp16",
    "fp32": "fp32",
    "fp8": "bf16",
    "mxfp8": "bf16",
}
"""What collectives move: no narrower numbers than those between operators."""


def ranks_per_chip(machine: Damaged, layout: Layout) -> int:
    """Return how many ranks of a layout a chip has, where its software makes so many."""
    number = as_ranks_per_chip(machine, layout.ranks_per_chip)
    if number > 1 and machine.ultraserver.ranks_per_chip is None:
        allowed = f"must be 1: {machine.ultraserver.name} is not known to make ranks of cores"
        raise invalid("ranks_per_chip", number, allowed)
    return number


def ran(
    machine: Damaged, job: Training, layout: Layout, request: Request, rates: Efficiency
) -> Ran:
    """Return what the core says of a step on all of a machine."""
    per_chip = ranks_per_chip(machine, layout)
    cut = layout_row(layout, per_chip * machine.num_chips)
    scattered(layout, cut["dp"])  # refuses what the layout's stack does
    runs = runs_row(machine, job, request, rates.part(per_chip) if per_chip > 1 else rates)
    runs["per_chip"] = per_chip
    return Ran.of(_core.training_step(machine._core, training_row(job), cut, runs))


def request_of(machine: Damaged, algorithm: object, job: Training, routing: Routing) -> Request:
    """Return how collectives are asked for, checked."""
    if algorithm is None:
        algorithm = "auto" if machine.runtime is None else RUNTIME
    name = as_one_of("algorithm", algorithm, _ALGORITHMS)
    for part, runtime in RUNTIMES.items():
        if name == runtime and getattr(machine.ultraserver, part) is None:
            raise Unsupported(
                f"algorithm: got {name!r}, which {machine.ultraserver.name} does not run: it has "
                f"no {part}=; use 'auto' for the links alone"
            )
    dtype = _DTYPES[job.precision]
    return make_request(machine, "barrier", 0, algorithm=name, dtype=dtype, routing=routing)


def rates_of(machine: Damaged, given: object) -> Efficiency:
    """Return how fast chips compute: as given, or as was measured of them."""
    chip = chip_of(machine)
    if given is None:
        return _known(chip)
    if not isinstance(given, Efficiency):
        raise invalid_type("efficiency", given, "must be an Efficiency or None")
    return given


@lru_cache(_MOST_KNOWN)
def _known(chip: Chip) -> Efficiency:
    return Efficiency.of(chip)


def runs_row(
    machine: Damaged, job: Training, request: Request, rates: Efficiency
) -> dict[str, Any]:
    """Return what a step runs on, as the core takes it."""
    return {
        "algorithm": str(request.algorithm),
        "dtype": request.dtype,
        "routing": request._routing_row(machine),
        "overlap": overlap_row(machine.runtime),
        "efficiency": rates.row(peak_type(job)),
    }
