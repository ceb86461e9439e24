"""What a service takes whose prefill and decoding have workers of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from rainier_fast.faults.damaged import Damaged
from rainier_fast.screen import Facts, Report, Told, one_screen
from rainier_fast.serving.figures import ServiceFigures
from rainier_fast.serving.found import Parts
from rainier_fast.serving.pace import Pace
from rainier_fast.serving.result import _shares
from rainier_fast.serving.serving import Serving
from rainier_fast.units import format_bytes, format_count, format_time
from rainier_fast.workload.layout import Layout

_STAGES: Final = ("prefill", "hand-over", "decoding")
_ALSO: Final = (
    "kind",
    "chips",
    "idle_chips",
    "ttft_s",
    "tpot_s",
    "requests_per_s",
    "tokens_per_s",
    "tokens_per_s_per_chip",
    "tokens_per_s_per_user",
    "decoding",
    "waiting",
    "loads",
    "busy_share",
    "balanced_ratio",
    "handover_bytes",
    "handover_s",
    "shown_handover_s",
    "prefill_parts",
    "parts",
    "bottleneck",
    "guesses",
)


@one_screen
@dataclass(frozen=True, repr=False)
class DisaggregatedResult(ServiceFigures, Report, Told):
    """The answer to `Machine.serve_disaggregated`. Immutable.

    Attributes
    ----------
    machine
        Where it runs: the part of a machine that was asked for.
    service
        What was asked.
    layouts
        Of a prefill worker and of a decode worker.
    workers
        How many prefill and how many decode workers.
    worker_chips
        Chips of one of each kind.
    concurrency, rate
        Requests at all times, or requests/s; the other one is None.
    handover
        ``"read"`` or ``"write"``.
    handover_kind
        What kind of number the hand-over is: ``"links alone"``, or as the machine's software runs
        a send_recv; `guesses` says why it is not.
    algorithm
        How collectives run.
    pace
        What the stack adds to operators.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> service = rf.Serving("llama-3.1-8b", input=1024, output=256, engine="vllm")
    >>> tp = rf.Layout(tp=2)
    >>> served = rf.preset("h100").serve_disaggregated(service, tp, tp, concurrency=64)
    >>> sum(served.workers), served.bottleneck
    (4, 'decoding')
    """

    machine: Damaged
    service: Serving
    layouts: tuple[Layout, Layout]
    workers: tuple[int, int]
    worker_chips: tuple[int, int]
    concurrency: float | None
    rate: float | None
    handover: str
    handover_kind: str
    algorithm: str
    pace: Pace
    _each: float
    _sent: tuple[float, float, float]
    _why_links: str
    _parts: tuple[Parts, Parts]
    _fits: tuple[float, float]
    _replicas: int
    _split: tuple[tuple[str, Any], ...]

    _also = _ALSO

    @property
    def _found(self) -> dict[str, Any]:
        return dict(self._split)

    @property
    def chips(self) -> int:
        """Chips of all workers."""
        pairs = zip(self.workers, self.worker_chips, strict=True)
        return sum(count * each for count, each in pairs)

    @property
    def idle_chips(self) -> int:
        """Chips of the machine that are no worker's."""
        return self.machine.num_chips - self.chips

    @property
    def ttft_s(self) -> float:
        """Seconds from when a request comes to its first token: prefill, waits, hand-over."""
        return float(self._found["ttft"])

    @property
    def tpot_s(self) -> float:
        """Seconds between tokens after the first, in the mean: no prefill is in their way."""
        return float(self._found["tpot"])

    @property
    def requests_per_s(self) -> float:
        """Requests a second."""
        return float(self._found["rate"])

    @property
    def decoding(self) -> float:
        """Sequences that a decode worker runs at once, in the mean."""
        return float(self._found["decoding"]) * self._replicas

    @property
    def waiting(self) -> float:
        """Requests that wait for memory of decode workers, over all of them."""
        return float(self._found["waiting"])

    @property
    def loads(self) -> Mapping[str, float]:
        """Requests/s over the most that ``prefill``, ``hand-over`` and ``decoding`` could each do.

        The most of decoding is with all requests of `concurrency` in it that memory holds.
        """
        return MappingProxyType(dict(zip(_STAGES, self._found["loads"], strict=True)))

    @property
    def bottleneck(self) -> str:
        """What has the highest load: ``"prefill"``, ``"hand-over"`` or ``"decoding"``."""
        return max(self.loads.items(), key=lambda load: load[1])[0]

    @property
    def busy_share(self) -> float:
        """Share of the time of the workers' chips in which they compute.

        Prefill workers their load: between prompts they wait. Decode workers always, which is an
        upper end where one has no sequence at times.
        """
        prefill, decode = (
            n * each for n, each in zip(self.workers, self.worker_chips, strict=True)
        )
        return (prefill * min(self.loads["prefill"], 1.0) + decode) / (prefill + decode)

    @property
    def balanced_ratio(self) -> float:
        """Prefill workers for each decode worker at which both are busy alike.

        Seconds of a prompt over those of a worker for an answer: T / ((output - 1) x TPOT / B), at
        the B that now decode on a worker.
        """
        answer = (self.service.output - 1) * self.tpot_s / self.decoding
        return self._each / answer

    @property
    def handover_bytes(self) -> float:
        """Bytes of the cache of a prompt, each once."""
        return self._sent[0]

    @property
    def handover_s(self) -> float:
        """Seconds in which they go over the links, on idle ones."""
        return self._sent[1]

    @property
    def shown_handover_s(self) -> float:
        """Those of them that a request waits for: all, or what no prefill hides."""
        return self._sent[2]

    @property
    def prefill_parts(self) -> Mapping[str, float]:
        """Seconds of the prefill of one prompt, as of `ServingResult`."""
        return MappingProxyType(dict(self._parts[0]))

    @property
    def parts(self) -> Mapping[str, float]:
        """Seconds of a step of decoding, as of `ServingResult`."""
        return MappingProxyType(dict(self._parts[1]))

    @property
    def guesses(self) -> tuple[str, ...]:
        """What of the answer rests on no measurement, a line each."""
        why = f" ({self._why_links})" if self._why_links else ""
        lines = [
            f"hand-over: {self.handover_kind}{why}, a cache once; copies for ranks that share "
            "heads are not counted, nor are the engines' messages about it",
            "pace: that of engines whose workers do both; docs/validation.md has our errors on "
            "measured services of such workers, none of which is fitted",
        ]
        if self.pace.kind not in ("fit", "published"):
            lines.append(f"pace is {self.pace.kind}: {self.pace.source}")
        if self.service.imbalance == 1 and max(layout.ep for layout in self.layouts) > 1:
            lines.append("experts: all ranks alike busy; imbalance= says otherwise (2.9 measured)")
        return tuple(lines)

    def __repr__(self) -> str:
        return f"<DisaggregatedResult {self._headline()}>"

    def _headline(self) -> str:
        label = self.machine.name or self.machine.ultraserver.name
        where = f"{format_count(self.chips)} chips of {label}"
        first = f"{self.service.transformer.name} served apart on {where}: first token "
        first += f"{format_time(self.ttft_s)}, then {format_time(self.tpot_s)} a token"
        return f"{first}, {self.kind}"

    def _page(self) -> list[Any]:
        asked = f"{self.rate:,.6g} requests/s" if self.rate else ""
        if self.concurrency is not None:
            asked = f"{self.concurrency:,.6g} requests at once"
        rate = f"{self.tokens_per_s:,.1f} a second, {self.tokens_per_s_per_chip:,.2f} a chip, "
        rate += f"{self.tokens_per_s_per_user:,.1f} a user"
        sent = f"{format_bytes(self.handover_bytes)} in {format_time(self.handover_s)}, "
        sent += f"{self.handover} mode: a request waits {format_time(self.shown_handover_s)}, "
        sent += self.handover_kind
        loads = ", ".join(f"{name} {load:.0%}" for name, load in self.loads.items())
        decoding = f"{self.decoding:,.4g} at once a worker"
        decoding += f"; {self.waiting:,.6g} wait for memory" if self.waiting else ""
        (prefill, decode), (one, other) = self.workers, self.worker_chips
        facts: Facts = [
            ("service", str(self.service)),
            ("asked", asked),
            ("prefill", _workers(prefill, one, self.layouts[0])),
            ("decoding", _workers(decode, other, self.layouts[1])),
            ("", f"{decoding}; {self.balanced_ratio:.3g} prefill workers for each would balance"),
            ("idle", f"{self.idle_chips:,} chips"),
            ("tokens", rate),
            ("prompt", f"{format_time(_sum(self.prefill_parts))}: {_shares(self.prefill_parts)}"),
            ("hand-over", sent),
            ("step", f"{format_time(_sum(self.parts))}: {_shares(self.parts)}"),
            ("bottleneck", f"{self.bottleneck}; busy: {loads}"),
            ("pace", f"{self.pace.kind}: {self.pace.source}"),
        ]
        facts += [("guesses" if at == 0 else "", line) for at, line in enumerate(self.guesses[:3])]
        return [self._headline(), facts]


def _sum(parts: Mapping[str, float]) -> float:
    return sum(parts.values())


def _workers(count: int, chips: int, layout: Layout) -> str:
    own = layout.with_(dp=chips * layout.ranks_per_chip // (layout.tp * layout.pp))
    return f"{count:,} worker{'s' if count > 1 else ''} of {format_count(chips)} chips: {own}"
