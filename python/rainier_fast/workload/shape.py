"""The shape of a transformer: its fields, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from rainier_fast.definitions.check import as_flag, as_integer, as_name
from rainier_fast.errors import as_one_of, invalid, invalid_type
from rainier_fast.workload.parts import (
    MOST_LAYERS,
    MOST_WIDE,
    Experts,
    Mla,
    Window,
    put_counts,
    sparse_layers,
    windowed_layers,
)

Biases: TypeAlias = Literal["none", "qkv", "attention", "all"]
BIASES: Final = ("none", "qkv", "attention", "all")
NORMS: Final = ("rms", "layer")
_MOST_VOCAB: Final = 2**28
MOST_SEQUENCE: Final = 2**40


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What `Transformer` says of itself."""

    layers: int
    hidden: int
    heads: int
    vocab: int
    ffn: int = 0
    name: str = "transformer"
    kv_heads: int | None = None
    head_size: int | None = None
    gated: bool = True
    mla: Mla | None = None
    experts: Experts | None = None
    window: Window | None = None
    tied: bool = False
    mtp: int = 0
    norm: Literal["rms", "layer"] = "rms"
    norms: int = 2
    qk_norm: bool = False
    biases: Biases = "none"
    sinks: bool = False
    positions: int = 0

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "name", as_name("name", self.name))
        most = {"layers": MOST_LAYERS, "hidden": MOST_WIDE, "vocab": _MOST_VOCAB}
        put_counts(self, **most, heads=MOST_WIDE)
        if self.kv_heads is None:
            put(self, "kv_heads", self.heads)
        if self.head_size is None:
            if self.hidden % self.heads:
                allowed = f"must divide hidden, {self.hidden}, where head_size is left out"
                raise invalid("heads", self.heads, allowed)
            put(self, "head_size", self.hidden // self.heads)
        put_counts(self, kv_heads=MOST_WIDE, head_size=MOST_WIDE)
        least = {"ffn": MOST_WIDE, "mtp": MOST_LAYERS, "norms": 16, "positions": MOST_SEQUENCE}
        for name, limit in least.items():
            put(self, name, as_integer(name, getattr(self, name), 0, limit))
        for name in ("gated", "tied", "qk_norm", "sinks"):
            put(self, name, as_flag(name, getattr(self, name)))
        put(self, "norm", as_one_of("norm", self.norm, NORMS))
        put(self, "biases", as_one_of("biases", self.biases, BIASES))
        for name, kind in (("mla", Mla), ("experts", Experts), ("window", Window)):
            value = getattr(self, name)
            if value is not None and not isinstance(value, kind):
                raise invalid_type(name, value, f"must be a {kind.__name__} or None")
        self._check()

    def _check(self) -> None:
        if self.heads % self.shared_heads:
            allowed = f"must divide heads, {self.heads}"
            raise invalid("kv_heads", self.shared_heads, allowed)
        sparse = self.sparse_layers
        if self.experts is not None and not sparse:
            allowed = f"must leave experts to one of the {self.layers} layers"
            raise invalid("experts", self.experts, allowed)
        if sparse < self.layers and not self.ffn:
            allowed = f"must be given: {self.layers - sparse} layers have one MLP"
            raise invalid("ffn", self.ffn, allowed)

    @property
    def shared_heads(self) -> int:
        """Heads of keys and values."""
        return self.heads if self.kv_heads is None else self.kv_heads

    @property
    def sparse_layers(self) -> int:
        """Layers that have experts."""
        return sparse_layers(self.experts, self.layers)

    @property
    def windowed_layers(self) -> int:
        """Layers that look through the window."""
        return windowed_layers(self.window, self.layers)
