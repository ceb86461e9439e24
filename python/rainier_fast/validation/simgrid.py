"""Many flows at once against SimGrid on tori, in times of one flow alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from rainier_fast.definitions import DimensionOrder
from rainier_fast.machine import torus
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

__all__ = ["rows"]


def rows() -> list[Row]:
    """Return all-to-alls and random permutations."""
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
    for case in data["finish_times"]:
        found += _finish_times(case, data["source"])
    return found


def _finish_times(case: dict[str, Any], source: str) -> list[Row]:
    side = case["side"]
    chips = side**3
    if case["flows"] == "all-to-all":
        src, dst = np.divmod(np.arange(chips * chips), chips)
    else:
        src, dst = np.arange(chips), np.random.default_rng(1).permutation(chips)
    moved = src != dst
    src, dst = src[moved], dst[moved]
    machine = torus((side,) * 3, 1.0)
    found = []
    for quantity, tie, published in (
        ("makespan", "simgrid", case["makespan"]),
        ("mean finish time", "simgrid", case["mean"]),
        ("mean finish time", "positive", case["mean_positive"]),
    ):
        done = machine.finish_times(src, dst, 1, routing=DimensionOrder(tie))
        found.append(
            Row(
                "Finish times, SimGrid",
                f"{case['flows']} on {side} x {side} x {side}, {len(src):,} flows",
                quantity,
                "times of one flow",
                published,
                float(done.max() if quantity == "makespan" else done.mean()),
                "fluid",
                source,
                f"ties {tie}" + ("; by an own oracle" if tie == "positive" else ""),
            )
        )
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
