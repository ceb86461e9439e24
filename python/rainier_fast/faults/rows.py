"""Faults as the core takes and gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.errors import invalid

__all__ = ["NAMES", "columns_of", "row_of"]

NAMES: Final = ("links", "chips", "nics", "ultraservers", "sites")
"""What can be dead."""


def columns_of(core: _core.Machine) -> tuple[dict[str, NDArray[Any]], NDArray[np.float64]]:
    """Return the faults of a core machine by name, and the factors of its slower links."""
    *columns, factors = _core.faults(core)
    return dict(zip((*NAMES, "degraded"), columns, strict=True)), factors  # type: ignore[arg-type]


def row_of(
    columns: Mapping[str, NDArray[np.int64]], factors: NDArray[np.float64]
) -> tuple[Any, ...]:
    """Return faults as the core takes them; `InvalidArgument` for a number that no machine has."""
    small = [_narrow(name, columns[name]) for name in ("chips", "nics", "ultraservers", "sites")]
    wide = [columns[name].astype(np.uint64) for name in ("links", "degraded")]
    return (wide[0], *small, wide[1], factors)


def _narrow(name: str, column: NDArray[np.int64]) -> NDArray[np.uint32]:
    if column.size and int(column[-1]) >= 2**32:
        raise invalid(name, int(column[-1]), "this machine has no such number")
    return column.astype(np.uint32)
