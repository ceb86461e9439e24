"""Machines: counts, coordinates, identity, presets, traffic against the oracle."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rainier_fast as rf
from rainier_fast.testing import oracle, strategies
from raising import raises

SERVER = rf.UltraServer(
    "pair", None, (rf.Axis("x", 2, "line", "50 GB/s", "1 us"),), rf.Nic("25 GB/s", "7 us", "1 us")
)
TWO_SITES = rf.Cluster(
    [rf.Site("a", 3, SERVER, rf.Fabric((rf.Tier(2),))), rf.Site("b", 2, SERVER)],
    rf.Wan("10 Tbps", "6 ms"),
    "two",
)
MACHINES: list[rf.Machine] = [
    rf.torus((4, 4, 2), ("50 GB/s", 1e9, 2e9), "1 us", (True, False, True), "1 us", "mine"),
    rf.torus(8, "50 GB/s"),
    rf.switch(8, "50 GB/s", "1 us", [rf.Tier(2)]),
    rf.full_mesh(5, "50 GB/s", name="five"),
    rf.domain(rf.TRN2_ULTRASERVER),
    TWO_SITES,
    TWO_SITES.without_latency(),
    rf.preset("rainier", chips=640, sites=3),
    *(rf.preset(name) for name in rf.presets()),
]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name or "unnamed")
def test_a_machine_survives_repr_pickle_and_copy(machine: rf.Machine) -> None:
    again = eval(repr(machine), {name: getattr(rf, name) for name in rf.__all__})
    assert again == machine
    assert hash(again) == hash(machine)
    twin = pickle.loads(pickle.dumps(machine))
    assert twin == machine
    assert repr(twin) == repr(machine)
    assert twin.num_links == machine.num_links
    assert copy.deepcopy(machine) is copy.copy(machine) is machine
    with pytest.raises(AttributeError):
        machine.name = "other"  # type: ignore[misc]
    assert "<script" not in machine._repr_html_()
    assert f"{machine.num_chips:,}" in str(machine)


def test_machines_differ_where_definitions_do() -> None:
    assert rf.torus(8, "50 GB/s") == rf.torus((8,), 5e10)
    assert rf.torus(8, "50 GB/s") != rf.torus(8, "51 GB/s")
    assert rf.torus(8, "50 GB/s") != 8
    assert len({rf.preset("trn2"), rf.preset("trn2"), rf.preset("trn1")}) == 2


def test_names_are_escaped_in_html() -> None:
    machine = rf.torus(8, "50 GB/s", name="<script>alert(1)</script>")
    assert "<script" not in machine._repr_html_()


def test_a_machine_reaches_another_process() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(hash_of, (TWO_SITES,)) == TWO_SITES.num_links


def hash_of(machine: rf.Machine) -> int:
    return machine.num_links


def test_rainier_counts() -> None:
    rainier = rf.preset("rainier")
    assert rainier.num_chips == 524_288
    assert rainier.num_ultraservers == 8_192
    assert [site.ultraservers for site in rainier.sites] == [4096, 2048, 2048]
    assert rainier.peak_flops("fp8") == 524_288 * 1299e12
    assert rainier.hbm_bytes == 524_288 * 96 * 2**30
    assert "site_share_indiana" in rainier.assumptions
    assert "wan_bandwidth" in rainier.assumptions


@pytest.mark.parametrize(
    ("chips", "sites", "ultraservers"),
    [
        (64, 1, [1]),
        (128, 2, [1, 1]),
        (192, 2, [2, 1]),
        (192, 3, [1, 1, 1]),
        (320, 3, [3, 1, 1]),
        (16_384, 3, [128, 64, 64]),
        (None, 1, [8192]),
        (None, 3, [4096, 2048, 2048]),
        (64, None, [1]),
        (16_384, None, [256]),
        (262_144, None, [4096]),
        (262_208, None, [4096, 1]),
        (393_280, None, [4096, 2048, 1]),
        (None, None, [4096, 2048, 2048]),
        (524_352, None, [4097, 2048, 2048]),
        (1_048_576, None, [8192, 4096, 4096]),
        (1_048_576, 3, [8192, 4096, 4096]),
    ],
)
def test_rainier_of_any_size(chips: int | None, sites: int | None, ultraservers: list[int]) -> None:
    machine = rf.preset("rainier", chips=chips, sites=sites)
    assert machine.num_chips == (chips or 524_288)
    names = ["indiana", "mississippi", "pennsylvania"][: len(ultraservers)]
    assert [site.name for site in machine.sites] == names
    assert [site.ultraservers for site in machine.sites] == ultraservers
    assert eval(repr(machine), {"preset": rf.preset}) == machine


def test_a_site_is_filled_before_the_next_at_every_size() -> None:
    most = [site.ultraservers for site in rf.preset("rainier").sites]
    for units in range(1, 8192, 311):
        sites = [site.ultraservers for site in rf.preset("rainier", chips=64 * units).sites]
        assert sites[:-1] == most[: len(sites) - 1]
        assert 0 < sites[-1] <= most[len(sites) - 1]


def test_rainier_sites_are_as_far_apart_as_assumed() -> None:
    wan = rf.preset("rainier").wan
    assert wan is not None
    assert wan.latency == ((0, 6.25e-3, 5.05e-3), (6.25e-3, 0, 9.1e-3), (5.05e-3, 9.1e-3, 0))


@pytest.mark.parametrize(
    ("name", "chips", "links"),
    [("trn1", 16, 64), ("trn2", 16, 64), ("trn2-ultraserver", 64, 384)],
)
def test_single_domains_have_no_nics(name: str, chips: int, links: int) -> None:
    machine = rf.preset(name)
    assert (machine.num_chips, machine.num_links) == (chips, links)
    assert list(machine.assumptions) == ["neuronlink_hop_latency"]


def test_a_user_s_torus_stands_on_no_assumption() -> None:
    assert len(rf.torus((4, 4), "128 GB/s", "1.5 us").assumptions) == 0


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name or "unnamed")
def test_coordinates_and_chip_are_inverse(machine: rf.Machine) -> None:
    chips = np.unique(np.linspace(0, machine.num_chips - 1, 257).astype(np.int64))
    places = machine.coordinates(chips)
    fields = {name: places[name] for name in places.dtype.names or ()}
    assert (machine.chip(**fields) == chips).all()
    last = machine.num_chips - 1
    one: Any = machine.coordinates(last)
    assert machine.chip(**{name: one[name] for name in one.dtype.names}) == last


def test_chip_broadcasts_and_names_sites() -> None:
    assert TWO_SITES.chip(site="b", ultraserver=1, x=1) == 9
    assert TWO_SITES.chip(site=[0, 1], ultraserver=0, x=[[0], [1]]).tolist() == [[0, 6], [1, 7]]
    assert TWO_SITES.chip(ultraserver=[0, 2]).tolist() == [0, 4]
    assert TWO_SITES.coordinates([9])[0].tolist() == (1, 1, 1)
    assert TWO_SITES.coordinates([]).shape == (0,)


def test_links_say_what_they_join() -> None:
    classes = [TWO_SITES.link(number).link_class for number in range(TWO_SITES.num_links)]
    assert classes[0] == "x"
    assert classes[-1] == "wan"
    assert classes.count("nic egress") == classes.count("nic ingress") == TWO_SITES.num_chips
    assert TWO_SITES.link(0).to_dict()["from"] == "chip 0"


def test_latency_can_be_taken_away() -> None:
    route = TWO_SITES.route(0, 9)
    silent = TWO_SITES.without_latency().route(0, 9)
    assert route.latency_s == pytest.approx(7e-6 * 2 + 0.5e-6 * 3 + 6e-3)
    assert route.overhead_s == 1e-6
    assert (silent.latency_s, silent.overhead_s) == (0, 0)
    assert (silent.links == route.links).all()
    assert silent.bandwidth_Bps == route.bandwidth_Bps


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_link_loads_and_routes_agree_with_the_oracle(data: st.DataObject) -> None:
    machine = data.draw(strategies.machines())
    policy = data.draw(strategies.routings(machine))
    flows = data.draw(strategies.flows(machine))
    src, dst, size = (
        (np.array(column) for column in zip(*flows, strict=True)) if flows else [[]] * 3
    )
    loads = machine.link_loads(src, dst, size, policy)
    expected = np.zeros(machine.num_links)
    for link, amount in oracle.link_loads(machine, flows, policy).items():
        expected[link] = float(amount)
    np.testing.assert_allclose(loads.bytes, expected, rtol=1e-12, atol=1e-6)
    for one, other, _ in flows[:2]:
        shares: dict[int, Fraction] = {}
        for share, links in oracle.paths(machine, one, other, policy):
            for link in links:
                shares[link] = shares.get(link, Fraction(0)) + share
        route = machine.route(one, other, policy)
        assert dict(zip(route.links.tolist(), route.shares, strict=True)) == pytest.approx(
            {link: float(share) for link, share in shares.items()}
        )


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_path_chains_from_source_to_target(data: st.DataObject) -> None:
    machine = data.draw(strategies.machines())
    chips = st.integers(0, machine.num_chips - 1)
    src, dst = data.draw(chips), data.draw(chips)
    links = [
        machine.link(int(one))
        for one in machine.route(src, dst, rf.DimensionOrder("negative")).links
    ]
    if links:
        assert (links[0].source_chip, links[-1].target_chip) == (src, dst)
    else:
        assert src == dst
    for before, after in pairwise(links):
        if before.target_chip is not None or after.source_chip is not None:
            assert before.target_chip == after.source_chip


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_uniform_traffic_is_every_pair(data: st.DataObject) -> None:
    machine = data.draw(strategies.tori(max_size=4))
    policy = data.draw(strategies.routings(machine))
    count = machine.num_chips
    src, dst = np.divmod(np.arange(count * count), count)
    pairs = machine.link_loads(src, dst, 840.0, policy)
    uniform = machine.traffic("uniform", 840.0 * count, policy)
    np.testing.assert_allclose(uniform.bytes, pairs.bytes, rtol=1e-9, atol=1e-6)


def test_every_integer_width_and_layout_gives_the_same_loads() -> None:
    machine = rf.torus((4, 4), "50 GB/s")
    src, dst = np.arange(16), np.arange(16)[::-1]
    expected = machine.link_loads(src, dst, 7.0).bytes
    for width in (np.int8, np.uint8, np.int16, ">i4", np.int32, np.uint32, ">u8", np.uint64):
        wide = np.zeros(32, width)
        wide[::2] = src
        got = machine.link_loads(wide[::2], dst.astype(width), np.full(16, 7, ">f4"))
        assert (got.bytes == expected).all()
    assert (machine.link_loads(list(range(16)), tuple(dst.tolist()), "7 B").bytes == expected).all()
    assert (machine.link_loads(range(16), dst, [7] * 16).bytes == expected).all()


def test_good_columns_are_not_copied() -> None:
    from rainier_fast.topology.arrays import flow_columns

    for width in (np.int32, np.uint32, np.int64, np.uint64):
        src = np.zeros(4, width)
        sizes = np.zeros(4)
        one, other, nbytes = flow_columns(src, src, sizes, 8)
        assert one is src
        assert other is src
        assert nbytes is sizes


def test_a_scalar_end_goes_with_all() -> None:
    machine = rf.torus(8, "50 GB/s")
    many = machine.link_loads([0] * 7, range(1, 8), 8.0)
    assert machine.link_loads(0, range(1, 8), 8.0) == many
    assert machine.link_loads(0, 3, 8.0).total_hop_bytes == 24
    assert machine.link_loads([], [], "1 GiB").time_s == 0
    assert machine.link_loads([], [], []).bottleneck is None


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_threads_change_no_bit(threads: int) -> None:
    machine = rf.torus((8, 8, 8), "50 GB/s")
    random = np.random.default_rng(1)
    src, dst = random.integers(0, 512, (2, 200_000))
    sizes = random.random(200_000) * 1e6
    expected = machine.link_loads(src, dst, sizes, n_threads=1)
    assert machine.link_loads(src, dst, sizes, n_threads=threads) == expected


def test_progress_is_told_and_may_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = rf.torus((8, 8, 8), "50 GB/s")
    src = np.tile(np.arange(512), 200)
    told: list[tuple[int, int]] = []
    machine.link_loads(src, src[::-1], 1.0, progress=lambda *done: told.append(done))
    assert all(0 <= done <= total for done, total in told)
    monkeypatch.setenv("RAINIER_NUM_THREADS", "2")
    assert machine.link_loads(0, 1, 1.0).total_hop_bytes == 1
    monkeypatch.setenv("RAINIER_NUM_THREADS", "many")
    with raises(rf.InvalidArgument, "RAINIER_NUM_THREADS"):
        machine.link_loads(0, 1, 1.0)


@pytest.mark.parametrize("pattern", ["transpose", "tornado", "bit_complement", "neighbor"])
def test_patterns_send_from_every_chip(pattern: str) -> None:
    machine = rf.torus((4, 4), "50 GB/s")
    assert machine.traffic(pattern, 1000).total_hop_bytes > 0


def test_pattern_arguments() -> None:
    machine = rf.torus((4, 4), "50 GB/s")
    first = machine.traffic("permutation", 1000, seed=1)
    assert first == machine.traffic("permutation", 1000, seed=np.int64(1))
    assert first != machine.traffic("permutation", 1000, seed=2)
    assert machine.traffic("neighbor", 1000, shift=1) == machine.traffic(
        "neighbor", 1000, shift=[1, 1]
    )
    assert machine.traffic("neighbor", 1000, shift=(1, 0)).total_hop_bytes == 16_000


def test_a_mesh_lays_chips_out_last_axis_fastest() -> None:
    mesh = rf.preset("rainier", chips=256, sites=3).mesh(pp=2, dp=-1, tp=16)
    assert mesh.shape == {"pp": 2, "dp": 8, "tp": 16}
    assert mesh.chips(pp=1, dp=0).tolist() == list(range(128, 144))
    assert mesh.chips().shape == (2, 8, 16)
    assert mesh.axis_groups("dp").members(17).tolist() == list(range(129, 257, 16))
    merged = mesh.axis_groups(("pp", "dp"))
    assert (merged.ranks, merged.count) == (16, 16)
    assert pickle.loads(pickle.dumps(mesh)) == mesh
    assert hash(mesh) == hash(pickle.loads(pickle.dumps(mesh)))
    # Axes with another between them are one group, in the order of the mesh.
    around = mesh.axis_groups(("pp", "tp"))
    assert (around.ranks, around.count) == (32, 8)
    assert around.members(1).tolist() == [*range(16, 32), *range(144, 160)]


@pytest.mark.parametrize("axis", ["pp", "dp", "tp", ("pp", "dp"), ("dp", "tp"), ("pp", "dp", "tp")])
def test_groups_of_python_and_core_are_the_same(axis: str | tuple[str, ...]) -> None:
    machine = rf.preset("rainier", chips=192, sites=3)
    mesh = machine.mesh(pp=3, dp=4, tp=16)
    groups = mesh.axis_groups(axis)
    core = groups.core(machine._core)
    assert (groups.ranks, groups.count) == (core.ranks, core.count)
    ours = {tuple(row) for row in groups.to_array().tolist()}
    theirs = {tuple(core.members(machine._core, at).tolist()) for at in range(core.count)}
    assert ours == theirs == {tuple(groups.members(at).tolist()) for at in range(len(groups))}


def test_mesh_collectives_run_all_groups() -> None:
    mesh = rf.preset("rainier", chips=256, sites=3).mesh(dp=4, tp=64)
    result = mesh.all_gather("64 MiB", axis="tp")
    assert (result.ranks, result.groups) == (64, 4)
    assert mesh.broadcast("64 MiB", axis="dp", root=3).groups == 64
    assert mesh.barrier(axis="dp").size_bytes == 0
    same = mesh.machine.all_gather("64 MiB", group=mesh.axis_groups("tp"))
    assert same == result


def test_every_algorithm_has_a_line() -> None:
    names = rf.algorithms()
    assert "hierarchical" in names
    assert all(names.values())
    assert set(rf.algorithms("all_reduce")) <= set(names)
    assert rf.algorithms("barrier")
    with raises(rf.UnknownName, "operation"):
        rf.algorithms("allreduce")


def test_sites_share_an_ultraserver() -> None:
    sites = [rf.Site("a", 1, SERVER), rf.Site("b", 1, rf.TRN2_ULTRASERVER)]
    with raises(rf.Unsupported, "sites[1]"):
        rf.Cluster(sites, rf.Wan(1e9, 0))
