"""Links between sites."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from rainier_fast.errors import as_one_of, invalid, invalid_type
from rainier_fast.memory import reckon
from rainier_fast.screen import one_screen
from rainier_fast.units import Quantity, parse_bandwidth, parse_bytes, parse_time

WAN_SHAPES: Final = ("mesh", "hub")
"""How sites may be joined."""
_CELL_BYTES: Final = 128
"""What a pair of sites takes in the tables of rates and times and in the core."""

_Stored: TypeAlias = float | tuple[float, ...] | tuple[tuple[float, ...], ...]


@one_screen
@dataclass(frozen=True, slots=True)
class Wan:
    """Links between sites, shared by all their flows.

    Attributes
    ----------
    bandwidth
        Bytes/s one way: one value for all, rows of values (from site, to site) for a mesh whose
        diagonal is ignored, or a value per site for a hub. Numbers or text.
    latency
        Seconds one way, written in the same ways; for a hub, to the hub and again from it.
    shape
        ``"mesh"``, a link for each ordered pair of sites; ``"hub"``, a link from each site to a
        hub and one back.
    window
        Bytes that one message between sites may have on the way, such as ``"64 MiB"``: its rate is
        at most window / round trip of its links. None for no such limit. Not for models that share
        links in time (fluid, fifo).

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names its place in the table.

    Examples
    --------
    >>> Wan("10 Tbps", "6 ms")
    Wan(bandwidth=1250000000000.0, latency=0.006, shape='mesh', window=None)
    >>> Wan("10 Tbps", [[0, "6 ms"], ["7 ms", 0]]).latency
    ((0.0, 0.006), (0.007, 0.0))
    """

    bandwidth: Any
    latency: Any
    shape: str = "mesh"
    window: Any = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "shape", as_one_of("shape", self.shape, WAN_SHAPES))
        put(self, "bandwidth", self._stored("bandwidth", self.bandwidth, parse_bandwidth))
        put(self, "latency", self._stored("latency", self.latency, parse_time))
        if self.window is not None:
            window = parse_bytes(self.window, "window")
            if window == 0.0:
                raise invalid("window", self.window, "must be above 0 bytes, or None")
            put(self, "window", window)

    def tables(self, sites: int) -> tuple[str, list[float], list[float], float | None]:
        """Return the WAN as the core takes it: the shape and flat tables for `sites` sites."""
        return (
            self.shape,
            self._flat("bandwidth", self.bandwidth, sites),
            self._flat("latency", self.latency, sites),
            self.window,
        )

    def _stored(self, name: str, given: object, parse: Callable[[Quantity, str], float]) -> _Stored:
        rows: Any = given.tolist() if isinstance(given, np.ndarray | np.generic) else given
        if not isinstance(rows, Sequence) or isinstance(rows, str | bytes):
            return parse(rows, name)  # type: ignore[arg-type]
        if self.shape == "hub":
            return tuple(parse(cell, f"{name}[{at}]") for at, cell in enumerate(rows))
        for at, row in enumerate(rows):
            if not isinstance(row, Sequence) or isinstance(row, str | bytes):
                raise invalid_type(f"{name}[{at}]", row, "a mesh needs rows: sites x sites values")
            if len(row) != len(rows):
                raise invalid(f"{name}[{at}]", row, f"must have {len(rows)} values, one per site")
        return tuple(
            tuple(
                0.0 if at == to else parse(cell, f"{name}[{at}][{to}]")
                for to, cell in enumerate(row)
            )
            for at, row in enumerate(rows)
        )

    def _flat(self, name: str, stored: object, sites: int) -> list[float]:
        cells = sites if self.shape == "hub" else sites * sites
        reckon(
            _CELL_BYTES * cells, f"a WAN between {sites} sites", 'use fewer sites, or shape "hub"'
        )
        if not isinstance(stored, tuple):
            return [float(stored)] * cells  # type: ignore[arg-type]
        if len(stored) != sites:
            raise invalid(f"wan {name}", stored, f"must have {sites} rows, one for each site")
        return list(stored) if self.shape == "hub" else [cell for row in stored for cell in row]
