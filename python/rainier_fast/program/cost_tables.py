"""Tables and words of what a program costs."""

from __future__ import annotations

from typing import Any, Final

from rainier_fast.program.collective import ProgramCollective
from rainier_fast.program.computing import runs_of
from rainier_fast.program.cost_figures import CostFigures
from rainier_fast.program.pricing import Price
from rainier_fast.table import Table
from rainier_fast.units import format_count, format_time

_MOST_SAID: Final = 4
_MOST_KINDS: Final = 6


def collectives(cost: CostFigures) -> Table:
    """Return a row for each collective."""
    hidden = cost._hidden or (None,) * len(cost.program)
    rows = [
        _row(cost, one, price) | {"hidden_s": behind}
        for one, price, behind in zip(cost.program.collectives, cost._prices, hidden, strict=True)
    ]
    names = (
        "name", "op", "bytes", "dtype", "ranks", "groups", "count", "time_s", "kind", "links_s",
        "algorithm", "bottleneck", "hidden_s", "guesses",
    )  # fmt: skip
    return Table({name: [row[name] for row in rows] for name in names})


def _row(cost: CostFigures, one: ProgramCollective, price: Price | str) -> dict[str, Any]:
    said = {"name": one.name, "op": one.op, "dtype": one.dtype, "count": runs_of(one, cost.trips)}
    if isinstance(price, str):
        nothing = dict.fromkeys(("bytes", "ranks", "groups", "time_s", "links_s"))
        words = {"kind": "", "algorithm": "", "bottleneck": "", "guesses": price}
        return said | nothing | words
    return said | {
        "bytes": price.size,
        "ranks": price.ranks,
        "groups": price.groups,
        "time_s": price.time_s,
        "kind": price.kind,
        "links_s": _links(cost, one),
        "algorithm": price.algorithm,
        "bottleneck": price.link_class or "",
        "guesses": "; ".join(price.guesses),
    }


def alike(cost: CostFigures) -> Table:
    """Return a row for each kind of collective that was priced."""
    found: dict[Any, dict[str, Any]] = {}
    for one, price in zip(cost.program.collectives, cost._prices, strict=True):
        runs = runs_of(one, cost.trips)
        if not isinstance(price, Price) or runs is None:
            continue
        line = None if one.groups is None else one.groups.line()
        row = found.setdefault(
            cost._pricing.key(one),
            {
                "op": one.op,
                "bytes": price.size,
                "dtype": one.dtype,
                "ranks": price.ranks,
                "groups": price.groups,
                "stride": None if line is None else line[1],
                "runs": 0,
                "time_s": price.time_s,
                "links_s": _links(cost, one),
                "total_s": 0.0,
                "algorithm": price.algorithm,
                "bottleneck": price.link_class or "",
            },
        )
        row["runs"] += runs
        row["total_s"] += runs * price.time_s
    rows = sorted(found.values(), key=lambda row: -row["total_s"])
    names = (
        "op", "bytes", "dtype", "ranks", "groups", "stride", "runs", "time_s", "links_s",
        "total_s", "algorithm", "bottleneck",
    )  # fmt: skip
    return Table({name: [row[name] for row in rows] for name in names})._of_kind(cost.kind)


def bottlenecks(cost: CostFigures) -> Table:
    """Return seconds by class of links."""
    by_class: dict[str, float] = {}
    for price, seconds in zip(cost._prices, cost._times, strict=True):
        if isinstance(price, Price) and seconds > 0:
            name = price.link_class or "none: no bytes move"
            by_class[name] = by_class.get(name, 0.0) + seconds
    total = sum(by_class.values())
    names = sorted(by_class, key=lambda name: -by_class[name])
    times = [by_class[name] for name in names]
    columns: dict[str, list[Any]] = {
        "bottleneck": names,
        "time_s": times,
        "share": [seconds / total for seconds in times],
    }
    return Table(columns)._of_kind(cost.kind)


def headline(cost: CostFigures) -> str:
    """Return the time of the program, or of what is known, with its kind."""
    what = f"{format_count(len(cost.program))} collectives"
    where = cost.machine.name or cost.machine.ultraserver.name
    if cost.time_s is not None:
        return f"{format_time(cost.time_s)} ({cost.kind}): {what} and what is computed, on {where}"
    known = "" if all(isinstance(price, Price) for price in cost._prices) else "at least "
    return (
        f"{known}{format_time(cost.communication_s)} of communication ({cost.kind}), one after "
        f"another: {what} on {where}"
    )


def page(cost: CostFigures, kinds: Table, changes: Table) -> list[Any]:
    """Return the parts of its text: facts, kinds of collectives, and changes that would help."""
    facts = [("program", cost.program.source)]
    if cost.computation_s is not None:
        facts.append(
            ("computation", f"{format_time(cost.computation_s)} at {cost._computing.rate}")
        )
        exposed, hidden = cost.exposed_s or 0.0, cost.hidden_s or 0.0
        words = f"{format_time(exposed)} exposed, {format_time(hidden)} hidden"
        facts.append(("communication", words))
    facts += [("missing", line) for line in _few(cost.missing)]
    facts += [("guess", line) for line in _few(cost.guesses)]
    names = [name for name in kinds.columns if name not in ("links_s", "stride")]
    rows = list(kinds)[:_MOST_KINDS]
    top = Table({name: [row[name] for row in rows] for name in names})
    parts: list[Any] = [headline(cost), facts]
    if rows:
        parts.append(top)
        if len(kinds) > len(rows):
            parts.append(f"... and {len(kinds) - len(rows)} more kinds, in .alike")
        parts += [
            f"{row['change']}: saves {format_time(row['saved_s'])}; assumes {row['assumes']}"
            for row in changes
        ]
    return parts


def _few(lines: tuple[str, ...]) -> list[str]:
    if len(lines) <= _MOST_SAID:
        return list(lines)
    return [*lines[: _MOST_SAID - 1], f"and {len(lines) - _MOST_SAID + 1} more"]


def _links(cost: CostFigures, one: ProgramCollective) -> float | None:
    price = cost._pricing.price(cost._pricing.key(one), one, "auto")
    return price.time_s if isinstance(price, Price) else None
