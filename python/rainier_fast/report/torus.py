"""Link loads of an UltraServer in space, to be turned: a figure of Plotly, and a table of it."""

from __future__ import annotations

from html import escape
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.errors import Unsupported
from rainier_fast.faults.damaged import Damaged
from rainier_fast.plot.domain import Cables, cables, check_drawn, is_wrapped, which
from rainier_fast.report.view import View
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.results.link_loads import LinkLoads
from rainier_fast.table import Table
from rainier_fast.units import format_bandwidth, format_bytes, format_time

_STUB: Final = 0.36  # of a cable that goes round, drawn at both of its ends
_MOST_CABLES: Final = 1600  # beyond, lines hide each other and pages grow
_LISTED: Final = 40
_SCALE: Final = [  # cividis, light for idle: read in grey, and by the colour-blind
    [0.0, "#fee838"], [0.25, "#bcaf6f"], [0.5, "#7d7c78"], [0.75, "#404c6b"], [1.0, "#00224e"],
]  # fmt: skip


def view(result: CollectiveResult, loads: LinkLoads, what: str) -> View:
    """Return the loads of the busiest UltraServer, each as a share of the time.

    `Unsupported` where chips do not stand in rows, or are too many.
    """
    machine: Damaged = loads.machine  # type: ignore[assignment]
    check_drawn(machine, "the table of classes has them all")
    worst = loads.bottleneck
    some = cables(machine, which(machine, None, None if worst is None else worst.link))
    if len(some.links) > _MOST_CABLES:
        raise Unsupported(
            f"an UltraServer of {len(some.links):,} cables: at most {_MOST_CABLES:,} are drawn; "
            "the table of classes has them all"
        )
    carried = np.where(some.links >= 0, loads.bytes[np.maximum(some.links, 0)], 0.0)
    seconds = result.time_s or loads.time_s or 1.0
    shares = some.busy_s(loads.bytes) / seconds
    words = _words(machine, some, carried, seconds)
    order = np.argsort(-shares, kind="stable")
    caption = f"{what}: how busy each cable is, as a share of {format_time(seconds)}"
    if machine.num_ultraservers > 1:
        caption += f"; UltraServer {some.ultraserver:,} of {machine.num_ultraservers:,}"
    return View(
        "torus",
        f"{caption} (loads of links alone; the time is {result.kind})",
        _figure(some, shares, words, machine, order),
        _table(machine, some, carried, shares, order),
        f"the {min(_LISTED, len(shares))} busiest of {len(shares):,} cables, in both directions",
        (result, "torus"),
    )


def _chip(some: Cables, places: NDArray[np.int64], machine: Damaged) -> NDArray[np.int64]:
    """Return numbers of chips at coordinates."""
    steps = np.cumprod([1, *some.sizes[:-1]])
    first = some.ultraserver * machine.ultraserver.num_chips
    return np.asarray(first + places @ steps, np.int64)


def _words(
    machine: Damaged, some: Cables, carried: NDArray[np.float64], seconds: float
) -> list[str]:
    """Return what each cable carries, as hover and screen readers say it."""
    ends = zip(
        _chip(some, some.source, machine).tolist(),
        _chip(some, some.target, machine).tolist(),
        some.axis.tolist(),
        strict=True,
    )
    out = []
    for at, (one, other, axis) in enumerate(ends):
        said = [f"chip {one:,} and chip {other:,}, axis {some.names[axis]}"]
        if some.dead[at]:
            said.append("dead")
        for link, size, speed in zip(
            some.links[at].tolist(), carried[at].tolist(), some.bandwidth[at].tolist(), strict=True
        ):
            if link >= 0:
                share = size / speed / seconds
                said.append(
                    f"link {link:,}: {format_bytes(size)} at {format_bandwidth(speed)}, "
                    f"busy {share:.1%}"
                )
        out.append("; ".join(said))
    return out


def _space(places: NDArray[Any]) -> NDArray[np.float64]:
    out = np.zeros((len(places), 3))
    out[:, : places.shape[1]] = places
    return out


def _figure(
    some: Cables,
    shares: NDArray[np.float64],
    words: list[str],
    machine: Damaged,
    order: NDArray[np.int64],
) -> dict[str, Any]:
    start, end = _space(some.source), _space(some.target)
    away = np.where(is_wrapped(some)[:, None], _STUB * np.sign(start - end), (end - start) / 2)
    middle = start + away
    lines = [
        _segments(start, middle, shares, ~some.dead, "solid"),
        _segments(end, np.where(is_wrapped(some)[:, None], end - away, middle), shares,
                  ~some.dead, "solid"),
        _segments(start, middle, shares, some.dead, "dot"),
    ]  # fmt: skip
    marks = {
        "type": "scatter3d", "mode": "markers", "name": "cables",
        **_columns(middle),
        "text": [escape(line, quote=False).replace("; ", "<br>") for line in words],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "size": 3.5, "symbol": "square",
            "color": np.round(shares, 4).tolist(), "colorscale": _SCALE,
            "cmin": 0.0, "cmax": max(1.0, float(shares.max(initial=0.0))),
            "colorbar": {"title": {"text": "share of the time"}, "tickformat": ".0%",
                         "thickness": 14, "len": 0.8},
        },
    }  # fmt: skip
    chosen = {
        "type": "scatter3d", "mode": "markers", "name": "chosen", "hoverinfo": "skip",
        "x": [], "y": [], "z": [],
        "marker": {"size": 12, "symbol": "circle-open", "color": "#D55E00", "line": {"width": 4}},
    }  # fmt: skip
    crosses = {
        "type": "scatter3d", "mode": "markers", "name": "dead", "hoverinfo": "skip",
        **_columns(middle[some.dead]), "marker": {"size": 4, "symbol": "x", "color": "#000000"},
    }  # fmt: skip
    traces = [line for line in (*lines, crosses) if line["x"]]
    return {
        "data": [*traces, _chips(some, machine), marks, chosen],
        "layout": _layout(some),
        "words": words,
        "order": order.tolist(),
        "cables": len(traces) + 1,
        "chosen": len(traces) + 2,
    }


def _columns(points: NDArray[np.float64]) -> dict[str, list[float]]:
    return {axis: np.round(points[:, at], 3).tolist() for at, axis in enumerate("xyz")}


def _segments(
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    shares: NDArray[np.float64],
    which_ones: NDArray[np.bool_],
    dash: str,
) -> dict[str, Any]:
    """Return lines from start to end, with gaps between them, coloured by share."""
    points = np.stack([start, end, np.full_like(start, np.nan)], axis=1)[which_ones].reshape(-1, 3)
    colours = np.repeat(np.round(shares[which_ones], 4), 3)
    dotted = dash != "solid"
    line: dict[str, Any] = {"width": 6, "color": "#000000", "dash": dash}
    if not dotted:
        line = {"width": 6, "color": colours.tolist(), "colorscale": _SCALE, "cmin": 0.0,
                "cmax": max(1.0, float(shares.max(initial=0.0)))}  # fmt: skip
    return {
        "type": "scatter3d", "mode": "lines", "hoverinfo": "skip", "line": line,
        **_columns(points),
    }  # fmt: skip


def _chips(some: Cables, machine: Damaged) -> dict[str, Any]:
    places = np.argwhere(np.ones(some.sizes, np.bool_))
    numbers = _chip(some, places, machine).tolist()
    dead = some.dead_chips.reshape(-1).tolist()
    names = [
        f"chip {number:,} at "
        + ", ".join(f"{name} {at}" for name, at in zip(some.names, place, strict=True))
        + (", dead" if gone else "")
        for number, place, gone in zip(numbers, places.tolist(), dead, strict=True)
    ]
    return {
        "type": "scatter3d", "mode": "markers", "name": "chips",
        **_columns(_space(places)),
        "text": [escape(name, quote=False) for name in names],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"size": 3, "color": ["#D55E00" if gone else "#555555" for gone in dead],
                   "symbol": ["x" if gone else "circle" for gone in dead]},
    }  # fmt: skip


def _layout(some: Cables) -> dict[str, Any]:
    scene: dict[str, Any] = {
        "aspectmode": "manual",
        "camera": {
            "eye": {"x": 1.45, "y": 1.25, "z": 0.95},
            "center": {"x": 0, "y": 0, "z": -0.12},
        },
    }
    for at, axis in enumerate("xyz"):
        name = some.names[at] if at < len(some.names) else ""
        size = some.sizes[at] if at < len(some.sizes) else 1
        scene[f"{axis}axis"] = {
            "title": {"text": escape(f"{name} (chip)", quote=False) if name else ""},
            "dtick": max(1, size // 4), "range": [-0.6, size - 0.4], "visible": bool(name),
        }  # fmt: skip
    # The longest side is 1, so that the camera sees all of any shape.
    sides = [*some.sizes, 1, 1][:3]
    scene["aspectratio"] = {
        axis: (side + 0.2) / (max(sides) + 0.2) for axis, side in zip("xyz", sides, strict=True)
    }
    return {"scene": scene, "showlegend": False, "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "height": 480, "hoverlabel": {"align": "left"}}  # fmt: skip


def _table(
    machine: Damaged,
    some: Cables,
    carried: NDArray[np.float64],
    shares: NDArray[np.float64],
    order: NDArray[np.int64],
) -> Table:
    kept = order[:_LISTED]
    return Table(
        {
            "chips": [
                f"{one:,} and {other:,}"
                for one, other in zip(
                    _chip(some, some.source[kept], machine).tolist(),
                    _chip(some, some.target[kept], machine).tolist(),
                    strict=True,
                )
            ],
            "axis": [some.names[axis] for axis in some.axis[kept].tolist()],
            "one_way_bytes": carried[kept, 0],
            "back_bytes": carried[kept, 1],
            "bandwidth_Bps": some.bandwidth[kept, 0],
            "utilisation": shares[kept],
            "state": [
                "dead" if gone else "slower" if slow else "whole"
                for gone, slow in zip(
                    some.dead[kept].tolist(), some.slower[kept].tolist(), strict=True
                )
            ],
        }
    )
