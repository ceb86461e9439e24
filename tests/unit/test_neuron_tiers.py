"""`algorithm="neuron"` over nodes and sites: closed forms by hand, laws, and what is unmeasured."""

from __future__ import annotations

import dataclasses
import itertools
import json
import pickle

import pytest

import rainier_fast as rf
from raising import raises

MIB = 2**20
TRN2 = rf.preset("trn2")
NEURON = rf.Neuron.from_catalog()
CHIP, INSTANCE = 19.3e9, 270e9
"""Bytes/s out of HBM over EFA: of one chip alone, and of the 16 of an instance together."""
STEP = 15e-6


def cluster(
    *nodes: int, server: rf.UltraServer = rf.TRN2_INSTANCE, wan: rf.Wan | None = None
) -> rf.Machine:
    """Return sites of so many nodes below one switch each."""
    sites = [rf.Site(f"s{at}", count, server, rf.Fabric()) for at, count in enumerate(nodes)]
    if len(nodes) > 1 and wan is None:
        wan = rf.Wan("10 GB/s", "5 ms")
    return rf.Cluster(sites, wan=wan)


def inside(operation: str, size: float) -> float:
    """Return the seconds of a stage inside an instance: those of one alone without its call."""
    alone = getattr(TRN2, operation)(size, algorithm="neuron")
    return float(alone.time_s) - float(NEURON.call)


def rows_of(result: rf.CollectiveResult, tier: str) -> float:
    return sum(row["time_s"] for row in result.stages if row["tier"] == tier)


@pytest.mark.parametrize("size", [MIB, 8 * MIB, 2**30])
def test_all_reduce_of_two_sites_by_hand(size: int) -> None:
    result = cluster(2, 4).all_reduce(size, algorithm="runtime")
    # Each chip has a 16th; in the larger site three quarters of that cross its NIC in one step.
    share = size / 16
    site = STEP + 3 / 4 * share / (INSTANCE / 16)
    # Each site's sum crosses to the other: NICs and WAN, and 1 us to start each of the two messages
    # that chips of the smaller site send, whose share two chips of the larger one hold.
    wan = 2 * 7.5e-6 + 5e-3 + 2e-6 + size / 10e9
    within = inside("reduce_scatter", size) + inside("all_gather", size)
    assert rows_of(result, "wan") == pytest.approx(wan, rel=1e-9)
    assert rows_of(result, "site") == pytest.approx(2 * site, rel=1e-9)
    assert rows_of(result, "domain") == pytest.approx(within, rel=1e-9)
    expected = float(NEURON.call) + within + 2 * site + wan
    assert result.time_s == pytest.approx(expected, rel=1e-9)
    assert result.algorithm.endswith("wan mesh)")


@pytest.mark.parametrize("operation", ["all_gather", "reduce_scatter"])
def test_halves_of_two_sites_by_hand(operation: str) -> None:
    size = 2**30
    result = getattr(cluster(4, 4), operation)(size, algorithm="runtime")
    site = STEP + 3 / 4 * (size / 16) / (INSTANCE / 16)
    wan = 2 * 7.5e-6 + 5e-3 + 1e-6 + size / 2 / 10e9
    expected = float(NEURON.call) + inside(operation, size) + site + wan
    assert result.time_s == pytest.approx(expected, rel=1e-9)
    # Bytes gather over the slowest tier first, and are added up on it last.
    tiers = [tier for tier in result.stages["tier"].tolist() if tier != "machine"]
    order = ["wan", "site", "domain"]
    assert tiers == (order if operation == "all_gather" else order[::-1])


def test_between_nodes_the_fastest_of_the_vendors() -> None:
    four = cluster(4)
    for size, name, steps, nic in (
        # One step with a whole buffer to each, or two with a part, of the same bytes as a ring.
        (1024, "single-step Mesh", 1, 3 * 64),
        (2**30, "Mesh", 2, 2 * 3 / 4 * 2**26),
    ):
        result = four.all_reduce(size, algorithm="runtime")
        assert f"inter {name}" in result.algorithm
        expected = steps * STEP + nic / (INSTANCE / 16)
        assert rows_of(result, "site") == pytest.approx(expected, rel=1e-9)
    # Meshes end at 128 devices, halving takes powers of two.
    for nodes, name in ((129, "ring"), (256, "RDH")):
        result = cluster(nodes).all_reduce(2**30, algorithm="runtime")
        assert f"inter {name})" in result.algorithm
    steps = 2 * 8
    expected = steps * STEP + 2 * 255 / 256 * 2**26 / (INSTANCE / 16)
    assert rows_of(result, "site") == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("chips", [1, 4, 13, 14, 16])
def test_goodput_is_of_a_chip_or_of_its_instance(chips: int) -> None:
    group = [16 * node + chip for node in range(2) for chip in range(chips)]
    size = 2**28
    result = cluster(2).all_gather(size, group=group, algorithm="runtime")
    rate = min(CHIP, INSTANCE / chips)
    expected = STEP + size / chips / 2 / rate
    assert rows_of(result, "site") == pytest.approx(expected, rel=1e-9)


def test_an_ultraserver_has_four_instances() -> None:
    pair = cluster(2, server=rf.TRN2_ULTRASERVER)
    size = 2**30
    plane, line = range(16), [0, 16, 32, 48]
    for local, rate in ((plane, INSTANCE / 16), (line, CHIP)):
        group = [64 * node + chip for node in range(2) for chip in local]
        result = pair.all_gather(size, group=group, algorithm="runtime")
        expected = STEP + size / len(local) / 2 / rate
        assert rows_of(result, "site") == pytest.approx(expected, rel=1e-9)


def slower_nics(rate: str) -> rf.UltraServer:
    nic = dataclasses.replace(rf.TRN2_INSTANCE.nic, bandwidth=rate)
    return dataclasses.replace(rf.TRN2_INSTANCE, nic=nic)


def test_a_slow_nic_or_a_thin_fabric_counts_instead() -> None:
    size = 2**28
    slow = cluster(2, server=slower_nics("4 GB/s")).all_gather(size, algorithm="runtime")
    assert rows_of(slow, "site") == pytest.approx(STEP + size / 16 / 2 / 4e9, rel=1e-9)
    # Uplinks of pairs of nodes, a 40th of the NICs below them, are no slower for what NICs lack:
    # RDH sends a quarter of the output across them, then half to the other node of the pair.
    thin = rf.Fabric([rf.Tier(2, oversubscription=40, latency=0)])
    full = dataclasses.replace(NEURON, efa_goodput="25 GB/s", efa_instance_goodput="400 GB/s")
    fast = dataclasses.replace(rf.TRN2_INSTANCE, neuron=full)
    for server, rate in ((rf.TRN2_INSTANCE, INSTANCE / 16), (fast, 25e9)):
        machine = rf.Cluster([rf.Site("here", 4, server, thin)])
        result = machine.all_gather(size, algorithm="runtime")
        across = 2 * size / 4 / (2 * 16 * 25e9 / 40)
        expected = 2 * STEP + across + size / 16 / 2 / rate
        assert "inter RDH" in result.algorithm
        assert rows_of(result, "site") == pytest.approx(expected, rel=1e-9)


def test_a_step_is_no_faster_than_the_links() -> None:
    far = rf.Fabric([rf.Tier(1, latency="20 us")])
    machine = rf.Cluster([rf.Site("here", 2, rf.TRN2_INSTANCE, far)])
    result = machine.all_gather(0, algorithm="runtime")
    assert rows_of(result, "site") == pytest.approx(2 * 7.5e-6 + 2 * 20e-6)


def test_no_time_is_below_the_links() -> None:
    quiet = rf.Neuron(0, 0, 1.0, efa_step=0, efa_goodput="1 TB/s", efa_instance_goodput="9 TB/s")
    server = dataclasses.replace(rf.TRN2_INSTANCE, neuron=quiet)
    for machine in (cluster(4, server=server), cluster(2, 2, server=server)):
        for name, size in itertools.product(("all_reduce", "all_gather"), (0, 64, 2**20, 2**30)):
            result = getattr(machine, name)(size, algorithm="runtime")
            assert result.time_s >= result.lower_bound_s
            for table in (result.stages, result.phases):
                assert sum(table["time_s"]) == pytest.approx(result.time_s, rel=1e-12)
            parts = result.latency_s + result.overhead_s + result.serialisation_s
            assert parts == pytest.approx(result.time_s, rel=1e-12)
            assert result.candidates["time_s"][0] == result.time_s
    alone = rf.domain(server).all_reduce(0, algorithm="runtime")
    assert alone.time_s == alone.lower_bound_s > 0
    assert alone.stages["stage"].tolist()[-1] == "waiting for links"


def test_more_bytes_and_slower_links_take_longer() -> None:
    shapes = [(4,), (2, 4), (1, 1, 3)]
    ranges = [(0, MIB), (MIB + 1, 64 * MIB), (64 * MIB + 1, 4 * 2**30)]
    for nodes, name in itertools.product(shapes, ("all_reduce", "reduce_scatter", "all_gather")):
        ask = getattr(cluster(*nodes), name)
        for low, high in ranges:
            sizes = [low + (high - low) * at // 9 for at in range(10)]
            results = [ask(size, algorithm="runtime") for size in sizes]
            times = [result.time_s for result in results]
            assert times == sorted(times)
            assert all(result.time_s >= result.lower_bound_s for result in results)
        slow = cluster(*nodes, server=slower_nics("5 GB/s"))
        more = getattr(slow, name)(2**30, algorithm="runtime").time_s
        assert more > ask(2**30, algorithm="runtime").time_s
        if len(nodes) > 1:
            for wan in (rf.Wan("1 GB/s", "5 ms"), rf.Wan("10 GB/s", "50 ms")):
                far = getattr(cluster(*nodes, wan=wan), name)(2**30, algorithm="runtime").time_s
                assert far > ask(2**30, algorithm="runtime").time_s


def test_rainier_answers_and_names_what_was_never_measured() -> None:
    rainier = rf.preset("rainier")
    best = rainier.all_reduce("1 GiB")
    runs = rainier.all_reduce("1 GiB", algorithm="runtime")
    assert best.as_run == runs
    assert runs.time_s > best.time_s > runs.lower_bound_s
    assert [part.split(":")[0] for part in runs.unmeasured] == [
        "inside the node",
        "between nodes",
        "between sites",
    ]
    assert "16.875 GB/s" in runs.unmeasured[1]
    assert best.unmeasured == ()
    for part in runs.unmeasured:
        assert part in str(best)
        assert part in str(runs)
        assert part in runs._repr_html_().replace("&#x27;", "'")
    assert json.loads(json.dumps(runs.to_dict()))["unmeasured"] == list(runs.unmeasured)
    assert pickle.loads(pickle.dumps(runs)).unmeasured == runs.unmeasured
    assert {"wan_bandwidth", "efa_end_to_end_latency"} <= set(runs.assumptions)
    assert runs.link_loads().bytes.max() > 0
    mesh = rainier.mesh(dp=-1, tp=64)
    assert mesh.all_reduce("1 GiB", axis="dp", algorithm="runtime").time_s > runs.time_s / 2
    assert rainier.times("all_reduce", [2**30], algorithm="runtime").time_s[0] == runs.time_s


def test_measured_groups_have_nothing_to_name() -> None:
    assert TRN2.all_reduce(MIB, algorithm="runtime").unmeasured == ()
    assert TRN2.all_reduce(MIB, algorithm="runtime", dtype="bf16").unmeasured == ()
    some = TRN2.all_gather(MIB, group=range(4), algorithm="runtime").unmeasured
    assert some == ("inside the node: 4 chips by figures that were fitted on 16",)
    other = TRN2.all_to_all(MIB, algorithm="runtime").unmeasured
    assert [part.split(":")[0] for part in other] == ["all_to_all"]
    server = dataclasses.replace(rf.TRN2_INSTANCE, neuron=dataclasses.replace(NEURON, lnc=1))
    assert "8 ranks" in rf.domain(server).all_reduce(MIB, algorithm="runtime").unmeasured[0]
    own = dataclasses.replace(rf.TRN2_INSTANCE, neuron=dataclasses.replace(NEURON, step="3 us"))
    assert "given" in rf.domain(own).all_reduce(MIB, algorithm="runtime").unmeasured[0]


def test_types_that_were_not_measured_are_named() -> None:
    bf16 = TRN2.all_reduce(MIB, algorithm="runtime", dtype="bf16")
    fp32 = TRN2.all_reduce(MIB, algorithm="runtime", dtype="fp32")
    assert fp32.time_s == bf16.time_s
    assert fp32.unmeasured == ("fp32: by its bytes, with figures that were fitted on bf16",)
    assert len(bf16.nearest_measurements) == 3
    with raises(rf.Unsupported, None, "no measurements", "fp32"):
        _ = fp32.nearest_measurements
    assert "no measurements of all_reduce of fp32" in str(fp32)
    for dtype in ("fp64", "int64"):
        with raises(rf.Unsupported, None, dtype, "32 bits"):
            TRN2.all_reduce(MIB, algorithm="runtime", dtype=dtype)
        assert TRN2.all_reduce(MIB, dtype=dtype).as_run is None


def test_rows_of_another_type_are_a_fit_of_their_own() -> None:
    rows = [
        {"op": "all_reduce", "bytes": 2**at, "time_us": scale * (40 + 2**at / 1e5), "dtype": dtype}
        for at in range(20, 28)
        for dtype, scale in (("float32", 1.3), ("bf16", 1.0))
    ]
    both = rf.calibrate(TRN2, rows)
    assert any("as one" in note for note in both.notes)
    fp32 = rf.calibrate(TRN2, rows, dtype="fp32")
    bf16 = rf.calibrate(TRN2, rows, dtype="bf16")
    assert len(fp32.residuals) == len(bf16.residuals) == 8
    assert fp32.residuals.mean < 0.6 * both.residuals.mean
    asked = fp32.machine.all_reduce(4 * MIB, algorithm="runtime", dtype="fp32")
    assert asked.unmeasured == ()
    assert len(asked.nearest_measurements) == 3
    other = fp32.machine.all_reduce(4 * MIB, algorithm="runtime", dtype="bf16")
    assert "fitted on fp32" in other.unmeasured[0]
    assert (
        pickle.loads(pickle.dumps(fp32.machine))
        .all_reduce(4 * MIB, algorithm="runtime", dtype="bf16")
        .unmeasured
        == other.unmeasured
    )
    with raises(rf.InvalidArgument, "dtype", "int8", "bf16, fp32"):
        rf.calibrate(TRN2, rows, dtype="int8")


def test_rows_of_a_cluster_measure_its_nodes() -> None:
    pair = cluster(2)
    rows = [
        {"op": "all_gather", "bytes": 2**at, "time_us": 80 + 2**at / 5e4} for at in range(20, 28)
    ]
    fit = rf.calibrate(pair, rows)
    assert fit.machine.all_gather(MIB, algorithm="runtime").unmeasured == ()
    part = fit.machine.all_gather(MIB, group=range(16), algorithm="runtime")
    assert part.unmeasured == ()
    assert "all_reduce" in fit.machine.all_reduce(MIB, algorithm="runtime").unmeasured[0]
