"""Collectives by simulation: cases with a figure that can be worked out."""

from __future__ import annotations

import pytest

import rainier_fast as rf
from raising import raises


@pytest.mark.parametrize("ranks", [64, 256, 512])
@pytest.mark.parametrize("algorithm", ["ring", "ring_one_way"])
def test_a_long_pipeline_goes_on_by_its_period(ranks: int, algorithm: str) -> None:
    # A million pieces, of which 256 are simulated: hops + pieces - 1 periods of one piece.
    torus = rf.torus((ranks,), bandwidth="50 GB/s")
    exact = torus.broadcast(1e9, algorithm=algorithm).time_s
    for model in ("fluid", "fifo"):
        seen = torus.broadcast(1e9, algorithm=algorithm, model=model).time_s
        assert seen == pytest.approx(exact, rel=1e-6)


def test_starting_a_message_overlaps_with_the_wire() -> None:
    # 256 chunks of 64 MiB: starting each takes a microsecond of the sender, not of its links.
    nodes = rf.preset("h100", chips=16)
    by_loads = nodes.all_reduce("64 MiB", algorithm="hierarchical")
    simulated = nodes.all_reduce("64 MiB", algorithm="hierarchical", model="fluid")
    assert simulated.time_s < 1.1 * by_loads.time_s


def test_first_come_first_served_a_switch_serves_part_of_its_chips_as_it_serves_all() -> None:
    whole = rf.switch(8, "50 GB/s").all_to_all(1e9, model="fifo")
    part = rf.switch(16, "50 GB/s").all_to_all(1e9, group=range(8), model="fifo")
    assert whole.time_s == pytest.approx(7 / 8 * 1e9 / 50e9 + 1e9 / 8 / 50e9, rel=1e-9)
    assert part.time_s == pytest.approx(whole.time_s, rel=1e-9)


def test_first_come_first_served_each_lane_has_its_own_messages() -> None:
    fabric = rf.Fabric((rf.Tier(1, 1.0, 0),))
    nic = rf.Nic(25e9, 0, 0)
    server = rf.UltraServer("u", None, (rf.Axis("x", 4, "ring", 50e9, 0),), nic)
    cluster = rf.Cluster([rf.Site("s", 2, server, fabric=fabric)])
    written = rf.schedule("all_reduce", cluster, 1e9, algorithm="halving_doubling")
    own = rf.Schedule("all_reduce", 1e9, written.chips, written.sends, written.blocks)
    seen = cluster.run(written, model="fifo").time_s
    assert seen == pytest.approx(cluster.run(own, model="fifo").time_s, rel=1e-9)


def test_between_sites_messages_are_not_stored_and_forwarded_as_one() -> None:
    cluster = rf.preset("rainier", chips=256, sites=3)
    with raises(rf.Unsupported, None, '"fifo"', '"fluid"'):
        cluster.all_reduce(1024, algorithm="hierarchical", model="fifo")


def test_million_chips_are_simulated_in_seconds_and_above_the_bound() -> None:
    result = rf.preset("rainier", chips=1_048_576).all_reduce("1 GiB", model="fluid")
    assert result.time_s >= result.lower_bound_s
    assert result.algorithm.startswith("hierarchical")


def test_rooted_operations_are_not_slower_than_those_that_all_take_part_in() -> None:
    machine = rf.preset("rainier")
    for size in (1024, "1 GiB"):
        whole = machine.all_reduce(size).time_s
        assert machine.broadcast(size).time_s <= whole
        assert machine.reduce(size).time_s <= whole
        assert machine.gather(size).time_s <= machine.all_gather(size).time_s
        assert machine.scatter(size).time_s <= machine.reduce_scatter(size).time_s


def test_a_ring_of_two_sends_once() -> None:
    pair = rf.torus(2, 1e9, overhead="1 us")
    for algorithm in ("ring", "ring_one_way", "direct"):
        assert pair.all_reduce(0, algorithm=algorithm).time_s == pytest.approx(2e-6)


def test_starting_a_message_costs_what_its_way_costs() -> None:
    server = rf.UltraServer(
        "u", None, (rf.Axis("x", 4, "ring", 50e9, 0),), rf.Nic(25e9, 0, 0), "1 us"
    )
    cluster = rf.Cluster([rf.Site("s", 2, server)])
    for group in ([0, 4], [0, 5]):
        result = cluster.broadcast(0, group=group, algorithm="direct")
        route = cluster.route(*group)
        assert result.time_s == pytest.approx(route.time_s(0))


def test_in_switch_reduction_is_named_and_needs_a_switch_that_adds() -> None:
    # 7 of 8 shares go up to be added and one comes down; one goes up to be copied and 7 come down.
    named = rf.preset("h100").all_reduce("1 GiB", algorithm="in_switch")
    assert named.time_s == pytest.approx(2**30 / 450e9, rel=2e-3)
    assert "in_switch" not in rf.preset("h100").all_reduce("1 GiB").algorithm
    with raises(rf.Unsupported, None, "in_switch", "gpu=Gpu"):
        rf.switch(8, "50 GB/s").all_reduce(1e9, algorithm="in_switch")


def test_bucket_weights_of_ones_own() -> None:
    ultraserver = rf.preset("trn2-ultraserver").without_latency()
    weights = rf.Bucket({"xzy": 0.367, "yxz": 0.493, "zxy": 0.140})
    result = ultraserver.all_reduce(1e9, algorithm=weights)
    assert result.efficiency > 0.999
    equal = rf.Bucket({"xyz": 1 / 3, "yzx": 1 / 3, "zxy": 1 / 3})
    named = ultraserver.all_reduce(1e9, algorithm="bucket_equal").time_s
    assert ultraserver.all_reduce(1e9, algorithm=equal).time_s == pytest.approx(named)
    with raises(rf.Unsupported, None, "all_to_all", "weights"):
        ultraserver.all_to_all(1e9, algorithm=weights)
    with raises(rf.InvalidArgument, "weights"):
        ultraserver.all_reduce(1e9, algorithm=rf.Bucket({"xy": 1.0}))
    for wrong in ({"xx": 1.0}, {"x": 0.5}, {}, {"x": float("nan")}, {"x": -1.0, "y": 2.0}):
        with pytest.raises(rf.InvalidArgument):
            rf.Bucket(wrong)
    assert eval(repr(weights), {"Bucket": rf.Bucket}) == weights
