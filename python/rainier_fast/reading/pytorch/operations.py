"""Collectives by the names that PyTorch has for them, and where their operators have what."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_WORDS: Final = {
    "all_reduce": ("allreduce",),
    "all_gather": ("allgather", "allgatherbase", "allgatherintotensor", "allgatherintotensorout"),
    "reduce_scatter": ("reducescatter", "reducescatterbase", "reducescattertensor"),
    "all_to_all": (
        "alltoall", "alltoallbase", "alltoallv", "alltoallsingle", "sharddimalltoall",
    ),
    "broadcast": ("broadcast", "broadcastoop"),
    "reduce": ("reduce", "reduceoop"),
    "gather": ("gather",),
    "scatter": ("scatter",),
    "send": ("send", "isend"),
    "recv": ("recv", "irecv", "recvanysource"),
    "barrier": ("barrier", "monitoredbarrier"),
}  # fmt: skip
_BY_WORD: Final = {word: op for op, words in _WORDS.items() for word in words}
_BESIDE: Final = re.compile(r"\.(?:default|out)$|coalesced|sparse")


@lru_cache(1024)
def operation_of(name: str) -> str | None:
    """Return the operation that an operator, a label or a collective's name means; else None."""
    bare = re.split(r"::|:", name)[-1].lower().split(" ")[0]
    return _BY_WORD.get(_BESIDE.sub("", bare).replace("_", ""))


@lru_cache(1024)
def operation_of_kernel(name: str) -> tuple[str | None, str | None]:
    """Return the operation of a kernel of NCCL, and its type of number where it says so."""
    match = _KERNEL.search(name)
    if match is None:
        return None, None
    words = name[match.end() :].split("(")[0]
    # What moves without a sum is a kernel of bytes, whatever the numbers are.
    typed = _SUMMED.search(words)
    op = _BY_WORD.get(match[1].lower())
    return op, typed[1] if typed and op in ("all_reduce", "reduce_scatter", "reduce") else None


_SUMMED: Final = re.compile(r"(?:Sum|Prod|Max|Min|MinMax|SumPostDiv)_(\w+?)(?:_[A-Z]|_t$|$)")
_KERNEL: Final = re.compile(r"nccl(?:Dev)?Kernel_([A-Za-z]+)")


@dataclass(frozen=True, slots=True)
class Places:
    """Where an operator has its tensors and numbers, by the order of its arguments."""

    into: int | None = None
    """Tensors that go in."""
    out: int | None = None
    """Tensors that come out; None where they are those that go in."""
    root: int | None = None
    peer: int | None = None
    in_splits: int | None = None
    out_splits: int | None = None
    size: int | None = None
    """Ranks of the group."""


# torch/csrc/distributed/c10d/Ops.cpp and Functional.cpp, as the schemas of execution traces have
# them.
_OPERATORS: Final = {
    "c10d::allreduce_": Places(0),
    "c10d::allreduce_coalesced_": Places(0),
    "c10d::allgather_": Places(1),
    "c10d::_allgather_base_": Places(1, 0),
    "c10d::allgather_into_tensor_coalesced_": Places(1, 0),
    "c10d::allgather_coalesced_": Places(1),
    "c10d::reduce_scatter_": Places(None, 0),
    "c10d::_reduce_scatter_base_": Places(1, 0),
    "c10d::reduce_scatter_tensor_coalesced_": Places(1, 0),
    "c10d::alltoall_base_": Places(1, 0, out_splits=3, in_splits=4),
    "c10d::alltoall_": Places(1, 0),
    "c10d::broadcast_": Places(0, root=2),
    "c10d::reduce_": Places(0, root=3),
    "c10d::gather_": Places(1, root=3),
    "c10d::scatter_": Places(None, 0, root=3),
    "c10d::send": Places(0, peer=2),
    "c10d::recv_": Places(0, peer=2),
    "c10d::recv_any_source_": Places(0),
    "c10d::barrier": Places(),
    "c10d::monitored_barrier_": Places(),
    "_c10d_functional::all_reduce": Places(0),
    "_c10d_functional::all_reduce_": Places(0),
    "_c10d_functional::all_gather_into_tensor": Places(0, size=1),
    "_c10d_functional::reduce_scatter_tensor": Places(0, size=2),
    "_c10d_functional::all_to_all_single": Places(0, out_splits=1, in_splits=2),
    "_c10d_functional::broadcast": Places(0, root=1),
    "_c10d_functional::broadcast_": Places(0, root=1),
}


def places_of(name: str) -> Places | None:
    """Return where an operator has what; None of one that is not known."""
    return _OPERATORS.get(name)


def is_functional(name: str) -> bool:
    """Whether an operator names its group in its last argument."""
    return name.startswith("_c10d_functional::")
