"""The measured training runs nearest to a prediction, and our error on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any, Final, NamedTuple

from rainier_fast.errors import RainierError, Unsupported
from rainier_fast.faults.damaged import Damaged
from rainier_fast.measured.training import runs_on
from rainier_fast.table import Table
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.models import models, named
from rainier_fast.workload.parts import Experts, Mla, Window
from rainier_fast.workload.step_figures import StepFigures
from rainier_fast.workload.training import Training
from rainier_fast.workload.transformer import Transformer

_COUNT: Final = 3
_PARTS: Final = {"mla": Mla, "experts": Experts, "window": Window}
_OF_JOBS: Final = {field.name for field in fields(Training)} - {"model"}
_OF_LAYOUTS: Final = {field.name for field in fields(Layout)} - {"overlap"}


class Measured(NamedTuple):
    """A run that was measured, as a job and a layout."""

    job: Training
    layout: Layout
    chips: int
    step_s: float
    row: Mapping[str, Any]


def measured(machine: str) -> Iterator[Measured]:
    """Yield the runs on the preset of this name that can be said as a job and a layout."""
    for row, shapes in runs_on(machine):
        try:
            found = _measured(row, shapes)
        except RainierError:
            continue  # a precision or a schedule that is not modelled
        if found is not None:
            yield found


def _measured(row: Mapping[str, Any], shapes: Mapping[str, Any]) -> Measured | None:
    if row.get("not_run") or row.get("hides"):
        return None
    model = _model(row["model"], shapes)
    job = Training(model, **{name: row[name] for name in _OF_JOBS & row.keys()})
    chips = int(row.get("chips") or math.prod(row["shape"]))
    layout = _layout(row, model.layers)
    layout = layout.with_(dp=max(chips // layout.model_ranks, 1))
    seconds = row.get("step_s") or job.tokens / (chips * row["tokens_per_s"])
    return Measured(job, layout, chips, float(seconds), row)


def _layout(row: Mapping[str, Any], layers: int) -> Layout:
    given = {name: row[name] for name in _OF_LAYOUTS & row.keys()}
    # Fields that a source says for all of its rows have no meaning in some.
    if given.get("tp", 1) == 1:
        given.pop("sequence_parallel", None)
    if given.get("ep", 1) == 1:
        given.pop("etp", None)
    chunks = given.get("pp", 1) * given.get("virtual", 1)
    if given.get("schedule") == "interleaved" and given.get("virtual", 1) == 1:
        given["schedule"] = "1f1b"
    if "ends" in row and chunks > 1 and (layers + 2) % chunks == 0:
        each = (layers + 2) // chunks
        given["split"] = (each - 1, *[each] * (chunks - 2), each - 1)
    return Layout(**given)


def _model(name: str, shapes: Mapping[str, Any]) -> Transformer:
    if name not in shapes and name in models():
        return named("model", name)
    made = {
        field: _PARTS[field](**value) if field in _PARTS else value
        for field, value in shapes[name].items()
    }
    return Transformer(name=name, **made)


def nearest(
    step: StepFigures, seconds: Callable[[Measured, Damaged], float]
) -> list[tuple[Measured, float]]:
    """Return the runs nearest in size, with what they take by us on machines of their size."""
    runs = list(measured(step.machine.name or "")) or list(_of_slices(step.machine))
    known = sorted(runs, key=lambda one: _distance(step, one))
    found: list[tuple[Measured, float]] = []
    for one in known:
        machine = _sized(step.machine, one)
        if machine is None or len(found) == _COUNT:
            continue
        with suppress(RainierError):  # layouts that are not modelled
            found.append((one, seconds(one, machine)))
    return found


def _of_slices(machine: Damaged) -> Iterator[Measured]:
    """Yield the runs on slices of a TPU, whose preset has the name of the chip."""
    chip = machine.ultraserver.chip
    if chip is not None and machine.ultraserver.tpu is not None:
        yield from measured(chip.name)


def _distance(step: StepFigures, one: Measured) -> float:
    mine, its = step.training, one.job
    pairs = (
        (mine.transformer.parameters, its.transformer.parameters),
        (step.chips, one.chips),
        (mine.sequence, its.sequence),
    )
    return sum(abs(math.log(a / b)) for a, b in pairs)


def _sized(machine: Damaged, one: Measured) -> Damaged | None:
    """Return such a machine, whole, of as many chips as a run had; None if there is none."""
    whole, unit = machine.healthy(), machine.ultraserver.num_chips
    if "shape" in one.row:
        same = tuple(one.row["shape"]) == machine.ultraserver.shape
        return whole if same and machine.num_chips == one.chips else None
    if one.chips % unit:
        return None
    site = replace(machine.sites[0], ultraservers=one.chips // unit)
    made = whole._with_core(whole._core)
    made._define([site], None, machine.name)
    return made


def table(rows: list[tuple[Measured, float]], kind: str) -> Table:
    """Return measured runs beside what they take by us."""
    jobs = [one.job for one, _ in rows]
    columns: dict[str, list[Any]] = {
        "model": [job.transformer.name for job in jobs],
        "chips": [one.chips for one, _ in rows],
        "sequence": [job.sequence for job in jobs],
        "batch": [job.batch for job in jobs],
        "measured_s": [one.step_s for one, _ in rows],
        "predicted_s": [seconds for _, seconds in rows],
        "error": [seconds / one.step_s - 1 for one, seconds in rows],
        "layout": [str(one.layout) for one, _ in rows],
    }
    for name in ("software", "date", "source"):
        columns[name] = [one.row.get(name, "") for one, _ in rows]
    return Table(columns)._of_kind(kind)


def none_measured(machine: Damaged) -> Unsupported:
    """Return that no run was measured on a machine of this kind."""
    label = machine.name or machine.ultraserver.name
    return Unsupported(
        f"no measured training step on {label} is public; give times of your own beside .time_s"
    )
