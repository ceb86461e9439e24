"""Definitions: what they accept, refuse, hold, and how they print."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

CHIP = rf.Chip("mine", {"fp8": 2e15, "bf16": 1e15}, {"bf16": 9e14}, "96 GiB", "3 TB/s")
AXES = (rf.Axis("x", 4, "ring", "50 GB/s", "1 us"), rf.Axis("y", 2, "line", 1e9))
NIC = rf.Nic("200 Gbps", "7.5 us", "1 us")
SERVER = rf.UltraServer("server", CHIP, AXES, NIC, "2 us")

DEFINITIONS: list[Any] = [
    CHIP,
    *AXES,
    NIC,
    SERVER,
    rf.Tier(16, 2, "1 us"),
    rf.Axis("s", 8, "switch", "1 TB/s", 0, [rf.Tier(2), rf.Tier(4)]),
    rf.Fabric([rf.Tier(2), rf.Tier(4)]),
    rf.Site("here", 3, SERVER),
    rf.Site("here", 3, SERVER, rf.Fabric()),
    rf.Wan("10 Tbps", "6 ms"),
    rf.Wan([[None, "1 GB/s"], ["2 GB/s", None]], np.array([[0, 1e-3], [2e-3, 0]])),
    rf.Wan([1e9, 2e9], "1 ms", "hub"),
    rf.DimensionOrder("positive", ["y", 0]),
    rf.MinimalAdaptive(),
    rf.Valiant(),
    rf.TRN1_INSTANCE,
    rf.TRN2_INSTANCE,
    rf.TRN2_ULTRASERVER,
    rf.TRN3_ULTRASERVER_GEN1,
    rf.TRN3_ULTRASERVER_GEN2,
]


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda one: type(one).__name__)
def test_a_definition_survives_repr_pickle_copy_and_hashes(definition: Any) -> None:
    again = eval(repr(definition), {name: getattr(rf, name) for name in rf.__all__})
    assert again == definition
    assert hash(again) == hash(definition)
    assert pickle.loads(pickle.dumps(definition)) == definition
    assert copy.deepcopy(definition) == definition
    for field in dataclasses.fields(definition):
        with pytest.raises(AttributeError):
            setattr(definition, field.name, "other")


def test_text_and_numbers_define_the_same() -> None:
    assert rf.Axis("x", 4, "ring", "50 GB/s", "1 us") == rf.Axis(
        "x", np.int32(4), "ring", 5e10, 1e-6
    )
    assert AXES[0].bandwidth_Bps == 5e10
    assert AXES[0].latency_s == 1e-6
    assert (NIC.bandwidth_Bps, NIC.latency_s, NIC.overhead_s) == (25e9, 7.5e-6, 1e-6)


def test_an_ultraserver_adds_up_its_chips() -> None:
    assert SERVER.num_chips == 8
    assert SERVER.shape == (4, 2)
    assert SERVER.peak_flops("bf16") == 8e15
    assert SERVER.peak_flops("bf16", tensor_only=True) == 8 * 9e14
    assert SERVER.hbm_bytes == 8 * 96 * 2**30
    assert SERVER.nic_bandwidth_Bps == 200e9
    assert SERVER.overhead_s == 2e-6


@pytest.mark.parametrize(
    ("constant", "shape", "chip"),
    [
        ("TRN1_INSTANCE", (4, 4), "trainium1"),
        ("TRN2_INSTANCE", (4, 4), "trainium2"),
        ("TRN2_ULTRASERVER", (4, 4, 4), "trainium2"),
        ("TRN3_ULTRASERVER_GEN1", (4, 8, 2), "trainium3"),
        ("TRN3_ULTRASERVER_GEN2", (4, 18, 2), "trainium3"),
    ],
)
def test_constants_are_made_of_the_catalogue(
    constant: str, shape: tuple[int, ...], chip: str
) -> None:
    server = getattr(rf, constant)
    assert server.shape == shape
    assert server.chip == rf.Chip.from_catalog(chip)
    assert server is getattr(rf, constant)


def test_trn2_links_have_the_published_bandwidths() -> None:
    assert [axis.bandwidth_Bps for axis in rf.TRN2_ULTRASERVER.axes] == [128e9, 128e9, 64e9]
    assert {axis.latency_s for axis in rf.TRN2_ULTRASERVER.axes} == {1.5e-6}
    assert rf.TRN2_ULTRASERVER.nic == rf.Nic(25e9, 7.5e-6, 1e-6)


def test_a_switch_crossing_of_trn3_takes_one_hop() -> None:
    hop = rf.assumptions()["neuronlink_hop_latency"].number
    sled, rack, group = rf.TRN3_ULTRASERVER_GEN2.axes
    assert 2 * sled.latency_s == 2 * rack.latency_s == group.latency_s == hop
    assert [axis.kind for axis in (sled, rack, group)] == ["switch", "spanning_switch", "full_mesh"]


def test_a_site_has_the_assumed_fabric_unless_told() -> None:
    site = rf.Site("here", 3, SERVER)
    assert [(tier.group, tier.oversubscription) for tier in site.tiers] == [(16, 1.0), (256, 1.0)]
    assert rf.Site("here", 3, SERVER, rf.Fabric()).tiers == ()


def test_a_wan_table_ignores_its_diagonal() -> None:
    wan = rf.Wan([[float("nan"), 1e9], [2e9, "nonsense"]], 1e-3)
    assert wan.tables(2) == ("mesh", [0.0, 1e9, 2e9, 0.0], [1e-3] * 4, None)


ERRORS: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: rf.Axis("x", 0), rf.InvalidArgument, "size of axis x"),
    (lambda: rf.Axis("x", -3), rf.InvalidArgument, "size of axis x"),
    (lambda: rf.Axis("x", 2**70), rf.InvalidArgument, "size of axis x"),
    (lambda: rf.Axis("x", 4.0), rf.InvalidType, "size of axis x"),  # type: ignore[arg-type]
    (lambda: rf.Axis("x", size=True), rf.InvalidType, "size of axis x"),
    (lambda: rf.Axis("site", 4), rf.InvalidArgument, "name of the axis"),
    (lambda: rf.Axis("a b", 4), rf.InvalidArgument, "name of the axis"),
    (lambda: rf.Axis("", 4), rf.InvalidArgument, "name of the axis"),
    (lambda: rf.Axis("x", 4, "rng"), rf.UnknownName, "kind of axis x"),
    (lambda: rf.Axis("x", 4, bandwidth=0), rf.InvalidArgument, "bandwidth of axis x"),
    (lambda: rf.Axis("x", 4, bandwidth="5 GB"), rf.InvalidArgument, "bandwidth of axis x"),
    (lambda: rf.Axis("x", 4, latency=-1), rf.InvalidArgument, "latency of axis x"),
    (lambda: rf.Axis("x", 4, latency=float("nan")), rf.InvalidArgument, "latency of axis x"),
    (lambda: rf.Axis("x", 4, "ring", tiers=[rf.Tier(2)]), rf.InvalidArgument, "tiers of axis x"),  # type: ignore[arg-type]
    (lambda: rf.Axis("x", 4, "switch", tiers=[2]), rf.InvalidType, "tiers of axis x[0]"),  # type: ignore[list-item, arg-type]
    (lambda: rf.Tier(0), rf.InvalidArgument, "group"),
    (lambda: rf.Tier(4, 0), rf.InvalidArgument, "oversubscription"),
    (lambda: rf.Tier(4, float("inf")), rf.InvalidArgument, "oversubscription"),
    (lambda: rf.Tier(4, "2"), rf.InvalidType, "oversubscription"),  # type: ignore[arg-type]
    (lambda: rf.Fabric([rf.Tier(4), rf.Tier(6)]), rf.InvalidArgument, "tiers[1].group"),  # type: ignore[arg-type]
    (lambda: rf.Fabric([rf.Tier(4), rf.Tier(2)]), rf.InvalidArgument, "tiers[1].group"),  # type: ignore[arg-type]
    (lambda: rf.Fabric(rf.Tier(4)), rf.InvalidType, "tiers"),  # type: ignore[arg-type]
    (lambda: rf.Nic("0 GB/s", 0), rf.InvalidArgument, "bandwidth of the nic"),
    (lambda: rf.Nic(1, 0, None), rf.InvalidType, "overhead of the nic"),  # type: ignore[arg-type]
    (lambda: rf.UltraServer("u", None, ()), rf.InvalidArgument, "axes"),
    (lambda: rf.UltraServer("u", None, (AXES[0], AXES[0])), rf.InvalidArgument, "axes"),
    (lambda: rf.UltraServer("u", "chip", AXES), rf.InvalidType, "chip"),  # type: ignore[arg-type]
    (lambda: rf.UltraServer("u", None, AXES, 25e9), rf.InvalidType, "nic"),  # type: ignore[arg-type]
    (lambda: rf.UltraServer(3, None, AXES), rf.InvalidType, "name"),  # type: ignore[arg-type]
    (
        lambda: rf.UltraServer("u", None, (rf.Axis("x", 2**20), rf.Axis("y", 2**20))),
        rf.InvalidArgument,
        "shape",
    ),
    (lambda: rf.UltraServer("u", None, AXES).hbm_bytes, rf.Unsupported, None),
    (lambda: SERVER.peak_flops("fp16"), rf.UnknownName, "dtype"),
    (lambda: SERVER.peak_flops(8), rf.UnknownName, "dtype"),  # type: ignore[arg-type]
    (lambda: rf.Site("s", 0, SERVER), rf.InvalidArgument, "ultraservers of site s"),
    (lambda: rf.Site("s", 1, CHIP), rf.InvalidType, "ultraserver"),  # type: ignore[arg-type]
    (lambda: rf.Site("s", 1, SERVER, ()), rf.InvalidType, "fabric"),  # type: ignore[arg-type]
    (lambda: rf.Wan("10 Tbps", "6 ms", "star"), rf.UnknownName, "shape"),
    (lambda: rf.Wan([[0, 1e9]], 0), rf.InvalidArgument, "bandwidth[0]"),
    (lambda: rf.Wan([[0, -1.0], [1.0, 0]], 0), rf.InvalidArgument, "bandwidth[0][1]"),
    (lambda: rf.Wan([1e9, 1e9], 0), rf.InvalidType, "bandwidth[0]"),
    (lambda: rf.Wan(None, 0), rf.InvalidType, "bandwidth"),
    (
        lambda: rf.Wan(1e9, 0, "hub").tables(2) and rf.Wan([1e9], 0, "hub").tables(2),
        rf.InvalidArgument,
        "wan bandwidth",
    ),
    (lambda: rf.Chip.from_catalog("trainium9"), rf.UnknownName, "chip"),
    (lambda: rf.Chip("c", {"bf16": 0.0}), rf.InvalidArgument, "peak_flops['bf16']"),
    (lambda: rf.Chip("c", [("bf16", 1.0), ("bf16", 2.0)]), rf.InvalidArgument, "peak_flops"),  # type: ignore[arg-type]
    (lambda: rf.Chip("c", 3), rf.InvalidType, "peak_flops"),  # type: ignore[arg-type]
    (lambda: rf.Chip("c", {}, {}, 0), rf.InvalidArgument, "hbm_bytes"),
    (lambda: rf.DimensionOrder("up"), rf.UnknownName, "tie"),
    (lambda: rf.DimensionOrder(order="xy"), rf.InvalidType, "order"),
    (lambda: rf.DimensionOrder(order=[1.5]), rf.InvalidType, "order[0]"),  # type: ignore[list-item]
    (lambda: rf.DimensionOrder(order=[-1]), rf.OutOfRange, "order[0]"),
]


@pytest.mark.parametrize(("make", "error", "message"), ERRORS)
def test_a_bad_definition_names_its_argument(
    make: Callable[[], object], error: type[Exception], message: str
) -> None:
    with raises(error, message) as caught:
        make()
    assert isinstance(caught.value, rf.RainierError)
