"""A service: what requests are, and how the engine runs them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Final, Literal, Self, TypeAlias

from rainier_fast.definitions.check import as_count, as_items, as_number
from rainier_fast.errors import as_one_of, invalid, invalid_type
from rainier_fast.files.saved import Saved
from rainier_fast.screen import Told, one_screen
from rainier_fast.serving.cold import ColdStart, cold_start
from rainier_fast.serving.data_files import read_data
from rainier_fast.serving.lengths import Lengths, Row, as_lengths, joint, longest
from rainier_fast.serving.speculation import Speculation
from rainier_fast.units import format_count
from rainier_fast.workload.models import longest_context, named
from rainier_fast.workload.shape import MOST_SEQUENCE
from rainier_fast.workload.training import changed
from rainier_fast.workload.transformer import Transformer

Engine: TypeAlias = Literal["neuron", "vllm", "sglang", "trtllm", "ideal"]
ENGINES: Final = ("neuron", "vllm", "sglang", "trtllm", "ideal")
BATCHINGS: Final = ("continuous", "lockstep")
SAMPLINGS: Final = ("device", "host")
NEURON_CACHE_SHARE: Final = 0.30
"""Share of its memory that vLLM on Neuron keeps for the cache at most, by default.

AWS Neuron SDK (aws-neuron-sdk@81ce03ae), vllm-neuron/docs/design/vllm, Aug 2026.
"""
_BUCKETS: Final = ("prompt_buckets", "context_buckets", "batch_buckets")
_MOST_IMBALANCE: Final = 65_536.0


@one_screen
@dataclass(frozen=True, slots=True)
class Serving(Told, Saved):
    """A service. Immutable; `with_` makes another of it.

    Attributes
    ----------
    model
        What is served, or a name of `models`.
    input, output
        Tokens of a prompt and of its answer: a number, for requests that are all alike; `Lengths`,
        or many numbers, for those that are not; or a CSV file (or its text) with columns input and
        output, whose rows go together where both are that file. They are numbers too, the mean.
    precision
        Of weights: ``"bf16"``, ``"fp8"``, ``"int8"`` (converted before products), ``"fp4"``
        (NVFP4), ``"mxfp4"`` or ``"int4"`` (both converted before products). Embedding and head
        have two bytes a number.
    kv
        Of the cache of keys and values: ``"bf16"`` or ``"fp8"``.
    engine
        ``"neuron"``: compiled shapes. Prefills are padded, have one prompt and share no step with
        tokens of others; a step of decoding is padded too and reads `max_model_len` tokens of cache
        for each sequence, or the first of `context_buckets` that holds all. ``"vllm"``,
        ``"sglang"``, ``"trtllm"``: continuous batching, prompts in pieces that share steps with
        tokens of others, at the rates and the pace of that stack. ``"ideal"``: chips at their data
        sheet, collectives on the links alone, no host and no waiting: a bound.
    max_model_len
        Most tokens of a request; None for the next power of two that holds input and output, at
        most what the model takes by its configuration. More than that must be said.
    prefix_hit
        Share of a prompt's tokens that is cached already, below 1.
    speculative
        `Speculation`, or None.
    batching
        ``"continuous"``: a request that ends lets the next one start. ``"lockstep"``: all prompts
        of a batch are prefilled together and answered together.
    sampling
        Where tokens are chosen: on the ``"device"``, or on the ``"host"``, which costs a step more.
    chunk
        Most tokens of one prefill; longer prompts go in pieces.
    prompt_buckets, context_buckets, batch_buckets
        What ``"neuron"`` compiles shapes for: tokens of a prefill (none: powers of two from 128),
        tokens of a cache that a step reads (none: `max_model_len`), sequences of a step (none:
        powers of two).
    imbalance
        Tokens of the busiest rank of experts over the mean, at least 1.
    memory_share
        Share of a chip's memory that the engine takes.
    cache_share
        Share of that which may be cache; None for 0.30 of ``"neuron"``, else 1.

    Raises
    ------
    InvalidArgument, InvalidType, UnknownName
        If a value is not usable, or two do not fit each other; the message names it.

    Examples
    --------
    >>> service = Serving("llama-3.3-70b", input=8192, output=256)
    >>> print(service)
    llama-3.3-70b, 8,192 tokens in and 256 out, bf16, bf16 cache, engine neuron to 16,384 tokens
    """

    _saved_as = "serving"

    model: Transformer | str
    _: KW_ONLY
    input: float  # or all that `as_lengths` takes
    output: float
    precision: str = "bf16"
    kv: str = "bf16"
    engine: Engine = "neuron"
    max_model_len: int | None = None
    prefix_hit: float = 0.0
    speculative: Speculation | None = None
    batching: str = "continuous"
    sampling: str = "device"
    chunk: int = 8192
    prompt_buckets: tuple[int, ...] = ()
    context_buckets: tuple[int, ...] = ()
    batch_buckets: tuple[int, ...] = ()
    imbalance: float = 1.0
    memory_share: float = 0.9
    cache_share: float | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "model", _as_model(self.model))
        for name in ("input", "output"):
            put(self, name, as_lengths(name, getattr(self, name)))
        tables = read_data("precisions.json")
        put(self, "precision", as_one_of("precision", self.precision, tables["precisions"]))
        put(self, "kv", as_one_of("kv", self.kv, tables["caches"]))
        put(self, "engine", as_one_of("engine", self.engine, ENGINES))
        put(self, "batching", as_one_of("batching", self.batching, BATCHINGS))
        put(self, "sampling", as_one_of("sampling", self.sampling, SAMPLINGS))
        put(self, "chunk", as_count("chunk", self.chunk, MOST_SEQUENCE))
        for name in _BUCKETS:
            put(self, name, _as_buckets(name, getattr(self, name)))
        allowed = "must be 1, all alike, or more"
        put(self, "imbalance", as_number("imbalance", self.imbalance, 1, _MOST_IMBALANCE, allowed))
        self._check_shares()
        self._check()

    def _check_shares(self) -> None:
        put = object.__setattr__
        hit = as_number("prefix_hit", self.prefix_hit, 0, 1, "must be a share below 1")
        if hit == 1:
            raise invalid("prefix_hit", hit, "must be below 1: the last token is always run")
        put(self, "prefix_hit", hit)
        allowed = "must be a share above 0 and at most 1"
        for name in ("memory_share", "cache_share"):
            value = getattr(self, name)
            if value is not None:
                put(self, name, as_number(name, value, 1e-6, 1, allowed))

    def _check(self) -> None:
        if self.speculative is not None and not isinstance(self.speculative, Speculation):
            raise invalid_type("speculative", self.speculative, "must be a Speculation or None")
        if self.max_model_len is not None:
            most = as_count("max_model_len", self.max_model_len, MOST_SEQUENCE)
            object.__setattr__(self, "max_model_len", most)
            if most < self.longest:
                allowed = f"must hold input and output, {self.longest:,.0f} tokens"
                raise invalid("max_model_len", most, allowed)
        longest = longest_context(self.transformer)
        if self.max_model_len is None and longest and longest < self.longest:
            allowed = f"with output must be at most the {longest:,} tokens that the model takes"
            raise invalid("input", self.input, f"{allowed}; max_model_len= stretches it")
        positions = self.transformer.positions
        if positions and positions < self.most_tokens:
            allowed = f"must be at most {positions:,}, the positions that the model has"
            raise invalid("max_model_len", self.most_tokens, allowed)
        if self.engine != "neuron":
            for name in _BUCKETS:
                if getattr(self, name):
                    raise invalid(name, getattr(self, name), "needs engine='neuron'")
        if self.batching == "lockstep" and self.lengths:
            allowed = "must be 'continuous' where lengths of requests vary: all end together"
            raise invalid("batching", self.batching, allowed)
        if self.imbalance != 1 and self.transformer.experts is None:
            raise invalid("imbalance", self.imbalance, "must be 1: the model has no experts")

    @property
    def transformer(self) -> Transformer:
        """What is served."""
        assert isinstance(self.model, Transformer)
        return self.model

    @property
    def most_tokens(self) -> int:
        """Most tokens of a request: as said, or the next power of two."""
        if self.max_model_len is not None:
            return self.max_model_len
        whole = math.ceil(self.longest)
        most: int = 1 << (whole - 1).bit_length()
        known = longest_context(self.transformer)
        return min(most, known) if known else most

    @property
    def longest(self) -> float:
        """The most tokens that a prompt and its answer have together."""
        return longest(self.input, self.output)

    @property
    def lengths(self) -> list[Row]:
        """Prompts and answers with the share of requests, at most 1,024 rows; none if alike."""
        return joint(self.input, self.output)

    @property
    def most_cache(self) -> float:
        """Share of the engine's memory that may be cache: as said, or as the engine has it."""
        if self.cache_share is not None:
            return self.cache_share
        return NEURON_CACHE_SHARE if self.engine == "neuron" else 1.0

    def cold_start(self) -> ColdStart:
        """Return what passes before the first answer: compiling and loading, as assumed ranges.

        Returns
        -------
        ColdStart
            The same for every model and machine: ranges over those that were seen.

        Raises
        ------
        Unsupported
            If nothing is known of the engine's starts: of all but ``"neuron"``.

        Examples
        --------
        >>> Serving("llama-3.1-8b", input=1024, output=128).cold_start().kind
        'assumed'
        """
        return cold_start(self.engine)

    def with_(self, **changes: Any) -> Self:  # noqa: ANN401 - of any field
        """Return the same service with other values.

        Parameters
        ----------
        **changes
            Fields by name.

        Returns
        -------
        Serving
            Checked as a new one.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName
            If a value is not usable; the message names it.

        Examples
        --------
        >>> Serving("llama-3.1-8b", input=1024, output=128).with_(output=256).output
        256.0
        """
        made: Self = changed(self, changes)
        return made

    def __str__(self) -> str:
        words = f"{self.transformer.name}, {self.input:,.6g} tokens in and {self.output:,.6g} out"
        varied = [name for name in ("input", "output") if isinstance(getattr(self, name), Lengths)]
        words += f" ({' and '.join(varied)} in the mean)" if varied else ""
        words += f", {self.precision}, {self.kv} cache, engine {self.engine}"
        if self.engine == "neuron":
            words += f" to {format_count(self.most_tokens)} tokens"
        words += f", {self.prefix_hit:.0%} of prompts cached" if self.prefix_hit else ""
        if self.speculative is not None:
            words += f", {self.speculative.tokens} tokens guessed"
        words += ", in lockstep" if self.batching == "lockstep" else ""
        words += ", sampled by the host" if self.sampling == "host" else ""
        return words + (f", imbalance {self.imbalance:g}" if self.imbalance != 1 else "")


def _as_model(value: object) -> Transformer:
    if isinstance(value, str):
        return named("model", value)
    if not isinstance(value, Transformer):
        raise invalid_type("model", value, "must be a Transformer or a name of models()")
    return value


def _as_buckets(name: str, value: Sequence[int]) -> tuple[int, ...]:
    items = as_items(name, value, "must be numbers, ascending")
    buckets = tuple(as_count(f"{name}[{at}]", item, MOST_SEQUENCE) for at, item in enumerate(items))
    if any(later <= one for one, later in itertools.pairwise(buckets)):
        raise invalid(name, value, "must be ascending")
    return buckets
