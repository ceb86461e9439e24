"""Every public call x every kind of bad input: a RainierError that names the argument.

And the odd inputs that are good: empty, non-contiguous, big-endian and read-only arrays, numpy
scalars, objects with ``__array__``.
"""
# ruff: noqa: E501 - one case a line

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

NAN, INF, HUGE = math.nan, math.inf, 2**70
RING = rf.torus(8, "1 GB/s", "1 us")
SWITCH = rf.switch(8, "1 GB/s")
CLUSTER = rf.preset("rainier", chips=192, sites=3)
MESH = CLUSTER.mesh(dp=3, tp=64)
LOADS = RING.link_loads(0, 1, 1000)
ROUTE = RING.route(0, 3)

Case = tuple[Callable[[Any], object], str, list[Any]]

NOT_NUMBERS: list[Any] = [None, "", "many", b"1", [], {}, object(), 1j, True, np.True_]
NOT_SIZES: list[Any] = [*NOT_NUMBERS, -1, -0.5, NAN, INF, -INF, "1 parsec", "-1 B", HUGE, 10**400]
NOT_RATES: list[Any] = [*NOT_NUMBERS, 0, -1, NAN, INF, "0 B/s", "5 GB", 10**400]
NOT_TIMES: list[Any] = [*NOT_NUMBERS, -1, NAN, INF, "5 GB", 10**400]
NOT_INTEGERS: list[Any] = [None, "3", 3.0, 1j, True, [3], np.float64(3), object(), b"3"]
NOT_COUNTS: list[Any] = [*NOT_INTEGERS, 0, -1, HUGE, -HUGE]
NOT_CHIPS: list[Any] = [*NOT_INTEGERS, -1, 8, HUGE, -HUGE, np.uint64(2**63)]
NOT_NAMES: list[Any] = [None, "", "nothing", 3, b"ring", ["ring"], object()]
NOT_COLUMNS: list[Any] = [
    None,
    "0123",
    b"0123",
    3.0,
    True,
    {0: 1},
    {0, 1},
    iter([0]),
    object(),
    [0.0, 1.0],
    [True, False],
    [0, True],
    [np.True_, 0],
    ["0"],
    [None],
    [[0], [1, 2]],
    [1j],
    [-1],
    [8],
    [0, HUGE],
    [0, -HUGE],
    [2**63, -1],
    np.zeros((2, 2), np.int64),
    np.zeros(2),
    np.zeros(2, bool),
    np.zeros(2, object),
    np.zeros(2, "U1"),
    np.zeros(2, "S1"),
    np.zeros(2, "M8[s]"),
    np.zeros(2, "m8[s]"),
    np.zeros(2, complex),
    np.array([0, 2**64 - 1], np.uint64),
    np.array([0, -1], np.int32),
    np.ma.masked_array([0, 1], [False, True]),
]
NOT_BYTES: list[Any] = [
    None,
    "many",
    -1,
    NAN,
    INF,
    HUGE,
    True,
    object(),
    [1.0, -1.0],
    [1.0, NAN],
    [1.0, INF],
    [1.0, 1e300],
    [1, HUGE],
    [1, 10**400],
    [1.0],
    [1.0, 1.0, 1.0],
    [],
    ["1 KiB", "1 KiB"],
    [None, None],
    [True, True],
    [1j, 1j],
    np.ones((2, 1)),
    np.ones(2, bool),
    np.ones(2, complex),
    np.ones(2, "m8[s]"),
    np.ma.masked_array([1.0, 1.0], [False, True]),
]
NOT_GROUPS: list[Any] = [
    3,
    "0123",
    [],
    [0, 0],
    [-1],
    [192],
    [HUGE],
    [0.0],
    [True, False],
    np.zeros((2, 2), np.int64),
    np.ones(192, bool),
    slice(4),
    rf.preset("rainier", chips=64).mesh(dp=1, tp=64).axis_groups("tp"),
]
NOT_ROUTINGS: list[Any] = [None, "", "quickest", 3, object(), rf.DimensionOrder(order=["x"])]

COLLECTIVES = ["all_reduce", "reduce_scatter", "all_gather", "all_to_all"]
COLLECTIVES += ["broadcast", "reduce", "gather", "scatter", "send_recv"]
ROOTED = ["broadcast", "reduce", "gather", "scatter"]


def collective(name: str, **given: Any) -> object:
    return getattr(CLUSTER, name)(**({"size": 1000} | given))


def on_mesh(name: str, **given: Any) -> object:
    return getattr(MESH, name)(**({"size": 1000, "axis": "tp"} | given))


CASES: dict[str, Case] = {
    "torus.shape": (lambda x: rf.torus(x, 1e9), "shape", [None, "4", 4.0, True, 0, -1, (), (4, 0), (4, -1), (4, 2.0), (4, True), (HUGE,), (2**16, 2**16), (1,) * 17]),
    "torus.bandwidth": (lambda x: rf.torus((4, 4), x), "bandwidth", [*NOT_RATES, (1e9,), (1e9, 0), (1e9, None)]),
    "torus.latency": (lambda x: rf.torus((4, 4), 1e9, x), "latency", [*NOT_TIMES, (0,), (0, -1), (0, NAN)]),
    "torus.wrap": (lambda x: rf.torus((4, 4), 1e9, wrap=x), "wrap", [None, 1, "yes", (True,), (True, 1)]),
    "torus.overhead": (lambda x: rf.torus(4, 1e9, overhead=x), "overhead", NOT_TIMES),
    "torus.name": (lambda x: rf.torus(4, 1e9, name=x), "name", [3, "", "\n", b"n"]),
    "switch.chips": (lambda x: rf.switch(x, 1e9), "chips", NOT_COUNTS),
    "switch.bandwidth": (lambda x: rf.switch(8, x), "bandwidth", NOT_RATES),
    "switch.latency": (lambda x: rf.switch(8, 1e9, x), "latency", NOT_TIMES),
    "switch.tiers": (lambda x: rf.switch(8, 1e9, tiers=x), "tiers", [None, 3, [3], [rf.Tier(4), rf.Tier(6)]]),
    "full_mesh.chips": (lambda x: rf.full_mesh(x, 1e9), "chips", NOT_COUNTS),
    "full_mesh.bandwidth": (lambda x: rf.full_mesh(8, x), "bandwidth", NOT_RATES),
    "domain.ultraserver": (lambda x: rf.domain(x), "ultraserver", [None, RING, "TRN2_ULTRASERVER"]),
    "preset.name": (lambda x: rf.preset(x), "preset", NOT_NAMES),
    "preset.chips": (lambda x: rf.preset("rainier", chips=x), "chips", [*NOT_COUNTS[1:], 63, 65, 2**32]),
    "preset.sites": (lambda x: rf.preset("rainier", chips=128, sites=x), "sites", [*NOT_COUNTS[1:], 3, 4]),
    "preset.sites without chips for them": (lambda x: rf.preset("rainier", chips=x, sites=3), "chips", [64, 128]),
    "preset.sites of others": (lambda x: rf.preset(x, sites=2), "sites", ["trn2", "h100", "tpu-v5p"]),
    "preset.chips of trn2": (lambda x: rf.preset("trn2", chips=x), "chips", [16, 0, "16"]),
    "preset.chips of h100": (lambda x: rf.preset("h100", chips=x), "chips", [*NOT_COUNTS[1:], 7, 12, 2**33]),
    "preset.chips of tpu-v5p": (lambda x: rf.preset("tpu-v5p", chips=x), "chips", [64, 0, "64"]),
    "preset.shape": (lambda x: rf.preset("tpu-v5p", shape=x), "shape", ["4x4x4", 4, 4.0, (), (4, 4), (4, 4, 0), (4, 4, -4), (4, 4, 5), (1, 1, 1), (3, 3, 3), (2, 4, 8), (4, 4, 4.0), (4, 4, True), (64, 64, 64), (4, 4, HUGE), [None] * 3, {4: 1}]),
    "preset.shape of tpu-v5e": (lambda x: rf.preset("tpu-v5e", shape=x), "shape", [(16, 16, 1), (3, 4), (32, 8), (1, 2), (16,)]),
    "preset.shape of others": (lambda x: rf.preset(x, shape=(4, 4, 4)), "shape", ["rainier", "trn2", "h100", "maia-200"]),
    "preset.twisted": (lambda x: rf.preset("tpu-v4", shape=(4, 4, 8), twisted=x), "twisted", [None, 1, "yes", True]),
    "preset.twisted of others": (lambda x: rf.preset(x, twisted=True), "twisted", ["rainier", "trn2", "h100", "tpu-v5e"]),
    "compare.machines": (lambda x: rf.compare(x, "barrier"), "machines", [None, [], 3, [3], "trn2", RING, [None], {"trn2"}, iter(["trn2"])]),
    "compare.preset": (lambda x: rf.compare(["trn2", x], "barrier"), "preset", ["", "nothing", "TRN2"]),
    "compare.collective": (lambda x: rf.compare([RING], x, 1), "collective", [*NOT_NAMES, "allreduce"]),
    "compare.size": (lambda x: rf.compare([RING], "all_reduce", x), "size", NOT_SIZES),
    "compare.size of barrier": (lambda x: rf.compare([RING], "barrier", x), "size", [0, 1, "1 GiB"]),
    "compare.group_chips": (lambda x: rf.compare([RING, SWITCH], "barrier", group_chips=x), "group_chips", [*NOT_COUNTS[1:], 9]),
    "compare.group_chips and group": (lambda x: rf.compare([RING], "barrier", group_chips=2, group=x), "group_chips", [[0, 1]]),
    "compare.options": (lambda x: rf.compare([RING], "all_reduce", 1, **x), "option", [{"colour": "red"}, {"op": 1}]),
    "compare.root of none": (lambda x: rf.compare([RING], "all_reduce", 1, root=x), "root", [1]),
    "compare.shift of none": (lambda x: rf.compare([RING], "all_reduce", 1, shift=x), "shift", [1]),
    "compare.algorithm": (lambda x: rf.compare([RING], "all_reduce", 1, algorithm=x), "algorithm", NOT_NAMES[:-2]),
    "compare.model": (lambda x: rf.compare([RING], "all_reduce", 1, model=x), "model", NOT_NAMES),
    "compare.root": (lambda x: rf.compare([RING], "broadcast", 1, root=x), "root", [*NOT_INTEGERS, -1, 8]),
    "Cluster.sites": (lambda x: rf.Cluster(x), "sites", [None, [], 3, [3], "site", {"a": 1}, [CLUSTER.sites[0]] * 2]),
    "Cluster.wan": (lambda x: rf.Cluster(CLUSTER.sites, x), "wan", [None, 3, rf.Wan([[0, 1e9], [1e9, 0]], 0)]),
    "Cluster.name": (lambda x: rf.Cluster(CLUSTER.sites[:1], name=x), "name", [3, "", "\n"]),
    "peak_flops.dtype": (lambda x: CLUSTER.peak_flops(x), "dtype", NOT_NAMES),
    "coordinates.chips": (lambda x: RING.coordinates(x), "chips", NOT_COLUMNS),
    "chip.x": (lambda x: RING.chip(x=x), "x", [one for one in NOT_COLUMNS if getattr(one, "ndim", 1) < 2]),
    "chip.site": (lambda x: CLUSTER.chip(site=x), "site", [3, -1, "ohio", None, 1.0, [0, 3]]),
    "chip.ultraserver": (lambda x: CLUSTER.chip(site=1, ultraserver=x), "ultraserver", [1, -1, None, [0, 1]]),
    "chip.w": (lambda x: RING.chip(w=x), "coordinate", [0]),
    "route.src": (lambda x: RING.route(x, 0), "src", NOT_CHIPS),
    "route.dst": (lambda x: RING.route(0, x), "dst", NOT_CHIPS),
    "route.routing": (lambda x: SWITCH.route(0, 1, x), "routing", [*NOT_ROUTINGS[:-1], "adaptive", "valiant"]),
    "link": (lambda x: RING.link(x), "link", [*NOT_INTEGERS, -1, 16, HUGE]),
    "Route.time_s.size": (lambda x: ROUTE.time_s(x), "size", NOT_SIZES),
    "Route.time_s.switching": (lambda x: ROUTE.time_s(1, x), "switching", NOT_NAMES),
    "link_loads.src": (lambda x: RING.link_loads(x, [0, 1], 1), "src", NOT_COLUMNS),
    "link_loads.dst": (lambda x: RING.link_loads([0, 1], x, 1), "dst", [*NOT_COLUMNS, [0], [0, 1, 2], []]),
    "link_loads.nbytes": (lambda x: RING.link_loads([0, 1], [1, 2], x), "nbytes", NOT_BYTES),
    "link_loads.routing": (lambda x: SWITCH.link_loads(0, 1, 1, x), "routing", [*NOT_ROUTINGS[:-1], "adaptive", "valiant"]),
    "link_loads.n_threads": (lambda x: RING.link_loads(0, 1, 1, n_threads=x), "n_threads", [*NOT_INTEGERS[1:], 0, -1, HUGE, 1025]),
    "link_loads.progress": (lambda x: RING.link_loads(0, 1, 1, progress=x), "progress", [3, "print"]),
    "order": (lambda x: CLUSTER.route(0, 5, rf.DimensionOrder(order=x)), "order", [["x"], ["x", "x", "y"], [0, 1, 3], ["x", "y", "w"], [0, 1, 2, 2]]),
    "traffic.pattern": (lambda x: RING.traffic(x, 1), "pattern", NOT_NAMES),
    "traffic.bytes_per_chip": (lambda x: RING.traffic("tornado", x), "bytes_per_chip", NOT_SIZES),
    "traffic.seed": (lambda x: RING.traffic("permutation", 1, seed=x), "seed", [*NOT_INTEGERS[1:], -1, HUGE]),
    "traffic.seed of others": (lambda x: RING.traffic(x, 1, seed=1), "seed", ["uniform", "tornado", "neighbor"]),
    "traffic.shift": (lambda x: RING.traffic("neighbor", 1, shift=x), "shift", ["1", 1.0, True, [], [1, 1], [1.0], HUGE, [HUGE]]),
    "traffic.shift of others": (lambda x: RING.traffic(x, 1, shift=1), "shift", ["uniform", "permutation"]),
    "utilisation.time": (lambda x: LOADS.utilisation(x), "time", [*NOT_TIMES, 0]),
    "top.n": (lambda x: LOADS.top(x), "n", NOT_COUNTS),
    "algorithms.operation": (lambda x: rf.algorithms(x), "operation", NOT_NAMES[1:]),
    "mesh": (lambda x: RING.mesh(dp=x), "", [None, 0, -2, 3, 2.0, True, "8", HUGE]),
    "mesh of two": (lambda x: RING.mesh(**x), "", [{}, {"a": -1, "b": -1}, {"a": -1, "b": 3}, {"a": 2, "b": 3}]),
    "mesh.chips": (lambda x: MESH.chips(tp=x), "tp", [*NOT_INTEGERS, -1, 64, HUGE]),
    "mesh.axis_groups": (lambda x: MESH.axis_groups(x), "axis", [None, "", "pp", 3, [], [3], ("tp", "tp")]),
    "mesh.members": (lambda x: MESH.axis_groups("tp").members(x), "index", [*NOT_INTEGERS, -1, 3]),
    "barrier.group": (lambda x: CLUSTER.barrier(group=x), "group", NOT_GROUPS),
    "Table.column": (lambda x: LOADS.by_class()[x], "column", [*NOT_NAMES, 0]),
}  # fmt: skip
for name in COLLECTIVES:
    CASES |= {
        f"{name}.size": (lambda x, n=name: collective(n, size=x), "size", [*NOT_SIZES, 2e18]),  # type: ignore[misc]
        f"{name}.group": (lambda x, n=name: collective(n, group=x), "group", NOT_GROUPS),  # type: ignore[misc]
        f"{name}.algorithm": (lambda x, n=name: collective(n, algorithm=x), "algorithm", [*NOT_NAMES[:-2], [3], [], object()]),  # type: ignore[misc]
        f"{name}.model": (lambda x, n=name: collective(n, model=x), "model", NOT_NAMES),  # type: ignore[misc]
        f"{name}.routing": (lambda x, n=name: collective(n, routing=x), "r", NOT_ROUTINGS),  # type: ignore[misc]
        f"{name}.chunks": (lambda x, n=name: collective(n, chunks=x), "chunks", NOT_COUNTS[1:]),  # type: ignore[misc]
        f"mesh.{name}.axis": (lambda x, n=name: on_mesh(n, axis=x), "axis", [None, "pp", 3, []]),  # type: ignore[misc]
    }  # fmt: skip
for name in ROOTED:
    CASES[f"{name}.root"] = (lambda x, n=name: collective(n, root=x), "root", [*NOT_INTEGERS, -1, 192, HUGE])  # type: ignore[misc]  # fmt: skip
CASES["send_recv.shift"] = (
    lambda x: CLUSTER.send_recv(1, shift=x),
    "shift",
    [*NOT_INTEGERS, HUGE, -HUGE],
)

FLAT = [
    pytest.param(call, named, value, id=f"{name}-{at}")
    for name, (call, named, values) in CASES.items()
    for at, value in enumerate(values)
]


@pytest.mark.parametrize(("call", "named", "value"), FLAT)
def test_bad_input_is_refused_by_name(
    call: Callable[[Any], object], named: str, value: Any
) -> None:
    with pytest.raises(rf.RainierError) as caught:
        call(value)
    message = str(caught.value)
    assert named in message
    assert len(message) < 600
    assert "\n" not in message


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ([0, 1, 9], "src[2]"),
        (np.array([0, -5], np.int16), "src[1]"),
        ([HUGE, 1], "src[0]"),
    ],
)
def test_a_chip_out_of_range_is_named_with_its_place(values: Any, place: str) -> None:
    with raises(rf.OutOfRange, place):
        RING.link_loads(values, np.zeros(len(values), int), 1)


def test_a_bad_size_is_named_with_its_place() -> None:
    with raises(rf.InvalidArgument, "nbytes[1]"):
        RING.link_loads([0, 1], [1, 2], [1.0, NAN])


class Column:
    """What torch tensors and pandas series look like to numpy."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:  # noqa: FBT001
        return np.array([0, 2, 4], dtype)


READ_ONLY = np.array([0, 2, 4])
READ_ONLY.flags.writeable = False
UNALIGNED = np.frombuffer(b"\0" + np.array([0, 2, 4]).tobytes(), np.int64, offset=1)


@pytest.mark.parametrize(
    "column",
    [
        [0, 2, 4],
        (0, 2, 4),
        range(0, 6, 2),
        np.arange(6)[::2],
        np.array([4, 2, 0])[::-1],
        np.array([0, 2, 4], ">i8"),
        np.array([0, 2, 4], ">u4")[::1],
        np.array([0, 2, 4], np.uint8),
        np.array([[0, 2, 4]])[0],
        np.zeros((3, 2), np.int64)[:, 0] + [0, 2, 4],
        memoryview(np.array([0, 2, 4])),
        READ_ONLY,
        UNALIGNED,
        Column(),
        [np.int8(0), np.uint64(2), 4],
    ],
    ids=lambda column: str(column).split(" at 0x")[0],  # addresses differ between processes
)
def test_odd_but_good_columns(column: Any) -> None:
    expected = RING.link_loads([0, 2, 4], 7, [1, 2, 3])
    assert RING.link_loads(column, 7, [1, 2, 3]) == expected
    assert RING.coordinates(column)["x"].tolist() == [0, 2, 4]


@pytest.mark.parametrize(
    "sizes",
    [
        [1, 2, 3],
        np.array([1, 2, 3], ">f8"),
        np.array([1, 2, 3], np.float16),
        np.array([1, 0, 2, 0, 3, 0], np.uint8)[::2],
        np.array([1, 2, 3], ">i2"),
        range(1, 4),
    ],
    ids=str,
)
def test_odd_but_good_sizes(sizes: Any) -> None:
    assert RING.link_loads([0, 2, 4], 7, sizes) == RING.link_loads([0, 2, 4], 7, [1.0, 2.0, 3.0])


@pytest.mark.parametrize("size", ["8 B", 8, 8.0, np.int8(8), np.float32(8), np.array(8)])
def test_one_size_for_all(size: Any) -> None:
    assert RING.link_loads([0, 2], 7, size) == RING.link_loads([0, 2], 7, [8, 8])


@pytest.mark.parametrize("empty", [[], (), range(0), np.zeros(0), np.zeros(0, np.int32)], ids=str)
def test_no_messages_load_nothing(empty: Any) -> None:
    for sizes in ("1 GiB", [], np.zeros(0)):
        loads = RING.link_loads(empty, empty, sizes)
        assert loads.bytes.shape == (16,)
        assert not loads.bytes.any()
    assert RING.link_loads(empty, 3, 1).time_s == 0
    assert len(RING.coordinates(empty)) == 0


def test_numpy_scalars_are_integers() -> None:
    assert RING.route(np.int32(0), np.uint8(3)) == RING.route(0, 3)
    assert rf.torus(np.array([4, 4]), 1e9) == rf.torus((4, 4), 1e9)
    assert rf.preset("rainier", chips=np.int64(128)).num_chips == 128
    assert CLUSTER.broadcast(1, root=np.int8(3)) == CLUSTER.broadcast(1, root=3)
    assert CLUSTER.all_reduce(1, group=range(3)) == CLUSTER.all_reduce(1, group=np.arange(3))


def test_an_exception_in_progress_comes_through() -> None:
    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Enough(done, total)

    machine = rf.torus((16, 16, 16), 1e9)
    src = np.tile(np.arange(4096), 2000)
    with pytest.raises(Enough):  # noqa: PT012 - a fast machine may finish one
        for _ in range(20):
            machine.link_loads(src, src[::-1], 1.0, n_threads=1, progress=stop)


def test_a_machine_too_large_for_arrays_is_refused_before_anything_is_allocated() -> None:
    huge = rf.torus((65_536, 16_384), bandwidth="50 GB/s")
    for ask in (
        lambda: huge.link_loads(0, 1, 1),
        lambda: huge.traffic("uniform", bytes_per_chip=1),
        lambda: huge.traffic("tornado", bytes_per_chip=1),
        lambda: huge.all_reduce("1 GiB"),
    ):
        with raises(rf.Unsupported, None, "1073741824"):
            ask()
    assert huge.route(0, 1).hops == 1
