"""A day of a fleet as text."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rainier_fast.fleet.split import Floats
from rainier_fast.screen import Facts
from rainier_fast.table import Table
from rainier_fast.units import format_count

PRACTICE: Final = (
    "most of Rainier's chips serve, part of them trains in the evening (Semafor, 2025-10-29); how "
    "much is not public"
)
"""What is known of such days; nothing here is fitted to it."""

_MOST: Final = 13
_SHOWN: Final = 3  # hours of a row on screen
_FLOWS: Final = ("served", "unmet", "trained")
_SCALES: Final = ((1e15, " P"), (1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k"))


def headline(today: Any) -> str:  # noqa: ANN401 - a FleetDay
    """Return a day in one line."""
    where = f"{format_count(today.machine.num_ultraservers)} UltraServers in a day"
    told = f"{where}: {_tokens(today.tokens_served)} tokens served"
    if today.tokens_unmet:
        told += f", {_tokens(today.tokens_unmet)} ({today.tokens_unmet / today.tokens_asked:.1%}"
        told += " of the demand) UNMET"
    return f"{told}, {_tokens(today.tokens_trained)} trained, {today.kind}"


def page(today: Any) -> list[Any]:  # noqa: ANN401 - a FleetDay
    """Return a day on one screen."""
    uses = ", ".join(f"{one['use']} {one['share']:.1%}" for one in today.uses)
    facts: Facts = [("UltraServers", uses)]
    low, high = today.tokens_trained_low, today.tokens_trained_high
    if low < high:
        band = f"{_tokens(low)} to {_tokens(high)} by how long hand-overs take"
        facts.append(("trained", band))
    for one in today.services:
        told = f"{one['model']}: tp {one['tp']}, pp {one['pp']}, {one['concurrency']:,.0f} "
        told += f"requests on {one['block']} UltraServer{'s' if one['block'] > 1 else ''}, at the "
        told += f"peak on {one['most']:,}; {one['usd_per_million']:.4g} USD a million tokens, "
        facts.append(("service", told + f"{one['J_per_token']:.3g} J each"))
    for one in today.jobs:
        if one["most"] == 0:
            facts.append(("job", f"{one['model']} never runs: services take all UltraServers"))
            continue
        told = f"{one['model']} on {one['least']:,} to {one['most']:,} UltraServers, "
        told += f"{one['changes']} changes; goodput {one['goodput']:.1%}; "
        told += f"{one['usd_per_million']:.4g} USD a million tokens, "
        facts.append(("job", told + f"{one['J_per_token']:.3g} J each"))
    if today.cost is not None:
        facts.append(("cost", f"{today.usd:,.0f} USD; {today.cost.price or 'as it was given'}"))
    facts.append(("energy", f"{today.energy_J / 3.6e9:,.4g} MWh"))
    spare = f"{today.spares:,} stand by, {today.in_repair:,.3g} in repair in the mean"
    facts.append(("failures", f"{spare}; enough for {today.enough_spares:.1%} of the time"))
    facts += [("not said", line) for line in today.guesses]
    if today.fleet.services and today.fleet.jobs:
        facts.append(("reported", PRACTICE))
    if len(facts) > _MOST:
        left = f"{len(facts) - _MOST + 1} more lines: see .services, .jobs and .guesses"
        facts[_MOST - 1 :] = [("...", left)]
    return [headline(today), facts, "", _short(today)]


def _short(today: Any) -> Table:  # noqa: ANN401 - a FleetDay
    """Return the hours some at a time, as the screen has them."""
    hours = today.hours

    def pooled(name: str) -> Floats:
        sums: Floats = hours[name].reshape(-1, _SHOWN).sum(axis=1)
        return sums

    names = ("serving", "training", "idle")
    return Table(
        {
            "hours": [f"{at:02}-{at + _SHOWN:02}" for at in range(0, 24, _SHOWN)],
            **{f"{name}_mean": np.round(pooled(name) / _SHOWN, 1) for name in names},
            **{name: [_tokens(one) for one in pooled(name)] for name in _FLOWS},
            "MWh": np.round(pooled("MWh"), 2),
        }
    )


def _tokens(number: float) -> str:
    """Write a number of tokens with a decimal prefix."""
    for scale, name in _SCALES:
        if number >= scale:
            return f"{number / scale:.4g}{name}"
    return f"{number:.4g}"
