"""Many flows at once against SimGrid: its makespans on tori, in times of one flow alone."""

from __future__ import annotations

import numpy as np

from rainier_fast.definitions import DimensionOrder
from rainier_fast.machine import torus
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

__all__ = ["rows"]


def rows() -> list[Row]:
    """Return all-to-alls and random permutations.

    Returns
    -------
    list of Row
        Ours is the busiest link's load under SimGrid's tie rule: what no sharing of links beats,
        and what fair sharing meets in these cases, as the busiest link never waits.

    Examples
    --------
    >>> {row.error for row in rows()}
    {0.0}
    """
    data = read("simgrid")
    found = []
    for text, published in data["all_to_all"].items():
        side = int(text)
        src, dst = np.divmod(np.arange(side**6), side**3)
        note = data["all_to_all_note"].get(text, "")
        found.append(_row("all-to-all", side, src, dst, published, data["source"], note))
    for text, published in data["permutation"].items():
        chips = int(text) ** 3
        dst = np.random.default_rng(1).permutation(chips)
        note = "numpy.random.default_rng(1).permutation"
        src = np.arange(chips)
        found.append(_row("permutation", int(text), src, dst, published, data["source"], note))
    return found


def _row(
    what: str,
    side: int,
    src: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    dst: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    published: float,
    source: str,
    note: str,
) -> Row:
    loads = torus((side,) * 3, 1.0).link_loads(src, dst, 1, DimensionOrder("simgrid"))
    return Row(
        "Makespans, SimGrid",
        f"{what} on {side} x {side} x {side}",
        "makespan",
        "times of one flow",
        published,
        loads.time_s,
        "link loads",
        source,
        note,
    )
