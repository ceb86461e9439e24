"""Fits the paces of ``serving/data/pace.json`` to measured services again.

``python -m rainier_fast.validation.serving_fit`` prints them. Only rows whose ``fit`` says so are
seen: of chips of one generation, each engine by itself. What is made small is the mean size of
relative errors, of times between tokens and, with less weight and up to some threefold, of times to
the first; one figure after the other is made larger and smaller until that no longer helps.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from rainier_fast.errors import RainierError
from rainier_fast.serving.data_files import read_data
from rainier_fast.serving.measured import CHIPS, Case, every
from rainier_fast.serving.pace import Pace
from rainier_fast.serving.ready import Asked, Ready, ready
from rainier_fast.validation.serving import machine_of

BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "layer_s": (0.0, 2e-3),
    "sparse_s": (0.0, 2e-3),
    "expert_s": (0.0, 1e-3),
    "decode": (0.5, 4.0),
    "prefill": (0.3, 10.0),
    "collective": (0.02, 2.0),
    "cache": (0.05, 1.0),
    "step_s": (0.0, 2e-2),
    "sequence_s": (0.0, 1e-3),
    "request_s": (0.0, 1.0),
}
START: Final[Mapping[str, float]] = {
    "layer_s": 1e-5,
    "sparse_s": 1e-5,
    "expert_s": 1e-4,
    "decode": 1.0,
    "prefill": 1.0,
    "collective": 0.5,
    "cache": 0.8,
    "step_s": 1e-3,
    "sequence_s": 1e-5,
    "request_s": 3e-2,
}
_FIRST_TOKEN: Final = 0.4
_MOST_OFF: Final = 1.2
_SMALL: Final = (0.03, 0.05)
_ROUNDS: Final = 16
_CLOSE: Final = 0.02


class Known(NamedTuple):
    """A measured service that can be run again with another pace."""

    case: Case
    ready: Ready
    demand: tuple[float | None, ...]

    def errors(self, pace: Pace) -> tuple[float | None, float | None]:
        """Return logarithms of ours over measured: between tokens, and to the first."""
        rows = self.ready.rows
        bandwidth = rows[2]["pace"]["cache"] / self.ready.pace.cache
        by_host = self.case.service.sampling == "host"
        runs = rows[2] | {"pace": pace.row(bandwidth, by_host=by_host)}
        told = self.ready._replace(rows=(rows[0], rows[1], runs)).run([self.demand])[0]
        step = sum(seconds for _, seconds in told["step"])
        between = step if self.case.get("quantity") == "step" else told["tpot"]
        return _off(self.case.get("tpot_ms"), between), _off(self.case.get("ttft_ms"), told["ttft"])


def _off(measured: float | None, ours: float) -> float | None:
    return None if measured is None else math.log(1e3 * ours / measured)


def known(generation: str, engine: str) -> list[Known]:
    """Return the rows that the pace of a generation's chips and an engine is fitted to."""
    chips = read_data("pace.json")["chips"]
    found = []
    for case in every():
        if not case["fit"] or case["engine"] != engine or case.model is None:
            continue
        machine = machine_of(case["machine"])
        chip = machine.ultraserver.chip
        assert chip is not None
        if chips[CHIPS.get(case["machine"], chip.name)] != generation or case.get("not_run"):
            continue
        one = ready(machine, case.service, case.layout, Asked(pace=Pace()))
        demand = case.demand(machine.num_chips * case.layout.ranks_per_chip)
        found.append(Known(case, one, demand))
    return found


def loss(rows: Sequence[Known], figures: Mapping[str, float]) -> float:
    """Return how far a pace is from rows."""
    given: dict[str, Any] = dict(figures)
    pace, tokens, first = Pace(**given), [], []
    for one in rows:
        try:
            between, until = one.errors(pace)
        except RainierError:
            continue  # does not fit the memory, whatever the pace
        if between is not None:
            tokens.append(math.hypot(between, _SMALL[0]))
        if until is not None:
            first.append(min(math.hypot(until, _SMALL[1]), _MOST_OFF))
    weighed = (1.0, tokens), (_FIRST_TOKEN, first)
    return sum(weight * sum(errors) / len(errors) for weight, errors in weighed if errors)


def fit(rows: Sequence[Known], start: Mapping[str, float], free: Sequence[str]) -> dict[str, float]:
    """Return the figures nearest to rows, of which those named are free."""
    found = dict(start)
    best, steps = loss(rows, found), dict.fromkeys(free, 0.5)
    for _ in range(_ROUNDS):
        for name in free:
            low, high = BOUNDS[name]
            for factor in (1 + steps[name], 1 / (1 + steps[name])):
                tried = found | {name: min(max(found[name] * factor, low), high)}
                other = loss(rows, tried)
                if other < best - 1e-6:
                    found, best = tried, other
                    break
            else:
                steps[name] /= 2
        if max(steps.values()) < _CLOSE:
            break
    return {name: float(f"{value:.3g}") for name, value in found.items()}


def refit(generation: str, engine: str) -> dict[str, float]:
    """Return the pace of a generation and engine; `pace.json` says what is free."""
    entry: dict[str, Any] = read_data("pace.json")["paces"][generation][engine]
    start = {name: float(entry["figures"][name]) for name in BOUNDS}
    start |= {name: value for name, value in START.items() if name not in entry["fixed"]}
    free = [name for name in BOUNDS if name not in entry["fixed"]]
    return fit(known(generation, engine), start, free)


def main() -> None:
    """Print all paces."""
    for generation, engines in read_data("pace.json")["paces"].items():
        for engine in engines:
            found = refit(generation, engine)
            print(
                generation,
                engine,
                json.dumps(found),
                f"{loss(known(generation, engine), found):.4f}",
            )


if __name__ == "__main__":
    main()
