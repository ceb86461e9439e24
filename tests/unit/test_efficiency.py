"""`rf.Efficiency`: what it computes by hand, where it is from, what it refuses."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast.catalog import catalog
from rainier_fast.definitions.efficiency_data import data
from rainier_fast.definitions.operators import KINDS
from raising import raises

CHIPS = sorted(data()["chips"])
MATMUL = rf.MatmulRate(
    peak_flops=100e12,
    ceiling=0.8,
    bandwidth_Bps=2e12,
    hbm_ceiling=0.5,
    launch_s=1e-6,
    area=1e5,
    depth=64,
    conversion_B=3,
)
ATTENTION = rf.AttentionRate(
    peak_flops=100e12,
    ceiling=0.5,
    backward=0.8,
    bandwidth_Bps=2e12,
    hbm_ceiling=0.5,
    launch_s=2e-6,
    few_rows=1000,
    score_flops=100,
    row_flops=5000,
)
MEMORY = rf.MemoryRate(bandwidth_Bps=2e12, hbm_ceiling=0.9, launch_s=3e-6)
MINE = rf.Efficiency(chip="mine", matmul={"bf16": MATMUL}, attention=ATTENTION, memory=MEMORY)


def test_products_by_hand() -> None:
    m, k, n = 300, 500, 700
    computes = 2 * (m * n + 1e5) * (k + 64) / 80e12
    moves = 2 * (m * k + k * n + m * n) / 1e12
    expected = 1e-6 + math.hypot(computes, moves) + 3 * m * k / 1e12
    assert MINE.matmul_s(m, k, n) == pytest.approx(expected, rel=1e-12)


def test_attention_by_hand() -> None:
    s, heads, kv, size, batch = 512, 8, 2, 64, 3
    rows, keys = s * heads * batch, (s + 1) / 2
    moved = 2 * (2 * rows * size + 2 * s * kv * batch * size) / 1e12
    forward = 2e-6 + (rows + 1000) * (keys * (4 * size + 100) + 5000) / 50e12 + moved
    backward = 2e-6 + (rows + 1000) * (keys * (10 * size + 100) + 5000) / 40e12 + 2 * moved
    for way, expected in ((False, forward), (True, backward)):
        got = MINE.attention_s(s, heads, size, kv_heads=kv, batch=batch, backward=way)
        assert got == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("queries", "keys", "window"), [(7, 7, None), (7, 12, None), (7, 7, 3), (5, 9, 6), (5, 9, 20)]
)
def test_keys_seen_are_counted(queries: int, keys: int, window: int | None) -> None:
    def seen(query: int) -> int:
        before = keys - queries + query + 1
        return before if window is None else min(before, window)

    mean = sum(map(seen, range(queries))) / queries
    plain = dataclasses.replace(ATTENTION, few_rows=0, row_flops=0, score_flops=0, launch_s=0)
    mine = dataclasses.replace(MINE, attention=plain)
    got = mine.attention_s(queries, 1, 64, keys=keys, window=window)
    moved = 2 * 2 * (queries + keys) * 64 / 1e12
    assert got - moved == pytest.approx(queries * mean * 256 / 50e12, rel=1e-9)


def test_memory_by_hand() -> None:
    assert MINE.memory_s("1 GiB") == pytest.approx(3e-6 + 2**30 / 1.8e12, rel=1e-12)


def test_a_part_is_one_of_equal_cores() -> None:
    part = MINE.part(4)
    assert part.rate("bf16").peak_flops == 25e12
    assert part.rate("bf16").area == 25_000
    assert part.attention.few_rows == 250
    assert MINE.part(1) == MINE
    # Four cores, each with a quarter of the output, take what the chip takes, but for the operand
    # that each of them reads.
    whole, quarter = MINE.matmul_s(4096, 4096, 4096), part.matmul_s(4096, 4096, 1024)
    assert whole == pytest.approx(quarter, rel=0.1)


@pytest.mark.parametrize("chip", CHIPS)
def test_every_chip_says_kinds_and_sources(chip: str) -> None:
    for stack in rf.Efficiency.of(chip).stacks:
        known = rf.Efficiency.of(chip, stack)
        assert known.chip == chip
        text = str(known)
        assert text.count("\n") < 24
        for rate in (*known.rates().values(), known.attention, known.memory):
            assert rate.kind in KINDS
            assert rate.kind != "given"
            assert rate.source in text
            assert (rate.residual is not None) <= (rate.kind == "fit")


def test_every_figure_has_a_unit_and_every_source_a_name() -> None:
    document = data()
    words = {"kind", "source", "backward_kind", "backward_source"}

    def figures(value: Any) -> Any:
        for key, item in value.items():
            if isinstance(item, dict):
                yield from figures(item)
            else:
                yield key, item

    known = catalog()
    for name, entry in document["chips"].items():
        assert known[name].kind == "chip"
        assert "like" in entry or entry["stacks"]
        for key, value in figures(entry):
            if key in ("source", "backward_source"):
                assert value in document["sources"]
            elif key not in words and key != "like":
                assert key in document["units"]
                assert isinstance(value, float | int)


def test_what_has_no_table_is_a_guess() -> None:
    guess = rf.Efficiency.of("tpu-v4")
    assert {rate.kind for rate in guess.rates().values()} == {"guess"}
    assert "tpu-ironwood" in guess.attention.source
    assert rf.Efficiency.of("trn2").rate("fp8").kind == "guess"
    assert rf.Efficiency.of("inf2") == rf.Efficiency.of("trainium1")
    mine = rf.Chip("mine", {"bf16": 1e15}, {}, "96 GiB", "3 TB/s")
    carried = rf.Efficiency.of(mine, like="h100")
    assert carried.rate("bf16").kind == "guess"
    assert carried.rate("bf16").peak_flops == 1e15
    with raises(rf.Unsupported, None, "mine", "like="):
        rf.Efficiency.of(mine)
    with raises(rf.Unsupported, None, "mi300x"):
        rf.Efficiency.of("mi300x")


def test_sources_that_disagree_have_names() -> None:
    typical, ceiling = rf.Efficiency.of("trn2"), rf.Efficiency.of("trn2", "ceiling")
    assert (typical.stack, ceiling.stack) == ("typical", "ceiling")
    assert typical.matmul_s(16384, 16384, 16384) > 1.25 * ceiling.matmul_s(16384, 16384, 16384)
    with raises(rf.UnknownName, "stack"):
        rf.Efficiency.of("trn2", "mean")


def test_machines_have_that_of_their_chips() -> None:
    assert rf.preset("rainier").efficiency == rf.Efficiency.of("trainium2")
    assert rf.preset("gb200-nvl72").efficiency.chip == "gb200"
    for machine in (rf.torus((4, 4), "1 GB/s"), rf.preset("mi300x")):
        with raises(rf.Unsupported, None, "Efficiency"):
            _ = machine.efficiency


def test_a_fit_finds_what_made_the_rows() -> None:
    h100 = rf.Efficiency.of("h100")
    rate = dataclasses.replace(h100.rate("bf16"), ceiling=0.6, area=3e5, launch_s=9e-6, depth=200)
    true = dataclasses.replace(h100, matmul={**h100.rates(), "bf16": rate})
    sizes = [(m, k, n) for m in (64, 2048, 8192) for k in (256, 8192) for n in (512, 16384)]
    rows = [(*size, true.matmul_s(*size)) for size in sizes]
    found = rf.Efficiency.fit(rows, "h100")
    assert found.worst_error < 0.02
    assert len(found.residuals) == len(rows)
    assert found.efficiency.rate("bf16").ceiling == pytest.approx(0.6, rel=0.03)
    assert found.efficiency.rate("fp8") == h100.rate("fp8")
    assert found.efficiency.stack == "fitted"
    assert "12 rows" in str(found)
    again = rf.Efficiency.fit(np.array(rows), found.efficiency)
    assert again.mean_error <= 1.1 * found.mean_error + 1e-3


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.5, 0, 1.5, "0.5", None])
@pytest.mark.parametrize("name", ["ceiling", "hbm_ceiling"])
def test_shares_that_are_none(name: str, value: Any) -> None:
    with raises(rf.RainierError, name):
        dataclasses.replace(MATMUL, **{name: value})


@pytest.mark.parametrize("value", [math.nan, math.inf, -1, "many", None])
@pytest.mark.parametrize("name", ["peak_flops", "bandwidth_Bps", "launch_s", "area", "depth"])
def test_numbers_that_are_none(name: str, value: Any) -> None:
    with raises(rf.RainierError, name):
        dataclasses.replace(MATMUL, **{name: value})
    if name in ("bandwidth_Bps", "launch_s"):
        with raises(rf.RainierError, name):
            dataclasses.replace(MEMORY, **{name: value})


@pytest.mark.parametrize(("name", "value"), [("backward", 1.2), ("few_rows", -1), ("ceiling", 0)])
def test_numbers_of_attention_that_are_none(name: str, value: float) -> None:
    with raises(rf.InvalidArgument, name):
        dataclasses.replace(ATTENTION, **{name: value})


def test_bad_calls() -> None:
    for sizes, name in (((0, 1, 1), "m"), ((1, -1, 1), "k"), ((1, 1, 2**60), "n")):
        with raises(rf.InvalidArgument, name):
            MINE.matmul_s(*sizes)
    with raises(rf.InvalidType, "m"):
        MINE.matmul_s(1.5, 1, 1)  # type: ignore[arg-type]
    with raises(rf.UnknownName, "precision"):
        MINE.matmul_s(1, 1, 1, precision="fp8")
    with raises(rf.InvalidArgument, "kv_heads"):
        MINE.attention_s(128, 8, 64, kv_heads=16)
    with raises(rf.InvalidArgument, "keys"):
        MINE.attention_s(128, 8, 64, keys=64)
    with raises(rf.Unsupported, None, "window"):
        MINE.attention_s(128, 8, 64, causal=False, window=64)
    with raises(rf.RainierError, "size"):
        MINE.memory_s(math.inf)
    with raises(rf.InvalidArgument, "parts"):
        MINE.part(0)
    with raises(rf.UnknownName, "chip"):
        rf.Efficiency.of("h1000")


def test_bad_definitions() -> None:
    given: dict[str, Any] = {"chip": "mine", "attention": ATTENTION, "memory": MEMORY}
    with raises(rf.InvalidArgument, "matmul"):
        rf.Efficiency(matmul={}, **given)
    with raises(rf.InvalidType, "matmul"):
        rf.Efficiency(matmul={"bf16": 1.0}, **given)  # type: ignore[dict-item]
    with raises(rf.InvalidType, "memory"):
        rf.Efficiency(matmul={"bf16": MATMUL}, **given | {"memory": 5})


def test_bad_rows() -> None:
    good = [(4096, 4096, 4096, 1e-3)] * 6
    for rows, kind in (
        (good[:5], rf.InvalidArgument),
        ([*good, (1, 1, 1, math.nan)], rf.InvalidArgument),
        ([*good, (1, 1, 1)], rf.InvalidArgument),
        ([*good, (1, 1, 1, -1)], rf.InvalidArgument),
        ("rows", rf.InvalidType),
        (None, rf.InvalidType),
        ([*good, 5], rf.InvalidType),
    ):
        with raises(kind, "rows"):
            rf.Efficiency.fit(rows, "h100")  # type: ignore[arg-type]
    with raises(rf.UnknownName, "precision"):
        rf.Efficiency.fit(good, "h100", precision="fp4")


@pytest.mark.parametrize("factor", [-1.0, 0.0, 1e-6, 1e-3, 0.5, 1e3, 1e6])
def test_times_that_no_such_chip_has_are_refused(factor: float) -> None:
    h100 = rf.Efficiency.of("h100")
    sizes = [(m, k, n) for m in (256, 4096) for k in (512, 8192) for n in (1024, 8192)]
    place = "rows[7]" if factor in (0.5, 1e3) else "rows[0]"
    with raises(rf.InvalidArgument, place):
        rf.Efficiency.fit([(*size, factor * h100.matmul_s(*size)) for size in sizes], h100)
    slow = [(*size, 3 * h100.matmul_s(*size)) for size in sizes]
    assert rf.Efficiency.fit(slow, h100).mean_error < 0.05
