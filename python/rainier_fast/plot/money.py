"""Pictures of months: price-performance over the objective, a day of a fleet, goodput."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rainier_fast.errors import Unsupported, as_one_of
from rainier_fast.fleet.day import FleetDay
from rainier_fast.operations.goodput import Goodput
from rainier_fast.operations.price_performance import PricePerformance
from rainier_fast.plot import style
from rainier_fast.plot.style import short_time
from rainier_fast.table import Table
from rainier_fast.units import format_hours

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LINES: Final = 24


def price_performance(
    found: PricePerformance, ax: Axes | None = None, *, time: str | None = None
) -> Axes:
    """Draw dollars of a million tokens over the time that is allowed, by machine and month.

    Bands stand at the objectives asked about: the price with our errors on measured rows.

    Parameters
    ----------
    found
        What `rainier_fast.price_performance` gives.
    ax
        A matplotlib axis; None makes a new figure.
    time
        Which time of the curve: ``"tpot_s"``, ``"ttft_s"`` or ``"step_s"``; the curve's own if left
        out.

    Returns
    -------
    matplotlib.axes.Axes
        That axis.

    Raises
    ------
    Unsupported
        If nothing runs at a known price.
    InvalidArgument, InvalidType
        If an argument is not usable.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> from rainier_fast import plot
    >>> service = rf.Serving("llama-3.1-8b", input=1024, output=256)
    >>> layout = rf.Layout(tp=8)
    >>> found = rf.price_performance(["trn2"], service, slo=[{"tpot": "50 ms"}], layouts=[layout])
    >>> plot.price_performance(found).get_ylabel()
    'USD of a million tokens'
    """
    style.must_be("found", found, PricePerformance, "a PricePerformance")
    curve = found.curve
    if not len(curve):
        raise Unsupported(
            "found: got one whose machines do not run at a known price: read its column reason"
        )
    names = [name for name in _TIMES if name in curve.columns]
    column = names[0] if time is None else as_one_of("time", time, names)
    groups = _groups(curve)
    axes = style.axis(ax, size=(7.5, 4.6))
    for at, (words, rows) in enumerate(list(groups.items())[:_MOST_LINES]):
        look = style.look(at)
        pairs = sorted((row[column], row["usd_per_million_tokens"]) for row in rows)
        axes.plot(
            *zip(*pairs, strict=True),
            look.line,
            color=look.colour,
            marker=look.marker,
            drawstyle="steps-post",
            markersize=5,
            markeredgecolor="black",
            markeredgewidth=0.4,
            label=style.plain(words),
        )
    for row in found:
        _range(axes, row, column)
    every = curve[column]
    style.log_axis(axes.xaxis, every.tolist(), 10, style.short_time)
    usd = [*curve["usd_per_million_tokens"].tolist(), *(found["usd_low"].tolist())]
    usd += found["usd_high"].tolist()
    style.log_axis(axes.yaxis, [one for one in usd if one], 10, lambda value: f"{value:,.4g}")
    kinds = ", ".join(dict.fromkeys(kind for kind in found["kind"].tolist() if kind))
    axes.set_xlabel(f"{_TIMES.get(column, column)} (s), {kinds}")
    axes.set_ylabel("USD of a million tokens")
    style.above(
        axes, f"{found._head.partition(': dollars')[0]} (bars: by our errors on measured rows)", 2
    )
    return axes  # type: ignore[no-any-return]


_TIMES: Final = {
    "tpot_s": "time between tokens",
    "ttft_s": "time to the first token",
    "step_s": "time of a step",
}


def _groups(curve: Table) -> dict[str, list[Any]]:
    """Return the lines of a curve: a machine's, of a month, within a time to the first token."""
    within = set(curve["within_ttft_s"].tolist()) if "within_ttft_s" in curve.columns else set()
    groups: dict[str, list[Any]] = {}
    for row in curve:
        words = f"{row['machine']}, prices of {row['date']}"
        if len(within) > 1:
            limit = row["within_ttft_s"]
            words += f", ttft {short_time(limit) if math.isfinite(limit) else 'any'}"
        groups.setdefault(words, []).append(row)
    return groups


def _range(axes: Any, row: Any, column: str) -> None:  # noqa: ANN401
    """Draw the range of the price of the best way at an objective."""
    usd, low, high = (row[name] for name in ("usd_per_million_tokens", "usd_low", "usd_high"))
    if None in (usd, low, high, row.get(column)) or not math.isfinite(high):
        return
    spread = [[max(usd - low, 0)], [max(high - usd, 0)]]
    axes.errorbar([row[column]], [usd], spread, fmt="none", ecolor="black", capsize=4, zorder=5)


def day(found: FleetDay, ax: Axes | None = None) -> Axes:
    """Draw a day of a fleet: what UltraServers do by hour, and tokens not served.

    Parameters
    ----------
    found
        What `Fleet.day` gives.
    ax
        A matplotlib axis; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        That axis, of UltraServers; tokens have the right side.

    Raises
    ------
    InvalidType
        If it is none.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> from rainier_fast import plot
    >>> service = rf.Serving("llama-3.1-8b", input=1024, output=256)
    >>> layout = rf.Layout(tp=8, ranks_per_chip=4)
    >>> curve = rf.day_curve(2_000_000, low=1_000_000, peak_hour=15)
    >>> fleet = rf.Fleet(rf.preset("rainier", chips=256), services=[(service, layout, curve)])
    >>> plot.day(fleet.day()).get_xlabel()
    'hour of the day'
    """
    style.must_be("found", found, FleetDay, "a FleetDay")
    hours = found.hours
    axes = style.axis(ax, size=(8.0, 4.4))
    below = np.zeros(24)
    for at, name in enumerate(("serving", "training", "idle")):
        look, values = style.look(at), hours[name].astype(np.float64)
        axes.bar(
            hours["hour"] + 0.5,
            values,
            1.0,
            bottom=below,
            color=look.colour if name != "idle" else "white",
            hatch=look.hatch,
            edgecolor="black",
            linewidth=0.5,
            label=name if name != "idle" else "idle, spare or in repair",
        )
        below += values
    other = axes.twinx()
    rates = {name: hours[name] / 3600 for name in ("asked", "served")}
    top = max(float(rates["asked"].max()), 1e-12)
    other.step(
        np.arange(25),
        [*rates["asked"], rates["asked"][-1]],
        where="post",
        color="white",
        linewidth=4,
    )
    other.step(
        np.arange(25),
        [*rates["asked"], rates["asked"][-1]],
        where="post",
        color=style.BLACK,
        linewidth=2,
        label="tokens asked (right)",
    )
    other.plot(
        hours["hour"] + 0.5,
        rates["served"],
        "o",
        color=style.COLOURS[6],
        markeredgecolor="black",
        markersize=6,
        label="tokens served (right)",
    )
    axes.set_xlim(0, 24)
    axes.set_xticks(range(0, 25, 3))
    axes.set_xlabel("hour of the day")
    axes.set_ylabel("UltraServers")
    axes.set_ylim(0, float(below.max()) * 1.02)
    other.set_ylim(0, 1.15 * top)
    style.linear(other.yaxis, lambda value: _short_count(value), 6)
    other.grid(visible=False)
    other.set_ylabel(f"tokens/s, {found.kind}")
    handles = [
        one
        for where in (axes, other)
        for one in zip(*where.get_legend_handles_labels(), strict=True)
    ]
    axes.legend(
        [handle for handle, _ in handles],
        [label for _, label in handles],
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=3,
        fontsize=style.SMALL,
        frameon=False,
        title=style.plain(f"{found.machine.num_ultraservers:,} UltraServers in a day"),
        title_fontsize=10,
        alignment="left",
    )
    return axes  # type: ignore[no-any-return]


def _short_count(number: float) -> str:
    """Write a count with a decimal prefix."""
    for scale, name in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= scale:
            return f"{number / scale:.3g}{name}"
    return f"{number:.3g}"


def goodput(found: Goodput, ax: Axes | None = None) -> Axes:
    """Draw what is left of a machine's time, and what each cause takes.

    Parameters
    ----------
    found
        What `Machine.goodput` gives.
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
    >>> found = rf.preset("rainier").goodput("20 s", checkpoint=rf.Checkpoint(blocking="30 s"))
    >>> ax = plot.goodput(found)
    >>> bool(ax.patches[-1].get_width() == found.goodput)
    True
    """
    style.must_be("found", found, Goodput, "a Goodput")
    lost = {name: share for name, share in found.lost.items() if share > 0}
    axes = style.axis(ax, size=(7.5, 2.0 + 0.42 * len(lost)))
    left = 1.0
    for at, share in enumerate(lost.values()):
        look = style.look(at + 1)
        axes.barh(
            at,
            share,
            0.7,
            left=left - share,
            color=look.colour,
            hatch=look.hatch or "|",
            edgecolor="black",
            linewidth=0.5,
        )
        inside = left - share > 0.12
        axes.text(
            left - share if inside else left,
            at,
            f" {style.percent(share)} ",
            ha="right" if inside else "left",
            va="center",
            fontsize=style.SMALL,
        )
        left -= share
    at = len(lost)
    bars = axes.barh(
        at, found.goodput, 0.7, color=style.COLOURS[0], edgecolor="black", linewidth=0.5
    )
    axes.bar_label(
        bars,
        [f"  {found.goodput:.1%} of the work gets done"]
        if found.goodput < 0.6
        else [f"{found.goodput:.1%} of the work gets done "],
        label_type="edge" if found.goodput < 0.6 else "center",
        fontsize=style.SMALL,
        **({} if found.goodput < 0.6 else {"color": "white"}),
    )
    same = found.low == found.high
    axes.plot(
        [found.low, found.high],
        [at + 0.46] * 2,
        "-|",
        color=style.BLACK,
        linewidth=1.6,
        markersize=8,
        label="no range: what was not said moves nothing"
        if same
        else f"range of what was not said: {found.low:.1%} to {found.high:.1%}",
    )
    axes.set_yticks(
        range(at + 1), [*(f"lost: {name.replace('_', ' ')}" for name in lost), "goodput"]
    )
    axes.invert_yaxis()
    axes.set_ylim(at + 0.7, -0.6)
    style.linear(axes.xaxis, style.percent)
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of the work without failures (reckoned, not measured)")
    style.above(
        axes,
        f"{found.chips:,} chips by {found.policy}, {format_hours(found.mtbf_s)} between failures",
        1,
    )
    return axes  # type: ignore[no-any-return]
