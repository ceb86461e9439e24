"""The reference rows: thresholds on what is predicted, exactness on what is a closed form."""

from __future__ import annotations

import math
from functools import cache

import pytest

import rainier_fast as rf
from rainier_fast.validation import SOURCES, Row, mean_error, worst_error
from rainier_fast.validation.astra_sim import through_stages
from rainier_fast.validation.swing_paper import doubling_congestion
from rainier_fast.validation.tpu import fitted
from raising import raises

GRANTED = "its conventions granted"
TPUS = ("v5p", "v5e")
"""Parts of the source of TPU curves, in their order."""


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


def test_tpu_curves_as_xla_runs_them() -> None:
    fit, rows, known = fitted(), groups("tpu_scaling_book"), rf.assumptions()
    value = (known["tpu_link_efficiency"].number, known["tpu_exposed_launch"].number)
    assert value == (fit.efficiency, fit.exposed)
    for name, launch in zip(TPUS, fit.launches, strict=True):
        assert known[f"tpu_{name}_launch"].number == pytest.approx(launch)
    # What was fitted is what presets answer.
    made = [row for name in TPUS for row in rows[f"TPU {name}, as XLA runs it"]]
    assert [row.error for row in made] == pytest.approx(fit.errors, abs=1e-12)
    for name in TPUS:
        assert mean_error(rows[f"TPU {name}, as XLA runs it"]) < 0.02
        assert mean_error(rows[f"TPU {name}, as XLA runs it, leave one out"]) < 0.05
        assert mean_error(rows[f"TPU {name}, links alone"]) < 0.15
    for figure in ("tpu_link_efficiency", "tpu_exposed_launch", "tpu_v5p_launch"):
        for errors in (fit.errors, fit.left_out):
            assert f"{mean(errors):.1%}".replace("%", " %") in known[figure].note


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
    opensm = groups("opensm")
    assert worst_error(opensm["Lengths of routes, OpenSM"]) < 1e-12
    # Only less: ours are counted several times over, and need no more channels.
    for group in ("by up*/down*, ours against updn", "of balanced routes, ours against DFSSSP"):
        assert all(row.error < 0 for row in opensm[f"Busiest channel {group}"])
    assert worst_error(opensm["Virtual channels of dimension order, torus-2QoS"]) == 0
    tacos = groups("tacos")
    assert worst_error(tacos["All-gather, rounds of TACOS"]) < 1e-7
    # Only less: latency hides behind the next chunk.
    assert worst_error(tacos["All-gather, synthesised"]) < 2e-3
    assert all(row.ours <= row.published for row in tacos["All-gather, synthesised"])
    for row in tacos["All-gather, ours against TACOS"]:
        assert row.error < 0  # split chunks need no whole rounds


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
                assert row.kind == "links alone" or row.kind.startswith("as ")
                assert len(row.source) > 20


def test_rows_refuse_nonsense() -> None:
    line = ("group", "case", "time", "us")
    with raises(rf.InvalidArgument, "published"):
        Row(*line, 0.0, 1.0, "links alone", "model", "source")
    with raises(rf.InvalidArgument, "ours"):
        Row(*line, 1.0, float("nan"), "links alone", "model", "source")
    with raises(rf.InvalidArgument, "rows"):
        mean_error([])
