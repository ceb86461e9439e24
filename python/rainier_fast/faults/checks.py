"""The checks of numbers and factors that faults are made of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from rainier_fast.definitions.check import as_items, as_number
from rainier_fast.errors import invalid, out_of_range
from rainier_fast.topology.arrays import as_integers
from rainier_fast.units import format_count

__all__ = ["factor_of", "numbers_of", "sizes"]


def numbers_of(name: str, given: object) -> NDArray[np.int64]:
    """Return given numbers as an ascending array.

    Raises
    ------
    OutOfRange, InvalidArgument, InvalidType
        If one is negative or too large, named twice, or no whole number.

    Examples
    --------
    >>> numbers_of("links", [3, 1])
    array([1, 3])
    """
    if isinstance(given, Iterable) and not isinstance(given, str | bytes | Sequence | np.ndarray):
        given = as_items(name, given, "must be integers")
    array = np.atleast_1d(as_integers(name, given, 2**63 - 1))
    if array.size and not 0 <= int(array.min()) <= int(array.max()) < 2**63:
        worst = int(array.min()) if int(array.min()) < 0 else int(array.max())
        raise out_of_range(name, worst, 0, 2**63 - 1)
    ordered = np.sort(array.astype(np.int64))
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if twice.size:
        raise invalid(name, int(twice[0]), "names this number twice")
    return ordered


def factor_of(link: int, value: object) -> float:
    """Return a factor on a link's bandwidth.

    Raises
    ------
    InvalidArgument, InvalidType
        If it is not above 0 and at most 1.

    Examples
    --------
    >>> factor_of(7, 0.5)
    0.5
    """
    name, allowed = f"degraded[{link}]", "a factor must be above 0 and at most 1"
    return as_number(name, value, math.ulp(0.0), 1.0, f"{allowed}; name a dead link in links")


def sizes(numbering: tuple[int, ...]) -> str:
    """Return the counts of a machine's parts in words.

    Examples
    --------
    >>> sizes((16, 64, 1, 1))
    'a machine of 16 chips, 64 links, 1 UltraServers, 1 sites'
    """
    chips, links, units, sites = map(format_count, numbering)
    return f"a machine of {chips} chips, {links} links, {units} UltraServers, {sites} sites"
