"""A page of a training step."""

from __future__ import annotations

import math
from typing import Any, Final

from rainier_fast.ask.groups import Groups
from rainier_fast.errors import RainierError
from rainier_fast.report import content, markup, timeline, torus
from rainier_fast.report.content import Content
from rainier_fast.report.markup import Html, joined, tag
from rainier_fast.report.view import View
from rainier_fast.table import Table
from rainier_fast.units import format_bytes, format_flops, format_time
from rainier_fast.workload.layout import ORDERS
from rainier_fast.workload.orders.layout_axes import layout_axes
from rainier_fast.workload.peaks import peak_flops
from rainier_fast.workload.ran import Priced
from rainier_fast.workload.step import TrainingStep

_SAME: Final = 1e-9  # of times that are the same question's answer


def of(step: TrainingStep) -> Content:
    """Return what a page says of a step."""
    notes: list[str] = []
    name = f"a training step of {step.training.transformer.name}"
    views = [
        content.tried(lambda: _torus(step), notes, "the torus"),
        content.tried(lambda: timeline.of_step(step), notes, "the timeline"),
    ]
    parts = step._page()
    machine: Any = step.machine
    where = machine.name or machine.ultraserver.name
    return Content(
        title=f"{name} on {where}",
        lede=str(parts[0]),
        kind=step.kind,
        prediction=joined([_numbers(step), content.page_parts(parts[1:], "parts"), _tables(step)]),
        machine=content.machine(machine),
        bounds=_bounds(step),
        assumptions=joined(
            [
                content.assumptions(machine.assumptions, step.guesses),
                markup.table(step.overlaps, "which collectives hide behind what, by which rule"),
            ]
        ),
        measured=_measured(step),
        views=tuple(one for one in views if one is not None),
        notes=tuple(notes),
        stills=("parts", "memory"),
        result=step,
        told=step.to_dict(),
    )


def _numbers(step: TrainingStep) -> Html:
    per_chip = step.tokens_per_s_per_chip
    return content.key_numbers(
        [
            ("time of a step", step.time_s, f"{format_time(step.time_s)}, {step.kind}"),
            ("tokens a second", step.tokens_per_s, f"{step.tokens_per_s:,.0f}"),
            ("tokens a second a chip", per_chip, f"{per_chip:,.1f}"),
            ("MFU", step.mfu, f"{step.mfu:.1%}"),
        ]
    )


def _tables(step: TrainingStep) -> Html:
    parts = Table({"part": list(step.parts), "time_s": list(step.parts.values())})
    return joined(
        [
            markup.table(parts._of_kind(step.kind), "what a step is spent on: it all adds up"),
            markup.table(step.memory, "bytes of a rank of each stage"),
            markup.table(step.collectives, "collectives of the step, each once and alone"),
        ]
    )


def _bounds(step: TrainingStep) -> Html:
    """Return what a step takes at the least, by FLOPs alone."""
    peak = peak_flops(step.machine, step.training)
    least = step.training.flops / peak
    rows = Table(
        {
            "bound": [f"FLOPs of the job at the peak of all chips, {format_flops(peak)}"],
            "time_s": [least],
            "times_above": [step.time_s / least if least > 0 else math.nan],
        }
    )
    words = "No step takes less than its FLOPs at the headline peak of all chips; MFU is the bound "
    words += "over the time. Conventions of MFU differ:"
    return joined(
        [
            markup.table(rows, "bounds"),
            tag("p", words),
            markup.table(step.mfus, "MFU by convention and peak"),
        ]
    )


def _measured(step: TrainingStep) -> Html:
    """Return the nearest rows, and the band that our errors on them would make here."""
    try:
        rows = step.nearest_measurements
    except RainierError as error:
        return tag("p", f"None: {error}.")
    made = content.measured(
        lambda: rows, "measured runs that are nearest in size, and our error on them"
    )
    # As `TrainingStep.band_s`, which would run the measured jobs again.
    times = [step.time_s, *(step.time_s / (1 + error) for error in rows["error"].tolist())]
    words = "If we were as far off here as on these rows, a step would take "
    words += f"{format_time(min(times))} to {format_time(max(times))}: a spread of rows, no "
    return joined([made, tag("p", f"{words}confidence interval.")])


def _torus(step: TrainingStep) -> View:
    """Return the loads of the longest collective of the step whose groups can be asked again."""
    machine: Any = step.machine
    ranked = sorted(step._ran.collectives, key=lambda one: -one.seconds)
    for one in ranked:
        found = _asked_again(step, one)
        if found is not None:
            what = f"{one.operation} of {format_bytes(one.size)} over {one.axes}, the longest"
            if one is not ranked[0]:
                what += " of the step that is drawn"
            return torus.view(found, found.link_loads(), what)
    raise RainierError(
        f"none of the step's {len(ranked)} collectives is on groups that are counted up over "
        f"whole chips of {machine.name or machine.ultraserver.name}; ask for one of them alone"
    )


def _asked_again(step: TrainingStep, one: Priced) -> Any:  # noqa: ANN401 - a CollectiveResult
    """Return a collective of a step asked alone; None where that is not the same, to the bit."""
    layout, machine = step.layout, step.machine
    if layout.ranks_per_chip > 1 or one.operation == "send_recv" or layout.order not in ORDERS:
        return None
    ranks = machine.num_chips
    sizes = {"tp": layout.tp, "cp": layout.cp, "pp": layout.pp, "dp": step.replicas}
    etp = layout.expert_tp if layout.ep > 1 else layout.etp
    try:
        axes = layout_axes(layout.order, ranks, {**sizes, "ep": layout.ep, "etp": etp})
        for name in one.axes.split(", "):
            axis = axes.get(name)
            if not isinstance(axis, tuple) or axis[0] != one.ranks:
                continue
            groups = Groups(num_chips=ranks, ranks=axis[0], stride=axis[1])
            call = getattr(machine, one.operation)
            found = call(
                one.size,
                group=groups,
                algorithm=one.algorithm.partition("(")[0],
                routing=step.routing,
                dtype="bf16",
            )
            if math.isclose(found.time_s, one.seconds, rel_tol=_SAME):
                return found
    except RainierError:
        return None
    return None
