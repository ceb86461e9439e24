"""Channel loads of tori against the textbook; their inverse against a cycle-accurate simulator."""

from __future__ import annotations

from rainier_fast.definitions.routing import Routing
from rainier_fast.machine import torus
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

__all__ = ["channel_load", "rows"]


def channel_load(side: int, axes: int, pattern: str, routing: Routing = "dor") -> float:
    """Return the bytes on the busiest link for one byte from each chip, ties split."""
    return float(torus((side,) * axes, 1e9).traffic(pattern, 1, routing=routing).bytes.max())


def rows() -> list[Row]:
    """Return channel loads and saturation rates."""
    data = read("saturation")
    saturates = "traffic saturates at the inverse"
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
                    saturates,
                )
            )
    valiant = data["valiant"]
    side, axes = valiant["side"], valiant["axes"]
    for pattern, published in valiant["loads"].items():
        found.append(
            Row(
                "Channel loads, textbook",
                f"{pattern} on the {side}-ary {axes}-cube by Valiant's algorithm",
                "channel load",
                "bytes",
                published,
                channel_load(side, axes, pattern, "valiant"),
                "link loads",
                valiant["source"],
                saturates,
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
