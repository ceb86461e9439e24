"""What some transformers have in place of plain attention and of one MLP a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from rainier_fast.definitions.check import as_count, as_flag, as_integer
from rainier_fast.errors import invalid

MOST_WIDE: Final = 2**24
"""Most numbers in a row of anything: hidden size, MLPs, ranks of attention."""
MOST_EXPERTS: Final = 2**16
MOST_LAYERS: Final = 2**16


def put_counts(instance: Any, **most: int) -> None:  # noqa: ANN401 - a dataclass
    """Check the fields of these names as counts of at most so many."""
    for name, limit in most.items():
        object.__setattr__(instance, name, as_count(name, getattr(instance, name), limit))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mla:
    """Multi-head latent attention: keys and values of all heads are made of one short row.

    Attributes
    ----------
    q_rank
        Numbers that queries are made of; None where they are made of the hidden row at once.
    kv_rank
        Numbers that keys and values are made of, which the cache keeps.
    nope_size, rope_size, value_size
        Numbers of a head without and with a position, and of its value. All heads share the part
        of keys with a position.

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.

    Examples
    --------
    >>> mla = Mla(q_rank=1536, kv_rank=512, nope_size=128, rope_size=64, value_size=128)
    >>> mla.kv_rank + mla.rope_size
    576
    """

    q_rank: int | None
    kv_rank: int
    nope_size: int
    rope_size: int
    value_size: int

    def __post_init__(self) -> None:
        names = ("kv_rank", "nope_size", "rope_size", "value_size")
        put_counts(self, **dict.fromkeys(names, MOST_WIDE))
        if self.q_rank is not None:
            put_counts(self, q_rank=MOST_WIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experts:
    """MLPs of which each token visits a few.

    Attributes
    ----------
    count, per_token
        Experts of a layer, and how many of them a token visits.
    width
        Numbers inside one.
    shared_width
        Numbers inside the MLP that every token visits beside them, all together; 0 for none.
    dense_first
        Layers at the start that have one plain MLP.
    every
        After those, layers i (from 0) with (i + 1) divisible by it have experts.
    router_bias
        Whether the router keeps a number an expert beside its weights.

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.

    Examples
    --------
    >>> Experts(count=256, per_token=8, width=2048, shared_width=2048, dense_first=3).every
    1
    """

    count: int
    per_token: int
    width: int
    shared_width: int = 0
    dense_first: int = 0
    every: int = 1
    router_bias: bool = False

    def __post_init__(self) -> None:
        most = {"count": MOST_EXPERTS, "per_token": MOST_EXPERTS, "width": MOST_WIDE}
        put_counts(self, **most, every=MOST_LAYERS)
        put = object.__setattr__
        for name, limit in (("shared_width", MOST_WIDE), ("dense_first", MOST_LAYERS)):
            put(self, name, as_integer(name, getattr(self, name), 0, limit))
        put(self, "router_bias", as_flag("router_bias", self.router_bias))
        if self.per_token > self.count:
            raise invalid("per_token", self.per_token, f"must be at most count, {self.count}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How far back layers look that do not look at everything.

    Attributes
    ----------
    size
        Tokens.
    chunked
        Whether the sequence is cut into pieces of that size, each of which looks at itself alone;
        else each token looks at the last `size`, its own included.
    full_every
        Layers i (from 0) with (i + 1) divisible by it look at everything; 0 for none.

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.

    Examples
    --------
    >>> Window(size=128, full_every=2).chunked
    False
    """

    size: int
    chunked: bool = False
    full_every: int = 0

    def __post_init__(self) -> None:
        put_counts(self, size=2**40)
        put = object.__setattr__
        put(self, "chunked", as_flag("chunked", self.chunked))
        put(self, "full_every", as_integer("full_every", self.full_every, 0, MOST_LAYERS))


def sparse_layers(experts: Experts | None, layers: int) -> int:
    """Return how many of the first so many layers have experts."""
    if experts is None:
        return 0
    return max(layers // experts.every - experts.dense_first // experts.every, 0)


def windowed_layers(window: Window | None, layers: int) -> int:
    """Return how many of the first so many layers look through a window."""
    if window is None:
        return 0
    return layers - (layers // window.full_every if window.full_every else 0)


def seen(window: Window, sequence: int, *, causal: bool) -> float:
    """Return to how many tokens one attends through a window, on average over a sequence."""
    size = min(window.size, sequence)
    if not causal:
        return float(size)
    if not window.chunked:
        return size - size * (size - 1) / (2 * sequence)
    whole, rest = divmod(sequence, size)
    return (whole * size * (size + 1) + rest * (rest + 1)) / (2 * sequence)
