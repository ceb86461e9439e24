"""What a service takes, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from rainier_fast.definitions.efficiency import Efficiency
from rainier_fast.definitions.routing import Policy
from rainier_fast.faults.damaged import Damaged
from rainier_fast.files.saved import Saved
from rainier_fast.screen import Facts, Paged, Report, Told, one_screen
from rainier_fast.serving import nearest
from rainier_fast.serving.figures import ServiceFigures
from rainier_fast.serving.found import Found
from rainier_fast.serving.pace import Pace
from rainier_fast.serving.serving import Serving
from rainier_fast.table import Table
from rainier_fast.units import format_bytes, format_count, format_time
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.peaks import hbm_bytes

_ALSO: Final = (
    "kind",
    "chips",
    "replicas",
    "ttft_s",
    "tpot_s",
    "quantiles",
    "step_s",
    "requests_per_s",
    "tokens_per_s",
    "tokens_per_s_per_chip",
    "tokens_per_s_per_user",
    "running",
    "waiting",
    "prefill_share",
    "parts",
    "prefill_parts",
    "memory",
    "shapes",
    "bottleneck",
    "guesses",
)


@one_screen
@dataclass(frozen=True, repr=False)
class ServingResult(ServiceFigures, Paged, Report, Told, Saved):
    """The answer to `Machine.serve`. Immutable.

    Attributes
    ----------
    machine
        Where it runs: the part of a machine that was asked for.
    service, layout
        What was asked.
    concurrency, rate
        Requests at all times, or requests/s; the other one is None.
    requests
        How many come at once, of which `concurrency` are served at a time; None where they come one
        by one.
    algorithm, routing
        How collectives run.
    efficiency, pace
        How fast chips compute, and what the stack adds to that.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> service = rf.Serving("llama-3.1-8b", input=1024, output=256, engine="vllm")
    >>> served = rf.preset("h100").serve(service, rf.Layout(tp=8), concurrency=16)
    >>> served.bottleneck.startswith("decoding")
    True
    """

    _saved_as = "serving_result"

    machine: Damaged
    service: Serving
    layout: Layout
    concurrency: float | None
    rate: float | None
    requests: float | None
    algorithm: str
    routing: Policy
    efficiency: Efficiency
    pace: Pace
    _found: Found

    _also = _ALSO

    @property
    def chips(self) -> int:
        """Chips that take part."""
        return self.machine.num_chips

    @property
    def replicas(self) -> int:
        """Replicas, each of which takes its share of the requests."""
        ranks = self.chips * self.layout.ranks_per_chip
        return ranks // (self.layout.tp * self.layout.pp)

    @property
    def ttft_s(self) -> float:
        """Seconds from when a request comes to its first token, in the mean."""
        return self._found.ttft

    @property
    def tpot_s(self) -> float:
        """Seconds between tokens after the first, in the mean, prefills of others included."""
        return self._found.tpot

    @property
    def quantiles(self) -> Table:
        """Mean, p50 and p90 of both times, over requests.

        Columns: ``of`` (``"mean"``, ``"p50"``, ``"p90"``), ``ttft_s``, ``tpot_s``. They follow from
        how lengths vary (`Lengths`) and from who is in whose way; docs/serving.md says how. Where
        `requests` all came at once, those of the first token are about the mean of both.
        """
        found = self._found
        columns: dict[str, list[Any]] = {
            "of": ["mean", "p50", "p90"],
            "ttft_s": [found.ttft, found.ttft_p50, found.ttft_p90],
            "tpot_s": [found.tpot, found.tpot_p50, found.tpot_p90],
        }
        return Table(columns)._of_kind(self.kind)

    @property
    def step_s(self) -> float:
        """Seconds of a step of decoding that no prefill holds up: the sum of `parts`.

        Also the median between tokens where prefills share no step with others (engine neuron) and
        come in fewer than half of the steps.
        """
        return sum(self.parts.values())

    @property
    def requests_per_s(self) -> float:
        """Requests a second of all replicas."""
        return self._found.rate

    @property
    def running(self) -> float:
        """Requests of a replica that run at once: those asked for, as far as memory holds them."""
        return self._found.running

    @property
    def waiting(self) -> float:
        """Requests that wait for memory, over all replicas."""
        return self._found.waiting

    @property
    def prefill_share(self) -> float:
        """Share of the time in which prefills keep steps of decoding waiting."""
        return self._found.load

    @property
    def parts(self) -> Mapping[str, float]:
        """Seconds of a step of decoding by what they are spent on, on one rank.

        ``matmul``, ``experts``, ``attention`` (reading the cache), ``memory_bound``; ``tp`` and
        ``ep``, collectives; ``pp``, rows between stages; ``layers``, what each layer takes beside
        its operators; ``head``; ``draft``; ``host``.
        """
        return MappingProxyType(dict(self._found.step))

    @property
    def prefill_parts(self) -> Mapping[str, float]:
        """Seconds of the prefill of one prompt, the same way."""
        return MappingProxyType(dict(self._found.prefill))

    @property
    def memory(self) -> Mapping[str, float]:
        """Bytes of a rank, and how many requests fit.

        ``weights_bytes``; ``request_bytes``, what must be free before a request starts;
        ``cache_bytes``, what caches may take; ``hbm_bytes`` of a rank (of Trainium2 with 4 ranks a
        chip one bank); ``requests``, how many of a replica fit.
        """
        names = {"weights": "weights_bytes", "request": "request_bytes", "budget": "cache_bytes"}
        found = {to: float(getattr(self._found, name)) for name, to in names.items()}
        found["hbm_bytes"] = hbm_bytes(self.machine, self.layout)
        return MappingProxyType(found | {"requests": self._found.fits})

    @property
    def shapes(self) -> Mapping[str, float]:
        """What passes are padded to.

        ``prompt``: tokens of a prefill, in all its pieces; ``batch``: sequences of a step;
        ``context``: tokens of cache that it reads for each.
        """
        return MappingProxyType(
            {name: float(getattr(self._found, name)) for name in ("prompt", "batch", "context")}
        )

    @property
    def bottleneck(self) -> str:
        """What takes most of the time, and which part of it."""
        decodes = self.prefill_share < 0.5
        parts = self.parts if decodes else self.prefill_parts
        name, seconds = max(parts.items(), key=lambda part: part[1])
        share = 1 - self.prefill_share if decodes else self.prefill_share
        words = f"{'decoding' if decodes else 'prefills'}, {share:.0%} of the time; most of it is "
        words += f"{name}, {seconds / sum(parts.values()):.0%}"
        if self.waiting:
            words += f"; memory holds {self.running:,.0f} requests a replica"
        return words

    @property
    def guesses(self) -> tuple[str, ...]:
        """What of the answer rests on no measurement, a line each."""
        lines = []
        if self.pace.kind not in ("fit", "published"):
            lines.append(f"pace is {self.pace.kind}: {self.pace.source}")
        if self.service.imbalance == 1 and self.layout.ep > 1:
            lines.append("experts: all ranks alike busy; imbalance= says otherwise (2.9 measured)")
        if self.service.max_model_len is None and self.service.engine == "neuron":
            lines.append(f"max_model_len {self.service.most_tokens:,}: the next power of two")
        products = self.efficiency.rates().values()
        if any(rate.kind == "guess" for rate in products):
            lines.append(f"products: some rates of {self.efficiency.chip} are guesses")
        if self.service.batching == "lockstep":
            lines.append("p50 and p90: all requests of a batch are alike")
        elif not self.service.lengths:
            lines.append("p50 and p90: all requests alike long; rf.Lengths says otherwise")
        return tuple(lines)

    @property
    def nearest_measurements(self) -> Table:
        """The measured services on such chips that are nearest in size, and our error on them.

        Columns: ``model``, ``machine``, ``layout``, ``input``, ``output``, ``concurrency``,
        ``measured_ttft_s``, ``ttft_error``, ``measured_tpot_s``, ``tpot_error`` (fractions),
        ``software``, ``source``. `Unsupported` where nothing was measured.
        """
        return nearest.table(self)

    def __repr__(self) -> str:
        return f"<ServingResult {self._headline()}>"

    def _headline(self) -> str:
        label = self.machine.name or self.machine.ultraserver.name
        where = f"{format_count(self.chips)} chips of {label}"
        first = f"{self.service.transformer.name} served on {where}: first token "
        first += f"{format_time(self.ttft_s)}, then {format_time(self.tpot_s)} a token"
        return f"{first}, {self.kind}"

    def _page(self) -> list[Any]:
        asked = f"{self.rate:,.6g} requests/s" if self.rate else ""
        if self.concurrency is not None:
            asked = f"{self.concurrency:,.6g} requests at once"
        rate = f"{self.tokens_per_s:,.1f} a second, {self.tokens_per_s_per_chip:,.2f} a chip, "
        rate += f"{self.tokens_per_s_per_user:,.1f} a user"
        replicas = f"{self.replicas:,} replica{'s' if self.replicas > 1 else ''}"
        facts: Facts = [
            ("service", str(self.service)),
            ("asked", f"{asked}; {replicas}"),
            ("layout", str(self.layout.with_(dp=self.replicas))),
            ("first token", _of(self.quantiles, "ttft_s")),
            ("a token", _of(self.quantiles, "tpot_s")),
            ("tokens", rate),
            ("step", f"{format_time(self.step_s)}: {_shares(self.parts)}"),
            (
                "prefill",
                f"{format_time(sum(self.prefill_parts.values()))}: {_shares(self.prefill_parts)}",
            ),
            ("memory", _memory(self)),
            ("bottleneck", self.bottleneck),
            ("pace", f"{self.pace.kind}: {self.pace.source}"),
            ("measured", nearest.line(self)),
        ]
        facts += [("guesses" if at == 0 else "", line) for at, line in enumerate(self.guesses[:3])]
        return [self._headline(), facts]


def _of(quantiles: Table, name: str) -> str:
    pairs = zip(quantiles["of"], quantiles[name], strict=True)
    return ", ".join(f"{of} {format_time(float(value))}" for of, value in pairs)


def _shares(parts: Mapping[str, float]) -> str:
    total = sum(parts.values())
    ranked = sorted(parts.items(), key=lambda part: -part[1])
    return ", ".join(f"{name} {size / total:.1%}" for name, size in ranked if size >= 1e-3 * total)


def _memory(result: ServingResult) -> str:
    held = result.memory
    words = f"a rank has {format_bytes(held['hbm_bytes'])}: weights "
    words += f"{format_bytes(held['weights_bytes'])}, cache at most "
    words += f"{format_bytes(held['cache_bytes'])}, {format_bytes(held['request_bytes'])} a request"
    words += f": {held['requests']:,.0f} fit a replica"
    return words + (f"; {result.waiting:,.6g} wait" if result.waiting else "")
