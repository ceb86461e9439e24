"""What all pictures share: colours, marks, axes in our units, and how matplotlib is reached."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rainier_fast.errors import RainierError, invalid_type
from rainier_fast.units import format_bytes, format_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito, "Color Universal Design" (2008): told apart by the colour-blind. The order is such
# that neighbours differ in lightness, too; black stands for what was measured.
COLOURS: Final = (
    "#0072B2",  # blue
    "#E69F00",  # orange
    "#009E73",  # green
    "#CC79A7",  # purple
    "#56B4E9",  # sky
    "#D55E00",  # vermilion
    "#F0E442",  # yellow
)
BLACK: Final = "#000000"
GREY: Final = "#767676"
LIGHT: Final = "#DADADA"
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")
HATCHES: Final = ("", "///", "...", "xxx", "\\\\\\", "++", "oo", "---", "||")
LINES: Final = ("-", "--", "-.", ":")
# Lightness of it only grows, so that it is read in grey print.
LOADS: Final = "cividis_r"
SMALL: Final = 8.0  # points: the least that print keeps
_SIZE: Final = (7.0, 4.4)


def matplotlib() -> Any:  # noqa: ANN401 - a module
    """Return matplotlib, or refuse in words."""
    try:
        import matplotlib as library  # only when a picture is asked for
    except ImportError as error:
        raise RainierError(
            "pictures need matplotlib, which is not installed; "
            "install it with: pip install 'rainier_fast[plot]'"
        ) from error
    return library


def axis(ax: object, *, solid: bool = False, size: tuple[float, float] = _SIZE) -> Any:  # noqa: ANN401
    """Return the axis to draw on: the one that was given, or that of a new figure."""
    matplotlib()
    from matplotlib.axes import Axes

    if ax is None:
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=size, layout="constrained")
        return figure.add_subplot(projection="3d") if solid else figure.add_subplot()
    if not isinstance(ax, Axes):
        raise invalid_type("ax", ax, "must be a matplotlib axis, or None for a new figure")
    if solid != hasattr(ax, "zaxis"):
        wanted = "with projection='3d'" if solid else "without a projection"
        raise invalid_type("ax", ax, f"must be a matplotlib axis {wanted}: add_subplot() makes one")
    return ax


def must_be(argument: str, value: object, kinds: type | tuple[type, ...], words: str) -> None:
    """Refuse what is not of a kind."""
    if not isinstance(value, kinds):
        raise invalid_type(argument, value, f"must be {words}")


class Look(NamedTuple):
    """How the things of one picture are told apart."""

    colour: str
    marker: str
    hatch: str
    line: str


def look(at: int) -> Look:
    """Return the look of the n-th thing of a picture: no two of the first 28 share all of it."""
    return Look(
        COLOURS[at % len(COLOURS)],
        MARKERS[at % len(MARKERS)],
        HATCHES[at % len(HATCHES)],
        LINES[(at + at // len(COLOURS)) % len(LINES)],
    )


def plain(text: str, most: int = 48) -> str:
    """Return text as matplotlib writes it: on one line, never as mathematics, not too long."""
    words = " ".join(str(text).split())
    words = words if len(words) <= most else f"{words[: most - 3]}..."
    return words.replace("$", r"\$")


def ticks(low: float, high: float, base: float, most: int = 8) -> list[float]:
    """Return powers of a base from below `low` to above `high`, few enough to be written out."""
    first = math.floor(round(math.log(low, base), 9))
    last = max(math.ceil(round(math.log(high, base), 9)), first + 1)
    if base == 10 and last - first <= 3:
        powers = range(first, last + 1)
        return [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    step = -(-(last - first) // most)
    return [base**power for power in range(first, last + step, step)]


def log_axis(
    line: Any,  # noqa: ANN401 - an XAxis or YAxis
    values: Sequence[float],
    base: float,
    write: Callable[[float], str],
    most: int = 8,
) -> None:
    """Make an axis logarithmic, with ticks at powers of a base written as we write numbers."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    known = [value for value in values if 0 < value < math.inf]
    if not known:
        return
    places = ticks(min(known), max(known), base, most)
    name = line.axis_name
    getattr(line.axes, f"set_{name}scale")("log", base=base)
    line.set_major_locator(FixedLocator(places))
    line.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    line.set_minor_locator(NullLocator())
    low, high = min(known), max(known)
    room = max((high / low) ** 0.05, 1.1)
    getattr(line.axes, f"set_{name}lim")(low / room, high * room)
    line.axes.grid(visible=True, axis=name, color=LIGHT, linewidth=0.6)
    line.axes.set_axisbelow(True)


def short_bytes(size: float) -> str:
    """Write a size at a tick: whole numbers have no digits behind the point."""
    text, unit = format_bytes(size).split()
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {unit}"


def short_time(seconds: float) -> str:
    """Write a time at a tick, likewise."""
    text, unit = format_time(seconds).split()
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {unit}"


def size_axis(ax: Axes, sizes: Sequence[float]) -> None:
    """Make x an axis of sizes: 1 KiB, 1 MiB, ..."""
    known = [size for size in sizes if size > 0]
    wide = bool(known) and max(known) / min(known) > 2**20
    log_axis(ax.xaxis, sizes, 2**10 if wide else 4, short_bytes)


def time_axis(ax: Axes, times: Sequence[float], *, log: bool = False) -> None:
    """Make y a logarithmic axis of times, unless it spans too little: then it is from zero."""
    known = [time for time in times if 0 < time < math.inf]
    if known and (log or max(known) / min(known) >= 8):
        log_axis(ax.yaxis, known, 10, short_time)
    else:
        linear_time(ax.yaxis)
        ax.set_ylim(0, 1.08 * max(known, default=1.0))


def linear(line: Any, write: Callable[[float], str], most: int = 6) -> None:  # noqa: ANN401
    """Make an axis linear, from zero where it may, with ticks as we write numbers."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    line.set_major_locator(MaxNLocator(most))
    line.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    line.axes.grid(visible=True, axis=line.axis_name, color=LIGHT, linewidth=0.6)
    line.axes.set_axisbelow(True)


def linear_time(line: Any, most: int = 6) -> None:  # noqa: ANN401 - an XAxis or YAxis
    """Make an axis a linear one of times."""
    linear(line, lambda value: "0" if value == 0 else short_time(value), most)


def percent(value: float) -> str:
    """Write a share at a tick."""
    return f"{value:.3g}%" if value < 0 else f"{100 * value:.3g}%"


def title(ax: Axes, words: str) -> None:
    """Put a line above the picture, at the left."""
    ax.set_title(plain(words, 96), loc="left", fontsize=10)


def legend(ax: Any, count: int, where: str = "best") -> None:  # noqa: ANN401
    """Explain what is drawn, beside the picture where it is much."""
    if count > 6:
        ax.legend(
            loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=SMALL, frameon=False, ncols=1
        )
    elif count:
        ax.legend(loc=where, fontsize=SMALL, framealpha=0.9, edgecolor=LIGHT)


def above(ax: Axes, words: str, columns: int = 2) -> None:
    """Explain what is drawn above the picture, each label once, under a line of words."""
    found: dict[str, Any] = {}
    for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
        found.setdefault(label, handle)
    ax.legend(
        list(found.values()),
        list(found),
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=columns,
        fontsize=SMALL,
        frameon=False,
        title=plain(words, 96),
        title_fontsize=10,
        alignment="left",
    )
