"""An UltraServer's chips and cables plane by plane, side by side."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.errors import as_one_of, invalid
from rainier_fast.plot import style
from rainier_fast.plot.domain import Cables, is_wrapped

STUB: Final = 0.36  # of a cable that goes round, drawn at both of its ends
_GAP: Final = 1.5  # columns between planes


def draw_planes(
    some: Cables,
    values: NDArray[np.float64],
    ax: object,
    across: str | None,
    **colours: Any,  # noqa: ANN401
) -> tuple[Any, Any]:
    """Draw a value of each cable plane by plane; return the axis and what the colours are of."""
    from matplotlib.collections import LineCollection

    order = _axes_of_planes(some, across)
    side = some.sizes[order[0]]
    deep = some.sizes[order[2]] if len(order) > 2 else 1
    width = min(2.2 + (side + _GAP) * deep * 0.42, 12.0)
    axes = style.axis(ax, size=(max(width, 5.0), 3.6))
    step = side - 1 + _GAP + 1

    def flat(ends: NDArray[np.float64]) -> NDArray[np.float64]:
        x = ends[:, order[0]] + (step * ends[:, order[2]] if len(order) > 2 else 0.0)
        y = ends[:, order[1]] if len(order) > 1 else np.zeros(len(ends))
        return np.stack([x, y], axis=1)

    within = np.ones(len(values), np.bool_) if len(order) < 3 else some.axis != order[2]
    start, end = (ends.astype(np.float64) for ends in (some.source, some.target))
    away = STUB * np.sign(start - end) * is_wrapped(some)[:, None]
    stubbed = is_wrapped(some) & within
    straight = within & ~stubbed
    lines = [
        np.stack([flat(start[straight]), flat(end[straight])], axis=1),
        np.stack([flat(start[stubbed]), flat((start + away)[stubbed])], axis=1),
        np.stack([flat(end[stubbed]), flat((end - away)[stubbed])], axis=1),
    ]
    drawn = np.concatenate([values[straight], values[stubbed], values[stubbed]])
    dead = np.concatenate([some.dead[straight], some.dead[stubbed], some.dead[stubbed]])
    every = np.concatenate(lines)
    kept = LineCollection(list(every[~dead]), cmap=colours.get("cmap", style.LOADS))
    paint(kept, drawn[~dead], colours.get("limits", (0.0, 1.0)))
    axes.add_collection(kept)
    if dead.any():
        broken = LineCollection(list(every[dead]), colors=style.BLACK, linestyles=":", linewidths=2)
        axes.add_collection(broken)
    places = flat(np.argwhere(np.ones(some.sizes, np.bool_)).astype(np.float64))
    shades = _across(some, values, order)
    look = {"s": 60, "marker": "s", "edgecolors": style.GREY, "linewidths": 0.8, "zorder": 3}
    if shades is None:
        axes.scatter(*places.T, color="white", **look)
    else:
        axes.scatter(
            *places.T,
            c=shades,
            cmap=kept.cmap.with_extremes(bad="white"),
            norm=kept.norm,
            plotnonfinite=True,
            **look,
        )
    if some.dead_chips.any():
        gone = flat(np.argwhere(some.dead_chips).astype(np.float64))
        axes.scatter(
            *gone.T, marker="X", s=90, color="black", edgecolors="white", linewidths=0.8, zorder=4
        )
    _frame_planes(axes, some, order, step)
    return axes, kept


def _across(
    some: Cables, values: NDArray[np.float64], order: list[int]
) -> NDArray[np.float64] | None:
    """Return the value of the cable to the next plane, by chip; None where there is one plane."""
    if len(order) < 3:
        return None
    shades = np.full(some.sizes, np.nan)
    along = np.flatnonzero((some.axis == order[2]) & ~some.dead)
    for at in along:
        # From the lower plane to the next, or from the last one round to the first.
        low, high = some.source[at], some.target[at]
        ends = sorted((low, high), key=lambda end: int(end[order[2]]))
        here = ends[_is_round(low, high, order[2])]
        shades[tuple(here)] = np.nanmax([shades[tuple(here)], values[at]])
    return shades.ravel()


def _is_round(low: NDArray[np.int64], high: NDArray[np.int64], axis: int) -> bool:
    """Return whether a cable along an axis goes from its last place to its first."""
    return abs(int(high[axis]) - int(low[axis])) > 1


def paint(
    lines: Any,  # noqa: ANN401 - a collection of lines
    values: NDArray[np.float64],
    limits: tuple[float, float] = (0.0, 1.0),
) -> None:
    """Give lines the colours and widths of values between limits."""
    low, high = limits
    top = max(high, float(values.max(initial=0.0)))
    lines.set_array(values)
    lines.set_clim(low, top)
    lines.set_linewidth(1.2 + 3.4 * np.clip((values - low) / (top - low), 0.0, 1.0))


def _axes_of_planes(some: Cables, across: str | None) -> list[int]:
    """Return the axes of a plane, and last the one that planes are numbered along."""
    order = list(range(len(some.sizes)))
    if across is None:
        return order
    at = some.names.index(as_one_of("across", across, some.names))
    if len(order) < 3:
        raise invalid("across", across, "must be left out where chips have fewer than three axes")
    order.remove(at)
    return [*order, at]


def _frame_planes(axes: Any, some: Cables, order: list[int], step: float) -> None:  # noqa: ANN401
    from matplotlib.ticker import MultipleLocator

    names = [style.plain(some.names[at]) for at in order]
    sizes = [some.sizes[at] for at in order]
    deep = sizes[2] if len(sizes) > 2 else 1
    high = sizes[1] if len(sizes) > 1 else 1
    axes.set_xlim(-0.8, step * (deep - 1) + sizes[0] - 0.2)
    axes.set_ylim(-0.8, high - 0.2)
    axes.set_aspect("equal")
    axes.spines[["top", "right"]].set_visible(False)
    if deep > 1:
        middles = [step * plane + (sizes[0] - 1) / 2 for plane in range(deep)]
        every = -(-deep // 12)
        axes.set_xticks(middles[::every], [f"{names[2]} {at}" for at in range(0, deep, every)])
        axes.set_xlabel(
            f"planes by {names[2]} (a square: the cable to the next, white: none works); "
            f"{names[0]} to the right (chip)"
        )
    else:
        axes.xaxis.set_major_locator(MultipleLocator(-(-sizes[0] // 12)))
        axes.set_xlabel(f"{names[0]} (chip)")
    if high > 1:
        axes.yaxis.set_major_locator(MultipleLocator(-(-high // 8)))
        axes.set_ylabel(f"{names[1]} (chip)")
    else:
        axes.set_yticks([])
