"""A training job: which model, on how many tokens a step, in which numbers."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Final, Literal, Self, TypeAlias

from rainier_fast.definitions.check import as_count, as_flag, as_number
from rainier_fast.errors import as_one_of, invalid, invalid_type
from rainier_fast.files.saved import Saved
from rainier_fast.screen import Told, one_screen
from rainier_fast.units import Quantity, format_count, parse_time
from rainier_fast.workload.flops import MASKS, RECOMPUTES, Mask, Recompute
from rainier_fast.workload.models import named
from rainier_fast.workload.stored import Stored, as_optimizer, stored, table
from rainier_fast.workload.transformer import Transformer

Attention: TypeAlias = Literal["fused", "unfused"]
ATTENTIONS: Final = ("fused", "unfused")
_MOST: Final = 2**31
_MOST_IMBALANCE: Final = 65_536.0  # all tokens to one of the most experts that a model may have


@one_screen
@dataclass(frozen=True, slots=True)
class Training(Told, Saved):
    """A training job. Immutable; `with_` makes another of it.

    Attributes
    ----------
    model
        What is trained, or a name of `models`.
    sequence, batch
        Tokens of a sequence, and sequences of a step over all replicas.
    precision
        In which numbers products are computed: ``"bf16"``, ``"fp16"``, ``"fp32"``, ``"fp8"`` or
        ``"mxfp8"``. What jobs of that precision keep of weights and gradients follows, as
        Megatron Core keeps it: `stored` says it, `sources` where it is from.
    optimizer
        ``"adamw"`` (fp32 weights and two fp32 moments), ``"adamw-8bit"`` (moments of a byte),
        ``"adamw-bf16"`` (bf16 moments, no fp32 weights, stochastic rounding, as on Trainium),
        ``"muon"`` or ``"sgd"`` (one fp32 momentum). Muon's orthogonalisation takes no time here.
    recompute
        What is computed again in the backward pass: ``"none"``, ``"selective"`` (scores of
        attention, where they are kept at all) or ``"full"`` (whole layers).
    mask
        ``"causal"``: a token looks at those before it; ``"full"``: at all. MFU counts its FLOPs.
    attention
        ``"fused"``: one kernel, which keeps no scores and leaves out those that are masked;
        ``"unfused"``: scores go through memory, masked ones too.
    dropout
        Whether layers drop numbers at random and keep which.
    imbalance
        Tokens of the busiest rank of experts over the mean, at least 1.
    host
        Time of a step in which the host holds the chips up.
    weight_bytes, gradient_bytes, optimizer_bytes, activation_bytes
        Bytes of a weight, of its gradient, of what the optimizer keeps of it, and of a number
        between operators; None for what follows from precision and optimizer.
    dispatch
        In which numbers tokens go to experts: ``"bf16"``, ``"fp8"`` or None for those between
        operators, in which they come back.

    Raises
    ------
    InvalidArgument, InvalidType, UnknownName
        If a value is not usable, or two do not fit each other; the message names it.

    Examples
    --------
    >>> job = Training("llama-3.1-405b", sequence=8192, batch=2048)
    >>> f"{job.tokens:,}", job.stored.weight + job.stored.gradient + job.stored.optimizer
    ('16,777,216', 18.0)
    >>> job.with_(optimizer="adamw-bf16").stored.optimizer
    4.0
    """

    _saved_as = "training"

    model: Transformer | str
    _: KW_ONLY
    sequence: int
    batch: int
    precision: str = "bf16"
    optimizer: str = "adamw"
    recompute: Recompute = "none"
    mask: Mask = "causal"
    attention: Attention = "fused"
    dropout: bool = False
    imbalance: float = 1.0
    host: Quantity = 0.0
    weight_bytes: float | None = None
    gradient_bytes: float | None = None
    optimizer_bytes: float | None = None
    activation_bytes: float | None = None
    dispatch: str | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "model", _as_model(self.model))
        put(self, "sequence", as_count("sequence", self.sequence, _MOST))
        put(self, "batch", as_count("batch", self.batch, _MOST))
        put(self, "precision", as_one_of("precision", self.precision, table("precisions")))
        put(self, "optimizer", as_optimizer(self.optimizer, self.precision))
        put(self, "recompute", as_one_of("recompute", self.recompute, RECOMPUTES))
        put(self, "mask", as_one_of("mask", self.mask, MASKS))
        put(self, "attention", as_one_of("attention", self.attention, ATTENTIONS))
        put(self, "dropout", as_flag("dropout", self.dropout))
        allowed = f"must be 1 to {_MOST_IMBALANCE:,.0f}"
        imbalance = as_number("imbalance", self.imbalance, 1.0, _MOST_IMBALANCE, allowed)
        put(self, "imbalance", imbalance)
        put(self, "host", float(parse_time(self.host, "host")))
        for name, low in (
            ("weight", 0.1),
            ("gradient", 0.1),
            ("optimizer", 0),
            ("activation", 0.1),
        ):
            given = getattr(self, f"{name}_bytes")
            if given is not None:
                allowed = f"must be {low} to 64 bytes"
                given = as_number(f"{name}_bytes", given, low, 64, allowed)
            put(self, f"{name}_bytes", given)
        if self.dispatch is not None:
            put(self, "dispatch", as_one_of("dispatch", self.dispatch, table("dispatch")))
        self._check()

    def _check(self) -> None:
        shape = self.transformer
        if shape.positions and self.sequence > shape.positions:
            allowed = (
                f"must be at most the {shape.positions:,} positions that the model has learned"
            )
            raise invalid("sequence", self.sequence, allowed)
        if shape.experts is None:
            if self.dispatch is not None:
                raise invalid("dispatch", self.dispatch, "must be None: the model has no experts")
            if self.imbalance != 1:
                raise invalid("imbalance", self.imbalance, "must be 1: the model has no experts")
        elif self.imbalance > shape.experts.count:
            allowed = f"must be at most the {shape.experts.count:,} experts"
            raise invalid("imbalance", self.imbalance, allowed)

    @property
    def transformer(self) -> Transformer:
        """What is trained."""
        assert isinstance(self.model, Transformer)
        return self.model

    @property
    def tokens(self) -> int:
        """Tokens of a step."""
        return self.sequence * self.batch

    @property
    def stored(self) -> Stored:
        """Bytes of a weight, a gradient, the optimizer's part of it, an activation and a sent one.

        Those that are given count before those that follow from precision and optimizer.
        """
        follows = stored(self.precision, self.optimizer, self.dispatch)
        names = ("weight", "gradient", "optimizer", "activation")
        given = {name: getattr(self, f"{name}_bytes") for name in names}
        own = {name: value for name, value in given.items() if value is not None}
        if "activation" in own and self.dispatch is None:
            own["dispatch"] = own["activation"]
        return follows._replace(**own)

    @property
    def sources(self) -> dict[str, str]:
        """Where the bytes are from: of the precision, of the optimizer, and of the dispatch."""
        named = {"precisions": self.precision, "optimizers": self.optimizer}
        if self.dispatch is not None:
            named["dispatch"] = self.dispatch
        return {name: str(table(kind)[name]["source"]) for kind, name in named.items()}

    @property
    def flops(self) -> float:
        """Model FLOPs of a step by `mask`, head and further predictions counted."""
        shape = self.transformer
        each = shape.flops_per_token(self.sequence, mask=self.mask, mtp=shape.mtp > 0)
        return each * self.tokens

    def with_(self, **changes: Any) -> Self:  # noqa: ANN401 - of any field
        """Return the same job with other values.

        Parameters
        ----------
        **changes
            Fields by name.

        Returns
        -------
        Training
            Checked as a new one.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName
            If a value is not usable; the message names it.

        Examples
        --------
        >>> Training("llama-3.1-8b", sequence=8192, batch=64).with_(batch=128).batch
        128
        """
        made: Self = changed(self, changes)
        return made

    def __str__(self) -> str:
        words = f"{self.transformer.name}, {format_count(self.batch)} sequences of "
        words += f"{format_count(self.sequence)} tokens a step, {self.precision}, {self.optimizer}"
        words += f", recompute {self.recompute}" if self.recompute != "none" else ""
        words += f", {self.attention} attention" if self.attention != "fused" else ""
        words += f", imbalance {self.imbalance:g}" if self.imbalance != 1 else ""
        return words


def changed(one: Any, changes: dict[str, Any]) -> Any:  # noqa: ANN401 - a dataclass
    """Return a dataclass with other values of its fields."""
    known = type(one).__dataclass_fields__
    for name in changes:
        as_one_of("name of a field", name, known)
    return replace(one, **changes)


def _as_model(value: object) -> Transformer:
    if isinstance(value, str):
        return named("model", value)
    if not isinstance(value, Transformer):
        raise invalid_type("model", value, "must be a Transformer or a name of models()")
    return value
