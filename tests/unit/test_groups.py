"""Groups as compilers and frameworks write them: lists, iotas, axes apart, meshes of arrays."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast.ask.groups import as_groups
from raising import raises

MIB = 2**20
DIAGONALS = [[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]]


def _some_groups(rng: np.random.Generator, machine: rf.Machine) -> np.ndarray:
    ranks = int(rng.choice([2, 3, 4, 5]))
    count = int(rng.integers(1, machine.num_chips // ranks + 1))
    return np.asarray(rng.permutation(machine.num_chips)[: count * ranks].reshape(count, ranks))


MACHINES = [
    rf.torus((4, 4), "64 GB/s", "1 us", overhead="1 us"),
    rf.torus((5, 3), "64 GB/s", "1 us", wrap=(True, False)),
    rf.preset("trn2"),
    rf.preset("trn2-ultraserver"),
    rf.preset("rainier", chips=128),
]


@pytest.mark.parametrize("seed", range(30))
def test_several_listed_groups_are_their_sends_written_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    machine = MACHINES[seed % len(MACHINES)]
    groups = _some_groups(rng, machine)
    shift = int(rng.integers(1, groups.shape[1]))
    src, dst = groups.ravel(), np.roll(groups, -shift, axis=1).ravel()
    given = groups.tolist() if seed % 2 else groups
    for model in ("link_load", "fluid"):
        result = machine.send_recv(MIB, group=given, shift=shift, model=model)
        assert result.groups == len(groups)
        if model == "fluid":
            last = machine.finish_times(src, dst, MIB).max()
            assert result.time_s == pytest.approx(last, rel=1e-12)
        else:
            loads = machine.link_loads(src, dst, MIB)
            assert np.array_equal(result.link_loads().bytes, loads.bytes)


@pytest.mark.parametrize("seed", range(12))
def test_several_listed_groups_at_once_are_plans_together(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    machine = MACHINES[seed % 3]
    groups = _some_groups(rng, machine)
    for operation in ("all_to_all", "all_gather"):
        call = getattr(machine.plan, operation)
        plans = [call(MIB, group=group, algorithm="direct") for group in groups]
        together = max(one.time_s for one in machine.together(plans, model="fluid"))
        given = {"group": groups.tolist(), "algorithm": "direct", "model": "fluid"}
        assert getattr(machine, operation)(MIB, **given).time_s == pytest.approx(together, rel=1e-9)


def test_lists_of_an_hlo_take_what_they_take_together() -> None:
    trn2 = rf.preset("trn2")
    plans = [trn2.plan.all_reduce("64 MiB", group=group) for group in DIAGONALS]
    together = max(plan.time_s for plan in trn2.together(plans))
    text = "replica_groups={{0,5,10,15}, {1,6,11,12},{2,7,8,13},{3,4,9,14}}"
    for group in (DIAGONALS, np.array(DIAGONALS), text, [range(0, 16, 5), *DIAGONALS[1:]]):
        assert trn2.all_reduce("64 MiB", group=group).time_s == pytest.approx(together, rel=1e-9)
    # Far pairs meet on the links: one pair alone is no measure of all of them.
    pairs = [[at, at + 8] for at in range(8)]
    alone = trn2.all_reduce("64 MiB", group=pairs[0])
    assert trn2.all_reduce("64 MiB", group=pairs).time_s > 1.9 * alone.time_s
    plan = trn2.plan.all_reduce("64 MiB", group=DIAGONALS)
    assert plan.run().time_s == pytest.approx(together, rel=1e-9)
    assert plan.request.groups == as_groups(text, 16)
    assert pickle.loads(pickle.dumps(plan)) == plan
    assert trn2.times("all_reduce", ["64 MiB"], group=DIAGONALS).time_s[0] == plan.run().time_s


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("[4,2]<=[8]", [[0, 1], [2, 3], [4, 5], [6, 7]]),
        ("[4,2]<=[2,4]T(1,0)", [[0, 4], [1, 5], [2, 6], [3, 7]]),
        ("[2,4]<=[2,2,2]T(1,0,2)", [[0, 1, 4, 5], [2, 3, 6, 7]]),
        ("[2, 4] <= [2, 2, 2] T(2, 0, 1)", [[0, 2, 4, 6], [1, 3, 5, 7]]),
        ("replica_groups=[1,8]<=[8]", [list(range(8))]),
        ("[1,1]<=[1]", [[0]]),
        ("[4,2]<=[1,8,1]T(2,1,0)", [[0, 1], [2, 3], [4, 5], [6, 7]]),
        ("{{0,9},{4,1}}", [[0, 9], [4, 1]]),
        ("mesh['a'=2,'b'=4] {'b'}", [[0, 1, 2, 3], [4, 5, 6, 7]]),
        ("replica_groups=mesh['a'=2,'b'=4] {'a'}", [[0, 4], [1, 5], [2, 6], [3, 7]]),
        ("mesh['a'=2,'b'=2,'c'=2] {'c','a'}", [[0, 4, 1, 5], [2, 6, 3, 7]]),
        (  # jaxlib 0.10.2, a product summed over the axis of 4 of a mesh of 2 x 4
            "mesh['axis_0'=1,'axis_1'=4,'axis_2'=2], device_ids=([2,4]T(1,0)) {'axis_1'}",
            [[0, 1, 2, 3], [4, 5, 6, 7]],
        ),
        ("{}", [list(range(16))]),
    ],
)
def test_groups_as_hlo_writes_them(text: str, groups: list[list[int]]) -> None:
    assert as_groups(text, 16).to_array().tolist() == groups
    trn2 = rf.preset("trn2")
    said, listed = (trn2.all_gather(MIB, group=one) for one in (text, groups))
    assert said.time_s == listed.time_s


@pytest.mark.parametrize("seed", range(20))
def test_an_iota_is_counted_as_xla_does(seed: int) -> None:
    # By the definition, digit by digit, without an array that is turned.
    rng = np.random.default_rng(seed)
    dims = [int(size) for size in rng.choice([1, 2, 3, 4], rng.integers(1, 5))]
    axes = rng.permutation(len(dims)).tolist()
    ids = []
    for digits in itertools.product(*(range(dims[axis]) for axis in axes)):
        at = dict(zip(axes, digits, strict=True))
        place = 0
        for axis, size in enumerate(dims):
            place = place * size + at[axis]
        ids.append(place)
    ranks = int(rng.choice([one for one in range(1, len(ids) + 1) if len(ids) % one == 0]))
    words = ",".join(map(str, dims)), ",".join(map(str, axes))
    text = f"[{len(ids) // ranks},{ranks}]<=[{words[0]}]T({words[1]})"
    assert as_groups(text, 256).to_array().ravel().tolist() == ids, text


@pytest.mark.parametrize(
    ("group", "error", "argument"),
    [
        ([[0, 1], [2, 3, 4]], rf.InvalidArgument, "group"),
        ("{{0,1},{2,3,4}}", rf.InvalidArgument, "group"),
        ([[0, 1], [1, 2]], rf.InvalidArgument, "group"),
        ([[0, 1], [2, 16]], rf.OutOfRange, "group[1][1]"),
        (np.array([[0, 1], [2, 16]]), rf.OutOfRange, "group[1][1]"),
        ([[0, 1], 2], rf.InvalidArgument, "group"),
        ([[[0, 1]]], rf.InvalidArgument, "group"),
        ([[], []], rf.InvalidArgument, "group"),
        ([[True, False]], rf.InvalidType, "group[0]"),
        (["01", "23"], rf.InvalidType, "group[0]"),
        ("[4,2]<=[32]", rf.InvalidArgument, "group"),
        ("mesh['a'=2,'a'=2] {'a'}", rf.InvalidArgument, "group"),
        ("mesh['a'=8] {'b'}", rf.InvalidArgument, "group"),
        ("mesh['a'=0] {'a'}", rf.InvalidArgument, "group"),
        ("mesh['a'=8], device_ids=([4]) {'a'}", rf.InvalidArgument, "group"),
        ("mesh['a'=8] {'a':(1)2}", rf.InvalidArgument, "group"),
        ("mesh['a'=32] {'a'}", rf.OutOfRange, "group"),
        ("[16,2]<=[32]", rf.OutOfRange, "group"),
        ("[8]<=[8]", rf.InvalidArgument, "group"),
        ("[0,8]<=[0]", rf.InvalidArgument, "group"),
        ("[4,2]<=[2,4]T(0,0)", rf.InvalidArgument, "group"),
        ("[4,2]<=[2,4]T(0)", rf.InvalidArgument, "group"),
        ("{{0,-1}}", rf.InvalidArgument, "group"),
        ("0,1", rf.InvalidArgument, "group"),
        ("", rf.InvalidArgument, "group"),
    ],
)
def test_what_are_no_groups(group: object, error: type[Exception], argument: str) -> None:
    with raises(error, argument):
        rf.preset("trn2").all_reduce(MIB, group=group)


@pytest.mark.parametrize(
    ("machine", "axes", "apart"),
    [
        (rf.preset("trn2"), {"dp": 2, "cp": 2, "tp": 4}, ("dp", "tp")),
        (rf.preset("rainier", chips=128), {"dp": 4, "cp": 2, "tp": 16}, ("dp", "tp")),
        (rf.preset("rainier", chips=256), {"pp": 4, "dp": 4, "cp": 4, "tp": 4}, ("pp", "cp")),
        (rf.torus((6, 3), "64 GB/s", "1 us"), {"a": 3, "b": 2, "c": 3}, ("c", "a")),
    ],
)
def test_axes_with_another_between_are_their_listed_groups(
    machine: rf.Machine, axes: dict[str, int], apart: tuple[str, str]
) -> None:
    mesh, names = machine.mesh(axes), list(axes)
    chips = np.moveaxis(mesh.chips(), [names.index(name) for name in apart], [-2, -1])
    ranks = axes[apart[0]] * axes[apart[1]]
    groups = mesh.axis_groups(apart)
    mine, wanted = (sorted(one.tolist()) for one in (groups.to_array(), chips.reshape(-1, ranks)))
    assert mine == wanted
    for operation in ("all_reduce", "all_to_all", "send_recv"):
        by_axes = getattr(mesh, operation)(MIB, axis=apart)
        listed = getattr(machine, operation)(MIB, group=chips.reshape(-1, ranks))
        assert by_axes.time_s == pytest.approx(listed.time_s, rel=1e-12)
    shuffled = machine.mesh(axes, order=mesh.chips()[::-1])
    again = shuffled.all_reduce(MIB, axis=apart).time_s
    assert again == pytest.approx(mesh.all_reduce(MIB, axis=apart).time_s, rel=1e-9)


def test_axes_apart_of_half_a_million_chips_are_a_table() -> None:
    machine = rf.preset("rainier")
    mesh = machine.mesh(dp=-1, pp=16, cp=4, tp=16)
    groups = mesh.axis_groups(("dp", "tp"))
    assert (groups.count, groups.ranks) == (64, machine.num_chips // 64)
    assert len(pickle.dumps(groups)) < 100_000
    assert groups.members(0)[:17].tolist() == [*range(16), 1024]


def test_names_of_axes_are_checked() -> None:
    mesh = rf.preset("trn2").mesh(dp=2, cp=2, tp=4)
    with raises(rf.InvalidArgument, "axis"):
        mesh.axis_groups(("dp", "dp"))
    with raises(rf.UnknownName, "axis"):
        mesh.axis_groups(("dp", "pp"))


def _rings(v6e: rf.Machine) -> np.ndarray:
    """Rows of 8 chips that go round blocks of 4 x 2, as MaxText's ring of a mesh does."""
    there, back = range(4), range(3, -1, -1)
    return np.array(
        [
            [v6e.chip(x=4 * i + k, y=2 * j) for k in there]
            + [v6e.chip(x=4 * i + k, y=2 * j + 1) for k in back]
            for i in range(2)
            for j in range(8)
        ]
    )


def test_a_mesh_of_an_array_of_devices_is_one_of_that_order() -> None:
    # Axes of 8 of a slice of 8 x 16 do not wrap: round a block they close.
    v6e = rf.preset("tpu-v6e", shape=(8, 16)).without_latency()
    rings = _rings(v6e)
    mesh = v6e.mesh(devices=rings, names=("ep", "tp"))
    assert mesh == v6e.mesh(ep=16, tp=8, order=rings)
    assert mesh.shape == {"ep": 16, "tp": 8}
    time = mesh.all_reduce("64 MiB", axis="tp").time_s
    plain = v6e.mesh(ep=16, tp=8).all_reduce("64 MiB", axis="tp").time_s
    assert plain / time == pytest.approx(2, rel=0.01)
    best = v6e.best_mapping({"ep": 16, "tp": 8}, {"tp": ("all_reduce", "64 MiB")}).best
    assert time == pytest.approx(best.time_s, rel=1e-9)
    assert mesh.all_reduce("64 MiB", axis="ep").time_s > 0
    nested = v6e.mesh(devices=rings.reshape(2, 8, 8).tolist(), names=["a", "b", "c"])
    assert nested.all_reduce("64 MiB", axis="c").time_s == pytest.approx(time, rel=1e-12)
    flat = rf.preset("trn2").mesh(devices=range(16), names="x")
    assert flat == rf.preset("trn2").mesh(x=16)
    turned = rf.preset("trn2").mesh(devices=np.arange(16).reshape(4, 4).T, names=("a", "b"))
    assert turned.axis_groups("b").members(0).tolist() == [0, 4, 8, 12]


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"devices": range(16)}, "names"),
        ({"names": ("a",)}, "devices"),
        ({"devices": range(16), "names": ("a", "b")}, "names"),
        ({"devices": np.arange(16).reshape(4, 4), "names": ("a", "a")}, "names"),
        ({"devices": np.arange(16).reshape(4, 4), "names": ("a", 3)}, "names[1]"),
        ({"devices": range(8), "names": ("a",)}, "devices"),
        ({"devices": [*range(15), 0], "names": ("a",)}, "order"),
        ({"devices": [*range(15), 16], "names": ("a",)}, "order"),
        ({"devices": range(16), "names": ("a",), "order": range(16)}, "devices"),
        ({"devices": range(16), "names": ("a",), "dp": 16}, "devices"),
        ({"devices": 16, "names": ("a",)}, "names"),
        ({"devices": "all", "names": ("a",)}, "devices"),
    ],
)
def test_bad_devices(given: dict[str, object], argument: str) -> None:
    with raises(rf.RainierError, argument):
        rf.preset("trn2").mesh(**given)
