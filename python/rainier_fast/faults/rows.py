"""Faults as the core takes and gives them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.errors import invalid
from rainier_fast.faults.faults import NAMES, Faults

__all__ = ["faults_of", "row_of"]


def faults_of(core: _core.Machine) -> Faults:
    """Return the faults of a core machine, as it sorted them.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> faults_of(preset("trn2")._core)
    Faults()
    """
    links, chips, nics, ultraservers, sites, degraded, factors = _core.faults(core)
    columns = (links, chips, nics, ultraservers, sites)
    named: dict[str, NDArray[Any]] = dict(zip(NAMES, columns, strict=True))
    return Faults._of({**named, "degraded": degraded}, factors, None)


def row_of(faults: Faults) -> tuple[Any, ...]:
    """Return faults as the core takes them.

    Raises
    ------
    InvalidArgument
        If a number does not fit: no machine has it.

    Examples
    --------
    >>> len(row_of(Faults(chips=[3])))
    7
    """
    columns = faults._columns
    small = [_narrow(name, columns[name]) for name in ("chips", "nics", "ultraservers", "sites")]
    wide = [columns[name].astype(np.uint64) for name in ("links", "degraded")]
    return (wide[0], *small, wide[1], faults._factors)


def _narrow(name: str, column: NDArray[np.int64]) -> NDArray[np.uint32]:
    if column.size and int(column[-1]) >= 2**32:
        raise invalid(name, int(column[-1]), "this machine has no such number")
    return column.astype(np.uint32)
