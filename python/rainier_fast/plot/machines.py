"""Pictures over machines: time over chips, and machines side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rainier_fast.errors import invalid
from rainier_fast.plot import style
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.results.comparison import Comparison, kinds
from rainier_fast.units import format_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LINES: Final = 24


def chips(results: Iterable[Any], ax: Axes | None = None) -> Axes:
    """Draw time over chips: of a collective, of a step, or of whatever has chips and a time.

    Results of one kind, operation and size are joined by a line.

    Parameters
    ----------
    results
        `CollectiveResult`, `TrainingStep` or others with ``time_s`` and ``chips`` (or ``ranks``).
    ax
        A matplotlib axis; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        That axis.

    Raises
    ------
    InvalidArgument, InvalidType
        If there is nothing to draw, or something has no chips or no time.

    Examples
    --------
    >>> from rainier_fast import plot, preset
    >>> some = [preset("rainier", chips=n).all_reduce("1 GiB") for n in (128, 256, 512)]
    >>> plot.chips(some).lines[0].get_xdata().tolist()
    [128, 256, 512]
    """
    groups: dict[str, list[tuple[int, float]]] = {}
    for one in results:
        groups.setdefault(_alike(one), []).append((_chips_of(one), float(one.time_s)))
    if not 1 <= len(groups) <= _MOST_LINES:
        raise invalid("results", len(groups), f"kinds of result: must be 1 to {_MOST_LINES}")
    axes = style.axis(ax)
    for at, (words, pairs) in enumerate(groups.items()):
        look = style.look(at)
        counts, spent = zip(*sorted(pairs), strict=True)
        axes.plot(
            np.array(counts),
            spent,
            look.line,
            color=look.colour,
            marker=look.marker,
            markeredgecolor="black",
            markeredgewidth=0.4,
            label=style.plain(words),
        )
    every = [count for pairs in groups.values() for count, _ in pairs]
    style.log_axis(axes.xaxis, every, 2, lambda count: f"{count:,.0f}")
    style.time_axis(axes, [time for pairs in groups.values() for _, time in pairs])
    axes.set_xlabel("chips")
    axes.set_ylabel("time (s)")
    style.title(axes, "time over chips")
    style.legend(axes, len(groups))
    return axes  # type: ignore[no-any-return]


def _chips_of(one: Any) -> int:  # noqa: ANN401
    for name in ("chips", "ranks"):
        if hasattr(one, name) and hasattr(one, "time_s"):
            return int(getattr(one, name))
    raise invalid("results", type(one).__name__, "must be results with chips and a time")


def _alike(one: Any) -> str:  # noqa: ANN401
    """Return what results on one line share, in words."""
    if isinstance(one, CollectiveResult):
        size = "" if one.operation == "barrier" else f" of {format_bytes(one.size_bytes)}"
        return f"{one.operation}{size}, {one.kind}"
    job = getattr(one, "training", None)
    words = "step" if job is None else f"step of {job.transformer.name}"
    return f"{words}, {getattr(one, 'kind', 'time')}"


def comparison(found: Comparison, ax: Axes | None = None) -> Axes:
    """Draw one collective on several machines: time, bound, and what was measured at that size.

    Parameters
    ----------
    found
        What `rainier_fast.compare` gives of a collective.
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
    >>> ax = plot.comparison(rf.compare(["trn2", "h100"], "all_reduce", "1 GiB"))
    >>> len(ax.patches), ax.get_xlabel()
    (2, 'time (s), links alone')
    """
    style.must_be("found", found, Comparison, "a Comparison of a collective")
    axes = style.axis(ax, size=(7.0, 1.6 + 0.5 * len(found)))
    spent = np.nan_to_num(found["time_s"], nan=0.0)
    places = np.arange(len(found))
    for at, row in enumerate(found):
        look = style.look(list(dict.fromkeys(found["kind"].tolist())).index(row["kind"]))
        axes.barh(
            places[at],
            spent[at],
            0.6,
            color=look.colour,
            hatch=look.hatch,
            edgecolor="black",
            linewidth=0.6,
            label=row["kind"] or "no answer",
        )
        words = (
            f" {style.short_time(spent[at])}" if row["time_s"] == row["time_s"] else " no answer"
        )
        axes.text(spent[at], at, words, va="center", fontsize=style.SMALL)
    bound = found["lower_bound_s"]
    axes.vlines(
        bound,
        places - 0.4,
        places + 0.4,
        color=style.BLACK,
        linewidth=2,
        label="lower bound (links alone)",
    )
    same = [
        row["measured_s"] if row["measured_bytes"] == found.size_bytes else np.nan for row in found
    ]
    if any(value == value for value in same):
        axes.plot(
            same,
            places,
            "x",
            color=style.COLOURS[5],
            markersize=9,
            markeredgewidth=2,
            linestyle="",
            label="measured",
        )
    names = [f"{row['machine']} ({row['chips']:,} chips)" for row in found]
    axes.set_yticks(places, [style.plain(name, 40) for name in names])
    axes.invert_yaxis()
    style.linear_time(axes.xaxis)
    axes.set_xlim(0, max(float(spent.max(initial=0.0)), 1e-12) * 1.2)
    axes.set_xlabel(f"time (s), {kinds(found.results)}")
    size = "" if found.operation == "barrier" else f" of {format_bytes(found.size_bytes)}"
    style.above(axes, f"{found.operation}{size}")
    return axes  # type: ignore[no-any-return]
