"""One measured row, and the words that tables use for operations and types of number."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from rainier_fast.errors import InvalidArgument, Unsupported, shown

DTYPE_BYTES: Final = {
    "bf16": 2, "bfloat16": 2, "fp16": 2, "float16": 2, "f16": 2, "half": 2,
    "fp32": 4, "float32": 4, "f32": 4, "float": 4, "int32": 4, "uint32": 4,
    "fp64": 8, "float64": 8, "f64": 8, "double": 8, "int64": 8, "uint64": 8,
    "int16": 2, "uint16": 2, "int8": 1, "uint8": 1, "char": 1,
    "fp8": 1, "fp8_e4m3": 1, "fp8_e5m2": 1, "f8e4m3": 1, "f8e5m2": 1,
}  # fmt: skip
"""Bytes of one number, by the names of nccom-test, nccl-tests and numpy."""

_DTYPES: Final = {
    "bfloat16": "bf16", "float16": "fp16", "f16": "fp16", "half": "fp16",
    "float32": "fp32", "f32": "fp32", "float": "fp32",
    "float64": "fp64", "f64": "fp64", "double": "fp64", "char": "int8",
    "fp8_e4m3": "fp8", "fp8_e5m2": "fp8", "f8e4m3": "fp8", "f8e5m2": "fp8",
}  # fmt: skip
"""Names that mean another one of them."""

_OPERATIONS: Final = {
    "all_reduce": ("all_reduce", "allreduce", "allr", "ar"),
    "all_gather": ("all_gather", "allgather", "allg", "ag"),
    "reduce_scatter": ("reduce_scatter", "reducescatter", "redsct", "rs", "reduce_scatter_block"),
    "all_to_all": (
        "all_to_all", "alltoall", "a2a", "alltoa", "all_to_all_personalized_exchange",
        "all_to_all_single", "alltoallsingle",
    ),
    "broadcast": ("broadcast", "bcast"),
    "reduce": ("reduce",),
    "gather": ("gather",),
    "scatter": ("scatter",),
    "send_recv": ("send_recv", "sendrecv", "permute", "collective_permute"),
}  # fmt: skip
_BY_NAME: Final = {word: name for name, words in _OPERATIONS.items() for word in words}

_NO_MODEL: Final = frozenset(
    {"alltoallv", "all_to_all_v", "all_to_allv", "alltoallw", "allgatherv", "all_gather_v",
     "all_gatherv", "reducescatterv", "reduce_scatter_v", "reduce_scatterv", "gatherv", "scatterv",
     "barrier", "hypercube"}
)  # fmt: skip

PER_PEER: Final = ("all_gather", "reduce_scatter", "all_to_all", "gather", "scatter")
"""Operations whose size is all ranks' parts together, and which move (n - 1) / n of it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement; over the whole machine where it does not say how many ranks."""

    op: str
    size_bytes: float
    time_s: float
    where: str
    dtype: str | None = None
    ranks: int | None = None
    nodes: int | None = None
    algorithm: str | None = None
    """Which algorithm ran, where the table says so."""
    chips: tuple[int, ...] | None = None
    """The chips on which the row is priced; None for all."""

    def __post_init__(self) -> None:
        for name, value in (("size", self.size_bytes), ("time", self.time_s)):
            if not (math.isfinite(value) and value > 0):
                raise fault(self.where, f"{name} {value!r}", "must be a finite number > 0")


def dtype_of(word: str) -> str:
    """Return the usual name of a type that a table names."""
    plain = word.strip().lower()
    return _DTYPES.get(plain, plain)


def operation(word: object) -> str | None:
    """Return the operation that a table calls `word`; None where it is none."""
    return next((_BY_NAME[one] for one in _spellings(word) if one in _BY_NAME), None)


def known_operation(word: object, where: str) -> str:
    """Return the operation that a table calls `word`, or refuse the word."""
    if (found := operation(word)) is not None:
        return found
    if has_no_model(word):
        raise Unsupported(
            f"table, {where}: {str(word).strip()} has no model here: its ranks may have unequal "
            f"sizes or none; leave its rows out; these have one: {', '.join(_OPERATIONS)}"
        )
    raise fault(where, f"operation {shown(word)}", "must be a collective's name")


def has_no_model(word: object) -> bool:
    """Return whether a word names an operation that tools measure and nothing here predicts."""
    return any(one in _NO_MODEL for one in _spellings(word))


def _spellings(word: object) -> list[str]:
    if not isinstance(word, str):
        return []
    plain = re.sub(r"[\s\-]+", "_", word.strip().lower())
    plain = plain.removeprefix("nccl").removeprefix("cc_").removeprefix("osu_").strip("_")
    return [plain, re.sub(r"_perf(_mpi)?$", "", plain)]


def bus_factor(op: str, ranks: int) -> float:
    """Return busbw / algbw, as nccl-tests and nccom-test define both."""
    if op == "all_reduce":
        return 2.0 * (ranks - 1) / ranks
    return (ranks - 1) / ranks if op in PER_PEER else 1.0


def fault(where: str, got: str, allowed: str) -> InvalidArgument:
    """Make the error for a row that cannot be read."""
    return InvalidArgument(f"table, {where}: got {got}, {allowed}")
