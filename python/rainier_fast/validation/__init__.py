"""Our figures beside published ones: data, and a function for each source that returns rows.

Examples
--------
>>> from rainier_fast.validation import SOURCES, mean_error
>>> round(mean_error(row for row in SOURCES["efa_b200"]() if "4 nodes" in row.group), 2) < 0.15
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from rainier_fast.validation import (
    closed_forms,
    efa_b200,
    h100_nccl,
    loggopsim,
    saturation,
    simgrid,
    tacos,
    tpu_scaling_book,
)
from rainier_fast.validation.row import Row, mean_error, worst_error

__all__ = ["SOURCES", "Row", "mean_error", "worst_error"]

SOURCES: Final[Mapping[str, Callable[[], list[Row]]]] = MappingProxyType(
    {
        "h100_nccl": h100_nccl.rows,
        "efa_b200": efa_b200.rows,
        "tpu_scaling_book": tpu_scaling_book.rows,
        "closed_forms": closed_forms.rows,
        "saturation": saturation.rows,
        "loggopsim": loggopsim.rows,
        "simgrid": simgrid.rows,
        "tacos": tacos.rows,
    }
)
"""What gives the rows of each source."""
