"""What programs cost: each collective as if asked for alone, parts that add up, facts that miss."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

P = rf.ProgramGroups
C = rf.ProgramCollective
RAINIER = rf.preset("rainier", chips=4096)
TRN2 = rf.preset("trn2")
TP, DP = P.own(start=0, stride=1, size=8), P.own(start=0, stride=8, size=512)
MIB = 2**20


def step(**more: Any) -> rf.Program:
    """Return a step of two layers, recorded on one rank."""
    rows = [
        C("w0", "all_gather", MIB // 512, MIB, "bf16", DP, phase="fwd", role="weights"),
        C("w1", "all_gather", MIB // 512, MIB, "bf16", DP, phase="fwd", role="weights"),
        C("x", "all_gather", MIB, 8 * MIB, "bf16", TP, phase="fwd", role="tensor"),
        C("y", "reduce_scatter", 8 * MIB, MIB, "bf16", TP, phase="fwd", role="tensor"),
        C("n0", "all_reduce", 4096, 4096, "fp32", TP, phase="bwd", role="tensor"),
        C("n1", "all_reduce", 4096, 4096, "fp32", TP, phase="bwd", role="tensor"),
        C("g1", "reduce_scatter", 2 * MIB, MIB // 256, "fp32", DP, phase="bwd", role="gradients"),
        C("g0", "reduce_scatter", 2 * MIB, MIB // 256, "fp32", DP, phase="bwd", role="gradients"),
        C("loss", "all_reduce", 8, 8, "fp32", P.everyone(4096), count=3),
    ]
    return rf.Program(tuple(rows), 4096, 0, **more)


def computing(flops: float) -> rf.Program:
    """Return the same with computation before each collective."""
    from dataclasses import replace

    rows = tuple(replace(one, after_flops=flops, after_bytes=0.0) for one in step())
    return rf.Program(rows, 4096, 0)


@pytest.mark.parametrize("algorithm", [None, "auto"])
def test_each_collective_takes_what_it_takes_alone(algorithm: Any) -> None:
    cost = RAINIER.cost_of(step(), algorithm=algorithm)
    mesh = RAINIER.mesh(dp=512, tp=8)
    for one, row in zip(step(), cost.collectives, strict=True):
        axis: Any = {8: "tp", 512: "dp"}.get(one.groups.size or 0, ("dp", "tp"))
        nbytes = max(one.bytes_in or 0, one.bytes_out or 0)
        way = algorithm or "runtime"
        alone = getattr(mesh, one.op)(nbytes, axis=axis, dtype=one.dtype, algorithm=way)
        assert row["time_s"] == alone.time_s
        assert row["algorithm"] == alone.algorithm
        links = getattr(mesh, one.op)(nbytes, axis=axis, dtype=one.dtype)
        assert row["links_s"] == links.time_s
    each = [row["count"] * row["time_s"] for row in cost.collectives]
    assert cost.communication_s == pytest.approx(sum(each), rel=1e-12)
    assert cost.alike["total_s"].sum() == pytest.approx(cost.communication_s, rel=1e-12)
    assert cost.bottlenecks["time_s"].sum() == pytest.approx(cost.communication_s, rel=1e-12)
    assert cost.kind == ("links alone" if algorithm else "as neuron runs it")
    assert str(cost).splitlines()[0].find(cost.kind) > 0


def test_what_a_program_does_not_say_is_in_no_time() -> None:
    cost = RAINIER.cost_of(step())
    assert cost.time_s is None
    assert set(cost.parts.values()) == {None}
    assert [line for line in cost.missing if "computation" in line]
    rows = (
        C("a", "all_reduce", 8, 8),
        C("b", "all_reduce", groups=TP),
        C("c", "barrier", count=None, groups=TP),
    )
    unknown = RAINIER.cost_of(rf.Program(rows))
    said = "; ".join(unknown.missing)
    assert all(word in said for word in ("mesh=", "axes=", "bytes", "trips="))
    assert unknown.communication_s == 0
    told = RAINIER.cost_of(
        rf.Program(rows[::2]), mesh={"dp": 512, "tp": 8}, axes={"all_reduce": "tp"}, trips=3
    )
    assert told.communication_s > 0
    assert len(told.missing) == 1


def test_parts_add_up_and_nothing_hides_twice() -> None:
    cost = RAINIER.cost_of(computing(1e9))
    parts = cost.parts
    assert cost.time_s == pytest.approx(parts["exposed"] + parts["computation"], rel=1e-12)
    assert parts["exposed"] + parts["hidden"] == pytest.approx(cost.communication_s, rel=1e-12)
    rate = rf.Efficiency.of("trn2").rate("bf16")
    assert parts["computation"] == pytest.approx(11e9 / (rate.peak_flops * rate.ceiling), rel=1e-12)
    assert 0 < parts["hidden"] <= parts["computation"]
    # Neuron hides what replicas move, one layer early and two late, and nothing of tensors.
    hidden = dict(zip((one.name for one in step()), cost.collectives["hidden_s"], strict=True))
    assert all(hidden[name] == 0 for name in ("x", "y", "n0", "n1", "loss"))
    long = RAINIER.cost_of(computing(1e12))
    late = dict(zip((one.name for one in step()), long.collectives["hidden_s"], strict=True))
    times = dict(zip((one.name for one in step()), long.collectives["time_s"], strict=True))
    assert all(late[name] == times[name] for name in ("w0", "w1", "g1"))
    assert late["g0"] == 0  # nothing of its pass comes after it


def test_a_start_and_its_wait_hide_behind_what_is_between() -> None:
    rows = (
        C("start", "all_reduce", MIB, MIB, "bf16", TP, asynchronous=True, waited_by=2),
        C("one", "barrier", groups=TP, after_flops=1e12),
        C("two", "barrier", groups=TP, after_flops=1e12),
    )
    cost = RAINIER.cost_of(rf.Program(rows, 4096, 0))
    assert cost.hidden_s == cost.collectives["time_s"][0]


def test_changes_are_priced_again() -> None:
    cost = RAINIER.cost_of(computing(1e8))
    assert 0 < len(cost.changes) <= 3
    saved = cost.changes["saved_s"].tolist()
    assert saved == sorted(saved, reverse=True)
    for row in cost.changes:
        assert row["saved_s"] + row["time_s"] == pytest.approx(cost.time_s, rel=1e-9)
    halves = RAINIER.cost_of(
        rf.Program((C("g", "all_reduce", 64 * MIB, 64 * MIB, "fp32", DP),), 4096, 0)
    )
    by_name = {row["change"]: row for row in halves.changes}
    saved_by_type = by_name["send 1 collectives of fp32 in bf16"]["saved_s"]
    half = RAINIER.mesh(dp=512, tp=8).all_reduce(
        32 * MIB, axis="dp", dtype="bf16", algorithm="runtime"
    )
    assert halves.communication_s - saved_by_type == pytest.approx(half.time_s, rel=1e-12)


def test_merged_collectives_keep_bytes_and_computation() -> None:
    from rainier_fast.program.changes import without

    rows = list(computing(1.0))
    for keep_first in (True, False):
        made = without(rows, [(0, 1), (6, 7)], keep_first=keep_first)
        assert len(made) == len(rows) - 2
        assert sum(one.bytes_in or 0 for one in made) == sum(one.bytes_in or 0 for one in rows)
        assert sum(one.after_flops or 0 for one in made) == len(rows)


def test_ranks_are_where_meshes_and_placements_say() -> None:
    groups = P.of_lists([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15]])
    program = rf.Program((C("a", "all_reduce", MIB, MIB, "bf16", groups),), 16)
    order = np.arange(16).reshape(4, 4).T.ravel()
    turned = TRN2.mesh({"a": 4, "b": 4}, order=order)
    wanted = turned.all_reduce(MIB, axis="b", dtype="bf16", algorithm="auto").time_s
    for where in ({"mesh": turned}, {"placement": order}):
        assert TRN2.cost_of(program, algorithm="auto", **where).communication_s == wanted
    small = rf.Program((C("a", "all_reduce", MIB, MIB, "bf16", P.everyone(4)),), 4)
    alone = TRN2.all_reduce(MIB, group=[0, 5, 10, 15], dtype="bf16").time_s
    cost = TRN2.cost_of(small, placement=[0, 5, 10, 15], algorithm="auto")
    assert cost.communication_s == alone
    cores = rf.Program(
        (C("a", "all_reduce", MIB, MIB, "bf16", P.own(start=0, stride=1, size=16)),), 64
    )
    wanted = TRN2.mesh(dp=4, tp=16, ranks_per_chip=4).all_reduce(MIB, axis="tp", dtype="bf16")
    assert TRN2.cost_of(cores, ranks_per_chip=4, algorithm="auto").communication_s == wanted.time_s


@pytest.mark.parametrize("groups", [P.everyone(8), P.own(start=0, stride=4, size=2)], ids=str)
def test_a_smaller_program_takes_the_first_chips_and_says_so(groups: Any) -> None:
    one = C("a", "all_reduce", MIB, MIB, "bf16", groups)
    first = TRN2.cost_of(rf.Program((one,), 8))
    placed = TRN2.cost_of(rf.Program((one,), 8), placement=range(8))
    assert first.communication_s == placed.communication_s > 0
    assert first.guesses[1:] == placed.guesses
    assert "first 8 of 16 chips" in first.guesses[0]
    assert len(first.changes) > 0


@pytest.mark.parametrize(
    ("given", "error", "argument"),
    [
        ({"program": rf.Program((), 32)}, rf.InvalidArgument, "world"),
        ({"program": rf.Program((), 8), "mesh": {"a": 16}}, rf.InvalidArgument, "world"),
        ({"program": 3}, rf.InvalidType, "program"),
        ({"placement": [0, 0]}, rf.InvalidArgument, "placement"),
        ({"placement": [0, 99]}, rf.OutOfRange, "placement[1]"),
        ({"mesh": 3}, rf.InvalidType, "mesh"),
        ({"mesh": RAINIER.mesh(a=4096)}, rf.InvalidArgument, "mesh"),
        ({"axes": {"all_reduce": "tp"}}, rf.Unsupported, "axes"),
        ({"mesh": {"a": 16}, "axes": {"all_reduce": "tp"}}, rf.UnknownName, "axis"),
        ({"algorithm": "rign"}, rf.UnknownName, "algorithm"),
        ({"trips": -1}, rf.InvalidArgument, "trips"),
        ({"peak_dtype": "fp4"}, rf.UnknownName, "peak_dtype"),
        ({"ranks_per_chip": 3}, rf.InvalidArgument, "ranks_per_chip"),
    ],
)
def test_bad_arguments_are_named(given: dict[str, Any], error: Any, argument: str) -> None:
    with raises(error, argument):
        TRN2.cost_of(**{"program": rf.Program(()), **given})


def test_permutes_messages_and_uneven_shares() -> None:
    ring = P.pairs([(at, (at + 1) % 8) for at in range(8)])
    chain = P.pairs([(at, at + 1) for at in range(7)])
    cost = TRN2.cost_of(
        rf.Program(
            (
                C("ring", "collective_permute", MIB, MIB, "bf16", ring),
                C("chain", "collective_permute", MIB, MIB, "bf16", chain),
                C("send", "send", MIB, 0, "bf16", P.everyone(16), peer=5),
                C("v", "all_to_all", 6 * MIB, 6 * MIB, "bf16", P.own([0, 1, 2, 3]),
                  in_splits=(0, MIB, 2 * MIB, 3 * MIB)),
                C("uneven", "all_reduce", MIB, MIB, "bf16", P.of_lists([[0, 1], [2, 3, 4, 5]])),
            ),
            16,
            0,
        ),
        algorithm="auto",
    )  # fmt: skip
    rows = {row["name"]: row for row in cost.collectives}
    around = TRN2.send_recv(MIB, group=range(8), dtype="bf16").time_s
    assert rows["ring"]["time_s"] == rows["chain"]["time_s"] == around
    assert rows["ring"]["guesses"] == ""
    assert rows["chain"]["guesses"]
    assert rows["send"]["time_s"] == TRN2.send_recv(MIB, group=[0, 5], dtype="bf16").time_s
    shares = [[0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1], [1, 2, 3, 0]]
    sizes = [[share * MIB for share in row] for row in shares]
    assert rows["v"]["time_s"] == TRN2.all_to_all(sizes, group=[0, 1, 2, 3]).time_s
    four = TRN2.all_reduce(MIB, group=[2, 3, 4, 5], dtype="bf16").time_s
    assert rows["uneven"]["time_s"] == max(four, TRN2.all_reduce(MIB, group=[0, 1]).time_s)
    assert not [line for line in cost.missing if "computation" not in line]


def test_iotas_are_axes() -> None:
    for dims, perm, axis in (
        ((512, 8), (0, 1), "tp"),
        ((512, 8), (1, 0), "dp"),
        ((2, 256, 8), (1, 0, 2), ("a", "tp")),
    ):
        sizes = {"a": 2, "b": 256, "tp": 8} if len(dims) == 3 else {"dp": 512, "tp": 8}
        mesh = RAINIER.mesh(sizes)
        size = mesh.axis_groups(axis).ranks
        groups = P.of_iota(4096 // size, size, dims, perm, 4096)
        program = rf.Program((C("a", "all_reduce", MIB, MIB, "bf16", groups),), 4096)
        wanted = mesh.all_reduce(MIB, axis=axis, dtype="bf16").time_s
        assert RAINIER.cost_of(program, algorithm="auto").communication_s == wanted
        listed = P.of_lists(groups.to_lists(), 4096)
        again = rf.Program((C("a", "all_reduce", MIB, MIB, "bf16", listed),), 4096)
        assert RAINIER.cost_of(again, algorithm="auto").communication_s == pytest.approx(wanted)


def test_another_order_is_priced_as_the_mesh_it_makes() -> None:
    heavy = rf.Program(
        (C("g", "all_reduce", 256 * MIB, 256 * MIB, "bf16", P.own(start=0, stride=64, size=64)),),
        4096,
        0,
    )
    cost = RAINIER.cost_of(heavy, algorithm="auto")
    saved = {row["change"]: row["saved_s"] for row in cost.changes}
    put = next(words for words in saved if words.startswith("put the 64 ranks"))
    inside = RAINIER.mesh(dp=64, tp=64).all_reduce(256 * MIB, axis="tp", dtype="bf16").time_s
    assert cost.communication_s - saved[put] == pytest.approx(inside, rel=1e-12)


def test_costs_pickle_and_tell_themselves() -> None:
    cost = RAINIER.cost_of(computing(1e9))
    again = pickle.loads(pickle.dumps(cost))
    assert again.time_s == cost.time_s
    assert again.changes == cost.changes
    told = cost.to_dict()
    assert told["time_s"] == cost.time_s
    assert told["collectives"]["op"][0] == "all_gather"
    assert len(str(cost).splitlines()) <= 24


def test_no_argument_is_passed_over() -> None:
    one = rf.Program((C("a", "all_reduce", 8, 8, "bf16"),), 64)
    mesh = TRN2.mesh(dp=4, tp=16, ranks_per_chip=4)
    assert TRN2.cost_of(one, mesh=mesh, axes={"all_reduce": "tp"}).communication_s > 0
    with raises(rf.InvalidArgument, "ranks_per_chip"):
        TRN2.cost_of(one, mesh=mesh, ranks_per_chip=2)
    with raises(rf.InvalidArgument, "ranks_per_chip"):
        TRN2.cost_of(one, placement=TRN2.place(mesh, hosts="n1"), ranks_per_chip=2)
    with raises(rf.UnknownName, "axes"):
        TRN2.cost_of(one, mesh=mesh, axes={"all_reduced": "tp"})
