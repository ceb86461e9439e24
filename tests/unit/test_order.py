"""Meshes in an order of chips of their own: what they hold, what they cost, what is no order."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast.ask.grid import GridGroups
from raising import raises

MIB = 2**20


def _trn2() -> rf.Machine:
    return rf.preset("trn2")


def test_an_order_is_which_chip_is_where() -> None:
    trn2 = _trn2()
    order = np.arange(16).reshape(4, 4).T
    mesh = trn2.mesh(dp=4, tp=4, order=order)
    assert np.array_equal(mesh.chips(), order)
    assert mesh.chips(tp=1).tolist() == order[:, 1].tolist()
    assert mesh.axis_groups("tp").to_array().tolist() == [
        [at, at + 4, at + 8, at + 12] for at in range(4)
    ]
    assert mesh.axis_groups(("dp", "tp")).members(0).tolist() == order.ravel().tolist()
    plain = trn2.mesh(dp=4, tp=4)
    assert mesh.all_reduce(MIB, axis="tp").time_s == plain.all_reduce(MIB, axis="dp").time_s
    assert trn2.mesh(dp=4, tp=4, order=order.ravel().tolist()) == mesh != plain
    assert hash(trn2.mesh(dp=4, tp=4, order=order)) == hash(mesh)
    # Ascending chips are what a mesh has anyway.
    assert trn2.mesh(dp=4, tp=4, order=range(16)) == plain
    assert repr(trn2.mesh(dp=4, tp=4, order=range(16))) == repr(plain)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(mesh, protocol)) == mesh
    assert eval(f"rf.{mesh!r}") == mesh
    assert "own" in str(mesh)


def test_an_order_without_structure_has_listed_groups() -> None:
    machine = rf.preset("rainier", chips=128)
    order = np.random.default_rng(7).permutation(128)
    mesh = machine.mesh(dp=8, tp=16, order=order)
    groups = mesh.axis_groups("tp")
    assert (groups.count, groups.ranks) == (8, 16)
    assert np.array_equal(groups.to_array(), order.reshape(8, 16))
    assert np.array_equal(groups.members(3), order.reshape(8, 16)[3])
    assert pickle.loads(pickle.dumps(mesh)) == mesh
    alone = machine.all_gather(MIB, group=order.reshape(8, 16)[0])
    assert mesh.all_gather(MIB, axis="tp").time_s >= alone.time_s


def test_ranks_in_another_order_cost_what_those_in_order_do() -> None:
    machine = rf.preset("rainier", chips=2048)
    plain = machine.mesh(dp=-1, tp=16)
    turned = plain.chips()[::-1, ::-1]
    mesh = machine.mesh(dp=-1, tp=16, order=turned)
    for axis in ("dp", "tp"):
        mine, theirs = (one.all_reduce("1 MiB", axis=axis) for one in (mesh, plain))
        assert mine.time_s == pytest.approx(theirs.time_s, rel=1e-12)
    root = mesh.broadcast("1 MiB", axis="tp", root=0)
    assert root.time_s == pytest.approx(plain.broadcast("1 MiB", axis="tp", root=15).time_s)


@pytest.mark.parametrize(
    ("order", "error"),
    [
        (range(15), rf.InvalidArgument),
        ([], rf.InvalidArgument),
        ([0, *range(15)], rf.InvalidArgument),
        ([*range(15), 16], rf.OutOfRange),
        ([*range(15), -1], rf.OutOfRange),
        ([*range(15), 2**64 - 1], rf.RainierError),
        ([*range(15), 10**400], rf.RainierError),
        (np.arange(16).reshape(2, 8), rf.InvalidArgument),
        (np.arange(16).reshape(2, 2, 4), rf.InvalidArgument),
        (np.arange(16.0), rf.InvalidType),
        ("ascending", rf.InvalidType),
        ({"dp": 4}, rf.InvalidType),
        (object(), rf.InvalidType),
        (7, rf.InvalidArgument),
    ],
)
def test_bad_orders(order: object, error: type[Exception]) -> None:
    with raises(error, "order"):
        _trn2().mesh(dp=4, tp=4, order=order)


def test_layouts_of_other_meshes_are_no_orders() -> None:
    calls = {"tp": ("all_reduce", MIB)}
    best = _trn2().best_mapping({"dp": 4, "tp": 4}, calls).best
    assert _trn2().mesh(tp=4, dp=4, order=best).shape == {"tp": 4, "dp": 4}
    for machine, axes in (
        (_trn2(), {"dp": 8, "tp": 2}),
        (_trn2(), {"pp": 4, "tp": 4}),
        (rf.torus((2, 8), bandwidth=1e9), {"dp": 4, "tp": 4}),
    ):
        with raises(rf.InvalidArgument, "order"):
            machine.mesh(order=best, **axes)


def test_a_mesh_of_half_a_million_chips_in_an_order_of_its_own_is_small() -> None:
    machine = rf.preset("rainier")
    # tp has every other chip of x and y of each UltraServer, pp the UltraServers of a group.
    digits = np.arange(machine.num_chips).reshape(512, 16, 4, 2, 2, 2, 2)
    order = digits.transpose(0, 2, 4, 6, 1, 3, 5).reshape(8192, 16, 4)
    mesh = machine.mesh(dp=-1, pp=16, tp=4, order=order)
    assert len(pickle.dumps(mesh)) < 40_000
    assert mesh.axis_groups("tp").members(0).tolist() == [0, 2, 8, 10]
    for axis in ("dp", "pp", "tp"):
        groups = mesh.axis_groups(axis)
        assert isinstance(groups, GridGroups)
        assert (
            groups.members(0).tolist()
            == np.moveaxis(order, ["dp", "pp", "tp"].index(axis), -1)[0, 0].tolist()
        )
    assert np.array_equal(mesh.chips(), order)
