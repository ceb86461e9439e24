"""Routes round damage: NICs, fabrics and WANs, what is refused, and what cuts chips off."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

POLICIES = ("dor", "wild_first", "shortest", "up_down", "balanced")


def servers(**options: Any) -> rf.UltraServer:
    axes = (rf.Axis("x", 4, "ring", 8e9, 1e-6), rf.Axis("y", 2, "line", 8e9, 1e-6))
    return rf.UltraServer("server", None, axes, rf.Nic(1e9, 1e-6, 1e-6), **options)


def cluster(shape: str) -> rf.Machine:
    fabric = rf.Fabric((rf.Tier(2, 1.0),))
    made = [rf.Site(name, 4, servers(), fabric) for name in "abc"]
    return rf.Cluster(made, rf.Wan(1e10, 1e-3, shape))


CLUSTER = cluster("mesh")
TORUS = rf.torus((4, 4), bandwidth="50 GB/s")


def classes(machine: rf.Machine, src: int, dst: int, routing: Any = "dor") -> list[str]:
    return [machine.link(link).link_class for link in machine.route(src, dst, routing).links]


@pytest.mark.parametrize("routing", POLICIES)
def test_a_dead_nic_sends_and_receives_through_a_neighbour(routing: str) -> None:
    whole = CLUSTER.route(1, 9, routing).links.tolist()
    hurt = CLUSTER.with_faults(nics=[1])
    away = hurt.route(1, 9, routing)
    assert [hurt.link(link).link_class for link in away.links[:2]] == ["x", "nic egress"]
    # Chip 0 and 2 are as near: the lower number.
    assert hurt.link(int(away.links[1])).source_chip == 0
    assert away.links[2:].tolist() == whole[1:]
    back = hurt.route(9, 1, routing)
    assert [hurt.link(link).link_class for link in back.links[-2:]] == ["nic ingress", "x"]
    assert hurt.link(int(back.links[-2])).target_chip == 0
    # Inside the UltraServer nothing changes.
    assert hurt.route(0, 1, routing).links.tolist() == CLUSTER.route(0, 1, routing).links.tolist()
    loads = hurt.link_loads([1, 9], [9, 1], 1000, routing)
    expected = np.zeros(hurt.num_links)
    for route in (away, back):
        np.add.at(expected, route.links, 1000 * route.shares)
    assert loads.bytes.tolist() == expected.tolist()


def test_without_a_live_nic_an_ultraserver_is_cut_off_from_others() -> None:
    hurt = CLUSTER.with_faults(nics=range(8))
    assert hurt.route(0, 1).hops == 1
    with raises(rf.Unreachable, None, "chip 0", "chip 9", "NIC", "UltraServer 0"):
        hurt.route(0, 9)
    with raises(rf.Unreachable, None, "chip 9", "chip 0", "NIC"):
        hurt.route(9, 0)
    assert hurt.unreachable([0, 0, 9, 9], [1, 9, 0, 17]).tolist() == [False, True, True, False]


def test_a_dead_fabric_bundle_is_named() -> None:
    route = CLUSTER.route(0, 16)
    (bundle,) = [
        link for link in route.links if CLUSTER.link(link).link_class == "fabric tier 1 up"
    ]
    hurt = CLUSTER.with_faults(links=[bundle])
    with raises(rf.Unreachable, None, "fabric bundle", "a tier 1 group 0", "a core"):
        hurt.route(0, 16)
    assert hurt.route(0, 8).hops == 2
    assert hurt.unreachable([0, 0, 16], [16, 8, 0]).tolist() == [True, False, False]


def test_a_dead_wan_link_of_a_mesh_is_gone_round() -> None:
    (link,) = [
        link for link in CLUSTER.route(0, 32).links if CLUSTER.link(link).link_class == "wan"
    ]
    hurt = CLUSTER.with_faults(links=[link])
    way = [hurt.link(link) for link in hurt.route(0, 32).links]
    wan = [(link.source, link.target) for link in way if link.link_class == "wan"]
    assert wan == [("a core", "c core"), ("c core", "b core")]
    assert classes(hurt, 32, 0).count("wan") == 1
    loads = hurt.link_loads(0, 32, 10)
    assert loads.total_hop_bytes == 10 * len(way)
    out = [link for link in range(hurt.num_links) if hurt.link(link).source == "a core"]
    alone = CLUSTER.with_faults(links=[one for one in out if hurt.link(one).link_class == "wan"])
    with raises(rf.Unreachable, None, "WAN", "site a", "site b"):
        alone.route(0, 32)


def test_a_dead_link_to_a_hub_cuts() -> None:
    hub = cluster("hub")
    first, second = [link for link in hub.route(0, 32).links if hub.link(link).link_class == "wan"]
    with raises(rf.Unreachable, None, "WAN", "site a", "hub"):
        hub.with_faults(links=[first]).route(0, 32)
    with raises(rf.Unreachable, None, "WAN", "hub", "site b"):
        hub.with_faults(links=[second]).route(0, 32)


@pytest.mark.parametrize("routing", [*POLICIES, "adaptive", "valiant"])
def test_dead_chips_send_and_receive_nothing(routing: str) -> None:
    hurt = TORUS.with_faults(chips=[5])
    for src, dst in ((5, 0), (0, 5), (5, 5)):
        ends = f"chip {dst}", f"chip {src}", "chip 5"
        with raises(rf.Unreachable, None, *ends):
            hurt.route(src, dst, routing)
        assert hurt.unreachable(src, dst, routing).tolist() == [True]
        with raises(rf.Unreachable, None, *ends):
            hurt.link_loads([src], [dst], 1, routing)
    for dead in (CLUSTER.with_faults(ultraservers=[0]), CLUSTER.with_faults(sites=["a"])):
        with raises(rf.Unreachable, None, "chip 40", "chip 3"):
            dead.max_min_rates([40, 3], [41, 40], "dor")


def test_what_cuts_a_chip_off_is_named() -> None:
    out = [link for link in range(TORUS.num_links) if TORUS.link(link).source_chip == 6]
    hurt = TORUS.with_faults(links=out)
    for call in (
        lambda: hurt.route(6, 0),
        lambda: hurt.link_loads([0, 6], [6, 0], 1),
        lambda: hurt.max_min_rates([0, 6], [6, 0]),
        lambda: hurt.finish_times([0, 6], [6, 0], 1),
    ):
        with raises(rf.Unreachable, None, "chip 0", "chip 6", "+x, -x, +y, -y"):
            call()
    assert hurt.route(0, 6).hops == 3
    with raises(rf.Unreachable, None, "chip 0", "chip 6", "up*/down*"):
        hurt.route(0, 6, "up_down")
    around = [
        link
        for link in range(TORUS.num_links)
        if TORUS.link(link).source_chip in (0, 1) and TORUS.link(link).target_chip not in (0, 1)
    ]
    island = TORUS.with_faults(links=around)
    with raises(rf.Unreachable, None, "chip 1", "chip 9", "2 chips", "x at ("):
        island.route(1, 9)
    assert island.route(0, 1).hops == 1


@pytest.mark.parametrize("routing", ["adaptive", "valiant"])
def test_spread_routing_does_not_go_round_damage(routing: str) -> None:
    hurt = TORUS.with_faults(links=[0])
    for call in (
        lambda: hurt.route(4, 10, routing),
        lambda: hurt.link_loads([4], [10], 1, routing),
        lambda: hurt.max_min_rates([4], [10], routing),
        lambda: hurt.unreachable([4], [10], routing),
        lambda: hurt.routing_report(routing),
    ):
        with raises(rf.Unsupported, None, "wild_first", "shortest", "up_down"):
            call()
    # Slower links and whole UltraServers are no obstacle.
    slow = TORUS.with_faults(degrade={0: 0.5})
    whole = TORUS.route(4, 10, routing)
    assert slow.route(4, 10, routing).links.tolist() == whole.links.tolist()
    far = CLUSTER.with_faults(links=[0])
    assert far.link_loads([8], [10], 1, routing).total_hop_bytes > 0
    with raises(rf.Unsupported, None, "uniform traffic"):
        hurt.traffic("uniform", 1, "dor")


@pytest.mark.parametrize(
    ("routing", "like"),
    [("wild_first", "dor"), ("shortest", rf.DimensionOrder("positive"))],
)
def test_on_whole_tori_they_are_dimension_order(routing: str, like: Any) -> None:
    for pattern in ("uniform", "tornado", "permutation"):
        ours = TORUS.traffic(pattern, 1e6, routing)
        assert ours.bytes.tolist() == TORUS.traffic(pattern, 1e6, like).bytes.tolist()
    ours = TORUS.all_reduce("1 MiB", algorithm="direct", routing=routing)
    assert ours.time_s == TORUS.all_reduce("1 MiB", algorithm="direct", routing=like).time_s


def test_up_down_loads_and_collectives_on_a_whole_torus() -> None:
    pairs = np.array([(src, dst) for src in range(16) for dst in range(16)])
    loads = TORUS.link_loads(pairs[:, 0], pairs[:, 1], 1.0, "up_down")
    uniform = TORUS.traffic("uniform", 16.0, "up_down")
    assert uniform.bytes.tolist() == loads.bytes.tolist()
    assert loads.bytes.max() > TORUS.traffic("uniform", 16.0).bytes.max()
    direct = TORUS.all_to_all(16 * 1000.0, algorithm="direct", routing="up_down")
    # Each chip sends 1,000 bytes to each other one: the busiest link sets the time.
    assert direct.time_s == pytest.approx(1000 * loads.bytes.max() / 50e9, rel=1e-12)


def test_reports_say_what_a_dead_link_costs() -> None:
    hurt = TORUS.with_faults(links=[0])
    reports = {routing: hurt.routing_report(routing)[0] for routing in POLICIES}
    assert all(report.deadlock_free for report in reports.values())
    assert [reports[name].promised for name in POLICIES] == [True, True, False, True, True]
    assert [reports[name].virtual_channels for name in POLICIES] == [2, 2, 2, 1, 2]
    # Only the pairs that crossed the cable are longer: 3 hops for 1.
    assert reports["dor"].mean_hops > reports["dor"].healthy_mean_hops == 32 / 15
    assert reports["shortest"].mean_hops < reports["dor"].mean_hops
    assert json.loads(json.dumps(reports["dor"].to_dict()))["alike"] == 1
    assert "free of deadlock with 2 virtual channels (checked; promised)" in str(reports["dor"])


def test_wild_hops_are_counted() -> None:
    # Chip 1 is reached along x neither way: from 0 a hop along y leads round.
    line = rf.torus((3, 3), bandwidth=1e9, wrap=False)
    out = next(
        n
        for n in range(line.num_links)
        if (line.link(n).source_chip, line.link(n).target_chip) == (0, 1)
    )
    hurt = line.with_faults(links=[out])
    assert hurt.route(0, 1, "wild_first").hops == 3
    report = hurt.routing_report("wild_first")[0]
    assert (report.wild_hops, report.cut, report.promised) == (1, 0, True)
    # On an open line the wild hop closes no cycle: it needs no channel of its own.
    assert report.virtual_channels == 1
    detour = hurt.routing_report("dor")[0]
    assert detour.other_order > 0
    assert detour.detours > 0
    assert not detour.promised


def test_reports_of_alike_ultraservers_stand_once() -> None:
    hurt = CLUSTER.with_faults(
        links=[
            *[CLUSTER.route(8 * number, 8 * number + 1).links[0] for number in (2, 5)],
            CLUSTER.route(49, 50).links[0],
        ]
    )
    first, second = hurt.routing_report()
    assert (first.ultraserver, first.alike) == (2, 2)
    assert (second.ultraserver, second.alike) == (6, 1)
    assert hurt.routing_report(ultraserver=0)[0].mean_hops == first.healthy_mean_hops
    assert CLUSTER.routing_report()[0].alike == 1


@pytest.mark.parametrize(
    ("call", "error", "argument"),
    [
        (lambda: CLUSTER.routing_report("best"), rf.UnknownName, "routing"),
        (lambda: CLUSTER.routing_report(ultraserver=12), rf.OutOfRange, "ultraserver"),
        (lambda: CLUSTER.routing_report(ultraserver=1.5), rf.InvalidType, "ultraserver"),
        (
            lambda: CLUSTER.with_faults(ultraservers=[3]).routing_report(ultraserver=3),
            rf.InvalidArgument,
            "ultraserver",
        ),
        (lambda: rf.torus((17, 17, 17), 1e9).routing_report(), rf.Unsupported, None),
        (
            lambda: rf.torus((17, 17, 17), 1e9).traffic("uniform", 1, "up_down"),
            rf.Unsupported,
            None,
        ),
        (lambda: CLUSTER.unreachable(0, 96), rf.OutOfRange, "dst[0]"),
        (lambda: CLUSTER.unreachable([0, 1], [0, 1, 2]), rf.InvalidArgument, "dst"),
        (lambda: CLUSTER.unreachable(0, 1, n_threads=-1), rf.InvalidArgument, "n_threads"),
        (lambda: CLUSTER.unreachable(0, 1, "left"), rf.UnknownName, "routing"),
    ],
)
def test_bad_arguments_are_named(
    call: Any, error: type[rf.RainierError], argument: str | None
) -> None:
    with raises(error, argument):
        call()


def test_progress_and_policies_are_told() -> None:
    seen: list[tuple[int, int]] = []
    TORUS.routing_report("up_down", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (480, 480)
    assert rf.torus(8, 1e9).finish_times(0, 4, 1e9, routing="up_down", model="fifo").size == 1
    with raises(rf.Unsupported, None, '"fifo"', '"fluid"'):
        TORUS.finish_times(0, 10, 1, routing="wild_first", model="fifo")
    for name, policy in (
        ("wild_first", rf.WildFirst()),
        ("shortest", rf.Shortest()),
        ("up_down", rf.UpDown()),
        ("balanced", rf.Balanced()),
    ):
        assert TORUS.route(3, 9, name).links.tolist() == TORUS.route(3, 9, policy).links.tolist()
        assert eval(repr(policy), {type(policy).__name__: type(policy)}) == policy
