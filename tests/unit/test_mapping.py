"""`machine.best_mapping`: where the axes of a mesh belong, against trying everything."""

from __future__ import annotations

import itertools
import math
import pickle
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast import _core
from rainier_fast.ask.grid import GridGroups
from rainier_fast.collectives.run import run
from raising import raises

MIB = 2**20


def _cluster() -> rf.Machine:
    server = rf.UltraServer(
        name="small",
        chip=None,
        axes=(rf.Axis("x", 4, bandwidth="100 GB/s"), rf.Axis("y", 2, bandwidth="50 GB/s")),
        nic=rf.Nic("10 GB/s", "1 us", "0 s"),
    )
    tiers = (rf.Tier(2, oversubscription=2.0, latency="1 us"),)
    return rf.Cluster([rf.Site("here", 4, server, rf.Fabric(tiers))])


def _sites() -> rf.Machine:
    server = rf.UltraServer(
        name="small",
        chip=None,
        axes=(rf.Axis("x", 2, bandwidth="100 GB/s"), rf.Axis("y", 2, bandwidth="100 GB/s")),
        nic=rf.Nic("10 GB/s", "1 us", "0 s"),
    )
    sites = [rf.Site(name, 2, server, rf.Fabric(())) for name in ("here", "there")]
    return rf.Cluster(sites, wan=rf.Wan(bandwidth="20 GB/s", latency="1 ms"))


def _everything(machine: rf.Machine, sizes: list[int]) -> Iterator[np.ndarray]:
    """Give each binary digit of the chip numbers to some axis, in all ways."""
    digits = int(math.log2(machine.num_chips))
    assert 2**digits == machine.num_chips
    for owners in itertools.product(range(len(sizes)), repeat=digits):
        if any(2 ** owners.count(axis) != size for axis, size in enumerate(sizes)):
            continue
        total = np.zeros((), np.int64)
        for axis in range(len(sizes)):
            place = np.zeros(1, np.int64)
            for digit in range(digits):
                if owners[digit] == axis:
                    place = np.add.outer([0, 2**digit], place).ravel()
            total = np.add.outer(total, place)
        yield total


def _groups(machine: rf.Machine, chips: np.ndarray, axis: int) -> GridGroups:
    rows = np.sort(np.moveaxis(chips, axis, -1).reshape(-1, chips.shape[axis]), axis=1)
    inside = machine.ultraserver.num_chips
    locals_, domains = {}, {}
    for row in rows:
        locals_[tuple(sorted(set((row % inside).tolist())))] = None
        domains[tuple(sorted(set((row // inside).tolist())))] = None
    tables = (np.array(sorted(table), np.uint32) for table in (locals_, domains))
    groups = GridGroups.of(inside, *tables)
    assert np.array_equal(np.sort(groups.to_array(), axis=0), np.sort(rows, axis=0))
    return groups


@pytest.mark.parametrize(
    ("make", "axes"),
    [
        (_cluster, {"dp": 4, "tp": 8}),
        (_cluster, {"dp": -1, "pp": 2, "tp": 4}),
        (_sites, {"dp": 4, "tp": 4}),
        (_sites, {"dp": 2, "pp": 2, "tp": 4}),
    ],
)
@pytest.mark.parametrize("tp", ["all_reduce", "all_to_all", "all_gather"])
def test_it_finds_what_trying_everything_finds(
    make: Callable[[], rf.Machine], axes: dict[str, int], tp: str
) -> None:
    machine = make()
    traffic = {"tp": (tp, 4 * MIB, 3), "dp": ("all_reduce", 16 * MIB)}
    ranking = machine.best_mapping(axes, traffic, keep=1000)
    names = list(axes)
    sizes = [machine.mesh(**axes).shape[name] for name in names]
    times = []
    for chips in _everything(machine, sizes):
        total = 0.0
        for name, (operation, size, *count) in traffic.items():
            groups = _groups(machine, chips, names.index(name))
            total += (count or [1])[0] * run(machine, operation, size, group=groups).time_s
        times.append(total)
    # The property tests try reflected parts too.
    plain = [one.time_s for one in ranking.layouts if "reflected" not in one.text]
    assert len(plain) <= len(times)
    assert ranking.total == len(ranking)
    assert min(plain) == pytest.approx(min(times), rel=1e-12)
    # Symmetry leaves nothing out that has a time of its own.
    assert _distinct(plain) == _distinct(times)
    few = machine.best_mapping(axes, traffic, keep=3)
    assert few["time_s"].tolist() == ranking["time_s"][:3].tolist()
    assert few.tried <= few.total == ranking.total


def _distinct(times: list[float]) -> list[str]:
    return sorted({f"{time:.9e}" for time in times})


def test_a_tp_axis_of_16_belongs_on_a_plane_of_an_ultraserver() -> None:
    machine = rf.preset("trn2-ultraserver")
    traffic = {"tp": ("all_reduce", "64 MiB", 80), "dp": ("all_reduce", "256 MiB")}
    ranking = machine.best_mapping({"dp": -1, "tp": 16}, traffic, keep=100)
    assert ranking.best.text == "dp: z4; tp: x4, y4"
    assert ranking.best.mesh == machine.mesh(dp=4, tp=16)
    over_z = next(one for one in ranking.layouts if one.text == "dp: x4; tp: y4, z4")
    assert over_z.times["tp"] > 1.3 * ranking.best.times["tp"]
    assert "tp takes" in ranking["reason"][ranking.layouts.index(over_z)]


def test_a_layout_is_what_its_mesh_and_its_chips_are() -> None:
    machine = rf.preset("rainier", chips=2048, sites=3)
    traffic = {"tp": ("all_reduce", "64 MiB", 80), "dp": ("all_reduce", "1 GiB")}
    ranking = machine.best_mapping({"dp": -1, "pp": 4, "tp": 16}, traffic, keep=40)
    plain = 0
    for layout in ranking.layouts:
        chips = layout.chips
        assert chips.shape == (32, 4, 16)
        assert np.array_equal(np.sort(chips.ravel()), np.arange(2048))
        if layout.mesh._order is None:
            plain += 1
            order = list(layout.mesh.shape)
            back = [order.index(name) for name in ("dp", "pp", "tp")]
            assert np.array_equal(layout.mesh.chips().transpose(back), chips)
            for name, (operation, size, *count) in traffic.items():
                result = getattr(layout.mesh, operation)(size, axis=name)
                seconds = (count or [1])[0] * result.time_s
                assert seconds == pytest.approx(layout.times[name], rel=1e-9)
        again = machine.all_reduce("64 MiB", group=layout.groups("tp"))
        assert 80 * again.time_s == pytest.approx(layout.times["tp"])
    assert plain
    assert ranking.best.time_s == sum(ranking.best.times.values())


@pytest.mark.parametrize("operation", ["all_reduce", "all_gather", "reduce_scatter", "all_to_all"])
@pytest.mark.parametrize(
    "machine",
    [
        _cluster(),
        _sites(),
        rf.torus((4, 4), bandwidth=("100 GB/s", "50 GB/s")),
        rf.torus((8, 2), bandwidth="50 GB/s", wrap=(False, True)),
        rf.full_mesh(8, bandwidth="50 GB/s"),
        rf.switch(16, bandwidth="50 GB/s"),
        rf.preset("trn2-ultraserver"),
        rf.preset("trn3-ultraserver-gen2"),
    ],
    ids=["cluster", "sites", "torus", "line", "full_mesh", "switch", "trn2", "trn3"],
)
def test_nothing_beats_the_bound_that_leaves_layouts_out(
    machine: rf.Machine, operation: str
) -> None:
    for size in {math.gcd(machine.num_chips, 2**power) for power in range(1, 7)}:
        axes, traffic = {"dp": -1, "tp": size}, {"tp": (operation, 64 * MIB)}
        for layout in machine.best_mapping(axes, traffic, keep=1000).layouts:
            (result,) = layout.results["tp"]
            assert result.lower_bound_s <= result.time_s * (1 + 1e-9), layout


def test_groups_of_a_grid_are_checked() -> None:
    core = rf.torus((4,), bandwidth=1e9)._core
    one = np.array([[0]], np.uint32)
    for local, outer, word in (
        ([[0, 0]], [[0]], "locals"),
        ([[0, 4]], [[0]], "locals"),
        ([[0, 1]], [[1]], "domains"),
        (np.empty((0, 1)), [[0]], "locals"),
    ):
        with raises(rf.RainierError, word):
            _core.Groups.grid(core, np.array(local, np.uint32), np.array(outer, np.uint32))
    with raises(rf.RainierError, "ranks"):
        GridGroups(4, 2, 0, b"", one.tobytes(), one.tobytes(), 1, 4)
    groups = GridGroups.of(1, one, np.array([[0, 2], [1, 3]], np.uint32))
    assert eval(repr(groups)) == groups
    assert groups.to_array().tolist() == [[0, 2], [1, 3]]


def test_sends_to_the_next_rank_take_time() -> None:
    machine = rf.preset("trn2-ultraserver")
    best = machine.best_mapping({"pp": 4, "tp": 16}, {"pp": ("send_recv", "1 MiB", 2)}).best
    assert best.times["pp"] == 2 * best.results["pp"][0].time_s > 0


def test_prime_factors_of_three_and_axes_that_are_free() -> None:
    machine = rf.torus((6, 3), bandwidth="50 GB/s")
    ranking = machine.best_mapping({"dp": 3, "ep": 2, "tp": 3}, {"tp": ("all_gather", MIB)})
    # 6 = 2 x 3 is cut in either order; what dp and ep have does not matter to tp.
    assert ranking.total == len(set(ranking["layout"]))
    assert ranking.best.text.endswith("tp: y3")
    assert "dp_s" not in ranking.columns


@pytest.mark.parametrize(
    ("algorithm", "sent"), [("auto", []), ("bruck", []), ("auto", [("send_recv", 0)])]
)
def test_equal_rings_are_told_apart(algorithm: str, sent: list[tuple[str, int]]) -> None:
    # Ranks are counted along x first: a sub-grid of 4 x 12 takes other steps than one of 12 x 4.
    machine = rf.torus((12, 12), "64 GB/s", "1 us", overhead="1 us")
    axes = {"a": 48, "b": 3}
    traffic = {"a": [("reduce_scatter", 1e5), *sent], "b": ("reduce_scatter", 0)}
    ranking = machine.best_mapping(axes, traffic, keep=1000, algorithm=algorithm)
    assert len(ranking) == 10  # of which four are reflected
    assert ranking["a_s"].max() > 1.2 * ranking["a_s"].min()
    for keep in (1, 2, 4):
        few = machine.best_mapping(axes, traffic, keep=keep, algorithm=algorithm)
        assert few["time_s"].tolist() == ranking["time_s"][:keep].tolist()
        assert few["layout"].tolist() == ranking["layout"][:keep].tolist()


def test_switches_have_no_order() -> None:
    machine = rf.switch(16, bandwidth="50 GB/s")
    assert machine.best_mapping({"dp": 4, "tp": 4}, {"tp": ("all_reduce", MIB)}).total == 1
    rows = _core.mapping_dimensions(rf.full_mesh(4, bandwidth=1e9)._core)
    assert rows == [("x", 4, 1, True, False)]


def test_one_chip_and_one_axis() -> None:
    alone = rf.torus((1,), bandwidth="50 GB/s")
    assert alone.best_mapping({"dp": 1}, {"dp": ("all_reduce", 1)}).best.time_s == 0
    ring = rf.torus((4,), bandwidth="50 GB/s")
    ranking = ring.best_mapping({"dp": -1}, {"dp": [("all_reduce", 1e6), ("barrier", 0, 2)]})
    assert (ranking.total, ranking.tried, len(ranking.best.results["dp"])) == (1, 1, 2)


def test_layouts_are_counted_without_being_listed() -> None:
    machine, calls = rf.preset("rainier"), {"tp": ("all_gather", MIB)}
    assert machine.best_mapping({"dp": 8192, "pp": 4, "tp": 16}, calls, keep=1).total == 73_245


def test_every_collective_has_a_row_and_the_longest_is_named() -> None:
    machine = rf.preset("rainier", chips=2048)
    calls = [("all_reduce", "64 MiB", 80), ("all_gather", "1 GiB")]
    traffic = {"tp": calls, "dp": ("all_reduce", "1 GiB", 2), "pp": ("send_recv", MIB)}
    best = machine.best_mapping({"dp": -1, "pp": 4, "tp": 16}, traffic).best
    rows = best.collectives
    assert rows["axis"].tolist() == ["dp", "pp", "tp", "tp"]
    assert rows["operation"].tolist() == ["all_reduce", "send_recv", "all_reduce", "all_gather"]
    assert rows["count"].tolist() == [2, 1, 80, 1]
    assert rows["time_s"].tolist() == (rows["count"] * rows["seconds"]).tolist()
    assert rows["share"].sum() == pytest.approx(1)
    assert rows["time_s"].sum() == pytest.approx(best.time_s, rel=1e-12)
    runs = [result for some in best.results.values() for result in some]
    assert [run.time_s for run in runs] == pytest.approx(
        [rows["seconds"][at] for at in (0, 1, 2, 3)], rel=1e-12
    )
    assert [run.algorithm for run in runs] == rows["algorithm"].tolist()
    longest = int(np.argmax(rows["time_s"]))
    assert best.bottleneck.startswith(f"{rows['axis'][longest]} {rows['operation'][longest]}, ")
    assert best.bottleneck.endswith(f"bounded by {rows['bottleneck'][longest]}")


def test_counts_decide_what_bounds_an_axis() -> None:
    calls = [("all_reduce", "1 KiB", 100_000), ("all_gather", "1 GiB")]
    best = rf.preset("trn2").best_mapping({"dp": 4, "tp": 4}, {"tp": calls}).best
    assert best.bottlenecks == {"tp": "latency"}


def test_progress_and_text() -> None:
    machine = rf.preset("trn2-ultraserver")
    seen: list[tuple[int, int]] = []
    ranking = machine.best_mapping(
        {"dp": -1, "tp": 16},
        {"tp": ("all_reduce", "64 MiB")},
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[0] == (0, ranking.total)
    assert seen[-1] == (ranking.total, ranking.total)
    assert str(ranking).startswith(f"{ranking.total} layouts, {ranking.tried} of them")
    again = pickle.loads(pickle.dumps(ranking))
    assert again["time_s"].tolist() == ranking["time_s"].tolist()
    assert again.best.text == ranking.best.text
    assert repr(ranking.best).startswith(f"<MeshLayout {ranking.best.text}: ")


@pytest.mark.parametrize(
    ("axes", "traffic", "error", "word"),
    [
        ({"dp": 3}, {"dp": ("all_reduce", 1)}, rf.InvalidArgument, "axes"),
        ({"dp": 16}, {"tp": ("all_reduce", 1)}, rf.UnknownName, "axis of traffic"),
        ({"dp": 16}, {"dp": ("all_reduced", 1)}, rf.UnknownName, "collective of traffic['dp']"),
        ({"dp": 16}, {"dp": "all_reduce"}, rf.InvalidType, "traffic['dp']"),
        ({"dp": 16}, {"dp": ()}, rf.InvalidType, "traffic['dp']"),
        ({"dp": 16}, {"dp": ("all_reduce",)}, rf.InvalidType, "traffic['dp']"),
        ({"dp": 16}, {"dp": ("all_reduce", -1)}, rf.InvalidArgument, "size of traffic['dp']"),
        ({"dp": 16}, {"dp": ("all_reduce", 1, 0)}, rf.InvalidArgument, "count of traffic['dp']"),
        ({"dp": 16}, {}, rf.InvalidArgument, "traffic"),
        ({"dp": 16}, [], rf.InvalidType, "traffic"),
    ],
)
def test_bad_arguments(
    axes: dict[str, int], traffic: object, error: type[Exception], word: str
) -> None:
    with raises(error, word):
        rf.preset("trn2").best_mapping(axes, traffic)


def test_what_has_no_mapping_says_so() -> None:
    trn2 = rf.preset("trn2")
    calls = {"dp": ("all_reduce", 1)}
    with raises(rf.InvalidArgument, "keep"):
        trn2.best_mapping({"dp": 16}, calls, keep=0)
    with raises(rf.UnknownName, "model"):
        trn2.best_mapping({"dp": 16}, calls, model="guess")
    with raises(rf.Unsupported, None, "machine.healthy()"):
        trn2.with_faults(links=[0]).best_mapping({"dp": 16}, calls)
    with raises(rf.Unsupported, None, "'nccl'"):
        trn2.best_mapping({"dp": 4, "tp": 4}, calls, algorithm="nccl")


def test_four_axes_of_a_large_machine_are_ranked_by_few_prices() -> None:
    machine = rf.preset("rainier", chips=65_536)
    ranking = machine.best_mapping(
        {"dp": -1, "pp": 16, "cp": 4, "tp": 16},
        {
            "dp": ("all_reduce", "1 GiB"),
            "pp": ("send_recv", "16 MiB", 64),
            "cp": ("all_gather", "32 MiB", 40),
            "tp": ("all_reduce", "64 MiB", 80),
        },
    )
    assert ranking.total == ranking.tried + ranking.pruned == 1_347_018
    # A work count, not a time: 491 when this was written, most of them sends.
    assert ranking.priced <= 600


def _rows_0_and_3(planes: int) -> np.ndarray:
    """Groups of 8 chips, rows 0 + 3 and 1 + 2 of every 4 x 4, as neuronx-distributed lays TP 32."""
    rows = np.arange(16 * planes).reshape(planes, 4, 4)
    return np.concatenate([rows[:, [0, 3]].reshape(-1, 8), rows[:, [1, 2]].reshape(-1, 8)])


@pytest.mark.parametrize(
    ("size", "reflected_us", "plain_us"),
    [
        ("4 KiB", 6.08, 7.58),
        ("64 KiB", 7.28, 8.78),
        ("1 MiB", 25.86, 27.36),
        ("64 MiB", 849.63, 851.13),
    ],
)
def test_rows_0_and_3_of_an_instance_beat_every_plain_split(
    size: str, reflected_us: float, plain_us: float
) -> None:
    trn2 = rf.preset("trn2")
    pairs = np.concatenate([[[at, at + 4], [at + 8, at + 12]] for at in range(4)])
    listed = _rows_0_and_3(1), pairs
    by_hand = sum(trn2.all_reduce(size, group=groups).time_s for groups in listed)
    calls = {"big": ("all_reduce", size), "small": ("all_reduce", size)}
    ranking = trn2.best_mapping({"big": 8, "small": 2}, calls, keep=1000)
    assert ranking.best.time_s == pytest.approx(by_hand, rel=1e-9)
    assert ranking.best.time_s == pytest.approx(reflected_us * 1e-6, rel=2e-3)
    plain = min(one.time_s for one in ranking.layouts if "reflected" not in one.text)
    assert plain == pytest.approx(plain_us * 1e-6, rel=2e-3)
    mesh = trn2.mesh(big=8, small=2, order=ranking.best)
    times = [mesh.all_reduce(size, axis=axis).time_s for axis in ("big", "small")]
    assert sum(times) == pytest.approx(by_hand, rel=1e-9)


@pytest.mark.parametrize(
    ("size", "ratio"), [("4 KiB", 0.86), ("64 KiB", 0.875), ("1 MiB", 0.95), ("64 MiB", 0.998)]
)
def test_reflected_splits_of_an_ultraserver(size: str, ratio: float) -> None:
    machine = rf.preset("trn2-ultraserver")
    calls = {"dp": ("all_reduce", size), "tp": ("all_reduce", size)}
    ranking = machine.best_mapping({"dp": 32, "tp": 2}, calls, keep=2000)
    plain = min(one.time_s for one in ranking.layouts if "reflected" not in one.text)
    assert ranking.best.time_s / plain == pytest.approx(ratio, abs=0.006)
    assert "reflected" in ranking.best.text


def test_a_reflected_layout_is_said_kept_and_checked() -> None:
    trn2 = rf.preset("trn2")
    calls = {"tp": ("all_reduce", "4 KiB"), "dp": ("all_reduce", "4 KiB")}
    best = trn2.best_mapping({"dp": 2, "tp": 8}, calls).best
    assert best.text.count("reflected") == 1
    assert "every 2 reflected" in best.text
    again = pickle.loads(pickle.dumps(best))
    assert again == best
    assert again.mesh == best.mesh == trn2.mesh(dp=2, tp=8, order=best.chips)
    for axis in ("dp", "tp"):
        assert sorted(map(sorted, best.groups(axis).to_array().tolist())) == sorted(
            map(sorted, best.mesh.axis_groups(axis).to_array().tolist())
        )
    turned = trn2.mesh(tp=8, dp=2, order=best)
    assert turned.axis_groups("tp").to_array().tolist() == best.groups("tp").to_array().tolist()
    # An odd number of turns, a part of a line, the lowest digit: none of these closes round.
    for cuts in (
        [[(0, 2, False), (1, 3, True)], [(0, 4, False)]],
        [[(0, 2, True), (1, 3, False)], [(0, 4, False)]],
        [[(1, 3, False), (0, 2, False)], [(0, 2, False), (0, 2, True)]],
    ):
        torus = rf.torus((6, 4), bandwidth=1e9, wrap=(True, False))
        with raises(rf.InvalidArgument, "order"):
            _core.Order.of_layout(torus._core, [8, 3], cuts)
