"""What a machine does for a dollar within an objective, at the prices of a month."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from rainier_fast.errors import RainierError, invalid
from rainier_fast.operations.cost import Cost, cost
from rainier_fast.operations.objectives import Objective
from rainier_fast.operations.ways import Floats, Way, Ways
from rainier_fast.workload.part import part_of

LEAST_USD: Final = 1e-9
"""Least dollars of a chip and hour."""

_HOUR: Final = 3600.0
_MILLION: Final = 1e6
_ROUNDING: Final = 1e-12


Prices: TypeAlias = Mapping[int, Cost | str]
"""What a chip of a part of so many costs, or why nobody knows."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The best way of a machine within an objective, in a month.

    Attributes
    ----------
    fate
        Empty, or why there are no dollars: ``"not run"``, ``"not met"``, ``"no price"``.
    why
        The same in a sentence.
    way, times
        The best way and its times; None and empty where none runs.
    tokens, low, high
        Tokens a second and chip; the least and the most if we were as far off as on the nearest
        measured rows. 0 where the objective would not be met at all.
    rows
        How many measured rows that is from.
    paid
        What a chip costs; None without a price.
    by_engine
        Dollars of a million tokens by the best way of each engine.
    """

    ways: Ways
    objective: Objective
    date: str
    prices: Prices
    fate: str
    why: str
    way: Way | None = None
    times: tuple[float, ...] = ()
    tokens: float = math.nan
    low: float = math.nan
    high: float = math.nan
    rows: int = 0
    paid: Cost | None = None
    by_engine: Mapping[str, float] | None = None

    @property
    def usd(self) -> float | None:
        """Dollars of a million tokens; None without."""
        return self._usd(self.tokens, None if self.paid is None else self.paid.usd_per_chip_hour)

    @property
    def usd_low(self) -> float | None:
        """The least, by the cheapest price of the month and the most tokens."""
        return self._usd(self.high, None if self.paid is None else self.paid.low)

    @property
    def usd_high(self) -> float | None:
        """The most: infinite where the objective may not be met."""
        return self._usd(self.low, None if self.paid is None else self.paid.high)

    def _usd(self, tokens: float, price: float | None) -> float | None:
        if self.fate or price is None:
            return None
        return math.inf if tokens == 0 else price / _HOUR / tokens * _MILLION


def priced(ways: Ways, prices: object, date: str, region: object) -> Prices:
    """Return what chips cost in a month, for each number of chips that ways have."""
    found: dict[int, Cost | str] = {}
    for chips in sorted({way.chips for way in ways.ways}):
        options: dict[str, Any] = {"prices": prices, "date": date, "region": region}
        options |= {"instance": None, "hours": None, "goodput": 1.0}
        try:
            one = cost(part_of(ways.machine, chips), None, options)
        except RainierError as error:
            found[chips] = str(error)
            continue
        usd = one.usd_per_chip_hour
        if usd < LEAST_USD:
            allowed = "must be 1e-9 dollars of a chip and hour or more: what is free has no ratio"
            raise invalid("prices", usd, allowed)
        found[chips] = one
    return found


def per_token(ways: Ways, known: Prices, tokens: Floats) -> Floats:
    """Return dollars of a million tokens of each way; infinite without a price."""
    each = np.full(len(tokens), math.inf)
    for chips, one in known.items():
        if isinstance(one, Cost):
            each[ways.chips == chips] = one.usd_per_chip_hour
    return each / _HOUR / tokens * _MILLION


def offer(ways: Ways, objective: Objective, date: str, known: Prices) -> Offer:
    """Return the best way: the cheapest, or where no price is known that with most tokens."""
    if not ways.ways:
        return Offer(ways, objective, date, known, "not run", ways.why)
    passed = (ways.times / np.array(objective.limits)).max(axis=1)
    if passed.min() > 1 + _ROUNDING:
        return Offer(ways, objective, date, known, "not met", _nearest(ways, objective, passed))
    usd = per_token(ways, known, ways.tokens)
    at = _cheapest(usd, ways.tokens, passed)
    way, price = ways.ways[at], known[ways.ways[at].chips]
    own = ways.engines == way.engine
    tokens = [float(ways.tokens[at])]
    band = ways.band(at)
    for factors in band:
        times, off = ways.if_off(factors)
        over = np.where(own, (times / np.array(objective.limits)).max(axis=1), math.inf)
        if over.min() > 1 + _ROUNDING:
            tokens.append(0.0)
        else:
            tokens.append(float(off[_cheapest(per_token(ways, known, off), off, over)]))
    made = isinstance(price, Cost)
    return Offer(
        ways,
        objective,
        date,
        known,
        "" if made else "no price",
        "" if isinstance(price, Cost) else price,
        way,
        tuple(ways.times[at].tolist()),
        tokens[0],
        min(tokens),
        max(tokens),
        len(band),
        price if isinstance(price, Cost) else None,
        _by_engine(ways, usd, passed) if made else None,
    )


def _cheapest(usd: Floats, tokens: Floats, passed: Floats) -> int:
    """Return the row within the objective that is cheapest; of equal ones that with most tokens."""
    within = passed <= 1 + _ROUNDING
    least = np.where(within, usd, math.inf)
    best = within & (least == least[within].min())
    return int(np.argmax(np.where(best, tokens, -1.0)))


def _by_engine(ways: Ways, usd: Floats, passed: Floats) -> Mapping[str, float]:
    within = passed <= 1 + _ROUNDING
    found = {str(name): within & (ways.engines == name) for name in np.unique(ways.engines)}
    return {name: float(usd[own].min()) for name, own in found.items() if own.any()}


def _nearest(ways: Ways, objective: Objective, passed: Floats) -> str:
    at = int(passed.argmin())
    by = [time / most for time, most in zip(ways.times[at], objective.limits, strict=True)]
    name = ways.names[int(np.argmax(by))]
    way = ways.ways[at]
    how = f"{way.engine}, {way.layout}" if way.engine else str(way.layout)
    return f"no layout meets it; the nearest ({how}) passes {name} by {passed[at] - 1:.1%}"


def curve(offers: Sequence[Offer]) -> dict[str, list[Any]]:
    """Return columns of what each machine costs, the longer its last time may be.

    A row wherever a longer time allows what is cheaper; within each limit of the times before it.
    """
    columns: dict[str, list[Any]] = {}
    seen: set[tuple[int, str, tuple[float, ...]]] = set()
    for one in offers:
        key = id(one.ways), one.date, one.objective.limits[:-1]
        if key in seen or not one.ways.ways:
            continue
        seen.add(key)
        usd = per_token(one.ways, one.prices, one.ways.tokens)
        for at in _steps(one.ways, usd, one.objective.limits):
            for name, value in _point(one, at, float(usd[at])).items():
                columns.setdefault(name, []).append(value)
    return columns


def _steps(ways: Ways, usd: Floats, limits: Sequence[float]) -> list[int]:
    """Return the rows that are cheaper than all that are as fast, the fastest first."""
    allowed = (ways.times[:, :-1] <= np.array(limits[:-1])).all(axis=1) & np.isfinite(usd)
    order = np.lexsort((usd, ways.times[:, -1]))
    order = order[allowed[order]]
    if not len(order):
        return []
    before = np.concatenate(([math.inf], np.minimum.accumulate(usd[order])[:-1]))
    kept: list[int] = order[usd[order] < before].tolist()
    return kept


def _point(one: Offer, at: int, usd: float) -> dict[str, Any]:
    ways, way = one.ways, one.ways.ways[at]
    last = len(ways.names) - 1
    told: dict[str, Any] = {"machine": ways.name, "date": one.date}
    for name, most in zip(ways.names[:last], one.objective.limits, strict=False):
        told[f"within_{name}_s"] = most
    for name, seconds in zip(ways.names, ways.times[at].tolist(), strict=True):
        told[f"{name}_s"] = seconds
    return told | {
        "usd_per_million_tokens": usd,
        "tokens_per_s_per_chip": float(ways.tokens[at]),
        "engine": way.engine,
        "layout": str(way.layout),
        "chips": way.chips,
        "concurrency": way.at_once,
        "kind": way.kind,
    }
