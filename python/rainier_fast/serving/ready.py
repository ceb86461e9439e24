"""A service as it was asked for, checked, so that it can be run."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

from rainier_fast import _core
from rainier_fast.ask.options import RUNTIME
from rainier_fast.ask.request import Request, make_request
from rainier_fast.definitions.chip import Chip
from rainier_fast.definitions.efficiency import Efficiency
from rainier_fast.definitions.routing import Routing
from rainier_fast.definitions.ultraserver import RUNTIMES
from rainier_fast.errors import Unsupported, as_one_of, invalid, invalid_type
from rainier_fast.faults.damaged import Damaged
from rainier_fast.serving.pace import Pace
from rainier_fast.serving.rows import ideal, runs_row, service_row
from rainier_fast.serving.serving import Serving
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.part import part_of
from rainier_fast.workload.peaks import chip_of, hbm_bytes
from rainier_fast.workload.rows import layout_row
from rainier_fast.workload.running import rates_of

_ALGORITHMS: Final = ("auto", RUNTIME, *RUNTIMES.values())
_MOST_KNOWN: Final = 16  # chips and stacks whose rates were read


class Asked(NamedTuple):
    """The options of a service, as they were given."""

    chips: object = None
    algorithm: object = None
    efficiency: object = None
    pace: object = None
    routing: Routing = "dor"


class Ready(NamedTuple):
    """A service that can be run."""

    machine: Damaged
    service: Serving
    layout: Layout
    request: Request
    efficiency: Efficiency
    pace: Pace
    rows: tuple[dict[str, Any], dict[str, Any], dict[str, Any]]

    def run(self, demands: list[tuple[float | None, ...]]) -> list[dict[str, Any]]:
        """Return what the core says to each demand."""
        return _core.serve(self.machine._core, *self.rows, demands)


def ready(machine: Damaged, service: object, layout: object, asked: Asked) -> Ready:
    """Return a service that was checked."""
    if not isinstance(service, Serving):
        raise invalid_type("service", service, "must be a Serving")
    if not isinstance(layout, Layout):
        raise invalid_type("layout", layout, "must be a Layout")
    for name in ("cp", "islands"):
        if getattr(layout, name) > 1:
            raise invalid(name, getattr(layout, name), "must be 1 in serving")
    part = machine if asked.chips is None else part_of(machine, asked.chips)
    is_bound = service.engine == "ideal"
    request = _request(part, "auto" if is_bound else asked.algorithm, asked.routing)
    rates = _rates(part, asked.efficiency, service.engine)
    if is_bound:
        rates = ideal(rates, chip_of(part))
    pace = _pace(part, asked.pace, service.engine)
    runs = runs_row(part, service, layout, rates, pace)
    runs |= {
        "algorithm": str(request.algorithm),
        "dtype": request.dtype,
        "routing": request._routing_row(part),
    }
    cut = layout_row(layout, runs["per_chip"] * part.num_chips)
    rows = service_row(service, hbm_bytes(part, layout)), cut, runs
    return Ready(part, service, layout, request, rates, pace, rows)


def _rates(machine: Damaged, given: object, engine: str) -> Efficiency:
    """Return how fast chips compute: by the engine's own kernels where tables of them are known."""
    known = rates_of(machine, given)
    if given is None and engine in known.stacks and engine != known.stack:
        return _of_stack(chip_of(machine), engine)
    return known


@lru_cache(_MOST_KNOWN)
def _of_stack(chip: Chip, stack: str) -> Efficiency:
    return Efficiency.of(chip, stack)


def _pace(machine: Damaged, given: object, engine: str) -> Pace:
    if given is None:
        return Pace.of(chip_of(machine), engine)
    if not isinstance(given, Pace):
        raise invalid_type("pace", given, "must be a Pace or None")
    return given


def _request(machine: Damaged, algorithm: object, routing: Routing) -> Request:
    """Return how collectives are asked for, checked."""
    if algorithm is None:
        algorithm = "auto" if machine.runtime is None else RUNTIME
    name = as_one_of("algorithm", algorithm, _ALGORITHMS)
    for part, runtime in RUNTIMES.items():
        if name == runtime and getattr(machine.ultraserver, part) is None:
            raise Unsupported(
                f"algorithm: got {name!r}, which {machine.ultraserver.name} does not run: it has "
                f"no {part}=; use 'auto' for the links alone"
            )
    return make_request(machine, "barrier", 0, algorithm=name, dtype="bf16", routing=routing)
