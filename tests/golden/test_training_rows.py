"""Measured training runs: what rows say fits together, and is counted as their sources count."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest

import rainier_fast as rf
from rainier_fast.validation import scaling_book
from rainier_fast.validation.conventions import checks
from rainier_fast.validation.data import read
from rainier_fast.validation.training_cases import CONVENTIONS, MEMORY, SOURCES, Case, case, cases
from rainier_fast.validation.vtrain import read_points
from raising import raises

ALL = [
    pytest.param(one, id=f"{source}: {one.title}"[:110])
    for source in SOURCES
    for one in cases(source)
]
FITTED = {
    "vtrain": 1,
    "megatron_2021": 3,
    "korthikanti": 0,
    "megatron_core": 3,
    "papers": 0,
    "megatron_bridge": 5,
    "moe_modelzoo": 7,
    "torchtitan": 13,
    "maxtext": 19,
}
HEADER = (
    "Parameters (billion),# GPUs,global batch,micro batch,hidden size,attention heads,# layers,"
    "sequence length,tensor parallelism,data parallelism,pipeline parallelism,iteration time (ms)\n"
)
POINTS = (
    "3.6,64,512,8,3072,32,30,2048,1,64,1,3566.5\n175,512,1536,2,12288,96,96,2048,8,8,8,55109.6\n"
)


@pytest.mark.parametrize("one", ALL)
def test_a_row_fits_together(one: Case) -> None:
    assert one["verified"] in ("original", "second hand")
    for name in ("group", "source", "software", "date"):
        assert one[name], name
    assert isinstance(one["fit"], bool)
    assert set(one["assumed"] if "assumed" in one.fields else ()) <= set(one.fields) | {"vocab"}
    assert one.chips == one.dp * one["tp"] * one["pp"] * one["cp"]
    batches = one["batch"] / (one.dp * one["microbatch"])
    assert batches == int(batches)
    if one["virtual"] > 1:
        assert one["pp"] > 1
        assert batches % one["pp"] == 0
    assert one.model.heads % one["tp"] == 0
    assert one.model.layers >= one["pp"]
    if one["ep"] > 1:
        experts = one.model.experts
        assert experts is not None
        assert experts.count % one["ep"] == 0
        assert (one.chips // one["pp"]) % (one["ep"] * one["etp"]) == 0


@pytest.mark.parametrize("one", ALL)
def test_a_row_has_a_machine(one: Case) -> None:
    if "not_run" in one.fields and one["machine"].startswith("tpu"):
        with raises(rf.InvalidArgument, "chips"):
            _ = one.machine
        return
    assert one.machine.num_chips == one.chips
    assert one.step_s > 0 if one["convention"] or _timed(one) else "tflops" in one.fields


@pytest.mark.parametrize("one", ALL)
def test_sizes_are_those_that_are_printed(one: Case) -> None:
    if printed := one.get("size"):
        digits = len(printed.partition(".")[2])
        assert f"{one.model.parameters / 1e9:.{digits}f}" == printed


@pytest.mark.parametrize("one", ALL)
def test_its_source_counts_as_its_convention_says(one: Case) -> None:
    found = checks(one)
    both = {"tflops", "mfu"} <= set(one.fields) or (
        _timed(one) and {"tflops", "mfu"} & set(one.fields)
    )
    assert bool(found) == bool(one["convention"] and both)
    for check in found:
        assert abs(check.error) < check.allowed, check


def test_most_rows_can_be_checked_and_within_a_percent() -> None:
    found = [check for source in SOURCES for one in cases(source) for check in checks(one)]
    assert len(found) > 90
    assert sum(abs(check.error) < 0.01 for check in found) > 0.85 * len(found)
    exact = [check for one in cases("maxtext") for check in checks(one)]
    assert sum(abs(check.error) < 2e-4 for check in exact) > 15


def test_another_convention_is_seen() -> None:
    one = next(one for one in cases("maxtext") if one.model.name == "llama-3.1-8b")
    other = case({**one.fields, "convention": "maxtext"}, {})
    (check,) = checks(other)
    assert check.error < -0.1
    with raises(rf.UnknownName, "convention"):
        _ = case({**one.fields, "convention": "none of them"}, {}).flops_per_token
    with raises(rf.InvalidArgument, "fields"):
        case({**one.fields, "bath": 3}, {})
    with raises(rf.UnknownName, "model"):
        case({**one.fields, "model": "llama-9"}, {})
    with raises(rf.InvalidArgument, "chips"):
        _ = case({**one.fields, "tp": 3}, {}).dp


def test_what_may_be_fitted_is_marked() -> None:
    counts = {source: sum(one["fit"] for one in cases(source)) for source in SOURCES}
    assert counts == FITTED
    assert sum(len(cases(source)) for source in SOURCES) == len(ALL) > 165
    hands = Counter(one["verified"] for source in SOURCES for one in cases(source))
    assert hands["second hand"] < 25


def test_every_convention_is_used() -> None:
    used = {one["convention"] for source in SOURCES for one in cases(source)}
    assert used == set(CONVENTIONS) | {""}


def test_memory_is_what_a_chip_has() -> None:
    rows = [one for one in cases("torchtitan") if "memory_gib" in one.fields]
    assert len(rows) == 20
    for one in rows:
        chip = one.machine.hbm_bytes / one.machine.num_chips
        assert 0.3 * chip < one["memory_gib"] * 2**30 < chip


def layers_bytes(one: Case) -> float:
    """Bytes of activations of the first stage: equations 2 to 6 of arXiv 2205.05198."""
    shape, t = one.model, one["tp"]
    rows = one["sequence"] * one["microbatch"] * shape.hidden
    scores = 5 * shape.heads * one["sequence"] / shape.hidden
    if one["recompute"] == "full":
        each = 2.0
    else:
        whole = 0.0 if one["sequence_parallel"] else 10.0
        split = 34.0 - whole + (scores if one["recompute"] == "none" else 0.0)
        each = whole + split / t
    stages, chunks = one["pp"], one["virtual"]
    more = 1 + (stages - 1) / (stages * chunks) if chunks > 1 else 1.0
    return rows * each * shape.layers * more


def test_published_memory_is_the_closed_form() -> None:
    rows = cases(MEMORY)
    assert len(rows) == 24
    for one in rows:
        shape = one.model
        if share := one.get("activations_share"):
            # Read off a figure.
            whole = case({**one.fields, "recompute": "none", "sequence_parallel": False}, {})
            assert layers_bytes(one) / layers_bytes(whole) == pytest.approx(share, abs=2e-3)
            continue
        assert layers_bytes(one) == pytest.approx(one["activations_gib"] * 2**30, rel=1e-12)
        numbers = 12 * shape.layers * shape.hidden**2
        assert 18 * numbers / (one["tp"] * one["pp"]) == one["state_gib"] * 2**30
        assert numbers == pytest.approx(shape.parameters, rel=0.02)


def test_points_of_vtrain_are_read_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "ground_truth_multi.csv"
    path.write_text("\ufeff" + HEADER + POINTS, "utf-8")
    points = read_points(path)
    assert [one.step_s for one in points] == [one.step_s for one in cases("vtrain")]
    assert [one.model.parameters for one in points] == [
        one.model.parameters for one in cases("vtrain")
    ]
    assert [one["fit"] for one in points] == [True, False]
    path.write_text(HEADER + POINTS.replace("1,64,1,", "1,32,1,"), "utf-8")
    with raises(rf.InvalidArgument, "row 0"):
        read_points(path)
    path.write_text(HEADER + POINTS.replace("55109.6", "none"), "utf-8")
    with raises(rf.InvalidArgument, "row 1"):
        read_points(path)
    path.write_text("a,b\n1,2\n", "utf-8")
    with raises(rf.InvalidArgument, "row 0"):
        read_points(path)


def test_problems_of_the_scaling_book() -> None:
    groups = read("scaling_book")["groups"]
    asked = [{**group, **line} for group in groups for line in group["rows"]]
    rows = scaling_book.rows()
    assert len(rows) == len(asked) == 28
    open_to = [scaling_book.rounding(fields) for fields in asked]
    within = [abs(row.error) <= 1.01 * part for row, part in zip(rows, open_to, strict=True)]
    assert sum(within) >= 20
    for row, fits in zip(rows, within, strict=True):
        # What is beyond the digits is made of parts that were rounded before.
        assert fits or abs(row.error) < 0.02 or row.note.count(";"), row
    assert max(abs(row.error) for row in rows) < 0.11


def test_digits_of_an_answer() -> None:
    assert scaling_book.rounding({"published": 44, "digits": 2}) == pytest.approx(0.5 / 44)
    assert scaling_book.rounding({"published": 4.2e11, "digits": 2}) == pytest.approx(0.05 / 4.2)


def _timed(one: Case) -> bool:
    return not {"step_s", "tokens_per_s"}.isdisjoint(one.fields)


def test_times_follow_from_whatever_was_measured() -> None:
    one = next(one for one in cases("maxtext") if one.model.name == "llama-3.1-8b")
    bare = {name: value for name, value in one.fields.items() if name not in ("step_s",)}
    by_rate = case(bare, {})
    by_flops = case({name: bare[name] for name in bare if name != "tokens_per_s"}, {})
    share = one["tflops"] * 1e12 / one.peak_flops
    by_share = case(
        {**{n: bare[n] for n in bare if n not in ("tokens_per_s", "tflops")}, "mfu": share}, {}
    )
    for other in (by_rate, by_flops, by_share):
        assert math.isclose(other.step_s, one.step_s, rel_tol=1e-3)
