"""Numbers and factors that faults are made of, as they are given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rainier_fast.definitions.check import as_items
from rainier_fast.errors import invalid, out_of_range
from rainier_fast.topology.arrays import as_integers
from rainier_fast.units import as_real, format_count


def as_factor(name: str, value: object) -> float:
    """Return a factor on a link's bandwidth, above 0 and at most 1."""
    number = as_real(value, name, "must be a number above 0 and at most 1")
    if not 0 < number <= 1:
        raise invalid(name, value, "must be above 0 and at most 1; name a dead link in links")
    return number


def sizes(numbering: tuple[int, ...]) -> str:
    """Return the counts of a machine's parts in words."""
    chips, links, units, sites = map(format_count, numbering)
    return f"a machine of {chips} chips, {links} links, {units} UltraServers, {sites} sites"


def numbers_of(name: str, given: object, limit: int = 2**32) -> NDArray[Any]:
    """Return given numbers as an array, each from 0 to below a limit."""
    if isinstance(given, Iterable) and not isinstance(given, str | bytes | Sequence | np.ndarray):
        given = as_items(name, given, "must be integers")
    array = np.atleast_1d(as_integers(name, given, limit - 1))
    if array.size and not 0 <= int(array.min()) <= int(array.max()) < limit:
        worst = int(array.min()) if int(array.min()) < 0 else int(array.max())
        raise out_of_range(name, worst, 0, limit - 1)
    return array
