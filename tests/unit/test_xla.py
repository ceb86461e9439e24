"""`algorithm="xla"`: what the compiler makes of a collective on TPU slices, and what that takes."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rainier_fast as rf
from raising import raises

MIB = 2**20
TABLE = Path(__file__).parents[2] / "rust/core/src/collective/solve/xla/choices.csv"
OPERATIONS = {
    "psum": "all_reduce",
    "pmax": "all_reduce",
    "psum_scatter": "reduce_scatter",
    "all_gather": "all_gather",
    "all_to_all": "all_to_all",
    "ppermute": "send_recv",
}
PRESETS = {"tpu7x": "tpu-ironwood"}


def rows() -> list[dict[str, str]]:
    """Return the rows of what the compiler chose, on slices that there are."""
    lines = [line for line in TABLE.read_text().splitlines() if line[0] != "#"]
    return [row for row in csv.DictReader(lines) if slice_of(row["topology"]) is not None]


def slice_of(topology: str) -> rf.Machine | None:
    """Return the machine of a topology as the compiler writes it, if it can be bought."""
    part, shape = topology.split(":")
    try:
        sizes = tuple(map(int, shape.split("x")))
        return rf.preset(PRESETS.get(part, f"tpu-{part}"), shape=sizes)
    except rf.InvalidArgument:
        return None


def run(machine: rf.Machine, operation: str, size: float, axes: str, **more: Any) -> Any:
    """Run an operation over axes of the machine by name."""
    chips, stride = np.zeros(1, dtype=int), 1
    for axis in machine.ultraserver.axes:
        if axis.name in axes:
            chips = np.add.outer(stride * np.arange(axis.size), chips).ravel()
        stride *= axis.size
    return getattr(machine, operation)(size, group=chips, algorithm="xla", **more)


def test_every_row_that_can_be_bought_is_chosen() -> None:
    seen = 0
    machines = {row["topology"]: slice_of(row["topology"]) for row in rows()}
    for row in rows():
        machine, operation = machines[row["topology"]], OPERATIONS[row["op"]]
        assert machine is not None
        size, axes = float(row["bytes"]), row["axes"]
        dtype = {"f32": "fp32"}.get(row["dtype"], row["dtype"])
        if machine.num_chips > 512:
            continue  # the core's own test has them, without their price
        if row["remains"] == "handed on":
            with raises(rf.Unsupported, None, "SparseCores"):
                run(machine, operation, size, axes, dtype=dtype)
            continue
        choice = run(machine, operation, size, axes, dtype=dtype).choice
        told = {name: choice[name] or "" for name in ("remains", "emitter", "strategy", "colours")}
        assert {name: str(value) for name, value in told.items()} == {
            name: row[name] for name in told
        }, row
        spelled = ";".join(" ".join(map(str, order)) for order in choice["rotations"])
        assert spelled == row["rotations"], row
        seen += 1
    assert seen > 350


V5P = rf.preset("tpu-v5p", shape=(4, 4, 4))
V5E = rf.preset("tpu-v5e")


@pytest.mark.parametrize("dtype", ["fp16", "fp8", "int8", "int32"])
def test_only_bf16_and_fp32_are_scattered(dtype: str) -> None:
    # As jax 0.10.2 with libtpu 0.0.52 compiled psum_scatter over one axis and over two.
    for axes in ("x", "xy"):
        for scattered in (None, "bf16", "fp32"):
            whole = run(V5P, "reduce_scatter", 16 * MIB, axes, dtype=scattered)
            assert whole.choice["remains"] == "reduce-scatter"
        result = run(V5P, "reduce_scatter", 16 * MIB, axes, dtype=dtype)
        assert result.choice["remains"] == "all-reduce"
        assert result.time_s == run(V5P, "all_reduce", 16 * MIB, axes, dtype=dtype).time_s


def test_a_gather_over_a_slice_is_an_all_reduce() -> None:
    for operation in ("all_gather", "reduce_scatter"):
        result = getattr(V5P, operation)(256 * MIB, algorithm="xla")
        assert result.choice["remains"] == "all-reduce"
        assert result.time_s == V5P.all_reduce(256 * MIB, algorithm="xla").time_s
        assert result.operation == operation
        by_links = getattr(bare(V5P), operation)(256 * MIB, algorithm="xla")
        auto = getattr(V5P, operation)(256 * MIB)
        assert by_links.serialisation_s == pytest.approx(2 * auto.serialisation_s, rel=0.01)
        with raises(rf.Unsupported, None, "all-reduce"):
            result.schedule()
    assert V5E.all_gather(16 * MIB, algorithm="xla").choice["remains"] == "all-reduce"
    gather = V5E.all_gather(64 * MIB, algorithm="xla")
    assert gather.choice["remains"] == "all-gather"
    ring = V5E.all_gather(64 * MIB, algorithm="ring")
    assert gather.time_s > ring.serialisation_s
    assert (gather.link_loads().bytes == ring.link_loads().bytes).all()


SLICES = [
    *(("tpu-v5e", shape) for shape in [(2, 4), (4, 4), (4, 8), (8, 8), (8, 16)]),
    *(
        (part, shape)
        for part in ("tpu-v4", "tpu-v5p")
        for shape in [(2, 2, 4), (4, 4, 4), (4, 8, 4)]
    ),
]


@given(
    st.sampled_from(SLICES),
    st.sets(st.sampled_from("xyz"), min_size=1),
    st.floats(1, 2**28),
    st.sampled_from(["all_reduce", "all_gather", "reduce_scatter", "all_to_all"]),
)
def test_whatever_is_asked_has_parts_that_fit(
    where: tuple[str, tuple[int, ...]], axes: set[str], size: float, operation: str
) -> None:
    machine = rf.preset(where[0], shape=where[1])
    result = run(machine, operation, size, "".join(axes))
    choice = result.choice
    if result.ranks == 1:
        assert choice == {"algorithm": "none"}
        return
    assert result.lower_bound_s <= result.time_s * (1 + 1e-9)
    assert result.stages["time_s"].sum() == pytest.approx(result.time_s, rel=1e-9)
    assert {math.prod(ring) for ring in choice["rings"]} <= {result.ranks}
    assert len(choice["rings"]) == (choice["colours"] or 0)
    assert len(choice["rotations"]) in (0, choice["colours"])
    assert len(choice["multistep"]) in (0, choice["phases"])
    for ring, order in zip(choice["rings"], choice["rotations"], strict=False):
        assert len(ring) == len(order) == choice["phases"]
    # An operation that becomes an all-reduce takes its time and its choice.
    if choice["remains"] == "all-reduce":
        whole = run(machine, "all_reduce", size, "".join(axes))
        assert (whole.time_s, whole.choice) == (result.time_s, choice)


def bare(machine: rf.Machine, **more: Any) -> rf.Machine:
    """Return the machine with nothing beside its links for XLA but what is named."""
    server = machine.ultraserver
    assert server.tpu is not None
    part = server.tpu.part
    return rf.domain(dataclasses.replace(server, launch=0, tpu=rf.Tpu(part, **more)))


def test_what_stands_for_a_choice_is_its_price() -> None:
    def took(machine: rf.Machine, weights: dict[str, float]) -> None:
        by_xla = bare(machine).all_reduce("1 GiB", algorithm="xla")
        named = machine.all_reduce("1 GiB", algorithm=rf.Bucket(weights))
        assert by_xla.time_s == pytest.approx(named.serialisation_s, rel=1e-12)
        assert (by_xla.link_loads().bytes == named.link_loads().bytes).all()

    took(V5P, {"yxz": 1 / 3, "xzy": 1 / 3, "zyx": 1 / 3})
    took(rf.preset("tpu-v5p", shape=(4, 4, 16)), {"yxz": 0.5, "xyz": 0.5})
    took(rf.preset("tpu-v5p", shape=(4, 8, 16)), {"yxz": 1.0})
    took(rf.preset("tpu-v5p", shape=(4, 8, 8)), {"yxz": 1 / 3, "xzy": 1 / 3, "zyx": 1 / 3})
    corner = [x + 4 * y + 16 * z for z in (0, 1) for y in (0, 1) for x in (0, 1)]
    part = bare(V5P).all_reduce("64 MiB", group=corner, algorithm="xla")
    assert part.choice["rings"] == ((8,), (8,))
    ring = V5P.all_reduce("64 MiB", group=corner, algorithm="ring")
    assert part.time_s == pytest.approx(ring.serialisation_s, rel=1e-12)


@pytest.mark.parametrize("size", [0, 2**10, 2**16, 2**21, 2**24, 2**30])
@pytest.mark.parametrize("launch", ["0 s", "10 us", "133 us"])
@pytest.mark.parametrize("more", [{}, {"link_efficiency": 0.9, "exposed_launch": 0.4}])
def test_a_call_takes_its_launch_its_hops_or_its_bytes(
    size: float, launch: str, more: dict[str, float]
) -> None:
    server = dataclasses.replace(V5E.ultraserver, launch=launch, tpu=rf.Tpu("v5e", **more))
    machine = rf.domain(server)
    mesh = machine.mesh(y=16, x=16)
    result = mesh.all_gather(size, axis="y", algorithm="xla")
    plain = rf.domain(dataclasses.replace(server, launch=0)).mesh(y=16, x=16)
    ring = plain.all_gather(size, axis="y", algorithm="ring")
    exposed = more.get("exposed_launch", 0.0) * server.launch_s
    busy = exposed + ring.serialisation_s / more.get("link_efficiency", 1.0)
    expected = max(server.launch_s + ring.latency_s, busy)
    assert result.time_s == pytest.approx(expected, rel=1e-12)
    parts = result.latency_s + result.overhead_s + result.serialisation_s
    assert parts == pytest.approx(result.time_s, rel=1e-12)
    for table in (result.stages, result.phases):
        assert table["time_s"].sum() == pytest.approx(result.time_s, rel=1e-12)
    assert result.lower_bound_s <= result.time_s * (1 + 1e-12)


def test_a_schedule_of_it_is_proven() -> None:
    for size, machine in (
        (2**12, V5P),
        (2**24, V5P),
        (2**24, rf.preset("tpu-v5p", shape=(2, 2, 4))),
    ):
        result = machine.all_reduce(size, algorithm="xla")
        schedule = result.schedule()
        schedule.verify()
        assert schedule.algorithm == result.algorithm
    with raises(rf.Unsupported, None, "fluid"):
        V5P.all_reduce("16 MiB", algorithm="xla", model="fluid")


def test_a_result_says_what_is_not_known_and_which_versions() -> None:
    long = rf.preset("tpu-v5p", shape=(4, 4, 8)).all_reduce("1 GiB", algorithm="xla")
    assert "shares of its colours" in long.note
    assert long.choice["versions"] == {"jax": "0.10.2", "libtpu": "0.0.52"}
    for version in long.choice["versions"].values():
        assert version in long.note
        assert version in str(long)
    assert "short form" in V5P.all_reduce("1 MiB", algorithm="xla").note
    assert "path of its ring" in V5E.all_gather("64 MiB", algorithm="xla").note
    assert "not known" not in V5P.all_reduce("1 GiB", algorithm="xla").note
    told = long.to_dict()["choice"]
    assert told["rings"] == [[4, 4, 8], [4, 8, 4], [8, 4, 4]]
    long.choice["versions"]["jax"] = "another"
    assert long.choice["versions"]["jax"] == "0.10.2"


def test_presets_say_what_was_fitted() -> None:
    for name in ("tpu-v4", "tpu-v5e", "tpu-v5p", "tpu-v6e", "tpu-ironwood"):
        machine = rf.preset(name)
        assert {"tpu_link_efficiency", "tpu_exposed_launch"} <= set(machine.assumptions)
        assert machine.ultraserver.tpu is not None
        assert str(machine.ultraserver.tpu) in str(machine)


def test_every_solver_says_its_choice() -> None:
    neuron = rf.preset("trn2").all_reduce("16 MiB", algorithm="neuron")
    assert neuron.choice == {"algorithm": "RDH"}
    nccl = rf.preset("h100").all_reduce("512 MiB", algorithm="nccl").choice
    assert nccl == {"algorithm": "nvls", "protocol": "simple", "channels": nccl["channels"]}
    assert nccl["channels"] > 1
    assert V5P.all_reduce(1e9, algorithm="ring").choice == {"algorithm": "ring"}
    rainier = rf.preset("rainier", chips=128)
    for name in ("auto", "hierarchical", "synthesized"):
        machine = rf.preset("trn2") if name == "synthesized" else rainier
        result = machine.all_reduce("1 GiB", algorithm=name)
        assert (
            machine.all_reduce("1 GiB", algorithm=result.choice["algorithm"]).time_s
            == result.time_s
        )
    assert V5P.all_reduce(1e9, group=[3]).choice == {"algorithm": "none"}


def test_a_mapping_is_priced_by_it() -> None:
    calls = {"tp": ("all_reduce", 64 * MIB, 80), "dp": ("all_reduce", 256 * MIB)}
    by_links = V5P.best_mapping({"dp": 8, "tp": 8}, calls)
    by_xla = V5P.best_mapping({"dp": 8, "tp": 8}, calls, algorithm="xla")
    # The links favour blocks of two along each axis, which the compiler runs as one ring.
    blocks = by_links.best.text.partition("tp: ")[2].split(", ")
    assert [part[:2] for part in blocks] == ["x2", "y2", "z2"]
    mesh = V5P.mesh(dp=8, tp=8, order=by_xla.best)
    again = 80 * mesh.all_reduce(64 * MIB, axis="tp", algorithm="xla").time_s
    assert by_xla["tp_s"][0] == pytest.approx(again, rel=1e-12)
    exhaustive = V5P.best_mapping({"dp": 8, "tp": 8}, calls, algorithm="xla", keep=1000)
    assert exhaustive["time_s"][0] == by_xla["time_s"][0]
    worst = V5P.mesh(dp=8, tp=8, order=by_links.best)
    links_choice = 80 * worst.all_reduce(64 * MIB, axis="tp", algorithm="xla").time_s
    assert by_xla["tp_s"][0] <= links_choice


def test_several_slices_are_priced_slice_by_slice() -> None:
    server = rf.preset("tpu-v5p", shape=(2, 2, 1)).ultraserver
    server = dataclasses.replace(server, nic=rf.Nic("6 GB/s", "10 us"))
    machine = rf.Cluster([rf.Site("pods", 4, server)])
    inside = machine.mesh(dp=4, tp=4).all_reduce("4 MiB", axis="tp", algorithm="xla")
    assert inside.choice["colours"] == 4
    with raises(rf.Unsupported, None, "slices"):
        machine.all_reduce("4 MiB", algorithm="xla")
    calls = {"tp": ("all_reduce", 4 * MIB)}
    best = machine.best_mapping({"dp": 4, "tp": 4}, calls, algorithm="xla").best
    assert "tp: x2, y2" in best.text


def test_bad_input_is_refused_with_the_rule() -> None:
    for name in ("trn2", "h100"):
        with raises(rf.Unsupported, None, "'xla'", "tpu="):
            rf.preset(name).all_reduce("1 MiB", algorithm="xla")
    with raises(rf.Unsupported, None, "'xla'", "broadcast"):
        V5P.broadcast("1 MiB", algorithm="xla")
    for operation in ("all_reduce", "reduce_scatter"):
        with raises(rf.Unsupported, None, "int64", "32 bits"):
            getattr(V5P, operation)("1 MiB", algorithm="xla", dtype="int64")
    assert V5P.all_gather("1 MiB", algorithm="xla", dtype="int64").time_s > 0
    ironwood = rf.preset("tpu-ironwood", shape=(4, 4, 4))
    for operation in ("all_reduce", "reduce_scatter", "all_gather"):
        with raises(rf.Unsupported, None, "SparseCores", "64 KiB"):
            getattr(ironwood, operation)("64 KiB", algorithm="xla")
    assert ironwood.all_reduce("63 KiB", algorithm="xla").choice["colours"] == 3
    assert ironwood.all_to_all("1 GiB", algorithm="xla").choice["emitter"] == "AllToAllEmitter"
    with raises(rf.UnknownName, "part"):
        rf.Tpu("v9")
    for share in (0, 1.5, float("nan")):
        with raises(rf.InvalidArgument, "link_efficiency"):
            rf.Tpu("v5p", link_efficiency=share)
    with raises(rf.InvalidArgument, "exposed_launch"):
        rf.Tpu("v5p", exposed_launch=-0.1)
    with raises(rf.InvalidType, "tpu"):
        rf.UltraServer("pod", None, (rf.Axis("x", 4),), tpu="v5p")  # type: ignore[arg-type]
    axis = rf.Axis("x", 4, "switch", 1e9)
    switch = rf.UltraServer("pod", None, (axis,), tpu=rf.Tpu("v5p"))
    with raises(rf.Unsupported, None, "torus"):
        rf.domain(switch).all_reduce("1 MiB", algorithm="xla")
    with raises(rf.Unsupported, None):
        V5P.all_reduce("1 MiB", algorithm="xla", chunks=4)
    with raises(rf.InvalidArgument, "algorithm"):
        V5P.all_reduce("1 MiB", algorithm=("xla", "ring"))
    with raises(rf.InvalidArgument, "shape"):
        rf.preset("tpu-v5p", shape=(2, 2, 8))
    assert not any("xla" in name for name in V5P.all_reduce(1e9).candidates["algorithm"])


@pytest.mark.parametrize("operation", ["all_reduce", "all_gather", "reduce_scatter", "all_to_all"])
def test_many_sizes_are_those_of_single_calls(operation: str) -> None:
    sizes = [2.0**power for power in range(9, 31, 3)]
    times = V5P.times(operation, sizes, algorithm="xla")
    for size, time, name in zip(sizes, times.time_s, times.algorithm, strict=True):
        result = getattr(V5P, operation)(size, algorithm="xla")
        assert (result.time_s, result.algorithm) == (time, name)
        assert result.lower_bound_s <= result.time_s
