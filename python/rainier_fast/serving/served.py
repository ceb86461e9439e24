"""A service as it was asked for: run."""

from __future__ import annotations

from typing import Final

from rainier_fast.ask.runtime import kind_of
from rainier_fast.definitions.check import as_items, as_number
from rainier_fast.errors import invalid
from rainier_fast.faults.damaged import Damaged
from rainier_fast.serving.found import Found
from rainier_fast.serving.ready import Asked, ready
from rainier_fast.serving.result import ServingResult
from rainier_fast.table import Table

QUANTILES: Final = {
    "ttft_p50_s": "ttft_p50",
    "ttft_p90_s": "ttft_p90",
    "tpot_p50_s": "tpot_p50",
    "tpot_p90_s": "tpot_p90",
}
"""Columns of tables by the core's names."""
_MOST: Final = 2.0**40
_MOST_ROWS: Final = 100_000


def run_service(
    machine: Damaged,
    service: object,
    layout: object,
    demand: tuple[object, object, object],
    asked: Asked,
) -> ServingResult:
    """Return what a service takes: `Machine.serve`."""
    one = ready(machine, service, layout, asked)
    concurrency, requests, rate = _demand(*demand)
    told = one.run([(concurrency, requests, rate)])[0]
    return ServingResult(
        one.machine,
        one.service,
        one.layout,
        concurrency,
        rate,
        requests,
        str(one.request.algorithm),
        one.request.routing,
        one.efficiency,
        one.pace,
        Found.of(told),
    )


def run_services(
    machine: Damaged,
    service: object,
    layout: object,
    demand: tuple[object, object],
    asked: Asked,
) -> Table:
    """Return what a service takes by requests at once: `Machine.serve_times`."""
    one = ready(machine, service, layout, asked)
    items = as_items("concurrency", demand[0], "must be numbers of requests")
    if not 1 <= len(items) <= _MOST_ROWS:
        raise invalid("concurrency", len(items), f"must be 1 to {_MOST_ROWS:,} numbers")
    many = [_requests(f"concurrency[{at}]", item) for at, item in enumerate(items)]
    times = None
    if demand[1] is not None:
        times = as_number("requests", demand[1], 1, _MOST, "must be 1 or more times as many")
    told = one.run([(each, None if times is None else times * each, None) for each in many])
    tokens = [row["rate"] * float(one.service.output) for row in told]
    chips = one.machine.num_chips
    table = Table(
        {
            "concurrency": many,
            "ttft_s": [row["ttft"] for row in told],
            "tpot_s": [row["tpot"] for row in told],
            **{name: [row[own] for row in told] for name, own in QUANTILES.items()},
            "tokens_per_s": tokens,
            "tokens_per_s_per_chip": [each / chips for each in tokens],
            "tokens_per_s_per_user": [1 / row["tpot"] for row in told],
            "waiting": [row["waiting"] for row in told],
        }
    )
    return table._of_kind(kind_of(str(one.request.algorithm)))


def _requests(name: str, value: object) -> float:
    return as_number(name, value, 1, _MOST, "must be a finite number of requests, at least 1")


def _demand(
    concurrency: object, requests: object, rate: object
) -> tuple[float | None, float | None, float | None]:
    if (concurrency is None) == (rate is None):
        allowed = "must be given, or rate= in its place, and not both"
        raise invalid("concurrency", concurrency, allowed)
    if rate is not None:
        allowed = "must be a finite number of requests/s above 0"
        given = as_number("rate", rate, 1e-12, _MOST, allowed)
        if requests is not None:
            raise invalid("requests", requests, "needs concurrency=: it says how many come at once")
        return None, None, given
    at_once = _requests("concurrency", concurrency)
    if requests is None:
        return at_once, None, None
    allowed = f"must be at least concurrency, {at_once:g}"
    return at_once, as_number("requests", requests, at_once, _MOST, allowed), None
