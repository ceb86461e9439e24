"""Training steps as plain rows: job, layout and machine, and the answer, which is asked again."""

from __future__ import annotations

from typing import Any, Final

from rainier_fast.ask.question_file import routing_of, routing_told
from rainier_fast.definitions.efficiency import Efficiency
from rainier_fast.definitions.routing import DimensionOrder
from rainier_fast.files import kinds
from rainier_fast.files.answers import answered, compare, needed, only, tried
from rainier_fast.files.fields import Plain, from_plain, to_plain
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.step import TrainingStep
from rainier_fast.workload.stepped import Asked, run_step
from rainier_fast.workload.training import Training

_KEYS: Final = (
    "chips",
    "algorithm",
    "routing",
    "training",
    "layout",
    "efficiency",
    "machine",
    "answer",
)


def describe(step: TrainingStep) -> Plain:
    """Return what was asked, of which machine, and the answer."""
    plain: Plain = {"algorithm": step.algorithm}
    if step.routing != DimensionOrder():
        plain["routing"] = routing_told(step.routing)
    return plain | {
        "training": to_plain(step.training),
        "layout": to_plain(step.layout),
        "answer": answered(step.to_dict()),
        "efficiency": to_plain(step.efficiency),
        "machine": kinds.told(step.machine, "machine"),
    }


def made(plain: Plain) -> TrainingStep:
    """Ask again what a dict asks, and see whether the answer is the same."""
    only(plain, _KEYS)
    machine: Any = kinds.inner("machine", needed(plain, "machine"), ("machine",))
    job = from_plain(Training, needed(plain, "training"), ("training",))
    layout = from_plain(Layout, plain.get("layout", {}), ("layout",))
    rates = plain.get("efficiency")
    if rates is not None:
        rates = from_plain(Efficiency, rates, ("efficiency",))
    routing = routing_of(plain.get("routing", "dor"), ("routing",))
    asked = Asked(plain.get("chips"), plain.get("algorithm"), rates, routing)
    step = tried(lambda: run_step(machine, job, layout, asked), (), plain)
    if plain.get("answer") is not None:
        compare(plain, step.to_dict())
    return step
