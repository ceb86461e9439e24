"""Pictures of collectives: time over size and chips, the roofline, machines side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rainier_fast.collectives.prepared import Prepared, as_sizes
from rainier_fast.errors import RainierError, Unsupported, invalid
from rainier_fast.measured.nearest import all_rows
from rainier_fast.plot import style
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.results.times import Times
from rainier_fast.units import format_bytes, format_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST: Final = 2.0**10
_MOST: Final = 2.0**34
_MOST_SIZES: Final = 256
_MOST_LINES: Final = 24
_NOT_CUTS: Final = ("latency", "injection")


def times(
    times: Times | Sequence[Times],
    ax: Axes | None = None,
    *,
    beside: Iterable[str] | None = None,
    measured: bool = True,
) -> Axes:
    """Draw time over size, of one collective or several, by algorithms.

    Parameters
    ----------
    times
        What `Machine.times` gives; one, or several to compare.
    ax
        A matplotlib axis; None makes a new figure.
    beside
        Algorithms that are drawn beside, at the same sizes; the machine's runtime beside a single
        one by ``"auto"`` if left out.
    measured
        Whether measured rows of the same collective are drawn, where there are any, with the band
        in which the line would be if we were as far off as on those rows.

    Returns
    -------
    matplotlib.axes.Axes
        That axis.

    Raises
    ------
    RainierError
        If an argument is not usable, or an algorithm that was named beside does not run.

    Examples
    --------
    >>> from rainier_fast import plot, preset
    >>> some = preset("trn2").times("all_reduce", ["64 KiB", "1 MiB", "1 GiB"])
    >>> ax = plot.times(some, beside=["ring", "runtime"])
    >>> [line.get_label() for line in ax.lines][:2]
    ['auto, links alone', 'ring, links alone']
    """
    given = (times,) if isinstance(times, Times) else tuple(times)
    for one in given:
        style.must_be("times", one, Times, "Times, or several")
    if not given or not any(len(one.size_bytes) for one in given):
        raise invalid("times", times, "must have a size to draw")
    lines = [*given, *_beside(given, beside)]
    if len(lines) > _MOST_LINES:
        raise invalid("times", len(lines), f"lines: must be at most {_MOST_LINES}")
    axes = style.axis(ax)
    several = len({one.request.operation for one in lines}) > 1
    for at, one in enumerate(lines):
        _line(axes, one, style.look(at), several=several)
    points = _measured(axes, lines) if measured else []
    every = np.concatenate([one.time_s for one in lines] + [np.array(points)])
    style.size_axis(axes, np.concatenate([one.size_bytes for one in lines]).tolist())
    style.time_axis(axes, every.tolist())
    axes.set_xlabel("size (bytes, as the operation defines them)")
    axes.set_ylabel("time (s)")
    first = lines[0]
    ranks = first.request.groups.ranks
    style.title(
        axes,
        f"{first.request.operation} over {format_count(ranks)} ranks"
        if not several
        else "collectives",
    )
    style.legend(axes, len(axes.get_legend_handles_labels()[1]), "upper left")
    return axes  # type: ignore[no-any-return]


def _beside(given: Sequence[Times], names: Iterable[str] | None) -> list[Times]:
    """Return the same at the same sizes by other algorithms."""
    first = given[0]
    machine, request = first.machine, first.request
    runtime = machine.runtime
    if names is None:
        if len(given) > 1 or request.algorithm != "auto" or runtime is None:
            return []
        try:
            return [_again(first, runtime)]
        except RainierError:  # what was asked is sound: the runtime does not do it
            return []
    return [_again(first, runtime if name == "runtime" and runtime else name) for name in names]


def _again(one: Times, algorithm: str) -> Times:
    request: Any = one.request
    from rainier_fast.ask.options import algorithms
    from rainier_fast.errors import as_one_of

    name = as_one_of("beside", algorithm, (*algorithms(), "auto"))
    return Prepared(one.machine, replace(request, algorithm=name)).times(one.size_bytes)


def _line(axes: Any, one: Times, look: style.Look, *, several: bool) -> None:  # noqa: ANN401
    name = one.request.algorithm
    name = name if isinstance(name, str) else ", ".join(name)
    words = f"{one.request.operation} by {name}" if several else name
    kind = "" if one.kind == f"as {name} runs it" else f"{words}, "
    axes.plot(
        one.size_bytes,
        one.time_s,
        look.line,
        color=look.colour,
        marker=look.marker,
        markersize=5,
        markeredgecolor="black",
        markeredgewidth=0.4,
        label=style.plain(f"{kind}{one.kind}"),
    )


def _measured(axes: Any, lines: Sequence[Times]) -> list[float]:  # noqa: ANN401
    """Draw measured rows and bands; return the times that were measured."""
    seen: list[float] = []
    for at, one in enumerate(lines):
        rows = all_rows(
            one.machine,
            one.request.of(float(max(one.size_bytes.max(), 1.0))),
            one.request.groups.ranks,
        )
        if not rows:
            continue
        errors = [row.error for row in rows]
        low, high = 1 / (1 + max(*errors, 0.0)), 1 / (1 + min(*errors, 0.0))
        axes.fill_between(
            one.size_bytes,
            one.time_s * low,
            one.time_s * high,
            color=style.look(at).colour,
            alpha=0.25,
            linewidth=0,
            label=f"{one.kind}, by our errors on {len(rows)} rows",
        )
        axes.plot(
            [row.size_bytes for row in rows],
            [row.measured_s for row in rows],
            "x",
            color=style.BLACK,
            markersize=7,
            label=f"measured ({len(rows)} rows)",
        )
        seen += [row.measured_s for row in rows]
    return seen


def roofline(
    result: CollectiveResult, ax: Axes | None = None, *, sizes: Iterable[Any] | None = None
) -> Axes:
    """Draw the time of a collective over size above what bounds it: latency, injection and cuts.

    Parameters
    ----------
    result
        A collective; its size is marked.
    ax
        A matplotlib axis; None makes a new figure.
    sizes
        Sizes, bytes, at most 256; powers of 4 from 1 KiB to 16 GiB if left out. It is run at each.

    Returns
    -------
    matplotlib.axes.Axes
        That axis.

    Raises
    ------
    Unsupported
        If it has no size, as a barrier.
    InvalidArgument, InvalidType
        If an argument is not usable.

    Examples
    --------
    >>> from rainier_fast import plot, preset
    >>> ax = plot.roofline(preset("trn2").all_reduce("1 GiB"), sizes=["1 KiB", "1 MiB", "1 GiB"])
    >>> [line.get_label() for line in ax.lines][:3]
    ['bound: latency', 'bound: injection', 'bound: highest cut']
    """
    style.must_be("result", result, CollectiveResult, "a CollectiveResult")
    if result.operation == "barrier" or result.size_bytes <= 0:
        raise Unsupported("result: got one of no size; a roofline is drawn over sizes")
    at_sizes = _sizes(sizes, result.size_bytes)
    outcomes = [result.request.of(size).outcome(result.machine) for size in at_sizes]
    bounds = _bounds(outcomes)
    axes = style.axis(ax)
    for at, (name, values) in enumerate(bounds.items()):
        look = style.look(at)
        axes.plot(
            at_sizes,
            values,
            style.LINES[at + 1],
            color=look.colour,
            label=f"bound: {name}",
            linewidth=1.6,
        )
    spent = [one.time for one in outcomes]
    name = result.request.algorithm if isinstance(result.request.algorithm, str) else "the same"
    axes.plot(
        at_sizes,
        spent,
        "-o",
        color=style.BLACK,
        markersize=4,
        linewidth=1.4,
        label=style.plain(f"time by {name}, {result.kind}"),
    )
    run = _as_run(result, at_sizes)
    if run is not None:
        axes.plot(at_sizes, run[1], ":s", color=style.COLOURS[5], markersize=4, label=run[0])
    axes.plot(
        [result.size_bytes],
        [result.time_s],
        "*",
        color=style.COLOURS[1],
        markersize=14,
        markeredgecolor="black",
        label=f"{format_bytes(result.size_bytes)}: {result.efficiency:.1%} of the bound",
    )
    every = [*spent, *([] if run is None else run[1]), result.time_s]
    highest = [max(column) for column in zip(*bounds.values(), strict=True)] or spent
    style.size_axis(axes, [*at_sizes, result.size_bytes])
    style.time_axis(axes, [*every, *(time for time in highest if time > 0)], log=True)
    axes.set_xlabel("size (bytes, as the operation defines them)")
    axes.set_ylabel("time (s); bounds are of links alone")
    style.title(axes, f"{result.operation} over {format_count(result.ranks)} ranks")
    style.legend(axes, 6, "upper left")
    return axes  # type: ignore[no-any-return]


def _sizes(given: Iterable[Any] | None, asked: float) -> list[float]:
    if given is None:
        powers = 4.0 ** np.arange(5, 18)
        return sorted({*powers.tolist(), asked})
    found = sorted(set(as_sizes(given).tolist()))
    if not 2 <= len(found) <= _MOST_SIZES or found[0] <= 0:
        raise invalid("sizes", given, f"must be 2 to {_MOST_SIZES} unlike sizes above 0")
    return found


def _bounds(outcomes: Sequence[Any]) -> dict[str, list[float]]:
    """Return bounds by size: latency, injection, and the highest of all cuts."""
    found: dict[str, list[float]] = {"latency": [], "injection": [], "highest cut": []}
    for one in outcomes:
        columns = one.tables().columns("bounds")
        rows = dict(zip(list(columns["bound"]), list(columns["time_s"]), strict=True))
        for name in _NOT_CUTS:
            found[name].append(float(rows.get(name, 0.0)))
        cuts = [float(time) for name, time in rows.items() if name not in _NOT_CUTS]
        found["highest cut"].append(max(cuts, default=0.0))
    return {name: values for name, values in found.items() if max(values) > 0}


def _as_run(result: CollectiveResult, sizes: Sequence[float]) -> tuple[str, list[float]] | None:
    """Return what the machine's software takes at sizes, beside an answer by ``"auto"``."""
    run = result.as_run
    if run is None:
        return None
    found = [run.request.of(size).outcome(result.machine).time for size in sizes]
    return run.kind, found
