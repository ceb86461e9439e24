"""Meshes whose ranks are cores: axes inside a chip, across chips, and over both."""

from __future__ import annotations

import dataclasses
import itertools
import pickle

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

MIB = 2**20
CHIP = {10_240: 105.1, 163_840: 118.1, 655_360: 113.7, 10_485_760: 199.6, 104_857_600: 1476.1}
"""Bytes and microseconds of all-reduces among 4 ranks of a Trn2 chip (whn09/xpu-perf)."""


def _trn2() -> rf.Machine:
    return rf.preset("trn2")


def _flows(machine: rf.Machine, groups: np.ndarray, per_chip: int) -> tuple[np.ndarray, np.ndarray]:
    """Every rank to every other of its group, as chips, without those that stay on a chip."""
    pairs = np.array([pair for row in groups for pair in itertools.permutations(row, 2)])
    src, dst = pairs[:, 0] // per_chip, pairs[:, 1] // per_chip
    return src[src != dst], dst[src != dst]


@pytest.mark.parametrize(("size", "us"), CHIP.items())
def test_an_axis_inside_a_chip_takes_what_was_measured(size: int, us: float) -> None:
    mesh = _trn2().mesh(fsdp=16, tp=4, ranks_per_chip=4)
    result = mesh.all_reduce(size, axis="tp", algorithm="neuron")
    assert result.time_s == pytest.approx(us * 1e-6, rel=1e-12)
    assert (result.ranks, result.groups, result.size_bytes) == (4, 16, size)
    assert result.busbw_Bps == pytest.approx(1.5 * size / us * 1e6)
    assert result.kind == "as neuron runs it"
    assert "measured among the 4 ranks" in result.why
    alone = _trn2().all_reduce(size, group=[0], algorithm="runtime", dtype="bf16")
    assert alone.time_s == result.time_s
    assert mesh.times("all_reduce", [size], axis="tp", algorithm="neuron").time_s[0] == alone.time_s


def test_small_all_reduces_in_a_chip_are_flat_and_large_ones_go_on_at_their_rate() -> None:
    mesh = _trn2().mesh(fsdp=16, tp=4, ranks_per_chip=4)

    def time(size: float) -> float:
        return mesh.all_reduce(size, axis="tp", algorithm="neuron").time_s

    assert time(0) == time(1) == time(10_240)
    for size in np.geomspace(1, 655_360, 30):
        assert 105e-6 <= time(size) <= 120e-6
    assert 1.5 * 2**30 / time(2**30) == pytest.approx(106.6e9, rel=1e-3)
    assert time(6 * MIB) == pytest.approx((time(2 * MIB) + time(10 * MIB)) / 2)


@pytest.mark.parametrize(
    ("axes", "axis"),
    [
        ({"fsdp": 16, "tp": 4}, "fsdp"),  # across chips, four groups a chip
        ({"pp": 4, "dp": 8, "tp": 2}, "dp"),  # two ranks a chip, two groups
        ({"dp": 2, "tp": 32}, "tp"),  # all ranks of half of the chips
        ({"a": 4, "b": 2, "c": 4, "d": 2}, ("a", "c")),  # apart from each other
        ({"all": 64}, "all"),
    ],
)
def test_what_cores_send_is_what_their_chips_send(
    axes: dict[str, int], axis: str | tuple[str, str]
) -> None:
    trn2 = _trn2()
    mesh = trn2.mesh(axes, ranks_per_chip=4)
    names = [axis] if isinstance(axis, str) else list(axis)
    order = [name for name in axes if name not in names] + names
    ranks = np.arange(64).reshape(list(axes.values()))
    turned = ranks.transpose([list(axes).index(name) for name in order])
    groups = turned.reshape(-1, int(np.prod([axes[name] for name in names])))
    count, each = groups.shape
    result = mesh.all_to_all(MIB, axis=axis, algorithm="direct")
    assert (result.ranks, result.groups) == (each, count)
    src, dst = _flows(trn2, groups, 4)
    loads = trn2.link_loads(src, dst, MIB / each)
    assert result.link_loads().bytes == pytest.approx(loads.bytes, rel=1e-9)
    assert result.busbw_Bps == pytest.approx(MIB / result.time_s * (each - 1) / each)
    fluid = mesh.all_to_all(MIB, axis=axis, algorithm="direct", model="fluid")
    assert fluid.time_s >= max(loads.bytes) / 128e9


def test_rings_across_chips_share_their_links() -> None:
    trn2 = _trn2()
    mesh = trn2.mesh(fsdp=16, tp=4, ranks_per_chip=4)
    for operation in ("all_reduce", "all_gather", "reduce_scatter", "broadcast"):
        four = getattr(mesh, operation)(MIB, axis="fsdp")
        whole = getattr(trn2, operation)(4 * MIB)
        assert four.time_s == whole.time_s, operation
        assert four.size_bytes == MIB
    # All cores of all chips add up in their chips first, of which links know nothing.
    assert mesh.all_reduce(MIB, axis=("fsdp", "tp")).time_s == trn2.all_reduce(MIB).time_s
    shifted = mesh.send_recv(MIB, axis="fsdp", shift=1)
    assert shifted.time_s == trn2.send_recv(4 * MIB).time_s
    ring = trn2.mesh(all=64, ranks_per_chip=4)
    assert ring.send_recv(MIB, axis="all").time_s == trn2.send_recv(MIB).time_s
    assert ring.send_recv(MIB, axis="all", shift=-8).time_s == pytest.approx(
        trn2.send_recv(4 * MIB, shift=-2).time_s
    )
    root = ring.broadcast(MIB, axis="all", root=63)
    assert root.time_s == trn2.broadcast(MIB, root=15).time_s


def test_all_cores_of_chips_are_what_the_runtime_runs_over() -> None:
    trn2 = _trn2()
    mesh = trn2.mesh(dp=2, tp=32, ranks_per_chip=4)
    for operation in ("all_reduce", "all_gather", "reduce_scatter", "all_to_all"):
        cores = getattr(mesh, operation)("8 MiB", axis="tp", algorithm="neuron")
        chips = getattr(trn2.mesh(dp=2, tp=8), operation)("8 MiB", axis="tp", algorithm="neuron")
        assert cores.time_s == chips.time_s
        assert cores.ranks == 32
    assert str(cores).startswith("all_to_all of 8.00 MiB over 2 groups of 32 ranks: ")


def test_a_mesh_of_cores_says_so() -> None:
    mesh = _trn2().mesh(fsdp=16, tp=4, ranks_per_chip=4)
    assert mesh != _trn2().mesh(fsdp=4, tp=4)
    assert eval(repr(mesh), {"preset": rf.preset}) == mesh
    assert pickle.loads(pickle.dumps(mesh)) == mesh
    assert mesh.ranks_per_chip == 4
    assert "4 ranks a chip" in str(mesh)
    assert mesh.chips(fsdp=3).tolist() == [3, 3, 3, 3]
    assert mesh.chips(tp=1).tolist() == list(range(16))
    groups = mesh.axis_groups("tp")
    assert (groups.count, groups.ranks, groups.cores, groups.copies) == (16, 1, 4, 1)
    plan = mesh.plan.all_reduce(MIB, axis="fsdp")
    assert pickle.loads(pickle.dumps(plan)) == plan
    assert plan.run().time_s == mesh.all_reduce(MIB, axis="fsdp").time_s
    (one,) = _trn2().together([plan])
    assert one.time_s == pytest.approx(plan.run().time_s)


@pytest.mark.parametrize(
    ("preset", "known"),
    [
        ("trn2", 4),
        ("rainier", 4),
        ("trn1", 2),
        ("tpu-ironwood", 2),
        ("trn3-ultraserver-gen2", 4),
    ],
)
def test_software_makes_so_many_ranks_of_a_chip(preset: str, known: int | None) -> None:
    machine = rf.preset(preset, shape=(4, 4, 4)) if preset == "tpu-ironwood" else rf.preset(preset)
    assert machine.ultraserver.ranks_per_chip == known
    wrong = 3
    if known is None:
        assert machine.mesh(all=-1, ranks_per_chip=wrong).ranks_per_chip == wrong
        return
    with raises(rf.InvalidArgument, "ranks_per_chip"):
        machine.mesh(all=-1, ranks_per_chip=wrong)


def test_two_devices_of_a_tpu_chip_share_its_links() -> None:
    tpu = rf.preset("tpu-ironwood", shape=(4, 4, 4))
    mesh = tpu.mesh(dp=64, tp=2, ranks_per_chip=2)
    assert mesh.all_reduce(MIB, axis="dp").time_s == tpu.all_reduce(2 * MIB).time_s
    with raises(rf.Unsupported, None, "inside a chip"):
        mesh.all_reduce(MIB, axis="tp")
    with raises(rf.Unsupported, None, "xla"):
        mesh.all_reduce(MIB, axis=("dp", "tp"), algorithm="xla")


def test_what_has_no_figure_is_refused_by_name() -> None:
    mesh = _trn2().mesh(pp=2, dp=8, tp=4, ranks_per_chip=4)
    halves = _trn2().mesh(dp=16, sp=2, tp=2, ranks_per_chip=4)
    cases = [
        (lambda: mesh.all_reduce(MIB, axis="tp"), "inside a chip"),
        (lambda: mesh.all_gather(MIB, axis="tp", algorithm="neuron"), "all_gather"),
        (lambda: mesh.all_to_all(MIB, axis="tp", algorithm="neuron"), "all_to_all"),
        (lambda: mesh.all_reduce(MIB, axis="tp", algorithm="neuron", dtype="fp32"), "fp32"),
        (lambda: mesh.all_reduce(MIB, axis="dp", algorithm="neuron"), "neuron"),
        (lambda: halves.all_reduce(MIB, axis="tp", algorithm="neuron"), "2 of the 4"),
        (lambda: mesh.all_reduce(MIB, axis="dp", model="fifo"), "fifo"),
        (lambda: mesh.send_recv(MIB, axis=("dp", "tp"), shift=3), "send_recv"),
        (lambda: mesh.broadcast(MIB, axis=("tp", "dp"), root=1), "cores last"),
        (
            lambda: _trn2().mesh(a=32, b=2, ranks_per_chip=4).all_reduce(1, axis="b"),
            "inside a chip",
        ),
        (lambda: _trn2().mesh(a=64, ranks_per_chip=4, order=range(64)), "order"),
    ]
    for call, word in cases:
        with raises(rf.Unsupported, None if word != "order" else "order", word):
            call()
    lnc1 = dataclasses.replace(_trn2().ultraserver.neuron, lnc=1)
    server = dataclasses.replace(_trn2().ultraserver, neuron=lnc1)
    eight = rf.Cluster([rf.Site("one", 1, server)]).mesh(dp=16, tp=8, ranks_per_chip=8)
    with raises(rf.Unsupported, None, "LNC 2"):
        eight.all_reduce(MIB, axis="tp", algorithm="neuron")


def test_sizes_of_cores_say_what_to_do() -> None:
    trn2 = _trn2()
    with raises(rf.InvalidArgument, "axes", "ranks_per_chip=4"):
        trn2.mesh(fsdp=16, tp=4)
    with raises(rf.OutOfRange, "group", "ranks_per_chip=4"):
        trn2.all_reduce(MIB, group=list(range(64)), algorithm="neuron")
    with raises(rf.InvalidArgument, "axes", "64 ranks"):
        trn2.mesh(fsdp=16, tp=2, ranks_per_chip=4)
    with raises(rf.OutOfRange, "root"):
        trn2.mesh(all=64, ranks_per_chip=4).broadcast(MIB, axis="all", root=64)
    for wrong in (0, -1, 1.5, True, "4", None):
        with raises(rf.RainierError, "ranks_per_chip"):
            trn2.mesh(all=64, ranks_per_chip=wrong)


def test_rows_of_all_reduces_in_a_chip_are_checked() -> None:
    neuron = rf.Neuron.from_catalog()
    assert [size for size, _ in neuron.chip_all_reduce] == [*sorted([*CHIP, 41_943_040])]
    own = dataclasses.replace(neuron, chip_all_reduce=(("1 KiB", "20 us"), ("1 MiB", "30 us")))
    server = dataclasses.replace(_trn2().ultraserver, neuron=own)
    mine = rf.Cluster([rf.Site("one", 1, server)])
    assert mine.all_reduce(1024, group=[5], algorithm="neuron").time_s == 20e-6
    for wrong in (1, "rows", [(1, 2, 3)], [(2, 1), (1, 1)], [(0, 1)], [(1, -1)], [1]):
        with raises(rf.RainierError, "chip_all_reduce"):
            dataclasses.replace(neuron, chip_all_reduce=wrong)
