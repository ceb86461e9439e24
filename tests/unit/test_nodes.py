"""Rings and trees over nodes as libraries build them, and machines without latency."""

from __future__ import annotations

import pytest

import rainier_fast as rf

GIB = 2**30


def nodes(per_node: int, count: int, **more: str) -> rf.Machine:
    axis = rf.Axis("g", per_node, "switch", "150 GB/s", "1 us")
    nic = rf.Nic("12.5 GB/s", more.pop("latency", "3 us"), more.pop("overhead", "0 s"))
    server = rf.UltraServer("node", None, (axis,), nic)
    return rf.Cluster([rf.Site("s", count, server)])


# ------------------------------------------------------------------ a ring for each NIC


def test_eight_gpus_on_fewer_nodes_use_more_nics() -> None:
    # NVIDIA/nccl issue 569: rings of 8 GPUs on 8, 4 and 2 nodes take 363, 173 and 132 ms, which is
    # 1 : 0.48 : 0.36.
    times = {
        per: nodes(per, 8 // per).all_reduce(1.6e9, algorithm="ring").time_s for per in (1, 2, 4)
    }
    assert times[2] / times[1] == pytest.approx(0.48, abs=0.03)
    assert times[4] / times[1] < 0.37
    # 2(n - 1)/n S over as many NICs as a node has.
    for per, time in times.items():
        assert time == pytest.approx(2 * 7 / 8 * 1.6e9 / (per * 12.5e9), rel=0.01)


@pytest.mark.parametrize("operation", ["all_reduce", "reduce_scatter", "all_gather"])
def test_rings_for_each_nic_are_right_and_fill_all_nics(operation: str) -> None:
    machine = nodes(4, 3)
    result = getattr(machine, operation)(GIB, algorithm="ring")
    result.schedule().verify()
    loads = result.link_loads().bytes
    classes = {at: machine.link(at).link_class for at in range(machine.num_links)}
    nics = [loads[at] for at, words in classes.items() if words.startswith("nic")]
    assert min(nics) == pytest.approx(max(nics), rel=1e-12)


def test_small_messages_and_one_direction_go_by_one_ring() -> None:
    # A ring for each NIC costs a start of each NIC in each step: not for a kilobyte.
    machine = nodes(4, 4, overhead="2 us", latency="20 us")
    small = machine.all_reduce(1024, algorithm="ring").schedule()
    large = machine.all_reduce(GIB, algorithm="ring").schedule()
    lanes = [len({send.lane for send in made.sends}) for made in (small, large)]
    assert lanes == [2, 8]
    one_way = machine.all_reduce(GIB, algorithm="ring_one_way")
    assert one_way.time_s > 3 * machine.all_reduce(GIB, algorithm="ring").time_s


# ------------------------------------------------------------------ trees chained inside nodes


@pytest.mark.parametrize("count", [9, 15, 16])
def test_trees_run_over_whole_nodes_and_parts_alike(count: int) -> None:
    h100 = rf.preset("h100", chips=16)
    result = h100.all_reduce(GIB, group=list(range(count)), algorithm="double_binary_tree")
    result.schedule().verify()
    assert result.lower_bound_s <= result.time_s
    # Two nodes: half of the data up one tree and down the other, over as many NICs as the smaller
    # part has; a GPU passes on, up and down, all of which it is not the head.
    pairs = min(8, count - 8)
    wire = max(GIB / (pairs * 50e9), 2 * (pairs - 1) / pairs * GIB / 450e9)
    assert wire <= result.time_s < 1.3 * wire


@pytest.mark.parametrize("per_node", [2, 3, 8])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_chained_trees_are_right_for_any_count(per_node: int, count: int) -> None:
    machine = nodes(per_node, count)
    result = machine.all_reduce(1e9, algorithm="double_binary_tree")
    result.schedule().verify()
    # No NIC sends more than a leaf of one tree and an inner rank of the other: twice its share.
    assert result.time_s >= (count - 1) / count * 2e9 / per_node / 12.5e9 * (1 - 1e-9)
    assert result.time_s < 1.1 * 2e9 / per_node / 12.5e9


def test_rooted_trees_run_over_whole_nodes_too() -> None:
    machine = nodes(4, 2)
    for operation in ("broadcast", "reduce"):
        getattr(machine, operation)(1e8, algorithm="double_binary_tree", root=5).schedule().verify()


def test_nccl_takes_nodes_with_unlike_numbers_of_gpus() -> None:
    # Nodes of 8 and 7: 8 x 45 and 7 x 48 GB/s, of which all take 7 x 45; 28 hops for 15 ranks.
    gpus = rf.Gpu("hopper", protocols=("simple",))
    axis = rf.Axis("x", 8, "switch", "450 GB/s", "0.5 us")
    server = rf.UltraServer("h100", None, (axis,), rf.Nic("400 Gbps", "5 us"), gpu=gpus)
    machine = rf.Cluster([rf.Site("s", 2, server)])
    result = machine.all_reduce(GIB, group=range(15), algorithm="nccl")
    ring = dict(zip(result.candidates["algorithm"], result.candidates["time_s"], strict=True))
    # 26 hops inside at 3.4 us, 2 outside at 14, all 1.4 times as slow as they fill the channels.
    latency = 1.4 * (8.4 + 26 * 3.4 + 2 * 14.0) * 1e-6
    assert ring["nccl(ring, simple)"] == pytest.approx(latency + GIB / (315e9 * 15 / 28), rel=1e-12)
    whole = machine.all_reduce(GIB, algorithm="nccl").time_s
    assert whole < result.time_s


# ------------------------------------------------------------------ machines without latency


def test_a_switch_that_reduces_does_so_without_latency_too() -> None:
    quiet = rf.preset("h100").without_latency()
    assert quiet.all_reduce(GIB, algorithm="in_switch").time_s == pytest.approx(
        GIB / 450e9, rel=1e-6
    )


@pytest.mark.parametrize("name", ["h100", "b200", "a100", "trn2", "tpu-v5e", "tpu-v5p"])
@pytest.mark.parametrize("size", [1024, 16 * 2**20, GIB])
def test_software_chooses_the_same_without_latency_and_takes_less(name: str, size: int) -> None:
    machine = rf.preset(name)
    quiet = machine.without_latency()
    assert quiet.runtime == machine.runtime
    one = machine.all_reduce(size, algorithm="runtime")
    other = quiet.all_reduce(size, algorithm="runtime")
    assert other.choice == one.choice
    assert 0 < other.time_s < one.time_s
    assert other.latency_s == other.overhead_s == 0


def test_nccl_without_latency_is_its_bytes() -> None:
    # By its own tables: 8 x 40 x 0.85 x 7/8 x 2 GB/s of NVLS, 8/14 of which are the request's.
    axis = rf.Axis("x", 8, "switch", "450 GB/s", "0.5 us")
    server = rf.UltraServer("h100", None, (axis,), gpu=rf.Gpu("hopper"))
    quiet = rf.domain(server).without_latency()
    result = quiet.all_reduce(GIB, algorithm="nccl")
    assert result.time_s == pytest.approx(GIB / (476e9 * 8 / 14), rel=1e-12)
    assert list(result.phases["what"]) == ["bytes"]
