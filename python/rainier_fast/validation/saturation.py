"""Channel loads of tori against the textbook; their inverse against a cycle-accurate simulator."""

from __future__ import annotations

from rainier_fast.machine import torus
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

__all__ = ["channel_load", "rows"]


def channel_load(side: int, axes: int, pattern: str) -> float:
    """Return the bytes on the busiest link for one byte from each chip, ties split.

    Parameters
    ----------
    side
        Chips along each axis.
    axes
        How many axes.
    pattern
        As in `Machine.traffic`.

    Returns
    -------
    float
        The textbook's gamma; traffic saturates at its inverse.

    Examples
    --------
    >>> channel_load(8, 2, "tornado")
    3.0
    """
    return float(torus((side,) * axes, 1e9).traffic(pattern, 1).bytes.max())


def rows() -> list[Row]:
    """Return channel loads and saturation rates.

    Returns
    -------
    list of Row
        The textbook's loads are exact. BookSim's figure is the middle of the bracket in which its
        search ended: routers with finite buffers saturate near the inverse of the load, not at it.

    Examples
    --------
    >>> max(abs(row.error) for row in rows() if "textbook" in row.group)
    0.0
    """
    data = read("saturation")
    found = []
    for table in data["textbook"]:
        side, axes = table["side"], table["axes"]
        for pattern, published in table["loads"].items():
            found.append(
                Row(
                    "Channel loads, textbook",
                    f"{pattern} on the {side}-ary {axes}-cube",
                    "channel load",
                    "bytes",
                    published,
                    channel_load(side, axes, pattern),
                    "link loads",
                    data["source"],
                )
            )
    booksim = data["booksim"]
    side, axes = booksim["side"], booksim["axes"]
    for pattern, (low, high) in booksim["brackets"].items():
        note = f"bracket {low} to {high}"
        if pattern == "uniform":
            note += ": what it accepts when offered 1, the most that a chip can offer"
        found.append(
            Row(
                "Saturation, BookSim2",
                f"{pattern} on the {side}-ary {axes}-cube",
                "saturation rate",
                booksim["unit"],
                (low + high) / 2,
                1 / channel_load(side, axes, pattern),
                "link loads",
                booksim["source"],
                note,
            )
        )
    return found
