"""At which failure rate two policies do as well as each other."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from rainier_fast.errors import RainierError
from rainier_fast.faults.modes import Modes
from rainier_fast.operations.asked import Asked
from rainier_fast.operations.jobs import plan

_DECADES: Final = 3
_PER_DECADE: Final = 4
_HALVINGS: Final = 30


def break_even(machine: Modes, asked: Asked, policy: str, other: str) -> float:
    """Return the factor on all failure rates at which both do as well for each chip held.

    The one nearest to 1, from a thousandth to a thousand times; NaN where there is none.
    """

    def lead(factor: float) -> float:
        rates = _scaled(asked, factor)
        try:
            mine, yours = (plan(machine, rates, name).per_chip for name in (policy, other))
        except RainierError:
            return math.nan
        return mine - yours

    steps = _DECADES * _PER_DECADE
    exponents = [at / _PER_DECADE for at in range(-steps, steps + 1)]
    leads = [lead(10**at) for at in exponents]
    crossings = [
        (low, high)
        for low, high, first, last in zip(exponents, exponents[1:], leads, leads[1:], strict=False)
        if first * last < 0
    ]
    if not crossings:
        return math.nan
    low, high = min(crossings, key=lambda both: abs(both[0] + both[1]))
    sign = lead(10**low)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if lead(10**middle) * sign > 0:
            low = middle
        else:
            high = middle
    return float(10 ** ((low + high) / 2))


def _scaled(asked: Asked, factor: float) -> Asked:
    rates = asked.rates
    names = ("chip", "cable", "nic", "host", "ultraserver", "job")
    changed = {f"{name}_per_hour": getattr(rates, f"{name}_per_hour") * factor for name in names}
    return replace(asked, rates=replace(rates, **changed))
