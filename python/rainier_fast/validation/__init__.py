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
    diloco,
    efficiency,
    ettr,
    nccl_tables,
    scaling_book,
    serving,
    serving_apart,
    table,
    tpu,
    training,
)
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row, mean_error, worst_error

__all__ = ["SOURCES", "Row", "mean_error", "worst_error"]

SOURCES: Final[Mapping[str, Callable[[], list[Row]]]] = MappingProxyType(
    {name: partial(table.rows, name) for name in read("references")}
    | {
        nccl_tables.SOURCE: nccl_tables.rows,
        tpu.SOURCE: tpu.rows,
        scaling_book.SOURCE: scaling_book.rows,
        training.SOURCE: training.rows,
        training.MEMORY_SOURCE: training.memory_rows,
        serving.SOURCE: serving.rows,
        serving_apart.SOURCE: serving_apart.rows,
        ettr.SOURCE: ettr.rows,
        diloco.SOURCE: diloco.rows,
        efficiency.SOURCE: efficiency.rows,
        "astra_sim": astra_sim.rows,
    }
)
"""What gives the rows of each source: measurements first, then closed forms, then other tools."""
