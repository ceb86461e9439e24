"""What a fleet is asked: a machine with the services and jobs that share it, checked."""

from __future__ import annotations

import datetime
import math
from dataclasses import KW_ONLY, dataclass
from typing import Any, Final

from rainier_fast.definitions.check import as_integer, as_items, as_number
from rainier_fast.definitions.rates import Rates, as_rates
from rainier_fast.errors import as_one_of, invalid, invalid_type
from rainier_fast.fleet.demand import as_demand
from rainier_fast.machine.machine import Machine
from rainier_fast.operations.checkpoint import Checkpoint
from rainier_fast.operations.tco import Tco
from rainier_fast.screen import Told
from rainier_fast.serving.serving import Serving
from rainier_fast.units import Quantity, parse_power, parse_time
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.training import Training

POLICIES: Final = ("restart", "elastic")
_HOUR: Final = 3600.0
_MOST: Final = 8
_WATTS: Final = ("chip", "idle", "host", "network")


@dataclass(frozen=True, slots=True, repr=False)
class Shared(Told):
    """The fields of a `Fleet`."""

    machine: Machine
    _: KW_ONLY
    services: Any = ()
    jobs: Any = ()
    ttft: Quantity | None = None
    tpot: Quantity | None = None
    rates: Rates = "llama3"
    repair: Quantity | None = None
    policy: str = "restart"
    checkpoint: Checkpoint | None = None
    spares: int | None = None
    loading: Quantity | None = None
    compiling: Quantity | None = None
    restore: Quantity | None = None
    prices: str | float | Tco | None = "capacity-block"
    date: str | datetime.date = "2026-07"
    region: str | None = None
    instance: str | None = None
    chip: Quantity | None = None
    idle: Quantity | None = None
    host: Quantity | None = None
    network: Quantity | None = None
    pue: float | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        if not isinstance(self.machine, Machine):
            raise invalid_type("machine", self.machine, "must be a machine, such as rf.preset(...)")
        if self.machine.faults:
            allowed = "must be whole: rates= say what fails; give machine.healthy()"
            raise invalid("machine", self.machine, allowed)
        put(self, "services", tuple(_services(self.services)))
        put(self, "jobs", tuple(_jobs(self.jobs)))
        if not (self.services or self.jobs):
            raise invalid("services", self.services, "must have one, or jobs must")
        for name in ("ttft", "tpot", "repair", "loading", "compiling", "restore"):
            if getattr(self, name) is not None:
                put(self, name, parse_time(getattr(self, name), name))
        for name in ("ttft", "tpot"):
            if getattr(self, name) == 0:
                raise invalid(name, 0.0, "must be above 0, or None for any")
        put(self, "rates", as_rates(self.rates))
        put(self, "policy", as_one_of("policy", self.policy, POLICIES))
        if self.checkpoint is not None and not isinstance(self.checkpoint, Checkpoint):
            raise invalid_type("checkpoint", self.checkpoint, "must be a Checkpoint or None")
        if self.spares is not None:
            most = self.machine.num_ultraservers - 1
            put(self, "spares", as_integer("spares", self.spares, 0, most))
        for name in _WATTS:
            if getattr(self, name) is not None:
                put(self, name, parse_power(getattr(self, name), name))
        if self.pue is not None:
            put(self, "pue", as_number("pue", self.pue, 1.0, 5.0, "must be a number from 1 to 5"))
        given = (self.loading, self.compiling, self.restore)
        longest = sum(float(one) for one in (*given, self.compiling) if one is not None)
        if not longest <= _HOUR:
            allowed = "loading + restore + 2 x compiling: must be at most an hour, 3600 s"
            raise invalid("loading", longest, allowed)


def _services(given: object) -> list[tuple[Serving, Layout | None, tuple[float, ...]]]:
    allowed = "must be a sequence of (Serving, Layout or None, 24 tokens a second)"
    made = []
    for at, item in enumerate(_some("services", given, allowed)):
        name = f"services[{at}]"
        parts = as_items(name, item, allowed)
        if len(parts) != 3 or not isinstance(parts[0], Serving):
            raise invalid_type(name, item, "must be (Serving, Layout or None, 24 tokens a second)")
        made.append((parts[0], _layout(name, parts[1]), as_demand(name, parts[2])))
    return made


def _jobs(given: object) -> list[tuple[Training, Layout | None]]:
    allowed = "must be a sequence of (Training, Layout or None)"
    made = []
    for at, item in enumerate(_some("jobs", given, allowed)):
        name = f"jobs[{at}]"
        parts = as_items(name, item, allowed)
        if len(parts) != 2 or not isinstance(parts[0], Training):
            raise invalid_type(name, item, "must be (Training, Layout or None)")
        made.append((parts[0], _layout(name, parts[1])))
    return made


def _some(name: str, given: object, allowed: str) -> list[Any]:
    items = list(as_items(name, given, allowed))
    if len(items) > _MOST:
        raise invalid(name, given, f"must be at most {_MOST}")
    return items


def _layout(name: str, given: object) -> Layout | None:
    if given is None or isinstance(given, Layout):
        return given
    raise invalid_type(name, given, "its layout must be a Layout or None")


def objective(fleet: Shared) -> tuple[float, float]:
    """Return the seconds to the first token and between tokens that must not be passed."""
    return tuple(  # type: ignore[return-value] # two of them
        math.inf if given is None else float(given) for given in (fleet.ttft, fleet.tpot)
    )
