"""The measured services nearest to a prediction, and our error on them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from rainier_fast.errors import RainierError, Unsupported
from rainier_fast.faults.damaged import Damaged
from rainier_fast.serving.measured import Case, every
from rainier_fast.serving.pace import Pace
from rainier_fast.serving.ready import Asked, ready
from rainier_fast.serving.serving import Serving
from rainier_fast.table import Table
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.peaks import chip_of

_COUNT: Final = 3


class Asking(Protocol):
    """What a prediction says of itself."""

    @property
    def machine(self) -> Damaged:
        """Where it runs."""

    @property
    def service(self) -> Serving:
        """What is served."""

    @property
    def layout(self) -> Layout:
        """How it is cut."""

    @property
    def concurrency(self) -> float | None:
        """Requests at all times."""

    @property
    def running(self) -> float:
        """Requests of a replica that run at once."""

    @property
    def replicas(self) -> int:
        """Replicas."""

    @property
    def algorithm(self) -> str:
        """How collectives run."""

    @property
    def pace(self) -> Pace:
        """What the stack adds."""

    @property
    def kind(self) -> str:
        """What kind of number its times are."""


def cases_like(result: Asking) -> list[Case]:
    """Return the measured services on the same chips, with the same engine, the nearest first."""
    chip = chip_of(result.machine).name
    known = [
        case
        for case in every()
        if case.model is not None
        and not case.get("not_run")
        and case["engine"] == result.service.engine
        and case.chip == chip
    ]
    return sorted(known, key=lambda case: _distance(result, case))


def _distance(result: Asking, case: Case) -> float:
    assert case.model is not None
    mine = result.service
    requests = (result.concurrency or result.running * result.replicas) / result.replicas
    pairs = (
        (mine.transformer.parameters, case.model.parameters),
        (mine.transformer.active_parameters, case.model.active_parameters),
        (result.layout.tp, case["tp"]),
        (mine.input, case["input"]),
        (mine.output, case["output"]),
        (requests, case["concurrency"]),
    )
    return sum(abs(math.log(a / b)) for a, b in pairs)


def table(result: Asking) -> Table:
    """Return the nearest of them beside ours: `ServingResult.nearest_measurements`."""
    rows: list[Mapping[str, Any]] = []
    for case in cases_like(result):
        if len(rows) == _COUNT:
            break
        whole, ranks = result.machine, result.machine.num_chips * case.layout.ranks_per_chip
        asked = Asked(algorithm=result.algorithm, pace=result.pace)
        try:
            one = ready(whole, case.service, case.layout, asked)
            told = one.run([case.demand(ranks)])[0]
        except RainierError:
            continue  # of another size of machine
        rows.append(_row(case, told))
    if not rows:
        label = result.machine.name or result.machine.ultraserver.name
        raise Unsupported(
            f"no measured service by {result.service.engine!r} on {label} is public; give times of "
            "your own beside .tpot_s"
        )
    return Table({name: [row[name] for row in rows] for name in rows[0]})._of_kind(result.kind)


def line(result: Asking) -> str:
    """Return the nearest of them and our errors in a line."""
    try:
        known = table(result)
    except Unsupported:
        return "no service by this engine on such chips: times have no measured error"
    row = next(iter(known))
    cut = row["layout"].partition(", dp")[0]
    words = f"nearest {row['model']}, {cut}, {row['input']:,} in, {row['output']:,} out, "
    words += f"{row['concurrency']:,.6g} at once; our error there and on {len(known) - 1} more: "
    pairs = (("first token", "ttft_error"), ("a token", "tpot_error"))
    return words + ", ".join(f"{name} {_band(known[column].tolist())}" for name, column in pairs)


def _band(errors: Sequence[float]) -> str:
    measured = [error for error in errors if not math.isnan(error)]
    if not measured:
        return "not measured"
    least, most = (f"{error:+.0%}" for error in (min(measured), max(measured)))
    return least if least == most else f"{least} to {most}"


def _row(case: Case, told: Mapping[str, Any]) -> dict[str, Any]:
    step = sum(seconds for _, seconds in told["step"])
    between = step if case.get("quantity") == "step" else told["tpot"]
    return {
        "model": case["model"],
        "machine": case["machine"],
        "layout": str(case.layout),
        "input": case["input"],
        "output": case["output"],
        "concurrency": case["concurrency"],
        "measured_ttft_s": _seconds(case.get("ttft_ms")),
        "ttft_error": _error(case.get("ttft_ms"), told["ttft"]),
        "measured_tpot_s": _seconds(case.get("tpot_ms")),
        "tpot_error": _error(case.get("tpot_ms"), between),
        "software": case["software"],
        "source": case["source"],
    }


def _seconds(milliseconds: float | None) -> float:
    return math.nan if milliseconds is None else milliseconds / 1e3


def _error(measured: float | None, ours: float) -> float:
    return math.nan if measured is None else 1e3 * ours / measured - 1
