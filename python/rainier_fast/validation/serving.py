"""Measured services beside what `Machine.serve` says of them.

Rows of a group whose name says so are fitted (`serving_fit`); all others are only reported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from statistics import median
from typing import Final, NamedTuple

from rainier_fast.definitions.axis import Axis
from rainier_fast.errors import RainierError, Unsupported
from rainier_fast.machine.machine import Machine
from rainier_fast.machine.presets import preset
from rainier_fast.machine.shapes import domain
from rainier_fast.measured.serving import SOURCES
from rainier_fast.serving.measured import CHIPS, Case, cases
from rainier_fast.serving.pace import Pace
from rainier_fast.serving.ready import Asked
from rainier_fast.serving.result import ServingResult
from rainier_fast.serving.served import run_service
from rainier_fast.validation.row import Row

SOURCE: Final = "serving"
"""The name of the reference."""

LONG: Final = "gpus"
"""The source whose rows are many, of which tables have medians."""

RATES: Final = "rates"
"""The source of requests at a rate, one by one: times between tokens of a steady state."""

NAMES: Final = (
    "system, stack and model",
    "rows",
    "answered",
    "TPOT median",
    "TPOT mean",
    "TTFT median",
    "TTFT mean",
)
_RING: Final = {"inf2.48xlarge": 12, "inf2.xlarge": 1}


class Ran(NamedTuple):
    """A measured service, and ours or why there is none."""

    case: Case
    ours: ServingResult | None
    why: str = ""

    @property
    def tpot_error(self) -> float | None:
        """Ours over measured - 1; None where one of both is not there."""
        if self.ours is None or self.case.get("tpot_ms") is None:
            return None
        return 1e3 * tpot(self.case, self.ours) / float(self.case["tpot_ms"]) - 1

    @property
    def ttft_error(self) -> float | None:
        """The same of the first token."""
        if self.ours is None or self.case.get("ttft_ms") is None:
            return None
        return 1e3 * self.ours.ttft_s / float(self.case["ttft_ms"]) - 1


@cache
def machine_of(name: str) -> Machine:
    """Return the machine of a row.

    Inferentia2 is the chip of the first Trainium with two links, in a ring: AWS Neuron SDK docs,
    inf2-arch.
    """
    if name not in CHIPS:
        return preset(name)
    server = preset("trn1").ultraserver
    link = server.axes[0]
    ring = Axis("x", _RING[name], link.kind, link.bandwidth, link.latency)
    return domain(replace(server, name=name, axes=(ring,)))


def tpot(case: Case, ours: ServingResult) -> float:
    """Return what of ours was measured: the mean between tokens, or a plain step."""
    if case.get("quantity") == "step":
        return ours.step_s / (1 if case.service.speculative is None else _yields(case))
    return ours.tpot_s


def _yields(case: Case) -> float:
    guessed = case.service.speculative
    return 1.0 if guessed is None else guessed.tokens_per_step


def run(case: Case, pace: Pace | None = None) -> ServingResult:
    """Return ours of a measured service."""
    if case.get("not_run") or case.model is None:
        raise Unsupported(
            str(
                case.get(
                    "not_run",
                    f"model: {case['model']} has linear or sparse attention, which is not modelled",
                )
            )
        )
    machine, layout = machine_of(case["machine"]), case.layout
    demand = case.demand(machine.num_chips * layout.ranks_per_chip)
    return run_service(machine, case.service, layout, demand, Asked(pace=pace))


@cache
def ran(source: str) -> tuple[Ran, ...]:
    """Return the services of a source beside ours."""
    return tuple(_ran(case) for case in cases(source))


def _ran(case: Case) -> Ran:
    try:
        return Ran(case, run(case))
    except RainierError as error:
        return Ran(case, None, str(error))


def rows() -> list[Row]:
    """Return each measured figure of the short sources beside ours."""
    found: list[Row] = []
    for source in SOURCES:
        if source != LONG:
            for one in ran(source):
                found += _rows(one)
    return found


def _rows(one: Ran) -> list[Row]:
    if one.ours is None:
        return []
    case, ours = one.case, one.ours
    which = "fitted rows" if case["fit"] else "rows not fitted"
    made = []
    figures = {"first token": ("ttft_ms", ours.ttft_s), "a token": ("tpot_ms", tpot(case, ours))}
    for quantity, (name, seconds) in figures.items():
        if case.get(name) is None:
            continue
        made.append(
            Row(
                group=f"{case['group']}, {quantity}, {which}",
                case=case.title,
                quantity=quantity,
                unit="ms",
                published=float(case[name]),
                ours=1e3 * seconds,
                kind=ours.kind,
                model="serve",
                source=case["source"],
                note=_note(case),
            )
        )
    return made


def _note(case: Case) -> str:
    words = [str(case["software"])]
    if case.get("assumed"):
        words.append(f"assumed: {', '.join(case['assumed'])}")
    return "; ".join(words)


def lines() -> list[Sequence[str]]:
    """Return medians of the long source: by system and stack, fitted and not, then by model."""
    every = ran(LONG)
    made: list[Sequence[str]] = []

    def add(name: str, members: Sequence[Ran]) -> None:
        if members:
            made.append(_line(name, members))

    for fitted in (True, False):
        which = "fitted" if fitted else "not fitted"
        own = [one for one in every if bool(one.case["fit"]) == fitted]
        add(f"all, {which}", own)
        for name, members in _by(own, lambda one: _stack(one.case)):
            add(f"{name}, {which}", members)
    for name, members in _by(ran(RATES), lambda one: str(one.case["group"])):
        add(f"{name}, not fitted", members)
    rest = [one for one in every if not one.case["fit"]]
    for name, members in _by(rest, lambda one: _kind(one.case)):
        add(f"{name}, not fitted", members)
    return made


def _stack(case: Case) -> str:
    return f"{case['machine']}, {case['engine']}"


def _kind(case: Case) -> str:
    return f"{_stack(case)}, {case['model']} {case['precision']}"


def _by(members: Iterable[Ran], key: Callable[[Ran], str]) -> list[tuple[str, list[Ran]]]:
    groups: dict[str, list[Ran]] = {}
    for one in members:
        groups.setdefault(key(one), []).append(one)
    return sorted(groups.items())


def _line(name: str, members: Sequence[Ran]) -> Sequence[str]:
    answered = [one for one in members if one.ours is not None]
    cells = [name, f"{len(members):,}", f"{len(answered):,}"]
    for errors in (
        [abs(one.tpot_error) for one in answered if one.tpot_error is not None],
        [abs(one.ttft_error) for one in answered if one.ttft_error is not None],
    ):
        if not errors:
            cells += ["", ""]
            continue
        cells += [f"{median(errors):.1%}", f"{sum(errors) / len(errors):.1%}"]
    return [cell.replace("%", " %") for cell in cells]


def left() -> list[tuple[str, str]]:
    """Return the measured services that are not answered, by reason: how many, and why."""
    counts: Counter[tuple[str, str]] = Counter()
    for source in SOURCES:
        for one in ran(source):
            if one.ours is None:
                what = f"{one.case['model']} on {one.case['machine']}, {one.case['engine']}"
                counts[what, one.why.partition(";")[0]] += 1
    return [(f"{count:,} of {what}", why) for (what, why), count in sorted(counts.items())]
