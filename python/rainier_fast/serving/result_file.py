"""Services on machines as plain rows, and their answers, which are asked again."""

from __future__ import annotations

from typing import Any, Final

from rainier_fast.ask.question_file import routing_of, routing_told
from rainier_fast.definitions.efficiency import Efficiency
from rainier_fast.definitions.routing import DimensionOrder
from rainier_fast.files import kinds
from rainier_fast.files.answers import answered, compare, needed, only, tried
from rainier_fast.files.fields import Plain, from_plain, to_plain
from rainier_fast.serving.pace import Pace
from rainier_fast.serving.ready import Asked
from rainier_fast.serving.result import ServingResult
from rainier_fast.serving.served import run_service
from rainier_fast.serving.serving import Serving
from rainier_fast.workload.layout import Layout

_DEMAND: Final = ("concurrency", "requests", "rate")
_KEYS: Final = (
    *_DEMAND,
    "chips",
    "algorithm",
    "routing",
    "serving",
    "layout",
    "pace",
    "efficiency",
    "machine",
    "answer",
)


def describe(result: ServingResult) -> Plain:
    """Return what was asked, of which machine, and the answer."""
    demand = {name: getattr(result, name) for name in _DEMAND}
    plain: Plain = {name: value for name, value in demand.items() if value is not None}
    if result.routing != DimensionOrder():
        plain["routing"] = routing_told(result.routing)
    return plain | {
        "algorithm": result.algorithm,
        "serving": to_plain(result.service),
        "layout": to_plain(result.layout),
        "answer": answered(result.to_dict()),
        "pace": to_plain(result.pace),
        "efficiency": to_plain(result.efficiency),
        "machine": kinds.told(result.machine, "machine"),
    }


def made(plain: Plain) -> ServingResult:
    """Ask again what a dict asks, and see whether the answer is the same."""
    only(plain, _KEYS)
    machine: Any = kinds.inner("machine", needed(plain, "machine"), ("machine",))
    service = from_plain(Serving, needed(plain, "serving"), ("serving",))
    layout = from_plain(Layout, plain.get("layout", {}), ("layout",))
    given: list[Any] = [
        None if plain.get(name) is None else from_plain(kind, plain[name], (name,))
        for name, kind in (("efficiency", Efficiency), ("pace", Pace))
    ]
    routing = routing_of(plain.get("routing", "dor"), ("routing",))
    asked = Asked(plain.get("chips"), plain.get("algorithm"), given[0], given[1], routing)
    at_once, requests, rate = (plain.get(name) for name in _DEMAND)
    result = tried(
        lambda: run_service(machine, service, layout, (at_once, requests, rate), asked), (), plain
    )
    if plain.get("answer") is not None:
        compare(plain, result.to_dict())
    return result
