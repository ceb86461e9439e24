"""What the parts of NCCL's collectives take on GPUs of one generation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rainier_fast.catalog import catalog
from rainier_fast.definitions.check import as_ratio
from rainier_fast.errors import as_one_of, invalid
from rainier_fast.units import Quantity, as_real, parse_bandwidth, parse_time

GENERATIONS: Final = ("ampere", "hopper", "blackwell")
"""Generations: A100; H100 and H200; B200, B300, GB200 and GB300."""

TIMES: Final = ("ll_start", "ll_hop", "start", "hop", "nvls_start", "send_ll_start", "send_start")
"""Fields that are seconds."""

RATES: Final = ("copy", "send_rate")
"""Fields that are bytes/s."""

FIGURES: Final = (
    "ll_start",
    "ll_hop",
    "ll_threads",
    "ll_rate",
    "start",
    "hop",
    "rate",
    "copy",
    "send_ll_start",
    "send_start",
    "send_rate",
    "nvls_start",
)
"""Every field, in the order of the core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NcclTiming:
    """What ``algorithm="nccl"`` takes inside a node, as fitted to measurements of one generation.

    NCCL chooses by its own tables, which are made for that and not to predict; these figures say
    what the choice takes and never change it. Hops between nodes, rates of NICs, CollNet and PAT
    stay as in NCCL's tables.

    Attributes
    ----------
    ll_start, ll_hop
        Seconds of a call by protocol LL before its first hop, and of a hop; hops by LL128 take as
        long.
    ll_threads
        Share by which both grow as threads are added, up to 4 KiB for each rank.
    ll_rate
        Rate of LL over what NCCL's tables have for it.
    start, hop
        Seconds of a call by protocol LL128 or Simple before its first hop, and of a hop by Simple,
        of which half a chunk's transfer hides as much.
    rate
        Share of the channels' rate that Simple, LL128, NVLS and direct sends reach.
    copy
        Bytes/s at which a GPU copies what no transfer hides: its own share, and what first fills
        the buffers of NVLS (32 MiB) and of direct sends (16 MiB).
    send_ll_start, send_start
        Seconds of an all-to-all by LL and by Simple before its bytes; each peer adds a third of
        `ll_hop`.
    send_rate
        Bytes/s of the one channel that takes up to 64 KiB to a peer.
    nvls_start
        Seconds of a call by NVLS before its bytes; 0 for generations that have none.

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.

    Examples
    --------
    >>> NcclTiming.from_catalog("hopper").ll_threads < 1
    True
    """

    ll_start: Quantity
    ll_hop: Quantity
    ll_threads: float
    ll_rate: float
    start: Quantity
    hop: Quantity
    rate: float
    copy: Quantity
    send_ll_start: Quantity
    send_start: Quantity
    send_rate: Quantity
    nvls_start: Quantity = 0.0

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name in TIMES:
            put(self, name, parse_time(getattr(self, name), name))
        for name in RATES:
            put(self, name, parse_bandwidth(getattr(self, name), name))
        for name in ("ll_rate", "rate"):
            put(self, name, as_ratio(name, getattr(self, name)))
        allowed = "must be a finite number >= 0"
        threads = as_real(self.ll_threads, "ll_threads", allowed)
        if not 0 <= threads < float("inf"):
            raise invalid("ll_threads", self.ll_threads, allowed)
        put(self, "ll_threads", threads)

    @classmethod
    def from_catalog(cls, generation: str) -> NcclTiming:
        """Return what the catalogue holds for a generation, fitted to public tables.

        Parameters
        ----------
        generation
            ``"ampere"`` (fitted on A100), ``"hopper"`` (on H100) or ``"blackwell"`` (on B200).

        Returns
        -------
        NcclTiming
            The figures of the entry ``"nccl-"`` and the generation of `catalog`.

        Raises
        ------
        UnknownName
            If there is no such generation.

        Examples
        --------
        >>> NcclTiming.from_catalog("ampere") == NcclTiming.from_catalog("hopper")
        False
        """
        entry = catalog()[entry_of(generation)]
        return cls(**{name: entry[name].number for name in FIGURES if name in entry})

    def row(self) -> tuple[float, ...]:
        """Return the row that the core is built from."""
        return tuple(float(getattr(self, name)) for name in FIGURES)


def entry_of(generation: str) -> str:
    """Return the name of the catalogue's entry of a generation."""
    return f"nccl-{as_one_of('generation', generation, GENERATIONS)}"
