"""What is asked of services, hour by hour of a day."""

from __future__ import annotations

import math
from typing import Final

from rainier_fast.definitions.check import as_integer, as_items, as_number
from rainier_fast.errors import invalid

HOURS: Final = 24
_MOST: Final = 1e18
_ALLOWED: Final = "must be a finite number of tokens a second >= 0"


def day_curve(peak: float, low: float, peak_hour: int) -> tuple[float, ...]:
    """Return 24 hours of demand that swing like a cosine: one peak, and the low 12 hours later.

    The shape is an assumption, as is that all hours count by one clock; a measured day says more.

    Parameters
    ----------
    peak, low
        Most and least tokens a second.
    peak_hour
        The hour that has the most, 0 to 23.

    Returns
    -------
    tuple of float
        Tokens a second in each hour.

    Raises
    ------
    InvalidArgument, InvalidType
        If an argument is not usable; the message names it.

    Examples
    --------
    >>> day = day_curve(1000, low=400, peak_hour=15)
    >>> len(day), day[15], day[3], round(day[9])
    (24, 1000.0, 400.0, 700)
    """
    most = as_number("peak", peak, 0.0, _MOST, _ALLOWED)
    least = as_number("low", low, 0.0, _MOST, _ALLOWED)
    if least > most:
        raise invalid("low", low, f"must be at most the peak of {most:g}")
    at = as_integer("peak_hour", peak_hour, 0, HOURS - 1)
    swing = (most - least) / 2
    hours = (2 * math.pi * (hour - at) / HOURS for hour in range(HOURS))
    return tuple(most - swing * (1 - math.cos(angle)) for angle in hours)


def as_demand(argument: str, value: object) -> tuple[float, ...]:
    """Return 24 numbers of tokens a second."""
    allowed = "must be 24 numbers, tokens of answers a second in each hour; rf.day_curve makes some"
    items = as_items(argument, value, allowed)
    if len(items) != HOURS:
        raise invalid(argument, value, allowed)
    named = enumerate(items)
    return tuple(as_number(f"{argument}[{at}]", one, 0.0, _MOST, _ALLOWED) for at, one in named)
