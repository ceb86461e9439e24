"""What an XML of MSCCL holds, as plain rows, and what its runtime takes at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rainier_fast.errors import InvalidArgument, shown

SENDS: Final = frozenset({"s", "rcs", "rrs", "rrcs"})
RECEIVES: Final = frozenset({"r", "rcs", "rrs", "rrc", "rrcs"})
ADDS: Final = frozenset({"rrs", "rrc", "rrcs"})
STORES: Final = frozenset({"r", "rcs", "rrc", "rrcs"})
TYPES: Final = ("s", "r", "rcs", "rrs", "rrc", "rrcs", "cpy", "re", "nop")

COLLECTIVES: Final = {
    "allreduce": "all_reduce",
    "allgather": "all_gather",
    "reduce_scatter": "reduce_scatter",
    "reducescatter": "reduce_scatter",
    "alltoall": "all_to_all",
    "broadcast": "broadcast",
    "reduce": "reduce",
}
"""What MSCCL calls our operations; ``custom`` says nothing of what it does."""

# As src/include/msccl.h and src/graph/xml.h of microsoft/msccl at b23e9cd have them.
MOST_COUNT: Final = 71
MOST_STEPS: Final = 256
MOST_BLOCKS: Final = 216
MOST_PER_CHANNEL: Final = 32
MOST_CHANNELS: Final = 32
MOST_NODES: Final = 4096


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a thread block."""

    kind: str
    src: tuple[str, int]
    """Buffer (i, o or s) and offset in chunks."""
    dst: tuple[str, int]
    count: int
    needs: tuple[int, int] | None
    """Thread block and step of the same GPU that it waits for."""
    line: int = 0
    wanted: bool = False
    """Another step waits for it."""


@dataclass(frozen=True, slots=True)
class ThreadBlock:
    """One thread block: its steps run in turn."""

    send: int
    """The rank that it sends to; -1 for none."""
    recv: int
    channel: int
    steps: tuple[Step, ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU: chunks of its buffers, and its thread blocks by number."""

    inputs: int
    outputs: int
    scratch: int
    blocks: tuple[ThreadBlock, ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A whole file."""

    name: str
    protocol: str
    collective: str
    chunks: int
    """``nchunksperloop``."""
    in_place: bool
    gpus: tuple[Gpu, ...]
    sizes: tuple[int, int] | None = None
    """``minBytes`` and ``maxBytes``."""
    said: str | None = None
    """What a comment of ours says of it."""
    root: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What one thread block sends and another receives."""

    src: int
    dst: int
    blocks: tuple[int, ...]
    reduce: bool
    lane: int
    step: int
    after: tuple[int, ...]


def fault(line: int, what: str, got: object, allowed: str) -> InvalidArgument:
    """Make the error for what an XML should not have."""
    words = got if isinstance(got, str) else shown(got)
    return InvalidArgument(f"line {line}, {what}: got {words}, {allowed}")
