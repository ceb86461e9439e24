"""What a collective takes at many sizes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.request import Request
from rainier_fast.screen import Pictured, Report, Told, one_screen
from rainier_fast.table import Table
from rainier_fast.topology.base import Base
from rainier_fast.units import format_bytes, format_time


@one_screen
@dataclass(frozen=True, slots=True, repr=False)
class Times(Pictured, Report, Told):
    """Times of one collective at many sizes. Immutable.

    Attributes
    ----------
    machine
        The machine.
    request
        What was asked for; its size is the first.
    table
        Columns ``bytes``, ``time_s``, ``algorithm``, ``algbw_Bps``, ``busbw_Bps``, a row a size.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> times = preset("trn2").times("all_reduce", ["1 KiB", "1 GiB"])
    >>> times.time_s.shape, times.algorithm[1]
    ((2,), 'swing')
    """

    machine: Base
    request: Request
    table: Table = field(hash=False)

    _also = ("kind", "table")

    @property
    def kind(self) -> str:
        """What kind of number the times are: `CollectiveResult.kind`."""
        return self.request.kind

    @property
    def size_bytes(self) -> NDArray[np.float64]:
        """The sizes, bytes, as the operation defines them."""
        return self.table["bytes"]

    @property
    def time_s(self) -> NDArray[np.float64]:
        """Seconds at each size."""
        return self.table["time_s"]

    @property
    def algorithm(self) -> list[str]:
        """The algorithm at each size."""
        return self.table["algorithm"].tolist()  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return str(self)

    def _page(self) -> Iterable[Any]:
        sizes, times = self.size_bytes, self.time_s
        if not len(sizes):
            return [f"{self.request.operation} at no size, {self.kind}"]
        spans = [
            f"{low} to {high}" if low != high else low
            for low, high in (
                (format_bytes(float(sizes.min())), format_bytes(float(sizes.max()))),
                (format_time(float(times.min())), format_time(float(times.max()))),
            )
        ]
        return [
            f"{self.request.operation} at {len(sizes):,} sizes of {spans[0]}: {spans[1]}, "
            f"{self.kind}",
            self.table._part(self.table.columns),
        ]
