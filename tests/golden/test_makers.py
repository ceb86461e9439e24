"""Machines of four makers beside each other, as their own software runs: times, order, measured."""

from __future__ import annotations

import pytest

import rainier_fast as rf
from rainier_fast.validation.makers import SIZES, compared

KINDS = ["as neuron runs it", "as nccl runs it", "as nccl runs it", "as xla runs it"]

# Microseconds measured at the size itself; None where nothing was. One trn2.48xlarge by nccom-test;
# H100 and B200 nodes of 8 in half by the tables of aiconfigurator_core 0.12.0.
MEASURED = {
    2**16: [None, 18.7, 29.0, None],
    2**24: [262.48, 122.0, 99.1, None],
    2**30: [6440.16, None, None, None],
}
OURS = {
    2**16: [21.4, 18.4, 27.6, 139],
    2**24: [262, 112, 102, 276],
    2**30: [6640, 4200, 2860, 11400],
}
"""Microseconds by us, at three digits."""


@pytest.mark.parametrize("size", SIZES)
def test_rows_by_runtime_beside_measured_ones(size: int) -> None:
    table = compared()[SIZES.index(size)]
    assert table.size_bytes == size
    assert table["kind"].tolist() == KINDS
    assert table["ranks"].tolist() == [16, 8, 8, 16]
    assert not any(table["reason"])
    for row, ours, measured in zip(table, OURS[size], MEASURED[size], strict=True):
        assert row["time_s"] * 1e6 == pytest.approx(ours, rel=6e-3)
        there = row["measured_bytes"] == size
        assert there == (measured is not None)
        if measured is not None:
            assert row["measured_s"] * 1e6 == pytest.approx(measured, rel=2e-3)
            assert row["measured_error"] == pytest.approx(row["time_s"] / row["measured_s"] - 1)
            assert abs(row["measured_error"]) < 0.1


def test_h100_and_b200_stand_in_the_measured_order() -> None:
    small, middle, _ = compared()
    for table, faster in ((small, 1), (middle, 2)):
        slower = 3 - faster
        for column in ("time_s", "measured_s"):
            assert table[column][faster] < table[column][slower]
    assert small["measured_s"].tolist()[1:3] == pytest.approx([18.7e-6, 29.0e-6], rel=2e-3)


def test_what_is_not_measured_says_so() -> None:
    for table in compared():
        reasons = {row["column"]: row["reason"] for row in table.empty if "v5p" in row["machine"]}
        assert "no measurements of all_reduce over 16 chips by 'xla'" in reasons["measured_s"]
    text = str(rf.preset("tpu-v5p", shape=(2, 2, 4)).all_reduce("1 MiB", algorithm="runtime"))
    assert "no measurements" in text
    assert "no measurements" not in str(rf.preset("h100").all_reduce("1 MiB", algorithm="runtime"))
