"""Five policies side by side, in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from rainier_fast.units import format_hours

_HOUR: Final = 3600.0


def in_words(rows: Iterable[Mapping[str, Any]], asked: str, mtbf_s: float) -> list[str]:
    """Return which policy is best, where others do as well as the one asked about, and why not."""
    known = [row for row in rows if not math.isnan(row["per_chip"])]
    lines = [_best(known, asked)] if known else []
    now = f"now every {format_hours(mtbf_s)}" if mtbf_s < math.inf else "now never"
    never = []
    for row in known:
        name, hours = row["policy"], row["break_even_mtbf_h"]
        if name == asked:
            continue
        if math.isnan(hours):
            never.append(name)
            continue
        often = format_hours(hours * _HOUR)
        lines.append(f"{name} does as well as {asked} where the job fails every {often} ({now})")
    if never:
        lines.append(
            f"{', '.join(never)}: as good as {asked} at no rate from a thousandth to a thousand "
            "times this one"
        )
    unknown = [row for row in rows if math.isnan(row["per_chip"])]
    return lines + [f"{row['policy']}: not known; {row['note']}" for row in unknown]


def _best(known: list[Mapping[str, Any]], asked: str) -> str:
    best = known[0]
    text = f"{best['policy']} gets most done: {best['per_chip']:.1%} for each chip held"
    own = next((row["per_chip"] for row in known if row["policy"] == asked), math.nan)
    if best["policy"] != asked and own > 0:
        text += f", {best['per_chip'] / own:.3g} times what {asked} does"
    return text
