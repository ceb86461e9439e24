"""`rf.compare`: a row for each machine, and the reason where there is no answer."""

from __future__ import annotations

import json
import math
import pickle

import pytest

import rainier_fast as rf
from raising import raises

NAMES = ["rainier", "gb200-nvl72", "tpu-v5p"]
COLUMNS = [
    "machine",
    "chips",
    "ranks",
    "algorithm",
    "kind",
    "model",
    "time_s",
    "algbw_Bps",
    "busbw_Bps",
    "lower_bound_s",
    "efficiency",
    "bottleneck",
    "measured_bytes",
    "measured_s",
    "measured_error",
    "peak_bf16_flops",
    "hbm_bytes",
    "price_usd_per_chip_hour",
    "price_contract",
    "price_region",
    "price_date",
    "power_w_per_chip",
    "note",
    "reason",
]


def test_rows_are_the_results() -> None:
    table = rf.compare(NAMES, "all_reduce", "1 GiB")
    assert list(table.columns) == COLUMNS
    assert table["machine"].tolist() == NAMES
    assert table.operation == "all_reduce"
    assert table.size_bytes == 2**30
    for name, row, result in zip(NAMES, table, table.results, strict=True):
        machine = rf.preset(name)
        alone = machine.all_reduce("1 GiB")
        assert result == alone
        for column in ("algorithm", "kind", "model", "ranks", "time_s", "algbw_Bps", "busbw_Bps"):
            assert row[column] == getattr(alone, column)
        assert row["lower_bound_s"] == alone.lower_bound_s
        assert row["efficiency"] == alone.efficiency
        assert alone.bottleneck is not None
        assert row["bottleneck"] == alone.bottleneck.link_class
        assert row["chips"] == machine.num_chips
        assert row["peak_bf16_flops"] == machine.peak_flops("bf16")
        assert row["hbm_bytes"] == machine.hbm_bytes
        assert row["reason"] == ""


def test_prices_and_power_are_those_of_the_catalogue() -> None:
    table = rf.compare(["trn2", "h100", "gb200-nvl72", "tpu-v5p", "tpu-v4", "maia-200"], "barrier")
    prices = table["price_usd_per_chip_hour"].tolist()
    assert prices[:4] == pytest.approx([35.7608 / 16, 6.88, 761.904 / 72, 4.2], rel=1e-3)
    assert all(math.isnan(price) for price in prices[4:])
    assert table["price_contract"].tolist() == [
        *("Capacity Block", "on demand", "Capacity Block", "on demand", "", "")
    ]
    assert table["price_region"].tolist() == ["us-east-2", "", "", "US", "", ""]
    assert table["price_date"].tolist() == ["2026-10", "2026-09-01", "2026-04-24", "2026", "", ""]
    power = table["power_w_per_chip"].tolist()
    assert power[:3] == [500, 700, 1200]
    assert math.isnan(power[3])
    assert power[4:] == [192, 750]
    assert math.isnan(table["peak_bf16_flops"][5])


def test_a_chip_of_ones_own_has_no_price() -> None:
    chip = rf.Chip("h100", {"bf16": 1e15})
    mine = rf.domain(rf.UltraServer("mine", chip, (rf.Axis("x", 4),)))
    row = next(iter(rf.compare([mine, rf.torus(4, 1e9)], "all_gather", 1000)))
    assert math.isnan(row["price_usd_per_chip_hour"])
    assert math.isnan(row["power_w_per_chip"])
    assert row["peak_bf16_flops"] == 4e15
    bare = list(rf.compare([rf.torus(4, 1e9)], "all_gather", 1000))[0]  # noqa: RUF015
    assert math.isnan(bare["hbm_bytes"])
    assert bare["machine"] == "torus"


def test_groups_of_equal_size() -> None:
    machines: list[str | rf.Machine] = [
        "trn2-ultraserver",
        "gb200-nvl72",
        rf.preset("tpu-v5p", shape=(4, 4, 4)),
    ]
    table = rf.compare(machines, "all_reduce", "1 GiB", group_chips=64)
    assert table["ranks"].tolist() == [64, 64, 64]
    assert table["chips"].tolist() == [64, 72, 64]
    first = rf.preset("gb200-nvl72").all_reduce("1 GiB", group=range(64))
    assert table["time_s"][1] == first.time_s
    assert table["time_s"][0] == rf.preset("trn2-ultraserver").all_reduce("1 GiB").time_s
    with raises(rf.InvalidArgument, "group_chips"):
        rf.compare(["trn2", "gb200-nvl72"], "all_reduce", "1 GiB", group_chips=64)


def test_what_one_machine_cannot_do_is_a_reason() -> None:
    table = rf.compare(["trn2", "h100"], "all_reduce", "1 GiB", algorithm="multi_ring")
    good, bad = table
    assert good["algorithm"] == "multi_ring"
    assert good["reason"] == ""
    with pytest.raises(rf.Unsupported) as caught:
        rf.preset("h100").all_reduce("1 GiB", algorithm="multi_ring")
    assert bad["reason"] == str(caught.value)
    assert math.isnan(bad["time_s"])
    assert (bad["algorithm"], bad["ranks"]) == ("", 0)
    assert bad["chips"] == 8
    assert table.results[1] is None
    assert f"h100: {caught.value}" in str(table)


def test_options_reach_every_machine() -> None:
    table = rf.compare(["trn2", "h100"], "all_reduce", 1e6, model="alpha_beta", algorithm="ring")
    assert set(table["model"]) == {"alpha_beta"}
    assert set(table["algorithm"]) == {"ring"}
    assert table["bottleneck"].tolist() == ["", ""]
    rooted = rf.compare(["trn2"], "broadcast", 1e6, root=3)
    assert rooted.results[0] == rf.preset("trn2").broadcast(1e6, root=3)
    sent = rf.compare(["trn2"], "send_recv", 1e6)
    assert sent.results[0] == rf.preset("trn2").send_recv(1e6)
    assert rf.compare(["trn2"], "barrier").results[0] == rf.preset("trn2").barrier()


def test_it_reads_as_text_html_json_and_csv() -> None:
    table = rf.compare(["trn2", rf.torus(8, 1e9, name="<i>")], "all_reduce", "1 MiB")
    text = str(table)
    head = (
        "all_reduce of 1.00 MiB; links alone; model link_load; unlike counts of ranks, 16 and 8\n"
    )
    assert text.startswith(head)
    assert repr(table) == text
    assert "nan" not in text
    assert "<i>" not in table._repr_html_()
    answer = json.loads(json.dumps(table.to_dict(), allow_nan=False))
    assert answer["hbm_bytes"][1] is None
    assert table.to_csv().startswith(",".join(COLUMNS))
    twin = pickle.loads(pickle.dumps(table))
    assert twin == table
    assert str(twin) == text
    assert twin.results == table.results
    assert isinstance(table, rf.Table)
    assert isinstance(table, rf.Comparison)


MIXED: list[str | rf.Machine] = [
    *("trn2", "h100", "tpu-v5p", "maia-200", "mi300x", "rainier", "trn1"),
    rf.torus(8, 1e9),
]


@pytest.mark.parametrize("algorithm", ["auto", "runtime", "multi_ring"])
@pytest.mark.parametrize("collective", ["all_reduce", "broadcast", "barrier"])
def test_every_blank_cell_has_a_reason(collective: str, algorithm: str) -> None:
    size = None if collective == "barrier" else "1 MiB"
    table = rf.compare(MIXED, collective, size, algorithm=algorithm)
    blank = [
        (row["machine"], column)
        for row in table
        for column, cell in row.items()
        if column not in ("note", "reason") and (cell == "" or cell != cell)
    ]
    assert [(row["machine"], row["column"]) for row in table.empty] == blank
    assert blank
    assert all(len(row["reason"]) > 10 for row in table.empty)
    assert pickle.loads(pickle.dumps(table)).empty == table.empty


def test_rows_of_unlike_counts_of_ranks_are_marked() -> None:
    table = rf.compare(["mi300x", "trn2", "h100", "tpu-v5e"], "all_reduce", 1e6, algorithm="neuron")
    assert table["note"].tolist() == [""] * 4  # one answer has nothing to be unlike
    table = rf.compare(["mi300x", "trn2", "h100", "tpu-v5e"], "all_reduce", 1e6)
    assert table["note"].tolist() == [
        *("", "16 ranks, not 8 as mi300x", "", "256 ranks, not 8 as mi300x")
    ]
    assert "unlike counts of ranks, 8 and 16 and 256" in str(table).splitlines()[0]
    assert "trn2: 16 ranks, not 8 as mi300x" in str(table)
    alike = rf.compare(["mi300x", "h100"], "all_reduce", 1e6)
    assert "unlike" not in str(alike)
    assert not any(alike["note"])


@pytest.mark.parametrize(
    ("count", "shape"),
    [(8, (2, 2, 2)), (16, (2, 2, 4)), (64, (4, 4, 4)), (256, (4, 8, 8)), (1024, (8, 8, 16))],
)
def test_groups_of_tpus_are_slices_that_can_be_bought(count: int, shape: tuple[int, ...]) -> None:
    given: list[str | rf.Machine] = [
        "rainier",
        "tpu-v5p",
        rf.preset("tpu-v5p", shape=(8, 16, 16)),
    ]
    table = rf.compare(given, "all_reduce", "1 GiB", group_chips=count, algorithm="runtime")
    wanted = rf.preset("tpu-v5p", shape=shape)
    for at in (1, 2):
        assert table["chips"][at] == table["ranks"][at] == count
        assert table.results[at] == wanted.all_reduce("1 GiB", algorithm="runtime")
    assert not any(table["note"][1:])


def test_the_whole_pod_and_what_is_no_slice_stay_as_they_are() -> None:
    pod = rf.preset("tpu-v5e")
    table = rf.compare([pod], "all_reduce", 1e6, group_chips=256)
    assert table.results[0] == pod.all_reduce(1e6)
    hurt = rf.preset("tpu-v5e").with_faults(chips=[200])
    table = rf.compare([hurt], "all_reduce", 1e6, group_chips=32)
    assert table["chips"].tolist() == [256]
    assert table.results[0] == hurt.all_reduce(1e6, group=range(32))


@pytest.mark.parametrize(
    ("name", "count", "nearest"),
    [
        ("tpu-v5p", 72, ("64 and 128",)),
        ("tpu-v5p", 1, ("the nearest count: 4",)),
        ("tpu-v4", 48, ("32 and 64", "cubes of 64")),
        ("tpu-v5e", 100, ("64 and 128",)),
    ],
)
def test_a_count_that_cannot_be_bought_is_refused(
    name: str, count: int, nearest: tuple[str, ...]
) -> None:
    with raises(rf.InvalidArgument, "group_chips", name, *nearest):
        rf.compare(["rainier", name], "all_reduce", 1e6, group_chips=count)


@pytest.mark.parametrize(
    ("name", "count", "note"),
    [
        ("trn2-ultraserver", 16, ""),
        ("trn2-ultraserver", 4, ""),
        ("trn2-ultraserver", 32, "a part of ring z of 4x4x4"),
        ("trn2-ultraserver", 6, "no whole rows of axis x"),
        ("trn2", 8, "a part of ring y of 4x4"),
        ("trn2", 2, "a part of ring x of 4x4"),
        ("h100", 5, ""),
        ("rainier", 128, ""),
        ("rainier", 100, "no whole number of trn2-ultraserver"),
    ],
)
def test_first_chips_that_cut_a_ring_say_so(name: str, count: int, note: str) -> None:
    (row,) = rf.compare([name], "all_gather", 1e6, group_chips=count)
    assert note in row["note"] if note else row["note"] == ""
