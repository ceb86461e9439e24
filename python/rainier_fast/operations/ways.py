"""The ways in which a machine can do some work: layouts and loads, with their times and tokens."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.runtime import kind_of
from rainier_fast.errors import RainierError, Unsupported
from rainier_fast.operations.objectives import SERVED, TRAINED
from rainier_fast.serving.best import searched
from rainier_fast.serving.pace import Pace
from rainier_fast.serving.ready import Asked
from rainier_fast.serving.served import run_service
from rainier_fast.serving.serving import ENGINES, Serving
from rainier_fast.table import Table
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.part import part_of
from rainier_fast.workload.peaks import chip_of
from rainier_fast.workload.searching import LayoutSearch
from rainier_fast.workload.step import TrainingStep
from rainier_fast.workload.stepped import Asked as AskedStep
from rainier_fast.workload.stepped import run_step
from rainier_fast.workload.training import Training

_MOST_AT_ONCE: Final = 4096
_OF_NEURON: Final = ("prompt_buckets", "context_buckets", "batch_buckets")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Way:
    """One way: an engine (of a service), a layout, chips and requests at once (of a service)."""

    engine: str
    layout: Layout
    chips: int
    at_once: int | None
    kind: str


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """All ways of a machine.

    Attributes
    ----------
    name
        What the machine is called.
    names
        Of the times of `times`.
    ways
        A way for each row.
    times
        Seconds, a column for each of `names`.
    tokens
        Tokens a second and chip.
    weights
        How often each time is in what a token takes: tokens a second fall as times @ weights.
    why
        Why what was tried last does not run; empty where all ran.
    """

    machine: LayoutSearch
    name: str
    work: Serving | Training
    names: tuple[str, ...]
    ways: tuple[Way, ...]
    times: Floats
    tokens: Floats
    weights: Floats
    why: str
    _bands: dict[int, tuple[Floats, ...]] = field(default_factory=dict)

    @property
    def chips(self) -> NDArray[np.int64]:
        """Chips of each way."""
        return np.array([way.chips for way in self.ways], np.int64)

    @property
    def engines(self) -> NDArray[np.str_]:
        """The engine of each way; empty of jobs."""
        return np.array([way.engine for way in self.ways], np.str_)

    def if_off(self, factors: Floats) -> tuple[Floats, Floats]:
        """Return times and tokens if each time were so many times as long.

        Of requests at all times, so many a second end as there are over what one takes (Little).
        """
        times = self.times * factors
        slower = (times @ self.weights) / (self.times @ self.weights)
        return times, self.tokens / slower

    def band(self, at: int) -> tuple[Floats, ...]:
        """Return by which factors the nearest measured rows of a way are off; none: no rows."""
        if at not in self._bands:
            ask = _served_factors if isinstance(self.work, Serving) else _trained_factors
            try:
                self._bands[at] = tuple(ask(self, self.ways[at]))
            except Unsupported:
                self._bands[at] = ()
        return self._bands[at]


def ways_of(
    machine: LayoutSearch,
    name: str,
    work: Serving | Training,
    counts: Sequence[int | None],
    layouts: Sequence[Layout] | None,
) -> Ways:
    """Return all ways of a machine for a service or a job."""
    found = _Found()
    names: tuple[str, ...] = TRAINED
    weights: tuple[float, ...] = (1.0,)
    if isinstance(work, Serving):
        names, weights = SERVED, (1.0, work.output - 1)
        for engine in found.engines(machine, work):
            service = on_engine(work, engine)
            for count in counts:
                found.tried(partial(_serve, found, machine, service, count, layouts))
    else:
        for count in counts:
            found.tried(partial(_train, found, machine, work, count, layouts))
    return Ways(
        machine,
        name,
        work,
        names,
        tuple(found.ways),
        np.array(found.times, np.float64).reshape(-1, len(names)),
        np.array(found.tokens, np.float64),
        np.array(weights),
        found.why,
    )


class _Found:
    """What was found so far."""

    def __init__(self) -> None:
        self.ways: list[Way] = []
        self.times: list[tuple[float, ...]] = []
        self.tokens: list[float] = []
        self.why = ""

    def tried(self, run: Callable[[], None]) -> None:
        """Run, and note why not."""
        try:
            run()
        except RainierError as error:
            self.why = str(error)

    def add(self, way: Way, times: tuple[float, ...], tokens: float) -> None:
        """Note a way."""
        self.ways.append(way)
        self.times.append(times)
        self.tokens.append(tokens)

    def engines(self, machine: LayoutSearch, service: Serving) -> list[str]:
        """Return the service's own engine where it runs on such chips, else all that do."""
        if service.engine == "ideal":
            return ["ideal"]
        known: list[str] = []
        for engine in ENGINES:
            if engine != "ideal":
                self.tried(partial(_note_known, known, machine, engine))
        return [service.engine] if service.engine in known else known


def _note_known(known: list[str], machine: LayoutSearch, engine: str) -> None:
    Pace.of(chip_of(machine), engine)  # or it raises
    known.append(engine)


def on_engine(service: Serving, engine: str) -> Serving:
    """Return a service by another engine; what only Neuron compiles is left out elsewhere."""
    if engine == service.engine:
        return service
    return service.with_(engine=engine, **dict.fromkeys(_OF_NEURON, ()))


def _loads() -> list[int]:
    """Return requests of a replica: 1 to 4,096, four to an octave."""
    powers = range(_MOST_AT_ONCE.bit_length() - 1)
    steps = {(4 + quarter) * 2**power // 4 for power in powers for quarter in range(4)}
    return sorted({*steps, _MOST_AT_ONCE})


def _serve(
    found: _Found,
    machine: LayoutSearch,
    service: Serving,
    count: int | None,
    layouts: Sequence[Layout] | None,
) -> None:
    answer = searched(machine, service, Asked(chips=count), _loads(), layouts)
    chips, kind = answer.machine.num_chips, kind_of(answer.algorithm)
    for tried in answer.tried:
        for at_once, told in tried.loads:
            way = Way(service.engine, tried.layout, chips, at_once, kind)
            tokens = told["rate"] * service.output / chips
            found.add(way, (told["ttft"], told["tpot"]), tokens)


def _train(
    found: _Found,
    machine: LayoutSearch,
    job: Training,
    count: int | None,
    layouts: Sequence[Layout] | None,
) -> None:
    if layouts is None:
        best = machine.best_layouts(job, chips=count, keep=1)
        _note(found, best.step(0))
        return
    for layout in layouts:
        step = run_step(machine, job, layout, AskedStep(count, None, None, "dor"))
        if step.fits:
            _note(found, step)
        else:
            found.why = f"layout: {layout} does not fit the memory"


def _note(found: _Found, step: TrainingStep) -> None:
    way = Way("", step.layout, step.chips, None, step.kind)
    found.add(way, (step.time_s,), step.tokens_per_s_per_chip)


def _served_factors(ways: Ways, way: Way) -> list[Floats]:
    assert isinstance(ways.work, Serving)
    service, part = on_engine(ways.work, way.engine), part_of(ways.machine, way.chips)
    result = run_service(part, service, way.layout, (way.at_once, None, None), Asked())
    return _factors(result.nearest_measurements, ("ttft_error", "tpot_error"))


def _trained_factors(ways: Ways, way: Way) -> list[Floats]:
    assert isinstance(ways.work, Training)
    asked = AskedStep(way.chips, None, None, "dor")
    step = run_step(ways.machine, ways.work, way.layout, asked)
    return _factors(step.nearest_measurements, ("error",))


def _factors(table: Table, names: Sequence[str]) -> list[Floats]:
    """Return measured over ours by row; 1 where a time was not measured."""
    return [
        np.array([1.0 if math.isnan(row[name]) else 1 / (1 + row[name]) for name in names])
        for row in table
    ]
