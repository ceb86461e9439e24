"""Pictures of damage: where it is, what it does to loads, and times over draws of faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rainier_fast.errors import Unsupported, invalid
from rainier_fast.faults.damaged import Damaged
from rainier_fast.faults.faults import Faults
from rainier_fast.plot import style
from rainier_fast.plot.domain import cables, check_drawn, inside, which
from rainier_fast.plot.grid import draw_planes
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.results.monte_carlo import MonteCarlo
from rainier_fast.topology.base import Base
from rainier_fast.units import format_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS: Final = 40
_INSTEAD: Final = "read faults.table(), or compare link loads by plot.utilisation(loads)"


def footprint(
    result: CollectiveResult,
    ax: Axes | None = None,
    *,
    whole: CollectiveResult | None = None,
    ultraserver: int | None = None,
    across: str | None = None,
) -> Axes:
    """Draw how much longer links of one UltraServer are busy with damage than without.

    Parameters
    ----------
    result
        A collective on a machine with faults.
    ax
        A matplotlib axis; None makes a new figure.
    whole
        The same without faults; asked on the machine that is whole if left out.
    ultraserver
        Which one, counted over the machine; the first with damage inside if left out.
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
        If an argument is not usable, or nothing is broken.

    Examples
    --------
    >>> from rainier_fast import plot, preset
    >>> hurt = preset("trn2").with_faults(links=[3])
    >>> ax = plot.footprint(hurt.all_reduce("1 GiB"))
    >>> ax.get_xlabel()
    'x (chip)'
    """
    style.must_be("result", result, CollectiveResult, "a CollectiveResult")
    machine: Any = result.machine
    if not machine.is_damaged:
        raise invalid("result", result, "must be of a machine with faults: with_faults() makes one")
    check_drawn(machine, _INSTEAD)
    if whole is None:
        healthy = machine.healthy()
        whole = CollectiveResult._of(healthy, result.request, result.request.outcome(healthy))
    style.must_be("whole", whole, CollectiveResult, "a CollectiveResult")
    if whole.machine.num_links != machine.num_links:
        raise invalid("whole", whole, "must be of the same machine without faults")
    some = cables(machine, which(machine, ultraserver, _first(machine)))
    with_, without = (some.busy_s(one.link_loads().bytes) for one in (result, whole))
    most = max(whole.link_loads().time_s, 1e-300)
    change = (with_ - without) / most
    limit = max(float(np.abs(change[~some.dead]).max(initial=0.0)), 0.01)
    axes, drawn = draw_planes(some, change, ax, across, cmap="PuOr_r", limits=(-limit, limit))
    bar = axes.figure.colorbar(drawn, ax=axes, shrink=0.8, pad=0.02)
    from matplotlib.ticker import FuncFormatter

    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:+.3g}%"))
    bar.set_label(
        "change of busy time, of the busiest\nlink without faults (links alone); X: dead",
        fontsize=style.SMALL + 1,
    )
    times = f"{result.time_s / whole.time_s:.3g} times as long" if whole.time_s else ""
    style.title(
        axes,
        f"{result.operation} of {format_bytes(result.size_bytes)} with faults: {times}, "
        f"{result.kind}",
    )
    return axes  # type: ignore[no-any-return]


def _first(machine: Damaged) -> int | None:
    """Return a link of the first UltraServer with damage inside, if any."""
    faults, own = machine.faults, inside(machine)
    chips = machine.ultraserver.num_chips
    units = [link // own for link in faults.links[:1].tolist() if own]
    units += [chip // chips for chip in faults.chips[:1].tolist()]
    units += faults.ultraservers[:1].tolist()
    units += [link // own for link in list(faults.degraded)[:1] if own]
    known = [unit for unit in units if unit < machine.num_ultraservers]
    return None if not known else min(known) * own


def faults(
    found: Faults | Damaged,
    ax: Axes | None = None,
    *,
    ultraserver: int | None = None,
    across: str | None = None,
) -> Axes:
    """Draw what is broken in one UltraServer: dead cables and chips, slower cables.

    Parameters
    ----------
    found
        A machine with faults, or its `faults`.
    ax
        A matplotlib axis; None makes a new figure.
    ultraserver, across
        As of `footprint`.

    Returns
    -------
    matplotlib.axes.Axes
        That axis. What is broken elsewhere is counted in its title.

    Raises
    ------
    Unsupported
        If the faults do not know their machine, or its chips cannot be drawn one by one.
    InvalidArgument, InvalidType
        If an argument is not usable.

    Examples
    --------
    >>> from rainier_fast import plot, preset
    >>> hurt = preset("trn2").with_faults(links=[3], chips=[5])
    >>> plot.faults(hurt.faults).get_title(loc="left")
    '1 link, 1 chip dead'
    """
    style.must_be("found", found, (Faults, Base), "a machine with faults, or its faults")
    machine: Any = found._machine if isinstance(found, Faults) else found
    if machine is None:
        raise Unsupported(
            "found: got faults that do not know their machine; draw faults.on(machine)"
        )
    if not len(machine.faults) and isinstance(found, Faults):
        machine = machine.with_faults(faults=found)
    check_drawn(machine, _INSTEAD)
    some = cables(machine, which(machine, ultraserver, _first(machine)))
    values = np.where(some.slower, 1.0, 0.0)
    axes, _ = draw_planes(some, values, ax, across, cmap="Greys", limits=(-0.5, 1.3))
    for handle in (
        axes.plot([], [], ":", color="black", linewidth=2, label="dead cable"),
        axes.plot([], [], "-", color="#303030", linewidth=4, label="slower cable"),
        axes.plot([], [], "X", color="black", markersize=8, label="dead chip"),
    ):
        handle[0].set_zorder(0)
    words = str(machine.faults).splitlines()[0]
    if machine.num_ultraservers > 1:
        words += f"; UltraServer number {some.ultraserver:,} of {machine.num_ultraservers:,}"
    style.title(axes, words)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=style.SMALL, frameon=False)
    return axes  # type: ignore[no-any-return]


def monte_carlo(found: MonteCarlo, ax: Axes | None = None) -> Axes:
    """Draw how times are spread over draws of faults.

    Parameters
    ----------
    found
        What `Machine.monte_carlo` gives.
    ax
        A matplotlib axis; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        That axis.

    Raises
    ------
    Unsupported
        If no draw has an answer.
    InvalidType
        If it is none.

    Examples
    --------
    >>> from rainier_fast import plot, preset
    >>> ax = plot.monte_carlo(preset("trn2").monte_carlo("all_reduce", "1 GiB", draws=9))
    >>> int(sum(bar.get_height() for bar in ax.patches))
    9
    """
    style.must_be("found", found, MonteCarlo, "a MonteCarlo")
    good = found.times_s[np.isfinite(found.times_s)]
    if not good.size:
        raise Unsupported("found: got draws of which none has an answer: read .no_answer")
    low, high = min(float(good.min()), found.healthy_s), max(float(good.max()), found.healthy_s)
    room = 0.05 * (high - low) or 0.05 * high or 1.0
    counts, edges = np.histogram(good, _BINS, (low - room, high + room))
    axes = style.axis(ax)
    axes.bar(
        edges[:-1],
        counts,
        np.diff(edges),
        align="edge",
        color=style.COLOURS[0],
        edgecolor="black",
        linewidth=0.5,
        label=f"{good.size:,} draws",
    )
    marks = {
        "without faults": found.healthy_s,
        "p50": found.p50_s,
        "p90": found.p90_s,
        "p99": found.p99_s,
    }
    for at, (name, seconds) in enumerate(marks.items()):
        words = (
            f"{name}: {style.short_time(seconds)}" if np.isfinite(seconds) else f"{name}: no answer"
        )
        axes.axvline(
            seconds if np.isfinite(seconds) else np.nan,
            color=style.look(at + 1).colour if at else "black",
            linestyle=style.LINES[at],
            linewidth=2,
            label=words,
        )
    style.linear_time(axes.xaxis)
    if counts.max() > 20 * max(np.median(counts[counts > 0]), 1):
        axes.set_yscale("symlog", linthresh=1)
        axes.set_ylim(0, float(counts.max()) * 2)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    else:
        axes.set_ylim(0, float(counts.max()) * 1.1)
    axes.set_xlim(low - room, high + room)
    axes.set_xlabel(f"time (s), {found.kind}")
    axes.set_ylabel("draws")
    rest = f"; {len(found.no_answer):,} draws have no answer" if found.no_answer else ""
    style.above(
        axes,
        f"{found.operation} of {format_bytes(found.size_bytes)}, faults of {found.hours:g} h{rest}",
        3,
    )
    return axes  # type: ignore[no-any-return]
