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


def decides(first: Offer, other: Offer, beside: Iterable[tuple[str, Ratio]]) -> str:
    """Return what could turn the sign of a ratio; `beside` are others, and what they differ in."""
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
        found.append(f"software ({_range(min(by), max(by))} by engine)")
    off = _off(first, other)
    if _turns(ratio, off):
        found.append(f"measured band ({_range(*off)})")
    regions = _regions(first, other)
    if _turns(ratio, regions):
        found.append(f"price by region ({_range(*regions)})")
    apart: dict[str, list[float]] = {}
    for name, each in beside:
        apart.setdefault(name, []).append(each.value)
    for name, values in apart.items():
        if _turns(ratio, values):
            found.append(f"{name} ({_range(min(values), max(values))})")
    bare = [one.ways.name for one in (first, other) if not one.rows]
    if bare:
        found.append(f"no measurement like it on {' nor '.join(dict.fromkeys(bare))}")
    return ", ".join(found) or "nothing that is known here"


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


def claim(first: str, cells: Sequence[tuple[str, str, Ratio | None, str]], rests: str) -> str:
    """Return what becomes of the claim: cells have a machine, a case, a ratio and what decides."""
    lines = [f"{CLAIM}. Asked of {first} here, where 1.3 to 1.4 would be it:"]
    for other in dict.fromkeys(cell[0] for cell in cells):
        own = [cell for cell in cells if cell[0] == other]
        known = [ratio for _, _, ratio, _ in own if ratio is not None]
        if not known:
            lines.append(f"over {other}: no figure; none of {len(own)} cases has both prices")
            continue
        values = [ratio.value for ratio in known]
        least, most = min(ratio.low for ratio in known), max(ratio.high for ratio in known)
        over = sum(value >= _LEAST for value in values)
        under = sum(value < 1 for value in values)
        lines.append(
            f"over {other}: {_range(min(values), max(values))}, with what is known of errors and "
            f"regions {_range(least, most)}; {_LEAST} or more in {over} of {len(known)} cases, "
            f"below 1 in {under}: {_verdict(known)}"
            + (f"; {len(own) - len(known)} cases have no ratio" if len(own) > len(known) else "")
        )
    words = dict.fromkeys(
        part.partition(" (")[0]
        for *_, ratio, why in cells
        if ratio is not None
        for part in why.split(", ")
    )
    lines.append(f"what can turn the sign: {', '.join(words) or 'no ratio is known'}")
    lines.append(rests)
    return "\n".join(lines)


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
