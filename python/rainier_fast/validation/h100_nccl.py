"""Eight H100 on NVSwitch: NCCL's tuning model against measured times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from rainier_fast.definitions import Axis, Gpu, Nic, UltraServer
from rainier_fast.machine import Machine, domain
from rainier_fast.units import Quantity
from rainier_fast.validation.data import read
from rainier_fast.validation.fit import Fit, fit_one, left_out
from rainier_fast.validation.row import Row

__all__ = ["fitted_fill", "h100", "rows"]


def h100(fill: Quantity = 0.0) -> Machine:
    """Return a node of eight H100."""
    axis = Axis("x", 8, "switch", "450 GB/s")
    return domain(
        UltraServer("8 x H100", None, (axis,), Nic("400 Gbps", 0), gpu=Gpu("hopper", fill=fill))
    )


@cache
def fitted_fill() -> Fit:
    """Return the fill time fitted to all fifteen rows: one figure for all sizes and operations."""
    tried = [count * 1e-6 for count in range(101)]
    return fit_one(tried, lambda fill: [row.error for row in _rows(fill, "")])


def rows() -> list[Row]:
    """Return NCCL's model as it is, with one fitted figure, and with rows left out of the fit."""
    fit = fitted_fill()
    us = f"{fit.value * 1e6:.0f} us"
    bare = list(_rows(0.0, "H100 x 8, NCCL's model as it is"))
    best = list(_rows(fit.value, "H100 x 8, one fitted fill", f"fill {us}, fitted to all rows"))
    group = "H100 x 8, one fitted fill, leave one out"
    left = left_out(best, fit, group, "fill fitted to the other fourteen rows")
    return [*bare, *best, *left, *_without_nvls()]


def _rows(fill: float, group: str, note: str = "nothing fitted") -> Iterator[Row]:
    data, machine = read("h100_nccl"), h100(fill)
    for operation, times in data["rows"].items():
        for elements, published in zip(data["elements"], times, strict=True):
            size = elements * data["inputs"]["bytes_per_element"]
            result = getattr(machine, operation)(size, algorithm="nccl")
            case = f"{operation} of {elements} elements by {result.algorithm}"
            ours = result.time_s * 1e6
            model, source = result.model, data["source"]
            yield Row(group, case, "time", "us", published, ours, model, source, note)


def _without_nvls() -> Iterator[Row]:
    data = read("h100_nccl")["without_nvls"]
    pairs: Sequence[tuple[float, float]] = data["rows"]
    machine = h100(fitted_fill().value)
    for size, published in pairs:
        result = machine.all_reduce(size, algorithm="nccl")
        name, time = next(
            (row["algorithm"], row["time_s"])
            for row in result.candidates
            if "nvls" not in row["algorithm"]
        )
        yield Row(
            "H100 x 8, without NVLS",
            f"all_reduce of {size:g} B by {name}",
            "bus bandwidth",
            "GB/s",
            published / 1e9,
            size / float(time) * result.bus_factor / 1e9,
            result.model,
            data["source"],
            "fill fitted to the other source, not to this; on small sizes the two disagree",
        )
