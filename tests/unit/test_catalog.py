"""The published figures: all there, all sourced, and in agreement with one another."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle

import pytest

from rainier_fast.catalog import (
    Figure,
    assumptions,
    catalog,
)
from rainier_fast.catalog.figure import CONFIDENCE, UNITS
from rainier_fast.definitions.chip import Chip
from rainier_fast.errors import UnknownName
from raising import raises

RIVAL_CHIPS = {"a100", "a100-40gb"}
RIVAL_CHIPS |= {"h100", "h100-96gb", "h200", "b200", "b300", "gb200", "gb300", "mi300x", "mi355x"}
RIVAL_CHIPS |= {"maia-100", "maia-200"}
RIVAL_CHIPS |= {"tpu-v4", "tpu-v5e", "tpu-v5p", "tpu-v6e", "tpu-ironwood"}
DOMAINS = {"dgx-a100", "hgx-h100", "hgx-h200", "hgx-b200", "hgx-b300"}
DOMAINS |= {"gb200-nvl72", "gb300-nvl72", "p4d.24xlarge"}
DOMAINS |= {"hgx-a100-4nic", "grand-teton-h100"}
DOMAINS |= {"mi300x-platform", "mi355x-platform", "maia-100-node", "maia-200-node"}
DOMAINS |= {"tpu-v4-pod", "tpu-v5e-pod", "tpu-v5p-pod", "tpu-v6e-pod", "tpu-ironwood-pod"}
ENTRIES = {
    "chip": {"trainium1", "trainium2", "trainium3"} | RIVAL_CHIPS,
    "instance": {"trn1.32xlarge", "trn1n.32xlarge", "trn2.48xlarge", "trn2u.48xlarge"},
    "ultraserver": {"trn2-ultraserver", "trn3-ultraserver-gen1", "trn3-ultraserver-gen2"},
    "domain": DOMAINS,
    "nic": {"efav1", "efav2", "efav3", "efav4"},
    "fleet": {"llama3-fleet", "rsc-1-fleet", "rsc-2-fleet", "tpu-v4-fleet"},
    "practice": {"practice", "all-in-power", "electricity"},
    "project": {"rainier"},
    "runtime": {"neuron-trn2", "nccl-ampere", "nccl-hopper", "nccl-blackwell"},
    "site": {"rainier-indiana", "rainier-mississippi", "rainier-pennsylvania"},
}
SYSTEMS = sorted(ENTRIES["instance"] | ENTRIES["ultraserver"])
ALL_FIGURES = [
    pytest.param(figure, id=f"{entry.name}/{name}")
    for entry in catalog().values()
    for name, figure in entry.figures.items()
] + [pytest.param(figure, id=f"assumption/{name}") for name, figure in assumptions().items()]


def test_entries_by_kind() -> None:
    kinds: dict[str, set[str]] = {}
    for name, entry in catalog().items():
        assert entry.name == name
        kinds.setdefault(entry.kind, set()).add(name)
    assert kinds == ENTRIES


@pytest.mark.parametrize("figure", ALL_FIGURES)
def test_every_figure_has_unit_source_and_confidence(figure: Figure) -> None:
    assert figure.unit in UNITS
    assert figure.confidence in CONFIDENCE
    assert len(figure.source) >= 5
    assert figure.text
    if figure.confidence == "I":
        assert any(digit in figure.note for digit in "0123456789"), "an inference shows its sum"
    for other in figure.alternatives:
        assert len(other.source) >= 5
        assert type(other.value) is str or isinstance(other.value, int | float)


@pytest.mark.parametrize("figure", ALL_FIGURES)
def test_numbers_are_in_si_units_of_a_sane_size(figure: Figure) -> None:
    if figure.unit in ("text", "date"):
        assert isinstance(figure.value, str)
        return
    low, high = {
        "B": (2**20, 2**50),
        "B/s": (1e9, 1e15),
        "FLOP/s": (1e12, 1e22),
        "s": (1e-7, 0.1),
        "W": (100, 1e10),
        "USD/h": (1, 1000),
        "USD": (1e6, 1e12),
        "m2": (1e3, 1e8),
        "1": (0, 1e8),
        "1/h": (1e-8, 0.1),
        "h": (1e-2, 1000),
        "USD/kWh": (0.01, 1),
    }[figure.unit]
    # Zero stands only for what nobody has published.
    assert low <= figure.number <= high or (
        figure.number == 0 and figure.confidence == "assumption" and "published" in figure.note
    )
    for other in figure.alternatives:
        assert isinstance(other.value, int | float)
        # All that disagree do so by less than a factor of five; a slip of units is 8 or 1000.
        assert figure.number / 5 < other.value < figure.number * 5


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    ("quantity", "within"),
    [
        ("flops_bf16", 0.003),
        ("flops_fp8", 0.001),
        ("flops_fp32", 0.002),
        ("flops_sparse", 0.001),
        ("hbm_bytes", 0),
        ("hbm_bandwidth", 1e-9),
    ],
)
def test_chips_add_up_to_the_published_aggregate(system: str, quantity: str, within: float) -> None:
    entry = catalog()[system]
    if quantity == "flops_sparse" and not system.startswith("trn2"):
        assert f"published_{quantity}" not in entry
        return
    chip = catalog()[str(entry["chip"].value)]
    one = chip[f"peak_{quantity}" if quantity.startswith("flops") else quantity]
    computed = entry["chips"].number * one.number
    assert computed == pytest.approx(entry[f"published_{quantity}"].number, rel=within, abs=0)


def test_the_aggregates_that_were_announced() -> None:
    ultraserver = catalog()["trn2-ultraserver"]
    assert ultraserver["published_flops_fp8"].value == 83.2e15
    assert ultraserver["published_hbm_bytes"].value == 6 * 2**40
    assert ultraserver["published_efa_bandwidth"].number * 8 == 12.8e12
    assert ultraserver["published_hbm_bandwidth"].value == 185.6e12
    assert catalog()["trn3-ultraserver-gen2"]["published_flops_fp8"].value == 362.448e15


@pytest.mark.parametrize("system", SYSTEMS)
def test_nics_carry_the_published_bandwidth(system: str) -> None:
    entry = catalog()[system]
    per_chip = entry["efa_bandwidth_per_chip"].number
    assert entry["chips"].number * per_chip == entry["published_efa_bandwidth"].number
    chip = catalog()[str(entry["chip"].value)]
    assert chip.name == "trainium1" or chip["efa_bandwidth"].number == per_chip


@pytest.mark.parametrize(
    ("system", "nic"), [("trn1.32xlarge", "efav2"), ("trn2.48xlarge", "efav3")]
)
def test_generations_of_nics_carry_the_published_bandwidth(system: str, nic: str) -> None:
    entry = catalog()[system]
    bandwidth = entry["nics"].number * catalog()[nic]["nic_bandwidth"].number
    assert bandwidth == entry["published_efa_bandwidth"].number


@pytest.mark.parametrize(
    ("system", "axes"),
    [
        ("trn1.32xlarge", {"x": 48e9, "y": 48e9}),
        ("trn1n.32xlarge", {"x": 96e9, "y": 96e9}),
        ("trn2.48xlarge", {"x": 128e9, "y": 128e9}),
        ("trn2u.48xlarge", {"x": 128e9, "y": 128e9}),
        ("trn2-ultraserver", {"x": 128e9, "y": 128e9, "z": 64e9}),
    ],
)
def test_links_of_the_axes(system: str, axes: dict[str, float]) -> None:
    entry = catalog()[system]
    names = {name for name in entry.figures if name.startswith("link_bandwidth_")}
    assert names == {f"link_bandwidth_{axis}" for axis in axes}
    extents = 1.0
    for axis, bandwidth in axes.items():
        assert entry[f"link_bandwidth_{axis}"].value == bandwidth
        assert entry[f"link_bandwidth_{axis}"].confidence == "I"
        extents *= entry[f"extent_{axis}"].number
    assert extents == entry["chips"].number
    # Two links per axis and two directions per link make the published total of a chip.
    both_ways = 2 * 2 * sum(axes.values())
    if "neuronlink_bandwidth_total" in entry:
        assert both_ways == entry["neuronlink_bandwidth_total"].number
    elif "z" in axes:
        assert both_ways == catalog()["trainium2"]["neuronlink_bandwidth_total"].number


def test_trainium3_tiers_keep_what_does_not_reconcile() -> None:
    for name in ("trn3-ultraserver-gen1", "trn3-ultraserver-gen2"):
        entry = catalog()[name]
        tiers = [entry[f"{tier}_bandwidth"] for tier in ("sled", "rack", "rack_to_rack")]
        assert [tier.value for tier in tiers] == [256e9, 320e9, 128e9]
        assert all(tier.alternatives for tier in tiers)
        assert entry["servers"].number * entry["chips_per_server"].number == entry["chips"].number
    totals = catalog()["trainium3"]["neuronlink_bandwidth_total"]
    assert totals.value == 2.56e12
    assert {other.value for other in totals.alternatives} == {2048 * 2**30, 1.408e12}


@pytest.mark.parametrize("chip", sorted(ENTRIES["chip"] - RIVAL_CHIPS))
@pytest.mark.parametrize("dtype", ["bf16", "fp8", "fp32"])
def test_tensor_engines_are_part_of_the_peak(chip: str, dtype: str) -> None:
    entry = catalog()[chip]
    share = entry[f"tensor_flops_{dtype}"].number / entry[f"peak_flops_{dtype}"].number
    assert 0.85 < share <= 1


@pytest.mark.parametrize("chip", sorted(RIVAL_CHIPS))
def test_rivals_have_no_rate_that_is_not_published(chip: str) -> None:
    entry = catalog()[chip]
    made = Chip.from_catalog(chip)
    listed = {name for name in ("bf16", "fp32", "fp8") if f"peak_flops_{name}" in entry}
    assert set(dict(made.peak_flops)) == listed
    assert listed - {"fp32"} == set(dict(made.tensor_flops))
    for dtype, rate in made.tensor_flops:
        assert rate == made.flops(dtype)
    assert {"hbm_bytes", "hbm_bandwidth"} <= set(entry.figures)


# Sums of a chip's scale-up links, one way, as the makers publish them for the chip.
@pytest.mark.parametrize(
    ("domain", "links", "total", "within"),
    [
        ("dgx-a100", 1, 300e9, 0),
        ("hgx-h100", 1, 450e9, 0),
        ("hgx-b200", 1, 900e9, 0),
        ("hgx-b300", 1, 900e9, 0),
        ("gb200-nvl72", 1, 900e9, 0),
        ("mi300x-platform", 7, 448e9, 0),
        ("mi355x-platform", 7, 535.5e9, 0),
        ("maia-100-node", 3, 450e9, 0),
        ("tpu-v4-pod", 6, 300e9, 0.1),
        ("tpu-v5e-pod", 4, 200e9, 0.1),
        ("tpu-v5p-pod", 6, 600e9, 0.1),
        ("tpu-v6e-pod", 4, 400e9, 0.1),
        ("tpu-ironwood-pod", 6, 600e9, 0),
    ],
)
def test_links_of_rivals_add_up(domain: str, links: int, total: float, within: float) -> None:
    figure = catalog()[domain]["link_bandwidth"]
    assert links * figure.number == pytest.approx(total, rel=within + 1e-12)
    if within:
        # The makers' label is a tenth above what the scaling book counts; both are there.
        assert total / links in [other.value for other in figure.alternatives]


def test_pods_are_whole() -> None:
    for name in DOMAINS:
        entry = catalog()[name]
        assert catalog()[str(entry["chip"].value)].kind == "chip"
        if name.startswith("tpu"):
            axes = [axis for axis in "xyz" if f"extent_{axis}" in entry]
            sizes = [entry[f"extent_{axis}"].number for axis in axes]
            assert math.prod(sizes) == entry["chips"].number


def test_the_matmul_roofline_of_trainium2() -> None:
    entry = catalog()["trainium2"]
    assert entry["tensor_flops_bf16"].value == 632e12
    assert entry["tensor_flops_fp8"].value == 1264e12
    assert entry["tensor_flops_sparse"].value == 2528e12


@pytest.mark.parametrize("name", assumptions())
def test_assumptions_say_why_and_within_what_range(name: str) -> None:
    figure = assumptions()[name]
    assert len(figure.note) > 20
    assert figure.low is not None
    assert figure.high is not None
    assert figure.low <= figure.number <= figure.high
    assert figure.low < figure.high


def test_default_values_of_the_assumptions() -> None:
    assert {name: figure.value for name, figure in assumptions().items()} == {
        "neuronlink_hop_latency": 1.5e-6,
        "efa_end_to_end_latency": 15e-6,
        "efa_nic_latency": 7.5e-6,
        "efa_message_overhead": 1e-6,
        "fabric_tier1_ultraservers": 16,
        "fabric_tier2_ultraservers": 256,
        "fabric_tier_latency": 0.5e-6,
        "fabric_oversubscription": 1.0,
        "wan_bandwidth": 1.25e12,
        "wan_latency_indiana_mississippi": 6.25e-3,
        "wan_latency_indiana_pennsylvania": 5.05e-3,
        "wan_latency_mississippi_pennsylvania": 9.1e-3,
        "site_share_indiana": 0.5,
        "site_share_mississippi": 0.25,
        "site_share_pennsylvania": 0.25,
        "nvlink_port_latency": 0.3e-6,
        "xgmi_hop_latency": 1.2e-6,
        "ici_hop_latency": 1e-6,
        "tpu_v5p_launch": 123e-6,
        "tpu_v5e_launch": 5e-6,
        "tpu_link_efficiency": 0.92,
        "tpu_exposed_launch": 0.8,
        "tpu_other_launch": 0,
        "ethernet_link_latency": 2e-6,
        "maia200_local_share": 0.75,
        "rdma_end_to_end_latency": 4e-6,
        "rdma_nic_latency": 2e-6,
        "rdma_message_overhead": 1e-6,
        "node_group_nodes": 32,
        "nvl72_group_racks": 8,
        "scale_out_oversubscription": 1.0,
    }


def test_assumptions_agree_with_one_another() -> None:
    known = assumptions()
    shares = [known[f"site_share_{site}"].number for site in ("indiana", "mississippi")]
    assert sum(shares) + known["site_share_pennsylvania"].number == 1
    assert 2 * known["efa_nic_latency"].number == known["efa_end_to_end_latency"].number
    assert 2 * known["rdma_nic_latency"].number == known["rdma_end_to_end_latency"].number
    assert known["efa_end_to_end_latency"].value == catalog()["efav3"]["latency"].value
    for name, figure in known.items():
        if name.startswith("wan_latency_"):
            assert figure.low is not None
            assert figure.high is not None
            assert figure.number == pytest.approx((figure.low + figure.high) / 2)
            assert figure.high / figure.low == pytest.approx(1.4, rel=0.01)


def test_latencies_between_sites_are_the_same_from_both_ends() -> None:
    for one in ENTRIES["site"]:
        for other in ENTRIES["site"] - {one}:
            there = catalog()[one][f"latency_to_{other.removeprefix('rainier-')}"]
            assert there is catalog()[other][f"latency_to_{one.removeprefix('rainier-')}"]


def test_lookups_that_miss() -> None:
    with raises(UnknownName, "catalog") as caught:
        catalog()["trainum2"]
    assert "'trainium2'" in str(caught.value)
    with raises(KeyError, "figure", "'hbm_bytes'"):
        catalog()["trainium2"]["hbm_byte"]
    with raises(UnknownName, "assumption"):
        assumptions()["x"]
    assert catalog().get("trainum2") is None
    assert "trainum2" not in catalog()
    assert "trainium2" in catalog()


def test_read_only_and_cached() -> None:
    assert catalog() is catalog()
    entry = catalog()["trainium2"]
    with pytest.raises(TypeError):
        catalog()["mine"] = entry  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        entry.title = "mine"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        entry["hbm_bytes"].value = 1  # type: ignore[misc]


def test_pickles_compares_and_hashes() -> None:
    for thing in (catalog(), catalog()["trainium2"], assumptions()):
        for twin in (pickle.loads(pickle.dumps(thing)), copy.deepcopy(thing)):
            assert twin == thing
            assert hash(twin) == hash(thing)
            assert repr(twin) == repr(thing)
    assert catalog()["trainium2"] != catalog()["trainium3"]


@pytest.mark.parametrize("name", catalog())
def test_text_shows_every_figure(name: str) -> None:
    entry = catalog()[name]
    text = entry.listing()
    for key, figure in entry.figures.items():
        row = next(line for line in text.splitlines() if line.startswith(key + " "))
        assert figure.text in row
        assert f" {figure.confidence} " in row
        assert figure.source in text
    assert all(len(line) <= 140 for line in text.splitlines())
