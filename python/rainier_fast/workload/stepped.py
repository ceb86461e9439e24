"""Runs a training step: checks what is asked, and asks the core."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from rainier_fast import _core
from rainier_fast.ask.cores import as_ranks_per_chip
from rainier_fast.ask.options import RUNTIME, DType
from rainier_fast.ask.request import Request, make_request
from rainier_fast.definitions.efficiency import Efficiency
from rainier_fast.definitions.routing import Routing
from rainier_fast.definitions.ultraserver import RUNTIMES
from rainier_fast.errors import Unsupported, as_one_of, invalid_type
from rainier_fast.faults.damaged import Damaged
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.overlap import overlap_row
from rainier_fast.workload.part import part_of
from rainier_fast.workload.peaks import chip_of, peak_type
from rainier_fast.workload.ran import Ran
from rainier_fast.workload.rows import layout_row, training_row
from rainier_fast.workload.step import TrainingStep
from rainier_fast.workload.training import Training

_ALGORITHMS: Final = ("auto", RUNTIME, *RUNTIMES.values())
_DTYPES: Final[dict[str, DType]] = {
    "bf16": "bf16",
    "fp16": "fp16",
    "fp32": "fp32",
    "fp8": "bf16",
    "mxfp8": "bf16",
}
"""What collectives move: no narrower numbers than those between operators."""


class Asked(NamedTuple):
    """The options of a step, as they were given."""

    chips: object = None
    algorithm: object = None
    efficiency: object = None
    routing: Routing = "dor"


def run_step(machine: Damaged, job: object, layout: object, asked: Asked) -> TrainingStep:
    """Return what a training step takes: `Machine.training_step`."""
    if not isinstance(job, Training):
        raise invalid_type("job", job, "must be a Training")
    if not isinstance(layout, Layout):
        raise invalid_type("layout", layout, "must be a Layout")
    part = machine if asked.chips is None else part_of(machine, asked.chips)
    request = request_of(part, asked.algorithm, job, asked.routing)
    rates = rates_of(part, asked.efficiency)
    per_chip = as_ranks_per_chip(part, layout.ranks_per_chip)
    cut = layout_row(layout, per_chip * part.num_chips)
    runs = runs_row(part, job, request, rates.part(per_chip))
    runs["per_chip"] = per_chip
    told = _core.training_step(part._core, training_row(job), cut, runs)
    algorithm = str(request.algorithm)
    return TrainingStep(part, job, layout, algorithm, request.routing, rates, Ran.of(told))


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
        return Efficiency.of(chip)
    if not isinstance(given, Efficiency):
        raise invalid_type("efficiency", given, "must be an Efficiency or None")
    return given


def runs_row(
    machine: Damaged, job: Training, request: Request, rates: Efficiency
) -> dict[str, Any]:
    """Return what a step runs on, as the core takes it."""
    return {
        "algorithm": str(request.algorithm),
        "dtype": request.dtype,
        "routing": request._routing_row(machine),
        "overlap": overlap_row(machine.runtime),
        "efficiency": rates._row(peak_type(job)),
    }
