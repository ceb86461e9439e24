"""Pictures of link loads: a torus in space, plane by plane, and all links by class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.errors import invalid
from rainier_fast.faults.damaged import Damaged
from rainier_fast.plot import style
from rainier_fast.plot.domain import Cables, cables, check_drawn, is_array, is_wrapped, which
from rainier_fast.plot.grid import STUB, draw_planes, paint
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.results.link_loads import LinkLoads
from rainier_fast.units import Quantity, format_bytes, format_count, format_time, parse_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INSTEAD: Final = "plot.utilisation(loads) draws all links by class"


def of_loads(loads: object) -> tuple[LinkLoads, float | None]:
    """Return link loads, and the time of the collective that they are of, where it is known."""
    if isinstance(loads, CollectiveResult):
        return loads.link_loads(), loads.time_s
    style.must_be("loads", loads, LinkLoads, "LinkLoads or a CollectiveResult")
    assert isinstance(loads, LinkLoads)
    return loads, None


def torus(
    loads: LinkLoads | CollectiveResult,
    ax: Axes | None = None,
    *,
    ultraserver: int | None = None,
    time: Quantity | None = None,
) -> Axes:
    """Draw how busy the links of one UltraServer are, in space.

    Each cable has the colour and width of its busier direction; one that closes a ring is drawn as
    stubs at both ends. Dead cables are dotted.

    Parameters
    ----------
    loads
        Link loads, or a collective, whose link loads and time are taken.
    ax
        A matplotlib axis with ``projection="3d"``; None makes a new figure.
    ultraserver
        Which one, counted over the machine; that of the busiest link if left out.
    time
        Seconds that shares are of; the collective's, or else that of the busiest link.

    Returns
    -------
    matplotlib.axes.Axes
        That axis.

    Raises
    ------
    Unsupported
        If its chips do not stand along two or three rings or lines, or are too many.
    InvalidArgument, InvalidType
        If an argument is not usable.

    Examples
    --------
    >>> from rainier_fast import plot, preset
    >>> ax = plot.torus(preset("trn2-ultraserver").all_reduce("1 GiB"))
    >>> len(ax.collections) > 0
    True
    """
    some, shares, words = _shares(loads, ultraserver, time)
    axes = style.axis(ax, solid=True, size=(6.6, 5.4))
    from mpl_toolkits.mplot3d.art3d import (  # type: ignore[import-untyped, unused-ignore]
        Line3DCollection,
    )

    start, end = (_in_space(ends) for ends in (some.source, some.target))
    round_ = is_wrapped(some)
    segments = [np.stack([start[~round_], end[~round_]], axis=1)]
    values = [shares[~round_]]
    for one, other in ((start[round_], end[round_]), (end[round_], start[round_])):
        away = STUB * np.sign(one - other)
        segments.append(np.stack([one, one + away], axis=1))
        values.append(shares[round_])
    dead = np.concatenate([some.dead[~round_], some.dead[round_], some.dead[round_]])
    lines, drawn = np.concatenate(segments), np.concatenate(values)
    kept = Line3DCollection(lines[~dead], cmap=style.LOADS)
    paint(kept, drawn[~dead])
    axes.add_collection3d(kept)
    if dead.any():
        axes.add_collection3d(
            Line3DCollection(lines[dead], colors=style.BLACK, linestyles=":", linewidths=1.5)
        )
    alive = _in_space(np.argwhere(~some.dead_chips.reshape(some.sizes)))
    axes.scatter(*alive.T, s=14, color=style.GREY, depthshade=False)
    if some.dead_chips.any():
        gone = _in_space(np.argwhere(some.dead_chips))
        axes.scatter(*gone.T, s=70, marker="X", color="black", depthshade=False)
    _frame(axes, some)
    bar = axes.figure.colorbar(kept, ax=axes, shrink=0.7, pad=0.12)
    _label_bar(bar, words, dead=bool(dead.any()))
    style.title(axes, _where(some, loads))
    return axes  # type: ignore[no-any-return]


def planes(
    loads: LinkLoads | CollectiveResult,
    ax: Axes | None = None,
    *,
    ultraserver: int | None = None,
    across: str | None = None,
    time: Quantity | None = None,
) -> Axes:
    """Draw how busy the links of one UltraServer are, plane by plane, side by side.

    Squares are chips; of three axes, the shade of a square is that of the cable to the next plane.

    Parameters
    ----------
    loads, ultraserver, time
        As of `torus`.
    ax
        A matplotlib axis; None makes a new figure.
    across
        The axis that planes are numbered along; the last of three if left out.

    Returns
    -------
    matplotlib.axes.Axes
        That axis.

    Raises
    ------
    Unsupported
        If its chips do not stand along rings or lines, or are too many.
    InvalidArgument, InvalidType
        If an argument is not usable.

    Examples
    --------
    >>> from rainier_fast import plot, preset
    >>> ax = plot.planes(preset("trn2-ultraserver").all_reduce("1 GiB"), across="x")
    >>> ax.get_aspect()
    1.0
    """
    some, shares, words = _shares(loads, ultraserver, time)
    axes, drawn = draw_planes(some, shares, ax, across)
    bar = axes.figure.colorbar(drawn, ax=axes, shrink=0.8, pad=0.02)
    _label_bar(bar, words, dead=bool(some.dead.any()))
    style.title(axes, _where(some, loads))
    return axes  # type: ignore[no-any-return]


def utilisation(
    loads: LinkLoads | CollectiveResult, ax: Axes | None = None, *, time: Quantity | None = None
) -> Axes:
    """Draw how busy links are, by class: the busiest, and the mean of all of them.

    For machines of any size: classes are few.

    Parameters
    ----------
    loads, time
        As of `torus`.
    ax
        A matplotlib axis; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        That axis.

    Raises
    ------
    InvalidArgument, InvalidType
        If an argument is not usable.

    Examples
    --------
    >>> from rainier_fast import plot, preset
    >>> ax = plot.utilisation(preset("rainier", chips=128).all_reduce("1 GiB"))
    >>> len(ax.patches) == 2 * len(ax.get_yticks())
    True
    """
    found, own = of_loads(loads)
    seconds = _time(found, own, time)
    rows = found.by_class()
    axes = style.axis(ax, size=(7.0, 1.6 + 0.42 * len(rows)))
    mean = rows["time_s"] * np.where(
        rows["most_bytes"] > 0, rows["mean_bytes"] / np.maximum(rows["most_bytes"], 1e-300), 0.0
    )
    places = np.arange(len(rows), dtype=np.float64)
    for at, (values, name) in enumerate(
        ((rows["time_s"] / seconds, "busiest link"), (mean / seconds, "mean of all links"))
    ):
        one = style.look(at)
        bars = axes.barh(
            places + 0.2 * (2 * at - 1),
            values,
            0.38,
            color=one.colour,
            hatch="" if not at else "///",
            edgecolor="black",
            linewidth=0.6,
            label=name,
        )
        axes.bar_label(bars, [f" {style.percent(share)}" for share in values], fontsize=style.SMALL)
    names = zip(rows["class"].tolist(), rows["links"].tolist(), strict=True)
    axes.set_yticks(
        places, [style.plain(f"{name} ({format_count(count)})") for name, count in names]
    )
    axes.invert_yaxis()
    style.linear(axes.xaxis, style.percent)
    most = float((rows["time_s"] / seconds).max(initial=0.0))
    axes.set_xlim(0, 1.0 if most < 0.85 else 1.14 * most)
    axes.set_xlabel(f"share of {format_time(seconds)} that links are busy, {_kind(loads)}")
    axes.set_ylabel("class of links (how many)")
    style.above(axes, _what(loads))
    return axes  # type: ignore[no-any-return]


def telling(loads: LinkLoads, ax: Axes | None = None, **options: Any) -> Axes:  # noqa: ANN401
    """Draw link loads: a torus in space where there is one UltraServer of that shape."""
    machine: Any = loads.machine
    axes = machine.ultraserver.axes
    alone = machine.num_ultraservers == 1 and is_array(machine)
    if alone and len(axes) == 3 and machine.num_chips <= 512:
        return torus(loads, ax, **options)
    if alone and machine.num_chips <= 1024:
        return planes(loads, ax, **options)
    return utilisation(loads, ax, **options)


def _shares(
    loads: object, ultraserver: object, time: Quantity | None
) -> tuple[Cables, NDArray[np.float64], str]:
    """Return cables of an UltraServer, the share of a time that each is busy, and its words."""
    found, own = of_loads(loads)
    machine: Damaged = found.machine  # type: ignore[assignment]
    check_drawn(machine, _INSTEAD)
    worst = found.bottleneck
    which_one = which(machine, ultraserver, None if worst is None else worst.link)
    some = cables(machine, which_one)
    seconds = _time(found, own, time)
    words = f"share of {format_time(seconds)} that the busier direction is busy\n({_kind(loads)})"
    return some, some.busy_s(found.bytes) / seconds, words


def _kind(loads: object) -> str:
    """Return what kind of number shares are: loads are of the links, times may be a runtime's."""
    kind = str(getattr(loads, "kind", ""))
    return kind if kind == "links alone" else f"loads of links alone, time {kind}"


def _time(found: LinkLoads, own: float | None, time: Quantity | None) -> float:
    seconds = own if time is None else parse_time(time, "time")
    if time is not None and seconds == 0:
        raise invalid("time", time, "must be a finite number > 0")
    return seconds or found.time_s or 1.0


def _in_space(places: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return coordinates with three columns."""
    out = np.zeros((len(places), 3))
    out[:, : places.shape[1]] = places
    return out


def _frame(axes: Any, some: Cables) -> None:  # noqa: ANN401 - an axis in space
    from matplotlib.ticker import MaxNLocator

    sizes = (*some.sizes, 1, 1)[:3]
    axes.set_box_aspect(sizes, zoom=0.92)
    for at, line in enumerate("xyz"):
        getattr(axes, f"set_{line}lim")(-0.5, sizes[at] - 0.5)
        named = at < len(some.names)
        if named:
            getattr(axes, f"set_{line}label")(f"{style.plain(some.names[at])} (chip)")
            one = getattr(axes, f"{line}axis")
            one.set_major_locator(MaxNLocator(min(sizes[at], 6), integer=True))
        else:
            getattr(axes, f"set_{line}ticks")([])


def _label_bar(bar: Any, words: str, *, dead: bool) -> None:  # noqa: ANN401 - a colour bar
    from matplotlib.ticker import FuncFormatter

    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: style.percent(value)))
    bar.set_label(words + ("; dotted or X: dead" if dead else ""), fontsize=style.SMALL + 1)


def _where(some: Cables, loads: object) -> str:
    """Return what is drawn, in a line."""
    machine: Any = loads.machine  # type: ignore[attr-defined]
    what = _what(loads)
    if machine.num_ultraservers == 1:
        return f"{what} on {machine.num_chips:,} chips"
    return f"{what}: UltraServer {some.ultraserver:,} of {machine.num_ultraservers:,}"


def _what(loads: object) -> str:
    """Return what loads are of."""
    if not isinstance(loads, CollectiveResult):
        return "link loads"
    size = "" if loads.operation == "barrier" else f" of {format_bytes(loads.size_bytes)}"
    return f"{loads.operation}{size} by {loads.algorithm.split('(')[0]}"
