"""The layouts and loads that serve most within an objective."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from rainier_fast.ask.runtime import kind_of
from rainier_fast.definitions.check import as_count, as_number
from rainier_fast.errors import InvalidArgument, Unsupported, as_one_of, invalid, invalid_type
from rainier_fast.faults.damaged import Damaged
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
_MOST_STAGES: Final = 8
_MOST_KEPT: Final = 1000


class Objective(NamedTuple):
    """Seconds to the first token and between tokens that must not be passed."""

    ttft: float
    tpot: float
    of: str = "mean"

    def passed(self, told: dict[str, Any]) -> tuple[float, str]:
        """Return by which factor the worse of both is passed, and which it is."""
        which = "" if self.of == "mean" else f"_{self.of}"
        first, between = told[f"ttft{which}"] / self.ttft, told[f"tpot{which}"] / self.tpot
        return (first, "ttft") if first >= between else (between, "tpot")


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


class Row(NamedTuple):
    """The best load of a layout."""

    layout: Layout
    replicas: int
    at_once: int
    told: dict[str, Any]
    passed: float
    limit: str


def best(
    machine: Damaged,
    service: object,
    objective: tuple[object, object],
    keep: object,
    price: object,
    asked: Asked,
    of: object = "mean",
) -> Table:
    """Return layouts, the best first: `Machine.best_serving`."""
    if not isinstance(service, Serving):
        raise invalid_type("service", service, "must be a Serving")
    names = ("ttft", "tpot")
    first, between = (
        _as_aim(name, value) if value is not None else math.inf
        for name, value in zip(names, objective, strict=True)
    )
    aims = Objective(first, between, as_one_of("of", of, OBJECTIVES))
    most = as_count("keep", keep, _MOST_KEPT)
    if price is not None:
        allowed = "must be dollars of a chip and hour, a finite number >= 0, or None"
        price = as_number("price", price, 0.0, 1e9, allowed)
    found = searched(machine, service, asked, _powers(_MOST_AT_ONCE))
    chips = found.machine.num_chips
    rows = [_best_load(one, aims) for one in found.tried]
    rows.sort(key=lambda row: _order(row, service, chips))
    table = _table(rows[:most], service, chips, price)
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
    for layout in _layouts(part, service) if layouts is None else layouts:
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


def _layouts(machine: Damaged, service: Serving) -> Iterator[Layout]:
    """Yield layouts: tp by powers of two within a domain, stages, experts shared in both ways."""
    model, software = service.transformer, machine.runtime == "neuron"
    per_chip = (machine.ultraserver.ranks_per_chip or 1) if software else 1
    domain = machine.ultraserver.num_chips * per_chip
    ranks = machine.num_chips * per_chip
    for pp in _powers(min(_MOST_STAGES, model.layers)):
        for tp in _powers(min(domain, model.heads)):
            if ranks % (tp * pp) or (tp < per_chip and per_chip % tp):
                continue
            shared = {1}
            if model.experts is not None:
                shared |= {tp, domain} if pp == 1 else {tp}
            for ep in sorted(one for one in shared if one <= _experts(service)):
                yield Layout(tp=tp, pp=pp, ep=ep, ranks_per_chip=per_chip)


def _experts(service: Serving) -> int:
    experts = service.transformer.experts
    return 1 if experts is None else experts.count


def _powers(most: int) -> list[int]:
    return [1 << power for power in range(most.bit_length())]


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


def _table(rows: list[Row], service: Serving, chips: int, price: float | None) -> Table:
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
        **{name: [row.told[own] for row in rows] for name, own in QUANTILES.items()},
        "meets": [row.passed <= 1 for row in rows],
        "limited_by": [row.limit if row.passed > 1 else "" for row in rows],
        "off_by": [max(row.passed - 1, 0.0) for row in rows],
    }
    if price is not None:
        paid = price * chips / 3600 * 1e6
        columns["usd_per_million_tokens"] = [paid / one for one in tokens]
    return Table(columns)
