"""Presets of other makers: what they are, how they are joined, what they cost, what they refuse."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

import rainier_fast as rf
from raising import raises

# chips, bf16 and fp8 of a chip, bytes of a chip, links of the domain, NICs
ONE: dict[str, tuple[int, float | None, float | None, float, int]] = {
    "a100": (8, 312e12, None, 80e9, 2 * 8 + 2 * 8),
    "a100-4nic": (8, 312e12, None, 80e9, 2 * 8 + 2 * 4),
    "p4d": (8, 312e12, None, 40e9, 2 * 8 + 2 * 4),
    "h100": (8, 989e12, 1979e12, 80e9, 2 * 8 + 2 * 8),
    "h100-96gb": (8, 989e12, 1979e12, 96e9, 2 * 8 + 2 * 8),
    "h200": (8, 989e12, 1979e12, 141e9, 2 * 8 + 2 * 8),
    "b200": (8, 2250e12, 4500e12, 180e9, 2 * 8 + 2 * 8),
    "b300": (8, 2250e12, 4500e12, 288e9, 2 * 8 + 2 * 8),
    "gb200-nvl72": (72, 2500e12, 5000e12, 186e9, 2 * 72 + 2 * 72),
    "gb300-nvl72": (72, 2500e12, 5000e12, 288e9, 2 * 72 + 2 * 72),
    "mi300x": (8, 1307e12, 2610e12, 192e9, 8 * 7 + 2 * 8),
    "mi355x": (8, 2500e12, 5000e12, 288e9, 8 * 7 + 2 * 8),
    "maia-100": (4, 800e12, None, 64e9, 4 * 3 + 2 * 4),
    "maia-200": (4, None, 5000e12, 216e9, 4 * 3 + 2 * 4),
    "tpu-v4": (4096, 275e12, None, 32 * 2**30, 6 * 4096),
    "tpu-v5e": (256, 197e12, None, 16e9, 4 * 256),
    "tpu-v5p": (8960, 459e12, 459e12, 95 * 2**30, 6 * 8960),
    "tpu-v6e": (256, 918e12, 918e12, 32 * 2**30, 4 * 256),
    "tpu-ironwood": (9216, 2307e12, 4614e12, 192 * 2**30, 6 * 9216),
}
NODES = [name for name in ONE if not name.startswith("tpu")]
GIB = 2**30
SHARES = ["tpu_link_efficiency", "tpu_exposed_launch"]


def test_every_rival_is_a_preset() -> None:
    assert set(ONE) <= set(rf.presets())


@pytest.mark.parametrize("name", ONE)
def test_what_a_preset_is(name: str) -> None:
    machine = rf.preset(name)
    chips, bf16, fp8, memory, links = ONE[name]
    assert machine.name == name
    assert repr(machine) == f"preset({name!r})"
    assert machine.num_chips == chips
    assert machine.num_links == links
    assert machine.hbm_bytes == chips * memory
    for dtype, rate in (("bf16", bf16), ("fp8", fp8)):
        if rate is None:
            with raises(rf.UnknownName, "dtype"):
                machine.peak_flops(dtype)
        else:
            assert machine.peak_flops(dtype) == chips * rate
            assert machine.peak_flops(dtype, tensor_only=True) == chips * rate


@pytest.mark.parametrize(
    ("constant", "name"),
    [
        ("A100_NODE", "a100"),
        ("A100_4NIC_NODE", "a100-4nic"),
        ("A100_40GB_INSTANCE", "p4d"),
        ("H100_NODE", "h100"),
        ("H100_96GB_NODE", "h100-96gb"),
        ("H200_NODE", "h200"),
        ("B200_NODE", "b200"),
        ("B300_NODE", "b300"),
        ("GB200_NVL72", "gb200-nvl72"),
        ("GB300_NVL72", "gb300-nvl72"),
        ("MI300X_NODE", "mi300x"),
        ("MI355X_NODE", "mi355x"),
        ("MAIA_100_NODE", "maia-100"),
        ("MAIA_200_NODE", "maia-200"),
        ("TPU_V4_POD", "tpu-v4"),
        ("TPU_V5E_POD", "tpu-v5e"),
        ("TPU_V5P_POD", "tpu-v5p"),
        ("TPU_V6E_POD", "tpu-v6e"),
        ("TPU_IRONWOOD_POD", "tpu-ironwood"),
    ],
)
def test_constants_are_what_presets_repeat(constant: str, name: str) -> None:
    server = getattr(rf, constant)
    assert constant in rf.__all__
    assert rf.preset(name).ultraserver == server
    if name in NODES:
        mine = rf.Cluster([rf.Site("mine", 2, server, rf.Fabric())])
        assert mine.num_chips == 2 * server.num_chips


@pytest.mark.parametrize(
    ("name", "assumed"),
    [
        ("a100", ["nvlink_port_latency"]),
        ("h100", ["nvlink_port_latency"]),
        ("h200", ["nvlink_port_latency"]),
        ("b200", ["nvlink_port_latency"]),
        ("b300", ["nvlink_port_latency"]),
        ("gb300-nvl72", ["nvlink_port_latency"]),
        ("mi355x", ["xgmi_hop_latency"]),
        ("maia-100", ["ethernet_link_latency"]),
        ("maia-200", ["ethernet_link_latency", "maia200_local_share"]),
        ("tpu-v5p", ["ici_hop_latency", "tpu_v5p_launch", *SHARES]),
        ("tpu-v5e", ["ici_hop_latency", "tpu_v5e_launch", *SHARES]),
        ("tpu-v6e", ["ici_hop_latency", "tpu_other_launch", *SHARES]),
    ],
)
def test_one_domain_stands_on_its_latency(name: str, assumed: list[str]) -> None:
    assert list(rf.preset(name).assumptions) == assumed
    silent = rf.preset(name).without_latency().assumptions
    fitted = ("nvlink_port_latency", "tpu_v5p_launch", "tpu_v5e_launch")
    assert list(silent) == [one for one in assumed if "latency" not in one and one not in fitted]


def test_a_cluster_stands_on_its_fabric_too() -> None:
    scale_out = {"rdma_end_to_end_latency", "rdma_nic_latency", "rdma_message_overhead"}
    fabric = {"fabric_tier_latency", "scale_out_oversubscription"}
    nodes = rf.preset("h100", chips=64).assumptions
    inside = {"nvlink_port_latency"}
    assert set(nodes) == inside | {"node_group_nodes"} | scale_out | fabric
    racks = rf.preset("gb200-nvl72", chips=144).assumptions
    assert set(racks) == {"nvlink_port_latency", "nvl72_group_racks"} | scale_out | fabric
    other = rf.Cluster([rf.Site("mine", 8, rf.H100_NODE, rf.Fabric())])
    assert set(other.assumptions) == inside | scale_out
    # The fabric that sites have by default is AWS's, and is named as such.
    assert "fabric_tier1_ultraservers" in rf.Cluster([rf.Site("a", 8, rf.H100_NODE)]).assumptions


@pytest.mark.parametrize(
    ("name", "generation", "cpu"),
    [
        ("a100", "ampere", "amd"),
        ("a100-4nic", "ampere", "amd"),
        ("p4d", "ampere", "intel"),
        ("h100", "hopper", "intel"),
        ("h100-96gb", "hopper", "intel"),
        ("h200", "hopper", "intel"),
        ("b200", "blackwell", "intel"),
        ("b300", "blackwell", "intel"),
        ("gb200-nvl72", "blackwell", "arm"),
        ("gb300-nvl72", "blackwell", "arm"),
    ],
)
def test_what_nccl_asks_of_a_preset(name: str, generation: str, cpu: str) -> None:
    machine = rf.preset(name)
    timing = rf.NcclTiming.from_catalog(generation)
    assert machine.ultraserver.gpu == rf.Gpu(generation, cpu=cpu, version="2.29.2", timing=timing)
    for chips in (machine.num_chips, 4 * machine.num_chips):
        cluster = rf.preset(name, chips=chips)
        assert pickle.loads(pickle.dumps(cluster)).ultraserver.gpu == machine.ultraserver.gpu
        for operation in ("all_reduce", "all_gather", "reduce_scatter"):
            result = getattr(cluster, operation)("1 GiB", algorithm="nccl")
            assert result.algorithm.startswith("nccl(")
            assert result.efficiency < 1


@pytest.mark.parametrize("name", ["mi300x", "maia-100", "tpu-v5p", "trn2"])
def test_nccl_runs_on_gpus_of_nvidia_only(name: str) -> None:
    assert rf.preset(name).ultraserver.gpu is None
    with raises(rf.Unsupported, None, "'nccl'", "gpu=Gpu"):
        rf.preset(name).all_reduce("1 GiB", algorithm="nccl")


def test_nccl_without_what_was_fitted_is_faster_and_chooses_the_same() -> None:
    gpu = rf.H100_NODE.gpu
    assert gpu is not None
    server = dataclasses.replace(rf.H100_NODE, gpu=dataclasses.replace(gpu, timing=None))
    bare, fitted = (rf.Cluster([rf.Site("a", 1, one)]) for one in (server, rf.H100_NODE))
    results = [one.all_reduce("32 MiB", algorithm="nccl") for one in (bare, fitted)]
    assert results[0].time_s < results[1].time_s
    assert results[0].algorithm == results[1].algorithm
    # Other algorithms know nothing of NCCL.
    assert bare.all_reduce("32 MiB").time_s == fitted.all_reduce("32 MiB").time_s


@pytest.mark.parametrize(("name", "launch"), [("tpu-v5p", 123e-6), ("tpu-v5e", 5e-6)])
def test_calls_on_tpus_take_the_launch_that_was_fitted(name: str, launch: float) -> None:
    machine = rf.preset(name)
    assert machine.ultraserver.launch_s == launch
    assert machine.all_reduce("1 B").time_s >= launch
    assert rf.preset(name, shape=(2, 2, 1) if name == "tpu-v5p" else (2, 2)).barrier().time_s == (
        launch
    )
    assert machine.without_latency().ultraserver.launch_s == 0
    for other in ("tpu-v4", "tpu-v6e", "tpu-ironwood"):
        assert rf.preset(other).ultraserver.launch_s == 0
        assert "nothing is published" in rf.preset(other).assumptions["tpu_other_launch"].note


# ------------------------------------------------------------------ clusters of nodes


@pytest.mark.parametrize("name", NODES)
def test_any_whole_number_of_nodes_is_a_cluster(name: str) -> None:
    unit = ONE[name][0]
    assert rf.preset(name, chips=unit) == rf.preset(name)
    machine = rf.preset(name, chips=3 * unit)
    assert (machine.num_ultraservers, machine.num_chips) == (3, 3 * unit)
    assert repr(machine) == f"preset({name!r}, chips={3 * unit})"
    assert eval(repr(machine), {"preset": rf.preset}) == machine
    assert pickle.loads(pickle.dumps(machine)) == machine
    nic = machine.ultraserver.nic
    assert nic is not None
    assert machine.route(0, unit).bandwidth_Bps == nic.bandwidth_Bps
    with raises(rf.InvalidArgument, "chips"):
        rf.preset(name, chips=unit + 1)


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("a100", 300e9, 25e9),
        ("a100-4nic", 300e9, 25e9),
        ("p4d", 300e9, 12.5e9),
        ("h100", 450e9, 50e9),
        ("h100-96gb", 450e9, 50e9),
        ("h200", 450e9, 50e9),
        ("b200", 900e9, 50e9),
        ("b300", 900e9, 100e9),
        ("gb200-nvl72", 900e9, 50e9),
        ("gb300-nvl72", 900e9, 100e9),
        ("mi300x", 64e9, 50e9),
        ("mi355x", 76.5e9, 50e9),
        ("maia-100", 150e9, 150e9),
        ("maia-200", 350e9, 350e9),
    ],
)
def test_rates_inside_and_between_nodes(name: str, inside: float, outside: float) -> None:
    machine = rf.preset(name, chips=2 * ONE[name][0])
    assert machine.route(0, 1).bandwidth_Bps == inside
    assert machine.route(0, machine.num_chips - 1).bandwidth_Bps == outside


def test_latency_from_node_to_node() -> None:
    h100 = rf.preset("h100", chips=512)
    assert h100.route(0, 7).latency_s == pytest.approx(2 * 0.3e-6)
    same_leaf, over_spine = h100.route(0, 8), h100.route(0, 511)
    assert same_leaf.latency_s == pytest.approx(2 * 2e-6)
    assert over_spine.latency_s == pytest.approx(2 * 2e-6 + 2 * 0.5e-6)


def test_a_large_cluster_costs_no_more_to_make() -> None:
    machine = rf.preset("gb200-nvl72", chips=72 * 8192)
    assert machine.num_chips == 589_824
    assert machine.all_reduce("1 GiB").efficiency > 0.5


# ------------------------------------------------------------------ closed forms


def test_all_reduce_of_a_v5p_cube() -> None:
    cube = rf.preset("tpu-v5p", shape=(4, 4, 4)).without_latency()
    result = cube.all_reduce(GIB)
    bound = 2 * 63 / 64 * GIB / (6 * 90e9)
    assert result.lower_bound_s == pytest.approx(bound, rel=1e-12)
    assert result.time_s == pytest.approx(bound, rel=1e-3)


def test_all_reduce_without_wraps_takes_twice_as_long() -> None:
    # Of a plane of a v5e pod, in which 4x4 is open and 16x16 is not.
    torus = rf.preset("tpu-v5e").without_latency().all_reduce(GIB)
    mesh = rf.preset("tpu-v5e", shape=(4, 4)).without_latency().all_reduce(GIB)
    assert torus.lower_bound_s == pytest.approx(2 * 255 / 256 * GIB / (4 * 45e9), rel=1e-12)
    # An open 4x4 has 48 links for its 16 chips, where a torus has 64.
    assert mesh.lower_bound_s == pytest.approx(2 * 15 * GIB / (48 * 45e9), rel=1e-12)
    assert 1.8 < mesh.time_s / torus.time_s < 2.2


@pytest.mark.parametrize(
    ("name", "chips", "port"),
    [
        ("a100", 8, 300e9),
        ("h100", 8, 450e9),
        ("b200", 8, 900e9),
        ("b300", 8, 900e9),
        ("gb200-nvl72", 72, 900e9),
        ("gb300-nvl72", 72, 900e9),
    ],
)
def test_a_switch_is_bounded_by_a_port(name: str, chips: int, port: float) -> None:
    machine = rf.preset(name)
    result = machine.all_reduce(GIB)
    share = (chips - 1) / chips * GIB / port
    assert result.algorithm == "direct"
    assert result.lower_bound_s == pytest.approx(2 * share, rel=1e-12)
    # Two steps, each a crossing of two ports.
    assert result.time_s == pytest.approx(2 * share + 2 * 2 * 0.3e-6, rel=1e-12)
    assert machine.all_gather(GIB).time_s == pytest.approx(share + 2 * 0.3e-6, rel=1e-12)
    assert machine.all_to_all(GIB).time_s == pytest.approx(share + 2 * 0.3e-6, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "chips", "link"),
    [
        ("mi300x", 8, 64e9),
        ("mi355x", 8, 76.5e9),
        ("maia-100", 4, 150e9),
        ("maia-200", 4, 350e9),
    ],
)
def test_a_full_mesh_is_bounded_by_its_links(name: str, chips: int, link: float) -> None:
    result = rf.preset(name).without_latency().all_to_all(GIB)
    assert result.time_s == pytest.approx(GIB / chips / link, rel=1e-12)
    assert result.efficiency == pytest.approx(1)


def test_two_nodes_are_bounded_by_their_nics() -> None:
    pair = rf.preset("h100", chips=16).without_latency()
    result = pair.all_reduce(GIB)
    # Half of the sum has to leave each node, and to come back: 8 NICs carry it.
    assert result.lower_bound_s >= GIB / (8 * 50e9)
    assert result.time_s == pytest.approx(result.lower_bound_s, rel=0.05)
