"""A training step of the same job on several machines."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any, Final

from rainier_fast.errors import RainierError, invalid_type, unexpected
from rainier_fast.machine.about import about
from rainier_fast.machine.alike import name_of, of_as_many
from rainier_fast.machine.machine import Machine
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.part import part_of
from rainier_fast.workload.step import TrainingStep
from rainier_fast.workload.step_comparison import Compared, StepComparison, comparison_of
from rainier_fast.workload.training import Training

_GIVEN: Final = frozenset({"self", "job", "layout", "chips", "keep"})


def compare_steps(
    machines: Sequence[Machine],
    job: object,
    layout: object,
    group_chips: int | None,
    options: dict[str, Any],
) -> StepComparison:
    """Return a row for each machine: `rainier_fast.compare` with a job."""
    if not isinstance(job, Training):
        raise invalid_type("job", job, "must be a Training")
    if layout is not None and not isinstance(layout, Layout):
        allowed = "must be a Layout, or None for the best on each machine"
        raise invalid_type("layout", layout, allowed)
    _check(options, "best_layouts" if layout is None else "training_step")
    rows = []
    for machine, refused in _parts(machines, group_chips):
        step, reason = (None, refused) if refused else _step(machine, job, layout, options)
        known, _ = about(machine)
        rows.append(Compared(name_of(machine), machine.num_chips, step, known, reason))
    return comparison_of(rows, job)


def _check(options: dict[str, Any], method: str) -> None:
    known = set(signature(getattr(Machine, method)).parameters) - _GIVEN
    for name in options:
        if name not in known:
            raise unexpected("compare", name, sorted(known))


def _parts(machines: Sequence[Machine], chips: int | None) -> list[tuple[Machine, str]]:
    """Return the part of each machine that runs, or why there is none."""
    if chips is None:
        return [(machine, "") for machine in machines]
    found = []
    for (part, group, _), machine in zip(of_as_many(machines, chips), machines, strict=True):
        if group is None:
            found.append((part, ""))
            continue
        try:
            found.append((part_of(machine, chips), ""))
        except RainierError as error:
            found.append((machine, str(error)))
    return found


def _step(
    machine: Machine, job: Training, layout: Layout | None, options: dict[str, Any]
) -> tuple[TrainingStep | None, str]:
    try:
        if layout is None:
            return machine.best_layouts(job, keep=1, **options).step(0), ""
        return machine.training_step(job, layout, **options), ""
    except RainierError as error:
        return None, str(error)
