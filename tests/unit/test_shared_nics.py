"""NICs that several chips share: p4d, trn1 and nodes of 8 GPUs with 4 NICs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast.testing import oracle
from raising import raises

GIB = 2**30


def nodes(count: int, nic: rf.Nic | None = None, chips: int = 8) -> rf.Machine:
    axis = rf.Axis("g", chips, "switch", "450 GB/s", "1 us")
    nic = rf.Nic("50 GB/s", "2 us", "1 us", chips=2) if nic is None else nic
    fabric = rf.Fabric((rf.Tier(2, 1.0, "1 us"),))
    return rf.Cluster([rf.Site("s", count, rf.UltraServer("node", None, (axis,), nic), fabric)])


def test_one_of_a_pair_has_all_of_the_nic_and_two_share_it() -> None:
    machine = nodes(2)
    alone = machine.finish_times([0], [8], GIB)
    both = machine.finish_times([0, 1], [8, 9], GIB)
    assert alone.max() == pytest.approx(GIB / 50e9, rel=1e-3)
    assert both.max() == pytest.approx(2 * GIB / 50e9, rel=1e-3)
    apart = machine.finish_times([0, 2], [8, 10], GIB)
    assert apart.max() == pytest.approx(GIB / 50e9, rel=1e-3)


def test_links_have_numbers_and_words() -> None:
    machine = nodes(2)
    # 16 ports up and down in each of two nodes, 4 NICs each, an uplink and a downlink.
    assert machine.num_links == 2 * 16 + 2 * 2 * 4 + 2
    assert machine.ultraserver.num_nics == 4
    assert machine.ultraserver.nic_bandwidth_Bps == 200e9
    first, same, other = (machine.route(chip, 8).links[0] for chip in (2, 3, 4))
    assert first == same == other - 1
    link = machine.link(int(machine.route(3, 8).links[0]))
    assert (link.link_class, link.source) == ("nic egress", "chips 2 to 3")
    assert "50.0 GB/s per 2 chips" in str(machine)
    # What a leaf of the fabric passes up are its NICs.
    assert machine.link(machine.num_links - 1).bandwidth_Bps == 2 * 4 * 50e9


def test_uniform_loads_are_those_of_all_pairs() -> None:
    machine = nodes(3)
    src, dst = (part.ravel() for part in np.indices((24, 24)))
    listed = machine.link_loads(src[src != dst], dst[src != dst], 1e6 / 24)
    assert machine.traffic("uniform", 1e6).bytes == pytest.approx(listed.bytes, rel=1e-12)


@pytest.mark.parametrize("chips", [1, 2, 4, 8])
def test_loads_are_those_of_the_slow_router(chips: int) -> None:
    machine = nodes(5, rf.Nic("50 GB/s", "2 us", chips=chips))
    rng = np.random.default_rng(chips)
    src, dst = rng.integers(0, machine.num_chips, (2, 500))
    sizes = rng.integers(1, 1000, 500).astype(float)
    slow = oracle.link_loads(machine, zip(src.tolist(), dst.tolist(), sizes.tolist(), strict=True))
    wanted = np.zeros(machine.num_links)
    for link, load in slow.items():
        wanted[link] = float(load)
    assert machine.link_loads(src, dst, sizes).bytes == pytest.approx(wanted, rel=1e-12)


WAYS: list[tuple[str, dict[str, Any]]] = [
    ("all_reduce", {"algorithm": "ring"}),
    ("all_reduce", {"algorithm": "ring_one_way"}),
    ("all_reduce", {"algorithm": "direct"}),
    ("all_reduce", {"algorithm": "halving_doubling"}),
    ("all_reduce", {"algorithm": "double_binary_tree"}),
    ("all_reduce", {"algorithm": "hierarchical"}),
    ("all_gather", {"algorithm": "ring"}),
    ("all_to_all", {"algorithm": "direct"}),
    ("broadcast", {"algorithm": "direct", "root": 1}),
    ("broadcast", {"algorithm": "binomial_tree"}),
    ("gather", {"algorithm": "direct", "root": 1}),
    ("send_recv", {"shift": 1}),
]
GROUPS: dict[str, list[int] | None] = {
    "all": None,
    "one of a node": [0, 8, 16, 24],
    "a pair of a node": [2, 3, 10, 11, 18, 19, 26, 27],
    "three of a node": [0, 1, 2, 8, 9, 10, 16, 17, 18, 24, 25, 26],
    "unlike": [0, 1, 2, 9, 17, 18],
}


@pytest.mark.parametrize(("operation", "ask"), WAYS)
@pytest.mark.parametrize("group", GROUPS)
def test_collectives_load_nics_as_their_messages_do(
    operation: str, ask: dict[str, Any], group: str
) -> None:
    machine = nodes(4)
    try:
        result = getattr(machine, operation)(1e8, group=GROUPS[group], **ask)
    except rf.Unsupported:
        pytest.skip("this algorithm does not run over this group")
    made = result.schedule()
    chips = np.asarray(made.chips)
    sends = made.sends
    src = chips[[send.src for send in sends]]
    dst = chips[[send.dst for send in sends]]
    wanted = machine.link_loads(src, dst, [send.nbytes for send in sends])
    assert result.link_loads().bytes == pytest.approx(wanted.bytes, rel=1e-9, abs=1e-3)
    assert result.lower_bound_s <= result.time_s * (1 + 1e-9)
    # No link is busy for longer than the collective takes.
    assert wanted.time_s <= result.time_s * (1 + 1e-9)


@pytest.mark.parametrize("algorithm", ["ring_one_way", "direct", "halving_doubling"])
def test_a_flat_algorithm_is_its_own_schedule(algorithm: str) -> None:
    machine = nodes(2)
    result = machine.all_reduce(1e8, algorithm=algorithm)
    made = result.schedule()
    own = rf.Schedule(made.operation, made.size_bytes, made.chips, made.sends, made.blocks)
    assert machine.run(own).time_s == pytest.approx(result.time_s, rel=1e-9)


def test_sharing_is_a_part_for_each_where_all_send_and_the_whole_where_one_does() -> None:
    shared = nodes(4)
    half = nodes(4, rf.Nic("25 GB/s", "2 us", "1 us"))
    whole = nodes(4, rf.Nic("50 GB/s", "2 us", "1 us"))
    everyone = {"algorithm": ("direct", "ring"), "chunks": 1}
    times = [machine.all_reduce(GIB, **everyone).time_s for machine in (shared, half)]  # type: ignore[arg-type]
    assert times[0] == pytest.approx(times[1], rel=1e-9)
    alone = [machine.all_reduce(GIB, group=[0, 8, 16, 24]).time_s for machine in (shared, whole)]
    assert alone[0] == pytest.approx(alone[1], rel=1e-9)


@pytest.mark.parametrize("operation", ["all_reduce", "all_gather", "all_to_all", "broadcast"])
def test_bounds_hold_for_auto(operation: str) -> None:
    for count in (1, 2, 5):
        for group in (None, [0, 1, 8, 9]):
            if group is None or count > 1:
                result = getattr(nodes(count), operation)(1e9, group=group)
                assert result.lower_bound_s <= result.time_s * (1 + 1e-9)


def test_what_is_refused_names_the_shared_nics() -> None:
    machine = nodes(2)
    ways: list[Any] = [
        lambda: machine.with_faults(chips=[3]),
        lambda: machine.sample_faults("llama3", 24),
        lambda: machine.all_reduce(1e9, algorithm="hierarchical", model="fluid"),
        lambda: machine.together([machine.plan.all_reduce(1e9), machine.plan.all_gather(1e9)]),
    ]
    for way in ways:
        with raises(rf.Unsupported, None, "2 chips share a NIC"):
            way()
    with raises(rf.InvalidArgument, "chips", "8"):
        nodes(2, rf.Nic("50 GB/s", "2 us", chips=3))
    for chips in (0, -1):
        with raises(rf.InvalidArgument, "chips"):
            rf.Nic("50 GB/s", "2 us", chips=chips)
    with raises(rf.InvalidType, "chips"):
        rf.Nic("50 GB/s", "2 us", chips=1.5)  # type: ignore[arg-type]
    gpu = rf.Gpu("ampere", nics=4)
    axis = rf.Axis("x", 8, "switch", "300 GB/s")
    with raises(rf.InvalidArgument, "nics"):
        rf.UltraServer("p4d", None, (axis,), rf.Nic("12.5 GB/s", "2 us", chips=2), gpu=gpu)


def test_instances_have_their_true_nics() -> None:
    p4d = rf.preset("p4d", chips=32)
    assert p4d.ultraserver.num_nics == 4
    assert p4d.ultraserver.nic_bandwidth_Bps == 50e9
    trn1 = rf.TRN1_INSTANCE
    assert (trn1.num_nics, trn1.nic_bandwidth_Bps) == (8, 100e9)
    assert rf.TRN2_INSTANCE.num_nics == 16


def test_nccl_on_p4d_takes_a_channel_for_each_nic() -> None:
    # The same as by Gpu(nics=), which says how many NICs a node has to NCCL alone.
    p4d = rf.preset("p4d", chips=32)
    axis = rf.Axis("x", 8, "switch", "300 GB/s", "0.3 us")
    gpu = rf.Gpu("ampere", version="2.29.2", nics=4, timing=rf.NcclTiming.from_catalog("ampere"))
    nic = rf.Nic("6.25 GB/s", "4 us")
    other = rf.Cluster([rf.Site("s", 4, rf.UltraServer("p4d", None, (axis,), nic, gpu=gpu))])
    for size in (1024, 2**20, GIB):
        one, two = (m.all_reduce(size, algorithm="nccl") for m in (p4d, other))
        assert one.choice == two.choice
        assert one.time_s == pytest.approx(two.time_s, rel=1e-12)
