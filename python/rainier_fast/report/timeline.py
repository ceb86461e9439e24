"""What happens when: bars along time, in lanes, as a figure of Plotly and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final, NamedTuple

import numpy as np

from rainier_fast.plot.style import COLOURS
from rainier_fast.report.view import View
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.serving.result import ServingResult
from rainier_fast.table import Table
from rainier_fast.units import format_count, format_time
from rainier_fast.workload.step import TrainingStep

_MOST: Final = 1500  # bars: a page of more takes long to draw, and grows
_PATTERNS: Final = ("", "/", ".", "x", "\\", "+", "-", "|")


class _Bar(NamedTuple):
    """A piece of work: its lane, what it is, when, and what more there is to say."""

    lane: str
    what: str
    start_s: float
    end_s: float
    said: str = ""


def of_step(step: TrainingStep) -> View:
    """Return what each stage of the pipeline does when."""
    events = step.timeline()
    total = len(events)
    order = np.argsort(events["start_s"], kind="stable")[:_MOST]
    kept = {name: column[order].tolist() for name, column in events.columns.items()}
    bars = [
        _Bar(f"stage {stage:,}", work, start, end, f"microbatch {microbatch:,}, chunk {chunk:,}")
        for stage, work, chunk, microbatch, start, end in zip(*kept.values(), strict=True)
    ]
    lanes = [f"stage {stage:,}" for stage in sorted(set(kept["stage"]))]
    caption = f"what each stage of the pipeline does when ({step.kind})"
    if total > _MOST:
        caption += f"; the first {_MOST:,} of {total:,} pieces of work"
    once = step.time_s - float(events["end_s"].max(initial=0.0))
    if once > 0:
        caption += f"; what is done once a step beside it, {format_time(once)}, is not drawn"
    rows = _stages(step, events)
    still = (step, "timeline") if total <= _MOST else None
    return View("timeline", caption, _figure(lanes, bars), rows, "all pieces, by stage", still)


def _stages(step: TrainingStep, events: Table) -> Table:
    """Return how long each stage is busy."""
    stages = sorted(set(events["stage"].tolist()))
    rows: dict[str, list[Any]] = {"stage": stages}
    lasts = events["end_s"] - events["start_s"]
    whole = float(events["end_s"].max(initial=0.0))
    for work in ("forward", "backward", "weights"):
        chosen = events["work"] == work
        if chosen.any():
            rows[f"{work}_s"] = [
                float(lasts[chosen & (events["stage"] == stage)].sum()) for stage in stages
            ]
    busy = [float(lasts[events["stage"] == stage].sum()) for stage in stages]
    rows["idle_s"] = [max(whole - one, 0.0) for one in busy]
    rows["pieces"] = [int((events["stage"] == stage).sum()) for stage in stages]
    return Table(rows)._of_kind(step.kind)


def of_collective(result: CollectiveResult) -> View:
    """Return the phases of a collective, one after another."""
    phases = list(result.phases)
    if not phases:
        named = _named(result)
        return of_parts({result.operation: named}, result.kind, "what a call takes")
    bars: list[_Bar] = []
    start = 0.0
    names = []
    for at, row in enumerate(phases):
        name = f"{at + 1}. {row['what'] or row['stage']}"
        names.append(name)
        end = start + float(row["time_s"])
        said = f"{row['tier']}: {row['steps']:,} steps, bounded by {row['bottleneck'] or 'latency'}"
        bars.append(_Bar(name, str(row["stage"]), start, end, said))
        start = end
    caption = f"the phases, one after another ({result.kind})"
    if result.chunks > 1:
        caption += (
            f"; each takes all of the data here, while {format_count(result.chunks)} chunks "
            f"overlap them in the whole, {format_time(result.time_s)}"
        )
    rows = Table(
        {
            "phase": names,
            "stage": [bar.what for bar in bars],
            "start_s": [bar.start_s for bar in bars],
            "end_s": [bar.end_s for bar in bars],
        }
    )
    made = rows._of_kind(result.kind)
    return View("timeline", caption, _figure(names, bars), made, "all phases")


def _named(result: CollectiveResult) -> dict[str, float]:
    return {
        "latency": result.latency_s,
        "overhead": result.overhead_s,
        "serialisation": result.serialisation_s,
    }


def of_serving(result: ServingResult) -> View:
    """Return what the prefill of a prompt and a step of decoding are spent on."""
    lanes = {"prefill of a prompt": result.prefill_parts, "step of decoding": result.parts}
    return of_parts(lanes, result.kind, "what a prefill and a step of decoding are spent on")


def of_results(results: Mapping[str, CollectiveResult | TrainingStep], kind: str) -> View:
    """Return machines side by side: what their times are made of."""
    lanes = {
        name: dict(one.parts) if isinstance(one, TrainingStep) else _named(one)
        for name, one in results.items()
    }
    return of_parts(lanes, kind, "what the times of the machines are made of")


def of_parts(lanes: Mapping[str, Mapping[str, float]], kind: str, what: str) -> View:
    """Return lanes of parts that add up."""
    bars = []
    for lane, parts in lanes.items():
        start = 0.0
        whole = sum(parts.values()) or 1.0
        for name, seconds in parts.items():
            if seconds > 0:
                said = f"{seconds / whole:.1%} of it"
                bars.append(_Bar(lane, name, start, start + seconds, said))
                start += seconds
    rows = Table(
        {
            "of": [bar.lane for bar in bars],
            "part": [bar.what for bar in bars],
            "time_s": [lanes[bar.lane][bar.what] for bar in bars],
        }
    )
    caption = f"{what} ({kind}); parts add up, their order says nothing"
    figure = _figure(list(lanes), bars)
    return View("timeline", caption, figure, rows._of_kind(kind), "all parts")


def _figure(lanes: Sequence[str], bars: Sequence[_Bar]) -> dict[str, Any]:
    """Return horizontal bars by what they are, each hatched as well as coloured."""
    last = max((bar.end_s for bar in bars), default=1.0) or 1.0
    scale, unit = _unit(last)
    traces = []
    for at, what in enumerate(dict.fromkeys(bar.what for bar in bars)):
        own = [bar for bar in bars if bar.what == what]
        traces.append(
            {
                "type": "bar", "orientation": "h", "name": _plain(what),
                "y": [_plain(bar.lane) for bar in own],
                "base": [_short(bar.start_s * scale) for bar in own],
                "x": [_short((bar.end_s - bar.start_s) * scale) for bar in own],
                "text": [
                    f"{_plain(what)}<br>{_plain(bar.lane)}<br>{format_time(bar.start_s)} to "
                    f"{format_time(bar.end_s)}: {format_time(bar.end_s - bar.start_s)}"
                    + (f"<br>{_plain(bar.said)}" if bar.said else "")
                    for bar in own
                ],
                "textposition": "none", "hovertemplate": "%{text}<extra></extra>",
                "marker": {
                    "color": COLOURS[at % len(COLOURS)],
                    "pattern": {"shape": _PATTERNS[at % len(_PATTERNS)], "size": 6,
                                "fgcolor": "#000000", "fillmode": "overlay", "solidity": 0.15},
                    "line": {"color": "#000000", "width": 0.5},
                },
            }
        )  # fmt: skip
    return {
        "data": traces,
        "layout": {
            "barmode": "overlay", "height": min(220 + 34 * len(lanes), 900), "bargap": 0.2,
            "margin": {"l": 10, "r": 10, "t": 10, "b": 40},
            "xaxis": {"title": {"text": f"time ({unit})"}, "rangemode": "tozero"},
            "yaxis": {"autorange": "reversed", "automargin": True, "type": "category",
                      "categoryorder": "array", "categoryarray": [_plain(one) for one in lanes]},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        },
    }  # fmt: skip


def _short(value: float) -> float:
    """Return a number as far as a screen shows it."""
    return float(f"{value:.7g}")


def _plain(words: str) -> str:
    """Return words as Plotly shows them, which reads some markup in text."""
    short = words if len(words) <= 60 else f"{words[:57]}..."
    return escape(short, quote=False)


def _unit(last: float) -> tuple[float, str]:
    for scale, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "us")):
        if last * scale >= 1:
            return scale, unit
    return 1e9, "ns"
