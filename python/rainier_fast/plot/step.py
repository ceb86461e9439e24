"""Pictures of training steps: parts, the timeline, memory by stage, and layouts' front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rainier_fast.errors import Unsupported, invalid
from rainier_fast.plot import style
from rainier_fast.units import format_bytes, format_time
from rainier_fast.workload.layout_ranking import LayoutRanking
from rainier_fast.workload.step import TrainingStep
from rainier_fast.workload.step_comparison import StepComparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_EVENTS: Final = 20_000
_MOST_STAGES: Final = 256
_WRITTEN: Final = 24  # bars whose numbers are written beside them
_SHORT: Final = 48  # events whose microbatches are written in them, by stage
_WORK: Final = ("forward", "backward", "weights")
_KEPT: Final = ("weights", "gradients", "optimizer", "activations", "working", "gathered")


def timeline(step: TrainingStep, ax: Axes | None = None) -> Axes:
    """Draw what each stage of the pipeline does when.

    Parameters
    ----------
    step
        A training step.
    ax
        A matplotlib axis; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        That axis.

    Raises
    ------
    Unsupported
        If it has more than 20,000 pieces of work.
    InvalidType
        If it is no step.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> from rainier_fast import plot
    >>> job = rf.Training("llama-3.1-8b", sequence=8192, batch=32)
    >>> step = rf.preset("trn2-ultraserver").training_step(job, rf.Layout(tp=8, pp=2))
    >>> plot.timeline(step).get_ylabel()
    'stage'
    """
    style.must_be("step", step, TrainingStep, "a TrainingStep")
    count = 3 * step.layout.pp * step.layout.chunks * step.microbatches
    if count > _MOST_EVENTS:
        raise Unsupported(
            f"step: got one with up to {count:,} pieces of work; a timeline has {_MOST_EVENTS:,} "
            "at most: draw plot.parts(step), or a smaller batch"
        )
    events = step.timeline()
    stages = int(events["stage"].max()) + 1
    axes = style.axis(ax, size=(9.0, 1.6 + min(0.42 * stages, 6.0)))
    per_stage = len(events) / stages
    for at, work in enumerate(_WORK):
        chosen = np.flatnonzero(events["work"] == work)
        if not chosen.size:
            continue
        starts, ends = events["start_s"][chosen], events["end_s"][chosen]
        look = style.look(at)
        axes.barh(
            events["stage"][chosen],
            ends - starts,
            0.8,
            left=starts,
            color=look.colour,
            hatch=look.hatch if per_stage <= 4 * _SHORT else "",
            edgecolor="black",
            linewidth=0.5 if per_stage <= 4 * _SHORT else 0.1,
            label=work,
        )
    if per_stage <= _SHORT:
        _numbers(axes, events)
    style.linear_time(axes.xaxis, 8)
    last = float(events["end_s"].max())
    axes.set_xlim(0, last)
    _stage_axis(axes.yaxis, stages)
    axes.invert_yaxis()
    axes.set_xlabel(f"time (s), {step.kind}; once a step, not drawn: {_once(step, last)}")
    axes.set_ylabel("stage")
    style.above(
        axes,
        f"{step.training.transformer.name}, {step.layout.runs}, {step.microbatches:,} microbatches",
        3,
    )
    return axes  # type: ignore[no-any-return]


def _numbers(axes: Any, events: Any) -> None:  # noqa: ANN401
    """Write the microbatch into each piece of work that is wide enough."""
    last = float(events["end_s"].max())
    for row in events:
        if row["end_s"] - row["start_s"] < 0.022 * last:
            continue
        axes.text(
            (row["start_s"] + row["end_s"]) / 2,
            row["stage"],
            str(row["microbatch"]),
            ha="center",
            va="center",
            fontsize=style.SMALL,
            bbox={"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none"},
        )


def _once(step: TrainingStep, drawn: float) -> str:
    rest = max(step.time_s - drawn, 0.0)
    return f"{format_time(rest)} of {format_time(step.time_s)}"


def _stage_axis(line: Any, stages: int) -> None:  # noqa: ANN401
    from matplotlib.ticker import MultipleLocator

    line.set_major_locator(MultipleLocator(-(-stages // 12)))


def memory(step: TrainingStep, ax: Axes | None = None) -> Axes:
    """Draw the bytes of a rank of each stage by what takes them, under what there is.

    Parameters
    ----------
    step, ax
        As of `timeline`.

    Returns
    -------
    matplotlib.axes.Axes
        That axis.

    Raises
    ------
    Unsupported
        If it has more than 256 stages.
    InvalidType
        If it is no step.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> from rainier_fast import plot
    >>> job = rf.Training("llama-3.1-8b", sequence=8192, batch=32)
    >>> step = rf.preset("trn2-ultraserver").training_step(job, rf.Layout(tp=8, pp=2))
    >>> ax = plot.memory(step)
    >>> tops = [bar.get_y() + bar.get_height() for bar in ax.patches]
    >>> bool(max(tops) == max(step.memory["total_bytes"]))
    True
    """
    style.must_be("step", step, TrainingStep, "a TrainingStep")
    rows = step.memory
    if len(rows) > _MOST_STAGES:
        raise Unsupported(
            f"step: got one of {len(rows)} stages; at most {_MOST_STAGES} are drawn: "
            "read step.memory"
        )
    axes = style.axis(ax, size=(7.0, 4.2))
    stages, below = rows["stage"], np.zeros(len(rows))
    for at, name in enumerate(_KEPT):
        values = rows[f"{name}_bytes"]
        if not values.any():
            continue
        look = style.look(at)
        axes.bar(
            stages,
            values,
            0.8,
            bottom=below,
            color=look.colour,
            hatch=look.hatch,
            edgecolor="black",
            linewidth=0.5,
            label=name,
        )
        below = below + values
    limit = float(rows["hbm_bytes"][0])
    most = float(below.max())
    high = limit > 3 * most  # bars would be too low to read
    words = f"HBM of a rank, {format_bytes(limit)}{', above the picture' if high else ''}"
    axes.axhline(limit, color=style.BLACK, linestyle="--", linewidth=1.4, label=words)
    _bytes_axis(axes.yaxis, 1.2 * most if high else max(limit, most))
    axes.set_xlim(-0.8, len(rows) - 0.2)
    _stage_axis(axes.xaxis, len(rows))
    axes.set_xlabel("stage")
    axes.set_ylabel("memory of a rank (bytes)")
    style.above(axes, f"{step.training.transformer.name} on {step.chips:,} chips", 4)
    return axes  # type: ignore[no-any-return]


def _bytes_axis(line: Any, most: float) -> None:  # noqa: ANN401
    """Make an axis a linear one of bytes from zero, with ticks at whole binary numbers."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    step = 2.0 ** np.ceil(np.log2(max(most, 1.0) / 6))
    line.set_major_locator(MultipleLocator(step))
    line.set_major_formatter(
        FuncFormatter(lambda value, _: "0" if value == 0 else style.short_bytes(value))
    )
    getattr(line.axes, f"set_{line.axis_name}lim")(0, 1.06 * most)
    line.axes.grid(visible=True, axis=line.axis_name, color=style.LIGHT, linewidth=0.6)
    line.axes.set_axisbelow(True)


def parts(
    steps: TrainingStep | Sequence[TrainingStep] | StepComparison, ax: Axes | None = None
) -> Axes:
    """Draw the seconds of steps by what they are spent on.

    Parameters
    ----------
    steps
        A training step, several, or what `rainier_fast.compare` gives of a job.
    ax
        A matplotlib axis; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        That axis.

    Raises
    ------
    InvalidArgument, InvalidType
        If there is nothing to draw, or something else than steps.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> from rainier_fast import plot
    >>> job = rf.Training("llama-3.1-8b", sequence=8192, batch=32)
    >>> step = rf.preset("trn2-ultraserver").training_step(job, rf.Layout(tp=8, pp=2))
    >>> float(sum(bar.get_width() for bar in plot.parts(step).patches)) == sum(step.parts.values())
    True
    """
    rows = _rows(steps)
    axes = style.axis(ax, size=(8.0, 1.9 + 0.5 * len(rows)))
    names = [name for name in rows[0][1].parts if any(step.parts[name] > 0 for _, step in rows)]
    left = np.zeros(len(rows))
    for at, name in enumerate(names):
        values = np.array([step.parts[name] for _, step in rows])
        look = style.look(at)
        axes.barh(
            range(len(rows)),
            values,
            0.6,
            left=left,
            color=look.colour,
            hatch=look.hatch,
            edgecolor="black",
            linewidth=0.5,
            label=name,
        )
        left = left + values
    for at, total in enumerate(left[:_WRITTEN]):
        axes.text(
            total, at, f" {style.short_time(float(total))}", va="center", fontsize=style.SMALL
        )
    axes.set_yticks(range(len(rows)), [style.plain(name, 40) for name, _ in rows])
    axes.invert_yaxis()
    style.linear_time(axes.xaxis)
    axes.set_xlim(0, 1.15 * float(left.max()))
    kinds = ", ".join(dict.fromkeys(step.kind for _, step in rows))
    axes.set_xlabel(f"time of a step (s), {kinds}")
    style.above(axes, f"{rows[0][1].training.transformer.name}: a step by part", 4)
    return axes  # type: ignore[no-any-return]


def _rows(steps: object) -> list[tuple[str, TrainingStep]]:
    """Return steps with what they are called."""
    if isinstance(steps, StepComparison):
        named = list(zip(steps["machine"].tolist(), steps.steps, strict=True))
        rows = [
            (f"{name} ({step.chips:,} chips)", step) for name, step in named if step is not None
        ]
    else:
        given: Sequence[Any] = [steps] if isinstance(steps, TrainingStep) else list(steps)  # type: ignore[call-overload]
        for step in given:
            style.must_be(
                "steps", step, TrainingStep, "a TrainingStep, several, or a StepComparison"
            )
        rows = [(f"{step.layout.with_(dp=step.replicas)}", step) for step in given]
    if not 1 <= len(rows) <= 64:
        raise invalid("steps", len(rows), "steps: must be 1 to 64 that have an answer")
    return rows


def layouts(ranking: LayoutRanking, ax: Axes | None = None) -> Axes:
    """Draw layouts by time and memory, with the front that no other beats in both.

    Parameters
    ----------
    ranking
        What `Machine.best_layouts` gives.
    ax
        A matplotlib axis; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        That axis.

    Raises
    ------
    InvalidType
        If it is none.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> from rainier_fast import plot
    >>> job = rf.Training("llama-3.1-8b", sequence=8192, batch=64)
    >>> found = rf.preset("trn2-ultraserver").best_layouts(job, cp=1, keep=5)
    >>> ax = plot.layouts(found)
    >>> len(ax.lines[0].get_xdata()) == len(found.pareto)
    True
    """
    style.must_be("ranking", ranking, LayoutRanking, "a LayoutRanking")
    front = ranking.pareto
    axes = style.axis(ax, size=(7.5, 4.6))
    order = np.argsort(front["memory_bytes"], kind="stable")
    memory_, time_ = front["memory_bytes"][order], front["time_s"][order]
    axes.plot(
        memory_,
        time_,
        "-o",
        color=style.COLOURS[0],
        drawstyle="steps-post",
        markersize=6,
        markeredgecolor="black",
        label=f"Pareto front ({len(front)} layouts)",
    )
    axes.plot(
        ranking["memory_bytes"],
        ranking["time_s"],
        "x",
        color=style.COLOURS[5],
        markersize=6,
        label=f"the {len(ranking)} fastest",
    )
    axes.plot(
        ranking["memory_bytes"][:1],
        ranking["time_s"][:1],
        "*",
        color=style.COLOURS[1],
        markersize=15,
        markeredgecolor="black",
        label=style.plain(f"best: {ranking.best}", 64),
    )
    every = np.concatenate([front["memory_bytes"], ranking["memory_bytes"]])
    _bytes_axis(axes.xaxis, float(every.max()))
    spent = np.concatenate([front["time_s"], ranking["time_s"]])
    style.time_axis(axes, spent.tolist())
    axes.set_xlabel("memory of the fullest stage's chips (bytes)")
    axes.set_ylabel(f"time of a step (s), {ranking.kind}")
    style.above(
        axes, f"{ranking.training.transformer.name} on {ranking.machine.num_chips:,} chips", 2
    )
    return axes  # type: ignore[no-any-return]
