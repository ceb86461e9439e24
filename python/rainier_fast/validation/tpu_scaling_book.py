"""TPU v5p and v5e: data-sheet links and one least time of a call, against measured curves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import Any

from rainier_fast.definitions import Axis, Site, UltraServer
from rainier_fast.definitions.site import Fabric
from rainier_fast.machine import Cluster, Machine, preset
from rainier_fast.results import CollectiveResult
from rainier_fast.units import Quantity
from rainier_fast.validation.data import read
from rainier_fast.validation.fit import Fit, fit_one, left_out
from rainier_fast.validation.row import Row

__all__ = ["fitted_launch", "rows", "tpu"]


def tpu(name: str, launch: Quantity = 0.0) -> Machine:
    """Return the slice that a curve was measured on."""
    kind = read("tpu_scaling_book")["machines"][name]
    axes = tuple(
        Axis(letter, size, "ring" if wrap else "line", kind["link_Bps"])
        for letter, size, wrap in zip("xyz", kind["shape"], kind["wrap"], strict=False)
    )
    server = UltraServer(f"TPU {name}", None, axes, launch=launch)
    return Cluster([Site("slice", 1, server, Fabric())])


@cache
def fitted_launch(name: str) -> Fit:
    """Return the one latency of a machine, fitted to its whole curve."""
    tried = [count * 1e-6 for count in range(201)]
    return fit_one(tried, lambda launch: [row.error for row in _rows(name, launch, "", "")])


def rows() -> list[Row]:
    """Return both curves with the fitted latency, with each point left out, and by presets."""
    found: list[Row] = []
    for name in read("tpu_scaling_book")["machines"]:
        fit = fitted_launch(name)
        note = f"launch {fit.value * 1e6:.0f} us, fitted to all points"
        best = list(_rows(name, fit.value, f"TPU {name}, one fitted launch", note))
        found += best
        group = f"TPU {name}, one fitted launch, leave one out"
        found += left_out(best, fit, group, "launch fitted to the other points")
        shape = read("tpu_scaling_book")["machines"][name]["shape"]
        machine = preset(f"tpu-{name}", shape=shape)
        found += list(_rows_of(machine, name, f"TPU {name}, the preset", "launch and hop latency"))
    return found


def _rows(name: str, launch: float, group: str, note: str) -> Iterator[Row]:
    return _rows_of(tpu(name, launch), name, group, note)


def _rows_of(machine: Machine, name: str, group: str, note: str) -> Iterator[Row]:
    data = read("tpu_scaling_book")
    kind = data["machines"][name]
    for size, published in kind["rows"]:
        result = _along(machine, kind, size)
        yield Row(
            group,
            f"{kind['operation']} of {size:g} B along an axis of {kind['axis_size']}",
            "algorithm bandwidth",
            "GB/s",
            published / 1e9,
            result.algbw_Bps / 1e9,
            result.model,
            data["source"],
            note,
        )


def _along(machine: Machine, kind: dict[str, Any], size: float) -> CollectiveResult:
    # The last axis of the shape: all its groups at once, chips of one group a stride apart.
    rest = math.prod(kind["shape"][:-1])
    mesh = machine.mesh(ring=kind["axis_size"], rest=rest)
    result: CollectiveResult = getattr(mesh, kind["operation"])(size, axis="ring", algorithm="ring")
    return result
