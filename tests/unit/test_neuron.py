"""`algorithm="neuron"`: choices, parts, limits, and the definition of its parameters."""

from __future__ import annotations

import dataclasses

import pytest

import rainier_fast as rf
from rainier_fast.errors import InvalidArgument, RainierError, Unsupported
from rainier_fast.measure.space import with_server
from raising import raises

MIB = 2**20
NEURON = rf.Neuron.from_catalog()


@pytest.mark.parametrize(
    ("size", "name"),
    [(0, "Mesh"), (MIB, "Mesh"), (MIB + 1, "RDH"), (64 * MIB, "RDH"), (2**30, "KangaRing")],
)
def test_the_size_chooses(size: int, name: str) -> None:
    result = rf.preset("trn2").all_reduce(size, algorithm="neuron")
    assert result.algorithm == f"neuron({name})"
    assert name in result.why
    assert "size" in result.why


@pytest.mark.parametrize("size", [0, 2 * MIB, 2**30])
@pytest.mark.parametrize("nodes", [0, 1, 10])
@pytest.mark.parametrize("name", ["all_reduce", "all_gather", "reduce_scatter"])
def test_parts_add_up(nodes: int, name: str, size: int) -> None:
    machine = rf.preset("trn2")
    if nodes:
        machine = rf.Cluster([rf.Site("here", nodes, rf.TRN2_ULTRASERVER)])
    result = getattr(machine, name)(size, algorithm="neuron")
    assert sum(result.phases["time_s"]) == pytest.approx(result.time_s, rel=1e-12)
    assert sum(result.stages["time_s"]) == pytest.approx(result.time_s, rel=1e-12)
    parts = result.latency_s + result.overhead_s + result.serialisation_s
    assert parts == pytest.approx(result.time_s, rel=1e-12)
    assert result.time_s >= result.lower_bound_s
    kinds = set(result.phases["what"])
    assert {"software and launch", "DMA passes"} <= kinds
    assert ("steps over EFA" in kinds) == (nodes > 1)
    if size:
        assert {"bytes on links", "bytes of HBM"} <= kinds
        assert result.link_loads().bytes.max() > 0


def test_rings_of_too_many_ranks_and_meshes_of_too_many_devices_are_left() -> None:
    axes = tuple(dataclasses.replace(axis, size=16) for axis in rf.TRN2_INSTANCE.axes)
    machine = rf.Cluster([rf.Site("here", 1, dataclasses.replace(rf.TRN2_INSTANCE, axes=axes))])
    large = machine.all_reduce(2**30, algorithm="neuron")
    assert large.algorithm == "neuron(ring)"
    assert "256 ranks at most" in large.why
    small = machine.all_reduce(MIB, algorithm="neuron")
    assert small.algorithm == "neuron(RDH)"
    assert "128 devices at most" in small.why


def test_an_ultraserver_has_a_kangaring_in_each_plane() -> None:
    result = rf.preset("trn2-ultraserver").all_reduce(2**30, algorithm="neuron")
    assert result.algorithm == "neuron(KangaRing, ring)"
    assert "not published" in result.why
    plane = rf.preset("trn2").all_reduce(2**30, algorithm="neuron").time_s
    assert plane < result.time_s < 1.15 * plane


def test_all_groups_of_a_mesh_axis_at_once() -> None:
    mesh = rf.preset("trn2-ultraserver").mesh(dp=-1, tp=16)
    inside = mesh.all_gather(16 * MIB, axis="tp", algorithm="neuron")
    alone = rf.preset("trn2").all_gather(16 * MIB, algorithm="neuron")
    assert inside.time_s == pytest.approx(alone.time_s, rel=1e-12)
    across = mesh.all_reduce(16 * MIB, axis="dp", algorithm="neuron")
    assert "z" in str(across.bottleneck)


def test_hbm_bytes_are_the_vendors_touches() -> None:
    """KangaRing: 3 touches of a pair for all-gather, 4 for reduce-scatter; two pairs a chip."""
    for name, touches in (("all_gather", 3), ("reduce_scatter", 4)):
        result = getattr(rf.preset("trn2"), name)(2**30, algorithm="neuron")
        rows = [row for row in result.phases if row["what"] == "bytes of HBM"]
        assert rows[0]["bytes"] == pytest.approx(2 * touches * 15 / 16 * 2**30)
        assert rows[0]["bottleneck"] == "HBM"


def test_time_grows_with_size_between_thresholds() -> None:
    machine = rf.preset("trn2")
    for low, high in ((0, MIB), (MIB + 1, 64 * MIB), (64 * MIB + 1, 4 * 2**30)):
        sizes = [low + (high - low) * at // 40 for at in range(41)]
        times = [machine.all_reduce(size, algorithm="neuron").time_s for size in sizes]
        assert times == sorted(times)


def test_groups_that_no_cube_or_cycle_fits_take_a_ring() -> None:
    machine = rf.preset("trn2")
    for size in (4 * MIB, 2**30):
        ring = machine.all_reduce(size, group=[0, 1, 2], algorithm="neuron")
        assert ring.algorithm == "neuron(ring)"
        assert "power of two" in ring.why or "cycles" in ring.why
    assert machine.all_reduce(2**30, group=range(4), algorithm="neuron").algorithm == "neuron(ring)"


def test_between_nodes_a_step_takes_15_us() -> None:
    cluster = rf.Cluster([rf.Site("here", 16, rf.TRN2_ULTRASERVER)])
    result = cluster.all_gather(8, algorithm="neuron")
    inter = [row for row in result.phases if row["tier"] == "site"]
    assert inter[0]["time_s"] == pytest.approx(inter[0]["steps"] * 15e-6)
    large = cluster.all_reduce(2**30, algorithm="neuron")
    assert large.stages["tier"].tolist() == ["machine", *["domain"] * 2, "site", *["domain"] * 2]


def test_one_chip_of_each_node() -> None:
    cluster = rf.Cluster([rf.Site("here", 4, rf.TRN2_INSTANCE)])
    result = cluster.all_reduce(MIB, group=[0, 16, 32, 48], algorithm="neuron")
    assert result.time_s > 0
    assert "one chip" in result.why


def test_lnc_1_has_eight_ranks() -> None:
    machine = rf.preset("trn2")
    server = machine.ultraserver
    one = with_server(
        machine, dataclasses.replace(server, neuron=dataclasses.replace(NEURON, lnc=1))
    )
    for size in (MIB, 16 * MIB, 2**30):
        assert (
            one.all_gather(size, algorithm="neuron").time_s
            > machine.all_gather(size, algorithm="neuron").time_s
        )


def test_without_latency_only_bytes_remain() -> None:
    quiet = rf.preset("trn2").without_latency()
    result = quiet.all_reduce(2**30, algorithm="neuron")
    assert result.overhead_s == 0
    assert 0 < result.time_s < rf.preset("trn2").all_reduce(2**30, algorithm="neuron").time_s


def test_auto_never_takes_it() -> None:
    result = rf.preset("trn2").all_reduce(MIB)
    assert not any("neuron" in name for name in result.candidates["algorithm"])
    assert "neuron" in rf.algorithms("all_reduce")
    assert "neuron" not in rf.algorithms("broadcast")


def test_permute_takes_neighbours_only() -> None:
    machine = rf.preset("trn2")
    result = machine.send_recv(64 * MIB, group=range(4), algorithm="neuron")
    assert result.time_s > 64 * MIB / 128e9
    with raises(Unsupported, None, "send_recv", "chip 3", "chip 4"):
        machine.send_recv(MIB, algorithm="neuron")
    with raises(Unsupported, None, "send_recv", "chip 0", "chip 2"):
        machine.send_recv(MIB, group=range(4), shift=2, algorithm="neuron")


def test_all_to_all_takes_some_sizes_inside_a_node() -> None:
    machine = rf.preset("trn2")
    assert machine.all_to_all(MIB, algorithm="neuron").time_s > 0
    with raises(Unsupported, None, "all_to_all", "12 ranks"):
        machine.all_to_all(MIB, group=[0, 1, 2], algorithm="neuron")
    cluster = rf.Cluster([rf.Site("here", 2, rf.TRN2_ULTRASERVER)])
    with raises(Unsupported, None, "all_to_all", "nodes"):
        cluster.all_to_all(MIB, algorithm="neuron")


@pytest.mark.parametrize(
    ("machine", "call", "thing"),
    [
        ("trn1", {}, "presets trn2"),
        ("trn3-ultraserver-gen1", {}, "presets trn2"),
    ],
)
def test_machines_that_it_is_not_for(machine: str, call: dict[str, object], thing: str) -> None:
    with raises(Unsupported, None, "neuron", thing):
        rf.preset(machine).all_reduce(MIB, algorithm="neuron", **call)


def test_other_refusals() -> None:
    with raises(Unsupported, None, "neuron", "presets trn2"):
        rf.torus((4, 4), bandwidth="128 GB/s").all_reduce(MIB, algorithm="neuron")
    with raises(Unsupported, None, "neuron", "groups"):
        rf.Cluster([rf.Site("here", 2, rf.TRN2_ULTRASERVER)]).all_reduce(
            MIB, group=[0, 1, 64], algorithm="neuron"
        )
    with raises(Unsupported, None, "'neuron'", "broadcast"):
        rf.preset("trn2").broadcast(MIB, algorithm="neuron")
    with raises(Unsupported, None, "chunks"):
        rf.preset("trn2").all_reduce(MIB, algorithm="neuron", chunks=4)


def test_limits_of_a_program() -> None:
    NEURON.check_program(16, streams=4)
    with raises(Unsupported, None, "17 replica groups", "16", "12"):
        NEURON.check_program(17)
    with raises(Unsupported, None, "5 collectives", "4 streams"):
        NEURON.check_program(1, streams=5)
    with raises(Unsupported, None, "13 replica groups", "12"):
        dataclasses.replace(NEURON, replica_groups=12).check_program(13)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("call", -1),
        ("step", "fast"),
        ("hbm_efficiency", 1.5),
        ("hbm_efficiency", 0),
        ("link_efficiency", 2),
        ("lnc", 3),
        ("links_at_once", -2),
        ("links_at_once", 5),
        ("mesh_most", "1 GiB"),
        ("replica_groups", 0),
        ("streams", 1.5),
        ("efa_goodput", 0),
        ("efa_instance_goodput", "1 GiB"),
        ("instance_chips", 0),
        ("fitted_on", "rows"),
    ],
)
def test_bad_parameters(field: str, value: object) -> None:
    with raises(RainierError, field):
        dataclasses.replace(NEURON, **{field: value})  # type: ignore[arg-type]


def test_the_definition_evaluates_back() -> None:
    assert eval(repr(NEURON), {"Neuron": rf.Neuron}) == NEURON
    assert rf.Neuron("8 us", "3 us", 0.75) == rf.Neuron(8e-6, 3e-6, 0.75)


def test_a_neuron_needs_a_chip() -> None:
    with raises(InvalidArgument, "neuron"):
        dataclasses.replace(rf.TRN2_INSTANCE, chip=None)
