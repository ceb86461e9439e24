"""Asks the core for the best layouts, whose options it checks; over an executor if one is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.definitions.check import MAX_COUNT, as_count, as_flag, as_integer, as_items
from rainier_fast.definitions.check import as_pairs as pairs_of
from rainier_fast.definitions.routing import Routing
from rainier_fast.errors import RainierError, as_one_of, invalid, invalid_type
from rainier_fast.faults.damaged import Damaged
from rainier_fast.topology.arrays import as_progress, as_threads
from rainier_fast.units import parse_bytes
from rainier_fast.workload.flops import RECOMPUTES
from rainier_fast.workload.layout import ORDERS, SCHEDULES, Layout
from rainier_fast.workload.layout_ranking import LayoutRanking, ranked
from rainier_fast.workload.part import part_of, refuse_dead_chips
from rainier_fast.workload.peaks import hbm_bytes
from rainier_fast.workload.rows import training_row
from rainier_fast.workload.running import rates_of, request_of, runs_row
from rainier_fast.workload.stacked import scattered
from rainier_fast.workload.training import Training

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

Progress: TypeAlias = Callable[[int, int], object]

_MOST: Final = 2**31
_MOST_VALUES: Final = 65_536
_MOST_TASKS: Final = 64
_AXES: Final = ("tp", "cp", "pp", "dp", "ep", "etp")
_COUNTED: Final = ("megatron",)
"""Stacks that refuse nothing which the core takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What layouts may be, and how they are run, as it was given."""

    chips: object
    memory: Any
    keep: object
    sizes: Mapping[str, object]
    schedule: object
    recompute: object
    sequence_parallel: object
    within: object
    order: object
    algorithm: object
    efficiency: object
    routing: Routing


class Search(NamedTuple):
    """A search as workers get it: all of it pickles."""

    machine: Damaged
    job: Training
    space: Mapping[str, Any]
    runs: Mapping[str, Any]

    def asked(self) -> tuple[_core.Machine, dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Return the first arguments of the core's functions."""
        rows = training_row(self.job), dict(self.space), dict(self.runs)
        return (self.machine._core, *rows)


Weighed: TypeAlias = tuple[
    tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.uint64]],
    tuple[int, int, int, tuple[float, int] | None],
]
"""Least seconds, bytes and numbers of layouts that fit; how many there were."""


def best_layouts(
    machine: Damaged,
    job: object,
    options: Options,
    n_threads: object,
    progress: object,
    executor: Executor | None,
) -> LayoutRanking:
    """Return the ranking: `Machine.best_layouts`."""
    if not isinstance(job, Training):
        raise invalid_type("job", job, "must be a Training")
    part = machine if options.chips is None else part_of(machine, options.chips)
    refuse_dead_chips(part)
    keep = as_count("keep", options.keep, MAX_COUNT)
    request = request_of(part, options.algorithm, job, options.routing)
    rates = rates_of(part, options.efficiency)
    runs = runs_row(part, job, request, rates) | {"per_chip": 1}
    report = as_progress(progress)
    space = _space(part, options)
    search = Search(part, job, space, runs)
    order = str(space["named"])
    if order in ORDERS and order not in _COUNTED:
        space["refused"] = _refused(search, order)
    if executor is None:
        given, threads = None, as_threads(n_threads)
    else:
        threads = 1 if n_threads is None else as_threads(n_threads)
        given = _spread(executor, search, threads, report)
        report = None
    found = _core.best_layouts(*search.asked(), keep, given, threads, report)
    asked = (part, job, str(request.algorithm), request.routing, rates)
    return ranked(asked, order, found)


def _space(machine: Damaged, options: Options) -> dict[str, Any]:
    """Return what layouts may be, as the core takes it."""
    sizes = {name: _sizes(name, value) for name, value in options.sizes.items()}
    schedules = _names("schedule", options.schedule, SCHEDULES)
    chunks = sizes.pop("virtual")
    several = not chunks or max(chunks) > 1
    if "1f1b" in schedules and "interleaved" not in schedules and several:
        schedules.append("interleaved")
    order = Layout(order=options.order)  # type: ignore[arg-type] # checked there
    memory = options.memory
    if memory is None:
        memory = hbm_bytes(machine, order)
    else:
        memory = parse_bytes(memory, "memory")
        if not memory > 0:
            raise invalid("memory", options.memory, "must be above 0 bytes")
    return {
        **sizes,
        "virtual_stages": chunks,
        "schedule": schedules,
        "recompute": _names("recompute", options.recompute, RECOMPUTES),
        "sequence_parallel": _flags(options.sequence_parallel),
        "order": list(order.axes),
        "named": order.order,
        "within": _within(machine, options.within),
        "refused": [],
        "memory": memory,
    }


def _sizes(name: str, given: object) -> list[int]:
    low, high = (0, 3) if name == "zero" else (1, _MOST)
    if given is None:
        return []
    if isinstance(given, int | np.integer):
        return [as_integer(name, given, low, high)]
    return _distinct(
        name, [as_integer(f"{name}[{at}]", one, low, high) for at, one in _each(name, given)]
    )


def _names(name: str, given: object, known: Sequence[str]) -> list[str]:
    if given is None:
        return []
    if isinstance(given, str):
        return [as_one_of(name, given, known)]
    return _distinct(
        name, [as_one_of(f"{name}[{at}]", one, known) for at, one in _each(name, given)]
    )


def _flags(given: object) -> list[bool]:
    name = "sequence_parallel"
    if given is None:
        return []
    if isinstance(given, bool | np.bool_):
        return [bool(given)]
    return _distinct(name, [as_flag(f"{name}[{at}]", one) for at, one in _each(name, given)])


def _each(name: str, given: object) -> list[tuple[int, Any]]:
    items = as_items(name, given, "must be a value, a sequence of values, or None for all")
    if not 1 <= len(items) <= _MOST_VALUES:
        raise invalid(name, given, f"must hold 1 to {_MOST_VALUES:,} values")
    return list(enumerate(items))


def _distinct(name: str, values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise invalid(name, values, "must hold each value once")
    return values


def _within(machine: Damaged, given: object) -> list[tuple[str, int]]:
    """Return, for axes that must not leave a place, how many chips it has."""
    if given is None:
        return []
    site = 0
    for one in machine.sites:
        site = gcd(site, one.ultraservers * machine.ultraserver.num_chips)
    places = {"ultraserver": machine.ultraserver.num_chips, "site": site}
    if machine.ultraserver.neuron is not None:
        places["instance"] = machine.ultraserver.neuron.instance_chips
    found = []
    for axis, place in pairs_of("within", given, "must map axes to places"):
        name = as_one_of("axis of within", axis, _AXES)
        found.append((name, places[as_one_of(f"within[{name!r}]", place, places)]))
    return found


def _refused(search: Search, order: str) -> list[tuple[int, ...]]:
    """Return the sizes that the stack of an order refuses."""
    sizes = _core.layout_space(*search.asked())[2]
    chips, dense = search.machine.num_chips, search.job.transformer.experts is None
    found = []
    for tp, pp, cp, ep, etp in sizes:
        dp = chips // (tp * pp * cp)
        own = None if dense else etp
        try:
            scattered(Layout(tp=tp, pp=pp, cp=cp, ep=ep, etp=own, order=order), dp)
        except RainierError:
            found.append((tp, pp, cp, ep, etp))
    return sorted(found)


def weigh(search: Search, first: int, end: int, n_threads: int) -> Weighed:
    """Return the layouts of some cells that fit, in a worker of an executor."""
    return _core.weigh_layouts(*search.asked(), (first, end), n_threads)


def _spread(
    executor: Executor, search: Search, n_threads: int, progress: Progress | None
) -> tuple[Any, ...]:
    """Weigh layouts in blocks over an executor; the order of the answer is that of the blocks."""
    from concurrent.futures import as_completed  # only when asked for

    allowed = "must be a concurrent.futures.Executor, with a method submit, or None"
    try:
        submits = callable(getattr(executor, "submit", None))
    except Exception as error:  # whatever a value's own methods raise
        raise invalid_type("executor", executor, allowed) from error
    if not submits:
        raise invalid_type("executor", executor, allowed)
    cells = _core.layout_space(*search.asked())[1]
    step = -(-cells // _MOST_TASKS)
    blocks = [(first, min(first + step, cells)) for first in range(0, cells, step)]
    futures: list[Future[Weighed]] = []
    try:
        for first, end in blocks:
            futures.append(executor.submit(weigh, search, first, end, n_threads))
        for done, future in enumerate(as_completed(futures), 1):
            future.result()
            if progress is not None:
                progress(done, len(blocks))
    except BaseException:  # a block fails, a callback does, or Ctrl-C comes
        for future in futures:
            future.cancel()
        raise
    parts = [future.result() for future in futures]
    columns = [np.concatenate([part[0][at] for part in parts]) for at in range(3)]
    counts = [sum(part[1][at] for part in parts) for at in range(3)]  # type: ignore[misc]
    smallest = [part[1][3] for part in parts if part[1][3] is not None]
    return (*columns, (*counts, min(smallest, default=None)))
