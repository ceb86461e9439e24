"""Objectives of services and jobs: times that must not be passed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from rainier_fast.definitions.check import as_items, as_pairs
from rainier_fast.errors import as_one_of, invalid, invalid_type
from rainier_fast.units import format_time, parse_time

SERVED: Final = ("ttft", "tpot")
"""Times of a service: to the first token, and between tokens."""

TRAINED: Final = ("step",)
"""Times of a job."""

_MOST: Final = 1000


class Objective(NamedTuple):
    """Most seconds of each time, infinite where it may be any; and all of it in words."""

    limits: tuple[float, ...]
    text: str


def as_objectives(given: object, names: tuple[str, ...]) -> tuple[Objective, ...]:
    """Return a list of objectives as it was given: dicts by name, or a time for each name."""
    example = "{'tpot': '50 ms'}" if names == SERVED else "{'step': '10 s'}"
    allowed = f"must be a list of objectives, each a dict such as {example}, or None for any time"
    if given is None:
        return (_objective("slo", {}, names, allowed),)
    if isinstance(given, Mapping):
        raise invalid_type("slo", given, allowed)
    items = as_items("slo", given, allowed)
    if not 1 <= len(items) <= _MOST:
        raise invalid("slo", given, f"must have 1 to {_MOST:,} objectives")
    found = [_objective(f"slo[{at}]", one, names, allowed) for at, one in enumerate(items)]
    for at, one in enumerate(found):
        if one in found[:at]:
            raise invalid(f"slo[{at}]", items[at], "must not be there twice")
    return tuple(found)


def _objective(where: str, given: object, names: tuple[str, ...], allowed: str) -> Objective:
    if isinstance(given, Mapping):
        pairs = [
            (as_one_of(where, name, names), value)
            for name, value in as_pairs(where, given, allowed)
        ]
    else:
        values = as_items(where, given, allowed)
        if len(values) != len(names):
            raise invalid(where, given, f"must have a time, or None, for {' and '.join(names)}")
        pairs = list(zip(names, values, strict=True))
    limits = dict.fromkeys(names, math.inf)
    for name, value in pairs:
        if value is None:
            continue
        seconds = float(parse_time(value, f"{where}.{name}"))
        if seconds == 0:
            raise invalid(f"{where}.{name}", value, "must be a time above 0, or None for any")
        limits[name] = seconds
    words = [f"{name} {format_time(most)}" for name, most in limits.items() if most < math.inf]
    return Objective(tuple(limits.values()), ", ".join(words) or "any time")
