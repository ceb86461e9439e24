"""A training step as it was asked for: checked, and run."""

from __future__ import annotations

from typing import NamedTuple

from rainier_fast.definitions.routing import Routing
from rainier_fast.errors import invalid_type
from rainier_fast.faults.damaged import Damaged
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.part import part_of, refuse_dead_chips
from rainier_fast.workload.running import ran, rates_of, request_of
from rainier_fast.workload.step import TrainingStep
from rainier_fast.workload.training import Training


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
    refuse_dead_chips(part)
    request = request_of(part, asked.algorithm, job, asked.routing)
    rates = rates_of(part, asked.efficiency)
    found = ran(part, job, layout, request, rates)
    algorithm = str(request.algorithm)
    return TrainingStep(part, job, layout, algorithm, request.routing, rates, found)
