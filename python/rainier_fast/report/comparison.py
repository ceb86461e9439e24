"""Pages of comparisons: collectives, or training steps, on several machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rainier_fast.catalog import Figure
from rainier_fast.report import collective, content, markup, timeline, torus
from rainier_fast.report.content import Content
from rainier_fast.report.markup import Html, joined, tag
from rainier_fast.results.comparison import Comparison
from rainier_fast.table import Table
from rainier_fast.units import format_bytes, format_time
from rainier_fast.workload.step_comparison import StepComparison

_DRAWN: Final = 2  # machines whose links are drawn in space
_MOST: Final = 6  # machines that are told of one by one


def of(found: Comparison) -> Content:
    """Return what a page says of a collective on several machines."""
    notes: list[str] = []
    known = _known(found["machine"].tolist(), found.results)
    views = []
    for name, result in known[:_DRAWN]:
        made = content.tried(
            lambda name=name, one=result: torus.view(  # type: ignore[misc]
                one, one.link_loads(), f"{collective.title(one)} ({name})"
            ),
            notes,
            f"the torus of {name}",
        )
        if made is not None:
            views.append(made)
    kinds = ", ".join(dict.fromkeys(one.kind for _, one in known)) or "no answers"
    if known:
        views.append(timeline.of_results(dict(known), kinds))
    size = "" if found.operation == "barrier" else f" of {format_bytes(found.size_bytes)}"
    bounds = [joined([tag("h3", name), collective.bounds(one)]) for name, one in known[:_MOST]]
    return Content(
        title=f"{found.operation}{size} on {_names(found['machine'].tolist())}",
        lede=str(found._page()[0]),
        kind=kinds,
        prediction=_prediction(found, known),
        machine=_machines([(name, one.machine) for name, one in known]),
        bounds=joined(bounds) if bounds else tag("p", "No machine has an answer."),
        assumptions=content.assumptions(_assumed([one.machine for _, one in known])),
        measured=joined(
            [joined([tag("h3", name), collective._measured(one)]) for name, one in known[:_MOST]]
        ),
        views=tuple(views),
        notes=tuple(notes),
        stills=("comparison",),
        result=found,
        told=found.to_dict(),
    )


def of_steps(found: StepComparison) -> Content:
    """Return what a page says of a training step on several machines."""
    known = _known(found["machine"].tolist(), found.steps)
    kinds = found.kind
    views = (timeline.of_results(dict(known), kinds),) if known else ()
    guesses = [f"{name}: {line}" for name, step in known[:_MOST] for line in step.guesses]
    mfus = [
        markup.table(step.mfus, f"MFU of {name} by convention and peak")
        for name, step in known[:_MOST]
    ]
    words = "MFU is the time that the job's FLOPs take at the peak, over the time of the step:"
    return Content(
        title=f"a step of {found.training.transformer.name} on {_names(found['machine'].tolist())}",
        lede=str(found._page()[0]),
        kind=kinds,
        prediction=_prediction(found, known),
        machine=_machines([(name, step.machine) for name, step in known]),
        bounds=joined([tag("p", words), *mfus]),
        assumptions=content.assumptions(_assumed([one.machine for _, one in known]), guesses),
        measured=joined(
            [
                joined(
                    [
                        tag("h3", name),
                        content.measured(
                            lambda one=step: one.nearest_measurements,  # type: ignore[misc]
                            f"measured runs nearest to {name}, and our error on them",
                        ),
                    ]
                )
                for name, step in known[:_MOST]
            ]
        ),
        views=views,
        notes=("link loads: a page of one step alone has those of its longest collective",),
        stills=("parts",) if known else (),
        result=found,
        told=found.to_dict(),
    )


def _known(names: Sequence[str], results: Sequence[Any]) -> list[tuple[str, Any]]:
    """Return the answers by names, no two of which are the same."""
    out: dict[str, Any] = {}
    for at, (name, one) in enumerate(zip(names, results, strict=True)):
        if one is not None:
            out[name if name not in out else f"{name}, row {at + 1}"] = one
    return list(out.items())


def _names(names: Sequence[str]) -> str:
    if len(names) <= 3:
        return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"{len(names)} machines"


def _prediction(found: Any, known: Sequence[tuple[str, Any]]) -> Html:  # noqa: ANN401
    numbers = [
        (name, one.time_s, f"{format_time(one.time_s)}, {one.kind}") for name, one in known[:_MOST]
    ]
    parts = found._page()[1:]
    out: list[Html] = [content.key_numbers(numbers)]
    for part in parts:
        if isinstance(part, Table):
            out.append(markup.table(part, "machine by machine"))
        elif part:
            out.append(tag("p", str(part)))
    return joined(out)


def _machines(machines: Sequence[tuple[str, Any]]) -> Html:
    told = [content.machine(one, name) for name, one in machines[:_MOST]]
    if len(machines) > _MOST:
        words = f"The first {_MOST} of {len(machines)} machines are told of one by one, here, in "
        told.append(tag("p", f"{words}the bounds and in the measured rows; tables have all."))
    return joined(told)


def _assumed(machines: Sequence[Any]) -> dict[str, Figure]:
    """Return the assumptions of all machines, each once."""
    out: dict[str, Figure] = {}
    for one in machines:
        out |= dict(one.assumptions)
    return out
