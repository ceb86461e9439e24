"""Times of a collective in the tables that nccom-test and nccl-tests print, and a plain one.

nccom-test: columns to the right, four spaces between them, microseconds with two decimals, GB of
10**9 bytes, and the average below (its guide in the Neuron SDK, v2.26 to v2.29). nccl-tests: the
widths and decimals of version 2.19.6 (`src/util.cu`), out of place; a prediction knows nothing of
its own of in place, and has no wrong results to count: those columns say N/A.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.errors import Unsupported
from rainier_fast.formats.rows import DTYPE_BYTES, bus_factor

NCCOM, NCCL, PLAIN = "nccom", "nccl", "plain"
TABLES: Final = (NCCOM, NCCL, PLAIN)

_NCCOM_NAMES: Final = {
    "all_reduce": "allr",
    "all_gather": "allg",
    "reduce_scatter": "redsct",
    "all_to_all": "alltoall",
    "send_recv": "sendrecv",
}
_NCCL_NAMES: Final = {
    "all_reduce": "all_reduce",
    "all_gather": "all_gather",
    "reduce_scatter": "reduce_scatter",
    "all_to_all": "alltoall",
    "send_recv": "sendrecv",
    "broadcast": "broadcast",
    "reduce": "reduce",
    "gather": "gather",
    "scatter": "scatter",
}
_NAMES: Final = {NCCOM: _NCCOM_NAMES, NCCL: _NCCL_NAMES}
# What nccl-tests call types; a size without a type is of bytes.
_NCCL_TYPES: Final = {
    "fp64": "double", "fp32": "float", "fp16": "half", "bf16": "bfloat16", "int8": "int8",
    "uint8": "uint8", "int32": "int32", "int64": "int64", "fp8": "f8e4m3",
}  # fmt: skip
_NCCOM_TYPES: Final = ("fp32", "bf16", "fp16", "int32", "int16", "int8", "uint8")
_TYPES: Final = {NCCOM: _NCCOM_TYPES, NCCL: tuple(_NCCL_TYPES)}
_BYTE: Final = "uint8"
_ROOTED: Final = ("broadcast", "reduce", "gather", "scatter")
_REDUCING: Final = ("all_reduce", "reduce_scatter", "reduce")
_SHARED: Final = ("all_gather", "reduce_scatter", "all_to_all", "gather", "scatter")
"""Operations of which nccl-tests count the elements of one rank."""


def usual(runtime: str | None, operation: str, dtype: str | None) -> str:
    """Return the table of a machine's own software, where its program measures the like."""
    table = {"neuron": NCCOM, "nccl": NCCL}.get(runtime or "", PLAIN)
    if table == PLAIN or operation not in _NAMES[table] or (dtype or _BYTE) not in _TYPES[table]:
        return PLAIN
    return table


@dataclass(frozen=True, slots=True)
class Sweep:
    """Times of one collective at many sizes, and what their table says above and below."""

    operation: str
    sizes: NDArray[np.float64]
    seconds: NDArray[np.float64]
    ranks: int
    nodes: int
    dtype: str | None
    root: int
    said: str
    """What kind of number the times are, and by which algorithm."""

    def text(self, table: str) -> str:
        """Return the table as the program of that name prints it."""
        check(table, self.operation, self.dtype)
        return self._nccom() if table == NCCOM else self._nccl()

    def _rates(self) -> tuple[list[float], list[float]]:
        with np.errstate(divide="ignore", invalid="ignore"):
            rates = np.where(self.seconds > 0, self.sizes / self.seconds / 1e9, 0.0)
        return rates.tolist(), (rates * bus_factor(self.operation, self.ranks)).tolist()

    def _remark(self) -> str:
        version = _core.__version__
        return f"# rainier_fast {version}: predicted, not measured, {self.said}"

    def _nccom(self) -> str:
        kind = self.dtype or _BYTE
        width = DTYPE_BYTES[kind]
        head = ("size(B)", "count(elems)", "type", "time:avg(us)", "algbw(GB/s)", "busbw(GB/s)")
        algbw, busbw = self._rates()
        rows = [
            (f"{int(size)}", f"{int(size) // width}", kind, f"{us:.2f}", f"{alg:.2f}", f"{bus:.2f}")
            for size, us, alg, bus in zip(self.sizes, self.seconds * 1e6, algbw, busbw, strict=True)
        ]
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines = [
            "    ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in (head, *rows)
        ]
        command = (
            f"# nccom-test -r {self.ranks} -N {self.nodes} -b {int(self.sizes[0])} "
            f"-e {int(self.sizes[-1])} -d {kind} {_NCCOM_NAMES[self.operation]}"
        )
        average = float(np.mean(busbw))
        return "\n".join(
            [self._remark(), command, *lines, f"Avg bus bandwidth:\t{average:.4f}GB/s"]
        )

    def _nccl(self) -> str:
        kind = self.dtype or _BYTE
        width = DTYPE_BYTES[kind] * (self.ranks if self.operation in _SHARED else 1)
        reduction = "sum" if self.operation in _REDUCING else "none"
        root = self.root if self.operation in _ROOTED else -1
        none = f"  {'N/A':>6}"
        in_place = f"  {'N/A':>7}{none * 3}"
        algbw, busbw = self._rates()
        lines = [
            f"{int(size):12d}  {int(size) // width:12d}  {_NCCL_TYPES[kind]:>8}  {reduction:>6}"
            f"  {root:6d}  {_fitted(us, 7)}  {_fitted(alg, 6)}  {_fitted(bus, 6)}{none}{in_place}"
            for size, us, alg, bus in zip(self.sizes, self.seconds * 1e6, algbw, busbw, strict=True)
        ]
        each = self.ranks // self.nodes if self.ranks % self.nodes == 0 else 1
        processes = self.ranks // each
        command = (
            f"# mpirun -np {processes} {_NCCL_NAMES[self.operation]}_perf -b {int(self.sizes[0])} "
            f"-e {int(self.sizes[-1])} -g {each} -d {_NCCL_TYPES[kind]}"
        )
        average = float(np.mean(busbw))
        return "\n".join(
            [self._remark(), command, *_NCCL_HEAD, *lines, f"# Avg bus bandwidth    : {average:g} "]
        )


_NCCL_HEAD: Final = (
    "#",
    f"# {'':10}  {'':12}  {'':8}  {'':6}  {'':6}           out-of-place{'':23}in-place{'':10}",
    f"# {'size':>10}  {'count':>12}  {'type':>8}  {'redop':>6}  {'root':>6}"
    + f"  {'time':>7}  {'algbw':>6}  {'busbw':>6}  {'#wrong':>6}" * 2,
    f"# {'(B)':>10}  {'(elements)':>12}  {'':8}  {'':6}  {'':6}"
    + f"  {'(us)':>7}  {'(GB/s)':>6}  {'(GB/s)':>6}  {'':6}" * 2,
)


def _fitted(number: float, width: int) -> str:
    """Return a number in a column, with as many decimals as it has room for, two at most."""
    for places in (2, 1, 0):
        if len(text := f"{number:{width}.{places}f}") <= width:
            return text
    return f"{number:{width}.{1 if width >= 7 else 0}e}"


def check(table: str, operation: str, dtype: str | None) -> None:
    """Refuse what the program of a table does not measure."""
    if table == PLAIN:
        return
    program = "nccom-test" if table == NCCOM else "nccl-tests"
    if operation not in _NAMES[table]:
        raise Unsupported(
            f"table: {program} measure no {operation}; use --table plain, which has all"
        )
    if (dtype or _BYTE) not in _TYPES[table]:
        raise Unsupported(f"dtype: {program} have no {dtype}, but {', '.join(_TYPES[table])}")


def in_whole_elements(
    sizes: NDArray[np.float64], table: str, operation: str, dtype: str | None, ranks: int
) -> NDArray[np.float64]:
    """Round sizes down to what a program can send: whole elements, of nccl-tests of each rank."""
    if table == PLAIN:
        return sizes
    unit = DTYPE_BYTES[dtype or _BYTE]
    if table == NCCL and operation in _SHARED:
        unit *= ranks
    kept = sizes // unit * unit
    return np.unique(kept[kept > 0])
