"""The reference rows: thresholds on what is predicted, exactness on what is a closed form."""

from __future__ import annotations

import dataclasses
import math
from functools import cache
from typing import Any

import pytest

import rainier_fast as rf
from rainier_fast.validation import SOURCES, Row, mean_error, worst_error
from rainier_fast.validation.astra_sim import through_stages
from rainier_fast.validation.data import read
from rainier_fast.validation.fit import fit_one
from rainier_fast.validation.swing_paper import doubling_congestion
from rainier_fast.validation.table import fitted
from raising import raises

GRANTED = "its conventions granted"
TPUS = {"v5p": 0, "v5e": 1}
"""Parts of the source of TPU curves."""


def mean(errors: tuple[float, ...]) -> float:
    return math.fsum(map(abs, errors)) / len(errors)


@cache
def groups(source: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in SOURCES[source]():
        found.setdefault(row.group, []).append(row)
    return found


def test_efa_rows_with_nothing_fitted() -> None:
    rows = groups("efa_b200")
    assert mean_error(rows["P6-B200, 4 nodes"]) < 0.15
    assert worst_error(rows["P6-B200, 4 nodes"]) < 0.15
    assert len(rows["P6-B200, 1 node"]) == 4


@pytest.mark.parametrize("name", TPUS)
def test_tpu_curves_with_one_latency(name: str) -> None:
    rows = groups("tpu_scaling_book")
    assert mean_error(rows[f"TPU {name}, one fitted launch"]) < 0.10
    assert mean_error(rows[f"TPU {name}, one fitted launch, leave one out"]) < 0.10
    # Rows that the links bound do not know the launch: bandwidth is the data sheet's.
    fit = fitted("tpu_scaling_book", TPUS[name])
    assert fit.errors[-1] == fit.left_out[-1] > 0


def test_closed_forms() -> None:
    (rows,) = groups("closed_forms").values()
    assert worst_error(rows) < 1e-3
    assert len(rows) == 11


def test_textbook_and_booksim() -> None:
    rows = groups("saturation")
    assert worst_error(rows["Channel loads, textbook"]) == 0
    assert worst_error(rows["Saturation, BookSim2"]) < 0.03


def test_exact_peers() -> None:
    (logs,) = groups("loggopsim").values()
    assert worst_error(logs) < 1e-12
    assert all("without it" in row.note for row in logs)
    simgrid = groups("simgrid")
    assert worst_error(simgrid["Makespans, SimGrid"]) == 0
    assert worst_error(simgrid["Finish times, SimGrid"]) < 1e-8
    tacos = groups("tacos")
    assert worst_error(tacos["All-gather, rounds of TACOS"]) < 1e-7
    # Only less: latency hides behind the next chunk.
    assert worst_error(tacos["All-gather, synthesised"]) < 2e-3
    assert all(row.ours <= row.published for row in tacos["All-gather, synthesised"])
    for row in tacos["All-gather, ours against TACOS"]:
        assert row.error < 0  # split chunks need no whole rounds


def test_presets_carry_what_was_fitted() -> None:
    known = rf.assumptions()
    for name, part in TPUS.items():
        launch = known[f"tpu_{name}_launch"]
        assert launch.number == pytest.approx(fitted("tpu_scaling_book", part).value)
        preset = groups("tpu_scaling_book")[f"TPU {name}, the preset"]
        assert mean_error(preset) < 0.10
        assert f"mean error {mean_error(preset):.0%}".replace("%", " %") in launch.note


def test_the_fits_of_presets_are_the_fits_of_bare_links() -> None:
    # The hop latency of the preset does not move the launch that its rows ask for.
    for name, part in TPUS.items():
        about = read("tpu_scaling_book")["parts"][part]
        server = rf.preset(f"tpu-{name}", shape=about["shape"]).ultraserver

        def errors(
            launch: float, about: dict[str, Any] = about, server: rf.UltraServer = server
        ) -> list[float]:
            machine = rf.domain(dataclasses.replace(server, launch=launch))
            mesh = machine.mesh(ring=about["shape"][-1], rest=-1)
            run = getattr(mesh, about["operation"])
            found = [run(row["size"], axis="ring", algorithm="ring") for row in about["rows"]]
            pairs = zip(found, about["rows"], strict=True)
            return [one.algbw_Bps / 1e9 / row["published"] - 1 for one, row in pairs]

        tried = [count * 1e-6 for count in range(201)]
        fit = fit_one(tried, errors)
        assert fit.value == pytest.approx(fitted("tpu_scaling_book", part).value)
        left_out = f"{mean(fit.left_out):.0%} on points left out".replace("%", " %")
        assert left_out in rf.assumptions()[f"tpu_{name}_launch"].note


def test_deficiencies_of_the_swing_paper() -> None:
    rows = groups("swing_paper")
    congestion = rows["Swing paper, congestion"]
    assert worst_error(row for row in congestion if "sum of" in row.note) < 1e-12
    # Finite tori are below limits that grow, or as far above as two digits are rounded.
    limits = [row for row in congestion if "limit" in row.note]
    assert len(limits) == 11
    assert worst_error(limits) < 0.016
    assert worst_error(rows["Swing paper, steps"]) < 0.016


def test_doubling_of_the_swing_paper_by_its_own_series() -> None:
    for shape in ((8, 8), (16, 16), (4, 4, 4), (8, 8, 8)):
        sides, rounds = len(shape), shape[0].bit_length() - 1
        series = sum(2 ** (s // sides) / 2 ** (s + 1) for s in range(rounds * sides))
        assert doubling_congestion(shape) == pytest.approx(series, rel=1e-12)


def test_between_servers_and_sites() -> None:
    rows = groups("scale_out")
    assert worst_error(rows["Steps over EFA"]) < 1e-12
    assert worst_error(rows["Gradients over a WAN"]) < 1e-9


def test_astra_sim_with_and_without_its_conventions() -> None:
    rows = groups("astra_sim")
    for backend, cases in (("congestion unaware", 9), ("congestion aware", 5)):
        plain, granted = rows[f"ASTRA-sim, {backend}"], rows[f"ASTRA-sim, {backend}, {GRANTED}"]
        assert len(plain) == len(granted) == cases
        # What they count and we do not is all that there is between us.
        assert worst_error(granted) < 1e-3
        assert all(row.note for row in plain)
    unaware = {row.case: row for row in rows["ASTRA-sim, congestion unaware"]}
    assert unaware["c10_ring64_ar_16chunks_4active"].error > 2  # its chunks have a link each
    assert unaware["x20_torus4x8_ar_tpuish"].error < -0.7  # its memory is slower than its links
    assert worst_error(rows["ASTRA-sim, congestion aware"]) < 0.15


def test_chunks_go_through_stages_as_through_machines() -> None:
    assert through_stages([(0, 2.0)], 3) == 6
    assert through_stages([(0, 2.0)], 3, slots=2) == 4
    assert through_stages([(0, 2.0), (1, 3.0)], 4) == 2 + 4 * 3
    # Reduce-scatter and all-gather of the first dimension share it.
    assert through_stages([(0, 2.0), (1, 1.0), (0, 2.0)], 1) == 5
    assert through_stages([(0, 2.0), (1, 1.0), (0, 2.0)], 10) == 40


def test_the_trn2_table_is_met_by_rows_that_it_was_not_fitted_to() -> None:
    found = groups("trn2_nccom")
    assert {len(rows) for rows in found.values()} == {18}
    left_out = found["Trn2 instance, leave one size out"]
    assert mean_error(left_out) < 0.05
    assert worst_error(left_out) < 0.12
    assert mean_error(found["Trn2 instance, the preset"]) < 0.05
    links = found["Trn2 instance, links alone"]
    assert all(row.error < 0 and "links" in row.note for row in links)


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
    with raises(rf.InvalidArgument, "published"):
        Row(*line, 0.0, 1.0, "model", "source")
    with raises(rf.InvalidArgument, "ours"):
        Row(*line, 1.0, float("nan"), "model", "source")
    with raises(rf.InvalidArgument, "rows"):
        mean_error([])
    with raises(rf.InvalidArgument, "values"):
        fit_one([], lambda value: [value])
    with raises(rf.InvalidArgument, "errors"):
        fit_one([1.0], lambda value: [value])


def test_leaving_a_row_out_fits_the_others() -> None:
    # Rows want 1, 1 and 4: the mean wins with all of them, what the rest want when one is out.
    fit = fit_one([1.0, 2.0, 2.5, 4.0], lambda value: [value - 1, value - 1, value - 4])
    assert fit.value == 2.0
    assert fit.left_out == (1.5, 1.5, -3.0)
