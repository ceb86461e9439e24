"""Algorithms of MPI libraries: closed forms on a switch, and messages of the libraries' loops."""

from __future__ import annotations

import math

import pytest

import rainier_fast as rf

EXACT = 1e-12
ALPHA, RATE, SIZE = 2e-6, 50e9, 1e8
RANKS = [2, 3, 4, 6, 8, 12, 15, 16, 40, 64, 65]
OWN = {
    "neighbor_exchange": ["all_gather"],
    "pairwise": ["all_to_all", "reduce_scatter"],
    "linear_sync": ["all_to_all"],
    "butterfly": ["reduce_scatter"],
    "knomial_tree": ["broadcast", "reduce"],
    "chain": ["broadcast", "reduce"],
}


def switch(ranks: int) -> rf.Machine:
    return rf.switch(ranks, RATE, "1 us")  # two ports a crossing


def knomial_sends(ranks: int) -> list[int]:
    """Messages of the busiest rank, the root, in each step."""
    reaches = [4**at for at in range(8) if 4**at < ranks]
    return [sum(child * reach < ranks for child in (1, 2, 3)) for reach in reaches]


def butterfly_shares(ranks: int) -> list[int]:
    """Most shares that a rank sends in each step: the fold, the halving, the way to the owners."""
    bits = ranks.bit_length() - 1
    doubled = ranks - 2**bits
    left = [2 ** (bits - step) for step in range(1, bits + 1)]
    halving = [blocks + min(blocks, doubled) for blocks in left]
    if not doubled:
        return [*halving, *([1] if bits > 1 else [])]
    # A seat that has another's block of two shares sends to that and to the rank that folded.
    mirrored = [int(f"{seat:0{bits}b}"[::-1], 2) for seat in range(doubled)]
    return [ranks, *halving, 1 if mirrored == [*range(doubled)] else 2]


@pytest.mark.parametrize("ranks", RANKS)
def test_closed_forms_on_a_switch(ranks: int) -> None:
    machine, whole = switch(ranks), SIZE / RATE
    wire = whole * (ranks - 1) / ranks
    children, shares = knomial_sends(ranks), butterfly_shares(ranks)
    expected = {
        "neighbor_exchange": ranks / 2 * ALPHA + wire,
        "pairwise": (ranks - 1) * ALPHA + wire,
        "linear_sync": math.ceil(ranks / 32) * ALPHA + wire,
        "butterfly": len(shares) * ALPHA + sum(shares) / ranks * whole,
        "knomial_tree": len(children) * ALPHA + sum(children) * whole,
        "chain": (ranks - 1) * (ALPHA + whole),
    }
    for algorithm, operations in OWN.items():
        for operation in operations:
            if algorithm == "neighbor_exchange" and ranks % 2:
                with pytest.raises(rf.Unsupported, match="an odd number"):
                    machine.all_gather(SIZE, algorithm=algorithm)
                continue
            result = getattr(machine, operation)(SIZE, algorithm=algorithm)
            assert result.algorithm == algorithm
            assert result.time_s == pytest.approx(expected[algorithm], rel=EXACT), algorithm


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("algorithm", OWN)
def test_proven_message_by_message(algorithm: str, ranks: int) -> None:
    if algorithm == "neighbor_exchange" and ranks % 2:
        pytest.skip("an even number of ranks only")
    for operation in OWN[algorithm]:
        rooted = {"root": ranks // 2} if operation in ("broadcast", "reduce") else {}
        made = rf.schedule(operation, switch(ranks), SIZE, algorithm=algorithm, **rooted)
        made.verify()
        assert set(rf.algorithms(operation)) >= {algorithm}


@pytest.mark.parametrize("ranks", [2, 4, 6, 10, 16])
def test_neighbor_exchange_is_the_loop_of_open_mpi(ranks: int) -> None:
    """Each rank remembers what it got last from either side, two places further each time."""
    made = rf.schedule("all_gather", switch(ranks), SIZE, algorithm="neighbor_exchange")
    seen = {(send.step, send.src, send.dst, tuple(sorted(send.blocks))) for send in made.sends}
    wanted = set()
    for rank in range(ranks):
        way = 1 if rank % 2 == 0 else -1
        sides = [(rank + way) % ranks, (rank - way) % ranks]
        first = rank - rank % 2
        got, sent = [first, first], first
        wanted.add((0, rank, sides[0], (rank,)))
        for step in range(1, ranks // 2):
            side = step % 2
            wanted.add((step, rank, sides[side], tuple(sorted((sent, sent + 1)))))
            got[side] = (got[side] + (2 * way if side == 0 else -2 * way)) % ranks
            sent = got[side]
    assert seen == wanted


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("root", [0, 1])
def test_knomial_tree_has_the_parents_of_open_mpi(ranks: int, root: int) -> None:
    made = rf.schedule("broadcast", switch(ranks), SIZE, algorithm="knomial_tree", root=root)
    parents = {}
    for place in range(1, ranks):
        reach = 1
        while place % (4 * reach) == 0:
            reach *= 4
        parents[(place + root) % ranks] = (place // (4 * reach) * 4 * reach + root) % ranks
    assert {send.dst: send.src for send in made.sends} == parents


@pytest.mark.parametrize("operation", ["all_to_all", "reduce_scatter"])
def test_pairwise_has_one_partner_a_step(operation: str) -> None:
    made = rf.schedule(operation, switch(7), SIZE, algorithm="pairwise")
    steps = {(send.src, send.step): send.dst for send in made.sends}
    assert steps == {(rank, at): (rank + at + 1) % 7 for rank in range(7) for at in range(6)}


def test_linear_sync_has_31_and_then_32_partners() -> None:
    made = rf.schedule("all_to_all", switch(70), SIZE, algorithm="linear_sync")
    counts: dict[int, set[int]] = {}
    for send in made.sends:
        counts.setdefault(send.step, set()).add((send.src - send.dst) % 70)
    assert counts == {0: {*range(1, 32)}, 1: {*range(32, 64)}, 2: {*range(64, 70)}}


def test_auto_does_not_take_them() -> None:
    machine = rf.torus((4, 4), "50 GB/s", "1 us")
    for algorithm, operations in OWN.items():
        for operation in operations:
            tried = {row["algorithm"] for row in getattr(machine, operation)(1e6).candidates}
            assert tried, operation
            assert algorithm not in tried


def test_a_step_each_is_refused_where_there_are_too_many() -> None:
    machine = rf.torus((32, 32, 32), "50 GB/s", "1 us")
    for algorithm in ("neighbor_exchange", "pairwise", "linear_sync", "chain"):
        operation = OWN[algorithm][0]
        with pytest.raises(rf.Unsupported, match="at most 4096"):
            getattr(machine, operation)(1e6, algorithm=algorithm)
