"""Sweeps in one process: rows, order, files, and going on with what is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import rainier_fast as rf
from small_sweeps import SPACE, answer, swept

TRN2 = rf.preset("trn2")


def failing(a: int, b: str) -> dict[str, Any]:
    if (a, b) == (2, "y"):
        raise ValueError("two\n<b>y</b>")
    return {"twice": 2 * a}


@pytest.fixture(params=["csv", "jsonl", "parquet"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "parquet":
        pytest.importorskip("pyarrow")
    return tmp_path / f"s.{request.param}"


def test_rows_are_in_order_and_read_back(path: Path) -> None:
    found = swept(path)
    assert found.columns[:2] == found.axes == ("a", "b")
    assert list(found.table)[3] == {
        "a": 2, "b": "y", "twice": 4, "half": 1.0, "text": "2y", "odd": False, "none": None,
        "error_type": None, "error": None,
    }  # fmt: skip
    assert rf.read(path) == found
    assert rf.read(path.read_bytes()).table == found.table
    assert len(found) == 6
    assert len(found.errors) == 0
    assert not path.with_name(path.name + ".part").exists()


def test_what_is_done_is_not_asked_again(path: Path) -> None:
    swept(path)
    before = path.read_bytes()

    def never(**_: object) -> None:
        raise AssertionError

    never.__module__, never.__qualname__ = answer.__module__, answer.__qualname__
    swept(path, fn=never)
    assert path.read_bytes() == before


def test_threads_write_the_same_bytes(path: Path) -> None:
    space = {"a": range(50), "b": "xyz"}
    swept(path, space)
    other = path.with_name("t" + path.suffix)
    with ThreadPoolExecutor(2) as pool:
        rf.sweep(space, answer, pool, other, batch=7)
    assert other.read_bytes() == path.read_bytes()


def test_what_a_point_raises_is_a_row(path: Path) -> None:
    found = swept(path, fn=failing)
    assert list(found.errors) == [
        {"a": 2, "b": "y", "error_type": "ValueError", "error": "two <b>y</b>"}
    ]
    assert found["twice"].tolist()[:3] == [2, 2, 4]
    assert "&lt;b&gt;" in found._repr_html_()


def test_other_columns_later_are_errors_with_what_they_said(path: Path) -> None:
    def changing(a: int, b: str) -> dict[str, Any]:
        return {"twice": 1} if a < 3 else {"more": 7}

    found = swept(path, fn=changing)
    assert found.columns == ("a", "b", "twice", "error_type", "error")
    assert found.errors["error_type"].tolist() == ["OtherColumns"] * 2
    assert "lacks twice and has more = 7" in found.errors["error"][0]


@dataclass
class Told:
    b: str
    seconds: float
    table: list[int]


@pytest.mark.parametrize(
    ("result", "columns"),
    [
        (3, {"value": [3]}),
        ({"a": 1, "c": 2}, {"c": [2]}),
        (Told("other", 0.5, [1]), {"result_b": ["other"], "seconds": [0.5]}),
        (TRN2.send_recv(1e6, shift=1), {"operation": ["send_recv"]}),
    ],
)
def test_what_a_function_may_return(result: Any, columns: Any, tmp_path: Path) -> None:
    found = swept(tmp_path / "s.csv", {"a": 1, "b": "x"}, lambda a, b: result)
    assert len(found.errors) == 0, list(found.errors)
    assert {name: found[name].tolist() for name in columns} == columns


@pytest.mark.parametrize("result", [{"a": 9}, {"error": 1}, {1: 2}, {"c": [1]}, [1], object()])
def test_what_it_may_not_return_is_an_error_of_the_row(result: Any, tmp_path: Path) -> None:
    found = swept(tmp_path / "s.csv", {"a": 1, "b": "x"}, lambda a, b: result)
    assert len(found.errors) == 1


def test_points_as_dicts_and_of_a_generator(path: Path) -> None:
    def points() -> Iterator[dict[str, int]]:
        yield from ({"a": a} if a % 2 else {"a": a, "b": a} for a in range(5))

    found = swept(path, points(), lambda a, b=0: a + b)
    assert found["value"].tolist() == [0, 1, 4, 3, 8]
    assert found["b"].tolist() == [0, None, 2, None, 4]
    assert swept(path, points(), lambda a, b=0: a + b) == found


def test_columns_of_mixed_types_are_floats_or_text(path: Path) -> None:
    values = [1, 0.5, 2], ["x", 1, True], [2**70, 1, 2], [float("inf"), 1, 2]
    names = ("a", "b", "c", "d")
    found = swept(
        path,
        {"i": range(3)},
        lambda i: {name: column[i] for name, column in zip(names, values, strict=True)},
    )
    assert found["a"].tolist() == [1.0, 0.5, 2.0]
    assert found["b"].tolist() == ["x", "1", "true"]
    assert found["c"].tolist() == [str(2**70), "1", "2"]
    assert found["d"].tolist() == [float("inf"), 1.0, 2.0]


def test_collectives_are_priced_together_and_equal_single_calls(tmp_path: Path) -> None:
    space = {"size": ["1 KiB", 2**20, "-1"], "algorithm": ["ring", "auto", "no"]}
    found = swept(tmp_path / "s.csv", space, partial(TRN2.all_gather, dtype="bf16"))
    rows = [row for row in found.table if row["error"] is None]
    assert [row["time_s"] for row in rows] == [
        TRN2.all_gather(size, algorithm=algorithm, dtype="bf16").time_s
        for size in ("1 KiB", 2**20)
        for algorithm in ("ring", "auto")
    ]
    assert set(found.errors["error_type"]) == {"InvalidArgument", "UnknownName"}
    assert rows[0]["kind"] == TRN2.all_gather(1).kind
    mesh = TRN2.mesh(dp=4, tp=4)
    both = {"operation": ["all_reduce", "barrier"], "size": [1e6], "axis": ["tp", "dp"]}
    found = swept(tmp_path / "m.csv", both, mesh)
    assert found["time_s"].tolist()[1] == mesh.all_reduce(1e6, axis="dp").time_s
    assert len(found.errors) == 0


@pytest.mark.parametrize(
    ("space", "argument"),
    [
        ({}, "space"),
        ([], "space"),
        (3, "space"),
        ([1], "space[0]"),
        ({"a": [], "b": "x"}, "space['a']"),
        ({"a": {1, 2}, "b": "x"}, "space['a']"),
        ({"a": [1, 1], "b": "x"}, "space['a']"),
        ({"a": [object()], "b": "x"}, "space['a']"),
        ({1: [1]}, "space"),
        ({"error": [1]}, "space"),
        ({"a": [1]}, "space"),
        ({"a": [1], "b": [1], "c": [1]}, "space"),
    ],
)
def test_spaces_that_are_none(space: Any, argument: str, tmp_path: Path) -> None:
    with pytest.raises(rf.RainierError) as raised:
        swept(tmp_path / "s.csv", space)
    assert raised.value.argument == argument
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "argument"),
    [
        ({"fn": 3}, "fn"),
        ({"executor": "dsak"}, "executor"),
        ({"executor": 3}, "executor"),
        ({"into": "s.txt"}, "into"),
        ({"into": "no/such/s.csv"}, "into"),
        ({"into": 3}, "into"),
        ({"progress": 3}, "progress"),
        ({"workers": 0}, "workers"),
        ({"batch": 0}, "batch"),
        ({"extend": 1}, "extend"),
        ({"fn": TRN2}, "space"),
        ({"fn": TRN2.all_reduce}, "space"),
    ],
)
def test_arguments_that_are_none(
    words: dict[str, Any], argument: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    good: dict[str, Any] = {"fn": answer, "executor": "serial", "into": "s.csv"}
    with pytest.raises(rf.RainierError) as raised:
        rf.sweep(SPACE, **(good | words))
    assert raised.value.argument == argument


def test_another_space_or_function_is_refused_by_what_changed(path: Path) -> None:
    swept(path)
    for space, words in (
        ({"a": [1, 2, 4], "b": ["x", "y"]}, "axis 'a': 3 gone, 4 new"),
        ({"a": [1, 3, 2], "b": ["x", "y"]}, "axis 'a': the order of its values"),
        ({"b": ["x", "y"], "a": [1, 2, 3]}, "the order of the axes"),
        ([{"a": 1, "b": "x"}], "it was a product of axes and is a list of points"),
    ):
        with pytest.raises(rf.InvalidArgument, match=words):
            swept(path, space)
    with pytest.raises(rf.InvalidArgument, match="fn: got"):
        swept(path, fn=failing)


def test_a_space_that_grew_is_extended_when_told(path: Path, tmp_path: Path) -> None:
    def counting(a: int, b: str) -> dict[str, Any]:
        asked.append((a, b))
        return answer(a, b)

    asked: list[tuple[int, str]] = []
    swept(path, fn=counting)
    asked.clear()
    more = {"a": [0, 1, 2, 2.5, 3], "b": ["y", "x"]}
    with pytest.raises(rf.InvalidArgument, match="extend=True"):
        swept(path, more, counting)
    swept(path, more, counting, extend=True)
    assert asked == [(0, "y"), (0, "x"), (2.5, "y"), (2.5, "x")]
    whole = tmp_path / f"w{path.suffix}"
    swept(whole, more, counting)
    assert path.read_bytes() == whole.read_bytes()
    with pytest.raises(rf.InvalidArgument, match="space"):
        swept(path, {"a": [0, 1], "b": ["y", "x"]}, counting, extend=True)


def test_points_that_failed_are_asked_again_when_told(path: Path) -> None:
    broken = True

    def mended(a: int, b: str) -> dict[str, Any]:
        if broken and a == 2:
            raise OSError("no licence")
        asked.append(a)
        return answer(a, b)

    asked: list[int] = []
    swept(path, fn=mended)
    asked.clear()
    broken = False
    assert len(swept(path, fn=mended).errors) == 2
    assert len(swept(path, fn=mended, retry_errors=True).errors) == 0
    assert asked == [2, 2]


def test_progress_is_told_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[tuple[int, int]] = []
    swept(tmp_path / "s.csv", progress=lambda *counts: seen.append(counts))
    assert seen[0] == (0, 6)
    assert seen[-1] == (6, 6)
    swept(tmp_path / "t.csv", progress=True)
    assert "6 of 6 points, done in" in capsys.readouterr().err


def test_the_header_says_what_was_swept(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    swept(path)
    header = json.loads(path.read_text().partition("\n")[0].removeprefix("# "))
    assert header["function"] == f"{answer.__module__}.answer"
    assert header["space"]["axes"][1]["values"] == ["x", "y"]
