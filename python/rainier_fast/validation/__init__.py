"""Our figures beside published ones: data, and a function for each source that returns rows.

Examples
--------
>>> from rainier_fast.validation import SOURCES, mean_error
>>> round(mean_error(row for row in SOURCES["efa_b200"]() if "4 nodes" in row.group), 2) < 0.15
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from rainier_fast.validation import (
    astra_sim,
    h100_nccl,
    loggopsim,
    simgrid,
    table,
    tacos,
    tpu_scaling_book,
    trn2_nccom,
)
from rainier_fast.validation.row import Row, mean_error, worst_error

__all__ = ["SOURCES", "Row", "mean_error", "worst_error"]

SOURCES: Final[Mapping[str, Callable[[], list[Row]]]] = MappingProxyType(
    {
        "trn2_nccom": trn2_nccom.rows,
        "h100_nccl": h100_nccl.rows,
        "efa_b200": partial(table.rows, "efa_b200"),
        "tpu_scaling_book": tpu_scaling_book.rows,
        "closed_forms": partial(table.rows, "closed_forms"),
        "saturation": partial(table.rows, "saturation"),
        "loggopsim": loggopsim.rows,
        "simgrid": simgrid.rows,
        "tacos": tacos.rows,
        "scale_out": partial(table.rows, "scale_out"),
        "swing_paper": partial(table.rows, "swing_paper"),
        "astra_sim": astra_sim.rows,
    }
)
"""What gives the rows of each source: measurements first, then closed forms, then other tools."""
