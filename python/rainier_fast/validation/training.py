"""Measured training runs beside what `Machine.training_step` says of the same job and layout.

Nothing is fitted here. Rows that constants may see are in groups of their own.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

from rainier_fast.definitions.efficiency import Efficiency
from rainier_fast.errors import InvalidArgument, UnknownName, Unsupported
from rainier_fast.validation.row import Row
from rainier_fast.validation.training_cases import MEMORY, SOURCES, Case, cases
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.step import TrainingStep
from rainier_fast.workload.training import Training

SOURCE: Final = "training"
"""The name of the reference: seconds of steps."""
MEMORY_SOURCE: Final = "training_memory"
"""The name of the reference: bytes of a chip."""

_JOB: Final = ("sequence", "batch", "precision", "optimizer", "recompute")
_MORE: Final = ("attention", "dropout", "dispatch")
_LAYOUT: Final = ("tp", "pp", "cp", "ep", "zero", "microbatch", "schedule", "virtual")
_CUT: Final = ("context", "order", "overlap")
_LIKE: Final = {"h100-96gb": "h100"}
"""Parts that no table of products is of -> the part whose shares are carried over."""
_GIB: Final = 2.0**30
_STATES: Final = ("weights_bytes", "gradients_bytes", "optimizer_bytes")


class Left(NamedTuple):
    """A measured run that is not run."""

    case: Case
    why: str


def rows() -> list[Row]:
    """Return each measured step beside ours."""
    return [_row(one, step) for one, step in _runs()[0]]


def compare(case: Case) -> Row:
    """Return one measured step beside ours."""
    return _row(case, run(case))


def left() -> list[Left]:
    """Return the measured runs that are not run."""
    return list(_runs()[1])


def memory_rows() -> list[Row]:
    """Return published memory beside ours: what was measured, then closed forms of a paper."""
    found = []
    for one, step in _runs()[0]:
        if "memory_gib" in one.fields:
            most = max(step.memory["total_bytes"].tolist())
            found.append(_memory(one, step, "most of a chip", one["memory_gib"], most))
    for one in cases(MEMORY):
        step = run(one)
        if "activations_gib" in one.fields:
            kept = sum(float(step.memory[name][0]) for name in _STATES)
            held = float(step.memory["activations_bytes"][0])
            found.append(_memory(one, step, "states", one["state_gib"], kept))
            found.append(_memory(one, step, "activations", one["activations_gib"], held))
    return found


def run(case: Case) -> TrainingStep:
    """Return our step of a run."""
    machine = case.machine
    like = _LIKE.get(case["machine"])
    rates = None if like is None else Efficiency.of(case["machine"], like=like)
    return machine.training_step(job(case), layout(case), efficiency=rates)


def job(case: Case) -> Training:
    """Return what was trained as a job."""
    given = {name: case[name] for name in _JOB}
    given |= {name: case[name] for name in _MORE if name in case.fields}
    return Training(case.model, **given)


def layout(case: Case) -> Layout:
    """Return how it was cut."""
    given: dict[str, Any] = {name: case[name] for name in _LAYOUT}
    given |= {name: case[name] for name in _CUT if name in case.fields}
    shared = case["sequence_parallel"] if case["tp"] > 1 else None
    etp = case["etp"] if case["ep"] > 1 else None
    return Layout(dp=case.dp, sequence_parallel=shared, etp=etp, split=_split(case), **given)


def _split(case: Case) -> tuple[int, ...] | None:
    """Return layers of each chunk where embedding and head count as one, as Megatron has it."""
    chunks = case["pp"] * case["virtual"]
    if "ends" not in case.fields or chunks == 1 or (case.model.layers + 2) % chunks:
        return None
    each = (case.model.layers + 2) // chunks
    return (each - 1, *[each] * (chunks - 2), each - 1) if each > 1 else None


@cache
def _runs() -> tuple[tuple[tuple[Case, TrainingStep], ...], tuple[Left, ...]]:
    made, not_made = [], []
    for one in (one for source in SOURCES for one in cases(source)):
        if "not_run" in one.fields:
            not_made.append(Left(one, one["not_run"]))
            continue
        try:
            made.append((one, run(one)))
        except (InvalidArgument, UnknownName, Unsupported) as error:
            not_made.append(Left(one, str(error)))
    return tuple(made), tuple(not_made)


def _row(one: Case, step: TrainingStep) -> Row:
    return Row(
        group=f"{one.family}, {'rows that fits may see' if one['fit'] else 'rows kept from fits'}",
        case=one.title,
        quantity="step",
        unit="s",
        published=one.step_s,
        ours=step.time_s,
        kind=step.kind,
        model="training_step",
        source=one["source"],
        note=_note(one, step),
    )


def _memory(one: Case, step: TrainingStep, what: str, published: float, ours: float) -> Row:
    said = f"{one.title}, recompute {one['recompute']}"
    return Row(
        group=f"Memory: {one.family}",
        case=f"{said}, sequence parallel" if one["sequence_parallel"] and one["tp"] > 1 else said,
        quantity=what,
        unit="GiB",
        published=published,
        ours=ours / _GIB,
        kind=step.kind,
        model="training_step",
        source=one["source"],
        note=one.get("counts", one.get("note", "")),
    )


def _note(one: Case, step: TrainingStep) -> str:
    most = max(step.parts, key=lambda name: step.parts[name])
    notes = [f"{one['software']}, {one['date']}", f"{most} {step.parts[most] / step.time_s:.0%}"]
    if not step.fits:
        notes.append("ours does not fit memory")
    if one.get("assumed"):
        notes.append(f"assumed: {', '.join(one['assumed'])}")
    return "; ".join(notes).replace("%", " %")
