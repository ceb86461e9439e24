"""`algorithm="nccl"`, the `Gpu` that it needs, and the least time of a call."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises


def node(gpu: rf.Gpu | None = None, **more: Any) -> rf.UltraServer:
    axis = rf.Axis("x", 8, "switch", "450 GB/s", "0.5 us")
    nic = more.pop("nic", rf.Nic("400 Gbps", "5 us"))
    return rf.UltraServer("h100", None, (axis,), nic, gpu=gpu, **more)


def machine(gpu: rf.Gpu | None = None, nodes: int = 1, **more: Any) -> rf.Machine:
    return rf.Cluster([rf.Site("site", nodes, node(gpu, **more))])


HOPPER = rf.Gpu("hopper")


def test_a_result_names_what_nccl_picks_and_all_that_it_weighed() -> None:
    result = machine(HOPPER).all_reduce("512 MiB", algorithm="nccl")
    assert (result.algorithm, result.model) == ("nccl(nvls, simple)", "nccl")
    # 25 us and 2^29 B at 476 x 8/14 GB/s: less than ports allow where ranks reduce.
    assert result.time_s == pytest.approx(25e-6 + 2**29 / (476e9 * 8 / 14), rel=1e-12)
    assert result.lower_bound_s <= result.time_s
    assert len(result.candidates) == 7 * 3
    times, names = result.candidates["time_s"], result.candidates["algorithm"]
    assert names[0] == result.algorithm
    assert np.all(np.diff(times[~np.isnan(times)]) >= 0)
    for row in result.candidates:
        assert math.isnan(row["time_s"]) == bool(row["reason"])
    assert list(result.phases["what"]) == ["hops", "bytes"]
    assert sum(result.phases["time_s"]) == pytest.approx(result.time_s, rel=1e-12)
    assert "NCCL" in str(result)
    assert "tuning model" in result.why
    assert pickle.loads(pickle.dumps(result)) == result


def test_small_messages_go_by_ll_and_large_ones_by_simple() -> None:
    node = machine(HOPPER)
    small = node.all_gather(512, algorithm="nccl")
    assert small.algorithm == "nccl(ring, ll)"
    assert small.time_s == pytest.approx(6.6e-6 + 7 * 0.6e-6 + 512 / (141e9 * 8 / 7), rel=1e-12)
    large = node.all_gather("1 GiB", algorithm="nccl")
    assert large.algorithm == "nccl(ring, simple)"
    assert list(large.phases["what"]) == ["start", "hops", "bytes"]
    assert list(large.phases["steps"]) == [1, 7, 1]
    every = node.all_to_all("1 GiB", algorithm="nccl")
    assert every.algorithm == "nccl(direct, simple)"
    assert node.barrier(algorithm="nccl").time_s == pytest.approx(15e-6, rel=1e-12)


def test_what_a_gpu_says_changes_the_time() -> None:
    size = "64 MiB"
    plain = machine(HOPPER, 4).all_reduce(size, algorithm="nccl").time_s
    far = machine(rf.Gpu("hopper", network_latency="35 us"), 4).all_reduce(size, algorithm="nccl")
    assert far.time_s > plain
    simple = machine(rf.Gpu("hopper", protocols=("simple",)))
    # NVLS starts in 25 us, a ring in 8.4 + 7 x 3.4.
    assert simple.all_gather(512, algorithm="nccl").algorithm == "nccl(nvls, simple)"
    ampere = machine(rf.Gpu("ampere")).all_reduce("512 MiB", algorithm="nccl")
    assert ampere.algorithm == "nccl(ring, simple)"
    switches = machine(rf.Gpu("hopper", collnet=True), 4).all_reduce("1 GiB", algorithm="nccl")
    assert switches.time_s < machine(HOPPER, 4).all_reduce("1 GiB", algorithm="nccl").time_s


def test_auto_never_takes_it_and_it_is_listed() -> None:
    result = machine(HOPPER).all_reduce("1 MiB")
    assert not any("nccl" in name for name in result.candidates["algorithm"])
    for operation in ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "barrier"):
        assert "nccl" in rf.algorithms(operation)
    assert "nccl" not in rf.algorithms("broadcast")


def test_nics_that_gpus_share_and_gpus_with_several() -> None:
    def ring(nics: int | None, nic: str, chips: list[int]) -> float:
        gpu = rf.Gpu("ampere", nics=nics)
        where = machine(gpu, 4, nic=rf.Nic(nic, 0))
        result = where.all_reduce("4 GiB", group=chips, algorithm="nccl")
        rows = [row for row in result.candidates if row["algorithm"] == "nccl(ring, simple)"]
        return 2**32 / float(rows[0]["time_s"]) * result.bus_factor / 1e9

    every, first = list(range(32)), [0, 8, 16, 24]
    # P4d: 4 NICs of 12.5 GB/s for 8 GPUs; channels of 12 GB/s, and one for GPUs that are alone.
    assert ring(4, "6.25 GB/s", every) == pytest.approx(4 * 12, rel=0.02)
    assert ring(4, "6.25 GB/s", first) == pytest.approx(12, rel=0.01)
    # A NIC of its own for each: channels of 6 GB/s.
    assert ring(None, "6.25 GB/s", every) == pytest.approx(8 * 6, rel=0.02)
    assert ring(None, "6.25 GB/s", first) == pytest.approx(6, rel=0.01)
    # Four NICs of 12.5 GB/s for each, a channel on each; one of 50 GB/s has 24 of its PCI link.
    assert ring(32, "50 GB/s", first) == pytest.approx(4 * 12, rel=0.02)
    assert ring(None, "50 GB/s", first) == pytest.approx(24, rel=0.02)


def test_groups_of_some_gpus_and_lists_of_chips() -> None:
    many = machine(HOPPER, 4)
    whole = many.all_reduce("1 GiB", algorithm="nccl")
    listed = many.all_reduce("1 GiB", group=list(range(32))[::-1], algorithm="nccl")
    assert listed.time_s == whole.time_s
    inside = many.mesh(dp=4, tp=8).all_reduce("1 GiB", axis="tp", algorithm="nccl")
    assert (inside.ranks, inside.groups) == (8, 4)
    assert inside.time_s == machine(HOPPER).all_reduce("1 GiB", algorithm="nccl").time_s
    across = many.mesh(dp=4, tp=8).all_gather("1 GiB", axis="dp", algorithm="nccl")
    assert "nccl(pat, simple)" in list(across.candidates["algorithm"])
    # Some on one node and a part of another: tests/unit/test_nodes.py.
    assert many.all_reduce("1 GiB", group=[0, 1, 8], algorithm="nccl").ranks == 3
    scattered = many.all_reduce("1 GiB", group=[0, 3, 9, 10], algorithm="nccl")
    assert scattered.ranks == 4
    assert many.all_reduce("1 GiB", group=[5], algorithm="nccl").time_s == 0


@pytest.mark.parametrize("generation", ["ampere", "hopper", "blackwell"])
@pytest.mark.parametrize("nodes", [1, 4])
def test_what_was_fitted_changes_times_and_never_the_choice(generation: str, nodes: int) -> None:
    timing = rf.NcclTiming.from_catalog(generation)
    plain, fitted = (
        machine(rf.Gpu(generation), nodes),
        machine(rf.Gpu(generation, timing=timing), nodes),
    )
    for operation in ("all_reduce", "all_gather", "reduce_scatter", "all_to_all"):
        for power in range(0, 36, 5):
            for dtype in ("bf16", "int8"):
                one, other = (
                    getattr(where, operation)(2**power, algorithm="nccl", dtype=dtype)
                    for where in (plain, fitted)
                )
                assert one.algorithm == other.algorithm
                assert one.candidates == other.candidates
                assert 0 < other.lower_bound_s <= other.time_s
                assert sum(other.phases["time_s"]) == pytest.approx(other.time_s, rel=1e-12)
    assert plain.barrier(algorithm="nccl").time_s < fitted.barrier(algorithm="nccl").time_s
    assert "fitted" in fitted.all_reduce(8, algorithm="nccl").why
    assert "fitted" not in plain.all_reduce(8, algorithm="nccl").why


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ll_start", -1),
        ("hop", "1 GB"),
        ("ll_threads", -0.1),
        ("ll_threads", math.inf),
        ("ll_threads", "a fifth"),
        ("rate", 0),
        ("copy", 0),
        ("send_rate", "1 us"),
        ("nvls_start", math.nan),
    ],
)
def test_a_timing_that_cannot_be(field: str, value: Any) -> None:
    known = rf.NcclTiming.from_catalog("hopper")
    with raises(rf.RainierError, field):
        dataclasses.replace(known, **{field: value})


def test_a_timing_of_no_generation() -> None:
    with raises(rf.UnknownName, "generation"):
        rf.NcclTiming.from_catalog("volta")


def test_links_that_are_slower_than_nccl_believes_bound_the_time() -> None:
    slow = rf.UltraServer("slow", None, (rf.Axis("x", 8, "switch", "10 GB/s"),), gpu=HOPPER)
    result = rf.domain(slow).all_reduce("1 GiB", algorithm="nccl")
    assert result.time_s == result.lower_bound_s
    assert list(result.phases["what"])[-1] == "waiting for links"
    assert sum(result.phases["time_s"]) == pytest.approx(result.time_s, rel=1e-12)


@pytest.mark.parametrize("operation", ["all_reduce", "all_gather", "reduce_scatter", "all_to_all"])
@pytest.mark.parametrize("generation", ["ampere", "hopper", "blackwell"])
@pytest.mark.parametrize("nodes", [1, 2, 4, 16])
def test_never_below_the_bound(operation: str, generation: str, nodes: int) -> None:
    where = machine(rf.Gpu(generation), nodes)
    for power in range(0, 36, 3):
        result = getattr(where, operation)(2**power, algorithm="nccl")
        assert 0 < result.lower_bound_s <= result.time_s


def test_what_is_refused() -> None:
    with raises(rf.Unsupported, None, "gpu=Gpu"):
        machine().all_reduce("1 MiB", algorithm="nccl")
    torus = rf.UltraServer("ring", None, (rf.Axis("x", 4, "ring", "50 GB/s"),), gpu=HOPPER)
    with raises(rf.Unsupported, None, "'nccl'", "switch"):
        rf.domain(torus).all_reduce("1 MiB", algorithm="nccl")
    gpus = machine(HOPPER)
    with raises(rf.Unsupported, None, "'alpha_beta'", "model="):
        gpus.all_reduce("1 MiB", algorithm="nccl", model="alpha_beta")
    with raises(rf.Unsupported, None, "'nccl'", "broadcast"):
        gpus.broadcast("1 MiB", algorithm="nccl")
    with raises(rf.Unsupported, None, "chunks"):
        gpus.all_reduce("1 MiB", algorithm="nccl", chunks=4)
    with raises(rf.InvalidArgument, "algorithm"):
        gpus.all_reduce("1 MiB", algorithm=("nccl", "ring"))
    with raises(rf.Unsupported, None, "'nccl'"):
        gpus.all_reduce("1 MiB", algorithm="nccl").link_loads()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"generation": "volta"}, rf.UnknownName, "generation"),
        ({"generation": 9}, rf.UnknownName, "generation"),
        ({"cpu": "power"}, rf.UnknownName, "cpu"),
        ({"nvlinks": 0}, rf.InvalidArgument, "nvlinks"),
        ({"nvlinks": 1.5}, rf.InvalidType, "nvlinks"),
        ({"network_latency": -1}, rf.InvalidArgument, "network_latency"),
        ({"nics": 0}, rf.InvalidArgument, "nics"),
        ({"nics": 1.5}, rf.InvalidType, "nics"),
        ({"version": "2.28"}, rf.UnknownName, "version"),
        ({"timing": "hopper"}, rf.InvalidType, "timing"),
        ({"protocols": "simple"}, rf.InvalidType, "protocols"),
        ({"protocols": ("ll",)}, rf.InvalidArgument, "protocols"),
        ({"protocols": ("simple", "rdma")}, rf.UnknownName, "protocols"),
        ({"protocols": ("simple", 1)}, rf.UnknownName, "protocols"),
        ({"collnet": 1}, rf.InvalidType, "collnet"),
        ({"silent": 1}, rf.InvalidType, "silent"),
    ],
)
def test_a_gpu_that_cannot_be(arguments: dict[str, Any], error: type, words: str) -> None:
    with raises(error, words):
        rf.Gpu(**{"generation": "hopper"} | arguments)


def test_machines_with_gpus_are_values() -> None:
    one = machine(HOPPER)
    assert one == machine(rf.Gpu("hopper", 18))
    assert one != machine(rf.Gpu("hopper", version="2.29.2"))
    assert one != machine(rf.Gpu("hopper", timing=rf.NcclTiming.from_catalog("hopper")))
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one)
    assert "hopper, 18 NVLinks" in str(one)
    with raises(rf.InvalidType, "gpu"):
        node("hopper")  # type: ignore[arg-type]


# ------------------------------------------------------------------ the least time of a call


def test_a_call_takes_its_launch_or_its_transfer() -> None:
    quick, slow = machine(), machine(launch="100 us")
    for operation in ("all_reduce", "all_gather", "all_to_all", "broadcast", "send_recv"):
        for power in (0, 10, 20, 30):
            free = getattr(quick, operation)(2**power)
            held = getattr(slow, operation)(2**power)
            assert held.time_s == max(free.time_s, 100e-6)
            assert held.algorithm == free.algorithm
            assert held.lower_bound_s <= held.time_s
            assert held.lower_bound_s == max(free.lower_bound_s, 100e-6)
    small = slow.all_reduce(1)
    assert "launch of a call" in str(small)
    assert list(small.stages["stage"])[-1] == "all_reduce waits for its launch"
    assert small.overhead_s > quick.all_reduce(1).overhead_s
    assert small.bounds["bound"][0] == "launch"
    assert small.candidates["time_s"][0] == small.time_s
    assert "launch  100 us at least" in " ".join(str(slow).split("\n")).replace("   ", "  ")


def test_launch_under_every_model_and_nccl() -> None:
    slow = machine(HOPPER, launch="1 ms")
    for more in ({"algorithm": "nccl"}, {"model": "alpha_beta"}, {"algorithm": "ring"}):
        assert slow.all_reduce(8, **more).time_s == 1e-3
    assert slow.barrier().time_s == 1e-3


def test_launch_costs_a_group_of_one_nothing() -> None:
    slow = machine(launch="100 us")
    assert slow.all_reduce("1 GiB", group=[3]).time_s == 0
    assert slow.send_recv("1 GiB", shift=0).time_s == 0


def test_launch_keeps_times_monotone() -> None:
    slow = machine(launch="20 us")
    times = [slow.all_reduce(2**power, algorithm="ring").time_s for power in range(34)]
    assert times == sorted(times)
    assert times[0] == 20e-6 < times[-1]


@pytest.mark.parametrize("launch", [-1, math.inf, math.nan, "1 GB", None])
def test_a_launch_that_cannot_be(launch: Any) -> None:
    with raises(rf.RainierError, "launch"):
        machine(launch=launch)


def test_without_latency_has_no_launch() -> None:
    assert machine(launch="1 ms").without_latency().ultraserver.launch_s == 0
