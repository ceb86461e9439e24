"""The reference rows: thresholds on what is predicted, exactness on what is a closed form."""

from __future__ import annotations

from functools import cache

import pytest

import rainier_fast as rf
from rainier_fast.validation import SOURCES, Row, mean_error, worst_error
from rainier_fast.validation.fit import fit_one
from rainier_fast.validation.h100_nccl import fitted_fill
from rainier_fast.validation.tpu_scaling_book import fitted_launch


@cache
def groups(source: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in SOURCES[source]():
        found.setdefault(row.group, []).append(row)
    return found


def test_h100_rows() -> None:
    rows = groups("h100_nccl")
    assert mean_error(rows["H100 x 8, one fitted fill"]) < 0.08
    assert mean_error(rows["H100 x 8, one fitted fill, leave one out"]) < 0.08
    # As it is, NCCL's model chooses and does not predict: its error is printed too.
    bare = rows["H100 x 8, NCCL's model as it is"]
    assert 0.08 < mean_error(bare) < 0.12
    assert all("nothing fitted" in row.note for row in bare)


def test_h100_fit_is_one_figure_for_all_sizes_and_operations() -> None:
    fit = fitted_fill()
    assert 30e-6 <= fit.value <= 50e-6
    rows = groups("h100_nccl")["H100 x 8, one fitted fill"]
    assert [row.error for row in rows] == pytest.approx(fit.errors)
    assert fit.mean == pytest.approx(mean_error(rows))
    assert fit.mean_left_out >= 0.9 * fit.mean


def test_efa_rows_with_nothing_fitted() -> None:
    rows = groups("efa_b200")
    assert mean_error(rows["P6-B200, 4 nodes"]) < 0.15
    assert worst_error(rows["P6-B200, 4 nodes"]) < 0.15
    assert len(rows["P6-B200, 1 node"]) == 4


@pytest.mark.parametrize("name", ["v5p", "v5e"])
def test_tpu_curves_with_one_latency(name: str) -> None:
    rows = groups("tpu_scaling_book")
    assert mean_error(rows[f"TPU {name}, one fitted launch"]) < 0.10
    assert mean_error(rows[f"TPU {name}, one fitted launch, leave one out"]) < 0.10
    # Rows that the links bound do not know the launch: bandwidth is the data sheet's.
    assert fitted_launch(name).errors[-1] == fitted_launch(name).left_out[-1] > 0


def test_closed_forms() -> None:
    (rows,) = groups("closed_forms").values()
    assert worst_error(rows) < 1e-3
    assert len(rows) == 8


def test_textbook_and_booksim() -> None:
    rows = groups("saturation")
    assert worst_error(rows["Channel loads, textbook"]) == 0
    assert worst_error(rows["Saturation, BookSim2"]) < 0.03


def test_exact_peers() -> None:
    (logs,) = groups("loggopsim").values()
    assert worst_error(logs) < 1e-12
    assert all("without it" in row.note for row in logs)
    (makespans,) = groups("simgrid").values()
    assert worst_error(makespans) == 0
    tacos = groups("tacos")
    assert worst_error(tacos["All-gather, rounds of TACOS"]) < 1e-7
    for row in tacos["All-gather, ours against TACOS"]:
        assert row.error < 0  # split chunks need no whole rounds


def test_every_row_says_where_it_is_from() -> None:
    for source in SOURCES:
        for rows in groups(source).values():
            for row in rows:
                assert row.group
                assert row.case
                assert row.unit
                assert row.model
                assert len(row.source) > 20


def test_rows_and_fits_refuse_nonsense() -> None:
    line = ("group", "case", "time", "us")
    with pytest.raises(rf.InvalidArgument, match="published"):
        Row(*line, 0.0, 1.0, "model", "source")
    with pytest.raises(rf.InvalidArgument, match="ours"):
        Row(*line, 1.0, float("nan"), "model", "source")
    with pytest.raises(rf.InvalidArgument, match="rows"):
        mean_error([])
    with pytest.raises(rf.InvalidArgument, match="values"):
        fit_one([], lambda value: [value])
    with pytest.raises(rf.InvalidArgument, match="errors"):
        fit_one([1.0], lambda value: [value])


def test_leaving_a_row_out_fits_the_others() -> None:
    # Rows want 1, 1 and 4: the mean wins with all of them, what the rest want when one is out.
    fit = fit_one([1.0, 2.0, 2.5, 4.0], lambda value: [value - 1, value - 1, value - 4])
    assert fit.value == 2.0
    assert fit.left_out == (1.5, 1.5, -3.0)
