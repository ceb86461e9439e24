"""The layouts and loads that serve most within an objective."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from rainier_fast.ask.runtime import kind_of
from rainier_fast.definitions.check import as_count, as_flag, as_number
from rainier_fast.errors import InvalidArgument, Unsupported, as_one_of, invalid, invalid_type
from rainier_fast.faults.damaged import Damaged
from rainier_fast.serving.best_apart import rows_apart
from rainier_fast.serving.candidates import Objective, Row, layouts_of, powers
from rainier_fast.serving.ready import Asked, ready
from rainier_fast.serving.served import QUANTILES
from rainier_fast.serving.serving import Serving
from rainier_fast.table import Table
from rainier_fast.units import parse_time
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.part import part_of

OBJECTIVES: Final = ("mean", "p50", "p90")
"""What of both times an objective is about."""
_MOST_AT_ONCE: Final = 4096
_MOST_KEPT: Final = 1000


class Tried(NamedTuple):
    """A layout and what the core says of it, by requests of all replicas at once that fit."""

    layout: Layout
    replicas: int
    loads: list[tuple[int, dict[str, Any]]]


class Searched(NamedTuple):
    """The layouts that fit a machine, and how collectives run there."""

    machine: Damaged
    algorithm: str
    tried: list[Tried]


def best(
    machine: Damaged,
    service: object,
    objective: tuple[object, object, object],
    keep: object,
    price: object,
    disaggregated: object,
    asked: Asked,
) -> Table:
    """Return layouts, the best first: `Machine.best_serving`."""
    if not isinstance(service, Serving):
        raise invalid_type("service", service, "must be a Serving")
    names = ("ttft", "tpot")
    first, between = (
        _as_aim(name, value) if value is not None else math.inf
        for name, value in zip(names, objective[:2], strict=True)
    )
    aims = Objective(first, between, as_one_of("of", objective[2], OBJECTIVES))
    most = as_count("keep", keep, _MOST_KEPT)
    if price is not None:
        allowed = "must be dollars of a chip and hour, a finite number >= 0, or None"
        price = as_number("price", price, 0.0, 1e9, allowed)
    apart = as_flag("disaggregated", disaggregated)
    if apart and aims.of != "mean":
        raise invalid("of", aims.of, "must be 'mean' with disaggregated=True, which has means only")
    found = searched(machine, service, asked, powers(_MOST_AT_ONCE))
    chips = found.machine.num_chips
    rows = [_best_load(one, aims) for one in found.tried]
    if apart:
        rows += rows_apart(found.machine, service, asked, aims, powers(_MOST_AT_ONCE))
    rows.sort(key=lambda row: _order(row, service, chips))
    table = _table(rows[:most], service, chips, price, apart=apart)
    return table._of_kind(kind_of(found.algorithm))


def searched(
    machine: Damaged,
    service: Serving,
    asked: Asked,
    loads: Sequence[int],
    layouts: Iterable[Layout] | None = None,
) -> Searched:
    """Return what all layouts, or some, take at loads of a replica; refuse what fits none."""
    part = machine if asked.chips is None else part_of(machine, asked.chips)
    tried: list[Tried] = []
    why: list[str] = []
    algorithm = "auto"
    for layout in layouts_of(part, service) if layouts is None else layouts:
        try:
            one = ready(part, service, layout, asked._replace(chips=None))
            algorithm = str(one.request.algorithm)
            ranks = part.num_chips * layout.ranks_per_chip
            replicas = ranks // (layout.tp * layout.pp)
            counts = [load * replicas for load in loads]
            told = one.run([(float(count), None, None) for count in counts])
        except (InvalidArgument, Unsupported) as error:
            why.append(str(error))
            continue
        pairs = zip(counts, told, strict=True)
        fits = [(count, each) for count, each in pairs if not each["waiting"]]
        tried.append(Tried(layout, replicas, fits))
    if not tried:
        reason = why[-1] if why else "no layout divides its ranks"
        raise invalid("service", str(service), f"must fit one layout; of the last tried: {reason}")
    return Searched(part, algorithm, tried)


def _as_aim(name: str, value: object) -> float:
    seconds = float(parse_time(value, name))  # type: ignore[arg-type] # which refuses what is none
    if not 0 < seconds < math.inf:
        raise invalid(name, value, "must be a time above 0, or None for no objective")
    return seconds


def _best_load(tried: Tried, aims: Objective) -> Row:
    """Return the load with most tokens a second that keeps to the objective, or the nearest."""
    rows = [
        Row(tried.layout, tried.replicas, count, one, *aims.passed(one))
        for count, one in tried.loads
    ]
    within = [row for row in rows if row.passed <= 1]
    if within:
        return max(within, key=lambda row: float(row.told["rate"]))
    return min(rows, key=lambda row: row.passed)


def _order(row: Row, service: Serving, chips: int) -> tuple[bool, float, float]:
    """Return what sorts rows: those within the objective by tokens, the rest by how far off."""
    tokens = row.told["rate"] * float(service.output) / chips
    return row.passed > 1, max(row.passed, 1.0), -tokens


def _table(
    rows: list[Row], service: Serving, chips: int, price: float | None, *, apart: bool
) -> Table:
    tokens = [row.told["rate"] * float(service.output) for row in rows]
    columns: dict[str, list[Any]] = {
        "tp": [row.layout.tp for row in rows],
        "pp": [row.layout.pp for row in rows],
        "ep": [row.layout.ep for row in rows],
        "replicas": [row.replicas for row in rows],
        "ranks_per_chip": [row.layout.ranks_per_chip for row in rows],
        "concurrency": [row.at_once for row in rows],
        "tokens_per_s_per_chip": [one / chips for one in tokens],
        "tokens_per_s": tokens,
        "ttft_s": [row.told["ttft"] for row in rows],
        "tpot_s": [row.told["tpot"] for row in rows],
        **{name: [row.told.get(own, math.nan) for row in rows] for name, own in QUANTILES.items()},
        "meets": [row.passed <= 1 for row in rows],
        "limited_by": [row.limit if row.passed > 1 else "" for row in rows],
        "off_by": [max(row.passed - 1, 0.0) for row in rows],
    }
    if apart:
        cut = [row.prefill for row in rows]
        columns["prefill_workers"] = [row.workers[0] for row in rows]
        columns["decode_workers"] = [row.workers[1] for row in rows]
        for name in ("tp", "pp", "ep"):
            columns[f"prefill_{name}"] = [0 if one is None else getattr(one, name) for one in cut]
    if price is not None:
        paid = price * chips / 3600 * 1e6
        columns["usd_per_million_tokens"] = [paid / one for one in tokens]
    return Table(columns)
