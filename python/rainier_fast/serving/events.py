"""A service request by request."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.ask.runtime import kind_of
from rainier_fast.definitions.check import as_count, as_integer, as_number
from rainier_fast.errors import invalid
from rainier_fast.faults.damaged import Damaged
from rainier_fast.screen import Facts, Report, Told, one_screen
from rainier_fast.serving.ready import Asked, ready
from rainier_fast.serving.serving import Serving
from rainier_fast.serving.trace import MOST, read_trace
from rainier_fast.table import Table
from rainier_fast.units import format_count, format_time
from rainier_fast.workload.layout import Layout

_MOST_RATE: Final = 2.0**40
_LAST_SEED: Final = 2**64 - 1
_QUANTILES: Final = (0.5, 0.9, 0.99)


@one_screen
@dataclass(frozen=True, repr=False)
class ServingEvents(Report, Told):
    """The answer to `Machine.serve_events`. Immutable.

    Attributes
    ----------
    machine
        Where it runs.
    service, layout
        What was asked.
    algorithm
        How collectives run.
    simulated
        ``"one replica"``, of which all do the same, or ``"all replicas"``, of a trace.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> service = rf.Serving("llama-3.1-8b", input=1024, output=256, engine="vllm")
    >>> events = rf.preset("h100").serve_events(service, rf.Layout(tp=8), rate=2.0, requests=100)
    >>> len(events), events.kind
    (100, 'as nccl runs it')
    """

    machine: Damaged
    service: Serving
    layout: Layout
    algorithm: str
    simulated: str
    _moments: tuple[tuple[float, ...], ...]

    _also = ("kind", "quantiles", "requests_per_s", "tokens_per_s")

    def __len__(self) -> int:
        return len(self._moments)

    @property
    def kind(self) -> str:
        """What kind of number times are, of collectives."""
        return kind_of(self.algorithm)

    @property
    def ttft_s(self) -> NDArray[np.float64]:
        """Seconds to the first token of each request, shape [requests]."""
        moments = np.array(self._moments)
        first: NDArray[np.float64] = moments[:, 1] - moments[:, 0]
        return first

    @property
    def tpot_s(self) -> NDArray[np.float64]:
        """Mean seconds between later tokens of each request; NaN where there is one token."""
        moments = np.array(self._moments)
        rest = moments[:, 3] - 1
        taken = moments[:, 2] - moments[:, 1]
        return np.where(rest > 0, taken / np.maximum(rest, 1e-9), math.nan)

    @property
    def requests_per_s(self) -> float:
        """Requests over the time from the first arrival to the last token; of what was run.

        Without a trace that is one replica; `ServingResult.requests_per_s` has all of them.
        """
        moments = np.array(self._moments)
        return len(self) / float(moments[:, 2].max() - moments[:, 0].min())

    @property
    def tokens_per_s(self) -> float:
        """Tokens of answers over the same time."""
        return self.requests_per_s * float(np.array(self._moments)[:, 3].mean())

    @property
    def quantiles(self) -> Table:
        """Mean, p50, p90 and p99 of both times.

        Columns: ``of`` (``"mean"``, ``"p50"``, ``"p90"``, ``"p99"``), ``ttft_s``, ``tpot_s``.
        """
        columns: dict[str, list[Any]] = {"of": ["mean", *(f"p{100 * q:.0f}" for q in _QUANTILES)]}
        for name, values in (("ttft_s", self.ttft_s), ("tpot_s", self.tpot_s)):
            known = values[np.isfinite(values)]
            if not known.size:
                columns[name] = [math.nan] * (1 + len(_QUANTILES))
                continue
            marks = [float(np.quantile(known, q)) for q in _QUANTILES]
            columns[name] = [float(known.mean()), *marks]
        return Table(columns)._of_kind(self.kind)

    def __repr__(self) -> str:
        return f"<ServingEvents {self._headline()}>"

    def _headline(self) -> str:
        label = self.machine.name or self.machine.ultraserver.name
        words = f"{format_count(len(self))} requests to {self.service.transformer.name} on "
        words += f"{format_count(self.machine.num_chips)} chips of {label}, {self.simulated}"
        return f"{words}, {self.kind}"

    def _page(self) -> list[Any]:
        table = self.quantiles

        def line(name: str) -> str:
            pairs = zip(table["of"], table[name], strict=True)
            return ", ".join(f"{of} {format_time(float(value))}" for of, value in pairs)

        rates = f"{self.requests_per_s:,.4g} requests/s, {self.tokens_per_s:,.5g} tokens/s"
        facts: Facts = [
            ("service", str(self.service)),
            ("layout", str(self.layout)),
            ("first token", line("ttft_s")),
            ("a token", line("tpot_s")),
            ("rates", f"{rates}, of {self.simulated}"),
        ]
        return [self._headline(), facts]


def run_events(
    machine: Damaged,
    service: object,
    layout: object,
    load: tuple[object, object, object, object, object, object],
    asked: Asked,
) -> ServingEvents:
    """Return a service request by request: `Machine.serve_events`."""
    one = ready(machine, service, layout, asked)
    ranks = one.machine.num_chips * one.layout.ranks_per_chip
    replicas = ranks // (one.layout.tp * one.layout.pp)
    row = _load(one.service, max(replicas, 1), *load)
    moments = _core.serve_events(one.machine._core, *one.rows, row).reshape(-1, 4)
    listed = load[2] is not None
    return ServingEvents(
        one.machine,
        one.service,
        one.layout,
        str(one.request.algorithm),
        "all replicas" if listed else "one replica",
        tuple(tuple(line) for line in moments.tolist()),
    )


def _load(
    service: Serving,
    replicas: int,
    concurrency: object,
    rate: object,
    trace: object,
    requests: object,
    spread: object,
    seed: object,
) -> tuple[Any, ...]:
    given = [value for value in (concurrency, rate, trace) if value is not None]
    if len(given) != 1:
        allowed = "must be given, or rate= or trace= in its place: one of the three alone"
        raise invalid("concurrency", concurrency, allowed)
    if trace is not None:
        lines = read_trace(trace, service.most_tokens)
        return None, None, 0, 0.0, 0, lines
    total = as_count("requests", requests, MOST)
    start = as_integer("seed", seed, 0, _LAST_SEED)
    share = as_number("spread", spread, 0, 1, "must be a share from 0 to 1")
    if rate is not None:
        each = as_number("rate", rate, 1e-12, _MOST_RATE, "must be a finite number above 0")
        return None, each / replicas, total, share, start, []
    at_once = as_count("concurrency", concurrency, MOST)
    own = max(-(-at_once // replicas), 1)
    if total < own:
        raise invalid("requests", total, f"must be at least those at once of a replica, {own:,}")
    return own, None, total, share, start, []
