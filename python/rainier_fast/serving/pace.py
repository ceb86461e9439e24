"""How fast a serving stack goes beside the operators that it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Self

from rainier_fast.definitions.check import as_name, as_number
from rainier_fast.definitions.chip import Chip
from rainier_fast.definitions.efficiency_data import chip_of
from rainier_fast.errors import Unsupported, as_one_of
from rainier_fast.serving.data_files import read_data
from rainier_fast.serving.serving import ENGINES
from rainier_fast.units import Quantity, parse_time

KINDS: Final = ("fit", "published", "guess", "given")
_TIMES: Final = (
    "layer_s",
    "sparse_s",
    "expert_s",
    "step_s",
    "sequence_s",
    "request_s",
    "host_sampling_s",
)
_FACTORS: Final = ("decode", "prefill", "collective")
_MOST_FACTOR: Final = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What a stack adds to operators and takes from them while it serves.

    Attributes
    ----------
    layer_s
        Seconds of a layer, in each pass, beside operators and collectives.
    sparse_s, expert_s
        Seconds more of a layer with experts, in each pass, and of each of its experts in a prefill.
    decode, prefill
        How many times as long as `Efficiency` says products take while decoding, and operators of
        a prefill.
    collective
        How many times as long as they are priced at collectives of decoding take.
    cache
        Share of the memory's bandwidth at which the cache is read.
    step_s, sequence_s
        Seconds of a step for sampling and the host, and more of it for each sequence.
    request_s
        Seconds of a request beside its prefill, before its first token.
    host_sampling_s
        Seconds of a step more where the host samples.
    kind, source
        ``"fit"``, ``"published"``, ``"guess"`` or ``"given"``, and where from.

    Raises
    ------
    InvalidArgument, InvalidType, UnknownName
        If a value is not usable; the message names it.

    Examples
    --------
    >>> Pace.of("trn2", "neuron").kind
    'fit'
    >>> Pace(layer_s=1e-4).kind
    'given'
    """

    layer_s: Quantity = 0.0
    sparse_s: Quantity = 0.0
    expert_s: Quantity = 0.0
    decode: float = 1.0
    prefill: float = 1.0
    collective: float = 1.0
    cache: float = 1.0
    step_s: Quantity = 0.0
    sequence_s: Quantity = 0.0
    request_s: Quantity = 0.0
    host_sampling_s: Quantity = 0.0
    kind: str = field(default="given", compare=False)
    source: str = field(default="given", compare=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name in _TIMES:
            put(self, name, parse_time(getattr(self, name), name))
        allowed = "must be a finite number above 0"
        for name in _FACTORS:
            put(self, name, as_number(name, getattr(self, name), 1e-6, _MOST_FACTOR, allowed))
        allowed = "must be above 0 and at most 1: a share of the data sheet"
        put(self, "cache", as_number("cache", self.cache, 1e-6, 1, allowed))
        put(self, "kind", as_one_of("kind", self.kind, KINDS))
        put(self, "source", as_name("source", self.source))

    @classmethod
    def of(cls, chip: str | Chip, engine: str) -> Self:
        """Return what was fitted to measured services of a chip's generation.

        Parameters
        ----------
        chip
            A chip, or its name.
        engine
            One of `Serving`.

        Returns
        -------
        Pace
            With its kind and source; of ``"ideal"`` nothing is added.

        Raises
        ------
        Unsupported
            If no service was measured on chips of this generation with such an engine.
        UnknownName
            If there is no such chip or engine.

        Examples
        --------
        >>> Pace.of("h200", "vllm") == Pace.of("h100", "vllm")
        True
        """
        name = (chip if isinstance(chip, Chip) else chip_of(chip)).name
        if as_one_of("engine", engine, ENGINES) == "ideal":
            return cls(kind="published", source="data sheets")
        data = read_data("pace.json")
        generation = data["chips"].get(name)
        known: dict[str, Any] = data["paces"].get(generation, {})
        if engine not in known:
            have = sorted(chip for chip, of in data["chips"].items() if engine in data["paces"][of])
            engines = " or ".join(map(repr, sorted(known)))
            here = f"engine={engines} is known there; " if known else ""
            raise Unsupported(
                f"engine: got {engine!r} on {name}, of which no measured service is public; {here}"
                "pass pace=Pace(...) of your own, or engine='ideal' for the bound; known of "
                f"{engine!r} are {have}"
            )
        entry = known[engine]
        source = data["sources"][entry["source"]]
        figures = entry["figures"] | entry.get("published", {})
        return cls(source=source, kind=entry["kind"], **figures)

    def row(self, bandwidth: float, *, by_host: bool) -> dict[str, float]:
        """Return what the core takes, of ranks with so much memory bandwidth."""
        extra = float(self.host_sampling_s) if by_host else 0.0
        if by_host and not extra:
            raise Unsupported(
                "sampling: got 'host', of which this pace says nothing; use 'device', or "
                "pace=Pace(..., host_sampling_s=)"
            )
        return {
            "layer": float(self.layer_s),
            "sparse": float(self.sparse_s),
            "expert": float(self.expert_s),
            "decode": self.decode,
            "prefill": self.prefill,
            "collective": self.collective,
            "cache": self.cache * bandwidth,
            "step": float(self.step_s) + extra,
            "sequence": float(self.sequence_s),
            "request": float(self.request_s),
        }
