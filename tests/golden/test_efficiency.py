"""Operators on one chip against published measurements, and fits of them made again."""

from __future__ import annotations

import pytest

import rainier_fast as rf
from rainier_fast.definitions.efficiency_data import data
from rainier_fast.validation import SOURCES, Row, mean_error
from rainier_fast.validation.efficiency_fit import refit

ROWS: dict[str, list[Row]] = {}
for _row in SOURCES["efficiency"]():
    ROWS.setdefault(_row.group, []).append(_row)

LIMITS = {
    "Trainium2 products, ceiling": 0.03,
    "Trainium2 attention, ceiling": 0.001,
    "Ironwood products": 0.01,
    "A100 products, sglang": 0.08,
    "A100 attention, sglang": 0.03,
    "H100 products, sglang": 0.12,
    "H100 attention, sglang": 0.04,
    "H200 products, sglang": 0.16,
    "H200 attention, sglang": 0.08,
    "B200 products, sglang": 0.09,
    "B200 attention, sglang": 0.07,
    "B300 products, sglang": 0.08,
    "B300 attention, sglang": 0.10,
    "GB200 products, sglang": 0.07,
    "GB200 attention, sglang": 0.10,
    "GB300 products, sglang": 0.05,
    "GB300 attention, sglang": 0.09,
}
"""Mean errors of samples of rows that were left out; fp8 is the worst of products."""


@pytest.mark.parametrize("group", LIMITS)
def test_samples_are_within_their_limits(group: str) -> None:
    assert mean_error(ROWS[group]) < LIMITS[group]


def test_trainium2_as_graphs_run_it() -> None:
    rows = {row.case: row for row in ROWS["Trainium2 products, typical"]}
    # All cores of a chip at once: 465 of 632 TFLOP/s.
    chip = rf.Efficiency.of("trn2")
    whole = chip.part(4).matmul_s(16384, 16384, 16384) + float(chip.call_s)
    assert 4 * 2 * 16384**3 / whole == pytest.approx(465e12, rel=0.005)
    small = [row for case, row in rows.items() if "1590" in case]
    assert mean_error(small) < 0.05
    # The host's call of a small one took half of what larger ones say.
    assert rows["bf16, 1024 x 1024 by 1024 x 1024"].error > 1


def test_trainium2_as_silicon_allows() -> None:
    chip = rf.Efficiency.of("trn2", "ceiling")
    whole = chip.part(4).matmul_s(12288, 8192, 8192)
    assert 4 * 2 * 12288 * 8192 * 8192 / whole == pytest.approx(598e12, rel=0.01)
    fp8 = chip.part(4).matmul_s(4096, 4096, 4096, precision="fp8")
    assert 2 * 4096**3 / fp8 == pytest.approx(245.5e12, rel=0.005)
    fp32 = chip.part(4).matmul_s(10240, 1024, 8192, precision="fp32")
    assert 2 * 10240 * 1024 * 8192 / fp32 == pytest.approx(37.7e12, rel=0.005)


def test_trainium3_has_its_row() -> None:
    part = rf.Efficiency.of("trn3").part(4)
    assert part.matmul_s(16384, 16384, 16384, precision="fp8") == pytest.approx(16.64e-3, rel=0.01)


def test_fits_of_few_rows_come_out_the_same() -> None:
    found = list(refit(None))
    assert len(found) == 3
    for chip, stack, figures in found:
        entry = data()["chips"][chip]["stacks"][stack]
        for name, value in figures["matmul"]["bf16"].items():
            held = entry["matmul"]["bf16"][name]
            assert value == (pytest.approx(held, rel=2e-3) if isinstance(held, float) else held)


def test_errors_of_fits_are_those_of_the_house() -> None:
    for entry in data()["chips"].values():
        for stack in entry.get("stacks", {}).values():
            for operator in (*stack["matmul"].values(), stack["attention"], stack["memory"]):
                if operator.get("rows", 0) > 100:
                    assert operator["held_out"] < 0.18
                    assert operator["held_out"] < 1.25 * operator["fitted"]
