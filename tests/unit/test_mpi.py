"""What MPI libraries pick: figures seen in runs of them, and tables that hold together."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from importlib import resources
from typing import Any, cast

import pytest

import rainier_fast as rf

OPENMPI, MPICH = "openmpi-4.1.4", "mpich-4.0.2"
KIB, MIB = 2**10, 2**20

# Seen in runs of Debian's Open MPI 4.1.4 and MPICH 4.0.2, or read from their tables beside them:
# library, operation, ranks, bytes as the call has them, what ran.
SEEN = [
    (OPENMPI, "all_reduce", 32, 128, "rabenseifner"),
    (OPENMPI, "all_reduce", 48, 128, "rabenseifner"),
    (OPENMPI, "all_reduce", 64, 256 * KIB - 4, "recursive_doubling"),
    (OPENMPI, "all_reduce", 64, 256 * KIB, "rabenseifner"),
    *((OPENMPI, "broadcast", 64, size, "knomial") for size in (4, KIB, MIB, 256 * MIB)),
    (OPENMPI, "all_gather", 64, 64 * (KIB // 2), "neighbor"),
    (OPENMPI, "all_gather", 64, 64 * (64 * KIB - 4), "neighbor"),
    (OPENMPI, "all_gather", 64, 64 * 64 * KIB, "ring"),
    (MPICH, "all_reduce", 64, 8, "recursive_doubling"),
    (MPICH, "all_reduce", 12, 64, "reduce_scatter_allgather"),
    (MPICH, "all_reduce", 12, MIB, "reduce_scatter_allgather"),
    (MPICH, "all_reduce", 64, MIB, "reduce_scatter_allgather"),
    # 16 numbers are fewer than 64 ranks.
    (MPICH, "all_reduce", 64, 64, "recursive_doubling"),
]


@pytest.mark.parametrize(("library", "operation", "ranks", "size", "runs"), SEEN)
def test_what_runs_is_what_was_seen(
    library: str, operation: str, ranks: int, size: int, runs: str
) -> None:
    choice = rf.mpi_choice(operation, ranks, size, library=library, dtype="fp32")
    assert choice.algorithm == runs


def test_open_mpi_is_not_monotone() -> None:
    sizes = [KIB, 4 * KIB, 8 * KIB, 16 * KIB]
    named = [rf.mpi_choice("all_reduce", 2, size, dtype="fp32").by_table for size in sizes]
    assert named == ["recursive_doubling", "ring", "recursive_doubling", "ring"]


def test_what_runs_instead() -> None:
    few = rf.mpi_choice("all_reduce", 32, 60, dtype="fp32")
    assert (few.by_table, few.algorithm) == ("segmented_ring", "recursive_doubling")
    odd = rf.mpi_choice("all_gather", 65, 65 * KIB)
    assert (odd.by_table, odd.algorithm, odd.ours) == ("neighbor", "ring", "ring_one_way")
    twelve = rf.mpi_choice("all_gather", 12, 12)
    assert (twelve.by_table, twelve.algorithm, twelve.ours) == (
        "recursive_doubling",
        "bruck",
        "bruck",
    )
    assert rf.mpi_choice("reduce_scatter", 12, 1200, library=MPICH).ours is None
    assert rf.mpi_choice("reduce_scatter", 16, 1600, library=MPICH).ours == "halving_doubling"


def test_parameters() -> None:
    assert rf.mpi_choice("broadcast", 64, KIB).radix == 4
    assert rf.mpi_choice("broadcast", 64, KIB).ours == "knomial_tree"
    assert rf.mpi_choice("all_to_all", 64, 64 * KIB, library=MPICH).at_once == 32
    assert rf.mpi_choice("all_to_all", 64, 64, library=MPICH).at_once is None


def _rules() -> Iterator[tuple[str, str, Any]]:
    text = resources.files("rainier_fast.ask").joinpath("data", "mpi.json").read_text("utf-8")
    for library, table in json.loads(text).items():
        for operation, rules in table["operations"].items():
            yield library, operation, rules


@pytest.mark.parametrize(("library", "operation", "table"), list(_rules()))
def test_tables_hold_together(library: str, operation: str, table: Any) -> None:
    reached = {name for _, row in table["rules"] for _, name in row}
    reached |= {other for _, _, other, _ in table["instead"]}
    reached -= {name for name, when, *_ in table["instead"] if when == "always"}
    assert reached == set(table["stands"])
    assert set(table["parameters"]) <= reached
    limits = [most for most, _ in table["rules"] if isinstance(most, int)]
    assert limits == sorted(set(limits))
    assert table["rules"][-1][0] is None
    for _, row in table["rules"]:
        below = [limit for limit, _ in row[:-1]]
        assert below == sorted(set(below))
        assert row[-1][0] is None
    for stands in table["stands"].values():
        assert stands["ours"] is None or stands["ours"] in rf.algorithms(operation)
        assert stands["ours"] or stands["note"]


def test_ours_runs_wherever_it_is_named() -> None:
    for library, operation, table in _rules():
        named: dict[tuple[str, int], rf.MpiChoice] = {}
        limits = {limit for _, row in table["rules"] for limit, _ in row if limit}
        for ranks in (2, 3, 6, 12, 16, 64):
            for size in {8, *limits, 4 * MIB}:
                whole = -(-size // (8 * ranks)) * 8 * ranks
                choice = rf.mpi_choice(operation, ranks, whole, library=library, dtype="fp64")
                if choice.ours:
                    named[choice.ours, ranks] = choice
        assert named, (library, operation)
        for (ours, ranks), choice in named.items():
            result = getattr(rf.switch(ranks, "50 GB/s"), operation)(choice.size, algorithm=ours)
            assert result.algorithm.startswith(ours)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"operation": "barrier"}, rf.Unsupported, "operation: got 'barrier'"),
        ({"operation": "send_recv"}, rf.Unsupported, "has no table"),
        ({"operation": "allreduce"}, rf.UnknownName, "did you mean 'all_reduce'"),
        ({"library": "mvapich2-2.3"}, rf.UnknownName, "'openmpi-4.1.4', 'mpich-4.0.2'"),
        ({"dtype": "fp31"}, rf.UnknownName, "dtype: got 'fp31'"),
        ({"ranks": 1}, rf.OutOfRange, "ranks: got 1"),
        ({"size": 0}, rf.InvalidArgument, "at least one"),
        ({"size": 0.5}, rf.InvalidArgument, "whole bytes"),
        ({"size": 10, "dtype": "fp32"}, rf.InvalidArgument, "whole numbers of fp32"),
        ({"operation": "all_gather", "size": 17}, rf.InvalidArgument, "each of 16 blocks"),
        ({"size": "1 EiB"}, rf.InvalidArgument, "2,147,483,647"),
        ({"size": 4, "library": MPICH, "ranks": 3}, None, ""),
        ({"size": 16, "library": MPICH}, rf.InvalidArgument, "dtype: got None, must be given"),
    ],
)
def test_refusals_name_the_argument(
    change: dict[str, Any], error: type[rf.RainierError] | None, words: str
) -> None:
    asked: dict[str, Any] = {"operation": "all_reduce", "ranks": 16, "size": "1 MiB"} | change
    if error is None:
        assert rf.mpi_choice(**asked).algorithm == "recursive_doubling"
        return
    with pytest.raises(error, match=words):
        rf.mpi_choice(**asked)


def test_a_choice_is_a_value() -> None:
    choice = rf.mpi_choice("gather", 6, 600)
    assert pickle.loads(pickle.dumps(choice)) == choice
    assert choice.to_dict()["table_bytes"] == 100
    assert "MPI_Gather of 600 B over 6 ranks" in str(choice)
    with pytest.raises(AttributeError):
        cast("Any", choice).ours = "ring"
