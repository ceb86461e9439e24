"""What decides whether the first machine or another is the better buy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from rainier_fast.operations.offers import Offer

_LEAST, _MOST = 1.3, 1.4
CLAIM: Final = (
    "AWS's 30 to 40 % better price-performance (Trn2 over P5e and P5en, December 2024) names no "
    "benchmark and no objective"
)
"""What is claimed, and by whom."""

NOTHING: Final = "nothing that is known here"


class Ratio(NamedTuple):
    """What a dollar buys of the first machine over what it buys of another, and its range."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f}, {_range(self.low, self.high)}"


def ratio_of(first: Offer, other: Offer) -> Ratio | None:
    """Return the ratio, None where one of both has no dollars.

    The same machine is as far off as itself: its range is one number.
    """
    if first.usd is None or other.usd is None:
        return None
    assert first.usd_low is not None
    assert first.usd_high is not None
    assert other.usd_low is not None
    assert other.usd_high is not None
    value = other.usd / first.usd
    if other.ways.machine == first.ways.machine:
        return Ratio(value, value, value)
    high = math.inf if math.isinf(other.usd_high) else other.usd_high / first.usd_low
    return Ratio(value, other.usd_low / first.usd_high, high)


def decides(
    first: Offer, other: Offer, bound: Ratio | None, beside: Iterable[tuple[str, Ratio]]
) -> str:
    """Return what could turn the sign of a ratio.

    `bound` is the ratio of chips at their data sheets; `beside` are others, and what they differ
    in.
    """
    ratio = ratio_of(first, other)
    if ratio is None or other.ways is first.ways:
        return ""
    found = []
    by = [
        one / two
        for one in (other.by_engine or {}).values()
        for two in (first.by_engine or {}).values()
    ]
    if _turns(ratio, by):
        found.append(f"choice of engine ({_range(min(by), max(by))})")
    if bound is not None and _turns(ratio, [bound.value]):
        found.append(f"software (at data sheets {bound.value:.2f})")
    off = _off(first, other)
    if _turns(ratio, off):
        found.append(f"measured band ({_range(*off)})")
    regions = _regions(first, other)
    if _turns(ratio, regions):
        found.append(f"price by region ({_range(*regions)})")
    apart: dict[str, list[float]] = {}
    for name, each in beside:
        apart.setdefault(name, [ratio.value]).append(each.value)
    for name, values in apart.items():
        if _turns(ratio, values):
            found.append(f"{name} ({_range(min(values), max(values))})")
    bare = [one.ways.name for one in (first, other) if not (one.rows or _is_bound(one))]
    if bare:
        found.append(f"no measurement like it on {' nor '.join(dict.fromkeys(bare))}")
    return ", ".join(found) or NOTHING


def _is_bound(one: Offer) -> bool:
    return one.way is not None and one.way.engine == "ideal"


def _turns(ratio: Ratio, others: Iterable[float]) -> bool:
    return any((other > 1) != (ratio.value > 1) for other in others)


def _off(first: Offer, other: Offer) -> tuple[float, float]:
    """Return the range by measured rows alone."""
    assert first.usd is not None
    assert other.usd is not None
    at = other.usd / first.usd
    low = first.low / first.tokens * other.tokens / other.high
    high = first.high / first.tokens * (other.tokens / other.low if other.low else math.inf)
    return at * low, at * high


def _regions(first: Offer, other: Offer) -> tuple[float, float]:
    """Return the range by prices of the month alone."""
    assert first.paid is not None
    assert other.paid is not None
    assert first.usd is not None
    assert other.usd is not None
    at = other.usd / first.usd
    one, two = first.paid, other.paid
    mine, theirs = one.usd_per_chip_hour, two.usd_per_chip_hour
    return at * two.low / theirs * mine / one.high, at * two.high / theirs * mine / one.low


def _range(low: float, high: float) -> str:
    most = "any" if math.isinf(high) else f"{high:.2f}"
    return f"{low:.2f} to {most}"


class Case(NamedTuple):
    """A ratio to another machine, that at data sheets, and what decides its sign."""

    other: str
    ratio: Ratio | None
    bound: Ratio | None
    decides: str


def claim(first: str, cases: Sequence[Case], rests: str) -> str:
    """Return what becomes of the claim."""
    lines = [
        f"{CLAIM}. Asked of {first} here, where 1.3 to 1.4 would be it; ranges are errors on the "
        "nearest measured rows and prices by region:"
    ]
    lines += [
        _over(other, [case for case in cases if case.other == other])
        for other in dict.fromkeys(case.other for case in cases)
    ]
    words = dict.fromkeys(
        part.partition(" (")[0]
        for case in cases
        if case.ratio is not None
        for part in case.decides.split(", ")
        if part != NOTHING
    )
    return "\n".join([*lines, f"what can turn the sign: {', '.join(words) or NOTHING}", rests])


def _over(other: str, cases: Sequence[Case]) -> str:
    known = [case.ratio for case in cases if case.ratio is not None]
    if not known:
        return f"over {other}: no figure, in none of {len(cases)} cases both have a price and run"
    values = [ratio.value for ratio in known]
    bounds = [case.bound.value for case in cases if case.bound is not None]
    over, under = sum(value >= _LEAST for value in values), sum(value < 1 for value in values)
    bare = any("no measurement" in case.decides for case in cases)
    without = len(cases) - len(known)
    least, most = min(ratio.low for ratio in known), max(ratio.high for ratio in known)
    return (
        f"over {other}: {_range(min(values), max(values))}, range {_range(least, most)}"
        + (" (without errors of what was not measured)" if bare else "")
        + (f", at data sheets {_range(min(bounds), max(bounds))}" if bounds else "")
        + f"; {_LEAST} or more in {over} of {len(known)} cases, below 1 in {under}"
        + (f" ({without} more have no ratio)" if without else "")
        + f": {_verdict(known)}"
    )


def _verdict(known: Sequence[Ratio]) -> str:
    if all(ratio.low >= _LEAST for ratio in known):
        return f"it holds in all of them{_more(known)}"
    if all(ratio.high < _LEAST for ratio in known):
        return "it holds in none of them"
    if all(ratio.value >= _LEAST for ratio in known):
        return "it holds by our figures, and within their range it may not"
    if all(ratio.value < _LEAST for ratio in known):
        return "it does not hold by our figures, and within their range it may"
    return "whether it holds depends on the case"


def _more(known: Sequence[Ratio]) -> str:
    return ", and more" if any(ratio.value > _MOST for ratio in known) else ""
