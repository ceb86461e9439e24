"""What an MPI library picks for a collective of a size on so many ranks, by its own tables.

``data/mpi.json`` holds them: by library and operation rows for up to so many ranks (or a power of
two of them), each of limits in bytes, below which an algorithm is taken; what the library runs
instead where that algorithm cannot do it; and which of ours goes through the same steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, get_args

from rainier_fast.ask.options import OPERATIONS, DType
from rainier_fast.definitions.check import as_integer
from rainier_fast.errors import Unsupported, as_one_of, invalid
from rainier_fast.screen import Report, Told, one_screen
from rainier_fast.units import Quantity, format_bytes, parse_bytes

_MOST: Final = 2**31 - 1  # ranks and counts are C ints
_WIDTHS: Final = (1, 8)  # bytes of the narrowest and the widest type
_IN_BLOCKS: Final = ("reduce_scatter", "all_gather", "all_to_all", "gather", "scatter")


@one_screen
@dataclass(frozen=True, slots=True)
class MpiChoice(Report, Told):
    """The algorithm that an MPI library runs, and the one of ours that stands for it.

    Neither library cuts messages into segments unless a user asks for that.

    Attributes
    ----------
    library, call, operation, ranks, size
        What was asked, and the call of MPI that it is; bytes as the operation defines them.
    table_bytes
        Bytes by which the library looks it up: the buffer, or one rank's block of it.
    by_table
        The algorithm that its table names.
    algorithm
        The algorithm that it runs: another one where that of the table cannot do it.
    radix
        Radix of a k-nomial tree; None for other algorithms.
    at_once
        Most messages that a rank has under way; None where nothing limits them.
    ours
        Name for ``algorithm=`` that goes through the same steps with the same bytes; None for none.
    note
        What differs, or why there is none.
    source
        The file that says so.

    Examples
    --------
    >>> from rainier_fast import mpi_choice
    >>> choice = mpi_choice("all_reduce", 64, "1 MiB", dtype="fp32")
    >>> choice.algorithm, choice.ours
    ('rabenseifner', 'halving_doubling')
    """

    library: str
    call: str
    operation: str
    ranks: int
    size: float
    table_bytes: int
    by_table: str
    algorithm: str
    radix: int | None
    at_once: int | None
    ours: str | None
    note: str
    source: str

    def _page(self) -> list[Any]:
        runs = self.algorithm
        if self.by_table != self.algorithm:
            runs += f" (its table names {self.by_table})"
        ours = self.ours or "none"
        return [
            f"{self.library}: {self.call} of {format_bytes(self.size)} over {self.ranks:,} ranks",
            [
                ("runs", runs),
                ("ours", f"{ours}; {self.note}" if self.note else ours),
                ("by", f"{format_bytes(self.table_bytes)}; {self.source}"),
            ],
        ]


def mpi_choice(
    operation: str,
    ranks: int,
    size: Quantity,
    *,
    library: str = "openmpi-4.1.4",
    dtype: str | None = None,
) -> MpiChoice:
    """Return the algorithm that an MPI library runs with no settings of a user's own.

    Parameters
    ----------
    operation
        A collective with data, such as ``"all_reduce"``; reductions are sums or others that
        commute. A reduce_scatter is ``MPI_Reduce_scatter`` with equal blocks.
    ranks
        Ranks of the communicator, from 2; each on a node of its own in ``"mpich-4.0.2"``.
    size
        Bytes as `Machine` methods take them, text such as ``"1 MiB"`` too: the result of an
        all_gather, what a rank sends in an all_to_all. Each rank's block must be whole bytes.
    library
        ``"openmpi-4.1.4"`` (component tuned, its fixed rules) or ``"mpich-4.0.2"`` (its generic
        table).
    dtype
        Type of the numbers, such as ``"fp32"``. It counts where a library looks at how many there
        are: for few of them it runs another algorithm.

    Returns
    -------
    MpiChoice
        The library's algorithm, its parameters, and ours that stands for it.

    Raises
    ------
    UnknownName
        If there is no such operation, library or type.
    OutOfRange
        If there is one rank, or more than a C int counts.
    InvalidArgument
        If the size is none that the call can have, or the choice depends on a type that is not
        given.
    Unsupported
        If the operation has no table: send_recv and barrier.

    Examples
    --------
    >>> from rainier_fast import mpi_choice
    >>> mpi_choice("broadcast", 64, "1 KiB").radix
    4
    >>> mpi_choice("broadcast", 64, "1 KiB", library="mpich-4.0.2").ours
    'binomial_tree'
    """
    known = _tables()
    library = as_one_of("library", library, known)
    operation = as_one_of("operation", operation, OPERATIONS)
    tables = known[library]["operations"]
    if operation not in tables:
        raise Unsupported(
            f"operation: got {operation!r}, of which {library} has no table by size; use one of "
            + ", ".join(map(repr, tables))
        )
    table = tables[operation]
    ranks = as_integer("ranks", ranks, 2, _MOST)
    dtype = None if dtype is None else as_one_of("dtype", dtype, get_args(DType))
    widths = _WIDTHS if dtype is None else (_width(dtype),)
    total = _whole_bytes(size, ranks if operation in _IN_BLOCKS else 1, dtype)
    looked_up = total // ranks if table["by"] == "block" else total
    named = _by_rule(table["rules"], ranks, looked_up)
    # Rules ask for few numbers, and the narrowest and the widest type have the most and the least.
    found = {_runs(table["instead"], named, ranks, looked_up // width) for width in widths}
    if len(found) > 1:
        either = " or ".join(sorted(name for name, _ in found))
        needed = f"must be given: {library} runs {either} by how many numbers {total:,} bytes are"
        raise invalid("dtype", dtype, needed)
    ((algorithm, why),) = found
    stands = table["stands"][algorithm]
    missing = None if _power_below(ranks) == ranks else stands.get("unless_power_of_two")
    return MpiChoice(
        library=library,
        call=table["call"],
        operation=operation,
        ranks=ranks,
        size=total,
        table_bytes=looked_up,
        by_table=named,
        algorithm=algorithm,
        radix=table["parameters"].get(algorithm, {}).get("radix"),
        at_once=table["parameters"].get(algorithm, {}).get("at_once"),
        ours=None if missing else stands["ours"],
        note="; ".join(filter(None, (why, missing or stands["note"]))),
        source=known[library]["source"],
    )


def _whole_bytes(size: Quantity, parts: int, dtype: str | None) -> int:
    """Return a size that is so many alike blocks of whole numbers, whose count a C int holds."""
    unit = 1 if dtype is None else _width(dtype)
    total = parse_bytes(size)
    if total <= 0 or total % (parts * unit):
        blocks = f" for each of {parts:,} blocks" if parts > 1 else ""
        what = f"numbers of {dtype}" if dtype else "bytes"
        raise invalid("size", size, f"must be whole {what}, at least one{blocks}")
    count = int(total) // (parts * (unit if dtype else _WIDTHS[-1]))
    if count > _MOST:
        raise invalid("size", size, f"must be at most {_MOST:,} numbers, as an MPI count is")
    return int(total)


def _width(dtype: str) -> int:
    """Return the bytes of a number: the digits of a type's name are its bits."""
    return int("".join(filter(str.isdigit, dtype))) // 8


def _power_below(ranks: int) -> int:
    """Return the largest power of two that is not above."""
    return 1 << ranks.bit_length() - 1


def _by_rule(rules: Sequence[Any], ranks: int, size: int) -> str:
    """Return the algorithm of the first row for so many ranks, below the first limit there."""
    row = next(row for most, row in rules if _holds(most, ranks))
    return str(next(name for limit, name in row if limit is None or size < limit))


def _holds(most: int | str | None, ranks: int) -> bool:
    if most == "power of two":
        return _power_below(ranks) == ranks
    return most is None or ranks < int(most)


_WHEN: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "always": lambda _ranks, _count: True,
    "odd": lambda ranks, _count: ranks % 2 == 1,
    "not a power of two": lambda ranks, _count: _power_below(ranks) != ranks,
    "elements < 2": lambda _ranks, count: count < 2,
    "elements < ranks": lambda ranks, count: count < ranks,
    "elements < power of two": lambda ranks, count: count < _power_below(ranks),
}


def _runs(instead: Sequence[Any], named: str, ranks: int, count: int) -> tuple[str, str]:
    """Return what runs where the algorithm that is named cannot, and why, if that is to be said."""
    said = ""
    for name, when, other, why in instead:
        if name == named and _WHEN[when](ranks, count):
            named, said = other, why
    return named, said


@cache
def _tables() -> dict[str, Any]:
    import json  # needed only once a reader asks
    from importlib import resources  # a tenth of numpy's import time

    text = resources.files(__package__).joinpath("data", "mpi.json").read_text(encoding="utf-8")
    return dict(json.loads(text))
